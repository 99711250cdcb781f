//! Who signs for a leaf: a key in memory at once, or a secure element in its own time.
//!
//! Invariant: what waits for an element is kept as what it follows from (a choice of tips, a moment, a challenge) and not as bytes, so that it costs little memory; the
//! message is made of it anew, the same, whenever it is needed. A signature that does not verify over it never leaves, and the number that it was for is not used up.

use super::issue::PAYLOAD_AT;
use super::state::Fact;
use super::{Error, Event, Leaf, Phase, TIPS};
use crate::crypto::{PublicKey, SecretKey, Signature, Verify};
use crate::identity::attest::MAX_MESSAGE;
use crate::platform::Platform;
use crate::types::Millis;

const _: () = assert!(MAX_MESSAGE <= PAYLOAD_AT);

/// An element that did not answer is told of its work again after this time.
const TELL_AGAIN: u64 = 10_000;
/// After a failure or a wrong answer it is left alone for so long.
const PAUSE: u64 = 1_000;
/// What was begun before the neighbourhood is known is given up after this time.
const GIVE_UP: u64 = 60_000;

/// The holder of the leaf's key.
#[derive(Debug)]
pub enum LeafSigner {
    /// In memory.
    Software(SecretKey),
    /// In a secure element, of which this is the public key: `Leaf::sign_input` and `Leaf::sign_output`.
    External(PublicKey),
}

impl From<SecretKey> for LeafSigner {
    fn from(secret: SecretKey) -> Self {
        Self::Software(secret)
    }
}

impl LeafSigner {
    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        match self {
            Self::Software(secret) => secret.public_key(),
            Self::External(key) => *key,
        }
    }

    /// The signature, where the key is in memory.
    pub(super) fn now(&self, message: &[u8]) -> Option<Signature> {
        match self {
            Self::Software(secret) => Some(secret.sign(message)),
            Self::External(_) => None,
        }
    }
}

/// What an element works on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signing {
    pub what: What,
    /// It took its input.
    taken: bool,
    since: Millis,
    tell: Millis,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// The next transaction: on the tips of the leaf's candidate, which stays meanwhile, with what is known of them; drafted at this absolute time.
    Issue { facts: [Fact; TIPS], clock: Millis },
    /// The answer to the gateway's challenge.
    Attest,
}

impl<P: Platform, V: Verify> Leaf<'_, P, V> {
    /// Gives an element its work.
    pub(super) fn ask_signer(&mut self, now: Millis, what: What) {
        self.signing = Some(Signing {
            what,
            taken: false,
            since: now,
            tell: now.saturating_add(TELL_AGAIN),
        });
        self.tell(Event::SignatureNeeded);
    }

    /// Reminds an element that did not answer, and gives up what would come too late for anything to stand on it.
    pub(super) fn tend_signer(&mut self, now: Millis) {
        let Some(signing) = &mut self.signing else {
            return;
        };
        let limit = match signing.what {
            What::Issue { .. } => self.terms.as_ref().map_or(GIVE_UP, |t| t.parent_age.0),
            What::Attest => GIVE_UP,
        };
        if now >= signing.since.saturating_add(limit) {
            self.drop_signing();
        } else if now >= signing.tell {
            signing.tell = now.saturating_add(TELL_AGAIN);
            self.tell(Event::SignatureNeeded);
        }
    }

    fn drop_signing(&mut self) {
        if self.is_attesting() {
            self.attesting.forget();
        } else {
            self.candidate = None;
        }
        self.signing = None;
    }

    /// Whether an element works on the answer to a challenge.
    pub(super) fn is_attesting(&self) -> bool {
        matches!(
            self.signing,
            Some(Signing {
                what: What::Attest,
                ..
            })
        )
    }

    /// What waits, written into the leaf's buffer anew: the length of the message, which stands at its start. With the signature it is taken.
    fn resume(
        &mut self,
        now: Millis,
        what: &What,
        given: Option<&Signature>,
        buffer: &mut [u8],
    ) -> Result<usize, Error> {
        let (room, payload) = buffer
            .split_at_mut_checked(PAYLOAD_AT)
            .ok_or(Error::Memory)?;
        match what {
            What::Issue { facts, clock } => {
                let by = self.candidate.ok_or(Error::OutOfOrder)?;
                let facts = facts.get(..by.count).unwrap_or(&[]);
                let draft = self.draft(*clock, by.tips(), facts, room, payload)?;
                let payload = payload.get(..draft.payload).ok_or(Error::Memory)?;
                if given.is_none() {
                    return self.message(&draft, room, payload);
                }
                if self.phase != Phase::Active {
                    return Err(Error::Signature);
                }
                self.sign(&draft, room, payload, given)?;
                self.asked.soon(now);
                Ok(0)
            }
            What::Attest => {
                let len = self.attest_message(room)?;
                if let Some(signature) = given {
                    let message = room.get(..len).unwrap_or(&[]);
                    self.verifier
                        .verify(&self.key, message, signature)
                        .map_err(|_| Error::Signature)?;
                    self.attested(now, *signature);
                }
                Ok(len)
            }
        }
    }

    /// What the external signer is to sign, where something waits. It stands in the leaf's own buffer: use it before the next call. Fetched again it is the same.
    ///
    /// # Errors
    /// [`Error::Platform`] where the store cannot be read.
    #[inline(never)]
    pub fn sign_input(&mut self) -> Result<Option<&[u8]>, Error> {
        let Some(signing) = self.signing else {
            return Ok(None);
        };
        let buffer = core::mem::take(&mut self.buffer);
        let written = self.resume(Millis(0), &signing.what, None, buffer);
        self.buffer = buffer;
        match written {
            Ok(len) => {
                self.signing = Some(Signing {
                    taken: true,
                    ..signing
                });
                Ok(self.buffer.get(..len))
            }
            Err(Error::Platform) => Err(Error::Platform),
            // What it stood on is gone: it is drafted again.
            Err(_) => {
                self.drop_signing();
                Ok(None)
            }
        }
    }

    /// The external signer's answer. It is checked against the device's public key before anything leaves.
    ///
    /// # Errors
    /// [`Error::NotForMe`] where no answer is awaited; [`Error::Signature`] where it is wrong, or comes for something that was given up: nothing left, and it is asked
    /// again after a second. [`Error::Platform`] where it could not be stored.
    #[inline(never)]
    pub fn sign_output(&mut self, now: Millis, signature: &Signature) -> Result<(), Error> {
        let taken = self.signing.filter(|s| s.taken);
        let signing = taken.ok_or(Error::NotForMe)?;
        let buffer = core::mem::take(&mut self.buffer);
        let done = self.resume(now, &signing.what, Some(signature), buffer);
        self.buffer = buffer;
        match done {
            Ok(_) => {
                self.signing = None;
                Ok(())
            }
            Err(error) => {
                self.sign_fail(now);
                Err(match error {
                    Error::Platform => Error::Platform,
                    _ => Error::Signature,
                })
            }
        }
    }

    /// The external signer cannot sign: what waits stays in the store and is tried again after a second.
    pub fn sign_fail(&mut self, now: Millis) {
        if self.signing.is_some() {
            self.drop_signing();
            self.sign_due = now.saturating_add(PAUSE);
        }
    }
}
