"""Links the archive for the core of this board: put out/lib beside this file as `lib`. Set `custom_iotedge_profile = sensor` for a leaf."""
import os

Import("env")  # noqa: F821  (of PlatformIO)

cpu = env.BoardConfig().get("build.cpu", "")  # noqa: F821
mcu = env.BoardConfig().get("build.mcu", "")  # noqa: F821
flags = " ".join(str(f) for f in env.get("CCFLAGS", []) + env.get("LINKFLAGS", []))  # noqa: F821
hard = "-mfloat-abi=hard" in flags
TARGETS = {
    "cortex-m0": "thumbv6m-none-eabi",
    "cortex-m0plus": "thumbv6m-none-eabi",
    "cortex-m3": "thumbv7m-none-eabi",
    "cortex-m4": "thumbv7em-none-eabihf" if hard else "thumbv7m-none-eabi",
    "cortex-m7": "thumbv7em-none-eabihf" if hard else "thumbv7m-none-eabi",
    "cortex-m33": "thumbv8m.main-none-eabihf" if hard else "thumbv7m-none-eabi",
}
target = TARGETS.get(cpu)
if target is None and mcu.startswith(("esp32c2", "esp32c3")):
    target = "riscv32imc-unknown-none-elf"
elif target is None and mcu.startswith(("esp32c", "esp32h", "esp32p")):
    target = "riscv32imac-unknown-none-elf"
if target is None:
    raise SystemExit(f"libiotedge: no archive for {cpu or mcu}; build one: make lib TARGET=...")
profile = env.GetProjectOption("custom_iotedge_profile", "node")  # noqa: F821
folder = os.path.join(os.getcwd(), "lib", target, profile)
if not os.path.exists(os.path.join(folder, "libiotedge.a")):
    raise SystemExit(f"libiotedge: {folder}/libiotedge.a is missing: make lib TARGET={target}, and copy out/lib here as lib")
env.Append(CPPPATH=[folder], LIBPATH=[folder], LIBS=["iotedge"])  # noqa: F821
