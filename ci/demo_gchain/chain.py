"""An Ethereum node of our own on this machine, and what `iotedge-gateway gchain` says to the contract."""
import json
import time
import urllib.error
import urllib.request

import settings
from neighbourhood import tool
from processes import free_ports
from report import Stop


class Chain:
    """anvil, with a block each second."""

    def __init__(self, family):
        self.url = f"http://127.0.0.1:{free_ports(1)[0]}"
        self.contract = None
        if not settings.ANVIL:
            raise Stop("anvil is missing: run 'ci/setup gchain'")
        self.child = family.start(
            "anvil", settings.ANVIL, "--host", "127.0.0.1", "--port", self.url.rsplit(":", 1)[1], "--chain-id", settings.CHAIN_ID,
            "--block-time", settings.BLOCK_SECONDS, "--hardfork", "osaka", "--silent",
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                self.call("eth_blockNumber")
                return
            except OSError:
                time.sleep(0.1)
        raise Stop(f"anvil does not answer; see {self.child.errors}")

    def call(self, method, *params):
        """A JSON-RPC call to anvil itself."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            said = json.load(answer)
        if "error" in said:
            raise Stop(f"{method}: {said['error']}")
        return said["result"]

    def give(self, account, ether):
        self.call("anvil_setBalance", account, hex(ether * 10**18))

    def balance(self, account):
        return int(self.call("eth_getBalance", account, "latest"), 16)

    def place(self):
        return ["--rpc", self.url, "--chain-id", settings.CHAIN_ID]

    def say(self, who, command, *arguments):
        """`iotedge-gateway gchain COMMAND` as somebody."""
        return tool("gchain", command, *self.place(), *(["--contract", self.contract] if self.contract else []), *who.flags(), *arguments)

    def status(self, neighbourhood=None, *masternodes):
        of = ["--neighbourhood", neighbourhood] if neighbourhood else []
        of += [word for account in masternodes for word in ("--masternode", account)]
        return tool("gchain", "status", *self.place(), "--contract", self.contract, *of)


class Account:
    """A key file under a password."""

    def __init__(self, name, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.file, self.password = folder / "account.json", folder / "password"
        self.password.write_text(f"only for the demo, {name}\n")
        self.address = tool("gchain", "key", "--out", self.file, "--password-file", self.password)["account"]

    def flags(self):
        return ["--account", self.file, "--password-file", self.password]
