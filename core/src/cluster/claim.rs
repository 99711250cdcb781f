//! A claim: what a would-be head says of itself, signed, so that nobody claims for another (protocol section 10.1).
//!
//! Invariant: a [`Claim`] exists only after its signature was verified under the key of the member that it names; the tie between equals
//! follows from its own epoch and the member's device id, so that any two readers order any two claims alike. COSE_Sign1 (RFC 9052) with a domain
//! of its own.

use super::context::ContextId;
use crate::crypto::{PublicKey, SecretKey, Signature, Verify, sha256};
use crate::identity::sign1::{self, SIG_STRUCTURE_OVERHEAD, Sign1, Sign1Error};
use crate::types::{Epoch, Id, MemberIndex, Millis};
use crate::wire::{Reader, WireError, Writer};
use heapless::Vec;

/// The domain of claims.
pub const DOMAIN: &str = "iotedge/cluster/1";
/// Members of a hand-over list at most.
pub const MAX_SUCCESSORS: usize = 4;
/// Most bytes of a claim's payload.
pub const MAX_PAYLOAD: usize = 1 + 1 + 34 + 17 + 5 + 3 + 5 + 3 + 9 + 9 + 1 + 3 * MAX_SUCCESSORS;
/// Most bytes of a claim's COSE_Sign1.
pub const MAX_CLAIM: usize = 1 + 14 + 1 + 2 + MAX_PAYLOAD + 66;
/// Most bytes of the message that is signed.
pub const MAX_MESSAGE: usize = 13 + 20 + MAX_PAYLOAD + SIG_STRUCTURE_OVERHEAD;

const VERSION: u64 = 1;
const FIELDS: usize = 10;

/// Why a claim was refused before its content was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimError {
    /// Not the bytes of a claim. Drop it; when building: give a larger buffer (`Full`).
    Wire(WireError),
    /// A version that this build does not know. Drop it.
    Version,
    /// Of another neighbourhood. Drop it.
    Neighbourhood,
    /// Its fields contradict each other: it ends before it begins, or names successors where none can be, or one twice, or itself. Drop it.
    Fields,
    /// Not signed by the member that it names. Drop it and count it against the sender.
    Signer(Sign1Error),
}

impl From<WireError> for ClaimError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// What is claimed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// Whose ledger.
    pub neighbourhood: Id,
    /// The cluster's name in `epoch`.
    pub context: ContextId,
    /// The epoch of the context and of the tie.
    pub epoch: Epoch,
    /// Who claims.
    pub member: MemberIndex,
    /// 0: ready to be head. Above: head for this term.
    pub term: u32,
    /// Capability as the claimant scores it.
    pub score: u16,
    /// When it was said.
    pub at: Millis,
    /// When the lease ends; `at` where the head lays it down.
    pub until: Millis,
    /// Who takes over, in this order.
    pub successors: Vec<MemberIndex, MAX_SUCCESSORS>,
}

impl Statement {
    fn check(&self) -> Result<(), ClaimError> {
        let own = self.successors.contains(&self.member);
        let doubled = self
            .successors
            .iter()
            .enumerate()
            .any(|(at, s)| self.successors.iter().take(at).any(|t| t == s));
        let candidacy = self.term == 0 && !self.successors.is_empty();
        if self.until < self.at || own || doubled || candidacy {
            return Err(ClaimError::Fields);
        }
        Ok(())
    }

    /// Writes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) -> Result<(), ClaimError> {
        self.check()?;
        w.array(FIELDS)?;
        w.uint(VERSION)?;
        w.id(&self.neighbourhood)?;
        w.bytes(&self.context.0)?;
        w.uint(self.epoch.0.into())?;
        w.uint(self.member.0.into())?;
        w.uint(self.term.into())?;
        w.uint(self.score.into())?;
        w.uint(self.at.0)?;
        w.uint(self.until.0)?;
        w.array(self.successors.len())?;
        for member in &self.successors {
            w.uint(member.0.into())?;
        }
        Ok(())
    }

    /// Reads a payload, and nothing after it.
    pub fn decode(payload: &[u8]) -> Result<Self, ClaimError> {
        let mut r = Reader::new(payload);
        r.array_of(FIELDS)?;
        if r.uint()? != VERSION {
            return Err(ClaimError::Version);
        }
        let mut statement = Self {
            neighbourhood: r.id()?,
            context: ContextId(*r.bytes_of()?),
            epoch: Epoch(r.u32()?),
            member: MemberIndex(r.u16()?),
            term: r.u32()?,
            score: r.u16()?,
            at: Millis(r.uint()?),
            until: Millis(r.uint()?),
            successors: Vec::new(),
        };
        for _ in 0..r.array()? {
            let member = MemberIndex(r.u16()?);
            let pushed = statement.successors.push(member);
            pushed.map_err(|_| WireError::Range)?;
        }
        r.finish()?;
        statement.check()?;
        Ok(statement)
    }

    /// Writes the message that the claimant's signer signs; `protected` comes from `identity::sign1`.
    pub fn signing_input<'o>(
        &self,
        protected: &[u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], ClaimError> {
        let mut buffer = [0; MAX_PAYLOAD];
        let mut w = Writer::new(&mut buffer);
        self.encode(&mut w)?;
        let mut aad = [0; 20];
        let aad = sign1::domain_aad(DOMAIN, &mut aad)?;
        Ok(sign1::to_be_signed(protected, aad, w.written(), out)?)
    }

    /// Writes the COSE_Sign1; returns its length.
    pub fn assemble(
        &self,
        protected: &[u8],
        signature: &Signature,
        out: &mut [u8],
    ) -> Result<usize, ClaimError> {
        let mut buffer = [0; MAX_PAYLOAD];
        let mut w = Writer::new(&mut buffer);
        self.encode(&mut w)?;
        Ok(sign1::assemble(protected, w.written(), signature, out)?)
    }

    /// Signs with a software key and writes the COSE_Sign1; returns its length.
    pub fn sign(&self, secret: &SecretKey, out: &mut [u8]) -> Result<usize, ClaimError> {
        let protected = sign1::protected(&secret.public_key());
        let mut message = [0; MAX_MESSAGE];
        let signature = secret.sign(self.signing_input(&protected, &mut message)?);
        self.assemble(&protected, &signature, out)
    }
}

/// A claim as read: nothing in it is verified.
#[derive(Clone, Debug)]
pub struct UnverifiedClaim<'a> {
    sign1: Sign1<'a>,
    statement: Statement,
}

impl<'a> UnverifiedClaim<'a> {
    /// Reads one.
    pub fn parse(cose: &'a [u8]) -> Result<Self, ClaimError> {
        let sign1 = Sign1::parse(cose)?;
        let statement = Statement::decode(sign1.payload)?;
        Ok(Self { sign1, statement })
    }

    /// What it says; look up the member's key and device id by it.
    #[must_use]
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Checks that `key` signed it, the key of the member with this device id.
    pub fn verify(
        self,
        neighbourhood: &Id,
        device: &Id,
        key: &PublicKey,
        verifier: &mut dyn Verify,
    ) -> Result<Claim, ClaimError> {
        if self.statement.neighbourhood != *neighbourhood {
            return Err(ClaimError::Neighbourhood);
        }
        let mut aad = [0; 20];
        let aad = sign1::domain_aad(DOMAIN, &mut aad)?;
        let mut scratch = [0; MAX_MESSAGE];
        self.sign1
            .verify(key, aad, verifier, &mut scratch)
            .map_err(ClaimError::Signer)?;
        Ok(Claim::own(self.statement, device))
    }
}

/// A claim whose claimant is known to have made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    statement: Statement,
    tie: u64,
    /// The same by its epoch: among candidates.
    turn: u64,
}

impl Claim {
    /// One that this device makes itself: it need not verify its own signature here.
    pub(super) fn own(statement: Statement, device: &Id) -> Self {
        let turn = tie(statement.epoch.0, device);
        // The rank of a head's words must not change within its term, and epochs change.
        let tie = match statement.term {
            0 => turn,
            term => tie(term, device),
        };
        Self {
            statement,
            tie,
            turn,
        }
    }

    /// What it says.
    #[must_use]
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// What decides between candidates of one score in the claim's epoch.
    #[must_use]
    pub const fn turn(&self) -> u64 {
        self.turn
    }

    /// By what two claimants are told apart: the greater one is followed.
    #[must_use]
    pub const fn rank(&self) -> Rank {
        Rank {
            term: self.statement.term,
            score: self.statement.score,
            tie: self.tie,
            member: self.statement.member,
        }
    }
}

/// The order of claimants. The device id is hashed with the term (a candidate's with the epoch), so that equals take turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// A later term is greater.
    pub term: u32,
    /// Then the more able.
    pub score: u16,
    /// Then chance.
    pub tie: u64,
    /// Never needed but for a collision of `tie`.
    pub member: MemberIndex,
}

/// What decides between equals in a term, or between candidates in an epoch.
#[must_use]
pub fn tie(number: u32, device: &Id) -> u64 {
    let hash = sha256(&[DOMAIN.as_bytes(), &number.to_be_bytes(), &device.0]);
    hash.first_chunk().map_or(0, |b| u64::from_be_bytes(*b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{SignatureError, Software};
    use crate::identity::CoseKey;
    use proptest::prelude::*;

    fn secret(n: u8) -> SecretKey {
        SecretKey::from_seed(&[n; 32]).unwrap()
    }

    fn statement() -> Statement {
        Statement {
            neighbourhood: Id([0x11; 32]),
            context: ContextId([2; 16]),
            epoch: Epoch(3),
            member: MemberIndex(4),
            term: 5,
            score: 60,
            at: Millis(1_700_000_000_000),
            until: Millis(1_700_000_008_000),
            successors: Vec::from_slice(&[MemberIndex(9), MemberIndex(2)]).unwrap(),
        }
    }

    fn signed(s: &Statement, by: u8) -> std::vec::Vec<u8> {
        let mut out = [0; MAX_CLAIM];
        let len = s.sign(&secret(by), &mut out).unwrap();
        out[..len].to_vec()
    }

    fn verify(cose: &[u8], by: u8) -> Result<Claim, ClaimError> {
        let key = secret(by).public_key();
        let claim = UnverifiedClaim::parse(cose)?;
        claim.verify(
            &Id([0x11; 32]),
            &CoseKey::thumbprint(&key),
            &key,
            &mut Software,
        )
    }

    #[test]
    fn only_the_claimant_claims() {
        let cose = signed(&statement(), 1);
        let claim = verify(&cose, 1).unwrap();
        assert_eq!(claim.statement(), &statement());
        assert_eq!(
            verify(&cose, 2),
            Err(ClaimError::Signer(Sign1Error::WrongSigner))
        );
        // Another's statement with the right header: the signature tells.
        let mut bent = cose.clone();
        let at = bent.len() - 70;
        bent[at] ^= 1;
        assert!(matches!(
            verify(&bent, 1),
            Err(ClaimError::Signer(Sign1Error::Signature(
                SignatureError::Rejected
            ))) | Err(ClaimError::Wire(_) | ClaimError::Fields)
        ));
        let other = Statement {
            neighbourhood: Id([0x12; 32]),
            ..statement()
        };
        assert_eq!(
            verify(&signed(&other, 1), 1),
            Err(ClaimError::Neighbourhood)
        );
    }

    #[test]
    fn what_contradicts_itself_is_neither_written_nor_read() {
        let with = |term, successors: &[u16]| Statement {
            term,
            successors: successors.iter().map(|m| MemberIndex(*m)).collect(),
            ..statement()
        };
        let early = Statement {
            until: Millis(1),
            ..statement()
        };
        for bad in [with(0, &[1]), with(1, &[4]), with(1, &[2, 2]), early] {
            let mut out = [0; MAX_CLAIM];
            assert_eq!(bad.sign(&secret(1), &mut out), Err(ClaimError::Fields));
        }
        assert!(with(0, &[]).check().is_ok());
        assert!(with(1, &[1, 2, 3, 5]).check().is_ok());
    }

    #[test]
    fn the_longest_claim_has_the_stated_sizes() {
        let most = Statement {
            epoch: Epoch(u32::MAX),
            member: MemberIndex(u16::MAX),
            term: u32::MAX,
            score: u16::MAX,
            at: Millis(u64::MAX),
            until: Millis(u64::MAX),
            successors: (60_000..60_004).map(MemberIndex).collect(),
            ..statement()
        };
        let cose = signed(&most, 1);
        assert_eq!(cose.len(), MAX_CLAIM);
        assert_eq!(verify(&cose, 1).unwrap().statement(), &most);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_changed_claim_never_verifies(at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let good = signed(&statement(), 1);
            let mut bent = good.clone();
            bent[at.index(good.len())] ^= 1 << bit;
            prop_assert!(verify(&bent, 1).is_err());
        }

        #[test]
        fn ties_differ_by_epoch_and_device(a in any::<[u8; 32]>(), epoch in any::<u32>()) {
            let other = Id([!a[0]; 32]);
            prop_assert_ne!(tie(epoch, &Id(a)), tie(epoch, &other));
            prop_assert_ne!(tie(epoch, &Id(a)), tie(epoch ^ 1, &Id(a)));
        }
    }
}
