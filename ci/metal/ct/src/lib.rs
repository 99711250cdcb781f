//! The operations on secrets, for `main.c` to call with secrets that memcheck takes for undefined.
#![no_std]

use core::hint::black_box;
use iotedge_curve::ed25519::SecretKey;
use iotedge_curve::x25519::x25519;

unsafe extern "C" {
    fn abort() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe { abort() }
}

#[unsafe(no_mangle)]
extern "C" fn ct_keygen(seed: &[u8; 32], public: &mut [u8; 32]) {
    *public = *SecretKey::from_seed(seed).public_key();
}

#[unsafe(no_mangle)]
extern "C" fn ct_sign(seed: &[u8; 32], message: &[u8; 160], signature: &mut [u8; 64]) {
    *signature = SecretKey::from_seed(seed).sign(message);
}

#[unsafe(no_mangle)]
extern "C" fn ct_agree(secret: &[u8; 32], public: &[u8; 32], shared: &mut [u8; 32]) {
    *shared = x25519(secret, public);
}

/// A branch on a secret, planted: it has to be found.
#[unsafe(no_mangle)]
extern "C" fn ct_branch(secret: &[u8; 32], out: &mut [u8; 32]) {
    for (out, byte) in out.iter_mut().zip(secret) {
        if black_box(*byte) & 1 == 1 {
            *out = black_box(7);
        }
    }
}

/// An address from a secret, planted.
#[unsafe(no_mangle)]
extern "C" fn ct_address(secret: &[u8; 32], out: &mut [u8; 32]) {
    static TABLE: [u8; 256] = [3; 256];
    for (out, byte) in out.iter_mut().zip(secret) {
        *out = black_box(&TABLE)[usize::from(*byte)];
    }
}
