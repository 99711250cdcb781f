//! Whatever a device does with a secret, one C function each: `../secrets.c` calls them, `../follow` follows the secrets through them.
#![no_std]

mod leaks;

use iotedge_core::crypto::seal::{Key, Nonce, SealError, Tag};
use iotedge_core::crypto::{PublicKey, SecretKey, agree, ct_eq, es256, kdf, seal};

unsafe extern "C" {
    fn panic_reached() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: secrets.c defines it so.
    unsafe { panic_reached() }
}

const NONCE: Nonce = Nonce([4; 12]);

#[unsafe(no_mangle)]
extern "C" fn op_ed25519_key(seed: &[u8; 32], public: &mut [u8; 32]) -> bool {
    match SecretKey::from_seed(seed).map(|key| key.public_key()) {
        Ok(PublicKey::Ed25519(key)) => *public = key,
        _ => return false,
    }
    true
}

#[unsafe(no_mangle)]
extern "C" fn op_ed25519_sign(seed: &[u8; 32], message: &[u8; 160], out: &mut [u8; 64]) -> bool {
    SecretKey::from_seed(seed)
        .map(|key| *out = key.sign(message).0)
        .is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn op_es256_key(scalar: &[u8; 32], public: &mut [u8; 64]) -> bool {
    match es256::SecretKey::from_scalar(scalar).map(|key| key.public_key()) {
        Ok(PublicKey::Es256(key)) => *public = key,
        _ => return false,
    }
    true
}

#[unsafe(no_mangle)]
extern "C" fn op_es256_sign(scalar: &[u8; 32], message: &[u8; 160], out: &mut [u8; 64]) -> bool {
    es256::SecretKey::from_scalar(scalar)
        .and_then(|key| key.sign(message))
        .map(|signature| *out = signature.0)
        .is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn op_x25519_key(secret: &[u8; 32], public: &mut [u8; 32]) -> bool {
    *public = agree::SecretKey::from_bytes(secret).public_key().0;
    true
}

#[unsafe(no_mangle)]
extern "C" fn op_x25519_agree(secret: &[u8; 32], peer: &[u8; 32], out: &mut [u8; 32]) -> bool {
    agree::SecretKey::from_bytes(secret)
        .agree(&agree::PublicKey(*peer))
        .map(|shared| *out = *shared.as_bytes())
        .is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn op_derive(secret: &[u8; 32], salt: &[u8; 32], out: &mut [u8; 64]) -> bool {
    kdf::derive(salt, secret, &[b"a domain", b"and more"], out).is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn op_equal(secret: &[u8; 32], other: &[u8; 32]) -> bool {
    ct_eq(secret, other)
}

#[unsafe(no_mangle)]
extern "C" fn op_seal(key: &[u8; 32], text: &mut [u8; 64], tag: &mut [u8; 16]) -> bool {
    seal::seal(&Key::new(*key), &NONCE, b"associated", text)
        .map(|made| *tag = made.0)
        .is_ok()
}

#[unsafe(no_mangle)]
extern "C" fn op_open(key: &[u8; 32], text: &mut [u8; 64], tag: &[u8; 16]) -> bool {
    let opened = seal::open(&Key::new(*key), &NONCE, b"associated", text, &Tag(*tag));
    opened != Err(SealError::Forged)
}
