//! Revocation lists: which certificates an authority has taken back (protocol 2.3).
//!
//! Invariant: ids are unique and sorted bytewise by their encoding, so the shorter come first and ids of one length stand at equal
//! distances: `contains` searches in the encoded list itself and needs no memory. A list of a lower number never replaces a higher one;
//! that is the holder's to keep, with `number` in storage.

use crate::crypto::{PublicKey, SecretKey, Signature, SignatureError, Verify};
use crate::identity::cert::{CTI_LEN, Cti, Seconds};
use crate::identity::sign1::{self, Sign1, Sign1Error};
use crate::wire::{Reader, WireError, Writer};

/// The domain of the signature.
pub const DOMAIN: &str = "iotedge/crl/1";

const VERSION: u64 = 1;
/// Lengths that an id can have.
const LENGTHS: usize = 9;
/// Bytes of the payload before the first id, at most.
const FRONT: usize = 1 + 1 + 9 + 9 + 9;

/// Why a revocation list is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationError {
    /// Not the bytes of a list, or no room to write one (`Full`).
    Wire(WireError),
    /// A version that this build does not know. Refuse it.
    Version,
    /// The protected header is not `{1: alg, 4: kid}`. Refuse it.
    Header,
    /// Signed by another key than the authority's. Refuse it.
    WrongSigner,
    /// The signature does not hold. Refuse it.
    Signature(SignatureError),
    /// An id is not of 8 to 16 bytes.
    Cti,
    /// Ids are doubled or not in order: who made it did not follow the protocol. Sort them when issuing, refuse when reading.
    Order,
}

impl From<WireError> for RevocationError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<Sign1Error> for RevocationError {
    fn from(error: Sign1Error) -> Self {
        match error {
            Sign1Error::Wire(error) => Self::Wire(error),
            Sign1Error::Header => Self::Header,
            Sign1Error::WrongSigner => Self::WrongSigner,
            Sign1Error::Signature(error) => Self::Signature(error),
        }
    }
}

/// A list as read. What it says counts only after [`RevocationList::verify`].
#[derive(Clone, Copy, Debug)]
pub struct RevocationList<'a> {
    sign1: Sign1<'a>,
    number: u64,
    issued: Seconds,
    /// The encoded ids.
    ids: &'a [u8],
    /// How many ids of each length, shortest first.
    counts: [usize; LENGTHS],
}

impl<'a> RevocationList<'a> {
    /// Reads one list and nothing after it; checks the order of the ids.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RevocationError> {
        let sign1 = Sign1::parse(bytes)?;
        sign1.signer()?;
        let mut r = Reader::new(sign1.payload);
        r.array_of(4)?;
        if r.uint()? != VERSION {
            return Err(RevocationError::Version);
        }
        let number = r.uint()?;
        let issued = Seconds(r.uint()?);
        let count = r.array()?;
        let start = r.position();
        let mut counts = [0usize; LENGTHS];
        let mut last: &[u8] = &[];
        for _ in 0..count {
            let at = r.position();
            let id = r.bytes()?;
            let slot = counts
                .get_mut(length_slot(id).ok_or(RevocationError::Cti)?)
                .ok_or(RevocationError::Cti)?;
            *slot = slot.saturating_add(1);
            let encoded = r.since(at);
            if encoded <= last {
                return Err(RevocationError::Order);
            }
            last = encoded;
        }
        let ids = r.since(start);
        r.finish()?;
        Ok(Self {
            sign1,
            number,
            issued,
            ids,
            counts,
        })
    }

    /// Checks that `authority` has signed the list. `scratch` holds the message: as long as the encoded list is enough.
    pub fn verify(
        &self,
        authority: &PublicKey,
        verifier: &mut dyn Verify,
        scratch: &mut [u8],
    ) -> Result<(), RevocationError> {
        let mut aad = [0; 16];
        let aad = sign1::domain_aad(DOMAIN, &mut aad)?;
        Ok(self.sign1.verify(authority, aad, verifier, scratch)?)
    }

    /// The list's number: a list replaces those of lower numbers by the same authority.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// When it was issued.
    #[must_use]
    pub const fn issued(&self) -> Seconds {
        self.issued
    }

    /// How many certificates it revokes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// Whether it revokes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The ids in their order.
    pub fn ids(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut r = Reader::new(self.ids);
        core::iter::from_fn(move || r.bytes().ok())
    }

    /// Whether the certificate with this id is revoked. Binary search among the ids of its length.
    #[must_use]
    pub fn contains(&self, cti: &[u8]) -> bool {
        let Some(slot) = length_slot(cti) else {
            return false;
        };
        let mut start = 0usize;
        for (at, count) in self.counts.iter().enumerate().take(slot) {
            start = start.saturating_add(count.saturating_mul(stride(at)));
        }
        let step = stride(slot);
        let count = self.counts.get(slot).copied().unwrap_or(0);
        let group = self.ids.get(start..).unwrap_or(&[]);
        let (mut low, mut high) = (0usize, count);
        while low < high {
            let middle = low.midpoint(high);
            let at = middle.saturating_mul(step).saturating_add(1);
            let Some(id) = group.get(at..at.saturating_add(cti.len())) else {
                return false;
            };
            match id.cmp(cti) {
                core::cmp::Ordering::Equal => return true,
                core::cmp::Ordering::Less => low = middle.saturating_add(1),
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        false
    }
}

/// Which group an id belongs to by its length.
fn length_slot(id: &[u8]) -> Option<usize> {
    match CTI_LEN.contains(&id.len()) {
        true => id.len().checked_sub(*CTI_LEN.start()),
        false => None,
    }
}

/// Bytes of an encoded id of a group: a head of one byte and the id.
const fn stride(slot: usize) -> usize {
    slot.saturating_add(*CTI_LEN.start()).saturating_add(1)
}

/// Most bytes of a list of `count` ids.
#[must_use]
pub const fn max_len(count: usize) -> usize {
    count
        .saturating_mul(17)
        .saturating_add(FRONT)
        .saturating_add(sign1::SIG_STRUCTURE_OVERHEAD + 13 + 16 + 66)
}

/// Writes the payload of a list. `ids` are sorted: shorter first, then bytewise.
fn payload<'o>(
    number: u64,
    issued: Seconds,
    ids: &[Cti],
    out: &'o mut [u8],
) -> Result<&'o [u8], RevocationError> {
    fn place(id: &Cti) -> (usize, &[u8]) {
        (id.as_bytes().len(), id.as_bytes())
    }
    let sorted = ids.is_sorted_by(|a, b| place(a) < place(b));
    if !sorted {
        return Err(RevocationError::Order);
    }
    let mut w = Writer::new(out);
    w.array(4)?;
    w.uint(VERSION)?;
    w.uint(number)?;
    w.uint(issued.0)?;
    w.array(ids.len())?;
    for id in ids {
        w.bytes(id.as_bytes())?;
    }
    Ok(w.into_written())
}

/// Writes the message that the authority has to sign; returns its length. `scratch` holds the payload on the way.
pub fn signing_input(
    number: u64,
    issued: Seconds,
    ids: &[Cti],
    signer: &PublicKey,
    scratch: &mut [u8],
    out: &mut [u8],
) -> Result<usize, RevocationError> {
    let payload = payload(number, issued, ids, scratch)?;
    let mut aad = [0; 16];
    let aad = sign1::domain_aad(DOMAIN, &mut aad)?;
    Ok(sign1::to_be_signed(&sign1::protected(signer), aad, payload, out)?.len())
}

/// Writes the list with a signature over [`signing_input`]'s message; returns its length.
pub fn assemble(
    number: u64,
    issued: Seconds,
    ids: &[Cti],
    signer: &PublicKey,
    signature: &Signature,
    scratch: &mut [u8],
    out: &mut [u8],
) -> Result<usize, RevocationError> {
    let payload = payload(number, issued, ids, scratch)?;
    Ok(sign1::assemble(
        &sign1::protected(signer),
        payload,
        signature,
        out,
    )?)
}

/// Issues a list with a key in software; returns its length. `scratch` and `out` have [`max_len`] bytes each.
pub fn issue(
    number: u64,
    issued: Seconds,
    ids: &[Cti],
    secret: &SecretKey,
    scratch: &mut [u8],
    out: &mut [u8],
) -> Result<usize, RevocationError> {
    let signer = secret.public_key();
    let len = signing_input(number, issued, ids, &signer, scratch, out)?;
    let signature = secret.sign(out.get(..len).unwrap_or(&[]));
    assemble(number, issued, ids, &signer, &signature, scratch, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Software;
    use proptest::prelude::*;

    fn secret(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed; 32]).unwrap()
    }

    fn issued(number: u64, ids: &[Vec<u8>]) -> Result<Vec<u8>, RevocationError> {
        let ids: Vec<Cti> = ids.iter().map(|id| Cti::new(id).unwrap()).collect();
        let (mut scratch, mut out) = (vec![0; max_len(ids.len())], vec![0; max_len(ids.len())]);
        let len = issue(
            number,
            Seconds(77),
            &ids,
            &secret(1),
            &mut scratch,
            &mut out,
        )?;
        out.truncate(len);
        Ok(out)
    }

    fn sorted(mut ids: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        ids.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        ids.dedup();
        ids
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn contains_exactly_its_ids(
            ids in prop::collection::vec(prop::collection::vec(0u8..4, 8..=16), 0..60),
            others in prop::collection::vec(prop::collection::vec(0u8..4, 0..=20), 0..60),
        ) {
            let ids = sorted(ids);
            let bytes = issued(5, &ids).unwrap();
            let list = RevocationList::parse(&bytes).unwrap();
            prop_assert_eq!(list.verify(&secret(1).public_key(), &mut Software, &mut vec![0; bytes.len()]), Ok(()));
            prop_assert_eq!((list.number(), list.issued(), list.len()), (5, Seconds(77), ids.len()));
            prop_assert_eq!(list.ids().map(<[u8]>::to_vec).collect::<Vec<_>>(), ids.clone());
            prop_assert!(ids.iter().all(|id| list.contains(id)));
            for other in &others {
                prop_assert_eq!(list.contains(other), ids.contains(other));
            }
        }
    }

    #[test]
    fn order_and_doubles_are_refused_on_both_sides() {
        let (a, b, long) = (vec![1; 8], vec![2; 8], vec![0; 9]);
        assert_eq!(
            issued(1, &[b.clone(), a.clone()]),
            Err(RevocationError::Order)
        );
        assert_eq!(
            issued(1, &[a.clone(), a.clone()]),
            Err(RevocationError::Order)
        );
        assert_eq!(
            issued(1, &[long.clone(), b.clone()]),
            Err(RevocationError::Order)
        );
        let good = issued(1, &[a, b, long]).unwrap();
        let at = good.windows(8).position(|w| w == [1; 8]).unwrap();
        let mut swapped = good.clone();
        swapped[at..at + 8].fill(3);
        assert_eq!(
            RevocationList::parse(&swapped).err(),
            Some(RevocationError::Order)
        );
        let mut double = good.clone();
        double[at..at + 8].fill(2);
        assert_eq!(
            RevocationList::parse(&double).err(),
            Some(RevocationError::Order)
        );
    }

    #[test]
    fn each_refusal_is_its_own() {
        let bytes = issued(1, &[vec![1; 8]]).unwrap();
        let list = RevocationList::parse(&bytes).unwrap();
        let mut scratch = [0; 256];
        assert_eq!(
            list.verify(&secret(2).public_key(), &mut Software, &mut scratch),
            Err(RevocationError::WrongSigner)
        );
        assert_eq!(
            list.verify(&secret(1).public_key(), &mut Software, &mut scratch[..40]),
            Err(RevocationError::Wire(WireError::Full))
        );
        // COSE: array, bstr 13, map, bstr head (2), payload: array, version, number ...
        let payload = 1 + 14 + 1 + 1;
        assert_eq!(bytes[payload..payload + 3], [0x84, 1, 1]);
        let mut version = bytes.clone();
        version[payload + 1] = 2;
        assert_eq!(
            RevocationList::parse(&version).err(),
            Some(RevocationError::Version)
        );
        let mut number = bytes.clone();
        number[payload + 2] = 2;
        assert_eq!(
            RevocationList::parse(&number).unwrap().verify(
                &secret(1).public_key(),
                &mut Software,
                &mut scratch
            ),
            Err(RevocationError::Signature(SignatureError::Rejected))
        );
        let mut short = bytes.clone();
        short[payload - 1] -= 1;
        let id = short
            .windows(9)
            .position(|w| w == [0x48, 1, 1, 1, 1, 1, 1, 1, 1])
            .unwrap();
        short[id] = 0x47;
        short.remove(id + 1);
        assert_eq!(
            RevocationList::parse(&short).err(),
            Some(RevocationError::Cti)
        );
        for end in 0..bytes.len() {
            assert!(RevocationList::parse(&bytes[..end]).is_err());
        }
    }
}
