"""vectors/link.json under the independent link of link.py: both read the same bytes the same way."""
import json
import unittest
from pathlib import Path

import link
from formats import chosen

ROWS = json.loads((Path(__file__).resolve().parents[2] / "vectors" / "link.json").read_text())


def verdict(work):
    try:
        return "ok", work()
    except (link.Malformed, link.OutOfStep, link.Corrupt) as error:
        return type(error).__name__, None


class Link(unittest.TestCase):
    def test_compressed_frames(self):
        for row in chosen(ROWS, "compressed"):
            with self.subTest(row["name"]):
                packed = bytes.fromhex(row["packed"])
                said, frame = verdict(lambda: link.rebuild(packed, link.Context(row["context"])))
                self.assertEqual(said, row["expect"])
                if said == "ok":
                    self.assertEqual(frame.hex(), row["frame"])

    def test_no_changed_bit_gives_another_frame(self):
        """Every bit of the worked example: an error, or the same frame."""
        row = chosen(ROWS, "compressed")[0]
        packed, context = bytes.fromhex(row["packed"]), link.Context(row["context"])
        for bit in range(8 * len(packed)):
            bent = bytearray(packed)
            bent[bit // 8] ^= 1 << bit % 8
            said, frame = verdict(lambda: link.rebuild(bytes(bent), context))
            self.assertTrue(said != "ok" or frame.hex() == row["frame"], bit)

    def test_packets_that_are_sent(self):
        for row in chosen(ROWS, "send"):
            with self.subTest(row["name"]):
                packets = link.split(bytes.fromhex(row["frame"]), row["mtu"], 0)
                self.assertEqual([p.hex() for p in packets], row["packets"])

    def test_packets_that_are_received(self):
        for row in chosen(ROWS, "receive"):
            with self.subTest(row["name"]):
                receiver = link.Receiver()
                for packet, wanted in zip(row["packets"], row["results"], strict=True):
                    said, frame = verdict(lambda p=packet: receiver.take(bytes.fromhex(p)))
                    if said == "ok":
                        said = "none" if frame is None else "frame"
                    self.assertEqual(said, wanted)
                    if said == "frame":
                        self.assertEqual(frame.hex(), row["frame"])
                asks = [*receiver.asks, *receiver.repair()]
                self.assertEqual([a.hex() for a in asks], [row["asks"]] if "asks" in row else [])


if __name__ == "__main__":
    unittest.main()
