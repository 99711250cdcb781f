"""What the demo is made of: counts, times, folders. All of it in one place."""
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "out" / "demo"
LOG = OUT / "log"
WORK = OUT / "work"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
GATEWAY = TARGET / "release" / "iotedge-gateway"
DEVICE = OUT / "work" / "iotedge-device"
DEVICE_PSA = OUT / "work" / "iotedge-device-psa"  # the same with its key behind the PSA Crypto API

DEVICES = 8
MAX_MEMBERS = 32
WINDOW = 1024  # vertices that a device holds, a power of two
VALIDATORS = 4
ES256 = 3  # the device whose P-256 key is in (a stand-in for) a secure element; index in the list of devices
ELEMENT = "hhwhlhfhn"  # what its element does with the first requests: w lies, l is late, f fails, n never answers
CHEAT = 7  # index in the list of devices, not in the member table

# One device seals its readings and sells them; three want to read them. Indexes in the list of devices.
OWNER, PAYER, LAPSER, STRANGER = 0, 1, 2, 4
CHANNEL = 7
MESSAGE_PRICE = 5  # micro-tokens for a message
UNITS = 30  # messages that two of them lock a deposit for
LAPSES_AFTER = 8  # units that one of those pays; the other pays all, the stranger locks nothing
RESTARTS_AFTER = 3, 5  # units that the payer has read when it is killed, and when the owner is

FOUNDING_WAIT_MS = 20_000
PERIOD_MS = 10_000  # T
EPOCHS = 2
GRANT = 100_000  # settled credits of each founder
PRICE = 25  # micro-tokens for a reading

READINGS_PER_SECOND = 2
CORRUPT_EVERY = 50

# Seconds after the devices were started.
GATEWAY_DIES_AT = 8.0
GATEWAY_IS_BACK_AT = 13.0
CHEAT_AT = 18
# Two cuts and one for the last claim, half a period until a trim can be valid, and time to settle, fetch and verify; ends earlier when all is there.
LONGEST = 90.0

TRANSFER_BYTES = 160
