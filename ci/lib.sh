# Shared by the scripts of ci/: sourced, never run.
# Sets ROOT, OUT, TARGET and PYTHON (of the virtual environment), and goes to the repository's root.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
OUT=$ROOT/out
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
PYTHON=$OUT/venv/bin/python
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-auto}
cd "$ROOT"

say() { printf '%s\n' "$*" >&2; }
die() {
    say "error: $*"
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }
