#!/usr/bin/env python3
"""Writes the vectors of the signature rule as C, for vectors.c: those whose key and signature have the right lengths.

usage: vectors.py vectors/ed25519.json
"""

import json
import sys

cases = [c for c in json.load(open(sys.argv[1])) if len(c["key"]) == 64 and len(c["signature"]) == 128]


def text(hexadecimal):
    return '"' + "".join(f"\\x{byte:02x}" for byte in bytes.fromhex(hexadecimal)) + '"'


print("static const struct vector VECTORS[] = {")
for case in cases:
    message = case["message"]
    print(f'    {{"{case["name"]}", {text(case["key"])}, {text(message)}, {len(message) // 2}, {text(case["signature"])}, {int(case["valid"])}}},')
print("};")
