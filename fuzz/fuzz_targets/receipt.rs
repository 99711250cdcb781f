//! PoSp receipts: what is accepted is written again as the same bytes, and none that the fuzzer can make verifies.
#![no_main]

use iotedge_core::crypto::Software;
use iotedge_core::posp::{Header, Receipt, Validator, ValidatorSet};
use iotedge_core::wire::Writer;
use iotedge_core::{HeaderNumber, Id};
use iotedge_fuzz::{ROOM, SIGNER};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static SET: LazyLock<ValidatorSet> = LazyLock::new(|| {
    let key = SIGNER.public_key().bytes().try_into().expect("32 bytes");
    ValidatorSet::new(1, HeaderNumber(1), &[Validator { key, stake: 1 }]).expect("a set")
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(receipt) = Receipt::parse(bytes) else {
        return;
    };
    let mut room = [0; ROOM];
    let mut writer = Writer::new(&mut room);
    receipt
        .encode(&mut writer)
        .expect("what was read can be written");
    assert_eq!(
        writer.written(),
        bytes,
        "accepted bytes are written otherwise"
    );
    let neighbourhood =
        Header::decode(receipt.header).map_or(Id([9; 32]), |header| header.neighbourhood);
    assert!(receipt.verify(&SET, &neighbourhood, &mut Software).is_err());
});
