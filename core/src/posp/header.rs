//! The header of a macro transaction: what one epoch of the L-Chain came to (protocol section 7).
//!
//! Invariant: a header has one encoding, and its bytes are leaf 0 of the epoch tree, so a signed root can be carried to no other
//! neighbourhood, number or state. The GL-node's signature says who closed the epoch; only validators' votes make it settled.

use super::{DOMAIN, PospError};
use crate::crypto::{PublicKey, Signature, Verify, sha256};
use crate::identity::sign1::{Sign1, to_be_signed};
use crate::types::{Amount, HeaderNumber, Id, Millis};
use crate::wire::{Reader, WireError, Writer};

/// Most bytes of a header's payload.
pub const MAX_HEADER: usize = 336;
/// Most bytes of a header's COSE_Sign1.
pub const MAX_HEADER_COSE: usize = MAX_HEADER + 13 + 64 + 8;

/// Most bytes of the external_aad.
const MAX_AAD: usize = 1 + 1 + 15 + 2 + 32;
/// Most bytes of the message that the GL-node signs.
const MAX_MESSAGE: usize = 1 + 11 + 1 + 13 + 2 + MAX_AAD + 3 + MAX_HEADER;

const FIELDS: usize = 17;
const VERSION: u64 = 1;

/// What an epoch came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whose epoch.
    pub neighbourhood: Id,
    /// Number; the genesis is 0, so the first header has 1.
    pub number: HeaderNumber,
    /// Hash of the header before; for the first, the neighbourhood id.
    pub previous: Id,
    /// Id of the certified trim that cut the epoch.
    pub trim: Id,
    /// Its cut time c, where the next epoch's clock starts.
    pub cut: Millis,
    /// The new genesis.
    pub g0: Id,
    /// How many transactions were accepted.
    pub count: u32,
    /// Root over the accounts.
    pub state_root: Id,
    /// Root over the exits.
    pub exits_root: Id,
    /// Root of the next member table.
    pub table_root: Id,
    /// Members in the next table.
    pub members: u32,
    /// W of the next table.
    pub weight: u64,
    /// Hash of the validator set that votes on the next header.
    pub set_hash: Id,
    /// Sum of all balances.
    pub total_value: Amount,
    /// Time of the first accepted transaction, 0 where there is none.
    pub first_time: Millis,
    /// Time of the last accepted transaction, 0 where there is none.
    pub last_time: Millis,
}

impl Header {
    /// Writes the payload.
    pub fn encode(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.put_array(FIELDS);
        w.put_uint(VERSION);
        w.put_id(&self.neighbourhood);
        w.put_uint(u64::from(self.number.0));
        w.put_id(&self.previous);
        w.put_id(&self.trim);
        w.put_uint(self.cut.0);
        w.put_id(&self.g0);
        w.put_uint(u64::from(self.count));
        w.put_id(&self.state_root);
        w.put_id(&self.exits_root);
        w.put_id(&self.table_root);
        w.put_uint(u64::from(self.members));
        w.put_uint(self.weight);
        w.put_id(&self.set_hash);
        w.put_uint(self.total_value.0);
        w.put_uint(self.first_time.0);
        w.put_uint(self.last_time.0);
        w.intact()
    }

    /// Reads a payload, and nothing after it.
    pub fn decode(payload: &[u8]) -> Result<Self, PospError> {
        let mut r = Reader::new(payload);
        r.take_array_of(FIELDS);
        let version = r.take_uint();
        r.intact()?;
        if version != VERSION {
            return Err(PospError::Version);
        }
        let header = Self {
            neighbourhood: r.take_id(),
            number: HeaderNumber(r.take_u32()),
            previous: r.take_id(),
            trim: r.take_id(),
            cut: Millis(r.take_uint()),
            g0: r.take_id(),
            count: r.take_u32(),
            state_root: r.take_id(),
            exits_root: r.take_id(),
            table_root: r.take_id(),
            members: r.take_u32(),
            weight: r.take_uint(),
            set_hash: r.take_id(),
            total_value: Amount(r.take_uint()),
            first_time: Millis(r.take_uint()),
            last_time: Millis(r.take_uint()),
        };
        r.finish()?;
        header.check()?;
        Ok(header)
    }

    /// Whether the fields agree with each other.
    fn check(&self) -> Result<(), PospError> {
        let times = if self.count == 0 {
            self.first_time == Millis(0) && self.last_time == Millis(0)
        } else {
            self.first_time <= self.last_time && self.last_time <= self.cut
        };
        if self.number == HeaderNumber(0) || self.count == u32::MAX || !times {
            return Err(PospError::Header);
        }
        Ok(())
    }

    /// Leaves of the epoch tree: the header and the accepted transactions.
    #[must_use]
    pub const fn tree_size(&self) -> u32 {
        self.count.saturating_add(1)
    }

    /// The header hash of a payload: SHA-256(domain || payload).
    #[must_use]
    pub fn hash(payload: &[u8]) -> Id {
        Id(sha256(&[DOMAIN.as_bytes(), payload]))
    }
}

fn aad<'o>(neighbourhood: &Id, out: &'o mut [u8]) -> Result<&'o [u8], WireError> {
    let mut w = Writer::new(out);
    w.put_array(2);
    w.put_text(DOMAIN);
    w.put_id(neighbourhood);
    w.intact()?;
    Ok(w.into_written())
}

/// Writes the message that the GL-node's signer signs. `protected` and the assembled COSE_Sign1 come from `identity::sign1`.
pub fn header_signing_input<'o>(
    protected: &[u8],
    neighbourhood: &Id,
    payload: &[u8],
    out: &'o mut [u8],
) -> Result<&'o [u8], WireError> {
    let mut buffer = [0; MAX_AAD];
    to_be_signed(protected, aad(neighbourhood, &mut buffer)?, payload, out)
}

/// A header's COSE_Sign1 as read.
#[derive(Clone, Copy, Debug)]
pub struct SignedHeader<'a> {
    sign1: Sign1<'a>,
    header: Header,
}

impl<'a> SignedHeader<'a> {
    /// Reads one. Nothing is verified.
    pub fn parse(cose: &'a [u8]) -> Result<Self, PospError> {
        let sign1 = Sign1::parse(cose)?;
        let header = Header::decode(sign1.payload)?;
        Ok(Self { sign1, header })
    }

    /// The payload's bytes: leaf 0 of the epoch tree.
    #[must_use]
    pub const fn payload(&self) -> &'a [u8] {
        self.sign1.payload
    }

    /// The GL-node's signature, as claimed.
    #[must_use]
    pub const fn signature(&self) -> Signature {
        self.sign1.signature
    }

    /// The header, as claimed.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> Id {
        Header::hash(self.sign1.payload)
    }

    /// Checks that the GL-node with this key signed the header for this neighbourhood.
    pub fn verify(
        &self,
        neighbourhood: &Id,
        key: &PublicKey,
        verifier: &mut dyn Verify,
    ) -> Result<(), PospError> {
        if self.header.neighbourhood != *neighbourhood {
            return Err(PospError::Neighbourhood);
        }
        let mut buffer = [0; MAX_AAD];
        let mut scratch = [0; MAX_MESSAGE];
        let aad = aad(neighbourhood, &mut buffer)?;
        self.sign1.verify(key, aad, verifier, &mut scratch)?;
        Ok(())
    }
}
