#!/usr/bin/env python3
"""`make demo-gchain`: a neighbourhood of eight C devices that settles on Ethereum, on this machine.

anvil, the contract, seven masternodes with stake, a gateway; value is paid in, three headers are anchored and more, one masternode votes twice and is slashed, a gateway that lies
is believed by nobody, value is taken out to an Ethereum account, after somebody disputed it and the gateway showed that it was signed, and devices hold receipts that are marked with the block. Value in = value out, to the unit.
Exit status 0 only if every check held. Everything is left under out/demo-gchain.
"""
import json
import re
import shutil
import signal
import sys
import time
from pathlib import Path

# Authorities, identities, processes and words as in `make demo`; its settings are not ours.
sys.path.append(str(Path(__file__).resolve().parents[1] / "demo"))

import neighbourhood
import report
import settings
from build import run as build_run
from chain import Account, Chain
from liar import Liar
from neighbourhood import text, tool
from processes import Family, free_ports
from report import Stop, say


def prepare():
    shutil.rmtree(settings.OUT, ignore_errors=True)
    settings.LOG.mkdir(parents=True)
    settings.WORK.mkdir()


def build():
    begin = time.monotonic()
    say("building the gateway and libiotedge.a (release)")
    build_run("cargo", "build", "--release", "--locked", "--quiet", "-p", "iotedge-ffi", "-p", "iotedge-gateway")
    sources = sorted((settings.ROOT / "examples-c/linux").glob("*.c")) + [settings.ROOT / "examples-c/common/json.c"]
    build_run("cc", "-std=c11", "-D_DEFAULT_SOURCE", "-O2", f"-DWINDOW_SIZE={settings.WINDOW}", "-I", settings.ROOT / "include", *sources,
              settings.TARGET / "release/libiotedge.a", "-lpthread", "-ldl", "-lm", "-o", settings.DEVICE)
    say(f"built in {time.monotonic() - begin:.0f} s")


class Cast:
    """Everybody: those of the neighbourhood, and their accounts on the chain."""

    def __init__(self):
        ports = free_ports(2 + settings.MASTERNODES + settings.DEVICES)
        manufacturer = neighbourhood.authority("manufacturer", "Acme Devices", "manufacturer")
        harbour = neighbourhood.authority("neighbourhood", "Harbour 7", "neighbourhood")
        gateway = neighbourhood.provisioned("gateway", "gl-node", "gateway", harbour, harbour, port=ports.pop())
        self.n = neighbourhood.Neighbourhood(manufacturer, harbour, gateway)
        for i in range(settings.MASTERNODES):
            self.n.validators.append(neighbourhood.provisioned(f"masternode-{i}", "validator", "validator", harbour, harbour, port=ports.pop()))
        for i in range(settings.DEVICES):
            self.n.devices.append(neighbourhood.provisioned(f"device-{i}", "device", "device", manufacturer, harbour, gateway.address, ports.pop()))
        self.proxy = ports.pop()
        accounts = settings.WORK / "accounts"
        self.gateway = Account("gateway", accounts / "gateway")
        self.masternodes = [Account(v.name, accounts / v.name) for v in self.n.validators]
        self.payer = Account("payer", accounts / "payer")
        self.taker = Account("taker", accounts / "taker")

    def configure(self, chain):
        """With the contract's address: one TOML file for the gateway and one for each validator."""
        n = self.n
        policy = f"""
[founding]
founders = {settings.DEVICES}
wait_ms = {settings.FOUNDING_WAIT_MS}
chain_id = {settings.CHAIN_ID}

[policy]
period_ms = {settings.PERIOD_MS}
witnesses = 2
grant = {settings.GRANT}
cap_transaction = 1000000
cap_peer = 1000000
cap_exposure = 1000000
max_members = {settings.MAX_MEMBERS}

[store]
durability = "process"
"""

        def gchain(account):
            return f"""
[gchain]
rpc = {text(chain.url)}
contract = {text(chain.contract)}
account = {text(account.file)}
password_file = {text(account.password)}
confirmations = {settings.CONFIRMATIONS}
"""

        common = f"authority = {text(n.authority.folder / 'anchor.json')}\nlog = \"info\"\nanchors = [{text(n.manufacturer.folder / 'anchor.json')}]\n"
        # The first of them is reached through the liar.
        places = [f"127.0.0.1:{self.proxy}"] + [v.address for v in n.validators[1:]]
        validators = "".join(
            f"\n[[validator]]\npublic_key = {text(v.public_key)}\nstake = 1\naddress = {text(place)}\n" for v, place in zip(n.validators, places)
        )
        (settings.WORK / "gateway.toml").write_text(
            f"listen = {text(n.gateway.address)}\ndata = {text(settings.WORK / 'gateway-data')}\n"
            f"identity = {text(n.gateway.folder / 'device.json')}\nauthority_key = {text(n.authority.folder / 'key.json')}\n"
            + common + policy + gchain(self.gateway) + validators
        )
        for v, account in zip(n.validators, self.masternodes):
            (settings.WORK / f"{v.name}.toml").write_text(
                f"listen = {text(v.address)}\ndata = {text(settings.WORK / (v.name + '-data'))}\n"
                f"identity = {text(v.folder / 'device.json')}\npeers = [{text(n.gateway.address)}]\n" + common + policy + gchain(account)
            )


def settle_on(cast, chain):
    """The contract, and seven masternodes with collateral in it."""
    for account in (cast.gateway, cast.payer, *cast.masternodes):
        chain.give(account.address, 100)
    deployed = chain.say(cast.gateway, "deploy", "--unit", settings.UNIT, "--fee", settings.FEE, "--collateral", settings.COLLATERAL, "--unbonding", settings.UNBONDING, "--window", settings.CHALLENGE, "--answer", settings.ANSWER)
    chain.contract = deployed["contract"]
    say(f"the contract is at {chain.contract}")
    for v, account in zip(cast.n.validators, cast.masternodes):
        chain.say(account, "join", "--key", v.folder / "device.json")
    say(f"{settings.MASTERNODES} masternodes joined, {settings.COLLATERAL // 10**18} ether each")


def start(cast, family):
    n = cast.n
    liar = Liar(n.gateway, n.validators, cast.proxy)
    liar.start()
    family.start("gateway", settings.GATEWAY, "run", "--config", settings.WORK / "gateway.toml")
    for v in n.validators:
        family.start(v.name, settings.GATEWAY, "validator", "--config", settings.WORK / f"{v.name}.toml")
    devices = []
    for i, device in enumerate(n.devices):
        command = [settings.DEVICE, "--config", device.folder / "device.json", "--listen", device.address, "--out", settings.OUT / device.name]
        command += ["--rate", 0.5, "--trade", settings.PRICE, "--trade-every", 3000]
        command += [word for other in n.devices if other is not device for word in ("--peer", other.address)]
        if i == settings.RICH:
            command += ["--exit", settings.EXIT, "--exit-to", cast.taker.address]
        devices.append(family.start(device.name, *command))
    return liar, devices


def wait(what, within, family, devices, holds):
    deadline = time.monotonic() + within
    shown = time.monotonic()
    while True:
        family.must_run()
        lines = [child.newest() for child in devices]
        if holds(lines):
            return lines
        if time.monotonic() > deadline:
            raise Stop(f"not within {within} s: {what}; see {settings.LOG}")
        if time.monotonic() >= shown + 5:
            shown = time.monotonic()
            newest = lambda key: max((line.get(key, 0) for line in lines), default=0)
            say(f"waiting: {what} | {newest('header')} epochs settled, {newest('anchored_header')} anchored, by block {newest('anchored_block')}")
        time.sleep(0.3)


def withdraw(cast, chain):
    """What can be taken now, with the payer's ether; nothing is no failure."""
    try:
        return chain.say(cast.payer, "withdraw", "--data", settings.WORK / "gateway-data")
    except Stop as stop:
        if "nothing to withdraw" in str(stop):
            return []
        raise


def dispute(cast, chain, taken):
    """Somebody demands that what the device took out be shown; true once it did."""
    # While the gateway writes, an exit may be in the store in part: it is looked for again.
    try:
        exits = tool("gchain", "exits", "--data", settings.WORK / "gateway-data")
    except Stop:
        return False
    for exit in exits:
        if exit["amount"] == settings.EXIT and not any(t["exit"] == exit["exit"] for t in taken):
            chain.say(cast.payer, "challenge", "--data", settings.WORK / "gateway-data", "--header", exit["header"], "--exit", exit["exit"])
            return True
    return False


def double_vote(cast, chain, id):
    """A masternode signs a second vote for a header that it voted for, and somebody shows both to the contract."""
    account = cast.masternodes[settings.DOUBLE]
    newest = chain.status(id)["neighbourhood"]
    votes = []
    # The first is the vote that it gave: the same key signs the same thing alike.
    for header in (newest["head"], "0x" + "42" * 32):
        made = tool("gchain", "vote", *account.flags(), "--chain-id", settings.CHAIN_ID, "--contract", chain.contract, "--neighbourhood", id,
                    "--number", newest["header"], "--header", header, "--credited", newest["credited"])
        votes.append(made["vote"])
    chain.say(cast.payer, "report", "--neighbourhood", id, "--number", newest["header"], "--a", votes[0], "--b", votes[1])


def story(cast, chain, family):
    """The run; gives what the checks look at."""
    say("starting the gateway, the masternodes and eight devices; they enrol, and the gateway founds the neighbourhood with them, on Ethereum too")
    liar, devices = start(cast, family)
    lines = wait("all devices are members", settings.FOUNDED_WITHIN, family, devices, lambda lines: all(line.get("phase") == "active" for line in lines))
    id = lines[0]["neighbourhood"]
    wait("the neighbourhood is in the contract", settings.FOUNDED_WITHIN, family, devices, lambda _: chain.status(id)["neighbourhood"] is not None)
    rich = cast.n.devices[settings.RICH]
    say(f"{settings.DEPOSIT} micro-tokens are paid in for {rich.name}, which then takes {settings.EXIT} out; {settings.LOST_DEPOSIT} for a device that nobody has")
    for device, amount in ((rich.device_id, settings.DEPOSIT), ("5a" * 32, settings.LOST_DEPOSIT)):
        chain.say(cast.payer, "deposit", "--neighbourhood", id, "--device", device, "--amount", amount)
    wait(f"{settings.HEADERS} headers are anchored, and every device knows", settings.ANCHORED_WITHIN, family, devices,
         lambda lines: all(line.get("anchored_header", 0) >= settings.HEADERS for line in lines))
    taken = []
    wait(f"what {rich.name} takes out left with an anchored header, and somebody disputes it", settings.ANCHORED_WITHIN, family, devices,
         lambda _: dispute(cast, chain, taken))

    def all_out(_):
        taken.extend(withdraw(cast, chain))
        return sum(t["amount"] for t in taken) >= settings.EXIT + settings.LOST_DEPOSIT

    wait(f"what {rich.name} takes out, and what was paid in for nobody, are withdrawn", settings.ANCHORED_WITHIN, family, devices, all_out)
    guilty = cast.masternodes[settings.DOUBLE]
    say(f"{guilty.name} votes for a second header of one number; somebody shows both votes to the contract")
    before = chain.status(id, guilty.address)["masternodes"][0]
    double_vote(cast, chain, id)
    after = chain.status(id, guilty.address)["masternodes"][0]
    newest = max(line["anchored_header"] for line in wait("", 5, family, devices, lambda _: True))
    wait("one more header is anchored, without it", settings.ANCHORED_WITHIN, family, devices,
         lambda lines: all(line.get("anchored_header", 0) > newest for line in lines))
    liar.end()
    say("ending everybody with SIGTERM")
    for child in family.children:
        if child is not chain.child:
            child.end()
    for child in family.children:
        if child is not chain.child:
            child.process.wait(15)
    return {"id": id, "liar": liar, "before": before, "after": after, "taken": taken, "lines": [summary(child) for child in devices]}


def summary(child):
    """The last line of a device that has ended: longer than what `newest` looks at."""
    return json.loads(child.out.read_bytes().splitlines()[-1])


def headers():
    """What the gateway's store holds of its settled headers."""
    tool("export", "--data", settings.WORK / "gateway-data", "--out", settings.OUT, "--limit", 1)
    found = [tool("inspect", "--json", path)["statement"] for path in settings.OUT.glob("*.macro.cose")]
    return sorted(found, key=lambda header: header["number"])


def checks(cast, chain, ran):
    """(name, None or what is wrong), and rows for the table."""
    lines, liar, taken = ran["lines"], ran["liar"], ran["taken"]
    status = chain.status(ran["id"])
    n = status["neighbourhood"]
    granted = settings.GRANT * (settings.DEVICES + 1)
    paid_in = settings.DEPOSIT + settings.LOST_DEPOSIT
    paid_out = sum(t["amount"] for t in taken)
    value = {header["number"]: header["total_value"] for header in headers()}
    held = chain.balance(chain.contract)
    collateral = settings.COLLATERAL * settings.MASTERNODES - settings.COLLATERAL // 10  # a tenth went to who showed the votes
    anchored = [t for line in lines for t in line["transactions"] if t["anchored"]]
    refused = [len(re.findall("differs from the own one", (settings.LOG / f"{v.name}.log").read_text())) for v in cast.n.validators]
    few = [line["device"][:8] for line in lines if not line["anchored_header"] or not line["anchored"]]
    wrong = [t["id"] for line in lines for t in line["transactions"] if t["anchored"] and not t["receipt"]]
    outcome = [
        ("every device holds receipts that are anchored, each marked with an Ethereum block", f"not {few}" if few or not all(line["anchored_block"] for line in lines) else None),
        ("nothing is anchored whose receipt was not verified", f"{wrong}" if wrong else None),
        (f"at least {settings.HEADERS} headers are in the contract", None if n["header"] >= settings.HEADERS else f"{n['header']}"),
        ("both deposits are credited", None if n["credited"] == n["deposits"] == 2 else f"{n}"),
        ("the deposit for nobody went back to who paid it", None if any(t["amount"] == settings.LOST_DEPOSIT and t["target"].lower() == cast.payer.address.lower() for t in taken) else f"{taken}"),
        ("what a device took out is on its Ethereum account, to the wei", None if chain.balance(cast.taker.address) == settings.EXIT * settings.UNIT else f"{chain.balance(cast.taker.address)}"),
        ("it was disputed before, and the gateway showed it", None if "a disputed exit was shown" in (settings.LOG / "gateway.log").read_text() else "no word of it"),
        ("value in = value out: what was granted and paid in is what the header holds and what was withdrawn",
         None if granted + paid_in == n["value"] + paid_out and value.get(n["header"]) == n["value"] else f"{granted} + {paid_in}, {n['value']} + {paid_out}, {value}"),
        ("the contract holds exactly that, and the collateral", None if held == n["value"] * settings.UNIT + collateral else f"{held} wei, {n['value'] * settings.UNIT} + {collateral} expected"),
        ("who voted twice lost its collateral", None if ran["before"]["joined"] and not ran["after"]["joined"] else f"{ran['before']}, {ran['after']}"),
        ("the lying gateway's headers got no vote of any masternode", None if len(liar.told) >= settings.HEADERS and not liar.believed else f"told {liar.told}, believed {liar.believed}"),
        ("and some saw where they differ", None if sum(refused) > 0 else "none says so"),
        ("no receipt was wrong", None if not any(line["receipts_wrong"] for line in lines) else "some were"),
    ]
    blocks = sorted({line["anchored_block"] for line in lines})
    rows = [
        ("devices, masternodes", f"{len(lines)}, {settings.MASTERNODES} with {settings.COLLATERAL // 10**18} ether each"),
        ("headers in the contract", f"{n['header']}, the last known to devices in block {blocks[-1]}"),
        ("transactions anchored", f"{len(anchored)}, {report.milliseconds(report.percentile([t['anchored'] - t['sent'] for t in anchored if t['sent']], 50))} after they were sent (p50)"),
        ("granted and paid in", f"{granted} + {paid_in} micro-tokens"),
        ("held and withdrawn", f"{n['value']} + {paid_out}"),
        ("gas of a withdrawal", f"{max(t['gas'] for t in taken)}"),
        ("lies shown, refusals logged", f"{len(liar.told)} headers to {settings.MASTERNODES} masternodes, {sum(refused)}"),
    ]
    return outcome, rows


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begin = time.monotonic()
    try:
        prepare()
        build()
        with Family() as family:
            say("starting anvil, an Ethereum node for development")
            chain = Chain(family)
            cast = Cast()
            settle_on(cast, chain)
            cast.configure(chain)
            ran = story(cast, chain, family)
            outcome, rows = checks(cast, chain, ran)
    except Stop as stop:
        print(f"\ndemo-gchain: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo-gchain: interrupted; all processes were ended", file=sys.stderr)
        return 130
    print()
    report.table(rows)
    print()
    failed = report.checks(outcome)
    summary = {"passed": failed == 0, "checks": [{"check": name, "passed": problem is None, "problem": problem} for name, problem in outcome],
               "taken": ran["taken"], "per_device": ran["lines"]}
    (settings.OUT / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    print(f"\nsummary: {(settings.OUT / 'summary.json').relative_to(settings.ROOT)}; logs: {settings.LOG.relative_to(settings.ROOT)}/")
    print(f"{len(outcome) - failed} passed, {failed} failed")
    say(f"done in {time.monotonic() - begin:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
