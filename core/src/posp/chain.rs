//! Which validator set a device trusts: the one pinned at provisioning, handed over term by term (protocol section 7.2 and 7.5).
//!
//! Invariant: the set changes only by a settled header that names the next one and was signed by this one, or by a checkpoint of the
//! pinned authority; and none is used when the newest header that it signed is older than U. Collateral stays locked for U after a
//! term, so whoever signs a false header within that time can still be made to pay; later keys are worth nothing.

use super::{PospError, SettledHeader, ValidatorSet};
use crate::crypto::{PublicKey, Verify};
use crate::identity::sign1::{Sign1, domain_aad, to_be_signed};
use crate::types::{HeaderNumber, Id, Millis};
use crate::wire::{Reader, WireError, Writer};

/// Most bytes of a checkpoint's payload.
pub const CHECKPOINT_MAX: usize = 1 + 1 + 34 + 5 + 34 + 34 + 9;

const DOMAIN: &str = "iotedge/checkpoint/1";
const VERSION: u64 = 1;
const MAX_AAD: usize = 2 + DOMAIN.len();
const MAX_MESSAGE: usize = 1 + 11 + 14 + 1 + MAX_AAD + 2 + CHECKPOINT_MAX;

/// How far a device has followed the chain of sets. With the set itself, what it keeps where nothing rolls back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// The newest settled header known.
    pub newest: HeaderNumber,
    /// Its hash.
    pub hash: Id,
    /// The last time at which the set was certainly in office: a header's cut time or a checkpoint's.
    pub fresh: Millis,
    /// The set that the newest header hands over to, where it is another: fetch it.
    pub next: Option<Id>,
}

/// The trusted set and how new it is.
#[derive(Clone, Debug)]
pub struct SetChain {
    neighbourhood: Id,
    max_age: Millis,
    set: ValidatorSet,
    trusted: Trusted,
}

impl SetChain {
    /// Pins the set of a genesis whose signature was verified: `set_hash`, `t0` and `max_age` (U) stand in it.
    pub fn pin(
        neighbourhood: Id,
        set: ValidatorSet,
        set_hash: &Id,
        t0: Millis,
        max_age: Millis,
    ) -> Result<Self, PospError> {
        if set.hash() != *set_hash || set.start() > HeaderNumber(1) {
            return Err(PospError::WrongSet);
        }
        let trusted = Trusted {
            newest: HeaderNumber(0),
            hash: neighbourhood,
            fresh: t0,
            next: None,
        };
        Ok(Self::resume(neighbourhood, max_age, set, trusted))
    }

    /// Goes on from storage that cannot roll back.
    #[must_use]
    pub const fn resume(
        neighbourhood: Id,
        max_age: Millis,
        set: ValidatorSet,
        trusted: Trusted,
    ) -> Self {
        Self {
            neighbourhood,
            max_age,
            set,
            trusted,
        }
    }

    /// Goes on in place from storage that cannot roll back, with another set or with the one in office.
    pub(crate) fn go_on(&mut self, set: Option<ValidatorSet>, trusted: Trusted) {
        if let Some(set) = set {
            self.set = set;
        }
        self.trusted = trusted;
    }

    /// How far it has come: keep it, with the set, whenever a call changed it.
    #[must_use]
    pub const fn trusted(&self) -> &Trusted {
        &self.trusted
    }

    /// The set in office.
    #[must_use]
    pub const fn in_office(&self) -> &ValidatorSet {
        &self.set
    }

    /// The set to verify header `number` with, at absolute time `now`.
    pub fn set(&self, number: HeaderNumber, now: Millis) -> Result<&ValidatorSet, PospError> {
        if now.saturating_sub(self.trusted.fresh.0) > self.max_age {
            return Err(PospError::Stale);
        }
        if self.trusted.next.is_some() && number > self.trusted.newest {
            return Err(PospError::HandoverPending);
        }
        if number < self.set.start() {
            return Err(PospError::WrongSet);
        }
        Ok(&self.set)
    }

    /// Takes a newer header that the trusted set settled. Headers between may be missed: a set changes only by a header that it signed.
    pub fn advance(&mut self, settled: &SettledHeader) -> Result<(), PospError> {
        let header = settled.header();
        if header.neighbourhood != self.neighbourhood {
            return Err(PospError::Neighbourhood);
        }
        if header.number < self.trusted.newest {
            return Err(PospError::NotNewer);
        }
        if header.number == self.trusted.newest {
            return Err(if settled.hash() == self.trusted.hash {
                PospError::NotNewer
            } else {
                PospError::Fork
            });
        }
        if self.trusted.next.is_some() {
            return Err(PospError::HandoverPending);
        }
        if settled.signed_by() != self.set.hash() {
            return Err(PospError::WrongSet);
        }
        let follows = self.trusted.newest.checked_add(1) == Some(header.number);
        if follows && header.previous != self.trusted.hash {
            return Err(PospError::Fork);
        }
        self.trusted = Trusted {
            newest: header.number,
            hash: settled.hash(),
            // A checkpoint's time may be later than the next cut.
            fresh: self.trusted.fresh.max(header.cut),
            next: (header.set_hash != self.set.hash()).then_some(header.set_hash),
        };
        Ok(())
    }

    /// Takes the set that the newest header hands over to.
    pub fn hand_over(&mut self, set: ValidatorSet) -> Result<(), PospError> {
        let wanted = self.trusted.next.ok_or(PospError::NotNewer)?;
        let follows = self.trusted.newest.checked_add(1) == Some(set.start());
        if set.hash() != wanted || !follows || set.term() <= self.set.term() {
            return Err(PospError::WrongSet);
        }
        self.set = set;
        self.trusted.next = None;
        Ok(())
    }

    /// Goes on from a checkpoint that [`Checkpoint::verify`] accepted, with the set that it names. Never back.
    pub fn restore(&mut self, checkpoint: &Checkpoint, set: ValidatorSet) -> Result<(), PospError> {
        if checkpoint.neighbourhood != self.neighbourhood {
            return Err(PospError::Neighbourhood);
        }
        if checkpoint.number < self.trusted.newest || checkpoint.time < self.trusted.fresh {
            return Err(PospError::NotNewer);
        }
        if checkpoint.number == self.trusted.newest && checkpoint.header != self.trusted.hash {
            return Err(PospError::Fork);
        }
        let late = self.set.term() > set.term();
        let begins = checkpoint.number.saturating_add(1);
        if set.hash() != checkpoint.set || set.start() > begins || late {
            return Err(PospError::WrongSet);
        }
        self.set = set;
        self.trusted = Trusted {
            newest: checkpoint.number,
            hash: checkpoint.header,
            fresh: checkpoint.time,
            next: None,
        };
        Ok(())
    }
}

/// What the pinned authority says the newest settled header is: the way back for a device that slept longer than U.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose.
    pub neighbourhood: Id,
    /// The newest settled header.
    pub number: HeaderNumber,
    /// Its hash.
    pub header: Id,
    /// The hash of the set that votes on the next.
    pub set: Id,
    /// When the authority said so.
    pub time: Millis,
}

impl Checkpoint {
    /// Writes the payload `[1, neighbourhood, number, header hash, set hash, time]`.
    pub fn encode(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.array(6)?;
        w.uint(VERSION)?;
        w.id(&self.neighbourhood)?;
        w.uint(u64::from(self.number.0))?;
        w.id(&self.header)?;
        w.id(&self.set)?;
        w.uint(self.time.0)
    }

    /// Reads a payload, and nothing after it.
    pub fn decode(payload: &[u8]) -> Result<Self, PospError> {
        let mut r = Reader::new(payload);
        r.array_of(6)?;
        if r.uint()? != VERSION {
            return Err(PospError::Version);
        }
        let checkpoint = Self {
            neighbourhood: r.id()?,
            number: HeaderNumber(r.u32()?),
            header: r.id()?,
            set: r.id()?,
            time: Millis(r.uint()?),
        };
        r.finish()?;
        Ok(checkpoint)
    }

    /// Writes the message that the authority signs.
    pub fn signing_input<'o>(
        protected: &[u8],
        payload: &[u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], WireError> {
        let mut aad = [0; MAX_AAD];
        to_be_signed(protected, domain_aad(DOMAIN, &mut aad)?, payload, out)
    }

    /// Reads a checkpoint's COSE_Sign1 and checks that the authority with this key signed it.
    pub fn verify(
        cose: &[u8],
        authority: &PublicKey,
        verifier: &mut dyn Verify,
    ) -> Result<Self, PospError> {
        let sign1 = Sign1::parse(cose)?;
        let mut aad = [0; MAX_AAD];
        let mut scratch = [0; MAX_MESSAGE];
        let aad = domain_aad(DOMAIN, &mut aad)?;
        sign1.verify(authority, aad, verifier, &mut scratch)?;
        Self::decode(sign1.payload)
    }
}
