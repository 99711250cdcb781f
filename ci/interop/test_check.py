"""check.py over a folder that world.py made, and over the same folder with something wrong in it."""
import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

import check
from formats import APPROVAL, encode, sha256, set_hash
from world import Signer, World


def write(path, **world_of):
    """A demo's folder."""
    world = World()
    authority = Signer("authority")
    members = [(v.x, 25) for v in world.validators]
    genesis = encode(
        [1, sha256(b"nonce"), 0, 0, 60_000, 15_000, 2, [1, 2, 3], 9, 9, 0, 3, 3, sha256(b""), set_hash(1, 1, members), 10**9]
    )
    protected = encode({1: -8, 4: authority.key.kid})
    genesis_cose = encode(authority.sign1(protected, genesis, encode(["iotedge/genesis/1"])))
    world = World(neighbourhood=sha256(b"iotedge/genesis/1", genesis), **world_of)
    (path / "genesis.cose").write_bytes(genesis_cose)
    (path / "set.cbor").write_bytes(encode([1, 1, [list(m) for m in members]]))
    uses = [("manufacturer", world.manufacturer), ("neighbourhood", authority), ("gl-node", world.gl_node)]
    uses += [("validator", v) for v in world.validators] + [("device", d) for d in world.devices]
    keys = [{"cose_key": signer.key.encoded.hex(), "use": use} for use, signer in uses]
    (path / "keys.json").write_text(json.dumps({"keys": keys}))
    for i, certificate in enumerate(world.certificates):
        (path / f"device-{i}.cwt").write_bytes(certificate)
    entries = []
    for i, (cose, device, parents, id) in enumerate(world.transactions):
        (path / f"{i}.tx.cose").write_bytes(cose)
        (path / f"{i}.receipt.cose").write_bytes(world.receipt_file(i + 1))
        entries.append(
            {
                "file": f"{i}.tx.cose",
                "id": id.hex(),
                "parents": [parent.hex() for parent in parents],
                "issuer_key": world.devices[device].key.encoded.hex(),
                "header": 1,
                "receipt": f"{i}.receipt.cose",
            }
        )
    (path / "tx.json").write_text(json.dumps(entries))
    (path / "1.macro.cose").write_bytes(world.macro_file())


class Check(unittest.TestCase):
    def run_with(self, spoil, **world_of):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            path, tally = Path(folder), check.Tally()
            write(path, **world_of)
            spoil(path)
            check.check_folder(check.Folder(path), tally)
        return tally

    def test_a_right_folder_passes(self):
        tally = self.run_with(lambda path: None)
        self.assertEqual(tally.failed, 0)
        self.assertGreater(tally.passed, 50)

    def test_a_wrong_file_fails(self):
        def swap(a, b):
            return lambda path: (path / a).write_bytes((path / b).read_bytes())

        def other_header(path):
            entries = json.loads((path / "tx.json").read_text())
            entries[0]["header"] = 2
            (path / "tx.json").write_text(json.dumps(entries))

        def no_certificate(path):
            (path / "device-0.cwt").unlink()

        for spoil in (swap("0.tx.cose", "1.tx.cose"), swap("0.receipt.cose", "1.receipt.cose"), other_header, no_certificate):
            self.assertEqual(self.run_with(spoil).failed, 1)

    def test_data_that_is_neither_a_reading_nor_an_approval_fails(self):
        for body in (b"", b"\xa0", b"\x80\x80", b"\x81\xa0"):
            self.assertEqual(self.run_with(lambda path: None, data=[body, APPROVAL]).failed, 1, body)


if __name__ == "__main__":
    unittest.main()
