"""vectors/policy.json computed again from docs/protocol.md section 15, with cbor2 and cryptography: what an owner signs, what is refused, which debits a policy lets through."""
import json
import unittest
from pathlib import Path

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from formats import sha256

ROWS = json.loads((Path(__file__).resolve().parents[2] / "vectors" / "policy.json").read_text())
CANONICAL = {"canonical": True}
MINUTE, YEAR = 60_000, 366 * 86_400_000


def encode(value):
    return cbor2.dumps(value, **CANONICAL)


def protected(key):
    return encode({1: -8, 4: sha256(encode({1: 1, -1: 6, -2: key}))[:8]})


def message(key, neighbourhood, payload):
    return encode(["Signature1", protected(key), encode(["iotedge/policy/1", neighbourhood]), payload])


def exactly(data):
    """One item, in deterministic form, and nothing behind it."""
    value = cbor2.loads(data)
    if encode(value) != data:
        raise ValueError
    return value


def judged(data, key, neighbourhood):
    """Section 15: the payload, or why it is refused. Which refusal bytes that are no policy get is not looked at."""
    try:
        header, unprotected, payload, signature = exactly(data)
    except (ValueError, TypeError, cbor2.CBORDecodeError):
        return None, {"MALFORMED", "WRONG_TYPE"}
    if unprotected or len(signature) != 64:
        return None, {"MALFORMED"}
    if header != protected(key):
        return None, {"WRONG_SIGNER"}
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message(key, neighbourhood, payload))
    except InvalidSignature:
        return None, {"SIGNATURE"}
    said = exactly(payload)
    if len(said) != 8:
        return None, {"WRONG_TYPE", "MALFORMED", "RANGE"}
    number, device, uses, total, span, within, until, payees = said
    rising = all(a < b for a, b in zip(payees, payees[1:]))
    sound = 0 < number < 2**32 and len(device) == 32 and uses < 32 and MINUTE <= span <= YEAR and rising
    if not sound or len(payees) > 16 or any(p >= 2**16 for p in payees):
        return None, {"RANGE"}
    return said, set()


def fields(row):
    until = int(row["until"])
    numbers = [int(row[name]) for name in ("number", "uses", "total", "span", "within")]
    number, uses, total, span, within = numbers
    return [number, bytes.fromhex(row["device"]), uses, total, span, within, until or None, [int(p) for p in row["payees"].split()]]


def allow(policy, since, base, at, use, to, before, amount):
    _, _, uses, total, span, within, until, payees = policy
    if until is not None and at >= until:
        return "Over"
    if not uses & use:
        return "Use"
    if to is not None and payees and to not in payees:
        return "Payee"
    if before + amount > total or before + amount >= 2**64:
        return "Total"
    if amount > within:
        return "Single"
    if at >= since + span:
        since, base = at, before
    return (since, base) if before + amount - base <= within else "Window"


class Policies(unittest.TestCase):
    def rows(self, op):
        rows = [row for row in ROWS if row["op"] == op]
        self.assertTrue(rows)
        for row in rows:
            with self.subTest(row["name"]):
                yield row, lambda field, row=row: bytes.fromhex(row[field])

    def test_what_owners_sign(self):
        good = 0
        for row, data in self.rows("spending policy"):
            said, errors = judged(data("policy"), data("key"), data("neighbourhood"))
            if not row["error"]:
                self.assertEqual(said, fields(row))
                self.assertEqual(message(data("key"), data("neighbourhood"), encode(fields(row))), data("input"))
                good += 1
            else:
                self.assertIn(row["error"], errors)
        self.assertEqual(good, 4)

    def test_which_debits_pass(self):
        seen = set()
        for row, _ in self.rows("spend"):
            to = int(row["to"]) if row["to"] else None
            numbers = {name: int(row[name]) for name in ("since", "base", "at", "before", "amount")}
            judged = allow(fields(row), use=int(row["use"]), to=to, **numbers)
            if isinstance(judged, str):
                self.assertEqual(judged, row["error"])
                judged = (numbers["since"], numbers["base"])
            else:
                self.assertEqual("", row["error"])
            self.assertEqual(judged, (int(row["since_after"]), int(row["base_after"])))
            seen.add(row["error"])
        self.assertEqual(seen, {"", "Over", "Payee", "Single", "Total", "Use", "Window"})


if __name__ == "__main__":
    unittest.main()
