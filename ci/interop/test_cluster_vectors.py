"""vectors/cluster.json, and the frames 0x16 to 0x1e of vectors/frame.json, under the independent reader of cluster.py."""
import json
import unittest
from pathlib import Path

import cluster
import formats
from formats import Refused, chosen

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
ROWS = json.loads((VECTORS / "cluster.json").read_text())


def side(row, which):
    field = lambda name: row[f"{which}_{name}"]
    number = lambda name: int(field(name)) if field(name) else None
    tags = bytes.fromhex(field("contracts"))
    return {
        "cell": [int(n) for n in field("cell").split(",")] if field("cell") else None,
        "rssi": number("rssi"),
        "hops": number("hops"),
        "owner": field("owner"),
        "contracts": {tags[i : i + 8] for i in range(0, len(tags), 8)},
        "wake": number("wake"),
    }


class Cluster(unittest.TestCase):
    def test_names(self):
        for op, use, length in [
            ("context", b"iotedge/context/1", 16),
            ("owner", b"iotedge/tag/owner/1", 8),
            ("contract", b"iotedge/tag/contract/1", 8),
        ]:
            for row in chosen(ROWS, op):
                with self.subTest(op + ": " + row["name"]):
                    parts = [bytes.fromhex(row[field]) for field in ("secret", "neighbourhood", "label")]
                    found = cluster.name(parts[0], use, parts[1], int(row["epoch"]), parts[2], length)
                    self.assertEqual(found.hex(), row["found"])

    def test_claims(self):
        for row in chosen(ROWS, "claim"):
            with self.subTest(row["name"]):
                key = formats.Key(formats.encode({1: 1, -1: 6, -2: bytes.fromhex(row["key"])}))
                try:
                    said = cluster.claim(bytes.fromhex(row["claim"]), bytes.fromhex(row["neighbourhood"]), key)
                except Refused:
                    self.assertNotEqual(row["expect"], "ok")
                    continue
                self.assertEqual(row["expect"], "ok")
                context, *numbers, line = said
                names = ("epoch", "member", "term", "score", "at", "until")
                self.assertEqual([context.hex(), *map(str, numbers)], [row["context"], *(row[name] for name in names)])
                self.assertEqual(",".join(map(str, line)), row["successors"])

    def test_ties_scores_and_distances(self):
        for row in chosen(ROWS, "tie"):
            self.assertEqual(str(cluster.tie(int(row["epoch"]), bytes.fromhex(row["device"]))), row["found"])
        for row in chosen(ROWS, "score"):
            with self.subTest(row["name"]):
                names = ("mains", "free_kib", "uplink", "uptime", "battery")
                self.assertEqual(str(cluster.score(*(int(row[name]) for name in names))), row["found"])
        for row in chosen(ROWS, "distance"):
            with self.subTest(row["name"]):
                self.assertEqual(str(cluster.distance(side(row, "a"), side(row, "b"))), row["found"])
                self.assertEqual(str(cluster.distance(side(row, "b"), side(row, "a"))), row["found"])

    def test_frames(self):
        seen = {}
        for row in json.loads((VECTORS / "frame.json").read_text()):
            data = bytes.fromhex(row["frame"])
            if len(data) < 5 or not 0x16 <= data[4] <= 0x1E or row["expect"] == "Unbound":
                continue
            with self.subTest(row["name"]):
                try:
                    cluster.frame_body(data[4], data[5:])
                    said = True
                except Refused:
                    said = False
                self.assertEqual(said, row["expect"] == "ok")
                seen.setdefault(data[4], set()).add(said)
        self.assertEqual(set(seen), set(range(0x16, 0x1F)))
        self.assertGreaterEqual(sum(len(verdicts) == 2 for verdicts in seen.values()), 6)


if __name__ == "__main__":
    unittest.main()
