//! Leaks, planted.

use core::hint::black_box;

/// A branch on a secret.
#[unsafe(no_mangle)]
extern "C" fn leak_branch(secret: &[u8; 32], out: &mut [u8; 32]) {
    for (out, byte) in out.iter_mut().zip(secret) {
        if black_box(*byte) & 1 == 1 {
            *out = black_box(7);
        }
    }
}

/// An address made of a secret.
#[unsafe(no_mangle)]
extern "C" fn leak_address(secret: &[u8; 32], out: &mut [u8; 32]) {
    static TABLE: [u8; 256] = [3; 256];
    for (out, byte) in out.iter_mut().zip(secret) {
        *out = black_box(&TABLE)[usize::from(*byte)];
    }
}
