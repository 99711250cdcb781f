#!/usr/bin/env python3
"""Prints what ci/bench-metal counted as tables, and judges it: by the ceilings, and by the committed table.

usage: judge.py COUNTS OUT COMMITTED [--write]

COUNTS has a line for each step: core, library, call, instructions, bytes of stack, "ok"; a call `flash` has bytes.
"""

import json
import sys

# Instructions: DESIGN section 10.
CEILINGS = {
    ("M4", "sign"): 800_000,
    ("M4", "verify"): 1_600_000,
    ("M4", "x25519"): 1_250_000,
    ("M0", "sign"): 5_000_000,
    ("M0", "verify"): 13_700_000,
}
STACK = 4_096
# Ours over the bare operations in it.
RATIO = 1.05
RATIOS = [
    ("create a transfer", ["create"], ["bare-sign"]),
    ("check a transfer", ["receive"], ["bare-verify"]),
    ("a node pays", ["node-pay"], ["bare-sign", "bare-verify"]),
    ("a node is paid", ["node-be-paid"], ["bare-verify"]),
]
# How much worse than the committed figure one may be: compilers differ.
TOLERANCE = 1.10
SLACK = {"instructions": 500, "stack": 64, "flash": 512}
OURS = ("iotedge", "iotedge-es256", "node")


def read(path):
    """{core: {library: {call: [instructions, stack]}}}, and what went wrong."""
    found, faults, vectors = {}, [], {}
    for line in open(path):
        parts = line.split()
        if len(parts) != 6 or parts[5] != "ok":
            faults.append("did not do what it should: " + line.strip())
            continue
        core, library, call, count, stack, _ = parts
        if library == "vectors":
            vectors[core] = f"{call} signatures, {count} rounds of X25519"
            continue
        found.setdefault(core, {}).setdefault(library, {})[call] = [int(count), int(stack)]
    for core, libraries in found.items():
        base = libraries.pop("nothing")["flash"][0]
        for calls in libraries.values():
            calls["flash"][0] -= base
    faults += [f"{core}: no vector was run" for core in found if core not in vectors]
    print("Vectors right on the core: " + "; ".join(f"{core} {what}" for core, what in vectors.items()) + "\n")
    return found, faults


def sum_of(calls, names):
    return sum(calls[name][0] for name in names)


def show(found):
    """Prints the tables, and returns what misses a ceiling."""
    missed = []

    def mark(bad, what):
        if bad:
            missed.append(what)
        return "  MISSED" if bad else ""

    cores = list(found)
    print("The bare operations: instructions (ceiling), bytes of stack; flash of the whole library, with its hash and what it needs of C's library")
    print(f"{'core':<5} {'library':<11}" + "".join(f"{call:>22}" for call in ("keygen", "sign", "verify", "x25519")) + f"{'flash':>8}")
    for core in cores:
        for library in ("iotedge", "monocypher", "dalek", "salty"):
            calls, line, bad = found[core][library], f"{core:<5} {library:<11}", ""
            for call in ("keygen", "sign", "verify", "x25519"):
                count, stack = calls[call]
                line += f"{count:>15,} {stack:>6}"
                if library == "iotedge":
                    bad += mark(count > CEILINGS.get((core, call), count), f"{core} {call}")
                    bad += mark(stack > STACK, f"{core} {call} stack")
            print(line + f"{calls['flash'][0]:>8}" + bad)
    print("ceilings: " + ", ".join(f"{core} {call} {most:,}" for (core, call), most in CEILINGS.items()) + f"; stack {STACK} everywhere")

    print("\nES256, with its hash")
    print(f"{'core':<5} {'library':<14}" + "".join(f"{call:>22}" for call in ("keygen", "sign", "verify")) + f"{'flash':>8}")
    for core in cores:
        for library in ("iotedge-es256", "p256"):
            calls, line, bad = found[core][library], f"{core:<5} {library:<14}", ""
            for call in ("es256-keygen", "es256-sign", "es256-verify"):
                count, stack = calls[call]
                line += f"{count:>15,} {stack:>6}"
                if library == "iotedge-es256":
                    bad += mark(stack > STACK, f"{core} {call} stack")
            print(line + f"{calls['flash'][0]:>8}" + bad)

    print("\nWhat a node does: instructions, bytes of stack")
    print(f"{'':<18}" + "".join(f"{core:>22}" for core in cores))
    for call in found[cores[0]]["node"]:
        if call == "flash":
            continue
        line, bad = f"{call:<18}", ""
        for core in cores:
            count, stack = found[core]["node"][call]
            line += f"{count:>15,} {stack:>6}"
            bad += mark(stack > STACK, f"{core} {call} stack")
        print(line + bad)

    print(f"\nOver the bare operations in it (at most {RATIO})")
    for name, ours, bare in RATIOS:
        line, bad = f"{name:<18}", ""
        for core in cores:
            ratio = sum_of(found[core]["node"], ours) / sum_of(found[core]["node"], bare)
            line += f"{ratio:>22.3f}"
            bad += mark(ratio > RATIO, f"{core} {name} over the bare operation")
        print(line + bad)
    return missed


def compare(found, committed):
    """What is worse than the committed table, and how many are so much better that it should be written again."""
    worse, better = [], 0
    for core, libraries in found.items():
        for library in OURS:
            for call, now in libraries[library].items():
                before = committed.get("figures", {}).get(core, {}).get(library, {}).get(call)
                if before is None:
                    worse.append(f"{core} {call}: not in the committed table")
                    continue
                for what, old, new in zip(("flash" if call == "flash" else "instructions", "stack"), before, now):
                    if new > old * TOLERANCE + SLACK[what]:
                        worse.append(f"{core} {library} {call}: {what} {old:,} before, now {new:,}")
                    better += new * TOLERANCE + SLACK[what] < old
    return worse, better


def main():
    counts, out, table = sys.argv[1:4]
    found, faults = read(counts)
    missed = show(found)
    result = {"figures": found, "missed": sorted(missed)}
    text = json.dumps(result, indent=1) + "\n"
    for path in [out] + [table] * ("--write" in sys.argv):
        with open(path, "w") as file:
            file.write(text)
    committed = json.load(open(table))
    faults += [f"missed, and was not before: {what}" for what in sorted(set(missed) - set(committed["missed"]))]
    worse, better = compare(found, committed)
    faults += worse
    if set(committed["missed"]) - set(missed) or better:
        print(f"\nBetter than the committed table ({better} figures by far; {len(set(committed['missed']) - set(missed))} ceilings kept now): ci/bench-metal --write")
    for fault in faults:
        print(f"bench-metal: {fault}", file=sys.stderr)
    print(f"\nbench-metal: {len(missed)} ceilings missed, {len(committed['missed'])} of them known (ci/metal/bench.json); {out}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
