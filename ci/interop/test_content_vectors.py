"""vectors/content.json under the independent reader of content.py."""
import json
import unittest
from pathlib import Path

import content
from formats import Refused

ROWS = json.loads((Path(__file__).resolve().parents[2] / "vectors" / "content.json").read_text())


def chosen(op):
    rows = [row for row in ROWS if row["op"] == op]
    assert rows, f"no vector {op}"
    return rows


def described(row):
    return int(row["size"]), int(row["log"]), bytes.fromhex(row["root"])


class Contents(unittest.TestCase):
    def test_contents(self):
        for row in chosen("content"):
            with self.subTest(row["name"]):
                size, log, root = described(row)
                data = bytes.fromhex(row["content"])
                chunks = [data[at : at + (1 << log)] for at in range(0, size, 1 << log)]
                self.assertEqual(content.root_of(chunks), root)
                self.assertEqual(content.content_id(size, log, root).hex(), row["id"])
                receiver = content.Receiver(size, log, root)
                for request, part in zip(row["requests"].split(","), row["parts"].split(",")):
                    prefix, first, end, most, count = content.decode(bytes.fromhex(request))
                    self.assertEqual([prefix, first, end, count], [receiver.id[:16], receiver.next, receiver.stack[-1][0], 1])
                    part = bytes.fromhex(part)
                    self.assertLessEqual(len(part), most)
                    receiver.take(part)
                self.assertEqual([receiver.data, receiver.stack], [data, []])

    def test_parts(self):
        for row in chosen("part"):
            with self.subTest(row["name"]):
                try:
                    content.Receiver(*described(row)).take(bytes.fromhex(row["part"]))
                    taken = True
                except Refused:
                    taken = False
                self.assertEqual(taken, row["expect"] == "ok")

    def test_manifests(self):
        for row in chosen("manifest"):
            with self.subTest(row["name"]):
                data, key = bytes.fromhex(row["manifest"]), bytes.fromhex(row["key"])
                if row["expect"] != "ok":
                    with self.assertRaises(Refused):
                        content.manifest(data, key)
                    continue
                number = lambda field: int(row[field]) if row[field] else None
                hexed = lambda field: bytes.fromhex(row[field]) or None
                expected = [number("sequence"), hexed("vendor"), hexed("class"), hexed("component"), number("format"), number("expires"), hexed("precursor"), hexed("digest"), list(described(row))]
                self.assertEqual(content.manifest(data, key), expected)
                for at in range(len(data)):
                    other = bytearray(data)
                    other[at] ^= 1
                    with self.assertRaises(Refused):
                        content.manifest(bytes(other), key)

    def test_installed(self):
        for row in chosen("installed"):
            with self.subTest(row["name"]):
                data = bytes.fromhex(row["body"])
                if row["expect"] == "none":
                    self.assertIsNone(content.installed(data))
                elif row["expect"] == "ok":
                    self.assertEqual(content.installed(data), (bytes.fromhex(row["component"]), int(row["sequence"]), bytes.fromhex(row["digest"])))
                else:
                    with self.assertRaises(Refused):
                        content.installed(data)


if __name__ == "__main__":
    unittest.main()
