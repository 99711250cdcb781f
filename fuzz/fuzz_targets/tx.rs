//! Transactions: form, payload and signature check of hostile bytes. Two things hold: what is accepted is written again as the same
//! bytes, and no signature that the fuzzer can make verifies.
#![no_main]

use iotedge_core::crypto::{PublicKey, SecretKey, Software};
use iotedge_core::tx::{Unverified, assemble};
use iotedge_core::{Id, MAX_PAYLOAD};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static KEY: LazyLock<PublicKey> =
    LazyLock::new(|| SecretKey::from_seed(&[7; 32]).expect("a seed").public_key());

fuzz_target!(|bytes: &[u8]| {
    let Ok(tx) = Unverified::parse(bytes) else {
        return;
    };
    let mut room = [0; 2048];
    let written = assemble(tx.suite(), tx.payload_bytes(), tx.signature(), &mut room)
        .expect("what was read can be written");
    assert_eq!(written, bytes, "accepted bytes are written otherwise");
    let mut payload = [0; MAX_PAYLOAD];
    let encoded = tx
        .payload()
        .encode(&mut payload)
        .expect("what was read can be written");
    assert_eq!(
        encoded,
        tx.payload_bytes(),
        "an accepted payload is written otherwise"
    );

    let prefixes = tx.payload().parents.as_slice();
    let parents: Vec<Id> = prefixes
        .iter()
        .map(|prefix| {
            let mut id = [0; 32];
            id[..16].copy_from_slice(&prefix.0);
            Id(id)
        })
        .collect();
    assert!(
        tx.verify(&Id([9; 32]), &KEY, &parents, &mut Software)
            .is_err()
    );
});
