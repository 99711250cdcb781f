//! Another library behind the functions of `metal-ops`.
#![no_std]

#[cfg(feature = "p256")]
mod es256;

#[cfg(feature = "dalek")]
use dalek as library;
#[cfg(feature = "salty")]
use salty_too as library;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

#[cfg(any(feature = "dalek", feature = "salty"))]
#[unsafe(no_mangle)]
extern "C" fn op_keygen(seed: &[u8; 32], public: &mut [u8; 32]) -> i32 {
    *public = library::public(seed);
    0
}

/// With the key expanded, as everywhere.
#[cfg(any(feature = "dalek", feature = "salty"))]
#[unsafe(no_mangle)]
extern "C" fn op_sign(seed: &[u8; 32], message: &[u8; 160], signature: &mut [u8; 64]) -> i32 {
    *signature = library::sign(seed, message);
    0
}

#[cfg(any(feature = "dalek", feature = "salty"))]
#[unsafe(no_mangle)]
extern "C" fn op_verify(key: &[u8; 32], message: &[u8; 160], signature: &[u8; 64]) -> i32 {
    i32::from(!library::verify(key, message, signature))
}

#[cfg(any(feature = "dalek", feature = "salty"))]
#[unsafe(no_mangle)]
extern "C" fn op_x25519(secret: &[u8; 32], public: &[u8; 32], shared: &mut [u8; 32]) -> i32 {
    *shared = library::x25519(secret, public);
    0
}

#[cfg(feature = "dalek")]
mod dalek {
    use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};

    pub fn public(seed: &[u8; 32]) -> [u8; 32] {
        SigningKey::from_bytes(seed).verifying_key().to_bytes()
    }

    pub fn sign(seed: &[u8; 32], message: &[u8]) -> [u8; 64] {
        SigningKey::from_bytes(seed).sign(message).to_bytes()
    }

    pub fn verify(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        VerifyingKey::from_bytes(key)
            .and_then(|key| key.verify(message, &Signature::from_bytes(signature)))
            .is_ok()
    }

    pub fn x25519(secret: &[u8; 32], public: &[u8; 32]) -> [u8; 32] {
        x25519_dalek::x25519(*secret, *public)
    }
}

#[cfg(feature = "salty")]
mod salty_too {
    use salty::agreement;
    use salty::signature::{Keypair, PublicKey, Signature};

    pub fn public(seed: &[u8; 32]) -> [u8; 32] {
        Keypair::from(seed).public.to_bytes()
    }

    pub fn sign(seed: &[u8; 32], message: &[u8]) -> [u8; 64] {
        Keypair::from(seed).sign(message).to_bytes()
    }

    pub fn verify(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        PublicKey::try_from(key)
            .and_then(|key| key.verify(message, &Signature::from(signature)))
            .is_ok()
    }

    pub fn x25519(secret: &[u8; 32], public: &[u8; 32]) -> [u8; 32] {
        let public = agreement::PublicKey::from(*public);
        agreement::SecretKey::from_seed(secret)
            .agree(&public)
            .to_bytes()
    }
}
