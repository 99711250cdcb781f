//! Attestations: hostile bytes never verify, and what is read is written again byte for byte. The claims are also reached below a signature that holds, as a device gone
//! bad would make them.
#![no_main]

use iotedge_core::crypto::Software;
use iotedge_core::identity::CoseKey;
use iotedge_core::identity::attest::{
    Attestation, MAX_ATTESTATION, MAX_MESSAGE, attest, signing_input,
};
use iotedge_fuzz::{SIGNER, signed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let key = SIGNER.public_key();
    let device = CoseKey::thumbprint(&key);
    if let Ok(eat) = Attestation::parse(bytes) {
        let claims = *eat.claims();
        assert!(
            eat.verify(&key, &claims.device, claims.nonce, &mut Software)
                .is_err()
        );
    }
    let mut room = [0; 4096];
    let by_device = signed(b"", bytes, &mut room);
    let Ok(eat) = Attestation::parse(by_device) else {
        return;
    };
    let claims = *eat.claims();
    let verified = eat.verify(&key, &claims.device, claims.nonce, &mut Software);
    assert_eq!(verified, Ok(claims.evidence));
    assert_eq!(
        eat.verify(&key, &device, claims.nonce, &mut Software)
            .is_ok(),
        claims.device == device
    );
    assert!(
        eat.verify(&key, &claims.device, b"another nonce", &mut Software)
            .is_err()
            || claims.nonce == b"another nonce"
    );
    assert_eq!(
        claims.evidence.measurements.iter().count(),
        claims.evidence.measurements.len()
    );
    assert!(signing_input(&claims, &key, &mut [0; MAX_MESSAGE]).is_ok());
    let mut again = [0; MAX_ATTESTATION];
    let len = attest(&claims, &SIGNER, &mut Software, &mut again).unwrap();
    assert_eq!(&again[..len], by_device);
});
