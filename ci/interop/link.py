"""The link of docs/protocol.md section 9 as a stranger writes it: packets, reassembly, and the reader of compressed frames. Nothing here
calls our own code, and nothing here was made from it: the page alone.
"""
import zlib

import cbor2

MAX_FRAME = 1400


class Malformed(Exception):
    """No honest peer writes so."""


class OutOfStep(Exception):
    """The two ends do not hold the same."""


class Corrupt(Exception):
    """Fragments of something else."""


def check(frame):
    return (zlib.crc32(frame) & 0xFFFF).to_bytes(2, "big")


class Context:
    """What the reader holds, from a row of vectors/link.json."""

    def __init__(self, row):
        self.tag = bytes.fromhex(row["tag"])
        self.header = row["header"]
        self.clocks = dict(map(tuple, row["clocks"]))
        self.held = {bytes.fromhex(h["id"]): h for h in row["held"]}
        self.bodies = {bytes.fromhex(i): bytes.fromhex(b) for i, b in row["bodies"]}

    def head(self, issuer):
        numbers = [h["number"] for h in self.held.values() if h["issuer"] == issuer]
        if not numbers:
            raise OutOfStep(f"member {issuer}")
        return max(numbers)

    def at(self, issuer, number):
        return one(i for i, h in self.held.items() if (h["issuer"], h["number"]) == (issuer, number))

    def clock(self, epoch):
        if epoch not in self.clocks:
            raise OutOfStep(f"epoch {epoch}")
        return self.clocks[epoch]


def one(found):
    found = list(found)
    if len(found) != 1:
        raise OutOfStep("not held")
    return found[0]


class Bytes:
    def __init__(self, data):
        self.data = data

    def take(self, n):
        if n > len(self.data):
            raise Malformed("too short")
        head, self.data = self.data[:n], self.data[n:]
        return head

    def uint(self, n):
        return int.from_bytes(self.take(n), "big")

    def varint(self):
        value = 0
        for place in range(9):
            byte = self.uint(1)
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                return value
        raise Malformed("a long integer")


def near(low, bits, first):
    """The number at or above `first` with these low bits."""
    first = max(first, 0)
    return first + (low - first) % (1 << bits)


def name(data, own):
    """(issuer, low bits, number of bits), or a prefix."""
    first = data.uint(1)
    if first < 0x80:
        both = first << 8 | data.uint(1)
        return both >> 4, both & 15, 4
    if first == 0x80:
        return data.uint(2), data.uint(1), 8
    if first == 0xA0 and own:
        return data.uint(2), data.uint(4), 32
    if first == 0xC0 and not own:
        return data.take(16)
    raise Malformed("an unknown form of name")


def resolve(named, context):
    """The full id of what was named; a prefix stays one."""
    if isinstance(named, bytes):
        return named
    issuer, low, bits = named
    head = context.head(issuer)
    number = near(low, bits, head - (15 if bits == 4 else 255))
    if number > head:
        raise OutOfStep("not here yet")
    return context.at(issuer, number)


def transaction(first, data, context):
    flags, own = data.uint(1), name(data, True)
    epoch = data.varint() if flags & 0x20 else None
    time = data.varint()
    before = data.take(16) if flags & 0x80 else None
    named = [name(data, False) for _ in range(first & 7)]
    signature = data.take(64)

    issuer, low, bits = own
    number = low
    if bits < 32:
        number = near(low, bits, context.head(issuer) - (3 if bits == 4 else 63))
    elif context.head(issuer) is None:
        raise OutOfStep("issuer")
    last = None
    if before is None:
        last = context.at(issuer, number - 1)
        before = last[:16]
    others = [resolve(n, context) for n in named]
    both = [context.held[i] for i in [last, *others] if i in context.held]
    if epoch is None:
        epoch = max((h["epoch"] for h in both), default=None)
    if epoch is None:
        raise OutOfStep("epoch")
    if not flags & 0x40:
        reference = max((h["time"] for h in both), default=None)
        if reference is None:
            raise OutOfStep("time")
        time = reference + time - context.clock(epoch)
    if time < 0:
        raise OutOfStep("before its epoch")

    kind, attached = flags & 15, bool(first & 0x10)
    if kind in (0, 5, 10, 11):
        start = end = b""
        if kind >= 10:
            kind = {10: 0, 11: 5}[kind]
            old = context.bodies.get(last)
            if old is None:
                raise OutOfStep("body")
            n, m = data.uint(1), data.uint(1)
            if n + m > len(old):
                raise OutOfStep("another body")
            start, end = old[:n], old[len(old) - m :]
        between = data.take(data.varint() if attached else len(data.data))
        body = cbor2.dumps(start + between + end)
    else:
        # Items that tell where they end: read as one array with a head that is put before them.
        head = b"\x83" if kind == 1 else b""
        body, data.data = item(head + data.data)
    if attached != bool(data.data):
        raise Malformed("attachment")
    parents = before + b"".join(sorted(i[:16] for i in others))
    payload = b"\x88" + b"".join(map(cbor2.dumps, [1, epoch, issuer, number, time, parents, kind])) + body
    algorithm = b"\xa1\x01\x26" if flags & 0x10 else b"\xa1\x01\x27"
    cose = b"\x84" + b"".join(map(cbor2.dumps, [algorithm, {}, payload, signature]))
    return context.tag + b"\x01" + cose + data.data


def item(data):
    """The first CBOR item and what follows it."""
    import io

    stream = io.BytesIO(data)
    try:
        cbor2.CBORDecoder(stream, read_size=1).decode()
    except Exception as error:  # whatever the library makes of hostile bytes
        raise Malformed(str(error)) from error
    return data[: stream.tell()], data[stream.tell() :]


def announcement(data, context):
    if not data.data or len(data.data) % 16:
        raise Malformed("not whole prefixes")
    ids = [data.take(16) for _ in range(len(data.data) // 16)]
    return context.tag + b"\x02" + cbor2.dumps(ids)


def request(data, context):
    if not data.data or len(data.data) % 4:
        raise Malformed("not whole beginnings")
    short = [data.take(4) for _ in range(len(data.data) // 4)]
    ids = [one(i for i in context.held if i[:4] == s)[:16] for s in short]
    return context.tag + b"\x03" + cbor2.dumps(ids)


def beacon(data, context):
    header = near(data.uint(1), 8, context.header - 127)
    since, named = data.varint(), []
    while data.data:
        named.append(name(data, False))
    tips = [resolve(n, context)[:16] for n in named]
    return context.tag + b"\x04" + cbor2.dumps([context.clock(header + 1) + since, header, tips])


def rebuild(packed, context):
    """The frame of a compressed datagram."""
    data = Bytes(packed)
    first, wanted = data.uint(1), data.take(2)
    rules = {4: announcement, 5: request, 6: beacon}
    if first not in rules and not 0x08 <= first <= 0x17:
        raise Malformed("no rule")
    if context is None or not any(context.tag):
        raise OutOfStep("no neighbourhood")
    if first in rules:
        frame = rules[first](data, context)
    else:
        frame = transaction(first, data, context)
    if check(frame) != wanted:
        raise OutOfStep("another check")
    return frame


def split(frame, mtu, number):
    """The packets of a frame that goes whole."""
    datagram = b"\x00" + frame
    if len(datagram) <= mtu:
        return [datagram]
    data = datagram + zlib.crc32(datagram).to_bytes(4, "little")
    tiles = [data[i : i + mtu - 2] for i in range(0, len(data), mtu - 2)]
    last = len(tiles) - 1
    return [bytes([0x20 + i, number | (0x80 if i == last else 0)]) + tile for i, tile in enumerate(tiles)]


class Receiver:
    """One neighbour's datagrams; time stands still."""

    def __init__(self, context=None):
        self.context, self.open, self.done, self.asks = context, {}, set(), []

    def take(self, packet):
        """A frame, or None while more is to come."""
        if not packet:
            raise Malformed("nothing")
        first = packet[0]
        if 0x20 <= first <= 0x3F:
            return self.fragment(packet)
        if first == 1 and len(packet) == 3:
            return None
        if first == 2 and 2 <= len(packet) <= 6 and packet[1] < 0x80 and (len(packet) == 2 or packet[-1]):
            return None
        return self.datagram(packet)

    def datagram(self, data):
        if data[0] == 0 and 1 < len(data) <= MAX_FRAME + 1:
            return data[1:]
        try:
            return rebuild(data, self.context)
        except OutOfStep:
            self.asks.append(b"\x01" + data[1:3])
            raise

    def fragment(self, packet):
        if len(packet) < 3:
            raise Malformed("an empty fragment")
        index, last, number, piece = packet[0] & 31, packet[1] >> 7, packet[1] & 0x7F, packet[2:]
        if index == 0 and last:
            raise Malformed("first and last")
        if number in self.done:
            return None
        pieces = {**self.open.get(number, {}), (index, last): piece}
        if self.contradicts(number, index, last, piece):
            pieces = {(index, last): piece}
        self.open[number] = pieces
        ends = [i for i, end in pieces if end]
        if not ends or len(pieces) <= ends[0]:
            return None
        data = b"".join(pieces[key] for key in sorted(pieces))
        del self.open[number]
        datagram, crc = data[:-4], data[-4:]
        if zlib.crc32(datagram).to_bytes(4, "little") != crc:
            raise Corrupt("CRC")
        if not (datagram[0] == 0 or 4 <= datagram[0] <= 0x17):
            raise Malformed("a packet in a packet")
        self.done.add(number)
        return self.datagram(datagram)

    def contradicts(self, number, index, last, piece):
        for (i, end), other in self.open.get(number, {}).items():
            if (i == index and (end, other) != (last, piece)) or (i > index and last) or (i < index and end) or (end and last and i != index):
                return True
            if not end and not last and len(other) != len(piece) or end and len(other) > len(piece) or last and len(piece) > len(other):
                return True
        return False

    def repair(self):
        """What to ask for once it has become quiet."""
        for number, pieces in self.open.items():
            bits = sum(1 << i for i, _ in pieces)
            yield b"\x02" + bytes([number]) + bits.to_bytes((bits.bit_length() + 7) // 8, "little")
