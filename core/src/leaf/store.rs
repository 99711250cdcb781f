//! What a leaf keeps over a reset: genesis, validator set, how far headers were followed, the submission, its newest transactions.
//!
//! Invariant: one entry holds one own transaction whole, with its chain position, so a power cut leaves it wholly there or not at all. Keys are a
//! leaf's own: a device is a leaf or a node, never both over one store.

use super::state::{Chain, Followed, Submission, Terms, Trust};
use super::{Error, Event, FOLLOWED, Leaf, Phase};
use crate::crypto::Verify;
use crate::identity::UnverifiedGenesis;
use crate::platform::Platform;
use crate::tx::MAX_BODY;
use crate::types::{Amount, Epoch, HeaderNumber, Id, MemberIndex, Millis, Number};
use crate::wire::{Reader, WireError, Writer};
use heapless::Vec;

pub(super) const GENESIS: u16 = 0x0001;
pub(super) const SET: u16 = 0x0002;
const TRUST: u16 = 0x0003;
const WISH: u16 = 0x0004;
const OWN: u16 = 0x0010;
const VERSION: u64 = 1;
/// Most bytes of a stored submission.
const MAX_WISH: usize = 16 + MAX_BODY;

/// An own transaction as stored.
pub(super) struct Stored<'b> {
    pub ticket: u32,
    pub chain: Chain,
    pub amount: Amount,
    /// Its end is known: it is kept for its place in the chain only.
    pub over: bool,
    /// Full ids of the parents, in the order of the wire.
    pub parents: Vec<Id, { super::TIPS + 1 }>,
    pub cose: &'b [u8],
}

impl Stored<'_> {
    pub fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.array(10)?;
        w.uint(VERSION)?;
        w.uint(self.ticket.into())?;
        w.uint(self.chain.number.0.into())?;
        w.id(&self.chain.id)?;
        w.uint(self.chain.time.0)?;
        w.uint(self.chain.epoch.0.into())?;
        match self.chain.debits {
            Some(debits) => w.uint(debits.0)?,
            None => w.null()?,
        }
        w.uint(self.amount.0)?;
        w.uint(u64::from(self.over))?;
        w.array(self.parents.len().saturating_add(1))?;
        self.parents.iter().try_for_each(|p| w.id(p))?;
        w.bytes(self.cose)
    }

    pub fn read(bytes: &[u8]) -> Result<Stored<'_>, WireError> {
        let mut r = Reader::new(bytes);
        r.array_of(10)?;
        if r.uint()? != VERSION {
            return Err(WireError::Range);
        }
        let ticket = r.u32()?;
        let number = Number(r.u32()?);
        let id = r.id()?;
        let time = Millis(r.uint()?);
        let epoch = Epoch(r.u32()?);
        let debits = match r.is_null() {
            true => {
                r.null()?;
                None
            }
            false => Some(Amount(r.uint()?)),
        };
        let amount = Amount(r.uint()?);
        let over = r.uint()? == 1;
        let mut parents = Vec::new();
        let count = r.array()?.checked_sub(1).ok_or(WireError::Range)?;
        for _ in 0..count {
            parents.push(r.id()?).map_err(|_| WireError::Range)?;
        }
        let cose = r.bytes()?;
        r.finish()?;
        Ok(Stored {
            ticket,
            chain: Chain {
                number,
                id,
                time,
                epoch,
                exact: true,
                debits,
            },
            amount,
            over,
            parents,
            cose,
        })
    }
}

pub(super) fn own_key(number: Number) -> u16 {
    let slot = (number.0 as usize).checked_rem(FOLLOWED).unwrap_or(0);
    OWN.saturating_add(u16::try_from(slot).unwrap_or(0))
}

impl Submission<'_> {
    fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        match *self {
            Self::Data(body) => {
                w.uint(0)?;
                w.bytes(body)
            }
            Self::Transfer { to, amount } => {
                w.uint(1)?;
                w.uint(to.0.into())?;
                w.uint(amount.0)
            }
            Self::Service(body) => {
                w.uint(5)?;
                w.bytes(body)
            }
            Self::Exit { amount, target } => {
                w.uint(8)?;
                w.uint(amount.0)?;
                w.bytes(&target)
            }
        }
    }
}

impl<'a> Submission<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, WireError> {
        Ok(match r.uint()? {
            0 => Self::Data(r.bytes()?),
            1 => Self::Transfer {
                to: MemberIndex(r.u16()?),
                amount: Amount(r.uint()?),
            },
            5 => Self::Service(r.bytes()?),
            8 => Self::Exit {
                amount: Amount(r.uint()?),
                target: *r.bytes_of()?,
            },
            _ => return Err(WireError::Range),
        })
    }
}

impl<P: Platform, V: Verify> Leaf<'_, P, V> {
    pub(super) fn load(&mut self) -> Result<(), Error> {
        self.load_trust()?;
        self.enrolment.wanted = self.get(super::enrol::ENROL)?.is_some();
        let mut newest = 0;
        for slot in 0..u32::try_from(FOLLOWED).unwrap_or(0) {
            let key = own_key(Number(slot));
            let Some(len) = self.get(key)? else { continue };
            // A damaged entry is as good as none: the neighbours know the chain.
            let Ok(stored) = Stored::read(self.buffer.get(..len).unwrap_or(&[])) else {
                continue;
            };
            newest = newest.max(stored.ticket);
            if stored.chain.number > self.chain.number {
                self.chain = stored.chain;
            }
            if let Some(place) = self.followed.get_mut(slot as usize) {
                *place = Some(followed(&stored));
            }
        }
        self.tickets = newest;
        if let Some(len) = self.get(WISH)? {
            let read = read_wish(self.buffer.get(..len).unwrap_or(&[]));
            match read {
                // The power went between signing and forgetting it.
                Ok((ticket, _)) if ticket > newest => {
                    self.tickets = ticket;
                    self.wish = Some(ticket);
                }
                _ => self.forget_wish(),
            }
        }
        Ok(())
    }

    fn load_trust(&mut self) -> Result<(), Error> {
        let Some(len) = self.get(GENESIS)? else {
            return Ok(());
        };
        let cose = self.buffer.get(..len).unwrap_or(&[]);
        let Ok(genesis) = UnverifiedGenesis::parse(cose) else {
            return Ok(());
        };
        let Ok((genesis, id)) = genesis.verify(&self.config.authority, &mut self.verifier) else {
            return Ok(());
        };
        self.terms = Some(Terms {
            neighbourhood: id,
            start: genesis.start,
            period: genesis.period,
            parent_age: genesis.parent_age,
            neighbours: genesis.neighbours,
            members: genesis.members,
            table_root: genesis.table_root,
            set_age: genesis.set_age,
        });
        self.phase = Phase::Following;
        self.trust = Trust {
            hash: id,
            fresh: genesis.start,
            ..Trust::default()
        };
        if let Some(len) = self.get(TRUST)?
            && let Ok(trust) = read_trust(self.buffer.get(..len).unwrap_or(&[]))
        {
            self.trust = trust;
        }
        self.open_first();
        Ok(())
    }

    pub(super) fn store_trust(&mut self) {
        let mut buffer = [0; 128];
        let mut w = Writer::new(&mut buffer);
        let t = &self.trust;
        let written = w
            .array(4)
            .and_then(|()| w.uint(t.newest.0.into()))
            .and_then(|()| w.id(&t.hash))
            .and_then(|()| w.uint(t.fresh.0))
            .and_then(|()| match &t.next {
                Some(next) => w.id(next),
                None => w.null(),
            });
        if written.is_err() || self.platform.put(TRUST, w.written()).is_err() {
            self.tell(Event::PlatformFailed);
        }
    }

    /// Reads an entry into the buffer.
    pub(super) fn get(&mut self, key: u16) -> Result<Option<usize>, Error> {
        self.platform
            .get(key, self.buffer)
            .map_err(|_| Error::Platform)
    }

    pub(super) fn store_wish(&mut self, wish: &Submission<'_>) -> Result<u32, Error> {
        let ticket = self.tickets.saturating_add(1);
        let mut buffer = [0; MAX_WISH];
        let mut w = Writer::new(&mut buffer);
        w.uint(ticket.into())?;
        wish.write(&mut w)?;
        self.platform
            .put(WISH, w.written())
            .map_err(|_| Error::Platform)?;
        self.tickets = ticket;
        self.wish = Some(ticket);
        Ok(ticket)
    }

    pub(super) fn forget_wish(&mut self) {
        self.wish = None;
        // If it cannot be removed, its ticket is not above that of the stored transaction.
        let _ = self.platform.remove(WISH);
    }

    /// The submission that waits, read into `out`.
    pub(super) fn load_wish<'o>(
        &mut self,
        out: &'o mut [u8; MAX_WISH_ROOM],
    ) -> Result<(u32, Submission<'o>), Error> {
        let len = self
            .platform
            .get(WISH, out)
            .map_err(|_| Error::Platform)?
            .ok_or(Error::Platform)?;
        Ok(read_wish(out.get(..len).unwrap_or(&[]))?)
    }

    /// Notes that the end of an own transaction is known.
    pub(super) fn store_over(&mut self, number: Number, id: &Id) {
        let key = own_key(number);
        let Ok(Some(len)) = self.get(key) else { return };
        let (entry, room) = self.buffer.split_at_mut(len.min(self.buffer.len()));
        let Ok(mut stored) = Stored::read(entry) else {
            return;
        };
        if stored.chain.id != *id || stored.over {
            return;
        }
        stored.over = true;
        let mut w = Writer::new(room);
        // Where it cannot be noted it is followed once more after a reset.
        if stored.write(&mut w).is_ok() {
            let _ = self.platform.put(key, w.written());
        }
    }
}

pub(super) const MAX_WISH_ROOM: usize = MAX_WISH;

fn read_wish(bytes: &[u8]) -> Result<(u32, Submission<'_>), WireError> {
    let mut r = Reader::new(bytes);
    let ticket = r.u32()?;
    let wish = Submission::read(&mut r)?;
    r.finish()?;
    Ok((ticket, wish))
}

fn read_trust(bytes: &[u8]) -> Result<Trust, WireError> {
    let mut r = Reader::new(bytes);
    r.array_of(4)?;
    let newest = HeaderNumber(r.u32()?);
    let hash = r.id()?;
    let fresh = Millis(r.uint()?);
    let next = match r.is_null() {
        true => {
            r.null()?;
            None
        }
        false => Some(r.id()?),
    };
    r.finish()?;
    Ok(Trust {
        newest,
        hash,
        fresh,
        next,
        hint: HeaderNumber(0),
    })
}

pub(super) fn followed(stored: &Stored<'_>) -> Followed {
    Followed {
        id: stored.chain.id,
        number: stored.chain.number,
        time: stored.chain.time,
        epoch: stored.chain.epoch,
        amount: stored.amount,
        sent: Millis(0),
        held: 0,
        approved: 0,
        via: None,
        told_held: false,
        told_witnessed: false,
        wide: true,
        over: stored.over,
    }
}
