//! The operations that `bench.c` counts and `constant-time.c` follows, one C function each.
#![no_std]

#[cfg(feature = "leaks")]
mod leaks;
#[cfg(feature = "node")]
mod node;
#[cfg(feature = "node")]
mod receipt;
#[cfg(feature = "node")]
mod room;
#[cfg(feature = "node")]
mod steps;
#[cfg(feature = "node")]
mod transfer;
#[cfg(feature = "node")]
mod window;

use iotedge_curve::ed25519::{SecretKey, verify};
use iotedge_curve::p256;
use iotedge_curve::x25519::x25519;

// No operation of the curve may panic: where they are built alone, the linker finds no such function.
unsafe extern "C" {
    fn panic_reached() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe { panic_reached() }
}

#[unsafe(no_mangle)]
extern "C" fn op_keygen(seed: &[u8; 32], public: &mut [u8; 32]) -> i32 {
    *public = *SecretKey::from_seed(seed).public_key();
    0
}

/// With the key expanded: whoever wants the signature alone takes `op_keygen` off.
#[unsafe(no_mangle)]
extern "C" fn op_sign(seed: &[u8; 32], message: &[u8; 160], signature: &mut [u8; 64]) -> i32 {
    *signature = SecretKey::from_seed(seed).sign(message);
    0
}

#[unsafe(no_mangle)]
extern "C" fn op_verify(key: &[u8; 32], message: &[u8; 160], signature: &[u8; 64]) -> i32 {
    i32::from(verify(key, message, signature).is_err())
}

/// A message of any length.
///
/// # Safety
/// `message` is `len` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn op_check(
    key: &[u8; 32],
    message: *const u8,
    len: usize,
    signature: &[u8; 64],
) -> i32 {
    // SAFETY: as the caller promises.
    let message = unsafe { core::slice::from_raw_parts(message, len) };
    i32::from(verify(key, message, signature).is_err())
}

#[unsafe(no_mangle)]
extern "C" fn op_x25519(secret: &[u8; 32], public: &[u8; 32], shared: &mut [u8; 32]) -> i32 {
    *shared = x25519(secret, public);
    0
}

#[unsafe(no_mangle)]
extern "C" fn op_es256_keygen(scalar: &[u8; 32], public: &mut [u8; 64]) -> i32 {
    p256::SecretKey::from_scalar(scalar).map_or(1, |key| {
        *public = key.public_key();
        0
    })
}

#[unsafe(no_mangle)]
extern "C" fn op_es256_sign(scalar: &[u8; 32], digest: &[u8; 32], signature: &mut [u8; 64]) -> i32 {
    p256::SecretKey::from_scalar(scalar).map_or(1, |key| {
        *signature = key.sign(digest);
        0
    })
}

#[unsafe(no_mangle)]
extern "C" fn op_es256_verify(key: &[u8; 64], digest: &[u8; 32], signature: &[u8; 64]) -> i32 {
    i32::from(p256::verify(key, digest, signature).is_err())
}
