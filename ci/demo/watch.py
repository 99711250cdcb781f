"""The run itself: who is started, killed and started again, and when; and what is seen meanwhile."""
import json
import time
import urllib.request

import settings
from report import Stop, say


class Watch:
    """Reads the newest line of each device and the gateway's metrics, and prints what changed."""

    def __init__(self, neighbourhood, family):
        self.n = neighbourhood
        self.family = family
        self.devices = {}
        self.gateway = None
        self.begin = 0.0
        self.down = self.up = None  # absolute milliseconds

    def elapsed(self):
        return time.monotonic() - self.begin

    def start_gateway(self):
        config = settings.WORK / "gateway.toml"
        self.gateway = self.family.start("gateway", settings.GATEWAY, "run", "--config", config)

    def start_validators(self):
        for v in self.n.validators:
            self.family.start(v.name, settings.GATEWAY, "validator", "--config", settings.WORK / f"{v.name}.toml")

    def start_devices(self):
        self.begin = time.monotonic()
        for i in range(len(self.n.devices)):
            self.start_device(i)

    def start_device(self, i):
        device = self.n.devices[i]
        command = [settings.DEVICE, "--config", device.folder / "device.json", "--listen", device.address]
        command += ["--out", settings.OUT / device.name, "--store", settings.WORK / f"{device.name}-store"]
        # Who buys the stream sells nothing: what it owns at the end is what it was granted, less what it paid, and no more.
        command += ["--rate", 0 if i in (settings.PAYER, settings.LAPSER) else settings.READINGS_PER_SECOND]
        command += ["--trade", settings.PRICE, "--trade-every", 1000]
        command += ["--corrupt-every", settings.CORRUPT_EVERY]
        for other in self.n.devices:
            if other is not device:
                command += ["--peer", other.address]
        if i == settings.ES256:
            command[0] = settings.DEVICE_PSA
            command += ["--element", settings.ELEMENT]
        if i == settings.OWNER:
            command += ["--channel", settings.CHANNEL, "--channel-price", settings.MESSAGE_PRICE]
        if i in (settings.PAYER, settings.LAPSER, settings.STRANGER):
            command += ["--read", settings.CHANNEL]
        if i in (settings.PAYER, settings.LAPSER):
            command += ["--read-units", settings.UNITS, "--read-price", settings.MESSAGE_PRICE]
            command += ["--draws", settings.OUT / device.name / "draws.bin"]
        if i == settings.LAPSER:
            command += ["--read-stop", settings.LAPSES_AFTER]
        if i == settings.CHEAT:
            command += ["--equivocate-at", settings.CHEAT_AT]
        self.devices[device.name] = self.family.start(device.name, *command)

    def summary(self, name):
        """The last line of a device that has ended."""
        lines = self.devices[name].out.read_bytes().splitlines()
        try:
            return json.loads(lines[-1])
        except (IndexError, ValueError):
            return {}

    def all_newest(self):
        return [child.newest() for child in self.devices.values()]

    def honest(self):
        return [name for i, name in enumerate(self.devices) if i != settings.CHEAT]

    def progress(self):
        lines = self.all_newest()
        total = lambda key: sum(line.get(key, 0) for line in lines)
        active = sum(line.get("phase") == "active" for line in lines)
        header = max((line.get("header", 0) for line in lines), default=0)
        gateway = "gateway up" if self.gateway.running() else "GATEWAY DEAD"
        say(
            f"{gateway}, {active} of {len(lines)} devices active, {header} epochs settled | {total('readings_sent')} readings, "
            f"{total('payments_sent')} payments: {total('witnessed')} witnessed, {total('quorum')} quorum, "
            f"{total('settled')} settled, {total('receipts_verified')} receipts verified"
        )

    def wait_until(self, seconds):
        """Until so many seconds after the devices' start, with a line of progress every two."""
        while self.elapsed() < seconds:
            time.sleep(min(2.0, max(0.0, seconds - self.elapsed())))
            self.family.must_run()
            self.progress()

    def wait_for_members(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            time.sleep(0.5)
            self.family.must_run()
            if all(line.get("phase") == "active" for line in self.all_newest()):
                self.progress()
                return
        raise Stop(f"not all devices became members within 30 s; see {settings.LOG}")

    def kill_gateway(self):
        say("SIGKILL to the gateway: the devices are on their own now")
        self.gateway.kill()
        self.down = int(time.time() * 1000)

    def restart_gateway(self):
        say("the gateway is started again over its store")
        self.up = int(time.time() * 1000)
        self.start_gateway()

    def wait_for_units(self, units):
        """Until the payer has read so much."""
        payer = self.devices[self.n.devices[settings.PAYER].name]
        deadline = time.monotonic() + 25
        while payer.newest().get("reader", {}).get("purchase", {}).get("heard", 0) < units:
            if time.monotonic() > deadline:
                raise Stop(f"{payer.name} did not read {units} messages within 25 s; see {settings.LOG}")
            time.sleep(0.2)
            self.family.must_run()

    def restart(self, i, what):
        """SIGKILL in the middle of a sale, as a power cut would, and a second of silence."""
        device = self.n.devices[i]
        say(f"SIGKILL to {device.name}, {what}; it is started again over its store")
        self.devices[device.name].kill()
        time.sleep(1.0)
        self.start_device(i)

    def sales(self):
        """What the owner of the channel says of its sales."""
        return self.devices[self.n.devices[settings.OWNER].name].newest().get("channel", {}).get("sales", [])

    def settled_and_proved(self):
        """Every honest device holds the last epoch's header, and that of the last claim, and receipts of all its own that are settled."""
        lines = [self.devices[name].newest() for name in self.honest()]
        sales = self.sales()
        if len(sales) < 2 or not all(sale["settled"] for sale in sales):
            return False
        last = max(settings.EPOCHS, *(sale["settled"] for sale in sales))
        return all(line.get("header", 0) >= last and 0 < line.get("settled", 0) <= line.get("receipts_verified", 0) for line in lines)

    def metrics(self):
        """name -> value of the gateway's and each validator's Prometheus page."""
        pages = {}
        for name, port in self.n.metrics.items():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=3) as answer:
                    text = answer.read().decode()
            except OSError as error:
                raise Stop(f"{name} answers no metrics on port {port}: {error}") from error
            pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
            pages[name] = {key: float(value) for key, value in pairs}
        return pages
