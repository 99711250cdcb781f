//! Signed transactions: COSE_Sign1 (RFC 9052 section 4.2) around a payload.
//!
//! Invariant: the signature covers domain, neighbourhood, the full ids of the parents and the payload, so a prefix that
//! means two ids cannot make two readers see two parents. The suite is the key's, never the message's choice.

use super::payload::parents_hash;
use super::{DOMAIN, Parents, Payload, TxError};
use crate::crypto::{PublicKey, SecretKey, Signature, Suite, Verify};
use crate::types::{Id, MAX_PAYLOAD, Prefix};
use crate::wire::{Reader, Writer, head_len};

const CONTEXT: &str = "Signature1";
const EDDSA: &[u8] = &[0xa1, 0x01, 0x27];
const ES256: &[u8] = &[0xa1, 0x01, 0x26];
/// Array head, domain and two ids.
const EXTERNAL_AAD_LEN: usize = 1 + 1 + DOMAIN.len() + 34 + 34;
/// Array and unprotected heads, protected header, signature.
const COSE_FIXED: usize = 1 + 4 + 1 + 2 + 64;
/// Neighbourhood tag and frame type.
const FRAME_HEAD: usize = 4 + 1;

/// Bytes that a buffer for `signing_input` needs at most.
pub const MAX_SIGNING_INPUT: usize =
    1 + 1 + CONTEXT.len() + 4 + 2 + EXTERNAL_AAD_LEN + 3 + MAX_PAYLOAD;
/// Bytes that a buffer for `assemble` needs at most.
pub const MAX_COSE: usize = COSE_FIXED + 3 + MAX_PAYLOAD;

/// Bytes of the COSE_Sign1 around a payload of `payload` bytes.
#[must_use]
pub const fn cose_len(payload: usize) -> usize {
    // A payload is at most 480 bytes: the cast and the sums are exact wherever the value is used, and saturate elsewhere.
    COSE_FIXED
        .saturating_add(head_len(payload as u64))
        .saturating_add(payload)
}

/// Bytes of the frame around a payload of `payload` bytes, without attachment.
#[must_use]
pub const fn frame_len(payload: usize) -> usize {
    cose_len(payload).saturating_add(FRAME_HEAD)
}

/// The protected header of a suite: `{1: alg}`.
pub(super) const fn protected(suite: Suite) -> &'static [u8] {
    match suite {
        Suite::Ed25519 => EDDSA,
        Suite::Es256 => ES256,
    }
}

/// The suite that a protected header names.
pub(super) fn suite_of(protected: &[u8]) -> Result<Suite, TxError> {
    match protected {
        EDDSA => Ok(Suite::Ed25519),
        ES256 => Ok(Suite::Es256),
        _ => Err(TxError::Protected),
    }
}

/// Writes the message that the issuer signs, a COSE `Sig_structure`, to the start of `out` and returns it.
pub fn signing_input<'o>(
    neighbourhood: &Id,
    suite: Suite,
    payload: &[u8],
    parents_hash: &Id,
    out: &'o mut [u8],
) -> Result<&'o [u8], TxError> {
    if payload.len() > MAX_PAYLOAD {
        return Err(TxError::PayloadTooLong);
    }
    let mut w = Writer::new(out);
    w.put_array(4);
    w.put_text(CONTEXT);
    w.put_bytes(protected(suite));
    w.put_bytes_head(EXTERNAL_AAD_LEN);
    w.put_array(3);
    w.put_text(DOMAIN);
    w.put_id(neighbourhood);
    w.put_id(parents_hash);
    w.put_bytes(payload);
    w.intact()?;
    Ok(w.into_written())
}

/// Writes the COSE_Sign1 to the start of `out` and returns it. What comes from a signer outside goes through
/// [`Unverified::verify`] before it leaves.
pub fn assemble<'o>(
    suite: Suite,
    payload: &[u8],
    signature: &Signature,
    out: &'o mut [u8],
) -> Result<&'o [u8], TxError> {
    if payload.len() > MAX_PAYLOAD {
        return Err(TxError::PayloadTooLong);
    }
    let mut w = Writer::new(out);
    assemble_to(&mut w, suite, payload, signature);
    w.intact()?;
    Ok(w.into_written())
}

/// The same, with a writer; who calls it ends with `intact`.
#[inline(never)]
pub fn assemble_to(w: &mut Writer<'_>, suite: Suite, payload: &[u8], signature: &Signature) {
    w.put_array(4);
    w.put_bytes(protected(suite));
    w.put_map(0);
    w.put_bytes(payload);
    w.put_bytes(&signature.0);
}

/// Checks one signature over a payload and its parents.
pub(super) fn check_signature(
    neighbourhood: &Id,
    key: &PublicKey,
    signed: &Signed<'_>,
    parents_hash: &Id,
    verifier: &mut dyn Verify,
) -> Result<(), TxError> {
    if key.suite() != signed.suite {
        return Err(TxError::Suite);
    }
    let mut buffer = [0u8; MAX_SIGNING_INPUT];
    let message = signing_input(
        neighbourhood,
        signed.suite,
        signed.payload_bytes,
        parents_hash,
        &mut buffer,
    )?;
    verifier
        .verify(key, message, &signed.signature)
        .map_err(TxError::Signature)
}

/// What one signature is over, and the signature: the inside of a COSE_Sign1 and one half of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signed<'a> {
    pub suite: Suite,
    pub payload: Payload<'a>,
    pub payload_bytes: &'a [u8],
    pub signature: Signature,
}

impl<'a> Signed<'a> {
    /// Reads the parts as they stand in the bytes and checks their form.
    pub fn new(
        protected: &[u8],
        payload_bytes: &'a [u8],
        signature: &[u8],
    ) -> Result<Self, TxError> {
        let suite = suite_of(protected)?;
        let bytes = signature.try_into();
        let signature = Signature(bytes.map_err(|_| TxError::SignatureLength)?);
        let payload = Payload::decode(payload_bytes)?;
        Ok(Self {
            suite,
            payload,
            payload_bytes,
            signature,
        })
    }
}

/// A transaction whose form is right and whose signature nobody has checked.
#[derive(Clone, Copy, Debug)]
pub struct Unverified<'a> {
    signed: Signed<'a>,
    cose: &'a [u8],
}

impl<'a> Unverified<'a> {
    /// Reads one COSE_Sign1; nothing may follow.
    pub fn parse(cose: &'a [u8]) -> Result<Self, TxError> {
        let mut r = Reader::new(cose);
        r.take_array_of(4);
        let protected = r.take_bytes();
        let unprotected = r.take_map();
        r.intact()?;
        if unprotected != 0 {
            return Err(TxError::Unprotected);
        }
        let payload = r.take_bytes();
        let signature = r.take_bytes();
        r.finish()?;
        let signed = Signed::new(protected, payload, signature)?;
        Ok(Self { signed, cose })
    }

    /// What it says. Not to be acted upon before `verify`.
    #[must_use]
    pub const fn payload(&self) -> &Payload<'a> {
        &self.signed.payload
    }

    /// The bytes that are hashed and signed.
    #[must_use]
    pub const fn payload_bytes(&self) -> &'a [u8] {
        self.signed.payload_bytes
    }

    /// The body alone: the last element of the payload, as it stands there.
    #[must_use]
    pub fn body_bytes(&self) -> &'a [u8] {
        let mut r = Reader::new(self.signed.payload_bytes);
        r.take_array_of(8);
        for _ in 0..7 {
            r.take_item();
        }
        r.take_item()
    }

    /// The suite that the message names.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.signed.suite
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> &Signature {
        &self.signed.signature
    }

    /// The whole COSE_Sign1.
    #[must_use]
    pub const fn cose(&self) -> &'a [u8] {
        self.cose
    }

    pub(super) const fn into_signed(self) -> Signed<'a> {
        self.signed
    }

    /// Its id. Counts as seen only after `verify`.
    #[must_use]
    pub fn id(&self, neighbourhood: &Id) -> Id {
        Payload::id_of(neighbourhood, self.signed.payload_bytes)
    }

    /// Checks the signature by `key` over the payload and the full ids of its parents, in the order of the wire.
    pub fn verify(
        &self,
        neighbourhood: &Id,
        key: &PublicKey,
        parents: &[Id],
        verifier: &mut dyn Verify,
    ) -> Result<Tx<'a>, TxError> {
        let id = self.id(neighbourhood);
        let named = &self.signed.payload.parents;
        refuse_self(&id, named.as_slice())?;
        named.check(parents)?;
        let parents_hash = parents_hash(parents);
        check_signature(neighbourhood, key, &self.signed, &parents_hash, verifier)?;
        Ok(Tx {
            unverified: *self,
            id,
            parents_hash,
        })
    }
}

/// A transaction with a valid signature; made only by [`Unverified::verify`] and by [`sign_with`].
#[derive(Clone, Copy, Debug)]
pub struct Tx<'a> {
    unverified: Unverified<'a>,
    id: Id,
    parents_hash: Id,
}

impl<'a> Tx<'a> {
    /// What it says.
    #[must_use]
    pub const fn payload(&self) -> &Payload<'a> {
        self.unverified.payload()
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> Id {
        self.id
    }

    /// SHA-256 of the full parent ids: with the bytes all that evidence needs.
    #[must_use]
    pub const fn parents_hash(&self) -> Id {
        self.parents_hash
    }

    /// The whole COSE_Sign1.
    #[must_use]
    pub const fn cose(&self) -> &'a [u8] {
        self.unverified.cose()
    }

    /// The signed bytes with the suite and the signature.
    #[must_use]
    pub const fn unverified(&self) -> &Unverified<'a> {
        &self.unverified
    }
}

/// Signs with a software key and writes the COSE_Sign1 to the start of `out`. `payload` names the parents by prefix, `parents`
/// in full.
pub fn sign_with<'o>(
    key: &SecretKey,
    neighbourhood: &Id,
    payload: &[u8],
    parents: &Parents,
    out: &'o mut [u8],
) -> Result<Tx<'o>, TxError> {
    Payload::decode(payload)?
        .parents
        .check(parents.as_slice())?;
    let suite = Suite::Ed25519;
    let parents_hash = parents.hash();
    let mut buffer = [0u8; MAX_SIGNING_INPUT];
    let message = signing_input(neighbourhood, suite, payload, &parents_hash, &mut buffer)?;
    let signature = key.sign(message);
    let unverified = Unverified::parse(assemble(suite, payload, &signature, out)?)?;
    let id = unverified.id(neighbourhood);
    refuse_self(&id, unverified.payload().parents.as_slice())?;
    Ok(Tx {
        unverified,
        id,
        parents_hash,
    })
}

/// Nobody can find such a payload without 2^128 tries; with it a cone would contain itself.
fn refuse_self(id: &Id, parents: &[Prefix]) -> Result<(), TxError> {
    match parents.contains(&id.prefix()) {
        true => Err(TxError::SelfParent),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{SignatureError, Software};
    use crate::tx::{Body, Prefixes};
    use crate::types::{Amount, Epoch, MemberIndex, Number};
    use proptest::prelude::*;

    const NBH: Id = Id([0x11; 32]);

    fn parents() -> Parents {
        Parents::new(Id([9; 32]), &[Id([7; 32]), Id([3; 32])]).unwrap()
    }

    fn payload(parents: &Parents) -> Vec<u8> {
        let mut out = [0; MAX_PAYLOAD];
        let payload = Payload {
            epoch: Epoch(3),
            issuer: MemberIndex(4),
            number: Number(70),
            offset: 123_456,
            parents: parents.prefixes().unwrap(),
            body: Body::Transfer {
                to: MemberIndex(2),
                amount: Amount(250),
                debits: Amount(9_250),
            },
        };
        payload.encode(&mut out).unwrap().to_vec()
    }

    fn key() -> SecretKey {
        SecretKey::from_seed(&[1; 32]).unwrap()
    }

    fn signed() -> Vec<u8> {
        let mut out = [0; MAX_COSE];
        let tx = sign_with(&key(), &NBH, &payload(&parents()), &parents(), &mut out).unwrap();
        tx.cose().to_vec()
    }

    #[test]
    fn what_is_signed_verifies() {
        let mut out = [0; MAX_COSE];
        let bytes = payload(&parents());
        let made = sign_with(&key(), &NBH, &bytes, &parents(), &mut out).unwrap();
        assert_eq!(made.cose().len(), cose_len(bytes.len()));
        let read = Unverified::parse(made.cose()).unwrap();
        let tx = read
            .verify(
                &NBH,
                &key().public_key(),
                parents().as_slice(),
                &mut Software,
            )
            .unwrap();
        assert_eq!(tx.id(), made.id());
        assert_eq!(tx.payload(), made.payload());
        assert_eq!(tx.parents_hash(), parents().hash());
        assert_eq!(
            tx.id(),
            Id(crate::crypto::sha256(&[
                b"iotedge/tx/1",
                &[0x11; 32],
                &bytes
            ]))
        );
    }

    #[test]
    fn what_the_signature_covers() {
        let cose = signed();
        let tx = Unverified::parse(&cose).unwrap();
        let right = key().public_key();
        let check = |nbh: Id, key: &PublicKey, parents: &[Id]| {
            tx.verify(&nbh, key, parents, &mut Software).map(|_| ())
        };
        let rejected = Err(TxError::Signature(SignatureError::Rejected));
        let parents = parents();
        assert_eq!(check(NBH, &right, parents.as_slice()), Ok(()));
        assert_eq!(check(Id([0x12; 32]), &right, parents.as_slice()), rejected);
        let other = SecretKey::from_seed(&[2; 32]).unwrap().public_key();
        assert_eq!(check(NBH, &other, parents.as_slice()), rejected);
        // The same prefix, another id behind it.
        let mut forged = parents.as_slice().to_vec();
        forged[1].0[31] ^= 1;
        assert_eq!(check(NBH, &right, &forged), rejected);
    }

    #[test]
    fn parents_must_be_the_named_ones() {
        let cose = signed();
        let tx = Unverified::parse(&cose).unwrap();
        let key = key().public_key();
        let all = parents();
        let mut swapped = all.as_slice().to_vec();
        swapped.swap(1, 2);
        for parents in [
            &[][..],
            &all.as_slice()[..2],
            &swapped,
            &[Id::ZERO, all.as_slice()[1], all.as_slice()[2]],
        ] {
            assert_eq!(
                tx.verify(&NBH, &key, parents, &mut Software).err(),
                Some(TxError::ParentMismatch)
            );
        }
    }

    #[test]
    fn the_suite_is_the_keys() {
        let mut cose = signed();
        let es256 = PublicKey::Es256([1; 64]);
        let tx = Unverified::parse(&cose).unwrap();
        assert_eq!(
            tx.verify(&NBH, &es256, parents().as_slice(), &mut Software)
                .err(),
            Some(TxError::Suite)
        );
        // The last byte of the protected header: -8 becomes -7.
        cose[4] = 0x26;
        let tx = Unverified::parse(&cose).unwrap();
        assert_eq!(tx.suite(), Suite::Es256);
        let key = key().public_key();
        assert_eq!(
            tx.verify(&NBH, &key, parents().as_slice(), &mut Software)
                .err(),
            Some(TxError::Suite)
        );
    }

    #[test]
    fn other_forms_are_refused() {
        let cose = signed();
        let payload = payload(&parents());
        let write = |protected: &[u8], pairs: usize, payload: &[u8], signature: &[u8]| {
            let mut out = [0; 1024];
            let mut w = Writer::new(&mut out);
            w.array(4).unwrap();
            w.bytes(protected).unwrap();
            w.map(pairs).unwrap();
            for _ in 0..pairs {
                w.uint(4).unwrap();
                w.bytes(&[1]).unwrap();
            }
            w.bytes(payload).unwrap();
            w.bytes(signature).unwrap();
            w.written().to_vec()
        };
        let parse = |bytes: &[u8]| Unverified::parse(bytes).map(|_| ()).err();
        let wire = |e| Some(TxError::Wire(e));
        use crate::wire::WireError::*;
        assert_eq!(parse(&write(EDDSA, 0, &payload, &[0; 64])), None);
        for protected in [&[0xa1, 0x01, 0x38, 0x22][..], &[0xa0], &[], &[0xa1, 1, 7]] {
            assert_eq!(
                parse(&write(protected, 0, &payload, &[0; 64])),
                Some(TxError::Protected)
            );
        }
        assert_eq!(
            parse(&write(EDDSA, 1, &payload, &[0; 64])),
            Some(TxError::Unprotected)
        );
        for len in [0, 63, 65] {
            assert_eq!(
                parse(&write(EDDSA, 0, &payload, &vec![0; len])),
                Some(TxError::SignatureLength)
            );
        }
        assert_eq!(
            parse(&write(EDDSA, 0, &[0; MAX_PAYLOAD + 1], &[0; 64])),
            Some(TxError::PayloadTooLong)
        );
        let mut longer = payload.clone();
        longer.push(0);
        assert_eq!(
            parse(&write(EDDSA, 0, &longer, &[0; 64])),
            wire(TrailingBytes)
        );
        let mut tagged = vec![0xd2];
        tagged.extend(&cose);
        assert_eq!(parse(&tagged), wire(Type));
        let mut trailing = cose.clone();
        trailing.push(0);
        assert_eq!(parse(&trailing), wire(TrailingBytes));
        for end in 0..cose.len() {
            assert_eq!(parse(&cose[..end]), wire(Truncated));
        }
    }

    #[test]
    fn a_signature_is_never_made_over_other_parents() {
        let mut out = [0; MAX_COSE];
        let others = Parents::new(Id([9; 32]), &[Id([7; 32])]).unwrap();
        let refused = sign_with(&key(), &NBH, &payload(&parents()), &others, &mut out);
        assert_eq!(refused.err(), Some(TxError::ParentMismatch));
        assert_eq!(out, [0; MAX_COSE]);
    }

    #[test]
    fn no_transaction_is_its_own_parent() {
        let id = Id([5; 32]);
        let prefixes = Prefixes::new(&[Prefix([4; 16]), id.prefix()]).unwrap();
        assert_eq!(
            refuse_self(&id, prefixes.as_slice()),
            Err(TxError::SelfParent)
        );
        assert_eq!(refuse_self(&Id([6; 32]), prefixes.as_slice()), Ok(()));
    }

    #[test]
    fn the_stated_sizes_are_exact() {
        let mut message = [0; MAX_SIGNING_INPUT];
        let longest = [0; MAX_PAYLOAD];
        let input = signing_input(&NBH, Suite::Ed25519, &longest, &NBH, &mut message).unwrap();
        assert_eq!(input.len(), MAX_SIGNING_INPUT);
        let mut out = [0; MAX_COSE];
        let cose = assemble(Suite::Ed25519, &longest, &Signature([0; 64]), &mut out).unwrap();
        assert_eq!(cose.len(), MAX_COSE);
        let longer = [0; MAX_PAYLOAD + 1];
        let mut out = [0; 1024];
        assert_eq!(
            signing_input(&NBH, Suite::Ed25519, &longer, &NBH, &mut out),
            Err(TxError::PayloadTooLong)
        );
        assert_eq!(
            assemble(Suite::Ed25519, &longer, &Signature([0; 64]), &mut out),
            Err(TxError::PayloadTooLong)
        );
        let mut short = [0; MAX_COSE - 1];
        assert_eq!(
            assemble(Suite::Ed25519, &longest, &Signature([0; 64]), &mut short),
            Err(TxError::Wire(crate::wire::WireError::Full))
        );
    }

    #[cfg(feature = "es256")]
    #[test]
    fn a_secure_element_signs_in_es256() {
        let secret = crate::crypto::es256::SecretKey::from_scalar(&[7; 32]).unwrap();
        let (payload, all) = (payload(&parents()), parents());
        let (mut message, mut out) = ([0; MAX_SIGNING_INPUT], [0; MAX_COSE]);
        let hash = all.hash();
        let message = signing_input(&NBH, Suite::Es256, &payload, &hash, &mut message).unwrap();
        let signature = secret.sign(message).unwrap();
        let cose = assemble(Suite::Es256, &payload, &signature, &mut out).unwrap();
        let read = Unverified::parse(cose).unwrap();
        let check = |key| read.verify(&NBH, &key, all.as_slice(), &mut Software);
        assert!(check(secret.public_key()).is_ok());
        assert_eq!(check(key().public_key()).err(), Some(TxError::Suite));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// Changed bytes: no panic, no second transaction under the key, and what has the same id has the same payload.
        #[test]
        fn a_changed_transaction_never_verifies(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let good = signed();
            let mut bent = good.clone();
            let at = at.index(bent.len());
            bent[at] = byte;
            prop_assume!(bent != good);
            if let Ok(tx) = Unverified::parse(&bent) {
                let key = key().public_key();
                let refused = tx.verify(&NBH, &key, parents().as_slice(), &mut Software);
                prop_assert!(refused.is_err());
            }
        }
    }
}
