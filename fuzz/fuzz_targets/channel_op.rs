//! What is said of a channel: an operation that is accepted is written again as the same bytes, alone and with a signature behind it; and no signature that the
//! fuzzer can make verifies.
#![no_main]

use iotedge_core::Id;
use iotedge_core::channel::Op;
use iotedge_core::channel::statement::Statement;
use iotedge_core::crypto::{PublicKey, SecretKey, Software};
use iotedge_core::wire::Reader;
use iotedge_fuzz::{ROOM, same_bytes};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static KEY: LazyLock<PublicKey> =
    LazyLock::new(|| SecretKey::from_seed(&[7; 32]).expect("a seed").public_key());

fuzz_target!(|bytes: &[u8]| {
    let mut r = Reader::new(bytes);
    if let Ok(op) = Op::read(&mut r) {
        let taken = bytes.len() - r.rest().len();
        assert!(op.check().is_ok());
        same_bytes(&bytes[..taken], |w| op.write(w));
    }
    if let Ok(statement) = Statement::parse(bytes) {
        let mut scratch = [0; ROOM];
        let (here, signer) = (Id([9; 32]), Id([8; 32]));
        let said = statement.verify(&here, &signer, &KEY, &mut Software, &mut scratch);
        assert!(said.is_err());
        let mut r = Reader::new(&bytes[..bytes.len() - 64]);
        assert!(Op::read(&mut r).is_ok() && r.rest().is_empty());
    }
});
