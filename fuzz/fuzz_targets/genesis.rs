//! Genesis, read as it is and below a signature that holds: what is accepted is inside its bounds and can be signed again.
#![no_main]

use iotedge_core::crypto::Software;
use iotedge_core::identity::UnverifiedGenesis;
use iotedge_fuzz::{ROOM, SIGNER, signed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let key = SIGNER.public_key();
    if let Ok(genesis) = UnverifiedGenesis::parse(bytes) {
        assert!(genesis.verify(&key, &mut Software).is_err());
    }
    let mut room = [0; ROOM];
    let by_authority = signed(b"\x81\x71iotedge/genesis/1", bytes, &mut room);
    let Ok(genesis) = UnverifiedGenesis::parse(by_authority) else {
        return;
    };
    let Ok((accepted, neighbourhood)) = genesis.verify(&key, &mut Software) else {
        return;
    };
    accepted
        .check()
        .expect("what verifies is inside its bounds");
    assert_eq!(accepted.neighbourhood(), Ok(neighbourhood));
    let mut again = [0; ROOM];
    let length = accepted
        .sign(&SIGNER, &mut again)
        .expect("what was read can be signed");
    assert_eq!(
        &again[..length],
        by_authority,
        "an accepted genesis is written otherwise"
    );
});
