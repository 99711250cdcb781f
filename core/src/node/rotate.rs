//! Key rotation: a device changes its key and keeps its account.
//!
//! The application makes the new key, stores it durably itself, and gives it to the node; at every boot until the change is settled it
//! gives both. The rotation is an own transaction signed by the old key that carries the new key's consent; it takes effect with the
//! table that the next header opens. Invariant: a vertex is signed by the key that the table of its own epoch names.

use super::event::Refusal;
use super::{Node, NodeSigner};
use crate::crypto::{PublicKey, SecretKey, Signature, Verify};
use crate::identity::rotation;
use crate::platform::Platform;
use crate::{Epoch, Id, Millis, Number};

/// A rotation under way.
pub(crate) struct Rotation {
    secret: SecretKey,
    issued: bool,
}

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// Changes the key of this device to `next`, as soon as it may issue. Calling it again with the same key, as after a reboot, is fine.
    ///
    /// # Errors
    /// [`Refusal::NotMember`] for an observer, [`Refusal::Suite`] where the signer is external (its element rotates with a
    /// configuration of its own), [`Refusal::MemberOperation`] where `next` is the key in use.
    pub fn rotate(&mut self, now: Millis, next: SecretKey) -> Result<(), Refusal> {
        match &self.signer {
            NodeSigner::Software(secret) if secret.public_key() == next.public_key() => {
                return Err(Refusal::MemberOperation);
            }
            NodeSigner::Software(_) => {}
            NodeSigner::External(_) => return Err(Refusal::Suite),
            NodeSigner::None => return Err(Refusal::NotMember),
        }
        self.rotation = Some(Rotation {
            secret: next,
            issued: false,
        });
        self.timers.issue = self.timers.issue.min(now);
        self.issue_what_is_due(now);
        Ok(())
    }

    /// The key that waits to be announced to the ledger, if one does.
    pub(crate) fn rotation_due(&self) -> Option<PublicKey> {
        let rotation = self.rotation.as_ref().filter(|r| !r.issued)?;
        let next = rotation.secret.public_key();
        let index = self.index?;
        // Settled already: the application gave both keys after a reboot.
        (self.tables.latest(index)?.key != next).then_some(next)
    }

    pub(crate) fn rotation_issued(&mut self) {
        if let Some(rotation) = self.rotation.as_mut() {
            rotation.issued = true;
        }
    }

    /// The new key's consent to be carried by the own transaction with this number.
    pub(crate) fn consent(&self, number: Number) -> Option<Signature> {
        let rotation = self.rotation.as_ref()?;
        let statement = rotation::statement(&self.neighbourhood, &self.device, number).ok()?;
        Some(rotation.secret.sign(statement.as_bytes()))
    }

    /// The secret that signs for this public key, where it is here.
    pub(crate) fn secret_for(&self, key: &PublicKey) -> Option<&SecretKey> {
        let current = match &self.signer {
            NodeSigner::Software(secret) => Some(secret),
            _ => None,
        };
        let next = self.rotation.as_ref().map(|r| &r.secret);
        [current, next]
            .into_iter()
            .flatten()
            .find(|secret| secret.public_key() == *key)
    }

    /// The key by which the own vertices of an epoch verify.
    pub(crate) fn key_in(&self, epoch: Epoch) -> Option<PublicKey> {
        self.tables.get(epoch, self.index?).map(|record| record.key)
    }
}

/// Device id and key of a certificate and a signer that may have rotated since.
pub(crate) fn device_of(certified: &PublicKey) -> Id {
    crate::identity::CoseKey::thumbprint(certified)
}
