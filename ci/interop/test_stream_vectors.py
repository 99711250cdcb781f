"""vectors/stream.json: a subscriber of other make, from the grant on, out of channel.py alone."""
import json
import unittest
from pathlib import Path

import channel
import formats
from formats import Refused, must

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
WINDOW = 64


class Subscriber:
    """What a reader knows: for each key epoch the chain's first key that it was given, and where."""

    def __init__(self, row):
        get = lambda field: bytes.fromhex(row[field])
        self.here, self.device, self.owner = get("neighbourhood"), get("reader_device"), get("owner_device")
        self.key, self.side, self.me = get("owner_key"), get("side"), row["reader"]
        self.number = row["sub_channel"] << 16 | row["channel"]
        self.id = channel.channel_id(self.here, self.owner, self.number)
        self.private = channel.SUITE.kem.deserialize_private_key(get("secret"))
        self.chains, self.seat, self.slot_key, self.leaves = {}, None, None, {}

    def said(self, fields):
        op, *rest = fields
        must(rest[0] == self.number, "number")
        if op == 0 and rest[1] == 0:
            self.chains.setdefault(rest[2], (0, channel.public_chain(self.id, rest[2])))
        elif op == 1:
            epoch, first, count, root = rest[1:]
            have = [self.leaves.get((epoch, first + i)) for i in range(count)]
            return None not in have and merkle_root(have) == root
        elif op == 3 and rest[3] == self.me:
            epoch, index = rest[1:3]
            chain, self.slot_key = channel.open_grant(rest[4], self.private, self.id, epoch, index, self.device, self.side)
            self.chains.setdefault(epoch, (index, chain))
        elif op == 4:
            epoch, index = rest[1:3]
            slot, keys = self.seat
            self.chains[epoch] = index, channel.unwrap(rest[4], keys, self.id, epoch, index, slot)
        elif op == 5 and rest[1] == self.me:
            self.seat = rest[2], channel.open_path(rest[3], self.id, rest[2], self.slot_key)
        return None

    def read(self, data):
        """Plaintext, and whether the owner signed it."""
        cose = data[0] == 0x83
        for epoch, (first, chain) in self.chains.items():
            for ahead in range(WINDOW):
                secret = channel.secret_at(chain, ahead, self.side)
                lookup = channel.expand(secret, b"iotedge/channel/find/1", 8)
                if lookup not in data[:17]:
                    continue
                for flags in [data[0]] if not cose else [0x16, 0x17]:
                    try:
                        plain, leaf = channel.open_message(data, flags, secret, self.id, epoch, first + ahead, self.key)
                    except (Refused, ValueError):
                        continue
                    self.leaves.setdefault((epoch, first + ahead), leaf)
                    return plain, bool(flags & 1)
        raise Refused("under no key")


def merkle_root(leaves):
    """RFC 9162 section 2.1.1, over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return formats.sha256(b"\x01", merkle_root(leaves[:half]), merkle_root(leaves[half:]))


class Streams(unittest.TestCase):
    def test_dialogues(self):
        read = refused = 0
        for row in json.loads((VECTORS / "stream.json").read_text()):
            reader = Subscriber(row)
            for at, step in enumerate(row["steps"]):
                with self.subTest(row["name"], step=at):
                    data, expect = bytes.fromhex(step["bytes"]), step["expect"]
                    if step["what"] == "message":
                        try:
                            plain, signed = reader.read(data)
                        except Refused:
                            plain, signed = None, False
                        if expect in ("MESSAGE", "ATTRIBUTED"):
                            self.assertEqual((plain.hex(), signed), (step["text"], expect == "ATTRIBUTED"))
                            read += 1
                        elif expect != "E_CHANNEL_REPLAYED":
                            self.assertIsNone(plain)
                            refused += 1
                        continue
                    try:
                        if step["what"] == "statement":
                            fields = channel.statement(data, reader.here, reader.owner, reader.key)
                        else:
                            fields = channel.said(formats.decode(data))
                        whole = reader.said(fields)
                        failed = None
                    except Exception as error:  # Each library has its own.
                        whole, failed = None, error
                    if expect == "REVOKED":
                        self.assertIsInstance(failed, Refused)
                    elif expect in ("GRANTED", "SEATED", "REKEYED", "ANNOUNCED", "ROOT", "ROOT_ATTRIBUTED", "NOTHING"):
                        self.assertIsNone(failed)
                    elif expect != "E_CHANNEL_STALE":
                        self.assertIsNotNone(failed)
                    if expect.startswith("ROOT"):
                        self.assertEqual(whole, expect == "ROOT_ATTRIBUTED")
        self.assertGreater(min(read, refused), 10)


if __name__ == "__main__":
    unittest.main()
