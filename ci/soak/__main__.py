#!/usr/bin/env python3
"""`ci/soak`: the real gateway, validators and 200 devices in C on loopback, under loss, delay and SIGKILL, for ten minutes.

    python3 ci/soak [--seconds N] [--devices N] [--seed N] [--lose THOUSANDTHS] [--delay MS]

Every device loses and delays what it sends. Again and again one is killed as by a power cut and started over its store; so is the gateway, and a
validator. At the end nothing that was acknowledged may be lost, the value must be what was granted, and nobody may have grown. Exit
status 0 only then. It uses the demo's tools (ci/demo) with its own numbers; everything is left under out/soak.
"""
import argparse
import json
import math
import random
import shutil
import signal
import sqlite3
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "ci" / "demo"))

import settings  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(prog="ci/soak", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=int, default=600, help="how long the faults last (default 600)")
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="of who is killed when")
    parser.add_argument("--lose", type=int, default=30, help="thousandths of frames lost (default 30)")
    parser.add_argument("--delay", type=int, default=50, help="most milliseconds that a frame is held back (default 50)")
    parser.add_argument("--rate", type=float, help="readings per second and device (default 0.0625, half of it from 100 devices on); about as many payments come on top")
    given = parser.parse_args()
    # All share the machine's processors, and everybody takes in what all say.
    given.rate = given.rate or (0.0625 if given.devices < 100 else 0.03125)
    return given


GIVEN = arguments()
settings.OUT = ROOT / "out" / "soak"
settings.LOG = settings.OUT / "log"
settings.WORK = settings.OUT / "work"
settings.DEVICE = settings.WORK / "iotedge-device"
settings.DEVICE_PSA = settings.WORK / "iotedge-device-psa"
settings.DEVICES = GIVEN.devices
settings.MAX_MEMBERS = GIVEN.devices + 8
settings.FOUNDING_WAIT_MS = 120_000
# Two thirds must speak twice within T/2, or nothing is agreed in time: each speaks about twice in a T/4.
settings.PERIOD_MS = int(2_500 / GIVEN.rate)
# What is not settled, about two and a half T of it, has room in every window; 5 a second are approvals.
per_period = (2 * GIVEN.rate * GIVEN.devices + 5) * settings.PERIOD_MS / 1000
settings.WINDOW = max(1024, 1 << math.ceil(math.log2(4 * per_period)))

import build  # noqa: E402
import neighbourhood  # noqa: E402
from processes import Family  # noqa: E402
from report import Stop, checks, percentile, say, table  # noqa: E402

NEIGHBOURS = 6  # of a device, beside the gateway
DEVICE_DOWN = (0.5, 4.0)  # seconds
GATEWAY_DOWN = (2.0, 5.0)
DEVICE_DIES_EVERY = 2.0  # seconds, on average
GATEWAY_DIES_EVERY = 60.0
QUIET = 3.75 * settings.PERIOD_MS / 1000  # at most so many seconds for the last epoch, after the faults
GROWTH = 1.25  # of the gateway's memory from the first third of the run to the last; the window and its store's cache fill meanwhile


class Soak:
    def __init__(self, n, family, rng):
        self.n, self.family, self.rng = n, family, rng
        self.children = {}
        self.kills = {"device": 0, "gateway": 0, "validator": 0}
        self.last = []  # what each device said last
        self.memory = []  # (seconds, bytes of the gateway, bytes of all devices)

    def start_gateway(self):
        config = settings.WORK / "gateway.toml"
        self.children["gateway"] = self.family.start("gateway", settings.GATEWAY, "run", "--config", config)

    def start_validator(self, v):
        config = settings.WORK / f"{v.name}.toml"
        self.children[v.name] = self.family.start(v.name, settings.GATEWAY, "validator", "--config", config)

    def start_device(self, i):
        device = self.n.devices[i]
        command = [settings.DEVICE, "--config", device.folder / "device.json", "--listen", device.address]
        command += ["--out", settings.OUT / device.name, "--store", settings.WORK / f"{device.name}-store"]
        command += ["--journal", settings.WORK / f"{device.name}.journal"]
        command += ["--rate", GIVEN.rate, "--trade", settings.PRICE, "--trade-every", int(1000 / GIVEN.rate)]
        command += ["--lose", GIVEN.lose, "--delay", GIVEN.delay]
        # A ring with chords: everybody is some hops from everybody, besides the gateway.
        count = len(self.n.devices)
        for step in (1, 7, 31):
            for other in {(i + step) % count, (i - step) % count} - {i}:
                command += ["--peer", self.n.devices[other].address]
        self.children[device.name] = self.family.start(device.name, *command)

    def devices(self):
        return [self.children[device.name].newest() for device in self.n.devices]

    def active(self):
        return sum(line.get("phase") == "active" for line in self.devices())

    def sample(self, seconds):
        def resident(child):
            try:
                fields = Path(f"/proc/{child.process.pid}/statm").read_text().split()
                return int(fields[1]) * 4096
            except (OSError, IndexError):
                return 0

        devices = [resident(self.children[d.name]) for d in self.n.devices]
        self.memory.append((seconds, resident(self.children["gateway"]), max(devices, default=0)))

    def kill(self, name, what):
        self.children[name].kill()
        self.kills[what] += 1

    def faults(self):
        """Kills and starts again until the time is over. Every fault ends before."""
        begin = time.monotonic()
        seconds = lambda: time.monotonic() - begin
        until = GIVEN.seconds
        again = []  # (when, what to start)
        next_device, next_gateway, next_sample, next_word = 1.0, min(20.0, until / 3), 0.0, 0.0
        while seconds() < until or again:
            time.sleep(0.05)
            now = seconds()
            self.family.must_run()
            for due, start in [entry for entry in again if entry[0] <= now]:
                again.remove((due, start))
                start()
            if now >= next_device and now < until - DEVICE_DOWN[1]:
                next_device = now + self.rng.expovariate(1 / DEVICE_DIES_EVERY)
                i = self.rng.randrange(len(self.n.devices))
                name = self.n.devices[i].name
                if self.children[name].running():
                    self.kill(name, "device")
                    again.append((now + self.rng.uniform(*DEVICE_DOWN), lambda i=i: self.start_device(i)))
            if now >= next_gateway and now < until - GATEWAY_DOWN[1]:
                next_gateway = now + GATEWAY_DIES_EVERY
                self.kill("gateway", "gateway")
                again.append((now + self.rng.uniform(*GATEWAY_DOWN), self.start_gateway))
                v = self.rng.choice(self.n.validators)
                self.kill(v.name, "validator")
                again.append((now + self.rng.uniform(*GATEWAY_DOWN), lambda v=v: self.start_validator(v)))
            if now >= next_sample:
                next_sample = now + 1.0
                self.sample(now)
            if now >= next_word:
                next_word = now + 10.0
                say(f"{now:.0f} s: {self.words()}")

    def words(self):
        lines = self.devices()
        total = lambda key: sum(line.get(key, 0) for line in lines)
        header = max((line.get("header", 0) for line in lines), default=0)
        dead = sum(not child.running() for child in self.children.values())
        return (
            f"{sum(line.get('phase') == 'active' for line in lines)} of {len(lines)} active, {dead} processes dead, {header} epochs settled, "
            f"{self.kills['device']} devices, {self.kills['gateway']} gateways, {self.kills['validator']} validators killed, {total('silences')} silences"
        )


def journals(n):
    """Own transactions: id -> {"sent": ms, "quorum": ms, ...}. Who died before the line was written has none: nobody was told."""
    own = {}
    for device in n.devices:
        path = settings.WORK / f"{device.name}.journal"
        told = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            words = line.split()
            if len(words) == 3:
                told.setdefault(words[1], {}).setdefault(words[0], int(words[2]))
        own.update({id: what for id, what in told.items() if "sent" in what})
    return own


def ledger():
    """What the gateway settled: ids, and the headers."""
    with sqlite3.connect(f"file:{find_store()}?mode=ro", uri=True) as store:
        ids = [row[0].hex() for row in store.execute("SELECT id FROM leaf JOIN header USING (number) WHERE settled = 1 AND idx > 0")]
    return ids


def find_store():
    for path in sorted((settings.WORK / "gateway-data").iterdir()):
        if path.is_file() and path.read_bytes()[:16] == b"SQLite format 3\0":
            return path
    raise Stop("the gateway left no store")


def exported():
    neighbourhood.tool("export", "--data", settings.WORK / "gateway-data", "--out", settings.OUT / "export", "--limit", 4)
    paths = (settings.OUT / "export").glob("*.macro.cose")
    return sorted((neighbourhood.tool("inspect", "--json", p)["statement"] for p in paths), key=lambda h: h["number"])


def left_out():
    """What a gateway or validator said of its starts where its store did not give the whole window back."""
    logs = [settings.LOG / "gateway.log", *settings.LOG.glob("validator-*.log")]
    lines = [line for log in logs for line in log.read_text().splitlines() if "window restored" in line]
    return [line for line in lines if "left_out={}" not in line]


def verdicts(soak, own, settled, headers):
    """(name, None or what is wrong)."""
    cut = headers[-1]["cut"] if headers else 0
    granted = settings.GRANT * (settings.DEVICES + 1)
    before = {id: t for id, t in own.items() if t["sent"] < cut}
    ids = set(settled)
    agreed = [id for id, t in own.items() if "quorum" in t and t["sent"] < cut and id not in ids]
    lost = [id for id, t in before.items() if id not in ids and "dead" not in t]
    both = [id for id, t in own.items() if id in ids and "dead" in t]
    wrong = [h["number"] for h in headers if h["total_value"] + h.get("exited", 0) != granted]
    gaps = [h["number"] for h, n in zip(headers, range(1, len(headers) + 1)) if h["number"] != n]
    third = max(1, len(soak.memory) // 3)
    warm = [m for _, m, _ in soak.memory[third : 2 * third] if m]
    late = [m for _, m, _ in soak.memory[2 * third :] if m]
    growth = percentile(late, 50) / percentile(warm, 50) if warm and late else 0
    missing = left_out()
    quiet = [line.get("phase") for line in soak.last if line.get("phase") != "active"]
    return [
        ("faults happened", None if soak.kills["device"] >= GIVEN.seconds / 10 and soak.kills["gateway"] else f"{soak.kills}"),
        ("epochs were settled under fire", None if len(headers) >= max(2, GIVEN.seconds * 1000 // (2 * settings.PERIOD_MS)) else f"{len(headers)} in {GIVEN.seconds} s"),
        ("most of what was said before the last cut is settled", None if len(before) and len(ids & set(before)) > 0.9 * len(before) else f"{len(ids & set(before))} of {len(before)}"),
        ("nothing that reached Quorum was lost", f"{len(agreed)}, the first {agreed[0]}" if agreed else None),
        ("nothing that was sent was lost: settled, or told to be dead and issued again", f"{len(lost)} of {len(before)}, the first {lost[0]}" if lost else None),
        ("nothing was settled twice", None if len(ids) == len(settled) else f"{len(settled) - len(ids)}"),
        ("nothing is both dead and settled", f"{both[:3]}" if both else None),
        ("value in = value out in every epoch", f"epochs {wrong}" if wrong or not headers else None),
        ("no epoch is missing", f"{gaps}" if gaps else None),
        ("everybody is active again", f"{len(quiet)} are {sorted(set(map(str, quiet)))}" if quiet else None),
        (f"the gateway did not grow by more than {GROWTH}", f"{growth:.2f}" if growth > GROWTH else None),
        ("gateway and validators had their whole window back at every start", missing[0] if missing else None),
        ("nobody was called a cheat", None if not any(line.get("frozen") for line in soak.last) else "somebody is frozen"),
    ]


def run(family):
    say("provisioning")
    n = neighbourhood.make()
    soak = Soak(n, family, random.Random(GIVEN.seed))
    soak.start_gateway()
    for v in n.validators:
        soak.start_validator(v)
    for i in range(len(n.devices)):
        soak.start_device(i)
    say(f"{len(n.devices)} devices enrol")
    deadline = time.monotonic() + 120
    while soak.active() < len(n.devices):
        family.must_run()
        if time.monotonic() > deadline:
            raise Stop(f"{soak.active()} of {len(n.devices)} devices are members after two minutes; see {settings.LOG}")
        time.sleep(0.5)
    say("all are members; the faults begin")
    soak.faults()
    say("the faults are over")
    quiet = time.monotonic()
    newest = max(line.get("header", 0) for line in soak.devices())
    while time.monotonic() - quiet < QUIET:
        time.sleep(1)
        family.must_run()
        lines = soak.devices()
        # Another epoch, so that what happened under fire is settled.
        if min(line.get("header", 0) for line in lines) >= max(2, newest + 1) and soak.active() == len(lines):
            break
    say(soak.words())
    # Before they end: then the last line is a summary.
    soak.last = soak.devices()
    return n, soak


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begin = time.monotonic()
    try:
        shutil.rmtree(settings.OUT, ignore_errors=True)
        settings.LOG.mkdir(parents=True)
        settings.WORK.mkdir()
        build.everything()
        with Family() as family:
            n, soak = run(family)
            family.end_all(grace=10.0)
            own, settled, headers = journals(n), ledger(), exported()
            outcome = verdicts(soak, own, settled, headers)
    except Stop as stop:
        print(f"\nsoak: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nsoak: interrupted; all processes were ended", file=sys.stderr)
        return 130
    times = lambda what: [t[what] - t["sent"] for t in own.values() if what in t]
    seconds = lambda what, share: f"{(percentile(times(what), share) or 0) / 1000:.2f} s"
    rows = [
        ("devices", len(n.devices)),
        ("killed", f"{soak.kills['device']} devices, {soak.kills['gateway']} gateways, {soak.kills['validator']} validators"),
        ("frames lost and delayed", f"{GIVEN.lose / 10} %, up to {GIVEN.delay} ms"),
        ("transactions", f"{len(own)}: {sum('quorum' in t for t in own.values())} reached Quorum, {len(set(settled) & set(own))} settled, {sum('dead' in t for t in own.values())} dead"),
        ("time to Witnessed", f"p50 {seconds('witnessed', 50)}, p99 {seconds('witnessed', 99)}"),
        ("time to Quorum", f"p50 {seconds('quorum', 50)}, p99 {seconds('quorum', 99)}"),
        ("time to Settled", f"p50 {seconds('settled', 50)}, p99 {seconds('settled', 99)}"),
        ("epochs settled", f"{len(headers)}, {len(settled)} transactions with approvals"),
        ("gateway's memory", f"{percentile([m for _, m, _ in soak.memory if m], 50) // 1024} KiB median, {max(m for _, m, _ in soak.memory) // 1024} KiB most"),
        ("a device's memory", f"{max(m for _, _, m in soak.memory) // 1024} KiB most"),
    ]
    print()
    table(rows)
    print()
    failed = checks(outcome)
    (settings.OUT / "summary.json").write_text(json.dumps({"table": {k: str(v) for k, v in rows}, "checks": outcome, "memory": soak.memory}, indent=2) + "\n")
    say(f"{len(outcome) - failed} passed, {failed} failed; done in {time.monotonic() - begin:.0f} s; logs: {settings.LOG.relative_to(ROOT)}/")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
