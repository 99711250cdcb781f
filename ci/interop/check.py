"""Checks what `make demo` left in a folder, as a stranger would who has the page docs/protocol.md and Python libraries.

    out/venv/bin/python ci/interop/check.py out/demo

Reads keys.json (public keys, each with what it is for), tx.json (full parent ids of each transaction), genesis.cose, set.cbor,
*.cwt, *.tx.cose, *.receipt.cose and *.macro.cose. Then flips bits in each kind of file: what is still accepted is an error.
Then opens the sealed stream that one device sold (stream.py).
"""
import json
import random
import sys
from pathlib import Path

import formats
from formats import Key, Refused, must
from stream import check_stream

TRANSFER_FRAME, READING_FRAME, FRAME_HEAD = 160, 190, 5
FLIPS_PER_FILE = 4


class Folder:
    """The files of a demo, and the keys to hold them against."""

    def __init__(self, path):
        self.path = path
        self.keys = {}  # use -> [Key]
        for entry in self.json("keys.json")["keys"]:
            self.keys.setdefault(entry["use"], []).append(Key(bytes.fromhex(entry["cose_key"])))
        for use in ("manufacturer", "neighbourhood", "gl-node", "validator", "device"):
            must(self.keys.get(use), f"keys.json: no key with use {use!r}")
        self.entries = {entry["file"]: entry for entry in self.json("tx.json")}
        self.entry_of_receipt = {e["receipt"]: e for e in self.entries.values() if e.get("receipt")}
        self.neighbourhood = None
        self.validators = {}
        self.roots = {}  # header number -> tree root that a quorum signed

    def json(self, name):
        return json.loads((self.path / name).read_text())

    def files(self, suffix):
        found = sorted(self.path.glob(f"*{suffix}"))
        must(found, f"no *{suffix} in {self.path}")
        return found

    def signer(self, kid, uses):
        """The pinned key with this kid."""
        for use in uses:
            for key in self.keys[use]:
                if key.kid == kid:
                    return key
        raise Refused("no pinned key with this kid")

    # Each check takes the bytes of a file, so that it can be called again with a bit flipped.

    def genesis(self, data):
        protected, unprotected, payload, signature = formats.sign1(formats.decode(data), "genesis")
        must(unprotected == {}, "genesis: unprotected headers")
        (key,) = self.keys["neighbourhood"]
        must(formats.decode(protected) == {1: key.alg, 4: key.kid}, "genesis: protected header")
        formats.verify_sign1((protected, {}, payload, signature), key, formats.encode(["iotedge/genesis/1"]))
        fields = formats.decode(payload)
        must(len(fields) == 16, "genesis: fields")
        return formats.sha256(b"iotedge/genesis/1", payload), fields

    def set(self, data, pinned):
        must(formats.sha256(b"iotedge/set/1", data) == pinned, "set: not the one that the genesis pins")
        _term, _start, members = formats.decode(data)
        keys = [(Key(formats.encode({1: 1, -1: 6, -2: x})), stake) for x, stake in members]
        must({key for key, _ in keys} == set(self.keys["validator"]), "set: not the validators of keys.json")
        return {key.kid: (key, stake) for key, stake in keys}

    def certificate(self, data):
        kid = formats.decode(formats.sign1(formats.decode(data), "certificate")[0]).get(4)
        _claims, key = formats.certificate(data, self.signer(kid, ("manufacturer", "neighbourhood")))
        must(any(key in keys for keys in self.keys.values()), "certificate: of a key that keys.json does not have")
        return key

    def issuer(self, entry):
        key = Key(bytes.fromhex(entry["issuer_key"]))
        must(key in self.keys["device"] + self.keys["gl-node"], "transaction: of a key that keys.json does not have")
        return key

    def transaction(self, data, entry):
        parents = [bytes.fromhex(parent) for parent in entry["parents"]]
        tx = formats.transaction(data, self.neighbourhood, self.issuer(entry), parents)
        must(tx.id.hex() == entry["id"], "transaction: id")
        frame = len(data) + FRAME_HEAD
        if tx.kind == 1:
            must(frame <= TRANSFER_FRAME, f"transfer: {frame} bytes")
        if tx.kind == 0:
            pack = [] if tx.body == formats.APPROVAL else formats.reading(tx.body)
            must(len(pack) > 1 or frame <= READING_FRAME, f"reading: {frame} bytes")
        return tx

    def receipt(self, data, entry):
        parents = [bytes.fromhex(parent) for parent in entry["parents"]]
        tx, vote = formats.receipt_file(data, self.neighbourhood, self.issuer(entry), parents, self.validators)
        must(tx.id.hex() == entry["id"] and vote.number == entry["header"], "receipt: of another transaction")
        must(vote.root == self.roots[vote.number], "receipt: another root than the macro transaction's")
        return tx

    def macro(self, data):
        (key,) = self.keys["gl-node"]
        return formats.macro_file(data, self.neighbourhood, key, self.validators)


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, what, function, *arguments):
        """The result of a check that must hold, or None."""
        try:
            result = function(*arguments)
        except Refused as refused:
            self.fail(what, refused)
            return None
        self.passed += 1
        return result

    def refuses(self, what, function, data, *arguments):
        """A bit flipped anywhere must be refused."""
        for _ in range(FLIPS_PER_FILE):
            place, bit = DICE.randrange(len(data)), DICE.randrange(8)
            bad = bytearray(data)
            bad[place] ^= 1 << bit
            try:
                function(bytes(bad), *arguments)
            except Refused:
                self.passed += 1
            else:
                self.fail(what, f"accepted with bit {bit} of byte {place} flipped")

    def fail(self, what, why):
        self.failed += 1
        print(f"FAILED {what}: {why}")


DICE = random.Random(20)


def check_folder(folder, tally):
    """Everything in the order of trust: genesis, set, certificates, headers, transactions, receipts."""
    data = (folder.path / "genesis.cose").read_bytes()
    found = tally.check("genesis.cose", folder.genesis, data)
    if found is None:
        return
    folder.neighbourhood, fields = found
    tally.refuses("genesis.cose", folder.genesis, data)
    data = (folder.path / "set.cbor").read_bytes()
    folder.validators = tally.check("set.cbor", folder.set, data, fields[14]) or {}
    tally.refuses("set.cbor", folder.set, data, fields[14])

    counts = {}

    def each(suffix, function, arguments=lambda file: ()):
        results = []
        for file in folder.files(suffix):
            data, name = file.read_bytes(), str(file.relative_to(folder.path))
            result = tally.check(name, function, data, *arguments(file))
            if result is not None:
                results.append(result)
                tally.refuses(name, function, data, *arguments(file))
        counts[suffix] = len(results)
        return results

    certified = set(each(".cwt", folder.certificate))
    missing = [key.kid.hex() for key in folder.keys["device"] if key not in certified]
    tally.check("every device has a certificate", lambda: must(not missing, f"none for {missing}"))

    headers = each(".macro.cose", folder.macro)
    headers.sort(key=lambda header: header["number"])
    previous = {"number": 0, "hash": folder.neighbourhood}
    for header in headers:
        if header["number"] == previous["number"] + 1:
            tally.check("header chain", lambda: must(header["previous"] == previous["hash"], f"header {header['number']}"))
        folder.roots[header["number"]] = header["root"]
        previous = header

    each(".tx.cose", folder.transaction, lambda file: (folder.entries[file.name],))
    each(".receipt.cose", folder.receipt, lambda file: (folder.entry_of_receipt[file.name],))
    kinds = ", ".join(f"{count} *{suffix}" for suffix, count in counts.items())
    print(f"interop: {kinds} accepted by pycose, cwt, cbor2 and hashlib; {FLIPS_PER_FILE} bits flipped in each file")


def main():
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "out/demo")
    tally = Tally()
    try:
        folder = Folder(path)
        check_folder(folder, tally)
        check_stream(folder, tally)
    except (OSError, Refused, KeyError, ValueError) as error:
        tally.fail(str(path), f"{type(error).__name__}: {error}")
    print(f"{tally.passed} passed, {tally.failed} failed")
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()
