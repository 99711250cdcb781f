//! Whether what a 32-bit ARM core does with a secret depends on it: `metal-follow IMAGE OUTPUT`.
//!
//! IMAGE is the firmware of `../secrets.c`, OUTPUT what QEMU's core printed when it ran it. Each step is run here again, with every bit of `secret` marked as
//! secret, and the marks are followed through each instruction. Where no branch, no address and no division depends on a mark, the way is the same for
//! every secret, so one run says it of all. What comes out, and the number of instructions, has to be QEMU's: else this is no core to go by.

mod core;
mod memory;
mod word;

use self::core::{Core, Leak};
use memory::{Image, Memory};
use std::collections::BTreeMap;
use std::process::ExitCode;
use word::Word;

/// Where a call returns to: no code is there.
const RETURN: u32 = 0x00f0_0000;
const STACK: u32 = 0x2040_0000;
const MOST: u64 = 100_000_000;
/// QEMU counts by 40, with the calls and the reading of the counter.
const INEXACT: u64 = 100;

/// The function whose argument is meant to become known: that a key or a nonce is in range. `meant.supp` says the same to memcheck.
const VERDICT: &str = "iotedge_curve5words7verdict";

/// The function whose answer is meant to become known: whether two values are the same.
const EQUAL: &str = "constant_time5ct_eq";

#[derive(Default)]
struct Run {
    instructions: u64,
    /// Of them, with a secret in what they read.
    touched: u64,
    long_multiplications: u64,
    selections: u64,
    verdicts: u64,
    leaks: BTreeMap<(u32, Leak), u64>,
    answer: u32,
}

/// Where what was secret becomes known.
#[derive(Default)]
struct Meant {
    verdicts: Vec<u32>,
    equals: Vec<u32>,
}

fn call(memory: &mut Memory, function: u32, meant: &Meant) -> Result<Run, String> {
    let mut core = Core::new(memory);
    core.registers[13] = Word::public(STACK);
    core.registers[14] = Word::public(RETURN | 1);
    core.registers[15] = Word::public(function);
    let mut run = Run::default();
    let mut compared = None;
    while core.registers[15].value != RETURN {
        let next = core.registers[15].value;
        if meant.equals.contains(&next) {
            compared = Some(core.registers[14].value & !1);
        }
        if compared == Some(next) || meant.verdicts.contains(&next) {
            compared = compared.filter(|back| *back != next);
            run.verdicts += u64::from(core.registers[0].is_secret());
            core.registers[0].secret = 0;
        }
        core.step()
            .map_err(|why| format!("{why}, at {:#x}", core.at))?;
        run.instructions += 1;
        run.touched += u64::from(core.touched);
        for leak in &core.leaks {
            *run.leaks.entry((core.at, *leak)).or_default() += 1;
        }
        if run.instructions > MOST {
            return Err("does not end".into());
        }
    }
    if compared == Some(RETURN) {
        run.verdicts += u64::from(core.registers[0].is_secret());
    }
    run.long_multiplications = core.long_multiplications;
    run.selections = core.selections;
    run.answer = core.registers[0].value;
    Ok(run)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What one step showed, and whether it is as it should be.
fn judge(name: &str, run: &Run) -> (String, bool) {
    let found = |kind| run.leaks.keys().any(|(_, leak)| *leak == kind);
    let kinds: Vec<&str> = [
        (Leak::Branch, "a branch"),
        (Leak::Address, "an address"),
        (Leak::Division, "a division"),
    ]
    .iter()
    .filter(|(kind, _)| found(*kind))
    .map(|(_, says)| *says)
    .collect();
    if name.starts_with("leak_") {
        // Where there is no instruction to divide, a function does it, with branches.
        let right = match name {
            "leak_table" | "leak_store" => found(Leak::Address),
            "leak_divide" => found(Leak::Division) || found(Leak::Branch),
            _ => found(Leak::Branch),
        };
        return if right {
            (format!("{} found, as planted", kinds.join(", ")), true)
        } else {
            ("NOT FOUND".into(), false)
        };
    }
    if run.touched == 0 {
        return ("NOT FOLLOWED".into(), false);
    }
    if kinds.is_empty() {
        ("none".into(), true)
    } else {
        (format!("LEAKS: {}", kinds.join(", ")), false)
    }
}

fn all(image: &str, output: &str) -> Result<bool, String> {
    let read = |path: &str| std::fs::read(path).map_err(|why| format!("{path}: {why}"));
    let mut image = Image::load(&read(image)?)?;
    let output = String::from_utf8(read(output)?).map_err(|_| "QEMU printed no text")?;
    let named = |name: &str| {
        let found = image.symbols.iter().filter(|s| s.name.contains(name));
        found.map(|symbol| symbol.at).collect()
    };
    let meant = Meant {
        verdicts: named(VERDICT),
        equals: named(EQUAL),
    };
    let (secret, out, prepare) = (
        image.find("secret")?,
        image.find("out")?,
        image.find("prepare")?,
    );
    let (mut fine, mut steps) = (true, 0);
    for line in output.lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        let [name, counted, result] = parts[..] else {
            return Err(format!("QEMU says: {line}"));
        };
        let counted: u64 = counted.parse().map_err(|_| format!("QEMU says: {line}"))?;
        let function = image.find(&format!("step_{name}"))?;
        image.memory.forget_marks();
        call(&mut image.memory, prepare, &Meant::default())?;
        image.memory.mark(secret, 96)?;
        let run =
            call(&mut image.memory, function, &meant).map_err(|why| format!("{name}: {why}"))?;
        let (mut says, mut right) = judge(name, &run);
        let came_out = image.memory.bytes(out, 80)?;
        if run.answer & 0xff != 1 || hex(&came_out) != result {
            (says, right) = (
                format!("ANOTHER RESULT than QEMU's: {}", hex(&came_out)),
                false,
            );
        } else if run.instructions.abs_diff(counted) > INEXACT {
            (says, right) = (
                format!("ANOTHER WAY than QEMU's {counted} instructions"),
                false,
            );
        }
        println!(
            "{name:14} {:>9} instructions, {:>9} on secrets, {} verdicts, {:>6} selections, {:>6} long products: {says}",
            run.instructions, run.touched, run.verdicts, run.selections, run.long_multiplications
        );
        if !right {
            for ((at, leak), times) in run.leaks.iter().take(20) {
                println!("    {leak:?} {times} times at {}", image.place(*at));
            }
        }
        fine &= right;
        steps += 1;
    }
    // That QEMU did not stop on the way is for ci/constant-time to see; here, that there was something.
    Ok(fine && steps > 0)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [image, output] = &arguments[..] else {
        eprintln!("usage: metal-follow IMAGE OUTPUT");
        return ExitCode::from(2);
    };
    match all(image, output) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}
