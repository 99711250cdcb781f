//! Key rotation: the consent of the new key (protocol section 3, kind member, op 1).
//!
//! Invariant: a rotation is a transaction signed by the old key that carries a signature by the new one over neighbourhood, device and the
//! transaction's number, so a key can neither be taken over by somebody who does not hold it nor a consent be used twice. The device id
//! stays; the new key signs from the next epoch on.

use crate::crypto::{PublicKey, Signature, SignatureError, Verify};
use crate::identity::statement::Statement;
use crate::types::{Id, Number};
use crate::wire::WireError;

/// The domain of the consent.
pub const DOMAIN: &str = "iotedge/rotate/1";

/// Why a rotation is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationError {
    /// The new key is the old one: nothing would change.
    SameKey,
    /// The new key is of another suite: not everybody in the neighbourhood may have it. Make one of the old key's suite.
    Suite,
    /// The new key could never verify a signature in this build. Make another one.
    Key(SignatureError),
    /// The consent is no signature by the new key over this rotation.
    Consent(SignatureError),
    /// The statement could not be written; does not happen with a whole build.
    Wire(WireError),
}

/// What the new key signs: `number` is that of the transaction which carries the consent.
pub fn statement(neighbourhood: &Id, device: &Id, number: Number) -> Result<Statement, WireError> {
    Statement::new(DOMAIN, neighbourhood, device, Some(number))
}

/// Checks that the holder of `new` consents to become the key of `device`.
pub fn verify(
    neighbourhood: &Id,
    device: &Id,
    number: Number,
    old: &PublicKey,
    new: &PublicKey,
    consent: &Signature,
    verifier: &mut dyn Verify,
) -> Result<(), RotationError> {
    if old == new {
        return Err(RotationError::SameKey);
    }
    if old.suite() != new.suite() {
        return Err(RotationError::Suite);
    }
    new.check().map_err(RotationError::Key)?;
    let message = statement(neighbourhood, device, number).map_err(RotationError::Wire)?;
    verifier
        .verify(new, message.as_bytes(), consent)
        .map_err(RotationError::Consent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{SecretKey, Software};

    #[test]
    fn consent_holds_for_one_rotation_only() {
        let (old, new) = (
            SecretKey::from_seed(&[1; 32]).unwrap(),
            SecretKey::from_seed(&[2; 32]).unwrap(),
        );
        let (here, device, number) = (Id([3; 32]), Id([4; 32]), Number(u32::MAX));
        let consent = new.sign(statement(&here, &device, number).unwrap().as_bytes());
        let check = |here: &Id, device: &Id, number, key: &PublicKey, consent: &Signature| {
            verify(
                here,
                device,
                number,
                &old.public_key(),
                key,
                consent,
                &mut Software,
            )
        };
        let key = new.public_key();
        assert_eq!(check(&here, &device, number, &key, &consent), Ok(()));
        let rejected = Err(RotationError::Consent(SignatureError::Rejected));
        assert_eq!(
            check(&Id([5; 32]), &device, number, &key, &consent),
            rejected
        );
        assert_eq!(check(&here, &Id([5; 32]), number, &key, &consent), rejected);
        assert_eq!(check(&here, &device, Number(7), &key, &consent), rejected);
        let by_old = old.sign(statement(&here, &device, number).unwrap().as_bytes());
        assert_eq!(check(&here, &device, number, &key, &by_old), rejected);
        assert_eq!(
            check(&here, &device, number, &old.public_key(), &by_old),
            Err(RotationError::SameKey)
        );
        assert_eq!(
            check(&here, &device, number, &PublicKey::Es256([1; 64]), &consent),
            Err(RotationError::Suite)
        );
        let mut small = [0; 32];
        small[0] = 1;
        assert_eq!(
            check(&here, &device, number, &PublicKey::Ed25519(small), &consent),
            Err(RotationError::Key(SignatureError::Malformed))
        );
    }
}
