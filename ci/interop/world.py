"""A small world that pycose makes after docs/protocol.md: two devices, a GL-node, four validators, one settled epoch.

It serves to test the checker before there is anything of ours to check: what is right passes, what is not is refused.
"""
import cbor2
import cwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pycose.keys import OKPKey
from pycose.messages import Sign1Message

import formats
from formats import Key, encode, leaf_hash, sha256


class Signer:
    """A key pair from a fixed seed."""

    def __init__(self, seed):
        private = Ed25519PrivateKey.from_private_bytes(sha256(seed.encode()))
        self.x = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.d = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        self.key = Key(encode({1: 1, -1: 6, -2: self.x}))

    def sign1(self, protected, payload, external_aad=b"", detached=False):
        """Signature by pycose; the four elements."""
        message = Sign1Message.from_cose_obj([protected, {}, payload, b""], allow_unknown_attributes=True)
        message.key = OKPKey(crv="ED25519", x=self.x, d=self.d)
        message.external_aad = external_aad
        return [protected, {}, None if detached else payload, message.compute_signature()]

    def certify(self, device, **claims):
        """A CWT made by the cwt library, untagged."""
        key = cwt.COSEKey.new({1: 1, -1: 6, -2: self.x, -4: self.d, 2: self.key.kid, 3: -8, 4: [1, 2]})
        body = {1: "Acme", 6: 1_700_000_000, 7: bytes(range(8)), 8: {1: cbor2.loads(device.key.encoded)}, formats.KIND: 0}
        coded = cwt.COSE.new(deterministic_header=True).encode_and_sign(
            encode({**body, **claims}), key, protected={1: -8, 4: self.key.kid}
        )
        return encode(cbor2.loads(coded).value)


def tree(entries):
    """Root and paths after RFC 9162 section 2.1.1 and 2.1.3.1, by recursion."""

    def split(n):
        k = 1
        while k * 2 < n:
            k *= 2
        return k

    def root(hashes):
        if len(hashes) == 1:
            return hashes[0]
        k = split(len(hashes))
        return sha256(b"\x01", root(hashes[:k]), root(hashes[k:]))

    def path(index, hashes):
        if len(hashes) == 1:
            return []
        k = split(len(hashes))
        if index < k:
            return path(index, hashes[:k]) + [root(hashes[k:])]
        return path(index - k, hashes[k:]) + [root(hashes[:k])]

    hashes = [leaf_hash(entry) for entry in entries]
    return root(hashes), [path(i, hashes) for i in range(len(hashes))]


# What the fifth transaction and those after it say; the others pay.
DATA = [formats.APPROVAL, encode([{0: "temp", 1: "Cel", 2: 21}])]


class World:
    def __init__(self, transactions=6, neighbourhood=sha256(b"neighbourhood"), data=DATA):
        self.neighbourhood = neighbourhood
        self.manufacturer = Signer("manufacturer")
        self.gl_node = Signer("gl-node")
        self.devices = [Signer(f"device {i}") for i in range(2)]
        self.validators = [Signer(f"validator {i}") for i in range(4)]
        self.stakes = {v.key.kid: (v.key, 25) for v in self.validators}
        self.certificates = [self.manufacturer.certify(device) for device in self.devices]
        self.transactions = []
        heads = [sha256(b"g0")] * 2
        for i in range(transactions):
            device = i % 2
            parents = [heads[device]] + sorted({heads[1 - device]} - {heads[device]})
            says = (1, [1 - device, 5, 5 * (i // 2 + 1)]) if i < 4 else (0, data[(i - 4) % len(data)])
            payload = encode([1, 1, device, i // 2 + 1, 100 + i, b"".join(p[:16] for p in parents), *says])
            aad = encode(["iotedge/tx/1", self.neighbourhood, sha256(*parents)])
            cose = self.devices[device].sign1(b"\xa1\x01\x27", payload, aad)
            heads[device] = sha256(b"iotedge/tx/1", self.neighbourhood, payload)
            self.transactions.append((encode(cose), device, parents, heads[device]))
        self.header = encode(
            [1, self.neighbourhood, 1, self.neighbourhood, sha256(b"trim"), 1_700_000_010_000, heads[0], transactions]
            + [sha256(b"state"), sha256(b""), sha256(b"table"), 3, 3, sha256(b"set"), 200_000, 1_700_000_000_100, 1_700_000_000_200]
        )
        self.root, self.paths = tree([self.header] + [t[3] for t in self.transactions])

    def receipt(self, validator, leaf, number=1, size=None):
        signer = self.validators[validator]
        protected = encode(
            {1: -8, 4: signer.key.kid, 16: "iotedge/macro/1", 395: 1, formats.NEIGHBOURHOOD: self.neighbourhood, formats.NUMBER: number}
        )
        vote = signer.sign1(protected, self.root, detached=True)
        size = size or len(self.transactions) + 1
        vote[1] = {396: {-1: [encode([size, leaf, self.paths[leaf]])]}}
        return encode(cbor2.CBORTag(18, vote))

    def receipt_file(self, leaf, voters=(0, 1, 2)):
        protected, _, payload, signature = cbor2.loads(self.transactions[leaf - 1][0])
        receipts = [self.receipt(v, leaf) for v in voters]
        return encode(cbor2.CBORTag(18, [protected, {394: receipts}, payload, signature]))

    def macro_file(self, voters=(0, 1, 2)):
        protected = encode({1: -8, 4: self.gl_node.key.kid})
        cose = self.gl_node.sign1(protected, self.header, encode(["iotedge/macro/1", self.neighbourhood]))
        cose[1] = {394: [self.receipt(v, 0) for v in voters]}
        return encode(cbor2.CBORTag(18, cose))
