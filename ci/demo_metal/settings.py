"""What the demo on metal is made of: counts, times, folders. All of it in one place."""
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "out" / "demo-metal"
LOG = OUT / "log"
WORK = OUT / "work"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
GATEWAY = TARGET / "release" / "iotedge-gateway"
DEVICE = WORK / "iotedge-device"

LINUX = 2
VALIDATORS = 4
PERIOD_MS = 8_000  # T
GRANT = 100_000
PRICE = 25  # micro-tokens
EVERY_MS = 2_000  # between readings of a board
WINDOW = 1024  # of a Linux device

# The Cortex-M4 sells sealed readings; the first Linux device buys all that it locks for, the second only listens.
SELLER, CHANNEL, UNITS, MESSAGE_PRICE = "mps2", 5, 14, 5
RESET_AFTER = 3  # units: the rest is sold after it

# Seconds.
FOUNDED_WITHIN = 60
RECEIPTS_WITHIN = 120  # before the reset, and again after it
SOLD_WITHIN = 90  # the first units, and after the reset the rest with its settlement
