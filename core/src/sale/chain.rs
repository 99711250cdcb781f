//! The hash chain of one sale.

use crate::crypto::sha256;
use crate::types::{Id, SaleNumber};

/// Which sale a chain is of: nothing of one passes for another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sale(pub Id);

impl Sale {
    /// Which this payer gave this number. `payer`: its device id.
    #[must_use]
    pub fn new(neighbourhood: &Id, payer: &Id, number: SaleNumber) -> Self {
        Self(Id(sha256(&[
            b"iotedge/sale/1",
            &neighbourhood.0,
            &payer.0,
            &number.0.to_be_bytes(),
        ])))
    }

    /// w(`index` - 1), of w(`index`).
    pub(super) fn before(&self, index: u32, value: &[u8; 32]) -> [u8; 32] {
        sha256(&[b"iotedge/tick/1", &self.0.0, &index.to_be_bytes(), value])
    }

    /// w(`to`), of w(`from`).
    pub(super) fn back(&self, from: u32, to: u32, value: &[u8; 32]) -> [u8; 32] {
        let mut value = *value;
        for index in (to..from).rev() {
            value = self.before(index.saturating_add(1), &value);
        }
        value
    }
}

/// One unit, or as many as its index is above the tick before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// How many units are paid with it, all together.
    pub index: u32,
    /// w(index).
    pub value: [u8; 32],
}
