//! COSE_Sign1 (RFC 9052 section 4.2), untagged, as every signed statement of the protocol uses it.
//!
//! Invariant: what is signed is the `Sig_structure` over the very bytes that travel. The protected header of an authority's or a
//! GL-node's statement follows from its key alone (`{1: alg, 4: kid}`), so a reader compares it instead of believing it.

use crate::crypto::{PublicKey, Signature, SignatureError, Suite, Verify};
use crate::identity::key::{CoseKey, Kid};
use crate::wire::{Reader, WireError, Writer};

/// The protected header `{1: alg, 4: kid}` as encoded.
pub type Protected = [u8; 13];

/// Bytes that `to_be_signed` adds to protected header, external_aad and payload together, at most.
pub const SIG_STRUCTURE_OVERHEAD: usize = 11 + 1 + 9 + 3 + 9;

/// Why a signed statement was refused, whatever it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign1Error {
    /// Not a COSE_Sign1 of the protocol's form. Refuse it.
    Wire(WireError),
    /// The protected header is not `{1: alg, 4: kid}`. Refuse it.
    Header,
    /// The header names another key than the one to verify with: find the key that it names, or refuse.
    WrongSigner,
    /// The signature does not hold. Refuse it; a retransmission may be whole.
    Signature(SignatureError),
}

impl From<WireError> for Sign1Error {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// A COSE_Sign1 as read: nothing in it is verified.
#[derive(Clone, Copy, Debug)]
pub struct Sign1<'a> {
    /// The protected header, encoded.
    pub protected: &'a [u8],
    /// The payload.
    pub payload: &'a [u8],
    /// The signature.
    pub signature: Signature,
}

impl<'a> Sign1<'a> {
    /// Reads one untagged COSE_Sign1 with an empty unprotected header, and nothing after it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        r.take_array_of(4);
        let protected = r.take_bytes();
        if r.take_map() != 0 {
            r.break_off(WireError::Range);
        }
        let payload = r.take_bytes();
        let signature = Signature(*r.take_bytes_of());
        r.finish()?;
        Ok(Self {
            protected,
            payload,
            signature,
        })
    }

    /// Which key the header says has signed.
    pub fn signer(&self) -> Result<(Suite, Kid), Sign1Error> {
        let header = Sign1Error::Header;
        let mut r = Reader::new(self.protected);
        if r.map().map_err(|_| header)? != 2 || r.int() != Ok(1) {
            return Err(header);
        }
        let alg = i32::try_from(r.int().map_err(|_| header)?).map_err(|_| header)?;
        let suite = Suite::from_cose_alg(alg).ok_or(header)?;
        if r.int() != Ok(4) {
            return Err(header);
        }
        let kid = *r.bytes_of().map_err(|_| header)?;
        r.finish().map_err(|_| header)?;
        Ok((suite, kid))
    }

    /// Checks header and signature against `key`. `scratch` holds the message while it is checked:
    /// [`SIG_STRUCTURE_OVERHEAD`] more than header, `aad` and payload is enough.
    pub fn verify(
        &self,
        key: &PublicKey,
        aad: &[u8],
        verifier: &mut dyn Verify,
        scratch: &mut [u8],
    ) -> Result<(), Sign1Error> {
        let (suite, kid) = self.signer()?;
        if suite != key.suite() || kid != CoseKey::kid(key) {
            return Err(Sign1Error::WrongSigner);
        }
        let message = to_be_signed(self.protected, aad, self.payload, scratch)?;
        verifier
            .verify(key, message, &self.signature)
            .map_err(Sign1Error::Signature)
    }
}

/// The protected header of a statement by `key`.
#[must_use]
pub fn protected(key: &PublicKey) -> Protected {
    let alg = match key.suite() {
        Suite::Ed25519 => 0x27,
        Suite::Es256 => 0x26,
    };
    let [a, b, c, d, e, f, g, h] = CoseKey::kid(key);
    [0xa2, 0x01, alg, 0x04, 0x48, a, b, c, d, e, f, g, h]
}

/// The external_aad of a statement that needs no more than its domain: CBOR `[domain]`.
pub fn domain_aad<'o>(domain: &str, out: &'o mut [u8]) -> Result<&'o [u8], WireError> {
    let mut w = Writer::new(out);
    w.put_array(1);
    w.put_text(domain);
    w.intact()?;
    Ok(w.into_written())
}

/// Writes the `Sig_structure` `["Signature1", protected, aad, payload]`: the message that the signer signs.
pub fn to_be_signed<'o>(
    protected: &[u8],
    aad: &[u8],
    payload: &[u8],
    out: &'o mut [u8],
) -> Result<&'o [u8], WireError> {
    let mut w = Writer::new(out);
    w.put_array(4);
    w.put_text("Signature1");
    w.put_bytes(protected);
    w.put_bytes(aad);
    w.put_bytes(payload);
    w.intact()?;
    Ok(w.into_written())
}

/// Writes the COSE_Sign1; returns its length.
pub fn assemble(
    protected: &[u8],
    payload: &[u8],
    signature: &Signature,
    out: &mut [u8],
) -> Result<usize, WireError> {
    let mut w = Writer::new(out);
    w.put_array(4);
    w.put_bytes(protected);
    w.put_map(0);
    w.put_bytes(payload);
    w.put_bytes(&signature.0);
    w.intact()?;
    Ok(w.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{SecretKey, Software};

    fn statement(seed: u8, aad: &[u8], payload: &[u8]) -> Vec<u8> {
        let secret = SecretKey::from_seed(&[seed; 32]).unwrap();
        let header = protected(&secret.public_key());
        let mut scratch = [0; 256];
        let message = to_be_signed(&header, aad, payload, &mut scratch).unwrap();
        let mut out = [0; 256];
        let len = assemble(&header, payload, &secret.sign(message), &mut out).unwrap();
        out[..len].to_vec()
    }

    #[test]
    fn only_its_own_key_aad_and_payload_verify() {
        let key = |seed| SecretKey::from_seed(&[seed; 32]).unwrap().public_key();
        let bytes = statement(1, b"aad", b"payload");
        let parsed = Sign1::parse(&bytes).unwrap();
        let mut scratch = [0; 256];
        let mut check = |s: &Sign1<'_>, seed, aad: &[u8]| {
            s.verify(&key(seed), aad, &mut Software, &mut scratch)
        };
        assert_eq!(check(&parsed, 1, b"aad"), Ok(()));
        assert_eq!(check(&parsed, 2, b"aad"), Err(Sign1Error::WrongSigner));
        let rejected = Err(Sign1Error::Signature(SignatureError::Rejected));
        assert_eq!(check(&parsed, 1, b"other"), rejected);
        let other = Sign1 {
            payload: b"Payload",
            ..parsed
        };
        assert_eq!(check(&other, 1, b"aad"), rejected);
        let mut short = [0; 20];
        assert_eq!(
            parsed.verify(&key(1), b"aad", &mut Software, &mut short),
            Err(Sign1Error::Wire(WireError::Full))
        );
    }

    #[test]
    fn the_overhead_is_enough() {
        for len in [0, 23, 24, 255, 256, 480] {
            let payload = vec![7; len];
            let mut out = vec![0; 13 + 20 + len + SIG_STRUCTURE_OVERHEAD];
            assert!(to_be_signed(&[1; 13], &[2; 20], &payload, &mut out).is_ok());
        }
    }

    #[test]
    fn other_headers_and_forms_are_refused() {
        let bytes = statement(1, b"", b"p");
        let parsed = Sign1::parse(&bytes).unwrap();
        for header in [
            &[0xa1, 0x01, 0x27][..],
            &[0xa2, 0x01, 0x28, 0x04, 0x48, 1, 2, 3, 4, 5, 6, 7, 8],
            &[0xa2, 0x01, 0x27, 0x04, 0x47, 1, 2, 3, 4, 5, 6, 7],
            &[0xa2, 0x01, 0x27, 0x05, 0x48, 1, 2, 3, 4, 5, 6, 7, 8],
            &[0xa2, 0x01, 0x27, 0x04, 0x48, 1, 2, 3, 4, 5, 6, 7, 8, 0],
            &[],
        ] {
            let other = Sign1 {
                protected: header,
                ..parsed
            };
            assert_eq!(other.signer(), Err(Sign1Error::Header), "{header:?}");
        }
        let mut tagged = vec![0xd2];
        tagged.extend_from_slice(&bytes);
        assert_eq!(Sign1::parse(&tagged).err(), Some(WireError::Type));
        for end in 0..bytes.len() {
            assert!(Sign1::parse(&bytes[..end]).is_err());
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(Sign1::parse(&longer).err(), Some(WireError::TrailingBytes));
        let mut unprotected = bytes;
        assert_eq!(unprotected[15], 0xa0);
        unprotected.splice(15..16, [0xa1, 0x18, 0x20, 0x00]);
        assert_eq!(Sign1::parse(&unprotected).err(), Some(WireError::Range));
    }
}
