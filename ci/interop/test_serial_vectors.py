"""vectors/serial.json under PyPI's cobs and zlib: the same bytes on the line, and the same frames out of every damaged one."""
import json
import unittest
import zlib
from pathlib import Path

from cobs import cobs
from formats import chosen

ROWS = json.loads((Path(__file__).resolve().parents[2] / "vectors" / "serial.json").read_text())
RESIDUE = 0x2144DF1C


def written(frame):
    return b"\0" + cobs.encode(frame + zlib.crc32(frame).to_bytes(4, "little")) + b"\0"


def read(line, room):
    """What comes between zeros, each by itself."""
    frames, counted = [], dict.fromkeys(("frames", "empty", "too_short", "cut", "too_long", "corrupt"), 0)
    for piece in line.split(b"\0")[:-1]:
        if not piece:
            counted["empty"] += 1
            continue
        try:
            datagram = cobs.decode(piece)
        except cobs.DecodeError:
            # A stream is given up once it is too long; this reader sees its end first.
            counted["too_long" if len(piece) > room + 4 + room // 200 + 8 else "cut"] += 1
            continue
        if len(datagram) > room + 4:
            counted["too_long"] += 1
        elif len(datagram) < 5:
            counted["too_short"] += 1
        elif zlib.crc32(datagram[:-4]) != int.from_bytes(datagram[-4:], "little"):
            counted["corrupt"] += 1
        else:
            assert zlib.crc32(datagram) == RESIDUE
            counted["frames"] += 1
            frames.append(datagram[:-4].hex())
    return frames, counted


class Serial(unittest.TestCase):
    def test_the_catalogue_s_check_value(self):
        self.assertEqual(zlib.crc32(b"123456789"), 0xCBF43926)

    def test_frames_that_are_written(self):
        for row in chosen(ROWS, "line-write", least=11):
            with self.subTest(row["name"]):
                self.assertEqual(written(bytes.fromhex(row["frame"])).hex(), row["line"])

    def test_lines_that_are_read(self):
        for row in chosen(ROWS, "line-read", least=11):
            with self.subTest(row["name"]):
                frames, counted = read(bytes.fromhex(row["line"]), row["room"])
                self.assertEqual((frames, counted), (row["frames"], row["counters"]))


if __name__ == "__main__":
    unittest.main()
