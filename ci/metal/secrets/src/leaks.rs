//! Leaks, planted: each has to be found.

use core::hint::black_box;

/// A branch on a bit of a secret.
#[unsafe(no_mangle)]
extern "C" fn leak_branch(secret: &[u8; 32], out: &mut [u8; 32]) {
    for (out, byte) in out.iter_mut().zip(secret) {
        if black_box(*byte) & 1 == 1 {
            *out = black_box(7);
        }
    }
}

/// A branch that one secret of 2^32 takes: comparing what two secrets do would hardly find it.
#[unsafe(no_mangle)]
extern "C" fn leak_rare(secret: &[u8; 32], out: &mut [u8; 32]) {
    let word = u32::from_le_bytes([secret[4], secret[9], secret[16], secret[25]]);
    if black_box(word) == 0x5eed_5eed {
        *out = black_box([7; 32]);
    }
    out[0] = secret[0];
}

/// A comparison that stops at the first difference.
#[unsafe(no_mangle)]
extern "C" fn leak_compare(secret: &[u8; 32], out: &mut [u8; 32]) {
    let other = black_box([3; 32]);
    out[0] = u8::from(black_box(secret) == &other);
}

/// An address made of a secret.
#[unsafe(no_mangle)]
extern "C" fn leak_table(secret: &[u8; 32], out: &mut [u8; 32]) {
    static TABLE: [u8; 256] = [3; 256];
    for (out, byte) in out.iter_mut().zip(secret) {
        *out = black_box(&TABLE)[usize::from(*byte)];
    }
}

/// A store to such an address, which the next load does not show.
#[unsafe(no_mangle)]
extern "C" fn leak_store(secret: &[u8; 32], out: &mut [u8; 32]) {
    out[usize::from(black_box(secret[5]) & 31)] = 1;
}

/// A division, which takes longer the longer the quotient is.
#[unsafe(no_mangle)]
extern "C" fn leak_divide(secret: &[u8; 32], out: &mut [u8; 32]) {
    for (out, byte) in out.iter_mut().zip(secret) {
        *out = (u32::from(*byte) * 0x0101_0101 / black_box(7)) as u8;
    }
}
