"""Channels as a stranger reads them: docs/protocol.md section 12 alone, with cryptography, cwt (pycose does not know COSE algorithm 24), pyhpke and cbor2."""
import hashlib
import hmac

import cbor2
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.poly1305 import Poly1305
from cryptography.exceptions import InvalidSignature, InvalidTag
from cwt import COSE, COSEKey
from pyhpke import AEADId, CipherSuite, KDFId, KEMId

import formats
from formats import Refused, must

SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)


def expand(prk, info, length):
    out, last = b"", b""
    for count in range(1, length // 32 + 2):
        last = hmac.new(prk, last + info + bytes([count]), hashlib.sha256).digest()
        out += last
    return out[:length]


def extract(salt, secret):
    return hmac.new(salt, secret, hashlib.sha256).digest()


def channel_id(neighbourhood, owner, number):
    return formats.sha256(b"iotedge/channel/1", neighbourhood, owner, number.to_bytes(4, "big"))


def place(channel, epoch, index):
    return channel + epoch.to_bytes(4, "big") + index.to_bytes(8, "big")


def nonce(epoch, index):
    return epoch.to_bytes(4, "big") + index.to_bytes(8, "big")


def public_chain(channel, epoch):
    return formats.sha256(b"iotedge/channel/public/1", channel, epoch.to_bytes(4, "big"))


def secret_at(chain, index, side):
    """MS(index), from CK(0)."""
    for _ in range(index + 1):
        both = expand(chain, b"iotedge/channel/chain/1", 64)
        chain, secret = both[:32], both[32:]
    return extract(side, secret) if side else secret


def poly_tag(key, iv, aad, ciphertext):
    """RFC 8439 section 2.8: the tag, for what carries only its first bytes."""
    block = Cipher(algorithms.ChaCha20(key, bytes(4) + iv), None).encryptor().update(bytes(32))
    pad = lambda data: data + bytes(-len(data) % 16)
    return Poly1305.generate_tag(block, pad(aad) + pad(ciphertext) + len(aad).to_bytes(8, "little") + len(ciphertext).to_bytes(8, "little"))


def verify(key, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        raise Refused("signature") from None


def open_message(data, flags, secret, channel, epoch, index, key):
    """Plaintext and leaf of a message at a known place. No key: what carries it is signed, and no signature stands behind it."""
    signature = b""
    if flags & 1 and key is not None:
        data, signature = data[:-64], data[-64:]
    marks = expand(secret, b"iotedge/channel/find/1", 40)
    lookup, commitment = marks[:8], marks[8:]
    here = place(channel, epoch, index)
    bound = b"iotedge/channel/message/1" + here + bytes([flags]) + lookup
    aead = expand(secret, b"iotedge/channel/key/1" + bytes([flags]), 32)
    iv = nonce(epoch, index)
    if flags & 4:
        protected, unprotected, sealed = formats.decode(data)
        must(protected == bytes.fromhex("a1011818") and unprotected == {4: lookup}, "headers")
        # The nonce does not travel; unprotected headers are not authenticated, so it can be put there for the library.
        given = cbor2.dumps(cbor2.CBORTag(16, [protected, {4: lookup, 5: iv}, sealed]))
        aead = COSEKey.new({1: 4, 2: lookup, 3: 24, 4: [4], -1: aead})
        try:
            plain = COSE.new().decode(given, aead, external_aad=bound)
        except Exception as error:
            raise Refused(f"tag: {error!r}") from None
    else:
        must(data[0] == flags and data[1:9] == lookup, "header")
        length = 16 if flags & 2 else 8
        ciphertext, tag = data[9:-length], data[-length:]
        whole = poly_tag(aead, iv, bound, ciphertext)
        must(whole[:length] == tag, "tag")
        try:
            plain = ChaCha20Poly1305(aead).decrypt(iv, ciphertext + whole, bound)
        except InvalidTag:
            raise Refused("tag") from None
    leaf = formats.sha256(b"\x00iotedge/channel/leaf/1", here, commitment, data)
    if signature:
        verify(key, b"iotedge/channel/signed/1" + leaf, signature)
    return plain, leaf


def open_grant(sealed, private, channel, epoch, index, reader, side):
    """Chain key and slot key."""
    info = b"iotedge/channel/grant/1" + place(channel, epoch, index) + reader
    psk = {"psk": expand(side, b"iotedge/channel/psk/1", 32), "psk_id": channel} if side else {}
    context = SUITE.create_recipient_context(sealed[:32], private, info=info, **psk)
    return context.open(sealed[32:]), context.export(b"iotedge/channel/slot/1", 32)


def node_key(master, channel, node):
    return expand(master, b"iotedge/channel/node/1" + channel + bytes([node]), 32)


def open_path(sealed, channel, slot, slot_key):
    keys = ChaCha20Poly1305(slot_key).decrypt(bytes(12), sealed, b"iotedge/channel/path/1" + channel + bytes([slot]))
    return [keys[i : i + 32] for i in range(0, len(keys), 32)]


def unwrap(wraps, keys, channel, epoch, index, slot):
    leaf = slot + (1 << (len(keys) - 1))
    for at in range(0, len(wraps), 49):
        wrap = wraps[at : at + 49]
        for height, key in enumerate(keys):
            if leaf >> height == wrap[0]:
                aad = b"iotedge/channel/wrap/1" + place(channel, epoch, index) + wrap[:1]
                return ChaCha20Poly1305(key).decrypt(nonce(epoch, index), wrap[1:], aad)
    raise Refused("revoked")


def statement(data, neighbourhood, signer, key):
    """Section 12.4: the fields, once form and signature hold."""
    body, signature = data[:-64], data[-64:]
    fields = said(formats.decode(body))
    verify(key, formats.encode(["iotedge/channel/statement/1", neighbourhood, signer, body]), signature)
    return fields


def said(fields):
    """The body of a statement, alone or in a transaction of kind 4: its fields, once their form holds."""
    must(isinstance(fields, list) and len(fields) > 1, "not an array")
    number = lambda value, bits, least=0: must(type(value) is int and least <= value < 1 << bits, "number")
    sized = lambda value, length: must(isinstance(value, bytes) and len(value) == length, "bytes")
    op, *rest = fields
    must((op, len(rest)) in {(0, 4), (1, 5), (2, 3), (3, 5), (4, 5), (5, 4), (6, 2)}, "op")
    if op == 2:
        number(rest[0], 16), number(rest[1], 32), sized(rest[2], 32)
    else:
        number(rest[0], 32)
    if op == 0:
        must(rest[1] in (0, 1, 2), "mode")
        number(rest[2], 32, 1), number(rest[3], 32)
    elif op == 1:
        number(rest[1], 32, 1), number(rest[2], 32), must(1 <= rest[3] <= 64, "count"), sized(rest[4], 32)
    elif op == 3:
        number(rest[1], 32, 1), number(rest[2], 32), number(rest[3], 16), sized(rest[4], 80)
    elif op == 4:
        number(rest[1], 32, 2), number(rest[2], 32), must(rest[3] <= 1 << 32, "ended")
        must(isinstance(rest[4], bytes) and len(rest[4]) % 49 == 0, "wraps")
    elif op == 5:
        number(rest[1], 16)
        must(isinstance(rest[3], bytes) and len(rest[3]) in {32 * (d + 1) + 16 for d in range(8)}, "path")
        must(rest[2] < 1 << ((len(rest[3]) - 16) // 32 - 1), "slot")
    elif op == 6:
        must(isinstance(rest[1], bytes), "message")
    return fields
