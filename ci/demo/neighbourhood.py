"""Authorities, identities and configuration, all made by `iotedge-gateway`, as an operator would."""
import json
import subprocess
from dataclasses import dataclass, field

import settings
from processes import free_ports
from report import Stop


def tool(*arguments):
    """Runs iotedge-gateway; gives the JSON that it prints."""
    command = [str(settings.GATEWAY), *(str(a) for a in arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if result.returncode != 0:
        raise Stop(f"`{' '.join(command)}` failed with {result.returncode}:\n{result.stderr.strip()}")
    return json.loads(result.stdout) if result.stdout.strip() else {}


@dataclass
class Party:
    """Somebody with a key: an authority, the gateway, a validator or a device."""

    name: str
    use: str
    folder: object
    cose_key: str
    public_key: str = ""
    device_id: str = ""
    port: int = 0

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"


@dataclass
class Neighbourhood:
    manufacturer: Party
    authority: Party
    gateway: Party
    validators: list = field(default_factory=list)
    devices: list = field(default_factory=list)
    metrics: dict = field(default_factory=dict)  # name -> port

    def parties(self):
        return [self.manufacturer, self.authority, self.gateway, *self.validators, *self.devices]


def authority(name, title, kind):
    folder = settings.WORK / name
    made = tool("ca", "init", "--name", title, "--kind", kind, "--out", folder)
    return Party(name, kind, folder, made["cose_key"])


def provisioned(name, use, kind, ca, pinned, gateway=None, port=0, suite="ed25519"):
    folder = settings.WORK / name
    arguments = ["provision", "--ca", ca.folder, "--kind", kind, "--authority", pinned.folder / "anchor.json", "--out", folder]
    arguments += ["--suite", suite]
    if gateway:
        arguments += ["--gateway", gateway]
    made = tool(*arguments)
    return Party(name, use, folder, made["cose_key"], made["public_key"], made["device_id"], port)


def make():
    """Everybody, with a port each."""
    ports = free_ports(1 + settings.VALIDATORS + settings.DEVICES)
    metrics = free_ports(1 + settings.VALIDATORS)
    manufacturer = authority("manufacturer", "Acme Devices", "manufacturer")
    harbour = authority("neighbourhood", "Harbour 7", "neighbourhood")
    gateway = provisioned("gateway", "gl-node", "gateway", harbour, harbour, port=ports.pop())
    all_of_it = Neighbourhood(manufacturer, harbour, gateway)
    for i in range(settings.VALIDATORS):
        validator = provisioned(f"validator-{i}", "validator", "validator", harbour, harbour, port=ports.pop())
        all_of_it.validators.append(validator)
    for i in range(settings.DEVICES):
        suite = "es256" if i == settings.ES256 else "ed25519"
        device = provisioned(f"device-{i}", "device", "device", manufacturer, harbour, gateway.address, ports.pop(), suite)
        all_of_it.devices.append(device)
    all_of_it.metrics = {party.name: port for party, port in zip([gateway, *all_of_it.validators], metrics)}
    write_configuration(all_of_it)
    return all_of_it


def text(value):
    return json.dumps(str(value))


def write_configuration(n):
    """One TOML file for the gateway and one for each validator."""
    validators = "".join(
        f"\n[[validator]]\npublic_key = {text(v.public_key)}\nstake = 25\naddress = {text(v.address)}\n" for v in n.validators
    )
    policy = f"""
[founding]
founders = {settings.DEVICES}
wait_ms = {settings.FOUNDING_WAIT_MS}

[policy]
period_ms = {settings.PERIOD_MS}
witnesses = 2
grant = {settings.GRANT}
cap_transaction = 1000
cap_peer = 10000
cap_exposure = 50000
max_members = {settings.MAX_MEMBERS}
es256 = true

[store]
durability = "process"
"""
    common = f"authority = {text(n.authority.folder / 'anchor.json')}\nlog = \"info\"\n"
    (settings.WORK / "gateway.toml").write_text(
        f"listen = {text(n.gateway.address)}\n"
        f"data = {text(settings.WORK / 'gateway-data')}\n"
        f"identity = {text(n.gateway.folder / 'device.json')}\n"
        f"authority_key = {text(n.authority.folder / 'key.json')}\n"
        f"anchors = [{text(n.manufacturer.folder / 'anchor.json')}]\n"
        f"metrics = \"127.0.0.1:{n.metrics['gateway']}\"\n" + common + policy + validators
    )
    for v in n.validators:
        (settings.WORK / f"{v.name}.toml").write_text(
            f"listen = {text(v.address)}\n"
            f"data = {text(settings.WORK / (v.name + '-data'))}\n"
            f"identity = {text(v.folder / 'device.json')}\n"
            f"anchors = [{text(n.manufacturer.folder / 'anchor.json')}]\n"
            f"peers = [{text(n.gateway.address)}]\n"
            f"metrics = \"127.0.0.1:{n.metrics[v.name]}\"\n" + common + policy
        )

