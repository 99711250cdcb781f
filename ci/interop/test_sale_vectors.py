"""vectors/sale.json computed again from the secret, as docs/protocol.md section 14 says it, with hashlib and hmac alone."""
import hashlib
import hmac
import json
import unittest
from pathlib import Path

from formats import sha256

ROWS = json.loads((Path(__file__).resolve().parents[2] / "vectors" / "sale.json").read_text())


class Sales(unittest.TestCase):
    def test_chains(self):
        self.assertEqual(len(ROWS), 6)
        for row in ROWS:
            with self.subTest(row["name"]):
                data = lambda field: bytes.fromhex(row[field])
                sale = sha256(b"iotedge/sale/1", data("neighbourhood"), data("payer"), int(row["lock"]).to_bytes(4, "big"))
                self.assertEqual(sale, data("sale"))
                units = int(row["units"])
                length = max(2, 1 << (units - 1).bit_length())
                # HKDF-Expand (RFC 5869) of one block.
                value = hmac.new(data("secret"), b"iotedge/sale/end/1" + sale + b"\x01", hashlib.sha256).digest()
                chain = {length: value}
                for index in range(length, 0, -1):
                    value = sha256(b"iotedge/tick/1", sale, index.to_bytes(4, "big"), value)
                    chain[index - 1] = value
                self.assertEqual(chain[0], data("anchor"))
                shown = [tick.split(":") for tick in row["ticks"].split(",")]
                self.assertEqual([[index, chain[int(index)].hex()] for index, _ in shown], shown)
                self.assertEqual([int(index) for index, _ in shown], sorted({*range(1, min(units, 4) + 1), units}))


if __name__ == "__main__":
    unittest.main()
