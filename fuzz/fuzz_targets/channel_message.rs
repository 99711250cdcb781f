//! Sealed messages, off the ledger and as a transaction carries them: form and lookup are where the page says, what is not signature is all there, and none
//! that the fuzzer makes opens or changes a reader.
#![no_main]

use iotedge_core::Id;
use iotedge_core::channel::reader::Proof;
use iotedge_core::channel::{Chain, Form, Index, KeyEpoch, Place, Reader, Recent, Sealed, Skipped};
use iotedge_core::crypto::{PublicKey, SecretKey, Software};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static KEY: LazyLock<PublicKey> =
    LazyLock::new(|| SecretKey::from_seed(&[7; 32]).expect("a seed").public_key());

/// What holds of any message that was parsed.
fn sound(bytes: &[u8], message: &Sealed<'_>) {
    let Form {
        signed,
        cose,
        long_tag,
    } = message.form;
    assert!(long_tag || !cose, "COSE has the whole tag");
    let behind = if message.signature.is_some() { 64 } else { 0 };
    assert_eq!(message.bytes, &bytes[..bytes.len() - behind]);
    match cose {
        true => assert_eq!(&bytes[8..17], &[&[0x48], &message.lookup[..]].concat()),
        false => assert_eq!(
            bytes[..9],
            [&[message.form.byte()], &message.lookup[..]].concat()
        ),
    }
    assert!(signed || message.signature.is_none());
}

fuzz_target!(|bytes: &[u8]| {
    for signed in [false, true] {
        if let Ok(message) = Sealed::parse_carried(bytes, signed) {
            assert_eq!(message.form.signed, signed);
            assert!(message.signature.is_none());
            sound(bytes, &message);
        }
    }
    let Ok(message) = Sealed::parse(bytes) else {
        return;
    };
    assert_eq!(message.form.signed, message.signature.is_some());
    sound(bytes, &message);
    let first = Place {
        channel: Id([3; 32]),
        epoch: KeyEpoch(1),
        index: Index(0),
    };
    let (mut skipped, mut recent) = (vec![Skipped::default(); 4], vec![Recent::default(); 4]);
    let chain = Chain::new([5; 32]);
    let mut reader = Reader::new(first, chain, None, &mut skipped, &mut recent);
    let mut out = [0xee; 2048];
    let opened = reader.open(&message, Proof::Check(&KEY, &mut Software), &mut out);
    assert!(opened.is_err());
    assert_eq!(reader.next(), first);
});
