"""stream.py over a channel of Python's own making: who was granted opens, nobody else does, and nothing that was bent."""
import unittest

import channel
import stream
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from formats import Refused, encode, sha256

NUMBER, READER, DEVICE = 7, 3, sha256(b"reader")
ID = channel.channel_id(sha256(b"neighbourhood"), sha256(b"owner"), NUMBER)
SECRET = sha256(b"an X25519 secret")
CHAIN = sha256(b"CK(5)")


def public(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def grant():
    """To the reader, from index 5 on."""
    info = b"iotedge/channel/grant/1" + channel.place(ID, 1, 5) + DEVICE
    enc, context = channel.SUITE.create_sender_context(channel.SUITE.kem.deserialize_public_key(public(SECRET)), info=info)
    return [3, NUMBER, 1, 5, READER, enc + context.seal(CHAIN)]


def message(index):
    secret, plain = channel.secret_at(CHAIN, index - 5, b""), encode([{0: "temp", 1: "Cel", 2: index}])
    lookup, flags = channel.expand(secret, b"iotedge/channel/find/1", 8), bytes([stream.VERSION | stream.SIGNED])
    key = channel.expand(secret, b"iotedge/channel/key/1" + flags, 32)
    bound = b"iotedge/channel/message/1" + channel.place(ID, 1, index) + flags + lookup
    sealed = ChaCha20Poly1305(key).encrypt(channel.nonce(1, index), plain, bound)
    return [6, NUMBER, flags + lookup + sealed[:-8]]


def hear(*bodies, member=READER, device=DEVICE, keys=None):
    reader = stream.Reader(ID, NUMBER, member, device, {public(SECRET): SECRET} if keys is None else keys)
    for body in bodies:
        reader.hear(body)
    return reader


class Open(unittest.TestCase):
    def test_from_the_grant_on(self):
        reader = hear(message(5), grant(), message(6), message(8), message(7))
        self.assertEqual((sorted(reader.opened), reader.sealed, reader.granted), ([(1, 6), (1, 7), (1, 8)], 1, 1))

    def test_nobody_else(self):
        for other in ({"keys": {}}, {"keys": {b"": sha256(b"another")}}, {"member": READER + 1}, {"device": sha256(b"another")}):
            reader = hear(grant(), message(5), **other)
            self.assertEqual((len(reader.opened), reader.sealed, reader.granted), (0, 1, 0), other)

    def test_not_after_a_revoke(self):
        reader = hear(grant(), message(5))
        reader.seat = 0, [sha256(b"leaf"), sha256(b"root")]
        reader.hear([4, NUMBER, 2, 0, 6, b""])
        self.assertEqual((reader.revoked, reader.chains.keys()), (1, {1}))

    def test_bent(self):
        right = message(5)[2]
        for at in range(len(right)):
            bent = right[:at] + bytes([right[at] ^ 1]) + right[at + 1 :]
            with self.subTest(at):
                if 1 <= at < 9:
                    self.assertEqual(hear(grant(), [6, NUMBER, bent]).sealed, 1)
                else:
                    self.assertRaises(Refused, hear, grant(), [6, NUMBER, bent])

    def test_secrets_among_what_was_drawn(self):
        self.assertEqual(stream.secrets(b"abc" + SECRET + b"d", {public(SECRET)}), {public(SECRET): SECRET})
        self.assertEqual(stream.secrets(b"abc" + SECRET[:31], {public(SECRET)}), {})


if __name__ == "__main__":
    unittest.main()
