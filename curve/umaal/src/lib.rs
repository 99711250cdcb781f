//! UMAAL, "unsigned multiply accumulate accumulate long": a 32 x 32 bit product and two words added to it, which never overflows.
//!
//! Cores of ARMv7E-M (Cortex-M4, M7) do it in one cycle, whatever the operands are. A compiler finds it for two of three products only and pays for the
//! others with chains of carries; so the curve asks for it (docs/decisions/0022). A crate of its own, since this takes `unsafe` and the curve has none.
#![no_std]

/// a * b + c + d: low word, high word. Only for cores that have the instruction: who calls it chooses at build time.
#[cfg(target_arch = "arm")]
#[inline(always)]
#[must_use]
pub fn umaal(a: u32, b: u32, c: u32, d: u32) -> (u32, u32) {
    let (mut low, mut high) = (c, d);
    // SAFETY: it reads four registers and writes two; neither memory, stack nor flags. It is not `pure`, so that products stay in the order in which they are
    // written: moved about, the words of a row do not stay in registers.
    unsafe {
        core::arch::asm!(
            "umaal {low}, {high}, {a}, {b}",
            low = inout(reg) low,
            high = inout(reg) high,
            a = in(reg) a,
            b = in(reg) b,
            options(nomem, nostack, preserves_flags)
        );
    }
    (low, high)
}
