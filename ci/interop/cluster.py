"""Clusters and leaves as a stranger reads them: docs/protocol.md section 10 and docs/decisions/0020, the pages alone.

`frame_body` reads the bodies of frames 0x16 to 0x1e, `claim` a claim of a cluster's head; `name`, `tie`, `score` and `distance` are what nodes compute.
"""
import hashlib
import hmac

import formats
from formats import Refused, must

MAX_CLAIM = 184
FARTHEST = 1000


def name(secret, use, neighbourhood, epoch, what, length):
    """HKDF-Expand (RFC 5869 section 2.3), the secret as the pseudorandom key; one block is enough."""
    info = use + neighbourhood + epoch.to_bytes(4, "big") + what
    return hmac.new(secret, info + b"\x01", hashlib.sha256).digest()[:length]


def tie(epoch, device):
    return int.from_bytes(formats.sha256(b"iotedge/cluster/1", epoch.to_bytes(4, "big"), device)[:8], "big")


def unsigned(value, bits):
    must(isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << bits, f"not an unsigned integer of {bits} bits")
    return value


def sized(value, length):
    must(isinstance(value, bytes) and len(value) == length, f"not {length} bytes")
    return value


def array(value, least, most):
    must(isinstance(value, list) and least <= len(value) <= most, f"not an array of {least} to {most}")
    return value


def claim(data, neighbourhood, key):
    """Section 10.2: the ten fields, once the signature holds."""
    must(len(data) <= MAX_CLAIM, "claim: too long")
    protected, headers, payload, signature = formats.sign1(formats.decode(data), "claim")
    must(headers == {} and formats.decode(protected) == {1: key.alg, 4: key.kid}, "claim: headers")
    fields = array(formats.decode(payload), 10, 10)
    version, here, context, epoch, member, term, score, at, until, line = fields
    must(version == 1 and sized(here, 32) == neighbourhood, "claim: version or neighbourhood")
    sized(context, 16)
    for value, bits in [(epoch, 32), (member, 16), (term, 32), (score, 16), (at, 64), (until, 64)]:
        unsigned(value, bits)
    for one in array(line, 0, 4):
        unsigned(one, 16)
    must(at <= until and len(set(line)) == len(line) and member not in line, "claim: fields contradict each other")
    must(term > 0 or not line, "claim: a candidacy with a line")
    formats.verify_sign1((protected, headers, payload, signature), key, formats.encode(["iotedge/cluster/1"]))
    return fields[2:]


def sighting(value):
    identity, stand, time, epoch = array(value, 4, 4)
    sized(identity, 32)
    must(unsigned(stand, 8) <= 4, "stand")
    unsigned(time, 64), unsigned(epoch, 32)


def frame_body(kind, body):
    """Section 4's rows 0x16 to 0x1e."""
    value = formats.decode(body)
    if kind == 0x16:
        must(isinstance(array(value, 1, 1)[0], bytes), "CLAIM")
    elif kind == 0x17:
        array(value, 0, 0)
    elif kind == 0x18:
        place, term, now, header, tips = array(value, 5, 5)
        unsigned(place, 8), unsigned(term, 32), unsigned(now, 64), unsigned(header, 32)
        for tip in array(tips, 0, 3):
            sized(tip, 32)
    elif kind == 0x19:
        for one in array(value, 1, 4):
            sized(one, 32)
    elif kind == 0x1A:
        for one in array(value, 1, 4):
            sighting(one)
    elif kind == 0x1B:
        epoch, device = array(value, 2, 2)
        unsigned(epoch, 32), sized(device, 32)
    elif kind == 0x1C:
        epoch, _record, path = array(value, 3, 3)
        unsigned(epoch, 32)
        for one in array(path, 0, 32):
            sized(one, 32)
    elif kind == 0x1D:
        unsigned(array(value, 1, 1)[0], 16)
    elif kind == 0x1E:
        member, number, proof = array(value, 3, 3)
        unsigned(member, 16), unsigned(number, 32)
        if proof is not None:
            cose, parents = array(proof, 2, 2)
            must(isinstance(cose, bytes), "SHOW")
            sized(parents, 32)
    else:
        raise Refused(f"type {kind:#x} is not of section 10")


def steps(value):
    return min(value.bit_length(), 7)


def score(mains, free_kib, uplink, uptime, battery):
    """2 memory + 2 uplink + uptime + battery + 24 on mains, each in eight steps: doublings of 8 KiB and of ten minutes, eighths of a hundred."""
    eighths = lambda percent: min(percent, 99) * 8 // 100
    charge = 7 if mains else eighths(battery)
    return 2 * steps(free_kib // 8) + 2 * eighths(uplink) + steps(uptime // 600) + charge + 24 * mains


def share(part, whole):
    """Thousandths, rounded up, at most the farthest."""
    return min(FARTHEST, -(-part * FARTHEST // whole))


def distance(a, b):
    """Decision 0020 with the usual weights: two parts place, one each whose and when."""
    if a["rssi"] is not None and b["rssi"] is not None:
        place = share(max(0, -45 - min(a["rssi"], b["rssi"])), 50)
    elif a["hops"] is not None and b["hops"] is not None:
        place = share(max(a["hops"], b["hops"]), 6)
    elif a["cell"] and b["cell"]:
        place = share(max(abs(x - y) for x, y in zip(a["cell"], b["cell"], strict=True)), 16)
    else:
        place = FARTHEST
    whose = 0 if a["owner"] == b["owner"] else FARTHEST >> len(a["contracts"] & b["contracts"])
    awake = lambda mask: bin(mask).count("1")
    rarer = min(awake(a["wake"]), awake(b["wake"]))
    when = share(rarer - awake(a["wake"] & b["wake"]), rarer)
    return -(-(2 * place + whose + when) // 4)
