"""Writes what has to be refused, as C for cases.c: the refused vectors of vectors/, each beside one of the same call that is accepted.

usage: cases.py VECTORS-FOLDER PROFILE      PROFILE: sensor, node, or heard (what a node hears)
"""
import hashlib
import json
import sys
from pathlib import Path

import cbor2

FOLDER, PROFILE = Path(sys.argv[1]), sys.argv[2]
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
ED25519, ES256 = 1, 2
tests, written = [], {}


def vectors(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def blob(data):
    """The name of these bytes in C."""
    if not data:
        return "(const uint8_t *)\"\""
    if data not in written:
        written[data] = f"bytes_{len(written)}"
        print(f"static const uint8_t {written[data]}[] = {{{', '.join(map(str, data))}}};")
    return written[data]


def fields(parts, numbers):
    """An input of a call, as an initialiser."""
    parts = [bytes.fromhex(part) if isinstance(part, str) else part for part in parts]
    given = ", ".join(f"{{{blob(part)}, {len(part)}}}" for part in parts)
    return f"{{{{{given}}}, {{{', '.join(f'{n}u' for n in numbers)}}}}}"


def test(call, name, bad, good, prepare="NULL"):
    """`bad` and `good`: the parts and the numbers of an input."""
    at = len(tests)
    for kind, given in (("bad", bad), ("good", good)):
        # Those before the definition.
        text = fields(*given)
        print(f"static const struct input {kind}_{at} = {text};")
    tests.append(f'    {{"{call}: {name}", {prepare}, call_{call}, &bad_{at}, &good_{at}}},')


def ed25519_base(n):
    """n B, encoded (RFC 8032 section 5.1)."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p)

    def add(a, b):
        (x, y), (u, v) = a, b
        t = d * x * y * u * v
        return (x * v + u * y) * pow(1 + t, -1, p) % p, (y * v + x * u) * pow(1 - t, -1, p) % p

    y = 4 * pow(5, -1, p) % p
    square = (y * y - 1) * pow(d * y * y + 1, -1, p)
    x = pow(square, (p + 3) // 8, p)
    x = x if (x * x - square) % p == 0 else x * pow(2, (p - 1) // 4, p) % p
    power, sum = (p - x if x % 2 else x, y), (0, 1)
    for bit in reversed(bin(n)[2:]):
        sum = add(sum, power) if bit == "1" else sum
        power = add(power, power)
    return (sum[1] | (sum[0] & 1) << 255).to_bytes(32, "little")


def p256_base(n):
    """x of n G (SEC 2 section 2.4.2)."""
    gx = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
    gy = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5

    def add(a, b):
        (x, y), (u, v) = a, b
        slope = (3 * x * x - 3) * pow(2 * y, -1, P) if a == b else (v - y) * pow(u - x, -1, P)
        w = (slope * slope - x - u) % P
        return w, (slope * (x - w) - y) % P

    sum = (gx, gy)
    for bit in bin(n)[3:]:
        sum = add(sum, sum)
        sum = add(sum, (gx, gy)) if bit == "1" else sum
    return sum[0]


# Of whoever knows which instruction is to be skipped.
CHOSEN = 0x0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF


def verify():
    cases = vectors("ed25519")
    first = {}
    for case in cases:
        # Of a message that is not found anywhere by chance, where there is one.
        known = first.get((case["why"], case["valid"]))
        if known is None or len(known["message"]) < 64 <= len(case["message"]):
            first[case["why"], case["valid"]] = case
    parts = lambda case: ([case["key"], case["message"], case["signature"]], [ED25519])
    good = parts(first["honest signature", True])
    for why in ("message changed: one bit", "-R for R", "-S for S", "S = L", "S = L - 1: in range, wrong", "S = 2^256 - 1", "S plus a multiple of L: same residue",
                "R is not canonical", "R has small order", "R is not on the curve", "A is not canonical", "A has small order: anybody can sign", "A is not on the curve",
                "A and R have small order, S = 0: signs every message", "bit 0 of key and signature flipped"):
        test("verify", why, parts(first[why, False]), good)
    # Holds once the key's part of the sum is lost: R = S B.
    honest = first["honest signature", True]
    forged = ed25519_base(CHOSEN) + CHOSEN.to_bytes(32, "little")
    test("verify", "no key in the sum", ([honest["key"], honest["message"], forged], [ED25519]), good)
    if PROFILE == "sensor":
        return
    crypto = {(case["op"], case["name"]): case for case in vectors("crypto")}
    key = bytes.fromhex(crypto["es256-public", "RFC 6979 A.2.5"]["output"])
    signed = crypto["es256-sign", "RFC 6979 A.2.5, sample"]
    message, signature = bytes.fromhex(signed["message"]), bytes.fromhex(signed["output"])
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    number = lambda *numbers: b"".join(n.to_bytes(32) for n in numbers)
    x, y = int.from_bytes(key[:32]), int.from_bytes(key[32:])
    good = ([key, message, signature], [ES256])
    # Both hold once a part of the sum is lost.
    digest = int.from_bytes(hashlib.sha256(message).digest())
    alone = p256_base(CHOSEN) % N
    without_key = [key, message, number(alone, digest * pow(CHOSEN, -1, N) % N)]
    without_message = [key, message, number(x % N, x % N)]
    for name, bad in {
        "another message": [key, message + b"!", signature],
        "no key in the sum": without_key,
        "no message in the sum": without_message,
        "a bit of s": [key, message, number(r, s ^ 1)],
        "a bit of r": [key, message, number(r ^ 1, s)],
        "r of 0": [key, message, number(0, s)],
        "s of 0": [key, message, number(r, 0)],
        "all zero": [key, message, number(0, 0)],
        "r of n": [key, message, number(N, s)],
        "s of n": [key, message, number(r, N)],
        "key not on the curve": [number(x, y ^ 1), message, signature],
        "key of zero": [number(0, 0), message, signature],
        "x of p": [number(P, y), message, signature],
    }.items():
        test("verify", f"ES256, {name}", (bad, [ES256]), good)


def key_check():
    first = {}
    for case in vectors("ed25519"):
        # Of a message that is not found anywhere by chance, where there is one.
        known = first.get((case["why"], case["valid"]))
        if known is None or len(known["message"]) < 64 <= len(case["message"]):
            first[case["why"], case["valid"]] = case
    good = ([first["honest signature", True]["key"]], [ED25519])
    for why in ("A is not canonical", "A has small order: anybody can sign", "A is not on the curve"):
        test("key", why, ([first[why, False]["key"]], [ED25519]), good)
    if PROFILE == "node":
        crypto = {(case["op"], case["name"]): case for case in vectors("crypto")}
        key = bytes.fromhex(crypto["es256-public", "RFC 6979 A.2.5"]["output"])
        test("key", "ES256, not on the curve", ([key[:-1] + bytes([key[-1] ^ 1])], [ES256]), ([key], [ES256]))


def of_vectors(call, cases, parts, good, refused=lambda case: case["expect"] != "ok"):
    cases = list(cases)
    accepted = next(case for case in cases if case["name"] == good)
    for case in filter(refused, cases):
        test(call, case["name"], parts(case), parts(accepted))


def chains():
    cases = [case for case in vectors("identity") if case["op"] == "chain"]
    for two, good in ((False, "one link"), (True, "two links")):
        def parts(case):
            links = [case["first"], case["second"]] if two else ["", case["first"]]
            # The one that the first link names, if one does.
            anchors = [bytes.fromhex(case["anchors"][at : at + 64]) for at in range(0, len(case["anchors"]), 64)]
            kid = lambda key: hashlib.sha256(bytes.fromhex("a3010120062158 20") + key).digest()[:8]
            named = [key for key in anchors if kid(key) in bytes.fromhex(case["first"])[:20]]
            return [(named + anchors)[0], *links], [int(case["now"]), int(case["kind"])]

        wanted = [case for case in cases if not case["revoked"] and "first" in case and ("second" in case) == two and "third" not in case]
        of_vectors("certificate", wanted, parts, good)


def receipts():
    cases = [case for case in vectors("posp") if case["kind"] == "receipt"]
    parts = lambda case: ([case["neighbourhood"], case["set"], case["bytes"]], [])
    of_vectors("receipt", cases, parts, "67 of 100", lambda case: case["error"])
    sets = [case for case in vectors("posp") if case["kind"] == "set"]
    whole = next(case for case in cases if case["name"] == "67 of 100")
    for case in sets:
        if case["error"]:
            test("receipt", f"set: {case['name']}", ([whole["neighbourhood"], case["bytes"], whole["bytes"]], []), parts(whole))


def streams():
    """A receipt in its three steps; the steps before are done without faults."""
    cases = {case["name"]: case for case in vectors("posp") if case["kind"] == "receipt"}

    def parts(case):
        _, header, top, tx, leaf, path, votes = cbor2.loads(bytes.fromhex(case["bytes"]))
        joined = lambda hashes: hashes if isinstance(hashes, bytes) else b"".join(hashes)
        flat = []
        for vote in votes:
            flat += vote if isinstance(vote, list) else [vote]
        indices, signatures = bytes(flat[0::2]), b"".join(flat[1::2])
        return [case["neighbourhood"], case["set"], header, joined(top), tx, joined(path), indices, signatures], [leaf]

    good = parts(cases["67 of 100"])
    for name in ("another neighbourhood", "a set that begins later", "forged header: count", "long header path"):
        test("stream_begin", name, parts(cases[name]), good)
    for name in ("short by one unit: 66 of 100", "one validator alone", "wrong path", "short path", "another transaction", "leaf 0", "leaf beyond the tree"):
        test("stream_finish", name, parts(cases[name]), good, "prepare_votes")
    for name in ("a voter twice", "voters unsorted", "a vote under another's index", "a vote with a flipped bit", "votes for another root", "unknown voter"):
        test("stream_vote", name, parts(cases[name]), good, "prepare_other_votes")


def heard():
    """A node hears what another one heard, and then what it must refuse."""
    told = json.loads((FOLDER / "heard.json").read_text())
    peers = bytes(told["peers"] + [told["gateway"]])
    raw = bytes.fromhex

    def step(like, frame):
        return b"".join(n.to_bytes(size, "little") for n, size in ((told["start"] + like["at"], 8), (like["from"], 4), (like["status"], 4), (len(frame), 4))) + frame

    script = told["start"].to_bytes(8, "little") + told["random"].to_bytes(8, "little") + b"".join(step(one, raw(one["frame"])) for one in told["heard"])
    good = b"".join(int(mark, 16).to_bytes(8, "little") for mark in told["good"])
    for case in told["cases"]:
        def side(given):
            frame = raw(given["frame"])
            last = step(told["heard"][min(given["after"], len(told["heard"]) - 1)], frame)
            parts = [script, last, told["transfer"], told["seed"], told["authority"], told["certificate"], good, peers]
            return parts, [given["after"], {"held": 1, "quorum": 2, "settled": 3}[case["sign"]]]

        test("heard", case["name"], side(case["bad"]), side(case["good"]), "prepare_heard")


def bent(data, at):
    data = bytearray(bytes.fromhex(data))
    data[at] ^= 1
    return bytes(data)


def sold():
    """What signers of a sale sign: each part of it changed once, under the signature as it was."""
    rows = vectors("lock")
    voucher = next(row for row in rows if row["op"] == "voucher")
    reading = next(row for row in rows if row["op"] == "reading")
    for call, row, numbers in (("voucher", voucher, [int(voucher["total"])]), ("reading", reading, [int(reading["value"]) % 2**64, int(reading["time"])])):
        of = row["lock" if call == "voucher" else "feed"]
        parts = lambda key=row["key"], here=row["neighbourhood"], of=of, signature=row["signature"]: [key, here, of, signature]
        good = (parts(), numbers)
        test(call, "another neighbourhood", (parts(here=bent(row["neighbourhood"], 0)), numbers), good)
        test(call, "of something else", (parts(of=bent(of, 0)), numbers), good)
        test(call, "a bit of the signature", (parts(signature=bent(row["signature"], 40)), numbers), good)
        # Not that of a reading: its place on the stack can hold the right one by chance (decision 0030, not covered).
        if call == "voucher":
            test(call, "a higher number", (parts(), [numbers[0] + 1]), good)


def owned():
    """An owner's policies, a maker's manifests, what is said of channels."""
    policies = [row for row in vectors("policy") if row["op"] == "spending policy"]
    of_vectors("policy", policies, lambda row: ([row["key"], row["neighbourhood"], row["policy"]], []), "nothing", lambda row: row["error"])
    manifests = [row for row in vectors("content") if row["op"] == "manifest"]
    of_vectors("manifest", manifests, lambda row: ([row["key"], row["manifest"]], []), "an image")
    said = [row for row in vectors("channel") if row["op"] == "statement"]
    parts = lambda row: ([row["key"], row["neighbourhood"], row["owner"], row["statement"]], [])
    of_vectors("said", said, parts, "announce")
    good = next(row for row in said if row["name"] == "announce")
    test("said", "a bit of the signature", ([good["key"], good["neighbourhood"], good["owner"], bent(good["statement"], -30)], []), parts(good))
    test("said", "another device's", ([good["key"], good["neighbourhood"], bent(good["owner"], 0), good["statement"]], []), parts(good))


print("/* Written by cases.py. */")
if PROFILE == "heard":
    heard()
else:
    verify()
    key_check()
    chains() if PROFILE == "node" else None
    receipts()
    streams()
if PROFILE == "node":
    sold()
    owned()
    of_vectors("tx", vectors("tx"), lambda case: ([case["neighbourhood"], case["key"], case["parents"], case["cose"]], []), "transfer")
    identity = vectors("identity")
    of_vectors("genesis", (case for case in identity if case["op"] == "genesis"), lambda case: ([case["authority"], case["genesis"]], []), "four founders, one of weight 0")
    of_vectors("evidence", vectors("evidence"), lambda case: ([case["neighbourhood"], case["key"], case["attachment"]], []), "one number, two ids")
    of_vectors("claim", (case for case in vectors("cluster") if case["op"] == "claim"), lambda case: ([case["neighbourhood"], case["key"], case["claim"]], []), "a candidacy")
    of_vectors("attest", (case for case in vectors("attest") if case["op"] == "attest"), lambda case: ([case["key"], case["device"], case["nonce"], case["eat"]], []),
               "all claims, Ed25519")
    of_vectors("merkle", (case for case in vectors("merkle") if case["kind"] == "path"), lambda case: ([case["root"], case["leaf"], "".join(case["path"])], [case["index"], case["size"]]),
               "path/4 of 7", lambda case: case["error"])
print("static const struct test made[] = {")
print("\n".join(tests))
print("};")
