"""The committed vectors under the independent readers: what our code calls right, strangers' libraries call right."""
import json
import unittest
from pathlib import Path

import cbor2

import channel
import formats
from formats import Key, Refused, encode

VECTORS = Path(__file__).resolve().parents[2] / "vectors"


def rows(name):
    return json.loads((VECTORS / name).read_text())


def raw_key(text):
    return Key(encode({1: 1, -1: 6, -2: bytes.fromhex(text)}))


def ids(text):
    data = bytes.fromhex(text)
    return [data[i : i + 32] for i in range(0, len(data), 32)]


class Vectors(unittest.TestCase):
    def each(self, chosen):
        """Every row that was chosen as a subtest; there must be one."""
        chosen = list(chosen)
        self.assertTrue(chosen, "no such vector")
        for row in chosen:
            with self.subTest(row["name"]):
                yield row

    def check_transaction(self, row):
        neighbourhood, key = bytes.fromhex(row["neighbourhood"]), raw_key(row["key"])
        return formats.transaction(bytes.fromhex(row["cose"]), neighbourhood, key, ids(row["parents"]))

    def test_transactions(self):
        plain = (r for r in rows("tx.json") if r["expect"] == "ok" and r["cose"].startswith("8443a10127"))
        for row in self.each(plain):
            tx = self.check_transaction(row)
            self.assertEqual((tx.id.hex(), tx.issuer, tx.number, tx.kind), (row["id"], row["issuer"], row["number"], row["kind"]))

    def test_statements_of_channels(self):
        """The body of kind 4, read by itself."""
        named = set()
        for row in self.each(r for r in rows("tx.json") if r["expect"] == "ok" and r["kind"] == 4):
            named.add(channel.said(self.check_transaction(row).body)[0])
        self.assertEqual(named, set(range(7)))
        refused = [r for r in rows("tx.json") if r["expect"] in ("WireRange", "UnsupportedKind") and self.kind_of(r) == 4]
        self.assertGreater(len(refused), 8)
        for row in self.each(refused):
            with self.assertRaises(Refused):
                channel.said(self.check_transaction(row).body)

    def kind_of(self, row):
        fields = cbor2.loads(cbor2.loads(bytes.fromhex(row["cose"]))[2])
        return fields[6] if len(fields) > 6 else None

    def test_transactions_with_a_bad_signature(self):
        for row in self.each(r for r in rows("tx.json") if r["expect"].startswith("Signature")):
            with self.assertRaises(Refused):
                self.check_transaction(row)

    def test_keys_and_device_ids(self):
        for row in self.each(r for r in rows("identity.json") if r["op"] == "cose-key" and r["expect"] == "ok"):
            key = Key(bytes.fromhex(row["key"]))
            self.assertEqual((key.thumbprint.hex(), key.kid.hex(), str(key.alg)), (row["thumbprint"], row["kid"], row["alg"]))
            self.assertEqual(formats.device_id(key.thumbprint), row["device_id"])

    def test_certificates(self):
        """One link under one anchor, where time plays no part."""
        checked = 0
        for row in self.each(r for r in rows("identity.json") if r["op"] == "chain" and r["expect"] == "ok" and "second" not in r):
            data = bytes.fromhex(row["first"])
            if 4 in cbor2.loads(cbor2.loads(data)[2]):
                continue  # its exp is of the vector's own time, the library's clock is of today
            anchors = [raw_key(row["anchors"][i : i + 64]) for i in range(0, len(row["anchors"]), 64)]
            signer = next(a for a in anchors if a.kid == cbor2.loads(cbor2.loads(data)[0])[4])
            claims, key = formats.certificate(data, signer)
            self.assertEqual((key.thumbprint.hex(), claims[7].hex()), (row["device"], row["cti"]))
            checked += 1
        self.assertTrue(checked)

    def test_readings(self):
        for row in self.each(r for r in rows("senml.json") if r["expect"] == "ok"):
            pack = formats.reading(bytes.fromhex(row["pack"]))
            self.assertEqual(len(pack), len(row["readings"].split(";")))

    def test_merkle_paths(self):
        for row in self.each(r for r in rows("merkle.json") if r["kind"] == "path" and r.get("error") is None):
            leaf = formats.leaf_hash(bytes.fromhex(row["leaf"]))
            path = [bytes.fromhex(p) for p in row["path"]] if isinstance(row["path"], list) else ids(row["path"])
            self.assertEqual(formats.root_from_path(leaf, row["index"], row["size"], path).hex(), row["root"])

    def test_cose_receipts(self):
        for row in self.each(r for r in rows("posp.json") if r["kind"] == "cose-receipt" and r.get("error") is None):
            key = raw_key(row["key"])
            vote = formats.receipt(bytes.fromhex(row["bytes"]), bytes.fromhex(row["leaf_bytes"]), {key.kid: (key, 1)})
            found = (vote.root.hex(), vote.number, vote.index, vote.size, vote.neighbourhood.hex())
            self.assertEqual(found, (row["root"], row["number"], row["leaf"], row["size"], row["neighbourhood"]))

    def test_statements(self):
        """The receipts of a statement are a stake quorum for its leaf."""
        for row in self.each(r for r in rows("posp.json") if r["kind"] == "statement" and r.get("error") is None):
            _term, _start, members = formats.decode(bytes.fromhex(row["set"]))
            validators = {raw_key(x.hex()).kid: (raw_key(x.hex()), stake) for x, stake in members}
            _, unprotected, _, _ = formats.sign1(formats.decode(bytes.fromhex(row["bytes"])), "statement")
            vote = formats.quorum(unprotected[formats.RECEIPTS], bytes.fromhex(row["leaf_bytes"]), validators)
            self.assertEqual((vote.number, vote.index, vote.size), (row["number"], row["leaf"], row["size"]))


if __name__ == "__main__":
    unittest.main()
