//! Certificates: hostile bytes never verify. The claims are also reached below a signature that holds, as an authority gone bad would
//! make them.
#![no_main]

use iotedge_core::crypto::Software;
use iotedge_core::identity::cert::{Certificate, Kind, Seconds, verify_chain};
use iotedge_fuzz::{SIGNER, signed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (key, now) = (SIGNER.public_key(), Seconds(1_700_000_100));
    if let Ok(certificate) = Certificate::parse(bytes) {
        assert!(certificate.verify(&key, now, &mut Software).is_err());
    }
    let mut room = [0; 4096];
    let by_authority = signed(b"", bytes, &mut room);
    if let Ok(certificate) = Certificate::parse(by_authority) {
        if certificate.verify(&key, now, &mut Software).is_ok() {
            assert!(
                certificate
                    .verify(&key, Seconds(u64::MAX), &mut Software)
                    .is_ok()
                    == certificate.claims().expires.is_none()
            );
        }
        let never = |_: &_, _: &[u8]| false;
        let _ = verify_chain(
            &[by_authority],
            &[key],
            now,
            Kind::Device,
            never,
            &mut Software,
        );
        let _ = verify_chain(
            &[by_authority, by_authority],
            &[key],
            now,
            Kind::Device,
            never,
            &mut Software,
        );
        let revoked = verify_chain(
            &[by_authority],
            &[key],
            now,
            Kind::Device,
            |_, _| true,
            &mut Software,
        );
        assert!(revoked.is_err(), "a revoked certificate is accepted");
    }
});
