//! What `main.c` times: one call per operation, over static inputs.
#![no_std]

use core::hint::black_box;
use iotedge_curve::ed25519::{SecretKey, verify};
use iotedge_curve::x25519::{BASE, x25519};

// Nothing in what is measured may panic: the linker finds no such function.
unsafe extern "C" {
    fn panic_reached() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe { panic_reached() }
}

const MESSAGE: [u8; 160] = [0x5a; 160];
const SEED: [u8; 32] = [7; 32];

#[unsafe(no_mangle)]
extern "C" fn op_keygen(out: &mut [u8; 64]) -> i32 {
    let key = SecretKey::from_seed(black_box(&SEED));
    if let Some(first) = out.first_chunk_mut::<32>() {
        *first = *key.public_key();
    }
    0
}

/// With the key expanded, which `main.c` takes off again: see `op_keygen`.
#[unsafe(no_mangle)]
extern "C" fn op_sign(out: &mut [u8; 64]) -> i32 {
    *out = SecretKey::from_seed(black_box(&SEED)).sign(black_box(&MESSAGE));
    0
}

#[unsafe(no_mangle)]
extern "C" fn op_verify(key: &[u8; 32], signature: &[u8; 64]) -> i32 {
    i32::from(verify(black_box(key), black_box(&MESSAGE), signature).is_err())
}

#[unsafe(no_mangle)]
extern "C" fn op_x25519(out: &mut [u8; 32]) -> i32 {
    *out = x25519(black_box(&SEED), black_box(&BASE));
    0
}
