//! What fuzz targets share: writing again what a parser accepted.
//!
//! The invariant that nearly every target holds: one value, one encoding. So whatever a parser accepts, its writer writes
//! again as the same bytes.

pub mod world;

use iotedge_core::crypto::SecretKey;
use iotedge_core::identity::sign1::{assemble, protected, to_be_signed};
use iotedge_core::wire::{Reader, WireError, Writer};
use std::sync::LazyLock;

/// Room for what is written again.
pub const ROOM: usize = 4096;

/// Asserts that `write` gives exactly `bytes`.
pub fn same_bytes(bytes: &[u8], write: impl FnOnce(&mut Writer<'_>) -> Result<(), WireError>) {
    let mut room = [0; ROOM];
    let mut writer = Writer::new(&mut room);
    write(&mut writer).expect("what was read can be written");
    assert_eq!(
        writer.written(),
        bytes,
        "accepted bytes are written otherwise"
    );
}

/// Copies one item value by value, by the reader's typed methods.
pub fn copy_item(reader: &mut Reader<'_>, writer: &mut Writer<'_>) -> Result<(), WireError> {
    if reader.is_null() {
        reader.null()?;
        return writer.null();
    }
    let first = *reader.rest().first().ok_or(WireError::Truncated)?;
    match first >> 5 {
        0 => writer.uint(reader.uint()?),
        1 => writer.int(reader.int()?),
        2 => writer.bytes(reader.bytes()?),
        3 => writer.text(reader.text()?),
        4 => {
            let count = reader.array()?;
            writer.array(count)?;
            (0..count).try_for_each(|_| copy_item(reader, writer))
        }
        5 => {
            let pairs = reader.map()?;
            writer.map(pairs)?;
            (0..pairs * 2).try_for_each(|_| copy_item(reader, writer))
        }
        6 => {
            writer.tag(reader.tag()?)?;
            copy_item(reader, writer)
        }
        _ => Err(WireError::Type),
    }
}

/// A key that the targets trust, so that what lies below a signature is reached.
pub static SIGNER: LazyLock<SecretKey> =
    LazyLock::new(|| SecretKey::from_seed(&[7; 32]).expect("a seed"));

/// A COSE_Sign1 by [`SIGNER`] over whatever payload the fuzzer has made; empty where it does not fit.
pub fn signed<'o>(aad: &[u8], payload: &[u8], out: &'o mut [u8]) -> &'o [u8] {
    let header = protected(&SIGNER.public_key());
    let mut scratch = [0; ROOM];
    let Ok(message) = to_be_signed(&header, aad, payload, &mut scratch) else {
        return &[];
    };
    match assemble(&header, payload, &SIGNER.sign(message), out) {
        Ok(length) => &out[..length],
        Err(_) => &[],
    }
}
