//! The genesis of a neighbourhood: its parameters, signed by its authority (protocol section 6).
//!
//! Invariant: the neighbourhood id is a hash of the whole payload, random nonce and chain id included, so two neighbourhoods never share
//! an id, and whoever pinned the authority's key or the id can check everything that follows. A genesis whose parameters break a bound is
//! refused when it is signed and when it is read.

use crate::crypto::{PublicKey, SecretKey, Signature, SignatureError, Verify, sha256};
use crate::identity::key::CoseKey;
use crate::identity::record::{Caps, Roles};
use crate::identity::sign1::{self, Sign1, Sign1Error};
use crate::identity::table::{MemberTable, TableError};
use crate::types::{Amount, Id, MemberIndex, Millis, Number};
use crate::wire::{Reader, WireError, Writer};

/// The domain of neighbourhood ids and of the signature.
pub const DOMAIN: &str = "iotedge/genesis/1";
/// The domain of the first G0.
pub const G0_DOMAIN: &str = "iotedge/g0/1";
/// Most bytes of a signed genesis.
pub const MAX_GENESIS: usize = 360;

const VERSION: u64 = 1;
const FIELDS: usize = 16;
const MAX_PAYLOAD: usize = 272;
const MAX_MESSAGE: usize = MAX_PAYLOAD + 13 + 20 + sign1::SIG_STRUCTURE_OVERHEAD;

/// Why a genesis is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenesisError {
    /// Not the bytes of a genesis, or no room to write one (`Full`).
    Wire(WireError),
    /// A version that this build does not know.
    Version,
    /// The protected header is not `{1: alg, 4: kid}`.
    Header,
    /// Signed by another key than the pinned authority's: this is another neighbourhood.
    WrongSigner,
    /// The signature does not hold.
    Signature(SignatureError),
    /// T is 0 or more than 2^31 ms (24 days): offsets of an epoch must fit 32 bits with room to spare.
    Period,
    /// P_max is 0 or above T/4: a vertex could be older than the trim that has to see it.
    ParentAge,
    /// q is 0, or not below the most members: nothing would ever be witnessed.
    Neighbours,
    /// The cap of a transaction is 0 or above that of a peer, or that above the exposure.
    Caps,
    /// No founder, or more founders than members fit.
    Members,
    /// The index of the GL-node is not a founder's.
    GlNode,
    /// W is 0.
    Weight,
    /// The founders' grants together exceed 64 bits.
    Grant,
    /// U is shorter than T: every validator set would be too old before the first epoch ends.
    SetAge,
    /// The founding table has another count, weight or root than the genesis says.
    Table,
    /// A founder's record does not begin as a founder's must: head (0, G0), its grant, nothing spent, its device id, its base weight.
    Founder(MemberIndex),
    /// The member that the genesis names is no GL-node in the table.
    Role,
}

impl From<WireError> for GenesisError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<Sign1Error> for GenesisError {
    fn from(error: Sign1Error) -> Self {
        match error {
            Sign1Error::Wire(error) => Self::Wire(error),
            Sign1Error::Header => Self::Header,
            Sign1Error::WrongSigner => Self::WrongSigner,
            Sign1Error::Signature(error) => Self::Signature(error),
        }
    }
}

/// The parameters of a neighbourhood. They hold for its whole life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Random; makes the id unique.
    pub nonce: [u8; 32],
    /// The chain that the neighbourhood settles on; 0 for none.
    pub chain_id: u64,
    /// When it begins; the clock of epoch 1 and the cut of trim 0.
    pub start: Millis,
    /// T, the period of trims.
    pub period: Millis,
    /// P_max: how much later than its parents a vertex may be, the first parent excepted.
    pub parent_age: Millis,
    /// q, the neighbours needed before `Witnessed` and `Quorum`.
    pub neighbours: u16,
    /// Caps of a founder or joiner.
    pub caps: Caps,
    /// Settled credits of each founder.
    pub grant: Amount,
    /// Most members that the table will hold.
    pub max_members: u32,
    /// The member that closes epochs.
    pub gl_node: MemberIndex,
    /// Founders.
    pub members: u32,
    /// W of the founding table.
    pub weight: u64,
    /// Root of the founding table.
    pub table_root: Id,
    /// Hash of the validator set that votes on header 1.
    pub validator_set: Id,
    /// U: how old a validator set may be before a device needs a checkpoint.
    pub set_age: Millis,
}

impl Genesis {
    /// Checks every bound.
    pub fn check(&self) -> Result<(), GenesisError> {
        if self.period == Millis(0) || self.period > Millis(1 << 31) {
            return Err(GenesisError::Period);
        }
        if self.parent_age == Millis(0) || self.parent_age > Millis(self.period.0 / 4) {
            return Err(GenesisError::ParentAge);
        }
        if self.neighbours == 0 || u32::from(self.neighbours) >= self.max_members {
            return Err(GenesisError::Neighbours);
        }
        let Caps { tx, peer, exposure } = self.caps;
        if tx == Amount(0) || tx > peer || peer > exposure {
            return Err(GenesisError::Caps);
        }
        // A member index has 16 bits.
        if self.members == 0 || self.members > self.max_members || self.max_members > 1 << 16 {
            return Err(GenesisError::Members);
        }
        if u32::from(self.gl_node.0) >= self.members {
            return Err(GenesisError::GlNode);
        }
        if self.weight == 0 {
            return Err(GenesisError::Weight);
        }
        if self.total_grant().is_none() {
            return Err(GenesisError::Grant);
        }
        if self.set_age < self.period {
            return Err(GenesisError::SetAge);
        }
        Ok(())
    }

    /// The whole value in the neighbourhood: all grants; `None` above 64 bits.
    #[must_use]
    pub const fn total_grant(&self) -> Option<Amount> {
        match self.grant.0.checked_mul(self.members as u64) {
            Some(total) => Some(Amount(total)),
            None => None,
        }
    }

    /// The first G0.
    #[must_use]
    pub fn g0(&self) -> Id {
        g0(&self.nonce, self.chain_id)
    }

    /// The neighbourhood id: also the hash of header 0 and the id of trim 0.
    pub fn neighbourhood(&self) -> Result<Id, GenesisError> {
        let mut buffer = [0; MAX_PAYLOAD];
        let payload = self.payload(&mut buffer)?;
        Ok(neighbourhood(payload))
    }

    /// Checks that `table` is the founding table and that every record begins as a founder's must.
    pub fn check_founders(&self, table: &MemberTable<'_>) -> Result<(), GenesisError> {
        let root = table.root().map_err(|error| match error {
            TableError::Record(error) => GenesisError::Wire(error),
            _ => GenesisError::Table,
        })?;
        let members = u32::try_from(table.len()).map_err(|_| GenesisError::Table)?;
        if (members, table.total_weight(), root) != (self.members, self.weight, self.table_root) {
            return Err(GenesisError::Table);
        }
        let g0 = self.g0();
        for record in table.records() {
            let founder = record.head_number == Number(0)
                && record.head_id == g0
                && record.credits == self.grant
                && record.debits == Amount(0)
                && record.idle == 0
                && !record.frozen
                && record.weight == record.base_weight()
                && !record.roles.has(Roles::LEFT)
                && record.device == CoseKey::thumbprint(&record.key)
                && record.key.check().is_ok();
            if !founder {
                return Err(GenesisError::Founder(record.index));
            }
        }
        match table.get(self.gl_node) {
            Some(record) if record.roles.has(Roles::GL_NODE) => Ok(()),
            _ => Err(GenesisError::Role),
        }
    }

    /// Writes the message that the authority has to sign; returns its length.
    pub fn signing_input(
        &self,
        authority: &PublicKey,
        out: &mut [u8],
    ) -> Result<usize, GenesisError> {
        let mut buffer = [0; MAX_PAYLOAD];
        let payload = self.payload(&mut buffer)?;
        let mut aad = [0; 20];
        let aad = sign1::domain_aad(DOMAIN, &mut aad)?;
        Ok(sign1::to_be_signed(&sign1::protected(authority), aad, payload, out)?.len())
    }

    /// Writes the signed genesis with a signature over [`Genesis::signing_input`]'s message; returns its length.
    pub fn assemble(
        &self,
        authority: &PublicKey,
        signature: &Signature,
        out: &mut [u8],
    ) -> Result<usize, GenesisError> {
        let mut buffer = [0; MAX_PAYLOAD];
        let payload = self.payload(&mut buffer)?;
        Ok(sign1::assemble(
            &sign1::protected(authority),
            payload,
            signature,
            out,
        )?)
    }

    /// Signs with a key in software; returns the length of the signed genesis.
    pub fn sign(&self, authority: &SecretKey, out: &mut [u8]) -> Result<usize, GenesisError> {
        let key = authority.public_key();
        let mut message = [0; MAX_MESSAGE];
        let len = self.signing_input(&key, &mut message)?;
        let signature = authority.sign(message.get(..len).unwrap_or(&[]));
        self.assemble(&key, &signature, out)
    }

    fn payload<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], GenesisError> {
        self.check()?;
        let mut w = Writer::new(out);
        w.put_array(FIELDS);
        w.put_uint(VERSION);
        w.put_bytes(&self.nonce);
        w.put_uint(self.chain_id);
        w.put_uint(self.start.0);
        w.put_uint(self.period.0);
        w.put_uint(self.parent_age.0);
        w.put_uint(u64::from(self.neighbours));
        self.caps.write(&mut w)?;
        w.put_uint(self.grant.0);
        w.put_uint(u64::from(self.max_members));
        w.put_uint(u64::from(self.gl_node.0));
        w.put_uint(u64::from(self.members));
        w.put_uint(self.weight);
        w.put_id(&self.table_root);
        w.put_id(&self.validator_set);
        w.put_uint(self.set_age.0);
        w.intact()?;
        Ok(w.into_written())
    }

    fn read(payload: &[u8]) -> Result<Self, GenesisError> {
        let mut r = Reader::new(payload);
        let fields = r.take_array();
        let version = r.take_uint();
        r.intact()?;
        if version != VERSION {
            return Err(GenesisError::Version);
        }
        if fields != FIELDS {
            return Err(GenesisError::Wire(WireError::Range));
        }
        let genesis = Self {
            nonce: *r.take_bytes_of(),
            chain_id: r.take_uint(),
            start: Millis(r.take_uint()),
            period: Millis(r.take_uint()),
            parent_age: Millis(r.take_uint()),
            neighbours: r.take_u16(),
            caps: Caps::read(&mut r)?,
            grant: Amount(r.take_uint()),
            max_members: r.take_u32(),
            gl_node: MemberIndex(r.take_u16()),
            members: r.take_u32(),
            weight: r.take_uint(),
            table_root: r.take_id(),
            validator_set: r.take_id(),
            set_age: Millis(r.take_uint()),
        };
        r.finish()?;
        genesis.check()?;
        Ok(genesis)
    }
}

/// A genesis as received. Only [`UnverifiedGenesis::verify`] gives out what it says.
#[derive(Clone, Copy, Debug)]
pub struct UnverifiedGenesis<'a>(Sign1<'a>);

impl<'a> UnverifiedGenesis<'a> {
    /// Reads the outer form.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, GenesisError> {
        let sign1 = Sign1::parse(bytes)?;
        if sign1.payload.len() > MAX_PAYLOAD {
            return Err(GenesisError::Wire(WireError::Range));
        }
        sign1.signer()?;
        Ok(Self(sign1))
    }

    /// The neighbourhood id that this genesis makes, signed or not.
    #[must_use]
    pub fn neighbourhood(&self) -> Id {
        neighbourhood(self.0.payload)
    }

    /// Checks the signature by the pinned authority, then every bound.
    pub fn verify(
        &self,
        authority: &PublicKey,
        verifier: &mut dyn Verify,
    ) -> Result<(Genesis, Id), GenesisError> {
        self.check(authority, verifier, &mut [0; MAX_MESSAGE])?;
        self.read()
    }

    /// The first half, with the caller's memory for the message, at most 600 bytes: the signature.
    #[inline(never)]
    pub(crate) fn check(
        &self,
        authority: &PublicKey,
        verifier: &mut dyn Verify,
        scratch: &mut [u8],
    ) -> Result<(), GenesisError> {
        let mut aad = [0; 20];
        let aad = sign1::domain_aad(DOMAIN, &mut aad)?;
        Ok(self.0.verify(authority, aad, verifier, scratch)?)
    }

    /// The second half: what it says, within every bound. Not to be believed before `check`.
    #[inline(never)]
    pub(crate) fn read(&self) -> Result<(Genesis, Id), GenesisError> {
        Ok((Genesis::read(self.0.payload)?, self.neighbourhood()))
    }
}

/// The first G0 of a neighbourhood: `SHA-256(domain || nonce || chain id)`. A function of two fields only, since the founders' records, which
/// the genesis commits to, name it.
#[must_use]
pub fn g0(nonce: &[u8; 32], chain_id: u64) -> Id {
    Id(sha256(&[
        G0_DOMAIN.as_bytes(),
        nonce,
        &chain_id.to_be_bytes(),
    ]))
}

fn neighbourhood(payload: &[u8]) -> Id {
    Id(sha256(&[DOMAIN.as_bytes(), payload]))
}

#[cfg(test)]
mod tests;
