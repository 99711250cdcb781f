"""Recomputes vectors/vrf.json and vectors/election.json without any of our code: RFC 9381 by its pseudocode on plain integers, protocol section 7.7 by its words; hashlib and cbor2."""
import hashlib
import json
import unittest
from pathlib import Path

import cbor2

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
ONE = (0, 1)


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P


def times(n, a):
    """Extended coordinates inside: an inversion for each addition would take minutes."""
    x, y = a
    q, r = (0, 1, 1, 0), (x, y, 1, x * y % P)
    while n:
        if n & 1:
            q = plus(q, r)
        r = plus(r, r)
        n >>= 1
    inverse = pow(q[2], -1, P)
    return q[0] * inverse % P, q[1] * inverse % P


def plus(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def encode(point):
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(bytes_):
    """RFC 8032 section 5.1.3; None of what is no point, or not in its one form."""
    n = int.from_bytes(bytes_, "little")
    sign, y = n >> 255, n & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == -u % P:
        x = x * ROOT % P
    elif v * x * x % P != u:
        return None
    if x == 0 and sign:
        return None
    return (P - x if x & 1 != sign else x), y


BASE = decode(bytes.fromhex("58" + "66" * 31))


def sound(bytes_):
    """A point that is not of small order."""
    point = decode(bytes_)
    return point if point and times(8, point) != ONE else None


def sha512(*parts):
    return hashlib.sha512(b"".join(parts)).digest()


def to_curve(key, alpha):
    for tried in range(256):
        point = decode(sha512(b"\x03\x01", key, alpha, bytes([tried, 0]))[:32])
        if point and times(8, point) != ONE:
            return times(8, point)
    return None


def challenge(*points):
    return sha512(b"\x03\x02", *points, b"\x00")[:16]


class Refused(Exception):
    pass


def vrf_verify(key, alpha, proof):
    y = sound(key)
    if not y:
        raise Refused("Key")
    gamma, s = sound(proof[:32]), int.from_bytes(proof[48:], "little")
    if not gamma or s >= L:
        raise Refused("Malformed")
    c = int.from_bytes(proof[32:48], "little")
    h = to_curve(key, alpha)
    minus = lambda p: (-p[0] % P, p[1])
    u = add(times(s, BASE), times(c, minus(y)))
    v = add(times(s, h), times(c, minus(gamma)))
    if challenge(key, encode(h), proof[:32], encode(u), encode(v)) != proof[32:48]:
        raise Refused("Rejected")
    return sha512(b"\x03\x03", encode(times(8, gamma)), b"\x00")


def enc(item):
    return cbor2.dumps(item, canonical=True)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def negative_log2(draw):
    m = draw + 1
    if m == 2**64:
        return 0
    zeros = 64 - m.bit_length()
    x, fraction = m << zeros, 0
    for _ in range(48):
        square = x * x
        above = square >> 127
        x = square >> 63 >> above
        fraction = fraction << 1 | above
    return ((zeros + 1) << 48) - fraction


def tickets(key, units, output, seats):
    wait = 0
    for number in range(min(units, 64, seats)):
        draw = int.from_bytes(sha256(b"iotedge/ticket/1", output, bytes([number]))[:8], "big")
        wait += (negative_log2(draw) << 64) // (units - number)
        yield wait, key, output[:32]


def elect(record, expected_list):
    """(members, merge), by our reading of protocol section 7.7."""
    version, chain, term, seats, seed, entries = cbor2.loads(record)
    assert enc(cbor2.loads(record)) == record and version == 1
    # In the order in which a reader of the stream finds them.
    if not entries or len(entries) > 4096:
        raise Refused("Count")
    if not 1 <= seats <= 64:
        raise Refused("Seats")
    last, revealed, drawn = None, 0, []
    for key, function, units, registered, proof in entries:
        if last is not None and key <= last:
            raise Refused("Order")
        last = key
        if units == 0:
            raise Refused("NoStake")
        if registered + 2 > term:
            raise Refused("TooNew")
        if proof is None:
            continue
        alpha = b"iotedge/election/1" + enc([chain, term, seed, key])
        try:
            output = vrf_verify(function, alpha, proof)
        except Refused as refused:
            raise Refused(f"Proof({refused})") from refused
        revealed += units
        drawn += tickets(key, units, output, seats)
    if sha256(b"iotedge/candidates/1", enc([chain, term, [e[:4] for e in entries]])) != expected_list:
        raise Refused("OtherList")
    if 2 * revealed <= sum(e[2] for e in entries):
        raise Refused("Unrevealed")
    won = sorted(drawn, key=lambda ticket: ticket[:2])[:seats]
    members, halves = {}, []
    for _, key, half in won:
        if key not in members:
            halves.append(half)
        members[key] = members.get(key, 0) + 1
    return [[key.hex(), stake] for key, stake in members.items()], sha256(b"iotedge/merge/1", *halves).hex()


class Elections(unittest.TestCase):
    def test_the_random_function(self):
        for row in json.loads((VECTORS / "vrf.json").read_text()):
            field = lambda name: bytes.fromhex(row[name])
            try:
                got = vrf_verify(field("key"), field("alpha"), field("proof")).hex(), ""
            except Refused as refused:
                got = "", str(refused)
            self.assertEqual(got, (row.get("beta", "") if not row["error"] else "", row["error"]), row["name"])

    def test_elections(self):
        rows = json.loads((VECTORS / "election.json").read_text())
        self.assertGreater(len(rows), 15)
        for row in rows:
            try:
                members, merge = elect(bytes.fromhex(row["record"]), bytes.fromhex(row["list"]))
                self.assertEqual((members, merge, None), (row["members"], row["merge"], row["error"]), row["name"])
            except Refused as refused:
                self.assertEqual(str(refused), row["error"], row["name"])


if __name__ == "__main__":
    unittest.main()
