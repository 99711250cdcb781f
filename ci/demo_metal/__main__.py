#!/usr/bin/env python3
"""`make demo-metal`: three boards under QEMU, two Linux devices, a gateway and four validators in one neighbourhood, on this machine.

Each board speaks COBS frames over its UART to the gateway. All enrol, publish, pay and are paid; every board is reset once, goes on from its flash, and
everybody checks receipts. Exit status 0 only if every check held. Everything is left under out/demo-metal.
"""
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

# Authorities, identities, processes and words as in `make demo`; its settings are not ours.
sys.path.append(str(Path(__file__).resolve().parents[1] / "demo"))

import boards as metal
import neighbourhood
import report
import settings
from build import run as build_run
from neighbourhood import text
from processes import Family, free_ports
from report import Stop, say


def prepare():
    shutil.rmtree(settings.OUT, ignore_errors=True)
    settings.LOG.mkdir(parents=True)
    settings.WORK.mkdir()


def build():
    begin = time.monotonic()
    say("building the gateway and the archives for three microcontrollers (the first time takes most of the demo)")
    metal.build()
    build_run("cargo", "build", "--release", "--locked", "--quiet", "-p", "iotedge-ffi", "-p", "iotedge-gateway")
    sources = sorted((settings.ROOT / "examples-c/linux").glob("*.c")) + [settings.ROOT / "examples-c/common/json.c"]
    build_run("cc", "-std=c11", "-D_DEFAULT_SOURCE", "-O2", f"-DWINDOW_SIZE={settings.WINDOW}", "-I", settings.ROOT / "include", *sources,
              settings.TARGET / "release/libiotedge.a", "-lpthread", "-ldl", "-lm", "-o", settings.DEVICE)
    say(f"built in {time.monotonic() - begin:.0f} s")


def found():
    """Everybody's keys and certificates, ports and configuration."""
    boards = metal.all_of_them()
    ports = free_ports(1 + settings.VALIDATORS + settings.LINUX + 2 * len(boards))
    manufacturer = neighbourhood.authority("manufacturer", "Acme Devices", "manufacturer")
    harbour = neighbourhood.authority("neighbourhood", "Harbour 7", "neighbourhood")
    gateway = neighbourhood.provisioned("gateway", "gl-node", "gateway", harbour, harbour, port=ports.pop())
    n = neighbourhood.Neighbourhood(manufacturer, harbour, gateway)
    for i in range(settings.VALIDATORS):
        n.validators.append(neighbourhood.provisioned(f"validator-{i}", "validator", "validator", harbour, harbour, port=ports.pop()))
    for i in range(settings.LINUX):
        n.devices.append(
            neighbourhood.provisioned(f"device-{i}", "device", "device", manufacturer, harbour, gateway.address, ports.pop())
        )
    for board in boards:
        board.port, board.hub = ports.pop(), ports.pop()
        party = neighbourhood.provisioned(board.name, board.what, board.kind, manufacturer, harbour)
        stream = ["--channel", str(settings.CHANNEL), "--price", str(settings.MESSAGE_PRICE)] if board.name == settings.SELLER else []
        blob = subprocess.run(
            [settings.ROOT / "ci/firmware-provision", party.folder / "device.json", "--neighbours", str(1 + settings.LINUX),
             "--pay", str(settings.PRICE), "--every", str(settings.EVERY_MS), *stream], capture_output=True, check=True)
        (settings.WORK / f"{board.name}.provision").write_bytes(blob.stdout)
    configure(n, boards)
    return n, boards


def configure(n, boards):
    founders = settings.LINUX + sum(board.kind == "device" for board in boards)
    policy = f"""
[founding]
founders = {founders}
wait_ms = {settings.FOUNDED_WITHIN * 1000}

[policy]
period_ms = {settings.PERIOD_MS}
witnesses = 2
grant = {settings.GRANT}
cap_transaction = 1000
cap_peer = 10000
cap_exposure = 50000
max_members = 16
max_leaves = 2

[store]
durability = "process"
"""
    common = f"authority = {text(n.authority.folder / 'anchor.json')}\nlog = \"info\"\nanchors = [{text(n.manufacturer.folder / 'anchor.json')}]\n"
    validators = "".join(
        f"\n[[validator]]\npublic_key = {text(v.public_key)}\nstake = 25\naddress = {text(v.address)}\n" for v in n.validators
    )
    behind = json.dumps([device.address for device in n.devices])
    lines = "".join(
        f"\n[[serial]]\nport = \"tcp:127.0.0.1:{board.port}\"\nlisten = \"127.0.0.1:{board.hub}\"\nneighbours = {behind}\n" for board in boards
    )
    (settings.WORK / "gateway.toml").write_text(
        f"listen = {text(n.gateway.address)}\ndata = {text(settings.WORK / 'gateway-data')}\n"
        f"identity = {text(n.gateway.folder / 'device.json')}\nauthority_key = {text(n.authority.folder / 'key.json')}\n"
        + common + policy + validators + lines
    )
    for v in n.validators:
        (settings.WORK / f"{v.name}.toml").write_text(
            f"listen = {text(v.address)}\ndata = {text(settings.WORK / (v.name + '-data'))}\n"
            f"identity = {text(v.folder / 'device.json')}\npeers = [{text(n.gateway.address)}]\n" + common + policy
        )


def start(n, boards, family):
    say(f"starting three boards under QEMU: {', '.join(board.name for board in boards)}")
    for board in boards:
        board.start(family)
    say(f"starting the gateway, {settings.VALIDATORS} validators and {settings.LINUX} Linux devices on 127.0.0.1")
    family.start("gateway", settings.GATEWAY, "run", "--config", settings.WORK / "gateway.toml")
    for v in n.validators:
        family.start(v.name, settings.GATEWAY, "validator", "--config", settings.WORK / f"{v.name}.toml")
    linux = []
    for i, device in enumerate(n.devices):
        others = [d.address for d in n.devices if d is not device] + [f"127.0.0.1:{board.hub}" for board in boards]
        peers = [word for address in others for word in ("--peer", address)]
        buys = ["--read-units", str(settings.UNITS), "--read-price", str(settings.MESSAGE_PRICE)] if i == 0 else []
        linux.append(family.start(
            device.name, settings.DEVICE, "--config", device.folder / "device.json", "--listen", device.address, *peers,
            "--out", settings.WORK / f"{device.name}-out", "--rate", "0.5", "--trade", str(settings.PRICE), "--trade-every", "2000",
            "--read", str(settings.CHANNEL), *buys))
    return linux


def heard(board):
    """Sent something, was paid, and checked a receipt."""
    return board.words["sent"] > 0 and board.words["paid"] > 0 and board.words["receipt"] > 0


def story(n, boards, family):
    linux = start(n, boards, family)
    metal.wait("became members", settings.FOUNDED_WITHIN + 30, family, boards, lambda b: b.words["member"] > 0)
    say("all boards are members: " + ", ".join(f"{board.name} is {board.member}" for board in boards))
    metal.wait("sent, were paid and checked a receipt", settings.RECEIPTS_WITHIN, family, boards, heard)
    seller = [board for board in boards if board.name == settings.SELLER]
    metal.wait(f"sold {settings.RESET_AFTER} sealed readings", settings.SOLD_WITHIN, family, seller, lambda b: b.words["sealed"] >= settings.RESET_AFTER)
    before = {board.name: board.words.copy() for board in boards}
    for board in boards:
        say(f"{board.name} is reset; its {board.reset_keeps} stays")
        board.forget()
        board.reset()
    metal.wait("came up again", 15, family, boards, lambda b: b.words["up"] > 0)
    metal.wait("sent, were paid and checked a receipt after the reset", settings.RECEIPTS_WITHIN, family, boards, heard)
    metal.wait("sold the rest, and had its claim settled", settings.SOLD_WITHIN, family, seller, lambda b: b.words["settled"] > 0)
    deadline = time.monotonic() + settings.RECEIPTS_WITHIN
    while any(child.newest().get("receipts_verified", 0) == 0 for child in linux) and time.monotonic() < deadline:
        time.sleep(1)
    return before, linux


def sold(boards, before, linux):
    """What the Cortex-M4 sealed, and what a buyer and a stranger could read of it."""
    board = next(board for board in boards if board.name == settings.SELLER)
    words = before[board.name] + board.words
    buyer, stranger = (child.newest().get("reader", {}) for child in linux)
    bought = buyer.get("purchase", {})
    faults = [
        what
        for what, holds in [
            # The reset may cost one unit, of the one or the other.
            ("the buyer did not pay all that it locked for", bought.get("ticks") == settings.UNITS and bought.get("state") == "over"),
            ("the buyer did not read what it paid for", abs(bought.get("heard", 0) - settings.UNITS) <= 1 and buyer.get("read") == buyer.get("attributed")),
            ("the board took other units than were paid", words["tick"] == settings.UNITS and abs(words["sealed"] - settings.UNITS) <= 1),
            ("the buyer was not revoked when it had all", words["revoked"] == buyer.get("revoked") == 1),
            ("the stranger read something, or heard nothing", stranger.get("read") == 0 and stranger.get("sealed", 0) > 0),
        ]
        if not holds
    ]
    return f"{'; '.join(faults)}: {dict(words)}, {buyer}, {stranger}" if faults else ""


def checks(boards, before, linux):
    newest = {child.name: child.newest() for child in linux}
    frozen = {name: said.get("frozen_members", []) for name, said in newest.items()}
    outcome = []
    for board in boards:
        outcome.append((f"{board.name}: sends, is paid and checks receipts, before the reset and after it", "" if heard(board) else "not after it"))
        outcome.append((f"{board.name}: nobody saw it sign two transactions with one number",
                        "" if not any(board.member in members for members in frozen.values()) else "it is frozen"))
    outcome.append((f"{settings.SELLER}: sells sealed readings, unit by unit, over its reset; who pays reads them, a stranger nothing", sold(boards, before, linux)))
    for name, said in newest.items():
        outcome.append((f"{name}: receipts verified", "" if said.get("receipts_verified", 0) > 0 and said.get("receipts_wrong", 1) == 0 else f"{said.get('receipts_verified')}"))
    return outcome, newest


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begin = time.monotonic()
    try:
        prepare()
        build()
        n, boards = found()
        with Family() as family:
            before, linux = story(n, boards, family)
            outcome, newest = checks(boards, before, linux)
            family.end_all(grace=10.0)
    except Stop as stop:
        print(f"\ndemo-metal: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo-metal: interrupted; all processes were ended", file=sys.stderr)
        return 130
    print()
    rows = []
    for board in boards:
        words = before[board.name] + board.words
        rows.append((f"{board.name} ({board.what})",
                     f"{words['sent']} sent, {words['pays']} paid out, {words['value']} micro-tokens received, {words['receipt']} receipts checked, {words['dead']} dead"))
    buyer, stranger = (newest[child.name].get("reader", {}) for child in linux)
    bought = buyer.get("purchase", {})
    rows.append(("sealed stream", f"the buyer paid {bought.get('ticks')} readings of the Cortex-M4 with {settings.MESSAGE_PRICE} micro-tokens each and read {buyer.get('read')}, a stranger {stranger.get('read')}"))
    for name, said in newest.items():
        rows.append((name, f"{said.get('readings_sent')} readings, {said.get('payments_sent')} payments, {said.get('receipts_verified')} receipts checked"))
    report.table(rows)
    print()
    failed = report.checks(outcome)
    report.write_summary({"rows": dict(rows), "checks": [{"name": name, "problem": problem} for name, problem in outcome]})
    print(f"\n{len(outcome) - failed} passed, {failed} failed")
    say(f"done in {time.monotonic() - begin:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
