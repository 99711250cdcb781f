"""The check of the check: on a world made by other libraries, what is right passes and every flipped bit is refused.

    out/venv/bin/python -m unittest discover -s ci/interop
"""
import unittest

import cbor2

import formats
from formats import Refused, encode, sha256
from world import World, tree


class Formats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()

    def flips(self, data, check, step=1):
        """`check` accepts `data` and refuses it with any one bit flipped."""
        check(data)
        for place in range(0, len(data), step):
            for bit in range(8):
                bad = bytearray(data)
                bad[place] ^= 1 << bit
                with self.assertRaises(Refused, msg=f"byte {place}, bit {bit}"):
                    check(bytes(bad))

    def check_transaction(self, i):
        cose, device, parents, _ = self.world.transactions[i]
        key = self.world.devices[device].key
        return lambda data: formats.transaction(data, self.world.neighbourhood, key, parents)

    def test_transaction(self):
        cose, device, _, id = self.world.transactions[3]
        tx = self.check_transaction(3)(cose)
        self.assertEqual((tx.id, tx.issuer, tx.kind), (id, device, 1))
        self.flips(cose, self.check_transaction(3))

    def test_transaction_with_another_full_parent(self):
        cose, device, parents, _ = self.world.transactions[3]
        other = [parents[0], parents[1][:16] + sha256(b"collision")[:16]]
        with self.assertRaises(Refused):
            formats.transaction(cose, self.world.neighbourhood, self.world.devices[device].key, other)

    def test_transaction_of_another_neighbourhood(self):
        cose, device, parents, _ = self.world.transactions[3]
        with self.assertRaises(Refused):
            formats.transaction(cose, sha256(b"other"), self.world.devices[device].key, parents)

    def test_certificate(self):
        signer = self.world.manufacturer.key
        claims, key = formats.certificate(self.world.certificates[0], signer)
        self.assertEqual(key, self.world.devices[0].key)
        self.flips(self.world.certificates[0], lambda data: formats.certificate(data, signer))

    def test_expired_certificate(self):
        signer = self.world.manufacturer
        protected, _, payload, _ = cbor2.loads(self.world.certificates[0])
        for exp, good in [(4_000_000_000, True), (1_600_000_000, False)]:
            data = encode(signer.sign1(protected, encode(cbor2.loads(payload) | {4: exp})))
            if good:
                formats.certificate(data, signer.key)
            else:
                with self.assertRaises(Refused):
                    formats.certificate(data, signer.key)

    def test_receipt_file(self):
        _, device, parents, id = self.world.transactions[3]

        def check(data):
            return formats.receipt_file(data, self.world.neighbourhood, self.world.devices[device].key, parents, self.world.stakes)

        tx, vote = check(self.world.receipt_file(4))
        self.assertEqual((tx.id, vote.root, vote.index), (id, self.world.root, 4))
        self.flips(self.world.receipt_file(4), check, step=7)

    def test_receipt_file_short_of_quorum_or_doubled(self):
        _, device, parents, _ = self.world.transactions[3]
        for voters in [(0, 1), (0, 1, 1)]:
            with self.assertRaises(Refused):
                formats.receipt_file(
                    self.world.receipt_file(4, voters), self.world.neighbourhood, self.world.devices[device].key, parents, self.world.stakes
                )

    def test_macro_file(self):
        def check(data):
            return formats.macro_file(data, self.world.neighbourhood, self.world.gl_node.key, self.world.stakes)

        header = check(self.world.macro_file())
        self.assertEqual((header["root"], header["count"]), (self.world.root, len(self.world.transactions)))
        self.flips(self.world.macro_file(), check, step=11)

    def test_paths_of_every_size(self):
        for size in range(1, 20):
            entries = [bytes([i]) for i in range(size)]
            root, paths = tree(entries)
            for i in range(size):
                leaf = formats.leaf_hash(entries[i])
                self.assertEqual(formats.root_from_path(leaf, i, size, paths[i]), root)
                with self.assertRaises(Refused):
                    formats.root_from_path(leaf, i, size, paths[i] + [root])
                if paths[i]:
                    with self.assertRaises(Refused):
                        formats.root_from_path(leaf, i, size, paths[i][1:])

    def test_device_id_text(self):
        # 5 of prefix and separator, 52 of data, 6 of checksum. Ours are held against this by the checker of the demo.
        text = formats.device_id(sha256(b"a"))
        self.assertEqual(len(text), 63)
        self.assertNotEqual(text[-6:], formats.device_id(sha256(b"b"))[-6:])


if __name__ == "__main__":
    unittest.main()
