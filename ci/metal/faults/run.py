#!/usr/bin/env python3
"""Runs the tests of an image of faults.c under QEMU, several at once, and judges what came of each skipped instruction: see ci/faults.

usage: run.py IMAGE REPORT.json [--all] [--always] [--only TEXT] [--jobs N] [--report]
"""
import argparse
import bisect
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

# Instructions of a call that the harness can follow, and up to which one is in the short form; and what is in that for what it is.
TRACED = 4_000_000
SHORT = 260_000
LONG = ("verify: no key in the sum", "verify: ES256, no key in the sum")
CONTROL = "control: a naive comparison"


def emulate(image, *arguments):
    config = "enable=on,target=native," + ",".join(f"arg={a}" for a in ("faults", *arguments))
    command = ["qemu-system-arm", "-M", "mps2-an386", "-icount", "shift=6,sleep=off", "-semihosting-config", config, "-nographic", "-monitor", "none",
               "-serial", "none", "-kernel", image]
    out = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    lines = (out.stdout + out.stderr).splitlines()
    if not lines or lines[-1] != "end":
        sys.exit(f"ci/faults: {' '.join(arguments)}: " + "\n".join(lines[-3:] or ["QEMU said nothing"]))
    return lines[:-1]


class Code:
    """Where an address is: the function, the distance, and the instruction."""

    def __init__(self, image):
        self.image, self.at, self.names, self.text = image, [], [], {}

    def read(self):
        lines = subprocess.run(["arm-none-eabi-nm", "-n", "-C", self.image], check=True, capture_output=True, text=True).stdout.splitlines()
        for address, kind, name in (line.split(" ", 2) for line in lines):
            if kind in "tT" and not name.startswith("$"):
                self.at.append(int(address, 16) & ~1)
                self.names.append(name)
        shown = subprocess.run(["arm-none-eabi-objdump", "-d", "-M", "force-thumb", "--no-show-raw-insn", self.image], check=True, capture_output=True, text=True).stdout
        for line in re.finditer(r"^\s*([0-9a-f]+):\s+(.*?)(?:\s*[@;].*)?$", shown, re.M):
            self.text[int(line.group(1), 16)] = line.group(2).replace("\t", " ")

    def where(self, address):
        if not self.at:
            self.read()
        i = bisect.bisect_right(self.at, address) - 1
        return f"{self.names[i]}+{address - self.at[i]:#x}: {self.text.get(address, '?')}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image")
    parser.add_argument("report")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--always", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--report", dest="judge", action="store_false")
    given = parser.parse_args()
    code, begin = Code(given.image), time.monotonic()

    # Each is refused without a fault, and its good input is not.
    names = emulate(given.image)
    wanted = [i for i, name in enumerate(names) if given.only in name or name == CONTROL]
    lengths = {}
    for line in emulate(given.image, "0", "0", " ".join(map(str, wanted))):
        _, _, length, name = line.split(" ", 3)
        lengths[names.index(name)] = int(length)
    plan = [i for i in wanted if lengths[i] <= (TRACED if given.all or given.only or names[i] in LONG else SHORT)]

    def one(i):
        most = 9999 if names[i] == CONTROL or lengths[i] <= 2_000 else 2 if lengths[i] <= 4_000 else 1
        if given.all and lengths[i] <= 300_000:
            most = max(4, most)
        always = names[i] == CONTROL or given.always
        return i, emulate(given.image, str(most), str(int(always)), str(i))

    accepted, table, total = [], {}, {}
    with ThreadPoolExecutor(given.jobs) as pool:
        for count, (i, lines) in enumerate(pool.map(one, sorted(plan, key=lambda i: -lengths[i]))):
            for line in lines:
                word = line.split(" ")
                if word[0] == "accepted":
                    if names[i] != CONTROL:
                        accepted.append({"test": names[i], "fault": word[1], "instance": int(word[3]), "at": int(word[4]), "of": int(word[5]), "where": code.where(int(word[2]))})
                elif word[0] == "done":
                    figures = dict(zip(("instructions", "sites", "skips", "accepted", "refused", "crashed", "hung"), map(int, word[2:9])))
                    table.setdefault(names[i], {})[word[1]] = figures
            if sys.stderr.isatty():
                print(f"\r{count + 1} of {len(plan)}", end="", file=sys.stderr)

    for name, faults in table.items():
        for fault, figures in faults.items():
            sums = total.setdefault((name.split(":")[0], fault), dict.fromkeys(("tests", "skips", "accepted", "refused", "crashed", "hung"), 0))
            sums["tests"] += 1
            for what in ("skips", "accepted", "refused", "crashed", "hung"):
                sums[what] += figures[what]
    print(f"{'call':14} {'skipped':8} {'tests':>6} {'skips':>8} {'accepted':>9} {'refused':>8} {'crashed':>8} {'hung':>6}")
    for (call, fault), sums in sorted(total.items()):
        print(f"{call:14} {fault:8} {sums['tests']:6} {sums['skips']:8} {sums['accepted']:9} {sums['refused']:8} {sums['crashed']:8} {sums['hung']:6}")
    for each in accepted:
        print(f"ACCEPTED  {each['test']}: {each['fault']}, instance {each['instance']}, instruction {each['at']} of {each['of']}: {each['where']}")
    with open(given.report, "w") as report:
        json.dump({"tests": table, "accepted": accepted}, report, indent=1)
        report.write("\n")
    print(f"{len(plan)} refused inputs, {sum(s['skips'] for s in total.values())} skips, {len(accepted)} accepted, in {time.monotonic() - begin:.0f} s")
    if not table[CONTROL]["once"]["accepted"] or not table[CONTROL]["always"]["accepted"]:
        sys.exit("ci/faults: no skip broke the naive comparison: the harness finds nothing")
    # An instruction that is gone for good is another attack: printed, not judged.
    once = sum(each["fault"] == "once" for each in accepted)
    if once and given.judge:
        sys.exit(f"ci/faults: {once} skips let in what must be refused")


main()
