"""The three boards under QEMU: how each is built, started, told apart, and reset as by its button."""
import json
import socket
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import settings
from report import Stop


@dataclass
class Board:
    """A board, the process that plays it, and what its program said."""

    name: str
    what: str
    kind: str  # of its certificate
    image: Path
    qemu: list
    provisioned_at: int
    reset_keeps: str
    port: int = 0  # its UART, as a TCP server
    hub: int = 0  # where the gateway listens on its behalf for the neighbours behind the line
    child: object = None
    words: Counter = field(default_factory=Counter)
    errors: list = field(default_factory=list)
    member: int = -1
    _read: int = 0

    @property
    def said(self):
        return settings.LOG / f"{self.name}.txt"

    @property
    def control(self):
        return settings.WORK / f"{self.name}.qmp"

    def start(self, family):
        self.child = family.start(
            self.name, *self.qemu, "-display", "none", "-monitor", "none", "-kernel", self.image,
            "-serial", f"tcp:127.0.0.1:{self.port},server=on,wait=off",
            "-qmp", f"unix:{self.control},server=on,wait=off",
            "-chardev", f"file,id=said,path={self.said}", "-semihosting-config", "enable=on,target=native,chardev=said",
            "-device", f"loader,file={settings.WORK / (self.name + '.provision')},addr={self.provisioned_at:#x},force-raw=on",
        )

    def reset(self):
        """The reset button: registers are as after power-on, flash stays, and RAM is what the start-up code makes of it."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(str(self.control))
            answers = line.makefile("r")
            answers.readline()
            for command in ("qmp_capabilities", "system_reset"):
                line.sendall(json.dumps({"execute": command}).encode() + b"\n")
                while "return" not in (answer := json.loads(answers.readline())):
                    if "error" in answer:
                        raise Stop(f"{self.name}: QEMU refuses {command}: {answer['error']}")

    def listen(self):
        """Takes in what it said since the last time."""
        if not self.said.exists():
            return
        text = self.said.read_text(errors="replace")
        new, self._read = text[self._read : text.rfind("\n") + 1], text.rfind("\n") + 1
        for line in new.splitlines():
            word, _, rest = line.partition(" ")
            self.words[word] += 1
            if word == "member":
                self.member = int(rest)
            elif word == "error:":
                self.errors.append(rest)
            elif word == "paid":
                self.words["value"] += int(rest)

    def forget(self):
        """Counts from here on, as for a board that was just reset."""
        self.listen()
        self.words.clear()


def cortex(name, *more):
    return ["qemu-system-arm", "-M", name, *more]


def all_of_them():
    images = settings.ROOT / "out/firmware"
    return [
        Board("microbit", "Cortex-M0, 16 KiB RAM: a sensor", "leaf", images / "microbit.elf", cortex("microbit"), 0x37000, "NVM"),
        Board("mps2", "Cortex-M4F: a member with a window of 128", "device", images / "mps2.elf", cortex("mps2-an386"), 0x21000000, "PSRAM"),
        Board("virt", "RV32IMAC: a member with a window of 128", "device", images / "virt.elf",
              ["qemu-system-riscv32", "-M", "virt", "-bios", "none", "-m", "16M", "-cpu", "rv32,zkr=on"], 0x22000000, "CFI flash"),
    ]


def build():
    run("ci/firmware")


def run(*command):
    result = subprocess.run([str(word) for word in command], cwd=settings.ROOT)
    if result.returncode != 0:
        raise Stop(f"`{' '.join(str(word) for word in command)}` failed with {result.returncode}")


def wait(what, seconds, family, boards, done):
    """Until `done(board)` of every board; fails with those that are missing."""
    deadline = time.monotonic() + seconds
    while True:
        family.must_run()
        for board in boards:
            board.listen()
            if board.errors:
                raise Stop(f"{board.name} says: {board.errors[0]}; all of it in {board.said}")
        missing = [board.name for board in boards if not done(board)]
        if not missing:
            return
        if time.monotonic() > deadline:
            raise Stop(f"after {seconds} s: {what}: not {', '.join(missing)}; what they said is in {settings.LOG}")
        time.sleep(0.5)
