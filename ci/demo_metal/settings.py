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

# Seconds.
FOUNDED_WITHIN = 60
RECEIPTS_WITHIN = 120  # before the reset, and again after it
