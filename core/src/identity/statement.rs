//! Small signed statements that are no COSE message: proof of possession and consent to a rotation.
//!
//! Invariant: each is a CBOR array that opens with its own domain string, so that no signature over one can be read as a signature over
//! another, nor over a COSE `Sig_structure`, whose first element is another text.

use crate::types::{Id, Number};
use crate::wire::{WireError, Writer};

/// Most bytes of a statement.
pub const MAX_STATEMENT: usize = 96;

/// The bytes that are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    bytes: [u8; MAX_STATEMENT],
    len: usize,
}

impl Statement {
    /// `[domain, first id, second id]`, or with `number` as a fourth element.
    pub(super) fn new(
        domain: &str,
        first: &Id,
        second: &Id,
        number: Option<Number>,
    ) -> Result<Self, WireError> {
        let mut bytes = [0; MAX_STATEMENT];
        let mut w = Writer::new(&mut bytes);
        w.array(if number.is_some() { 4 } else { 3 })?;
        w.text(domain)?;
        w.id(first)?;
        w.id(second)?;
        if let Some(number) = number {
            w.uint(u64::from(number.0))?;
        }
        let len = w.len();
        Ok(Self { bytes, len })
    }

    /// The message for the signer.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}
