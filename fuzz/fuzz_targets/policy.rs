//! Spending policies: what is read says the same when it is written again, and no bytes that the fuzzer makes are an owner's, unless it is given the signature.
#![no_main]

use iotedge_core::Id;
use iotedge_core::crypto::{PublicKey, SecretKey, Signature, SignatureError, Software, Verify};
use iotedge_core::ledger::policy::{MAX_POLICY, SpendingPolicy};
use libfuzzer_sys::fuzz_target;

const HERE: Id = Id([0x11; 32]);

/// Takes any signature that is not all zero, so that the payload is reached.
struct Lenient;

impl Verify for Lenient {
    fn verify(&mut self, _: &PublicKey, _: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        match signature.0 {
            [0, ..] => Err(SignatureError::Rejected),
            _ => Ok(()),
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let secret = SecretKey::from_seed(&[5; 32]).expect("a seed");
    let owner = secret.public_key();
    let honest = SpendingPolicy::verify(bytes, &owner, &HERE, &mut Software);
    let Ok(policy) = SpendingPolicy::verify(bytes, &owner, &HERE, &mut Lenient) else {
        assert!(honest.is_err());
        return;
    };
    let mut out = [0; MAX_POLICY];
    let signature = Signature(bytes[bytes.len() - 64..].try_into().expect("64 bytes"));
    let len = policy.assemble(&owner, &signature, &mut out).expect("what was read");
    assert_eq!(&out[..len], bytes);
    // What verifies was signed by the key, over these bytes: signatures of Ed25519 are the same each time.
    if honest.is_ok() {
        let len = policy.issue(&secret, &HERE, &mut out).expect("what was read");
        assert_eq!(&out[..len], bytes);
    }
});
