"""vectors/lock.json computed again from docs/protocol.md sections 8 and 14, with cbor2, hashlib and cryptography: what is signed, what each proof is worth, what settlements make of locks."""
import json
import unittest
from pathlib import Path

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from formats import sha256

ROWS = json.loads((Path(__file__).resolve().parents[2] / "vectors" / "lock.json").read_text())
CANONICAL = {"canonical": True}


def encode(value):
    return cbor2.dumps(value, **CANONICAL)


def thumbprint(key):
    return sha256(encode({1: 1, -1: 6, -2: key}))


def signed(key, domain, neighbourhood, payload):
    protected = encode({1: -8, 4: thumbprint(key)[:8]})
    return encode(["Signature1", protected, encode([domain, neighbourhood]), encode(payload)])


def holds(key, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except InvalidSignature:
        return False


def root(leaves):
    """RFC 9162 section 2.1.1."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return sha256(b"\x00", leaves[0])
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01", root(leaves[:split]), root(leaves[split:]))


class Lock:
    def __init__(self, fields):
        self.id, self.payer, self.payee, self.amount, self.reached, self.start, self.until, self.tick, self.terms = fields

    def fields(self):
        return [self.id, self.payer, self.payee, self.amount, self.reached, self.start, self.until, self.tick, self.terms]

    def claim(self, proof, neighbourhood, keys):
        """Section 14: the error, or None and the lock moved on."""
        kind = proof[0]
        if kind == 3:
            return None
        if kind != self.terms[0]:
            return "Terms"
        if kind == 0:
            _, index, value = proof
            _, sale_number, units, anchor = self.terms
            if index <= self.tick:
                return "Stale"
            if index > units:
                return "Spent"
            sale = sha256(b"iotedge/sale/1", neighbourhood, thumbprint(keys[self.payer]), sale_number.to_bytes(4, "big"))
            below = value
            for i in range(index, self.tick, -1):
                below = sha256(b"iotedge/tick/1", sale, i.to_bytes(4, "big"), below)
            if below != anchor:
                return "Forged"
            self.tick, self.reached = index, index * self.amount // units
            self.terms = [0, sale_number, units, value]
        elif kind == 1:
            _, total, signature = proof
            key = self.terms[1][-2]
            if total <= self.reached:
                return "Stale"
            if total > self.amount:
                return "Spent"
            if not holds(key, signed(key, "iotedge/voucher/1", neighbourhood, [self.id, total]), signature):
                return "Forged"
            self.reached = total
        else:
            _, feed, comparison, threshold, window, quorum, readers = self.terms
            statements = proof[1]
            compare = [lambda v: v >= threshold, lambda v: v <= threshold, lambda v: v == threshold, lambda v: v != threshold][comparison]
            if self.reached == self.amount:
                return "Stale"
            if not all(compare(value) for _, value, _, _ in statements):
                return "NotSo"
            if len(statements) < quorum:
                return "Quorum"
            times = [time for _, _, time, _ in statements]
            if min(times) < self.start or max(times) > self.until or max(times) - min(times) > window:
                return "Apart"
            for place, value, time, signature in statements:
                if place >= len(readers) or readers[place] >= len(keys):
                    return "Quorum"
                key = keys[readers[place]]
                if not holds(key, signed(key, "iotedge/statement/1", neighbourhood, [feed, value, time]), signature):
                    return "Forged"
            self.reached = self.amount
        return None


class Refused(Exception):
    pass


class State:
    def __init__(self, records, locks):
        self.records, self.locks = records, locks
        # Protocol section 5: device id, key, ..., of which a settlement of locks changes these.
        self.credits_before = [r["credits"] for r in records]

    def value(self):
        return sum(r["credits"] - r["debits"] for r in self.records) + sum(lock.amount for lock in self.locks)

    def end(self, lock):
        self.locks.remove(lock)
        self.records[lock.payee]["credits"] += lock.reached
        self.records[lock.payer]["credits"] += lock.amount - lock.reached

    def settle(self, entries, neighbourhood, keys, cut, period):
        for entry in entries:
            kind, tx, issuer, number, time, debits, *rest = entry.split(":")
            issuer, time, debits = int(issuer), int(time), int(debits)
            amount = int(rest[1]) if kind == "lock" else 0
            record = self.records[issuer]
            if debits < record["debits"] + amount:
                raise Refused("FalseDebits")
            if debits > self.credits_before[issuer]:
                raise Refused("InsufficientCredits")
            record["credits"] += debits - record["debits"] - amount
            record.update(debits=debits, number=int(number), head=bytes.fromhex(tx))
            if kind == "lock":
                payee, _, term, terms = rest
                if int(payee) >= len(self.records):
                    raise Refused("UnknownMember")
                fields = [bytes.fromhex(tx), issuer, int(payee), amount, 0, time, time + int(term), 0, cbor2.loads(bytes.fromhex(terms))]
                self.locks.append(Lock(fields))
            elif kind == "claim":
                of, last, proof = rest
                for lock in self.locks:
                    if lock.id.hex() == of and lock.payee == issuer:
                        if lock.claim(cbor2.loads(bytes.fromhex(proof)), neighbourhood, keys) is None and (last == "1" or lock.reached == lock.amount):
                            self.end(lock)
                        break
        for lock in [lock for lock in self.locks if lock.until + period <= cut]:
            self.end(lock)

    def root(self):
        accounts = [[r["device"], r["credits"], r["debits"], r["number"], r["head"]] for r in self.records]
        return root([encode(a) for a in accounts] + [encode(lock.fields()) for lock in self.locks])


def records_of(text):
    """Protocol section 5."""
    rows = [cbor2.loads(bytes.fromhex(record)) for record in text.split(",")]
    return [dict(device=r[1], key=r[2][-2], number=r[6], head=r[7], credits=r[8], debits=r[9]) for r in rows]


def locks_of(text):
    return [Lock(cbor2.loads(bytes.fromhex(lock))) for lock in text.split(",")] if text else []


class Locks(unittest.TestCase):
    def rows(self, op):
        rows = [row for row in ROWS if row["op"] == op]
        self.assertTrue(rows)
        for row in rows:
            with self.subTest(row["name"]):
                yield row, lambda field, row=row: bytes.fromhex(row[field])

    def test_what_is_signed(self):
        for row, data in self.rows("voucher"):
            message = signed(data("key"), "iotedge/voucher/1", data("neighbourhood"), [data("lock"), int(row["total"])])
            self.assertEqual(message, data("input"))
            self.assertTrue(holds(data("key"), message, data("signature")))
        for row, data in self.rows("reading"):
            message = signed(data("key"), "iotedge/statement/1", data("neighbourhood"), [data("feed"), int(row["value"]), int(row["time"])])
            self.assertEqual(message, data("input"))
            self.assertTrue(holds(data("key"), message, data("signature")))

    def test_what_a_proof_is_worth(self):
        refused = set()
        for row, data in self.rows("lock claim"):
            lock = Lock(cbor2.loads(data("lock")))
            self.assertEqual(encode(lock.fields()), data("lock"))
            keys = [bytes.fromhex(key) for key in row["keys"].split(",")]
            error = lock.claim(cbor2.loads(data("proof")), data("neighbourhood"), keys)
            self.assertEqual(error or "", row["error"])
            refused.add(error)
            if error is None:
                self.assertEqual(encode(lock.fields()), data("after"))
        self.assertEqual(refused, {None, "Apart", "Forged", "NotSo", "Quorum", "Spent", "Stale", "Terms"})

    def test_what_settlements_make_of_locks(self):
        for row, data in self.rows("settle locks"):
            state = State(records_of(row["before"]), locks_of(row["locks"]))
            before, keys = state.value(), [r["key"] for r in state.records]
            entries = row["entries"].split(";") if row["entries"] else []
            try:
                state.settle(entries, data("neighbourhood"), keys, int(row["cut"]), int(row["period"]))
            except Refused as error:
                self.assertEqual(str(error), row["error"])
                continue
            self.assertEqual("", row["error"])
            self.assertEqual(",".join(encode(lock.fields()).hex() for lock in state.locks), row["locks after"])
            self.assertEqual([(r["credits"], r["debits"]) for r in state.records], [(r["credits"], r["debits"]) for r in records_of(row["after"])])
            self.assertEqual(state.root(), data("state root"))
            self.assertEqual((state.value(), before), (int(row["total value"]), int(row["total value"])))


if __name__ == "__main__":
    unittest.main()
