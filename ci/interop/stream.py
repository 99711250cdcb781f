"""The sealed stream of `make demo`, opened by strangers' libraries: docs/protocol.md sections 3 and 12, with channel.py.

Each device leaves the transactions that it sent under their ids; who locked a deposit leaves the random bytes that it drew, among which
is the X25519 secret of each of its requests. Both are material only: each id is hashed again, each signature verified where the parents
are known, and a reader must come to open as many messages as its device says, from the bytes alone; a stranger opens none.
"""
import json

import channel
import formats
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from formats import Key, Refused, must

KIND_CHANNEL = 4
VERSION, SIGNED = 0x10, 1
CUTS = 1  # The demo kills this reader's device or the owner once: what was sent in that moment may have left no file.


class Said:
    """What a device said of channels, in the order of its chain."""

    def __init__(self, folder, name, summary, full):
        self.member, self.device = summary["member"], bytes.fromhex(summary["device"])
        (self.key,) = [key for key in folder.keys["device"] if key.thumbprint == self.device]
        self.bodies, self.verified, self.sent = [], 0, 0
        for file in sorted((folder.path / name).glob("*.tx.cose")):
            self.read(file, folder.neighbourhood, full)
        self.bodies = [body for _, body in sorted(self.bodies, key=lambda entry: entry[0])]

    def read(self, file, neighbourhood, full):
        data, id = file.read_bytes(), bytes.fromhex(file.name.split(".")[0])
        payload = formats.sign1(formats.decode(data), "transaction")[2]
        _, _, issuer, number, _, prefixes, kind, body = formats.decode(payload)
        must(formats.sha256(b"iotedge/tx/1", neighbourhood, payload) == id and issuer == self.member, f"{file.name}: another id or issuer")
        self.sent += 1
        parents = [full.get(prefixes[at : at + 16]) for at in range(0, len(prefixes), 16)]
        if None not in parents:
            must(formats.transaction(data, neighbourhood, self.key, parents).id == id, f"{file.name}: id")
            self.verified += 1
        if kind == KIND_CHANNEL:
            self.bodies.append((number, channel.said(body)))


def secrets(drawn, wanted):
    """X25519 key -> secret, for the keys that were asked with: somewhere among the bytes that were drawn."""
    found = {}
    for at in range(len(drawn) - 31):
        public = X25519PrivateKey.from_private_bytes(drawn[at : at + 32]).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        if public in wanted:
            found[public] = drawn[at : at + 32]
    return found


class Reader:
    """Opens what the owner said, as far as its grants and paths lead: (key epoch, index) -> the message and its secret."""

    def __init__(self, id, number, member, device, keys):
        self.id, self.number, self.member, self.device, self.keys = id, number, member, device, keys
        self.chains, self.seat, self.slot_key = {}, None, None
        self.opened, self.granted, self.revoked, self.sealed = {}, 0, 0, 0

    def hear(self, fields):
        op, *rest = fields
        if op == 2 or rest[0] != self.number:
            return
        if op == 3 and rest[3] == self.member:
            self.grant(*rest[1:3], rest[4])
        elif op == 5 and rest[1] == self.member and self.slot_key is not None:
            self.seat = rest[2], channel.open_path(rest[3], self.id, rest[2], self.slot_key)
        elif op == 4:
            self.rekey(*rest[1:3], rest[4])
        elif op == 6:
            self.message(rest[1])

    def grant(self, epoch, index, sealed):
        for secret in self.keys.values():
            private = channel.SUITE.kem.deserialize_private_key(secret)
            try:
                chain, self.slot_key = channel.open_grant(sealed, private, self.id, epoch, index, self.device, b"")
            except Exception:  # pyhpke has its own; the grant may be for another of this reader's requests.
                continue
            self.chains.setdefault(epoch, [index, chain])
            self.granted += 1
            return

    def rekey(self, epoch, index, wraps):
        if self.seat is None:
            return
        slot, keys = self.seat
        try:
            self.chains.setdefault(epoch, [index, channel.unwrap(wraps, keys, self.id, epoch, index, slot)])
        except Refused:
            self.revoked += 1
            self.seat = None

    def message(self, data):
        for epoch, (first, chain) in self.chains.items():
            for ahead in range(64):
                secret = channel.secret_at(chain, ahead, b"")
                if channel.expand(secret, b"iotedge/channel/find/1", 8) == data[1:9]:
                    self.open(data, secret, epoch, first + ahead)
                    self.opened[epoch, first + ahead] = data, secret
                    return
        self.sealed += 1

    def open(self, data, secret, epoch, index):
        """The transaction's signature is the message's: none stands behind it."""
        must(data[0] & ~2 == VERSION | SIGNED, "message: flags")
        plain, _ = channel.open_message(data, data[0], secret, self.id, epoch, index, None)
        formats.reading(plain)


def the_reader(folder, summary, name, owner, number):
    """What this device can open of all that the owner said, and the keys that it asked with."""
    device = folder.path / name
    mine = Said(folder, name, summary, {})
    asked = {body[3] for body in mine.bodies if body[0] == 2 and body[1:3] == [owner.member, number]}
    must(asked, f"{name}: asked for nothing")
    drawn = device / "draws.bin"
    keys = secrets(drawn.read_bytes(), asked) if drawn.exists() else {}
    id = channel.channel_id(folder.neighbourhood, owner.device, number)
    reader = Reader(id, number, mine.member, mine.device, keys)
    for body in owner.bodies:
        reader.hear(body)
    return reader, asked


def check_stream(folder, tally):
    devices = json.loads((folder.path / "summary.json").read_text())["per_device"]
    full = {bytes.fromhex(file.name.split(".")[0])[:16]: bytes.fromhex(file.name.split(".")[0]) for file in folder.path.glob("*/*.tx.cose")}
    for id in [folder.neighbourhood, *(bytes.fromhex(id) for entry in folder.entries.values() for id in (entry["id"], *entry["parents"]))]:
        full[id[:16]] = id
    ((name, summary),) = [(name, summary) for name, summary in devices.items() if "channel" in summary]
    number = summary["channel"]["number"]
    owner = tally.check(f"{name}: what it said of its channel", Said, folder, name, summary, full)
    if owner is None:
        return
    messages = sum(body[0] == 6 for body in owner.bodies)
    tally.check(f"{name}: signatures", lambda: must(owner.verified * 2 > owner.sent > 0, f"{owner.verified} of {owner.sent} could be verified"))
    told = []
    for name, summary in devices.items():
        if "reader" not in summary:
            continue
        made = tally.check(f"{name}: the stream", the_reader, folder, summary, name, owner, number)
        if made is None:
            continue
        reader, asked = made
        bought, opened = summary["reader"]["purchase"], len(reader.opened)
        for (epoch, index), (data, secret) in reader.opened.items():
            tally.refuses(f"{name}: message {index} of key epoch {epoch}", reader.open, data, secret, epoch, index)
        if bought["ticks"] == 0:
            tally.check(f"{name}: a stranger", lambda: must(opened == 0 and reader.sealed == messages > 0, f"opened {opened} of {messages} messages"))
        else:
            tally.check(f"{name}: its secrets", lambda: must(set(reader.keys) == asked, f"{len(reader.keys)} of {len(asked)} are among what it drew"))
            tally.check(
                f"{name}: what it paid for",
                lambda: must(reader.granted and reader.revoked and abs(opened - bought["heard"]) <= CUTS, f"opened {opened}, its device read {bought['heard']}"),
            )
        told.append(f"{opened} by {name}, which paid {bought['ticks']}")
    print(f"interop: sealed stream of {messages} messages, {owner.verified} of {owner.sent} signatures of its owner verified; opened {', '.join(told)}")
