//! What a leaf keeps over a reset: genesis, validator set, how far headers were followed, the submission, its newest transactions.
//!
//! Invariant: one entry holds one own transaction whole, with its chain position, so a power cut leaves it wholly there or not at all. Keys are a
//! leaf's own: a device is a leaf or a node, never both over one store.

use super::state::{Chain, Followed, Submission, Trust};
use super::{Error, Event, FOLLOWED, Leaf};
use crate::crypto::Verify;
use crate::identity::UnverifiedGenesis;
use crate::platform::Platform;
use crate::rollback::Guard;
use crate::tx::{MAX_BODY, MAX_COSE};
use crate::types::{Amount, Epoch, HeaderNumber, Id, MAX_FRAME, MemberIndex, Millis, Number};
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
/// Most bytes of a stored transaction: heads and numbers, the own id and its parents', the COSE_Sign1.
pub(super) const MAX_ENTRY: usize =
    1 + 1 + 5 + 5 + 34 + 9 + 5 + 9 + 9 + 1 + 1 + 34 * (super::TIPS + 1) + 3 + MAX_COSE;

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
        self.write_head(w);
        w.put_bytes(self.cose);
        w.intact()
    }

    /// Everything before the COSE_Sign1.
    #[inline(never)]
    pub fn write_head(&self, w: &mut Writer<'_>) {
        w.put_array(10);
        w.put_uint(VERSION);
        w.put_uint(self.ticket.into());
        w.put_uint(self.chain.number.0.into());
        w.put_id(&self.chain.id);
        w.put_uint(self.chain.time.0);
        w.put_uint(self.chain.epoch.0.into());
        match self.chain.debits {
            Some(debits) => w.put_uint(debits.0),
            None => w.put_null(),
        }
        w.put_uint(self.amount.0);
        w.put_uint(u64::from(self.over));
        w.put_array(self.parents.len().saturating_add(1));
        self.parents.iter().for_each(|p| w.put_id(p));
    }

    pub fn read(bytes: &[u8]) -> Result<Stored<'_>, WireError> {
        let mut r = Reader::new(bytes);
        r.take_array_of(10);
        if r.take_uint() != VERSION {
            r.break_off(WireError::Range);
        }
        let ticket = r.take_u32();
        let number = Number(r.take_u32());
        let id = r.take_id();
        let time = Millis(r.take_uint());
        let epoch = Epoch(r.take_u32());
        let debits = match r.skip_null() {
            true => None,
            false => Some(Amount(r.take_uint())),
        };
        let amount = Amount(r.take_uint());
        let over = r.take_uint() == 1;
        let mut parents = Vec::new();
        let count = r.take_array();
        if count == 0 {
            r.break_off(WireError::Range);
        }
        for _ in 1..count {
            if parents.push(r.take_id()).is_err() {
                r.break_off(WireError::Range);
                break;
            }
        }
        let cose = r.take_bytes();
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
    OWN | slot_of(number) as u16
}

/// The place of an own transaction: among those that are followed, and in the store.
pub(super) const fn slot_of(number: Number) -> usize {
    const { assert!(FOLLOWED.is_power_of_two() && FOLLOWED <= 16) };
    number.0 as usize & (FOLLOWED - 1)
}

impl Submission<'_> {
    fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        match *self {
            Self::Data(body) => {
                w.put_uint(0);
                w.put_bytes(body);
            }
            Self::Transfer { to, amount } => {
                w.put_uint(1);
                w.put_uint(to.0.into());
                w.put_uint(amount.0);
            }
            Self::Service(body) => {
                w.put_uint(5);
                w.put_bytes(body);
            }
            Self::Exit { amount, target } => {
                w.put_uint(8);
                w.put_uint(amount.0);
                w.put_bytes(&target);
            }
        }
        w.intact()
    }
}

impl<'a> Submission<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, WireError> {
        let kind = r.take_uint();
        Ok(match kind {
            0 => Self::Data(r.take_bytes()),
            1 => Self::Transfer {
                to: MemberIndex(r.take_u16()),
                amount: Amount(r.take_uint()),
            },
            5 => Self::Service(r.take_bytes()),
            8 => Self::Exit {
                amount: Amount(r.take_uint()),
                target: *r.take_bytes_of(),
            },
            _ => return Err(WireError::Range),
        })
    }
}

impl<P: Platform, V: Verify> Leaf<'_, P, V> {
    #[inline(never)]
    /// Reads back what the store holds: once, before anything else.
    ///
    /// # Errors
    /// [`Error::Memory`] for a short buffer, [`Error::Platform`] where the store cannot be read.
    pub fn load(&mut self) -> Result<(), Error> {
        if self.buffer.len() < MAX_FRAME {
            return Err(Error::Memory);
        }
        self.load_trust()?;
        self.load_own()
    }

    #[inline(never)]
    fn load_own(&mut self) -> Result<(), Error> {
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
        // Before anything is written: an old image is left as it is.
        self.guard = Guard::open(&mut self.platform, self.chain.number)?;
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

    #[inline(never)]
    fn load_trust(&mut self) -> Result<(), Error> {
        let Some(len) = self.get(GENESIS)? else {
            return Ok(());
        };
        let (cose, scratch) = self.buffer.split_at_mut(len.min(self.buffer.len()));
        let signed = UnverifiedGenesis::parse(cose)
            .and_then(|g| g.check(&self.config.authority, &mut self.verifier, scratch));
        if signed.is_err() || !self.read_genesis(len) {
            return Ok(());
        }
        if let Some(len) = self.get(TRUST)?
            && let Ok(trust) = read_trust(self.buffer.get(..len).unwrap_or(&[]))
        {
            self.trust = trust;
        }
        self.open_first();
        Ok(())
    }

    /// Of the genesis in the buffer, whose signature holds.
    #[inline(never)]
    fn read_genesis(&mut self, len: usize) -> bool {
        let cose = self.buffer.get(..len).unwrap_or(&[]);
        let read = UnverifiedGenesis::parse(cose).and_then(|g| g.read());
        if let Ok((genesis, id)) = &read {
            self.found(genesis, *id);
        }
        read.is_ok()
    }

    #[inline(never)]
    pub(super) fn store_trust(&mut self) {
        let mut buffer = [0; 128];
        let mut w = Writer::new(&mut buffer);
        let t = &self.trust;
        w.put_array(4);
        w.put_u32(t.newest.0);
        w.put_id(&t.hash);
        w.put_uint(t.fresh.0);
        match &t.next {
            Some(next) => w.put_id(next),
            None => w.put_null(),
        }
        if w.intact().is_err() || self.platform.put(TRUST, w.written()).is_err() {
            self.tell(Event::PlatformFailed);
        }
    }

    /// Reads an entry into the buffer.
    #[inline(never)]
    pub(super) fn get(&mut self, key: u16) -> Result<Option<usize>, Error> {
        self.platform
            .get(key, self.buffer)
            .map_err(|_| Error::Platform)
    }

    #[inline(never)]
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

    #[inline(never)]
    pub(super) fn forget_wish(&mut self) {
        self.wish = None;
        // If it cannot be removed, its ticket is not above that of the stored transaction.
        let _ = self.platform.remove(WISH);
    }

    /// The submission that waits, read into `out`.
    #[inline(never)]
    pub(super) fn load_wish<'o>(
        &mut self,
        out: &'o mut [u8],
    ) -> Result<(u32, Submission<'o>), Error> {
        let len = self
            .platform
            .get(WISH, out)
            .map_err(|_| Error::Platform)?
            .ok_or(Error::Platform)?;
        Ok(read_wish(out.get(..len).unwrap_or(&[]))?)
    }

    /// Notes that the end of an own transaction is known.
    #[inline(never)]
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
    let ticket = r.take_u32();
    let wish = Submission::read(&mut r)?;
    r.finish()?;
    Ok((ticket, wish))
}

fn read_trust(bytes: &[u8]) -> Result<Trust, WireError> {
    let mut r = Reader::new(bytes);
    r.take_array_of(4);
    let newest = HeaderNumber(r.take_u32());
    let hash = r.take_id();
    let fresh = Millis(r.take_uint());
    let next = match r.skip_null() {
        true => None,
        false => Some(r.take_id()),
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
