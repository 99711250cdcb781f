"""What the demonstration of the G-Chain is made of: counts, times, folders."""
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "out" / "demo-gchain"
LOG = OUT / "log"
WORK = OUT / "work"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
GATEWAY = TARGET / "release" / "iotedge-gateway"
DEVICE = WORK / "iotedge-device"
# The binary itself: the script that npm puts before it does not end with it.
ANVIL = next(iter((ROOT / "gchain" / "contracts" / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil")), None)

DEVICES = 8
MASTERNODES = 7
DOUBLE = 6  # the masternode that votes twice; index among them
RICH = 3  # the device that is paid into, and takes out; index among the devices
MAX_MEMBERS = 32
WINDOW = 1024  # vertices that a device holds, a power of two

CHAIN_ID = 31337
BLOCK_SECONDS = 1
CONFIRMATIONS = 2
UNIT = 10**9  # wei of a micro-token
FEE = 7 * 10**12  # wei that the voters of a header share
COLLATERAL = 10**18
UNBONDING = 3600
CHALLENGE = 20  # seconds in which an exit can be challenged, and cannot be withdrawn
ANSWER = 600  # seconds in which a challenged exit has to be shown

FOUNDING_WAIT_MS = 20_000
PERIOD_MS = 10_000  # T
HEADERS = 3
GRANT = 100_000  # settled credits of each founder
PRICE = 25
DEPOSIT = 40_000  # for the rich device
LOST_DEPOSIT = 5_000  # for a device that nobody has: it comes back
EXIT = GRANT + 20_000  # more than it was granted: it has to wait for the deposit, and to trade little meanwhile

# Seconds.
FOUNDED_WITHIN = 40
ANCHORED_WITHIN = 120
