//! Enrolment: a certificate chain, and proof that who shows it holds the key (protocol 2.2).
//!
//! Invariant: the proof names the neighbourhood's authority and the device and nothing that changes, so an enrolment is idempotent: a
//! replayed one asks for what is already so. It cannot be carried to another neighbourhood, whose authority has another thumbprint.

use crate::crypto::{PublicKey, Signature, SignatureError, Verify};
use crate::identity::cert::{self, CertError, Kind, Seconds, Verified};
use crate::identity::key::CoseKey;
use crate::identity::statement::Statement;
use crate::types::Id;
use crate::wire::WireError;

/// The domain of the proof.
pub const DOMAIN: &str = "iotedge/enrol/1";

/// Why an enrolment is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolError {
    /// The certificate chain does not hold: ENROL_RESULT 4 where it is revoked, else 2.
    Certificate(CertError),
    /// The proof is no signature of the certified key for this neighbourhood: ENROL_RESULT 3.
    Proof(SignatureError),
    /// The statement could not be written; does not happen with a whole build.
    Wire(WireError),
}

/// What the device signs to enrol with `authority`, the neighbourhood's.
pub fn statement(authority: &PublicKey, device: &Id) -> Result<Statement, WireError> {
    Statement::new(DOMAIN, &CoseKey::thumbprint(authority), device, None)
}

/// Verifies a chain and the proof of possession by the key that it certifies: a device's, or a leaf's, as the certificate says.
///
/// `anchors` are the manufacturers and authorities that this neighbourhood enrols from; `authority` is its own.
pub fn verify(
    chain: &[&[u8]],
    proof: &Signature,
    authority: &PublicKey,
    anchors: &[PublicKey],
    now: Seconds,
    revoked: impl Fn(&PublicKey, &[u8]) -> bool,
    verifier: &mut dyn Verify,
) -> Result<Verified, EnrolError> {
    let last = chain.last().map(|bytes| cert::Certificate::parse(bytes));
    let expected = match last {
        Some(Ok(last)) if last.claims().kind == Kind::Leaf => Kind::Leaf,
        _ => Kind::Device,
    };
    let verified = cert::verify_chain(chain, anchors, now, expected, revoked, verifier)
        .map_err(EnrolError::Certificate)?;
    let message = statement(authority, &verified.device.0).map_err(EnrolError::Wire)?;
    verifier
        .verify(&verified.key, message.as_bytes(), proof)
        .map_err(EnrolError::Proof)?;
    Ok(verified)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{SecretKey, Software};
    use crate::identity::cert::{Claims, Cti, MAX_CERTIFICATE};

    fn secret(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed; 32]).unwrap()
    }

    #[test]
    fn only_the_certified_key_enrols_and_only_here() {
        let (maker, authority, device) = (secret(1), secret(2), secret(3));
        let claims = Claims {
            name: "Maker",
            expires: None,
            not_before: None,
            issued: Seconds(1),
            cti: Cti::new(&[1; 8]).unwrap(),
            key: device.public_key(),
            kind: Kind::Device,
        };
        let mut bytes = [0; MAX_CERTIFICATE];
        let len = cert::issue(&claims, &maker, &mut bytes).unwrap();
        let chain = [&bytes[..len]];
        let here = authority.public_key();
        let id = CoseKey::thumbprint(&device.public_key());
        let message = statement(&here, &id).unwrap();
        let check = |proof: &Signature, at: &PublicKey, revoked: bool| {
            let anchors = [maker.public_key()];
            verify(
                &chain,
                proof,
                at,
                &anchors,
                Seconds(5),
                |_, _| revoked,
                &mut Software,
            )
        };
        let proof = device.sign(message.as_bytes());
        assert_eq!(check(&proof, &here, false).unwrap().device.0, id);
        let rejected = Err(EnrolError::Proof(SignatureError::Rejected));
        assert_eq!(check(&proof, &secret(4).public_key(), false), rejected);
        assert_eq!(
            check(&maker.sign(message.as_bytes()), &here, false),
            rejected
        );
        let other = statement(&here, &Id([9; 32])).unwrap();
        assert_eq!(
            check(&device.sign(other.as_bytes()), &here, false),
            rejected
        );
        assert_eq!(
            check(&proof, &here, true),
            Err(EnrolError::Certificate(CertError::Revoked))
        );
    }

    /// What a device joins as is what its maker certified, whatever it would like to be.
    #[test]
    fn the_certificate_says_whether_it_joins_with_weight() {
        use crate::identity::Roles;
        let (maker, device) = (secret(1), secret(3));
        let here = secret(2).public_key();
        let id = CoseKey::thumbprint(&device.public_key());
        let proof = device.sign(statement(&here, &id).unwrap().as_bytes());
        for (kind, joins) in [
            (Kind::Device, Some(Roles::NONE)),
            (Kind::Leaf, Some(Roles::SUBMIT_ONLY)),
            (Kind::Validator, None),
            (Kind::GlNode, None),
            (Kind::Authority, None),
        ] {
            let claims = Claims {
                name: "Maker",
                expires: None,
                not_before: None,
                issued: Seconds(1),
                cti: Cti::new(&[1; 8]).unwrap(),
                key: device.public_key(),
                kind,
            };
            let mut bytes = [0; MAX_CERTIFICATE];
            let len = cert::issue(&claims, &maker, &mut bytes).unwrap();
            let verified = verify(
                &[&bytes[..len]],
                &proof,
                &here,
                &[maker.public_key()],
                Seconds(5),
                |_, _| false,
                &mut Software,
            );
            assert_eq!(kind.joins_as(), joins);
            let wrong = EnrolError::Certificate(CertError::WrongKind);
            assert_eq!(
                verified.map(|v| v.kind),
                joins.map_or(Err(wrong), |_| Ok(kind))
            );
        }
    }
}
