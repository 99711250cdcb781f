//! The crate `p256`.

use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};

#[unsafe(no_mangle)]
extern "C" fn op_es256_keygen(scalar: &[u8; 32], public: &mut [u8; 64]) -> i32 {
    let Ok(key) = SigningKey::from_slice(scalar) else {
        return 1;
    };
    public.copy_from_slice(&key.verifying_key().to_sec1_point(false).as_bytes()[1..]);
    0
}

#[unsafe(no_mangle)]
extern "C" fn op_es256_sign(scalar: &[u8; 32], digest: &[u8; 32], signature: &mut [u8; 64]) -> i32 {
    let key = SigningKey::from_slice(scalar);
    match key.and_then(|key| key.sign_prehash(digest)) {
        Ok::<Signature, _>(made) => {
            *signature = made.to_bytes().into();
            0
        }
        Err(_) => 1,
    }
}

#[unsafe(no_mangle)]
extern "C" fn op_es256_verify(key: &[u8; 64], digest: &[u8; 32], signature: &[u8; 64]) -> i32 {
    let mut point = [4; 65];
    point[1..].copy_from_slice(key);
    let key = VerifyingKey::from_sec1_bytes(&point);
    let verdict =
        key.and_then(|key| key.verify_prehash(digest, &Signature::from_slice(signature)?));
    i32::from(verdict.is_err())
}
