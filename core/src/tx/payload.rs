//! The payload of a transaction: one deterministic CBOR array (docs/protocol.md section 3).
//!
//! Invariant: `decode` accepts exactly what `encode` writes, and both refuse every value that no member may sign, whatever
//! the ledger holds: amount 0, number 0, parents out of order or doubled, bodies out of bounds. What depends on other
//! transactions (times, epochs, totals against credits) belongs to the rooms above.

use super::{MAX_BODY, TxError};
use crate::channel::{ChannelError, Op};
use crate::crypto::{PublicKey, sha256};
use crate::identity::CoseKey;
use crate::sale::{MAX_TERM, Proof, SaleError, Terms};
use crate::types::{
    Amount, Epoch, HeaderNumber, Id, MAX_PARENTS, MAX_PAYLOAD, MemberIndex, Millis, Number, Prefix,
};
use crate::wire::{Certificates, Reader, WireError, Writer};

pub(super) const VERSION: u64 = 1;
const PREFIX_LEN: usize = 16;

/// What a transaction is about; the numbers are those of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A reading or other data of the issuer.
    Data = 0,
    /// Value to another member.
    Transfer = 1,
    /// Value set aside for another member.
    Lock = 2,
    /// What releases a lock.
    Claim = 3,
    /// What an owner or a subscriber says of a channel.
    Channel = 4,
    /// What the issuer offers.
    Service = 5,
    /// A change of membership or keys.
    Member = 6,
    /// The GL-node's cut of the L-Chain.
    Trim = 7,
    /// Value out to an Ethereum address.
    Exit = 8,
    /// Two transactions of one member exclude each other.
    Evidence = 9,
}

impl Kind {
    /// The kind with this number; `None` for an unknown one.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Data),
            1 => Some(Self::Transfer),
            2 => Some(Self::Lock),
            3 => Some(Self::Claim),
            4 => Some(Self::Channel),
            5 => Some(Self::Service),
            6 => Some(Self::Member),
            7 => Some(Self::Trim),
            8 => Some(Self::Exit),
            9 => Some(Self::Evidence),
            _ => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// A change of membership or keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberOp<'a> {
    /// The GL-node lets a device join.
    Join {
        /// The device's certificate chain, one or two.
        certificates: Certificates<'a>,
        /// Proof of possession of the device's key.
        proof: &'a [u8; 64],
    },
    /// The issuer changes its key.
    Rotate {
        /// The new key.
        key: PublicKey,
        /// Signature by the new key.
        consent: &'a [u8; 64],
    },
    /// The issuer leaves.
    Leave,
    /// The GL-node passes on a revocation list.
    Revoke {
        /// The list, a COSE_Sign1.
        list: &'a [u8],
    },
}

/// The body of a transaction, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// A reading (SenML) or other data, 1 to 320 bytes.
    Data(&'a [u8]),
    /// Value to another member.
    Transfer {
        /// The payee.
        to: MemberIndex,
        /// How much, not 0.
        amount: Amount,
        /// The issuer's lifetime debits with this one.
        debits: Amount,
    },
    /// Value set aside for another member, until a claim releases it or its time is over.
    Lock {
        /// The payee.
        to: MemberIndex,
        /// How much, not 0.
        amount: Amount,
        /// The issuer's lifetime debits with this one.
        debits: Amount,
        /// How long it stands, in milliseconds from this transaction's time on, 1 to 2^31.
        term: u32,
        /// What releases it.
        terms: Terms,
    },
    /// What releases a lock, by its payee.
    Claim {
        /// The transaction that made it.
        lock: Id,
        /// Whether the payee wants no more: what it did not reach goes back at once.
        last: bool,
        /// What it has.
        proof: Proof<'a>,
    },
    /// What the issuer says of a channel. The ledger keeps it as it keeps data: no account changes, and what it means is for readers.
    Channel(Op<'a>),
    /// What the issuer offers, 1 to 320 bytes.
    Service(&'a [u8]),
    /// A change of membership or keys.
    Member(MemberOp<'a>),
    /// The GL-node's cut.
    Trim {
        /// Where it cuts.
        cut: Millis,
        /// The trim before.
        previous: Id,
        /// The newest settled header.
        header: HeaderNumber,
        /// Its hash.
        header_hash: Id,
    },
    /// Value out to an Ethereum address.
    Exit {
        /// How much, not 0.
        amount: Amount,
        /// The issuer's lifetime debits with this one.
        debits: Amount,
        /// The address.
        target: [u8; 20],
    },
    /// Two transactions of `offender` exclude each other; a < b.
    Evidence {
        /// Who signed both.
        offender: MemberIndex,
        /// The lower id.
        a: Id,
        /// The higher id.
        b: Id,
    },
}

impl<'a> Body<'a> {
    /// The kind that this body belongs to.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Data(_) => Kind::Data,
            Self::Transfer { .. } => Kind::Transfer,
            Self::Lock { .. } => Kind::Lock,
            Self::Claim { .. } => Kind::Claim,
            Self::Channel(_) => Kind::Channel,
            Self::Service(_) => Kind::Service,
            Self::Member(_) => Kind::Member,
            Self::Trim { .. } => Kind::Trim,
            Self::Exit { .. } => Kind::Exit,
            Self::Evidence { .. } => Kind::Evidence,
        }
    }

    /// Amount and lifetime debits, where value leaves the issuer's account.
    #[must_use]
    pub const fn debit(&self) -> Option<(Amount, Amount)> {
        match *self {
            Self::Transfer { amount, debits, .. }
            | Self::Lock { amount, debits, .. }
            | Self::Exit { amount, debits, .. } => Some((amount, debits)),
            _ => None,
        }
    }

    #[inline(never)]
    fn check(&self) -> Result<(), TxError> {
        if let Some((amount, debits)) = self.debit() {
            if amount == Amount(0) {
                return Err(TxError::AmountZero);
            }
            if debits < amount {
                return Err(TxError::DebitsBelowAmount);
            }
        }
        match self {
            Self::Data([]) | Self::Service([]) => Err(TxError::BodyEmpty),
            Self::Data(bytes) | Self::Service(bytes) if bytes.len() > MAX_BODY => {
                Err(TxError::BodyTooLong)
            }
            Self::Member(MemberOp::Revoke { list: [] }) => Err(TxError::MemberOp),
            Self::Lock { term, .. } if !(1..=MAX_TERM).contains(term) => {
                Err(SaleError::Term.into())
            }
            Self::Lock { amount, terms, .. } => Ok(terms.check(*amount)?),
            Self::Claim {
                last: false,
                proof: Proof::Nothing,
                ..
            } => Err(SaleError::Price.into()),
            Self::Claim { proof, .. } => Ok(proof.check()?),
            Self::Channel(op) => Ok(op.check()?),
            Self::Evidence { a, b, .. } if a >= b => Err(TxError::EvidenceIds),
            _ => Ok(()),
        }
    }

    /// Not `ALL`: the bodies that leaves sign, so that what writes the others is not in their program.
    fn write<const ALL: bool>(&self, w: &mut Writer<'_>) -> Result<(), TxError> {
        match self {
            Self::Data(bytes) | Self::Service(bytes) => w.put_bytes(bytes),
            Self::Transfer { to, amount, debits } => {
                w.put_array(3);
                w.put_uint(to.0.into());
                w.put_uint(amount.0);
                w.put_uint(debits.0);
            }
            Self::Lock {
                to,
                amount,
                debits,
                term,
                terms,
            } if ALL => {
                w.put_array(5);
                w.put_uint(to.0.into());
                w.put_uint(amount.0);
                w.put_uint(debits.0);
                w.put_u32(*term);
                terms.write(w);
            }
            Self::Claim { lock, last, proof } if ALL => {
                w.put_array(3);
                w.put_id(lock);
                w.put_u32(u32::from(*last));
                proof.write(w);
            }
            Self::Channel(op) if ALL => op.write(w)?,
            Self::Member(op) if ALL => op.write(w)?,
            Self::Trim {
                cut,
                previous,
                header,
                header_hash,
            } if ALL => {
                w.put_array(4);
                w.put_uint(cut.0);
                w.put_id(previous);
                w.put_uint(header.0.into());
                w.put_id(header_hash);
            }
            Self::Exit {
                amount,
                debits,
                target,
            } => {
                w.put_array(3);
                w.put_uint(amount.0);
                w.put_uint(debits.0);
                w.put_bytes(target);
            }
            Self::Evidence { offender, a, b } if ALL => {
                w.put_array(3);
                w.put_uint(offender.0.into());
                w.put_id(a);
                w.put_id(b);
            }
            _ => return Err(TxError::UnsupportedKind),
        }
        Ok(w.intact()?)
    }

    /// Reads the body of a transaction of this kind, in the form that a payload may have.
    ///
    /// # Errors
    /// As for the payload.
    pub fn read_checked(kind: Kind, r: &mut Reader<'a>) -> Result<Self, TxError> {
        let body = Self::read(kind, r)?;
        body.check()?;
        Ok(body)
    }

    fn read(kind: Kind, r: &mut Reader<'a>) -> Result<Self, TxError> {
        let body = match kind {
            Kind::Data => Self::Data(r.take_bytes()),
            Kind::Service => Self::Service(r.take_bytes()),
            Kind::Transfer => {
                r.take_array_of(3);
                Self::Transfer {
                    to: MemberIndex(r.take_u16()),
                    amount: Amount(r.take_uint()),
                    debits: Amount(r.take_uint()),
                }
            }
            Kind::Lock => {
                r.take_array_of(5);
                Self::Lock {
                    to: MemberIndex(r.take_u16()),
                    amount: Amount(r.take_uint()),
                    debits: Amount(r.take_uint()),
                    term: r.take_u32(),
                    terms: Terms::read(r)?,
                }
            }
            Kind::Claim => {
                r.take_array_of(3);
                Self::Claim {
                    lock: r.take_id(),
                    last: match r.take_u8() {
                        0 => false,
                        1 => true,
                        _ => return Err(TxError::Wire(WireError::Range)),
                    },
                    proof: Proof::read(r)?,
                }
            }
            Kind::Channel => Self::Channel(Op::read(r).map_err(refused)?),
            Kind::Member => Self::Member(MemberOp::read(r)?),
            Kind::Trim => {
                r.take_array_of(4);
                Self::Trim {
                    cut: Millis(r.take_uint()),
                    previous: r.take_id(),
                    header: HeaderNumber(r.take_u32()),
                    header_hash: r.take_id(),
                }
            }
            Kind::Exit => {
                r.take_array_of(3);
                Self::Exit {
                    amount: Amount(r.take_uint()),
                    debits: Amount(r.take_uint()),
                    target: *r.take_bytes_of(),
                }
            }
            Kind::Evidence => {
                r.take_array_of(3);
                Self::Evidence {
                    offender: MemberIndex(r.take_u16()),
                    a: r.take_id(),
                    b: r.take_id(),
                }
            }
        };
        r.intact()?;
        Ok(body)
    }
}

/// An operation or a mode that does not exist is one that newer members may understand, as a kind is.
const fn refused(error: ChannelError) -> TxError {
    match error {
        ChannelError::Wire(error) => TxError::Wire(error),
        _ => TxError::UnsupportedKind,
    }
}

impl<'a> MemberOp<'a> {
    /// Writes the operation: the body of a member transaction.
    pub fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        match self {
            Self::Join {
                certificates,
                proof,
            } => {
                w.put_array(3);
                w.put_uint(0);
                certificates.write(w)?;
                w.put_bytes(*proof);
            }
            Self::Rotate { key, consent } => {
                w.put_array(3);
                w.put_uint(1);
                CoseKey::encode(key, w)?;
                w.put_bytes(*consent);
            }
            Self::Leave => {
                w.put_array(1);
                w.put_uint(2);
            }
            Self::Revoke { list } => {
                w.put_array(2);
                w.put_uint(3);
                w.put_bytes(list);
            }
        }
        w.intact()
    }

    /// Reads an operation.
    pub fn read(r: &mut Reader<'a>) -> Result<Self, TxError> {
        let count = r.array()?;
        Ok(match (r.uint()?, count) {
            (0, 3) => Self::Join {
                certificates: Certificates::read(r)?,
                proof: r.bytes_of()?,
            },
            (1, 3) => Self::Rotate {
                key: CoseKey::decode(r.item()?)?,
                consent: r.bytes_of()?,
            },
            (2, 1) => Self::Leave,
            (3, 2) => Self::Revoke { list: r.bytes()? },
            _ => return Err(TxError::MemberOp),
        })
    }
}

/// The parents as they travel: 1 to 8 prefixes, the first the issuer's own, the others ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefixes {
    list: [Prefix; MAX_PARENTS],
    count: usize,
}

impl Prefixes {
    /// Takes the prefixes in the order of the wire and checks it.
    pub fn new(prefixes: &[Prefix]) -> Result<Self, TxError> {
        let mut list = [Prefix::default(); MAX_PARENTS];
        let taken = list.get_mut(..prefixes.len());
        taken.ok_or(TxError::ParentCount)?.copy_from_slice(prefixes);
        let (first, others) = prefixes.split_first().ok_or(TxError::ParentCount)?;
        for (i, parent) in others.iter().enumerate() {
            let next = others.get(i.saturating_add(1));
            if parent == first || next == Some(parent) {
                return Err(TxError::ParentsDoubled);
            }
            if next.is_some_and(|next| next < parent) {
                return Err(TxError::ParentsUnsorted);
            }
        }
        Ok(Self {
            list,
            count: prefixes.len(),
        })
    }

    /// All of them, the first parent first.
    #[must_use]
    pub fn as_slice(&self) -> &[Prefix] {
        self.list.get(..self.count).unwrap_or(&[])
    }

    /// The issuer's own previous transaction, or its G0.
    #[must_use]
    pub const fn first(&self) -> Prefix {
        let [first, ..] = self.list;
        first
    }

    /// Refuses full ids that are not the ones named here, in this order.
    pub fn check(&self, parents: &[Id]) -> Result<(), TxError> {
        let named = self.as_slice().iter().copied();
        match named.eq(parents.iter().map(Id::prefix)) {
            true => Ok(()),
            false => Err(TxError::ParentMismatch),
        }
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.bytes_head(self.count.saturating_mul(PREFIX_LEN))?;
        self.as_slice().iter().try_for_each(|p| w.raw(&p.0))
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, TxError> {
        let (chunks, rest) = r.bytes()?.as_chunks::<PREFIX_LEN>();
        let mut list = [Prefix::default(); MAX_PARENTS];
        let taken = list.get_mut(..chunks.len()).ok_or(TxError::ParentCount)?;
        if !rest.is_empty() {
            return Err(TxError::ParentCount);
        }
        for (prefix, chunk) in taken.iter_mut().zip(chunks) {
            *prefix = Prefix(*chunk);
        }
        Self::new(taken)
    }
}

/// The parents with their full ids, in the order of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parents {
    list: [Id; MAX_PARENTS],
    count: usize,
}

impl Parents {
    /// The issuer's own previous transaction (or G0) and the tips that it chose, in any order.
    pub fn new(first: Id, tips: &[Id]) -> Result<Self, TxError> {
        let mut list = [Id::ZERO; MAX_PARENTS];
        let (own, others) = list.split_first_mut().ok_or(TxError::ParentCount)?;
        *own = first;
        let others = others.get_mut(..tips.len()).ok_or(TxError::ParentCount)?;
        others.copy_from_slice(tips);
        crate::order::sort_few(others, |a, b| a < b);
        let parents = Self {
            list,
            count: tips.len().saturating_add(1),
        };
        parents.prefixes().map(|_| parents)
    }

    /// All of them, the first parent first.
    #[must_use]
    pub fn as_slice(&self) -> &[Id] {
        self.list.get(..self.count).unwrap_or(&[])
    }

    /// What travels.
    pub fn prefixes(&self) -> Result<Prefixes, TxError> {
        let mut prefixes = [Prefix::default(); MAX_PARENTS];
        let pairs = prefixes.iter_mut().zip(self.as_slice());
        pairs.for_each(|(prefix, id)| *prefix = id.prefix());
        Prefixes::new(prefixes.get(..self.count).unwrap_or(&[]))
    }

    /// What the signature covers in their place.
    #[must_use]
    pub fn hash(&self) -> Id {
        parents_hash(self.as_slice())
    }
}

/// SHA-256 over the full parent ids, concatenated: the third element of external_aad.
#[must_use]
pub fn parents_hash(parents: &[Id]) -> Id {
    let mut hash = crate::crypto::Sha256::new();
    parents.iter().for_each(|id| hash.update(&id.0));
    Id(hash.finish())
}

/// The payload of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    /// Epoch of this vertex.
    pub epoch: Epoch,
    /// Who issues it.
    pub issuer: MemberIndex,
    /// Its number in the issuer's chain.
    pub number: Number,
    /// Milliseconds since the epoch's clock began.
    pub offset: u32,
    /// What it is laid upon.
    pub parents: Prefixes,
    /// What it says.
    pub body: Body<'a>,
}

impl<'a> Payload<'a> {
    /// Writes it to the start of `out` and returns those bytes.
    pub fn encode<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], TxError> {
        self.encode_as::<true>(out)
    }

    /// Not `ALL`: only with a body that leaves sign, else `UnsupportedKind`.
    pub(super) fn encode_as<'o, const ALL: bool>(
        &self,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], TxError> {
        self.check()?;
        let room = out.len().min(MAX_PAYLOAD);
        let out = out.get_mut(..room).unwrap_or(&mut []);
        let mut w = Writer::new(out);
        match self.write::<ALL>(&mut w) {
            Ok(()) => Ok(w.into_written()),
            Err(TxError::Wire(WireError::Full)) if room == MAX_PAYLOAD => {
                Err(TxError::PayloadTooLong)
            }
            Err(error) => Err(error),
        }
    }

    fn write<const ALL: bool>(&self, w: &mut Writer<'_>) -> Result<(), TxError> {
        w.put_array(8);
        w.put_uint(VERSION);
        w.put_uint(self.epoch.0.into());
        w.put_uint(self.issuer.0.into());
        w.put_uint(self.number.0.into());
        w.put_uint(self.offset.into());
        self.parents.write(w)?;
        w.put_uint(self.body.kind().number().into());
        self.body.write::<ALL>(w)
    }

    /// Reads it; nothing may follow.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, TxError> {
        if bytes.len() > MAX_PAYLOAD {
            return Err(TxError::PayloadTooLong);
        }
        let mut r = Reader::new(bytes);
        r.take_array_of(8);
        let version = r.take_uint();
        r.intact()?;
        if version != VERSION {
            return Err(TxError::Version);
        }
        let payload = Self {
            epoch: Epoch(r.take_u32()),
            issuer: MemberIndex(r.take_u16()),
            number: Number(r.take_u32()),
            offset: r.take_u32(),
            parents: Prefixes::read(&mut r)?,
            body: {
                let number = u8::try_from(r.take_uint()).ok();
                r.intact()?;
                let kind = number.and_then(Kind::from_number);
                Body::read(kind.ok_or(TxError::UnsupportedKind)?, &mut r)?
            },
        };
        r.finish()?;
        payload.check()?;
        Ok(payload)
    }

    /// The id of the transaction with these payload bytes.
    #[must_use]
    pub fn id_of(neighbourhood: &Id, payload: &[u8]) -> Id {
        Id(sha256(&[
            super::DOMAIN.as_bytes(),
            &neighbourhood.0,
            payload,
        ]))
    }

    fn check(&self) -> Result<(), TxError> {
        if self.epoch == Epoch(0) {
            return Err(TxError::EpochZero);
        }
        if self.number == Number(0) {
            return Err(TxError::NumberZero);
        }
        self.body.check()
    }
}

#[cfg(test)]
mod tests;
