//! The transactions that matter to this node: its own and those that pay it, followed until their receipts.
//!
//! Own transactions are stored whole, with the full ids of their parents, before their first byte leaves; after a reset exactly these
//! bytes are sent again. Invariant: unsettled spending (`exposure`) is the sum over the entries here, so a power cut
//! gives no budget back.

use super::config::Limits;
use super::event::{Grade, Refusal, Ticket};
use super::intake::split;
use super::keys;
use crate::platform::Platform;
use crate::tx::Unverified;
use crate::wire::{Reader, WireError, Writer};
use crate::{Amount, Epoch, HeaderNumber, Id, MAX_FRAME, MAX_PARENTS, MemberIndex, Millis, Number};

/// One followed transaction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Followed {
    pub(crate) used: bool,
    /// Issued by this node; else it pays this node.
    pub(crate) own: bool,
    pub(crate) id: Id,
    pub(crate) number: Number,
    pub(crate) ticket: Ticket,
    pub(crate) time: Millis,
    pub(crate) epoch: Epoch,
    pub(crate) amount: Amount,
    /// Payee of an own transfer, payer of a received one.
    pub(crate) peer: Option<MemberIndex>,
    pub(crate) grade: Grade,
    pub(crate) header: HeaderNumber,
    pub(crate) proof_due: Millis,
    pub(crate) proof_tries: u8,
}

impl Followed {
    /// Neither settled nor dead, as far as is known here.
    pub(crate) const fn unsettled(&self) -> bool {
        !matches!(self.grade, Grade::Settled | Grade::Anchored | Grade::Dead)
    }
}

/// What the store holds of one own transaction.
pub(crate) struct Stored<'b> {
    pub(crate) followed: Followed,
    pub(crate) parents: heapless::Vec<Id, MAX_PARENTS>,
    /// COSE_Sign1 and attachment, as on the wire.
    pub(crate) body: &'b [u8],
}

/// Stands for the header of a stored entry that is dead.
const DEAD: HeaderNumber = HeaderNumber(u32::MAX);

/// Stands for the header of a stored entry whose end nobody waits for.
pub(crate) const UNAWAITED: HeaderNumber = HeaderNumber(u32::MAX - 1);

/// Room for one stored entry.
pub(crate) const STORED_MAX: usize = MAX_FRAME + 32 * MAX_PARENTS + 128;

impl Stored<'_> {
    pub(crate) fn write(&self, out: &mut [u8]) -> Result<usize, WireError> {
        let mut w = Writer::new(out);
        let f = &self.followed;
        w.uint(1)?;
        w.uint(u64::from(f.own))?;
        w.id(&f.id)?;
        w.uint(u64::from(f.number.0))?;
        w.uint(u64::from(f.ticket.0))?;
        w.uint(f.time.0)?;
        w.uint(f.amount.0)?;
        w.uint(f.peer.map_or(0, |p| u64::from(p.0).saturating_add(1)))?;
        w.uint(u64::from(f.header.0))?;
        w.array(self.parents.len())?;
        for parent in &self.parents {
            w.id(parent)?;
        }
        w.bytes(self.body)?;
        Ok(w.len())
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Stored<'_>, WireError> {
        let mut r = Reader::new(bytes);
        if r.uint()? != 1 {
            return Err(WireError::Range);
        }
        let own = r.uint()? == 1;
        let id = r.id()?;
        let number = Number(r.u32()?);
        let ticket = Ticket(r.u32()?);
        let time = Millis(r.uint()?);
        let amount = Amount(r.uint()?);
        let peer = r.uint()?;
        let header = HeaderNumber(r.u32()?);
        let count = r.array()?;
        let mut parents = heapless::Vec::new();
        for _ in 0..count {
            parents.push(r.id()?).map_err(|_| WireError::Range)?;
        }
        let body = r.bytes()?;
        r.finish()?;
        let peer = match peer.checked_sub(1) {
            None => None,
            Some(index) => Some(MemberIndex(
                u16::try_from(index).map_err(|_| WireError::Range)?,
            )),
        };
        let grade = match header {
            HeaderNumber(0) => Grade::Seen,
            DEAD => Grade::Dead,
            _ => Grade::Settled,
        };
        Ok(Stored {
            followed: Followed {
                used: true,
                own,
                id,
                number,
                ticket,
                time,
                epoch: epoch_of(body).unwrap_or(Epoch(u32::MAX)),
                amount,
                peer,
                grade,
                header,
                proof_due: Millis(0),
                proof_tries: 0,
            },
            parents,
            body,
        })
    }
}

/// The epoch of a transaction as it is stored.
fn epoch_of(body: &[u8]) -> Option<Epoch> {
    let (cose, _) = split(body).ok()?;
    Some(Unverified::parse(cose).ok()?.payload().epoch)
}

/// The followed transactions over caller memory.
#[derive(Debug)]
pub struct Own<'m> {
    places: &'m mut [Followed],
    /// Greatest number that this node ever stored as its own.
    highest: Number,
    newest_ticket: u32,
}

impl<'m> Own<'m> {
    /// None yet.
    pub(crate) fn new(places: &'m mut [Followed]) -> Self {
        places.fill(Followed::default());
        Self {
            places,
            highest: Number(0),
            newest_ticket: 0,
        }
    }

    /// Reads what the store holds.
    pub(crate) fn load<P: Platform>(
        &mut self,
        limits: &Limits,
        platform: &mut P,
    ) -> Result<(), Refusal> {
        let mut buffer = [0; STORED_MAX];
        for slot in 0..u32::from(limits.own) {
            for key in [
                keys::own(limits, slot),
                keys::received(u16::try_from(slot).unwrap_or(0)),
            ] {
                let len = platform
                    .get(key, &mut buffer)
                    .map_err(|_| Refusal::Platform)?;
                let Some(stored) =
                    len.and_then(|len| Stored::read(buffer.get(..len).unwrap_or(&[])).ok())
                else {
                    continue;
                };
                let f = stored.followed;
                if f.own {
                    self.highest = self.highest.max(f.number);
                    self.newest_ticket = self.newest_ticket.max(f.ticket.0);
                }
                if f.grade != Grade::Settled {
                    self.follow(f);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn into_inner(self) -> &'m mut [Followed] {
        self.places
    }

    pub(crate) fn highest(&self) -> Number {
        self.highest
    }

    pub(crate) fn newest_ticket(&self) -> u32 {
        self.newest_ticket
    }

    /// Stores an own transaction. It may leave the device only after this returned `Ok`.
    pub(crate) fn store<P: Platform>(
        &mut self,
        limits: &Limits,
        platform: &mut P,
        stored: &Stored<'_>,
    ) -> Result<(), Refusal> {
        let mut buffer = [0; STORED_MAX];
        let len = stored.write(&mut buffer).map_err(|_| Refusal::BodyLength)?;
        let f = &stored.followed;
        let key = if f.own {
            keys::own(limits, f.number.0)
        } else {
            keys::received(self.free_place()?)
        };
        platform
            .put(key, buffer.get(..len).unwrap_or(&[]))
            .map_err(|_| Refusal::Platform)?;
        if f.own {
            self.highest = self.highest.max(f.number);
            self.newest_ticket = self.newest_ticket.max(f.ticket.0);
        }
        Ok(())
    }

    /// Notes in the store that an own transaction is dead. Its bytes stay.
    pub(crate) fn mark_dead<P: Platform>(
        &mut self,
        limits: &Limits,
        platform: &mut P,
        dead: &Followed,
    ) -> Result<(), Refusal> {
        let key = keys::own(limits, dead.number.0);
        let mut buffer = [0; STORED_MAX];
        let len = platform
            .get(key, &mut buffer)
            .map_err(|_| Refusal::Platform)?;
        let read = len.and_then(|len| Stored::read(buffer.get(..len)?).ok());
        let Some(mut stored) = read.filter(|s| s.followed.id == dead.id) else {
            return Ok(());
        };
        stored.followed.header = DEAD;
        self.store(limits, platform, &stored)
    }

    /// An entry of the outbox stands for this transaction: it is dead, whether or not the power left time to mark it.
    pub(crate) fn bury<P: Platform>(
        &mut self,
        limits: &Limits,
        platform: &mut P,
        id: &Id,
    ) -> Result<(), Refusal> {
        let Some(followed) = self.get_mut(id) else {
            return Ok(());
        };
        followed.grade = Grade::Dead;
        followed.header = DEAD;
        let dead = *followed;
        self.mark_dead(limits, platform, &dead)
    }

    fn free_place(&self) -> Result<u16, Refusal> {
        let index = self.next_place().ok_or(Refusal::Busy)?;
        u16::try_from(index).map_err(|_| Refusal::Busy)
    }

    /// The receipt is verified: the bytes need not be kept any more. The newest own one stays, it holds number and ticket.
    pub(crate) fn forget_stored<P: Platform>(
        &mut self,
        limits: &Limits,
        platform: &mut P,
        done: &Followed,
    ) {
        let key = if done.own {
            let newer = self.highest.0.saturating_sub(done.number.0);
            // The place may hold a newer number already.
            if newer == 0 || newer >= u32::from(limits.own) {
                return;
            }
            keys::own(limits, done.number.0)
        } else {
            let Some(index) = self.places.iter().position(|f| f.used && f.id == done.id) else {
                return;
            };
            keys::received(u16::try_from(index).unwrap_or(u16::MAX))
        };
        // If it cannot be removed it is followed once more after a reboot: no harm.
        let _ = platform.remove(key);
    }

    /// The place that the next followed transaction takes.
    fn next_place(&self) -> Option<usize> {
        self.places
            .iter()
            .position(|f| !f.used)
            .or_else(|| self.oldest_final())
            .or_else(|| {
                self.places
                    .iter()
                    .enumerate()
                    .filter(|(_, f)| !f.own)
                    .min_by_key(|(_, f)| f.time)
                    .map(|(i, _)| i)
            })
    }

    fn oldest_final(&self) -> Option<usize> {
        self.places
            .iter()
            .enumerate()
            .filter(|(_, f)| !f.unsettled())
            .min_by_key(|(_, f)| f.time)
            .map(|(i, _)| i)
    }

    /// Follows a transaction. Where all places hold unsettled ones, the oldest received one gives way; own ones never do.
    pub(crate) fn follow(&mut self, followed: Followed) -> bool {
        if self.get(&followed.id).is_some() {
            return true;
        }
        let index = self.next_place();
        match index.and_then(|i| self.places.get_mut(i)) {
            Some(place) => {
                *place = followed;
                place.used = true;
                true
            }
            None => false,
        }
    }

    /// Whether there is a place, here and in the store, for the own transaction after `head`: it writes over the one that many numbers
    /// before, which must be settled and, if it is followed, have its receipt. One more place is left for what this device is paid.
    pub(crate) fn has_place(&self, limits: &Limits, settled: Number, head: Number) -> bool {
        let mut free = (self.places.iter()).filter(|f| !f.used || !f.own || !f.unsettled());
        let room = free.nth(1).is_some();
        let next = head.0.saturating_add(1);
        let Some(before) = next.checked_sub(u32::from(limits.own)) else {
            return room;
        };
        let awaited = self
            .iter()
            .any(|f| f.own && f.unsettled() && f.number.0 == before);
        room && before <= settled.0 && !awaited
    }

    /// The transaction that a submission became.
    pub(crate) fn sent_for(&self, ticket: Ticket) -> Option<Id> {
        let mut of = self.iter().filter(|f| f.own && f.ticket == ticket);
        let first = of.next()?;
        let id = of
            .fold(*first, |a, b| if b.number < a.number { *b } else { a })
            .id;
        Some(id)
    }

    pub(crate) fn get(&self, id: &Id) -> Option<&Followed> {
        self.places.iter().find(|f| f.used && f.id == *id)
    }

    pub(crate) fn get_mut(&mut self, id: &Id) -> Option<&mut Followed> {
        self.places.iter_mut().find(|f| f.used && f.id == *id)
    }

    /// What is in this place, used or not.
    pub(crate) fn place(&self, place: usize) -> Option<&Followed> {
        self.places.get(place)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Followed> {
        self.places.iter().filter(|f| f.used)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Followed> {
        self.places.iter_mut().filter(|f| f.used)
    }

    /// Unsettled spending of this node: to `payee`, and to all.
    pub(crate) fn exposure(&self, payee: Option<MemberIndex>) -> (Amount, Amount) {
        let mut one = 0u64;
        let mut all = 0u64;
        for f in self.iter().filter(|f| f.own && f.unsettled()) {
            all = all.saturating_add(f.amount.0);
            if f.peer == payee && payee.is_some() {
                one = one.saturating_add(f.amount.0);
            }
        }
        (Amount(one), Amount(all))
    }

    /// Unsettled receipts of this node: from `payer`, and from all.
    pub(crate) fn claims(&self, payer: MemberIndex) -> (Amount, Amount) {
        let mut one = 0u64;
        let mut all = 0u64;
        for f in self.iter().filter(|f| !f.own && f.unsettled()) {
            all = all.saturating_add(f.amount.0);
            if f.peer == Some(payer) {
                one = one.saturating_add(f.amount.0);
            }
        }
        (Amount(one), Amount(all))
    }
}
