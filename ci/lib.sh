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

# How core for a bare target is to be had: `ready` beside the compiler (rustup is asked for it), or built from the sources that are beside the compiler
# (`source`) or beside Debian's own (`debian`). Fails where it is not.
metal_core() {
    local sysroot sources=lib/rustlib/src/rust/library
    sysroot=$(rustc --print sysroot)
    if [ -d "$sysroot/lib/rustlib/$1" ] || { have rustup && rustup target add "$1" >/dev/null 2>&1; }; then
        echo ready
    elif [ -d "$sysroot/$sources" ]; then
        echo source
    elif [ -x /usr/bin/rustc ] && [ -d "$(/usr/bin/rustc --print sysroot)/$sources" ]; then
        echo debian
    else
        return 1
    fi
}

# metal_cargo TARGET COMMAND ARGS...: cargo for a bare target, with what this machine needs to have core for it.
metal_cargo() {
    local target=$1 command=$2 how
    shift 2
    how=$(metal_core "$target") || die "neither core for $target nor its sources are here: run 'ci/setup metal', or 'rustup target add $target'"
    case $how in
        ready) cargo "$command" --target "$target" "$@" ;;
        source) RUSTC_BOOTSTRAP=1 cargo "$command" -Zbuild-std=core --target "$target" "$@" ;;
        debian) PATH=/usr/bin:$PATH RUSTC_BOOTSTRAP=1 cargo "$command" -Zbuild-std=core --target "$target" "$@" ;;
    esac
}

host=$(rustc -vV 2>/dev/null | sed -n 's/^host: //p')

# What `make lib` makes.
lib_targets=(x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu riscv32imac-unknown-none-elf riscv32imc-unknown-none-elf thumbv8m.main-none-eabihf
    thumbv7em-none-eabihf thumbv7m-none-eabi thumbv6m-none-eabi)

# The prefix of the names of the binutils for a target.
binutils_of() {
    case $1 in
        thumb*) echo arm-none-eabi- ;;
        riscv32*) echo riscv64-unknown-elf- ;;
        *-none-*) die "no binutils are known for $1" ;;
        "$host") ;;
        *) echo "${1%%-*}-linux-gnu-" ;;
    esac
}

# How what ships is compiled, in archives and in ci/bench-metal (docs/decisions/0023). What looks at the processor at run time keeps what it saw in a variable:
# an archive has none.
soft_flags=(--cfg 'sha2_backend="soft"' --cfg 'chacha20_backend="soft"' --cfg 'poly1305_backend="soft"' --cfg 'curve25519_dalek_backend="serial"')
# On bare targets: the forms of the hashes that are not unrolled; and nobody unwinds.
bare_flags=("${soft_flags[@]}" --cfg 'sha2_backend_soft="compact"' -C force-unwind-tables=no)

# The optimisation level of the curve on a bare target, as TOML has it: speed where it is worth its flash, on cores with a fast multiplier.
curve_level() {
    case $1 in
        thumbv6m-*) echo "'s'" ;;
        *) echo 2 ;;
    esac
}

# Compilers for a target and how what they build is run: sets `cc`, `cxx` and `run`.
compilers_of() {
    local tools flash=0x0 ram=0x20000000 cpu=()
    run=()
    case $1 in
        thumbv7em-*) cpu=(-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16) run=(qemu-system-arm -M mps2-an386) ;;
        thumbv7m-*) cpu=(-mcpu=cortex-m3 -mthumb) run=(qemu-system-arm -M mps2-an385) ;;
        thumbv8m.main-*) cpu=(-mcpu=cortex-m33 -mthumb -mfloat-abi=hard -mfpu=fpv5-sp-d16) run=(qemu-system-arm -M mps2-an505) flash=0x10000000 ram=0x38000000 ;;
        # An M3 runs what an M0 does.
        thumbv6m-*) cpu=(-mcpu=cortex-m0 -mthumb) run=(qemu-system-arm -M mps2-an385) ;;
        riscv32imac-*) cpu=(-march=rv32imac -mabi=ilp32) run=(qemu-system-riscv32 -M virt -bios none) flash=0x80000000 ram=0x80400000 ;;
        riscv32imc-*) cpu=(-march=rv32imc -mabi=ilp32) run=(qemu-system-riscv32 -M virt -bios none) flash=0x80000000 ram=0x80400000 ;;
        "$host") ;;
        *-unknown-linux-gnu) run=("qemu-${1%%-*}" -L "/usr/${1%%-*}-linux-gnu") ;;
        *) die "no compiler is known for $1" ;;
    esac
    tools=$(binutils_of "$1")
    cc=("${tools}gcc" -std=c11 "${cpu[@]}") cxx=("${tools}g++" -std=c++17)
    if [[ $1 = *-none-* ]]; then
        local metal=(--specs=picolibc.specs --oslib=semihost --crt0=semihost -Wl,--defsym=__flash=$flash -Wl,--defsym=__flash_size=0x400000
            -Wl,--defsym=__ram=$ram -Wl,--defsym=__ram_size=0x400000 -Wl,--defsym=__stack_size=0x8000 -Wl,-z,noexecstack)
        cc+=("${metal[@]}")
        # There is no library of C++ for bare targets here, and none is needed.
        cxx=("${tools}gcc" "${cpu[@]}" "${metal[@]}" -fno-exceptions -fno-rtti)
        run+=(-semihosting-config "enable=on,target=native" -nographic -monitor none -serial none -kernel)
    fi
}
