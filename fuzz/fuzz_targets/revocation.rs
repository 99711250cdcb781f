//! Revocation lists, read as they are and below a signature that holds: every id in the list is found, and no other.
#![no_main]

use iotedge_core::crypto::Software;
use iotedge_core::identity::revocation::RevocationList;
use iotedge_fuzz::{ROOM, SIGNER, signed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut scratch = [0; ROOM];
    if let Ok(list) = RevocationList::parse(bytes) {
        assert!(
            list.verify(&SIGNER.public_key(), &mut Software, &mut scratch)
                .is_err()
        );
    }
    let mut room = [0; ROOM];
    let Ok(list) = RevocationList::parse(signed(b"\x81\x6diotedge/crl/1", bytes, &mut room)) else {
        return;
    };
    assert!(
        list.verify(&SIGNER.public_key(), &mut Software, &mut scratch)
            .is_ok()
    );
    assert_eq!(list.ids().count(), list.len());
    for id in list.ids() {
        assert!(list.contains(id));
    }
    assert!(!list.contains(&[0xfe; 7]) && !list.contains(&[0xfe; 17]));
});
