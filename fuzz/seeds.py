#!/usr/bin/env python3
"""Writes fuzz/seeds/<target>/: well-formed messages that the fuzzer starts from, made by cbor2 and not by our own code.

    out/venv/bin/python fuzz/seeds.py
"""
import hashlib
import json
from pathlib import Path

import cbor2

ROOT = Path(__file__).parent / "seeds"
ID = [hashlib.sha256(bytes([i])).digest() for i in range(16)]
PREFIX = sorted(i[:16] for i in ID)
SIGNATURE = bytes(range(64))
TAG = b"\xaa\xbb\xcc\xdd"
KEY = {1: 1, -1: 6, -2: ID[0]}
KEY_P256 = {1: 2, -1: 1, -2: ID[1], -3: ID[2]}


def cbor(value):
    return cbor2.dumps(value, canonical=True)


def record(index):
    return [index, ID[3], KEY, 1, 0, [1000, 5000, 20000], 7, ID[4], 100_000, 2_500, 0, 0]


def payload(kind, body, parents=2):
    return cbor([1, 3, 5, 41, 9_876, b"".join([PREFIX[15], *PREFIX[:parents]]), kind, body])


def sign1(payload, protected=b"\xa1\x01\x27"):
    return cbor([protected, {}, payload, SIGNATURE])


def frame(number, body, tag=TAG):
    return tag + bytes([number]) + body


BODIES = {
    "lock": (2, [6, 1_000, 41_000, 60_000, [0, 7, 100, ID[5]]]),
    "claim": (3, [ID[6], 1, [1, 250, SIGNATURE]]),
    "claim-by-readers": (3, [ID[6], 0, [2, [[0, -40, 1_700_000_000_000, SIGNATURE], [2, 9, 1_700_000_000_000, SIGNATURE]]]]),
    "data": (0, cbor([{0: "cpu", 1: "%", 2: cbor2.CBORTag(4, [-1, 235])}])),
    "transfer": (1, [7, 250, 2_750]),
    "service": (5, b"cpu load, 5 per reading"),
    "join": (6, [0, [b"\x84" * 40, b"\x84" * 40], SIGNATURE]),
    "rotate": (6, [1, KEY, SIGNATURE]),
    "leave": (6, [2]),
    "channel": (4, [0, 1, 2, 3, 70_000]),
    "revoke": (6, [3, b"\x84" * 30]),
    "trim": (7, [1_700_000_000_000, ID[5], 2, ID[6]]),
    "exit": (8, [100, 2_850, ID[7][:20]]),
    "evidence": (9, [4, min(ID[8], ID[9]), max(ID[8], ID[9])]),
}
TXS = {name: sign1(payload(*body)) for name, body in BODIES.items()}
STUBS = cbor([[[0, ID[1][16:]], [2, ID[2][16:]]], None])
PROOF = cbor([[], [[b"\xa1\x01\x27", payload(*BODIES["transfer"]), SIGNATURE, ID[3]]] * 2])
SET = [1, 1, [[ID[i], 25] for i in range(4)]]

SIGNED = b"\xa2\x01\x27\x04\x48" + ID[0][:8]
CLAIMS = {1: "Acme", 4: 1_800_000_000, 6: 1_700_000_000, 7: bytes(range(8)), 8: {1: KEY}, -70003: 0}
CRL = [1, 5, 1_700_000_000, [bytes(range(8)), bytes(range(1, 9)), bytes(range(12))]]
TAG_OF = {0: "iotedge:attest/1", 1: "measured at boot", 2: {31: "device", 33: 1}, 12: 0}
STAGE = {7: [1, ID[5]], 24: "bootloader"}
EAT = {10: ID[6], 256: b"\x01" + ID[7], 265: "iotedge:attest/1"}
SAID = {
    258: 32473, 259: b"acme-sensor-2", 260: ["1.3"], 262: True, 263: 3, 267: 17, 268: ID[8], 270: "sensor", 271: ["2.0.1"],
    273: [[258, cbor({**TAG_OF, 3: {17: [STAGE, {**STAGE, 24: "firmware"}]}})]],
}
ONE = {258: ID[9][:3], 262: False, 273: [[258, cbor({**TAG_OF, 3: {17: STAGE}})]]}
GENESIS = [1, ID[0], 1, 1_700_000_000_000, 60_000, 15_000, 2, [10_000, 50_000, 100_000], 1_000_000, 100, 0, 9, 9, ID[1], ID[2], 10**9]
HEADER = [1, ID[0], 3, ID[1], ID[2], 1_700_000_060_000, ID[3], 40, ID[4], ID[5], ID[6], 9, 9, ID[7], 9_000_000]
HEADER += [1_700_000_000_001, 1_700_000_059_999]
RECEIPT = [1, cbor(HEADER), ID[:6], ID[8], 12, ID[2:7], [[0, SIGNATURE], [1, SIGNATURE], [3, SIGNATURE]]]
CHECKPOINT = [1, ID[0], 7, ID[1], ID[2], 1_700_000_000_000]
DOUBLE = [1, ID[0], 7, ID[1], min(ID[2], ID[3]), SIGNATURE, max(ID[2], ID[3]), SIGNATURE]
ELECTION = [1, ID[0], 9, 3, ID[1]]
CANDIDATES = [[low, ID[2], 300, 7, proof] for low, proof in zip(sorted(ID[3:5]), (SIGNATURE + bytes(16), None))]
SENML = [{0: "cpu/load", 1: "%", 2: cbor2.CBORTag(4, [-1, 235]), 6: 1_700_000_000}]
SENML_PACK = [{-2: "host/", 0: "cpu", 1: "%", 2: 23}, {0: "free", 1: "B", 2: 2**33}, {0: "temp", 1: "Cel", 2: cbor2.CBORTag(4, [-2, -1])}]

# Scripts for fuzz_targets/link.rs, from the vectors that a naive encoder made: rebuild; hostile packets; a frame that is sent, carried and repaired.
LINK = json.loads((ROOT.parent.parent / "vectors" / "link.json").read_text())


def op(what, content=b""):
    return bytes([what, len(content)]) + content


def link_seeds():
    rebuilt = {f"rebuild-{i}": op(0, bytes.fromhex(row["packed"])) for i, row in enumerate(r for r in LINK if r["op"] == "compressed")}
    hostile = {
        f"packets-{i}": b"".join(op(1, bytes.fromhex(p)) for p in row["packets"])
        for i, row in enumerate(r for r in LINK if r["op"] == "receive")
    }
    carried = op(2 + 128, bytes(range(150))) + op(3) * 3 + op(4) + op(3) * 12 + op(6, bytes(20)) + op(5) + op(3) * 2
    return {**rebuilt, **hostile, "repaired": carried, "full": (op(2, bytes(90)) + op(7, bytes(70))) * 3 + op(3) * 6}


# Scripts for fuzz_targets/serial.rs: lines of the vectors, and frames that are written, bent, cut and read.
SERIAL = json.loads((ROOT.parent.parent / "vectors" / "serial.json").read_text())


def serial_seeds():
    lines = [bytes.fromhex(row["line"])[:255] for row in SERIAL if row["op"] == "line-read"]
    read = {f"line-{i}": op(0, line) + op(7) for i, line in enumerate(lines)}
    frames = op(2, bytes(range(120))) + op(2 + 192, b"\x55" * 120) + op(3, bytes(9))
    bent = frames + bytes([4 + 32, 70]) + op(7, bytes(16)) + frames + bytes([5, 90]) + op(6) + frames + op(7, bytes(30))
    return {**read, "frames": frames + op(7), "bent": bent, "noise": op(0, bytes(range(255))) + op(0, b"\xff" * 255) + op(7)}


# Of a channel: each operation alone, one with a signature behind it, and a message in each form.
OPS = {
    "announce": [0, 1, 2, 3, 70_000],
    "root": [1, 1, 1, 64, 64, ID[0]],
    "subscribe": [2, 4, 1, ID[1]],
    "grant": [3, 1, 1, 1000, 70, (ID[2] * 3)[:80]],
    "revoke": [4, 1, 2, 0, 90, (ID[3] * 4)[:98]],
    "path": [5, 1, 70, 3, (ID[4] * 4)[:112]],
    "message": [6, 1, b"\x13" + ID[5] + ID[6][:12]],
}
LOOKUP = ID[7][:8]
STANDARD = cbor([b"\xa1\x01\x18\x18", {4: LOOKUP}, ID[8] + ID[9][:4]])



def dialogue(name, between=b""):
    """One of vectors/stream.json as the target takes it."""
    rows = json.loads((ROOT.parents[1] / "vectors/stream.json").read_text())
    row = next(row for row in rows if row["name"] == name)
    kinds = {"said": 0, "statement": 1, "message": 2}
    given = lambda step: bytes.fromhex(step["bytes"])
    return between.join(bytes([kinds[step["what"]]]) + len(given(step)).to_bytes(2, "big") + given(step) for step in row["steps"])


def claims():
    """Locks of vectors/lock.json, each with a proof behind it, as the target takes them."""
    rows = json.loads((ROOT.parents[1] / "vectors/lock.json").read_text())
    wanted = {"the first tick", "nothing more", "a voucher over all", "two readers agree", "a place without a reader", "a tick for vouchers"}
    rows = [row for row in rows if row["op"] == "lock claim" and row["name"] in wanted]
    both = {row["name"].replace(" ", "-"): bytes.fromhex(row["lock"] + row["proof"]) for row in rows}
    return {**both, **{f"{name}-proof": bytes.fromhex(row["proof"]) for name, row in zip(both, rows)}}


TERMS = {"ticks": [0, 7, 100, ID[5]], "vouchers": [1, KEY], "vouchers-p256": [1, KEY_P256], "predicate": [2, b"level", 0, -40, 5_000, 2, [2, 3, 5]]}

POLICIES = [row for row in json.loads((Path(__file__).parents[1] / "vectors" / "policy.json").read_text()) if row["op"] == "spending policy"]
SEEDS = {
    "lock": {**claims(), **{name: cbor(terms) for name, terms in TERMS.items()}},
    "subscriber": {
        "private": dialogue("private"),
        "resets": dialogue("private", bytes([3, 0, 0])),
        "public": dialogue("public"),
        "store": dialogue("private", bytes([4, 0, 4, 1, 0x84, 1, 0x58])),
    },
    "channel_op": {**{name: cbor(fields) for name, fields in OPS.items()}, **{f"{name}-signed": cbor(fields) + SIGNATURE for name, fields in OPS.items()}},
    "channel_message": {
        "compact": b"\x10" + LOOKUP + ID[8][:28],
        "compact-signed": b"\x11" + LOOKUP + ID[8][:28] + SIGNATURE,
        "long-tag": b"\x12" + LOOKUP + ID[8] + ID[9][:4],
        "long-tag-signed": b"\x13" + LOOKUP + ID[8] + ID[9][:4] + SIGNATURE,
        "cose": STANDARD,
        "cose-signed": STANDARD + SIGNATURE,
    },
    "link": link_seeds(),
    "serial": serial_seeds(),
    "attachment": {"stubs": STUBS, "proof": PROOF, "both": STUBS[:-1] + PROOF[2:]},
    "certificate": {"whole": sign1(cbor(CLAIMS), SIGNED), "claims": cbor(CLAIMS), "authority": cbor({**CLAIMS, -70003: 1, 5: 1_600_000_000})},
    "attest": {"whole": sign1(cbor(EAT), SIGNED), "least": cbor(EAT), "all": cbor({**EAT, **SAID}), "one": cbor({**EAT, **ONE})},
    "revocation": {"whole": sign1(cbor(CRL), SIGNED), "list": cbor(CRL), "empty": cbor([1, 1, 1, []])},
    "genesis": {"whole": sign1(cbor(GENESIS), SIGNED), "payload": cbor(GENESIS)},
    "header": {"whole": sign1(cbor(HEADER), SIGNED), "payload": cbor(HEADER), "empty": cbor([*HEADER[:7], 0, *HEADER[8:15], 0, 0])},
    "receipt": {"three": cbor(RECEIPT), "no-path": cbor([1, cbor(HEADER), [], ID[8], 1, [], [[0, SIGNATURE]]])},
    "set": {"set": cbor(SET), "checkpoint": cbor(CHECKPOINT), "double-vote": cbor(DOUBLE)},
    "election": {"record": cbor([*ELECTION, [CANDIDATES[0], CANDIDATES[1]]]), "entry": cbor(CANDIDATES[0]), "nobody": cbor([*ELECTION, []])},
    "senml": {"one": cbor(SENML), "pack": cbor(SENML_PACK), "negative": cbor([{0: "t", 2: -40}])},
    # Scripts for fuzz/src/world.rs: transactions of three members, times, a reading, a reboot, a header, a replay.
    "node": {
        "transfers": b"".join(bytes([1, i % 3, 2, 1, 2, 0, 0, 0, 50, 0, 0, 2, 1, 0, 0, 0, 0, 4, 0, 90]) for i in range(8)),
        "readings": b"".join(bytes([1, i % 3, 1, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 4, 0, 200, 5, 0, 0, 1, 7]) for i in range(6)),
        "fork": bytes([1, 1, 1, 1, 0, 0, 0, 9, 0, 0, 2, 1, 0, 0, 250, 0, 4, 0, 9, 1, 1, 1, 1, 0, 0, 0, 8, 0, 0, 2, 1, 0, 0, 0, 0]),
        "reboot": bytes([5, 0, 0, 1, 65, 4, 1, 0, 7, 4, 1, 0, 5, 0, 3, 1, 0, 50, 4, 2, 0, 7, 6, 0, 0, 9, 1]),
        "header": bytes([8, 1, 2, 39, 16, 0, 0, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 2, 4, 4, 0]),
    },
    "policy": {f"{i:02}": bytes.fromhex(row["policy"]) for i, row in enumerate(POLICIES)},
    "control": {"array": cbor([1, b"", 1])},
    "reader": {
        "nested": cbor([1, -2, b"\x03", "four", [5, [6, [7]]], {1: 2, -1: "x", b"k": None}, cbor2.CBORTag(18, [])]),
        "heads": cbor([23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**64 - 1, -(2**63), b"\x00" * 300]),
    },
    "cose_key": {"ed25519": cbor(KEY), "p256": cbor(KEY_P256)},
    "record": {"member": cbor(record(3)), "p256": cbor([*record(9)[:2], KEY_P256, *record(9)[3:]])},
    "merkle": {"small": bytes([5, 0, 2, 0]) + ID[0] + ID[1], "large": bytes([200, 1, 7, 1]) + b"".join(ID[:8])},
    "tx": {**TXS, "es256": sign1(payload(*BODIES["transfer"]), b"\xa1\x01\x26"), "parents": sign1(payload(0, b"x", 7))},
    "frame": {
        "tx": frame(1, TXS["transfer"]),
        "tx-stubs": frame(1, TXS["transfer"] + STUBS),
        "tx-evidence": frame(1, TXS["evidence"] + PROOF),
        "announce": frame(2, cbor(PREFIX[:5])),
        "request": frame(3, cbor(PREFIX[:2])),
        "beacon": frame(4, cbor([1_700_000_000_000, 3, PREFIX[:4]])),
        "sync": frame(5, cbor([0, [1, 2, 300, 70_000]])),
        "header": frame(6, cbor([b"\x84" * 300, ID[:7]])),
        "votes": frame(7, cbor([3, [[0, SIGNATURE], [2, SIGNATURE]]])),
        "header-request": frame(8, cbor([3])),
        "proof-request": frame(9, cbor(ID[:3])),
        "proof": frame(10, cbor([3, ID[0], 4, 9, ID[1:5]])),
        "table-request": frame(11, cbor([2, 8])),
        "locks-request": frame(33, cbor([2, 8])),
        "locks": frame(34, cbor([2, 0, [[1], [2]]])),
        "table": frame(12, cbor([2, 0, [record(0), record(1)]])),
        "enrol": frame(13, cbor([[b"\x84" * 200], SIGNATURE]), bytes(4)),
        "enrol-attested": frame(13, cbor([[b"\x84" * 200], SIGNATURE, sign1(cbor(EAT), SIGNED)]), bytes(4)),
        "challenge": frame(31, cbor([ID[0], ID[1][:16]]), bytes(4)),
        "enrol-result": frame(14, cbor([ID[0], 1, 6]), bytes(4)),
        "enrol-refused": frame(14, cbor([ID[0], 2, None]), bytes(4)),
        "genesis": frame(15, cbor([b"\x84" * 250, SET]), bytes(4)),
        "genesis-request": frame(16, cbor([]), bytes(4)),
        "proposal": frame(17, cbor([b"\x84" * 300])),
        "heads-request": frame(18, cbor([4])),
        "heads": frame(19, cbor([4, 17, ID[2]])),
        "set-request": frame(20, cbor([1])),
        "set": frame(21, cbor(SET)),
    },
}

for target, seeds in SEEDS.items():
    folder = ROOT / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds.items():
        (folder / name).write_bytes(content)
print(f"{sum(map(len, SEEDS.values()))} seeds in {ROOT}")
