"""Attestations (protocol section 2.4) read by PyPI's cwt, pycose and cbor2, with none of our code."""
import json
import unittest
from pathlib import Path

import cbor2
import cwt

from formats import Key, decode, encode, sign1, verify_sign1, Refused

ROWS = json.loads((Path(__file__).resolve().parents[2] / "vectors" / "attest.json").read_text())
HASHES = {1: 32, 7: 48, 8: 64}


def key_of(row):
    raw = bytes.fromhex(row["key"])
    members = {1: 1, -1: 6, -2: raw} if row["suite"] == "-8" else {1: 2, -1: 1, -2: raw[:32], -3: raw[32:]}
    return Key(encode(members))


def claims_of(row):
    """The claims as PyPI's cwt verifies them; it wants the tag that our bytes leave out."""
    return cwt.decode(b"\xd2" + bytes.fromhex(row["eat"]), keys=[key_of(row).for_cwt()])


def measurements(claims):
    """name=digest of the evidence CoSWID (RFC 9393) in the measurements claim."""
    ((content_format, coswid),) = claims[273]
    assert content_format == 258
    tag = decode(coswid)
    assert set(tag) == {0, 1, 2, 3, 12} and 6 not in tag, "an evidence CoSWID has no payload"
    files = tag[3][17]
    files = files if isinstance(files, list) else [files]
    for file in files:
        algorithm, digest = file[7]
        assert len(digest) == HASHES[algorithm]
    return ",".join(f"{file[24]}={file[7][1].hex()}" for file in files)


class Attestations(unittest.TestCase):
    def test_the_good_ones_hold_and_say_what_the_row_says(self):
        good = [row for row in ROWS if row["expect"] == "ok"]
        self.assertGreaterEqual(len(good), 4)
        self.assertEqual({row["suite"] for row in good}, {"-7", "-8"})
        for row in good:
            with self.subTest(row["name"]):
                claims = claims_of(row)
                self.assertEqual(claims[10].hex(), row["nonce"])
                self.assertEqual(claims[256], b"\x01" + key_of(row).thumbprint)
                self.assertEqual(key_of(row).thumbprint.hex(), row["device"])
                self.assertEqual(claims[265], "iotedge:attest/1")
                said = {
                    "oem": claims.get(258) and (str(claims[258]) if isinstance(claims[258], int) else claims[258].hex()),
                    "model": claims[259].hex() if 259 in claims else None,
                    "hardware_version": claims[260][0] if 260 in claims else None,
                    "secure_boot": str(claims[262]).lower() if 262 in claims else None,
                    "debug": str(claims[263]) if 263 in claims else None,
                    "boot_count": str(claims[267]) if 267 in claims else None,
                    "boot_seed": claims[268].hex() if 268 in claims else None,
                    "software_name": claims.get(270),
                    "software_version": claims[271][0] if 271 in claims else None,
                    "measurements": measurements(claims) if 273 in claims else None,
                }
                for field, value in said.items():
                    self.assertEqual(value, row.get(field), field)

    def test_the_payload_is_core_deterministic(self):
        for row in (row for row in ROWS if row["expect"] == "ok"):
            payload = sign1(cbor2.loads(bytes.fromhex(row["eat"])), "eat")[2]
            self.assertEqual(encode(decode(payload)), payload, row["name"])

    def test_a_forged_one_does_not_hold(self):
        wrong = [row for row in ROWS if row["expect"] == "Signature(Rejected)"]
        self.assertGreaterEqual(len(wrong), 3)
        for row in wrong:
            with self.subTest(row["name"]), self.assertRaises(Exception):
                claims_of(row)

    def test_every_bit_counts(self):
        row = next(row for row in ROWS if row["expect"] == "ok")
        eat, key = bytes.fromhex(row["eat"]), key_of(row)
        verify_sign1(sign1(decode(eat), "eat"), key)
        for at in range(len(eat)):
            turned = bytearray(eat)
            turned[at] ^= 4
            try:
                parts = sign1(decode(bytes(turned)), "eat")
                same = parts[1] == {} and decode(parts[0]) == {1: key.alg, 4: key.kid}
                verify_sign1(parts, key)
            except (Refused, ValueError, TypeError, KeyError, EOFError, cbor2.CBORError):
                continue
            self.assertFalse(same, f"byte {at}")


if __name__ == "__main__":
    unittest.main()
