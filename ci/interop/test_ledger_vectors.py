"""Recomputes vectors/merkle.json, settlement.json and posp.json without any of our code: hashlib, cbor2, cryptography, pycose.

    out/venv/bin/python -m unittest discover -s ci/interop
"""

import hashlib
import json
import pathlib
import unittest

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import CoseMessage, Sign1Message

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "vectors"
U64 = 2**64


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def mth(hashes):
    """MTH of RFC 9162 section 2.1.1 over leaf hashes, by its definition."""
    if not hashes:
        return sha(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha(b"\1", mth(hashes[:k]), mth(hashes[k:]))


def leaf(data):
    return sha(b"\0", data)


def root_of(hash_, index, size, path):
    """RFC 9162 section 2.1.3.2, recursively from the root's side: a second reading of the rule."""
    if index >= size:
        raise ValueError("Index")

    def down(index, size, path):
        if size == 1:
            if path:
                raise ValueError("PathLength")
            return hash_
        if not path:
            raise ValueError("PathLength")
        k = 1
        while k * 2 < size:
            k *= 2
        if index < k:
            return sha(b"\1", down(index, k, path[:-1]), path[-1])
        return sha(b"\1", path[-1], down(index - k, size - k, path[:-1]))

    return down(index, size, path)


def rows(name):
    return json.loads((VECTORS / name).read_text())


def merkle():
    for row in rows("merkle.json"):
        root = bytes.fromhex(row["root"])
        if row["kind"] == "root":
            assert mth([leaf(bytes.fromhex(x)) for x in row["leaves"]]) == root, row["name"]
            continue
        try:
            path = [bytes.fromhex(x) for x in row["path"]]
            got = root_of(leaf(bytes.fromhex(row["leaf"])), row["index"], row["size"], path)
            error = None if got == root else "Root"
        except ValueError as e:
            error = str(e)
        assert error == row["error"], row["name"]


INDEX, DEVICE, KEY, WEIGHT, ROLES, CAPS, NUMBER, HEAD, C, D, IDLE, FROZEN = range(12)
LEFT, SUBMIT_ONLY = 8, 4


class Refused(Exception):
    pass


def enc(value):
    return cbor2.dumps(value, canonical=True)


def base(r):
    return 0 if r[FROZEN] or r[ROLES] & (LEFT | SUBMIT_ONLY) else 1


def settle(row):
    before = [cbor2.loads(bytes.fromhex(x)) for x in row["before"]]
    for i, r in enumerate(before):
        if r[INDEX] != i or r[D] > r[C]:
            raise Refused("Table")
    if len(before) > row["room"]:
        raise Refused("Memory")
    after = [list(r) for r in before]
    touched, exits, exited, last, times = set(), [], 0, None, []
    joined = passed = 0
    W = sum(r[WEIGHT] for r in before)
    bound = max(1, W // 10)

    def member(i):
        if i >= len(before):
            raise Refused("UnknownMember")
        return after[i]

    for e in row["entries"]:
        place = (e["time"], bytes.fromhex(e["id"]))
        if last is not None and place <= last:
            raise Refused("Order")
        last = place
        if not e["lives"]:
            continue
        effect, kind = e["effect"], e["effect"]["kind"]
        debit = kind in ("transfer", "exit")
        own = effect["amount"] if debit else 0
        if debit and own == 0:
            raise Refused("AmountZero")
        r = member(e["issuer"])
        if e["number"] <= r[NUMBER]:
            raise Refused("Chain")
        refund = e["debits"] - r[D] - own
        if refund < 0:
            raise Refused("FalseDebits")
        if e["debits"] > before[e["issuer"]][C]:
            raise Refused("InsufficientCredits")
        r[C] += refund
        r[D], r[NUMBER], r[HEAD] = e["debits"], e["number"], place[1]
        touched.add(e["issuer"])
        times.append(e["time"])
        if kind == "transfer":
            member(effect["to"])[C] += own
            if after[effect["to"]][C] >= U64:
                raise Refused("Overflow")
        elif kind == "exit":
            exits.append(enc([bytes.fromhex(effect["target"]), own, place[1]]))
            exited += own
        elif kind == "evidence":
            member(effect["offender"])[FROZEN] = 1
        elif kind == "rotate":
            r[KEY] = {1: 1, -1: 6, -2: bytes.fromhex(effect["key"])}
        elif kind == "leave":
            r[ROLES] |= LEFT
        elif kind == "revoke":
            for m in effect["members"]:
                member(m)[ROLES] |= LEFT
        elif kind == "join":
            key = {1: 1, -1: 6, -2: bytes.fromhex(effect["key"])}
            device = sha(enc(key))
            if joined >= bound or len(after) >= row["room"] or any(x[DEVICE] == device for x in after):
                passed += 1
                continue
            new = [len(after), device, key, 0, effect["roles"], effect["caps"], 0, bytes.fromhex(row["g0"]), 0, 0, 0, 0]
            new[WEIGHT] = base(new)
            after.append(new)
            joined += 1
    deposits = row.get("deposits", {"first": 0, "list": []})
    paid_in = 0
    for n, d in enumerate(deposits["list"]):
        if deposits["first"] + n >= 2**32 - 1:
            raise Refused("Overflow")
        if d["amount"] == 0:
            raise Refused("AmountZero")
        paid_in += d["amount"]
        r = next((r for r in after if r[DEVICE].hex() == d["device"]), None)
        if r is not None and not r[FROZEN] and not r[ROLES] & LEFT and r[C] + d["amount"] < U64:
            r[C] += d["amount"]
        else:
            made = sha(b"iotedge/deposit/1", bytes.fromhex(deposits["neighbourhood"]), (deposits["first"] + n).to_bytes(4, "big"))
            exits.append(enc([bytes.fromhex(d["from"]), d["amount"], made]))
            exited += d["amount"]
    value = sum(r[C] - r[D] for r in after)
    assert sum(r[C] - r[D] for r in before) + paid_in == value + exited
    if value >= U64:
        raise Refused("Overflow")
    gone = 0
    for i, old in enumerate(before):
        new = after[i]
        new[IDLE] = 0 if i in touched else min(255, old[IDLE] + 1)
        if base(new) == 0:
            gone += old[WEIGHT]
            new[WEIGHT] = 0
        elif i in touched:
            new[WEIGHT] = base(new)
    standing = sum(r[WEIGHT] for r in after[: len(before)])
    for new in after[: len(before)]:
        w = new[WEIGHT]
        if w and new[IDLE] >= 3 and (gone == 0 or gone + w <= bound) and standing > w:
            new[WEIGHT] = 0
            gone += w
            standing -= w
    state = mth([leaf(enc([r[DEVICE], r[C], r[D], r[NUMBER], r[HEAD]])) for r in after])
    return {
        "error": None, "after": [enc(r).hex() for r in after], "count": len(times),
        "weight": sum(r[WEIGHT] for r in after), "total_value": value, "exited": exited, "state_root": state.hex(),
        "exits_root": mth([leaf(x) for x in exits]).hex(), "table_root": mth([leaf(enc(r)) for r in after]).hex(),
        "first_time": times[0] if times else 0, "last_time": times[-1] if times else 0,
        "joined": joined, "passed_over": passed,
    }


def settlement():
    for row in rows("settlement.json"):
        try:
            got = settle(row)
        except Refused as e:
            got = {"error": str(e)}
        assert got == row["expected"], (row["name"], got)


def ed25519(key, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except InvalidSignature:
        return False


def kid(key):
    return sha(enc({1: 1, -1: 6, -2: key}))[:8]


def protected(key, nbh, number):
    return enc({1: -8, 4: kid(key), 16: "iotedge/macro/1", 395: 1, -70001: nbh, -70002: number})


def sig_structure(head, aad, payload):
    return enc(["Signature1", head, aad, payload])


def receipt_holds(row):
    """A plain yes or no, by our reading of protocol section 7."""
    nbh = bytes.fromhex(row["neighbourhood"])
    raw = bytes.fromhex(row["bytes"])
    try:
        item = cbor2.loads(raw)
    except Exception:
        return False
    if enc(item) != raw or item[0] != 1:
        return False
    _, payload, top, tx, index, path, votes = item
    header = cbor2.loads(payload)
    term, start, validators = cbor2.loads(bytes.fromhex(row["set"]))
    if header[1] != nbh or header[2] < start:
        return False
    size = header[7] + 1
    try:
        root = root_of(leaf(payload), 0, size, top)
        if index == 0 or root_of(leaf(tx), index, size, path) != root:
            return False
    except ValueError:
        return False
    indices = [i for i, _ in votes]
    if indices != sorted(set(indices)) or indices[-1] >= len(validators):
        return False
    for i, signature in votes:
        key = validators[i][0]
        if not ed25519(key, sig_structure(protected(key, nbh, header[2]), b"", root), signature):
            return False
    return 3 * sum(validators[i][1] for i in indices) > 2 * sum(v[1] for v in validators)


def posp():
    for row in rows("posp.json"):
        kind, good = row["kind"], row.get("error") is None
        raw = bytes.fromhex(row["bytes"]) if "bytes" in row else b""
        if kind == "receipt":
            assert receipt_holds(row) == good, row["name"]
        elif kind == "set" and good:
            assert sha(b"iotedge/set/1", raw).hex() == row["hash"]
            assert str(sum(v[1] for v in cbor2.loads(raw)[2])) == row["total"]
        elif kind == "header" and good:
            message = CoseMessage.decode(b"\xd2" + raw)
            message.key = OKPKey(crv=Ed25519, x=bytes.fromhex(row["key"]))
            message.external_aad = enc(["iotedge/macro/1", bytes.fromhex(row["neighbourhood"])])
            assert message.verify_signature(), row["name"]
            assert sha(b"iotedge/macro/1", message.payload).hex() == row["hash"]
        elif kind == "vote":
            key, nbh = bytes.fromhex(row["key"]), bytes.fromhex(row["neighbourhood"])
            message = sig_structure(protected(key, nbh, row["number"]), b"", bytes.fromhex(row["root"]))
            assert message.hex() == row["message"]
            assert ed25519(key, message, bytes.fromhex(row["signature"])) == good
        elif kind == "anchored":
            key, nbh = bytes.fromhex(row["key"]), bytes.fromhex(row["neighbourhood"])
            head = enc({1: -8, 4: kid(key), 16: "iotedge/anchored/1", -70001: nbh, -70002: row["number"]})
            message = sig_structure(head, b"", bytes.fromhex(row["header"]) + row["block"].to_bytes(8, "big"))
            assert message.hex() == row["message"]
            assert ed25519(key, message, bytes.fromhex(row["signature"])) == good
        elif kind == "cose-receipt":
            check_receipt(raw, bytes.fromhex(row["leaf_bytes"]), {kid(bytes.fromhex(row["key"])): bytes.fromhex(row["key"])}, row)
        elif kind == "statement":
            statement = cbor2.loads(raw)
            assert statement.tag == 18
            head, unprotected, payload, signature = statement.value
            original = cbor2.loads(bytes.fromhex(row["cose"]))
            assert [head, {}, payload, signature] == original
            nbh = bytes.fromhex(row["neighbourhood"])
            content = payload if row["leaf"] == 0 else sha(b"iotedge/tx/1", nbh, payload)
            assert content.hex() == row["leaf_bytes"]
            keys = {kid(v[0]): v[0] for v in cbor2.loads(bytes.fromhex(row["set"]))[2]}
            voters = {check_receipt(r, content, keys, row) for r in unprotected[394]}
            assert len(voters) == len(unprotected[394]) == 3
        elif kind == "double-vote" and good:
            _, nbh, number, key, a, sa, b, sb = cbor2.loads(raw)
            assert a < b
            for root, s in ((a, sa), (b, sb)):
                assert ed25519(key, sig_structure(protected(key, nbh, number), b"", root), s)
        elif kind == "checkpoint" and good:
            message = CoseMessage.decode(b"\xd2" + raw)
            message.key = OKPKey(crv=Ed25519, x=bytes.fromhex(row["key"]))
            message.external_aad = enc(["iotedge/checkpoint/1"])
            assert message.verify_signature()


def check_receipt(raw, content, keys, row):
    """RFC 9942 with cbor2 and hashlib for the path and pycose for the signature over the detached root."""
    receipt = cbor2.loads(raw)
    assert receipt.tag == 18 and receipt.value[2] is None
    head = cbor2.loads(receipt.value[0])
    assert head[395] == 1 and head[16] == "iotedge/macro/1"
    assert head[-70001].hex() == row["neighbourhood"] and head[-70002] == row["number"]
    (proof,) = receipt.value[1][396][-1]
    size, index, path = cbor2.loads(proof)
    root = root_of(leaf(content), index, size, path)
    if "root" in row:
        assert root.hex() == row["root"]
    message = Sign1Message.from_cose_obj(list(receipt.value), allow_unknown_attributes=True)
    message.key = OKPKey(crv=Ed25519, x=keys[head[4]])
    assert message.verify_signature(detached_payload=root), row["name"]
    return head[4]


class LedgerVectors(unittest.TestCase):
    def test_merkle(self):
        merkle()

    def test_settlement(self):
        settlement()

    def test_posp(self):
        posp()


if __name__ == "__main__":
    unittest.main()
