"""Child processes: each with a log, all ended by pid whatever happens."""
import json
import os
import signal
import socket
import subprocess
import time

import settings
from report import Stop


class Child:
    """A process, its log and the lines of its standard output."""

    def __init__(self, name, command):
        self.name = name
        self.out = settings.LOG / f"{name}.out"
        self.errors = settings.LOG / f"{name}.log"
        with open(self.out, "ab") as out, open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=errors, start_new_session=True
            )

    def running(self):
        return self.process.poll() is None

    def kill(self):
        """SIGKILL, as a power cut would: nothing is said, nothing is saved."""
        if self.running():
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self):
        """SIGTERM; the caller waits."""
        if self.running():
            os.kill(self.process.pid, signal.SIGTERM)

    def newest(self):
        """The newest whole line that it printed, as JSON; what a kill cut off is left out."""
        with open(self.out, "rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 16_384))
            lines = file.read().split(b"\n")[:-1]
        for line in reversed(lines):
            try:
                return json.loads(line)
            except ValueError:
                continue
        return {}

    def last_lines(self, count=12):
        text = self.errors.read_text(errors="replace") if self.errors.exists() else ""
        return "\n".join("    " + line[:200] for line in text.splitlines()[-count:])


class Family:
    """All children of this run; leaving the block ends those that are still there."""

    def __init__(self):
        self.children = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end_all(grace=3.0)

    def start(self, name, *command):
        child = Child(name, command)
        self.children.append(child)
        return child

    def must_run(self):
        """Nobody may end by itself."""
        for child in self.children:
            if not child.running() and child.process.returncode != -signal.SIGKILL:
                raise Stop(f"{child.name} ended with {child.process.returncode}; {child.errors} says:\n{child.last_lines()}")

    def end_all(self, grace):
        for child in self.children:
            child.end()
        deadline = time.monotonic() + grace
        for child in self.children:
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()


def free_ports(count):
    """Ports of 127.0.0.1 that nobody has now, all different."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports
