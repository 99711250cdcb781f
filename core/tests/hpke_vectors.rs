//! Runs `vectors/hpke.json`: RFC 9180 appendix A.2 (base and psk, the first message of each, all exports).
//!
//! Key and base nonce of the key schedule stay inside a context; that they are the published ones shows in the ciphertext, sealed here a second time with them.

use iotedge_core::crypto::agree::{PublicKey, SecretKey};
use iotedge_core::crypto::hpke::{Context, Mode, derive_key_pair};
use iotedge_core::crypto::seal::{self, Key, Nonce, Tag};
use std::collections::BTreeMap;

type Row = BTreeMap<String, String>;

fn bytes(row: &Row, field: &str) -> Vec<u8> {
    hex::decode(&row[field]).unwrap()
}

fn array<const N: usize>(row: &Row, field: &str) -> [u8; N] {
    bytes(row, field).try_into().unwrap()
}

#[test]
fn every_row_is_what_the_rfc_says() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("../../vectors/hpke.json")).unwrap();
    assert_eq!(rows.len(), 2);
    for row in &rows {
        let at = &row["name"];
        let secret = derive_key_pair(&array(row, "ikmR"));
        assert_eq!(hex::encode(secret.public_key().0), row["pkRm"], "{at}");
        let given = SecretKey::from_bytes(&array(row, "skRm"));
        assert_eq!(given.public_key(), secret.public_key(), "{at}");
        let ephemeral = SecretKey::from_bytes(&array(row, "skEm"));
        assert_eq!(hex::encode(ephemeral.public_key().0), row["enc"], "{at}");

        let (psk, id, info) = (bytes(row, "psk"), bytes(row, "psk_id"), bytes(row, "info"));
        let psk = <[u8; 32]>::try_from(psk).ok();
        let mode = match &psk {
            Some(key) => Mode::Psk { key, id: &id },
            None => Mode::Base,
        };
        assert_eq!(row["mode"] == "psk", psk.is_some());
        let (enc, sender) =
            Context::to(&secret.public_key(), &info, mode, &array(row, "ikmE")).unwrap();
        assert_eq!(hex::encode(enc.0), row["enc"], "{at}");
        let receiver = Context::from(&given, &PublicKey(array(row, "enc")), &info, mode).unwrap();
        for context in ["", "00", "54657374436f6e74657874"] {
            let wanted = &row[&format!("export_{context}")];
            let context = hex::decode(context).unwrap();
            assert_eq!(&hex::encode(sender.export(&context)), wanted, "{at}");
            assert_eq!(&hex::encode(receiver.export(&context)), wanted, "{at}");
        }
        let (aad, plain) = (bytes(row, "aad"), bytes(row, "pt"));
        let mut sealed = plain.clone();
        let tag = sender.seal(&aad, &mut sealed).unwrap();
        let both = [&sealed[..], &tag.0].concat();
        assert_eq!(hex::encode(&both), row["ct"], "{at}");
        let mut again = plain.clone();
        let nonce = Nonce(array(row, "base_nonce"));
        let tag = seal::seal(&Key::new(array(row, "key")), &nonce, &aad, &mut again).unwrap();
        assert_eq!([&again[..], &tag.0].concat(), both, "{at}");
        receiver.open(&aad, &mut sealed, &Tag(tag.0)).unwrap();
        assert_eq!(sealed, plain, "{at}");
    }
}
