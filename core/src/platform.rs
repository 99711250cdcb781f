//! What a device must provide. The core has no fallback for any of it: where the platform fails, the call fails.

use crate::identity::attest::Evidence;

/// A failure that the platform reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlatformError {
    /// No randomness now. The call that needed it did nothing.
    Random,
    /// The store could not read.
    StoreRead,
    /// The store could not write; the old value still stands.
    StoreWrite,
    /// The counter could not be read or advanced.
    Counter,
}

/// A hardware monotonic counter: it only ever moves up, and no image of the store brings it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Where it is.
    pub value: u32,
    /// The last value that it can take.
    pub last: u32,
    /// Own transactions for one step, at least 1. With 1 every old image is noticed; with more the counter wears less, and an image that is
    /// younger than that many transactions is not told from the current one.
    pub stride: u32,
}

/// Randomness and durable storage of a device, and its word of itself.
///
/// `put` is atomic and durable: when it returns `Ok`, a power cut leaves the new value, before that the old one. Keys are
/// small integers so that a port can map them to flash records.
pub trait Platform {
    /// Fills `out` with randomness fit for keys, or fails.
    fn random(&mut self, out: &mut [u8]) -> Result<(), PlatformError>;
    /// Reads the value under `key` into `out` and returns its length; `None` where there is none. A value longer than
    /// `out` is `StoreRead`.
    fn get(&mut self, key: u16, out: &mut [u8]) -> Result<Option<usize>, PlatformError>;
    /// Writes `value` under `key`, atomically and durably.
    fn put(&mut self, key: u16, value: &[u8]) -> Result<(), PlatformError>;
    /// Removes `key`; removing what is not there succeeds.
    fn remove(&mut self, key: u16) -> Result<(), PlatformError>;
    /// The hardware monotonic counter; `None`: the device has none.
    fn counter(&mut self) -> Result<Option<Counter>, PlatformError> {
        Ok(None)
    }
    /// Advances it by one, durably. A device without one fails.
    fn advance(&mut self) -> Result<(), PlatformError> {
        Err(PlatformError::Counter)
    }
    /// Hands to `tell` what the device knows of its hardware, its boot and its firmware, where a gateway demands an attestation; asked twice, it says the same
    /// until the next boot. Without any it tells nothing.
    fn attest(&mut self, tell: &mut dyn FnMut(&Evidence<'_>)) {
        let _ = tell;
    }
}
