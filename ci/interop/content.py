"""Contents in parts and manifests of firmware (docs/protocol.md section 13), read with none of our code: hashlib, cbor2 and pycose."""
from formats import Key, Refused, decode, encode, must, sha256, sign1, verify_sign1


def root_of(leaves):
    """RFC 9162 section 2.1.1, as it is written there."""
    if len(leaves) == 1:
        return sha256(b"\x00", leaves[0])
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01", root_of(leaves[:half]), root_of(leaves[half:]))


def content_id(size, log, root):
    return sha256(b"iotedge/content/1", size.to_bytes(8, "big"), bytes([log]), root)


class Receiver:
    """Takes parts in order; `stack` holds (end, root) of the subtrees to come, the nearest last."""

    def __init__(self, size, log, root):
        self.size, self.chunk, self.id = size, 1 << log, content_id(size, log, root)
        self.next, self.stack, self.data = 0, [(-(-size // self.chunk), root)], b""

    def take(self, part):
        prefix, first, end, siblings, body = decode(part)
        must(prefix == self.id[:16], "another content")
        known, root = self.stack[-1]
        must((first, end) == (self.next, known), "not the part that comes next")
        must(body and len(siblings) % 32 == 0, "lengths")
        # Each sibling halves the subtree, as RFC 9162 splits it.
        ends, low = [], end
        for _ in range(len(siblings) // 32):
            must(low - first > 1, "more siblings than levels")
            ends.append(low)
            half = 1
            while half * 2 < low - first:
                half *= 2
            low = first + half
        is_chunk = low - first == 1
        if is_chunk:
            must(len(body) == min(self.chunk, self.size - first * self.chunk), "length of the chunk")
            found = sha256(b"\x00", body)
        else:
            must(siblings and len(body) == 32, "neither chunk nor hash")
            found = body
        hashes = [siblings[at : at + 32] for at in range(0, len(siblings), 32)]
        node = found
        for sibling in hashes:
            node = sha256(b"\x01", node, sibling)
        must(node == root, "another root")
        self.stack.pop()
        self.stack += zip(ends, reversed(hashes))
        if is_chunk:
            self.data += body
            self.next += 1
        else:
            self.stack.append((low, found))


def manifest(data, key):
    """What a manifest says, in the order of its elements."""
    protected, unprotected, payload, signature = sign1(decode(data), "manifest")
    must(not unprotected and set(decode(protected)) == {1, 4}, "manifest: headers")
    key = Key(encode({1: 1, -1: 6, -2: key}))
    must(decode(protected)[4] == key.kid, "manifest: signer")
    verify_sign1((protected, unprotected, payload, signature), key, encode(["iotedge/update/1"]))
    said = decode(payload)
    must(isinstance(said, list) and len(said) == 10 and said[0] == 1, "manifest: version")
    _, sequence, vendor, of_class, component, _, _, _, _, (size, log, _) = said
    must(sequence > 0 and 1 <= len(component) <= 16 and len(vendor) == len(of_class) == 16, "manifest: elements")
    must(6 <= log <= 10 and 1 <= size <= 1 << (20 + log), "manifest: content")
    return said[1:]


def installed(data):
    """What a device says of a firmware that it installed: component, sequence number, digest; None where the data is something else."""
    if not data[1:].startswith(encode("iotedge/installed/1")) or data[0] >> 5 != 4:
        return None
    said = decode(data)
    must(len(said) == 4, "installed: elements")
    _, component, sequence, digest = said
    must(isinstance(component, bytes) and isinstance(digest, bytes) and type(sequence) is int, "installed: types")
    must(1 <= len(component) <= 16 and 0 < sequence < 1 << 64 and len(digest) == 32, "installed: values")
    return component, sequence, digest


__all__ = ["Receiver", "Refused", "content_id", "installed", "manifest", "root_of"]
