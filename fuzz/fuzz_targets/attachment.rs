//! Attachments and evidence: what is accepted is written again as the same bytes; evidence by a stranger's key never holds.
#![no_main]

use iotedge_core::Id;
use iotedge_core::crypto::{PublicKey, SecretKey, Software};
use iotedge_core::tx::Attachment;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static KEY: LazyLock<PublicKey> =
    LazyLock::new(|| SecretKey::from_seed(&[7; 32]).expect("a seed").public_key());

fuzz_target!(|bytes: &[u8]| {
    let Ok(attachment) = Attachment::parse(bytes) else {
        return;
    };
    let mut room = [0; 4096];
    let written = attachment
        .encode(&mut room)
        .expect("what was read can be written");
    assert_eq!(written, bytes, "accepted bytes are written otherwise");
    if let Some(evidence) = attachment.proof {
        for payload in evidence.payloads() {
            let _ = attachment.check(payload);
        }
        assert!(evidence.verify(&Id([9; 32]), &KEY, &mut Software).is_err());
    }
});
