//! The chain of keys: one way forward, and what each message needs from it.
//!
//! Invariant: CK(n + 1) and the secret of message n come from CK(n) by HKDF-Expand, so neither tells anything of CK(n), nor a message's secret of another's. Where there is a side
//! key, it is mixed into every message's secret: the chain's key alone, found in a grant or a store, opens nothing.

use crate::crypto::kdf::Prk;
use crate::crypto::seal::Key;
use crate::crypto::sha256;
use crate::types::Id;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::KeyEpoch;

const CHAIN: &[u8] = b"iotedge/channel/chain/1";
const FIND: &[u8] = b"iotedge/channel/find/1";
const KEY: &[u8] = b"iotedge/channel/key/1";
const PUBLIC: &[u8] = b"iotedge/channel/public/1";

/// Who may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// Everybody who knows the channel: only signatures and roots protect it.
    Public = 0,
    /// Who was granted the chain's key.
    Private = 1,
    /// Who was granted it and has the side key.
    Restricted = 2,
}

impl Mode {
    /// By its number on the wire.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Public),
            1 => Some(Self::Private),
            2 => Some(Self::Restricted),
            _ => None,
        }
    }
}

/// A key that owner and readers shared beforehand; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SideKey(pub [u8; 32]);

/// The chain's key at an index; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Chain(pub(super) [u8; 32]);

/// The secret of one message. Shown to a third party it opens that message and no other; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(pub(super) [u8; 32]);

/// What a message is found by, and what its signature or leaf commits to beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Travels in front of the message.
    pub lookup: [u8; 8],
    /// Commits to the message's secret: ChaCha20-Poly1305 alone lets a cheat make one ciphertext that opens under two keys.
    pub commitment: [u8; 32],
}

/// Never longer than the derivation's limit.
fn expand(prk: &Prk, info: &[&[u8]], out: &mut [u8]) {
    let done = prk.expand(info, out);
    debug_assert!(done.is_ok());
}

impl Chain {
    /// The key of 32 random bytes, or of those of a grant.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The key of a public channel: everybody can compute it.
    #[must_use]
    pub fn public(channel: &Id, epoch: KeyEpoch) -> Self {
        Self(sha256(&[PUBLIC, &channel.0, &epoch.0.to_be_bytes()]))
    }

    /// The secret of the message at this index; the key becomes that of the next.
    pub fn step(&mut self, side: Option<&SideKey>) -> Secret {
        let mut both = [0; 64];
        expand(&Prk::from_bytes(self.0), &[CHAIN], &mut both);
        let (next, secret) = both.split_at(32);
        crate::copy::copy(&mut self.0, next);
        let mut out = Secret([0; 32]);
        match side {
            Some(side) => {
                let mixed = Prk::extract(&side.0, &[secret]);
                crate::copy::copy(&mut out.0, mixed.as_bytes());
            }
            None => crate::copy::copy(&mut out.0, secret),
        }
        both.zeroize();
        out
    }

    /// Steps without their secrets.
    pub fn skip(&mut self, steps: u64) {
        for _ in 0..steps {
            drop(self.step(None));
        }
    }
}

impl Secret {
    /// The first bytes by which a message is found.
    pub(super) fn lookup(&self) -> [u8; 8] {
        let mut out = [0; 8];
        expand(&Prk::from_bytes(self.0), &[FIND], &mut out);
        out
    }

    /// Lookup and commitment.
    pub(super) fn marks(&self) -> Marks {
        let mut both = [0; 40];
        expand(&Prk::from_bytes(self.0), &[FIND], &mut both);
        let mut marks = Marks {
            lookup: [0; 8],
            commitment: [0; 32],
        };
        let (lookup, commitment) = both.split_at(8);
        crate::copy::copy(&mut marks.lookup, lookup);
        crate::copy::copy(&mut marks.commitment, commitment);
        marks
    }

    /// The key for a message of this form: one for each, so that no two forms share a one-time key of Poly1305, and a short tag says nothing of a long one.
    pub(super) fn key(&self, form: u8) -> Key {
        let mut out = [0; 32];
        expand(&Prk::from_bytes(self.0), &[KEY, &[form]], &mut out);
        let key = Key::new(out);
        out.zeroize();
        key
    }
}

impl core::fmt::Debug for Chain {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Chain")
    }
}

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret")
    }
}

impl core::fmt::Debug for SideKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SideKey")
    }
}
