"""Builds what runs in the demo: the gateway, libiotedge.a and the C device."""
import os
import shlex
import subprocess
import time

import settings
from report import Stop, say


def run(*command, **options):
    """A command that must succeed; what it says goes to the terminal."""
    result = subprocess.run([str(word) for word in command], cwd=settings.ROOT, **options)
    if result.returncode != 0:
        raise Stop(f"`{shlex.join(str(word) for word in command)}` failed with {result.returncode}")


def everything():
    begin = time.monotonic()
    say("building the gateway and libiotedge.a (release; the first time takes most of the demo)")
    run("cargo", "build", "--release", "--locked", "--quiet", "-p", "iotedge-ffi", "-p", "iotedge-gateway")
    say("building the device: C against include/iotedge.h and libiotedge.a")
    example = settings.ROOT / "examples-c"
    sources = sorted((example / "linux").glob("*.c")) + [example / "common" / "json.c"]
    flags = "-std=c11 -D_DEFAULT_SOURCE -O2 -Wall -Wextra -Wpedantic -Werror".split() + [f"-DWINDOW_SIZE={settings.WINDOW}"]
    libraries = "-lpthread -ldl -lm".split()
    compiler = shlex.split(os.environ.get("CC", "cc"))
    archive = settings.TARGET / "release" / "libiotedge.a"
    run(*compiler, *flags, "-I", settings.ROOT / "include", *sources, archive, *libraries, "-o", settings.DEVICE)
    psa = example / "ports" / "psa"
    sources = [s for s in sources if s.name != "element_soft.c"] + [psa / "psa_signer.c", psa / "element_psa.c"]
    run(*compiler, *flags, "-I", settings.ROOT / "include", *sources, archive, "-lmbedcrypto", *libraries, "-o", settings.DEVICE_PSA)
    say(f"built in {time.monotonic() - begin:.0f} s")
