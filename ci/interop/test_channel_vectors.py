"""vectors/channel.json and vectors/hpke.json under the independent reader of channel.py."""
import json
import unittest
from pathlib import Path

import channel
from formats import Refused, chosen, root_from_path

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
ROWS = json.loads((VECTORS / "channel.json").read_text())


def data(row, *fields):
    return [bytes.fromhex(row[field]) for field in fields]


def inputs(row):
    here, owner, key, given, side = data(row, "neighbourhood", "owner", "key", "chain0", "side")
    epoch, index = int(row["epoch"]), int(row["index"])
    identity = channel.channel_id(here, owner, int(row["number"]))
    chain = given or channel.public_chain(identity, epoch)
    return identity, epoch, index, channel.secret_at(chain, index, side), key


class Channels(unittest.TestCase):
    def test_messages(self):
        for row in chosen(ROWS, "message"):
            with self.subTest(row["name"]):
                identity, epoch, index, secret, key = inputs(row)
                self.assertEqual(identity.hex(), row["channel"])
                (message,) = data(row, "message")
                opened = lambda message: channel.open_message(message, int(row["flags"]), secret, identity, epoch, index, key)
                plain, leaf = opened(message)
                self.assertEqual([plain.hex(), leaf.hex()], [row["plain"], row["leaf"]])
                (path,) = data(row, "path")
                path = [path[i : i + 32] for i in range(0, len(path), 32)]
                self.assertEqual(root_from_path(leaf, index, int(row["count"]), path).hex(), row["root"])
                for at in range(len(message)):
                    other = bytearray(message)
                    other[at] ^= 1
                    with self.assertRaises(Exception):
                        opened(bytes(other))

    def test_grants_paths_and_wraps(self):
        for row in chosen(ROWS, "grant"):
            with self.subTest(row["name"]):
                identity, reader, ikm, side, sealed, path, wraps, master = data(
                    row, "channel", "reader", "ikm", "side", "sealed", "path", "wraps", "master"
                )
                epoch, index, slot, depth = (int(row[name]) for name in ("epoch", "index", "slot", "depth"))
                private = channel.SUITE.kem.derive_key_pair(ikm).private_key
                chain, slot_key = channel.open_grant(sealed, private, identity, epoch, index, reader, side)
                self.assertEqual(chain.hex(), row["chain"])
                keys = channel.open_path(path, identity, slot, slot_key)
                nodes = [(slot + (1 << depth)) >> height for height in range(depth + 1)]
                self.assertEqual(keys, [channel.node_key(master, identity, node) for node in nodes])
                self.assertEqual(channel.unwrap(wraps, keys, identity, epoch, index, slot).hex(), row["chain"])
                with self.assertRaises(Exception):
                    channel.open_grant(sealed, private, identity, epoch, index + 1, reader, side)
                with self.assertRaises(Exception):
                    channel.open_grant(sealed, private, identity, epoch, index, reader, bytes(31) + b"\x01")

    def test_statements(self):
        for row in chosen(ROWS, "statement"):
            with self.subTest(row["name"]):
                statement, here, owner, key = data(row, "statement", "neighbourhood", "owner", "key")
                try:
                    channel.statement(statement, here, owner, key)
                    said = True
                except Refused:
                    said = False
                self.assertEqual(said, row["expect"] == "ok")
                with self.assertRaises(Refused):
                    channel.statement(statement, owner, here, key)

    def test_hpke(self):
        for row in json.loads((VECTORS / "hpke.json").read_text()):
            with self.subTest(row["name"]):
                info, enc, ikm, psk, psk_id, aad, sealed, plain = data(row, "info", "enc", "ikmR", "psk", "psk_id", "aad", "ct", "pt")
                pair = channel.SUITE.kem.derive_key_pair(ikm)
                psk = {"psk": psk, "psk_id": psk_id} if psk else {}
                context = channel.SUITE.create_recipient_context(enc, pair.private_key, info=info, **psk)
                self.assertEqual(context.open(sealed, aad), plain)
                for name, value in row.items():
                    if name.startswith("export_"):
                        self.assertEqual(context.export(bytes.fromhex(name[7:]), 32).hex(), value)


if __name__ == "__main__":
    unittest.main()
