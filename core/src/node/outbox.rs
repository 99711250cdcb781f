//! The durable outbox: what the application submitted is sent in order, later if need be, and survives a reboot.
//!
//! Memory holds ticket and expiry of each entry, the store its body. An entry leaves the store only after the
//! transaction made from it is in the store as own: a power cut between the two is mended at boot by its ticket. An entry that stands
//! for a dead transaction names it, so that it is issued again once, wherever the power goes.

use super::event::{Refusal, Ticket};
use super::keys;
use crate::channel::Op;
use crate::platform::Platform;
use crate::wire::{Reader, WireError, Writer};
use crate::{Amount, Id, MemberIndex, Millis};

/// What the application asks the node to issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submission<'a> {
    /// A message, usually a SenML pack; 1 to 320 bytes.
    Data(&'a [u8]),
    /// What this node offers, for other applications; 1 to 320 bytes.
    Service(&'a [u8]),
    /// A payment.
    Transfer {
        /// The payee.
        to: MemberIndex,
        /// Micro-tokens, not 0.
        amount: Amount,
    },
    /// What is said of a channel.
    Channel(Op<'a>),
    /// Value that leaves the neighbourhood for an Ethereum address.
    Exit {
        /// Micro-tokens, not 0.
        amount: Amount,
        /// The address.
        target: [u8; 20],
    },
    /// This member leaves the neighbourhood.
    Leave,
    /// GL-node only: close the epoch at this cut time.
    Trim {
        /// c, absolute.
        cut: Millis,
    },
    /// GL-node only: a member operation already encoded (join or revoke).
    Member(&'a [u8]),
}

impl<'a> Submission<'a> {
    /// Room for the longest submission.
    pub(crate) const MAX: usize = 512;

    fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        match *self {
            Self::Data(body) => w.uint(0).and_then(|()| w.bytes(body)),
            Self::Transfer { to, amount } => {
                w.uint(1)?;
                w.uint(u64::from(to.0))?;
                w.uint(amount.0)
            }
            Self::Channel(op) => w.uint(4).and_then(|()| op.write(w)),
            Self::Service(body) => w.uint(5).and_then(|()| w.bytes(body)),
            Self::Member(body) => w.uint(6).and_then(|()| w.bytes(body)),
            Self::Trim { cut } => w.uint(7).and_then(|()| w.uint(cut.0)),
            Self::Exit { amount, target } => {
                w.uint(8)?;
                w.uint(amount.0)?;
                w.bytes(&target)
            }
            Self::Leave => w.uint(10),
        }
    }

    fn read(r: &mut Reader<'a>) -> Result<Self, WireError> {
        Ok(match r.uint()? {
            0 => Self::Data(r.bytes()?),
            1 => Self::Transfer {
                to: MemberIndex(r.u16()?),
                amount: Amount(r.uint()?),
            },
            4 => Self::Channel(Op::read(r).map_err(|_| WireError::Range)?),
            5 => Self::Service(r.bytes()?),
            6 => Self::Member(r.bytes()?),
            7 => Self::Trim {
                cut: Millis(r.uint()?),
            },
            8 => Self::Exit {
                amount: Amount(r.uint()?),
                target: *r.bytes_of::<20>()?,
            },
            10 => Self::Leave,
            _ => return Err(WireError::Range),
        })
    }
}

/// One entry: its place in the store is its place here.
#[derive(Clone, Copy, Debug, Default)]
pub struct OutSlot {
    used: bool,
    ticket: u32,
    expires: u64,
}

/// The outbox over caller memory.
#[derive(Debug)]
pub struct Outbox<'m> {
    slots: &'m mut [OutSlot],
    /// Nothing waits from this place on.
    reach: usize,
    next_ticket: u32,
    /// The power went between the last transaction and the end of its entry: nobody was told yet.
    untold: Option<Ticket>,
}

impl<'m> Outbox<'m> {
    /// Nothing waits yet.
    pub(crate) fn new(slots: &'m mut [OutSlot]) -> Self {
        slots.fill(OutSlot::default());
        Self {
            reach: slots.len(),
            slots,
            next_ticket: 1,
            untold: None,
        }
    }

    /// Reads what the store still holds. `done` is the newest ticket that already became a transaction.
    pub(crate) fn load<P: Platform>(
        &mut self,
        platform: &mut P,
        done: u32,
        next_ticket: u32,
    ) -> Result<(), Refusal> {
        self.next_ticket = next_ticket;
        let mut buffer = [0; Submission::MAX];
        for index in 0..self.slots.len() {
            let key = keys::outbox(u16::try_from(index).unwrap_or(u16::MAX));
            let Some(len) = platform
                .get(key, &mut buffer)
                .map_err(|_| Refusal::Platform)?
            else {
                continue;
            };
            let bytes = buffer.get(..len).unwrap_or(&[]);
            // A torn or foreign entry cannot be sent; it is removed so that the place can be used again.
            match Entry::read(bytes) {
                Ok(Entry {
                    ticket, expires, ..
                }) if ticket > done => {
                    if let Some(slot) = self.slots.get_mut(index) {
                        *slot = OutSlot {
                            used: true,
                            ticket,
                            expires: expires.0,
                        };
                    }
                    self.next_ticket = self.next_ticket.max(ticket.saturating_add(1));
                }
                entry => {
                    if let Ok(entry) = entry
                        && entry.ticket == done
                    {
                        self.untold = Some(Ticket(done));
                    }
                    platform.remove(key).map_err(|_| Refusal::Platform)?;
                }
            }
        }
        self.shrink();
        self.next_ticket = self.next_ticket.max(done.saturating_add(1));
        Ok(())
    }

    fn waiting(&self) -> &[OutSlot] {
        self.slots.get(..self.reach).unwrap_or(&[])
    }

    fn shrink(&mut self) {
        let used = self.waiting().iter().rposition(|s| s.used);
        self.reach = used.map_or(0, |last| last.saturating_add(1));
    }

    pub(crate) fn into_inner(self) -> &'m mut [OutSlot] {
        self.slots
    }

    /// The submission that became a transaction just before the power went, once.
    pub(crate) fn take_untold(&mut self) -> Option<Ticket> {
        self.untold.take()
    }

    /// Forgets an entry whose place in the store cannot be cleared now: it is cleared at boot or written over.
    pub(crate) fn forget(&mut self, ticket: Ticket) {
        for slot in self.slots.iter_mut() {
            slot.used &= slot.ticket != ticket.0;
        }
        self.shrink();
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting().iter().filter(|s| s.used).count()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.slots.iter().any(|s| !s.used)
    }

    pub(crate) fn next_ticket(&self) -> u32 {
        self.next_ticket
    }

    /// The dead transactions that entries stand for. A power cut may have left them unmarked.
    pub(crate) fn replaced<P: Platform>(
        &self,
        platform: &mut P,
        mut each: impl FnMut(&mut P, &Id) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let mut buffer = [0; Submission::MAX];
        for (index, _) in self.waiting().iter().enumerate().filter(|(_, s)| s.used) {
            let key = keys::outbox(u16::try_from(index).unwrap_or(u16::MAX));
            let len = platform
                .get(key, &mut buffer)
                .map_err(|_| Refusal::Platform)?;
            let bytes = len.and_then(|len| buffer.get(..len)).unwrap_or(&[]);
            if let Ok(entry) = Entry::read(bytes)
                && let Some(dead) = entry.replaces
            {
                each(platform, &dead)?;
            }
        }
        Ok(())
    }

    /// Stores a submission; it is durable when this returns. `replaces`: the dead transaction that it says again.
    pub(crate) fn push<P: Platform>(
        &mut self,
        platform: &mut P,
        submission: &Submission<'_>,
        expires: Option<Millis>,
        replaces: Option<&Id>,
    ) -> Result<Ticket, Refusal> {
        let index = self
            .slots
            .iter()
            .position(|s| !s.used)
            .ok_or(Refusal::OutboxFull)?;
        let ticket = self.next_ticket;
        let expires = expires.unwrap_or(Millis(u64::MAX));
        let mut buffer = [0; Submission::MAX];
        let mut w = Writer::new(&mut buffer);
        let entry = Entry {
            ticket,
            expires,
            replaces: replaces.copied(),
            submission: *submission,
        };
        entry.write(&mut w).map_err(|_| Refusal::BodyLength)?;
        let key = keys::outbox(u16::try_from(index).unwrap_or(u16::MAX));
        platform
            .put(key, w.written())
            .map_err(|_| Refusal::Platform)?;
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = OutSlot {
                used: true,
                ticket,
                expires: expires.0,
            };
        }
        self.reach = self.reach.max(index.saturating_add(1));
        self.next_ticket = ticket.wrapping_add(1).max(1);
        Ok(Ticket(ticket))
    }

    /// The oldest entry: its ticket, when it expires, and its body in `buffer`.
    pub(crate) fn front<'b, P: Platform>(
        &self,
        platform: &mut P,
        buffer: &'b mut [u8; Submission::MAX],
    ) -> Result<Option<(Ticket, Millis, Submission<'b>)>, Refusal> {
        let Some((index, slot)) = self
            .waiting()
            .iter()
            .enumerate()
            .filter(|(_, s)| s.used)
            .min_by_key(|(_, s)| s.ticket)
        else {
            return Ok(None);
        };
        let key = keys::outbox(u16::try_from(index).unwrap_or(u16::MAX));
        let len = platform
            .get(key, buffer)
            .map_err(|_| Refusal::Platform)?
            .ok_or(Refusal::Platform)?;
        let bytes = buffer.get(..len).ok_or(Refusal::Platform)?;
        let entry = Entry::read(bytes).map_err(|_| Refusal::Platform)?;
        if entry.ticket != slot.ticket {
            return Err(Refusal::Platform);
        }
        Ok(Some((
            Ticket(entry.ticket),
            entry.expires,
            entry.submission,
        )))
    }

    /// Forgets an entry that was sent, expired or rejected.
    pub(crate) fn remove<P: Platform>(
        &mut self,
        platform: &mut P,
        ticket: Ticket,
    ) -> Result<(), Refusal> {
        let Some((index, slot)) = self
            .slots
            .iter_mut()
            .enumerate()
            .find(|(_, s)| s.used && s.ticket == ticket.0)
        else {
            return Ok(());
        };
        let key = keys::outbox(u16::try_from(index).unwrap_or(u16::MAX));
        platform.remove(key).map_err(|_| Refusal::Platform)?;
        slot.used = false;
        self.shrink();
        Ok(())
    }

    /// An entry whose time is over, if any.
    pub(crate) fn expired(&self, now: Millis) -> Option<Ticket> {
        self.waiting()
            .iter()
            .filter(|s| s.used && s.expires <= now.0)
            .map(|s| Ticket(s.ticket))
            .min()
    }
}

/// What the store holds: a CBOR sequence of version, ticket, expiry, the id that it replaces (version 2 only), kind and the kind's fields.
struct Entry<'a> {
    ticket: u32,
    expires: Millis,
    replaces: Option<Id>,
    submission: Submission<'a>,
}

impl<'a> Entry<'a> {
    fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.uint(if self.replaces.is_some() { 2 } else { 1 })?;
        w.uint(u64::from(self.ticket))?;
        w.uint(self.expires.0)?;
        if let Some(dead) = &self.replaces {
            w.id(dead)?;
        }
        self.submission.write(w)
    }

    fn read(bytes: &'a [u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let version = r.uint()?;
        if !(1..=2).contains(&version) {
            return Err(WireError::Range);
        }
        let ticket = r.u32()?;
        let expires = Millis(r.uint()?);
        let replaces = if version == 2 { Some(r.id()?) } else { None };
        let submission = Submission::read(&mut r)?;
        r.finish()?;
        Ok(Self {
            ticket,
            expires,
            replaces,
            submission,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::test_platform::MemoryPlatform;

    #[test]
    fn is_sent_in_order_and_survives_a_reboot() {
        let mut platform = MemoryPlatform::default();
        let mut slots = vec![OutSlot::default(); 4];
        let mut outbox = Outbox::new(&mut slots);
        outbox.load(&mut platform, 0, 1).unwrap();
        let a = outbox
            .push(&mut platform, &Submission::Data(b"a"), None, None)
            .unwrap();
        let b = outbox
            .push(
                &mut platform,
                &Submission::Transfer {
                    to: MemberIndex(3),
                    amount: Amount(u64::MAX),
                },
                Some(Millis(9)),
                None,
            )
            .unwrap();
        let mut slots = vec![OutSlot::default(); 4];
        let mut outbox = Outbox::new(&mut slots);
        outbox.load(&mut platform, 0, 1).unwrap();
        let mut buffer = [0; Submission::MAX];
        let front = outbox.front(&mut platform, &mut buffer).unwrap().unwrap();
        assert_eq!((front.0, front.2), (a, Submission::Data(b"a")));
        assert_eq!(outbox.expired(Millis(8)), None);
        assert_eq!(outbox.expired(Millis(9)), Some(b));
        outbox.remove(&mut platform, a).unwrap();
        let front = outbox.front(&mut platform, &mut buffer).unwrap().unwrap();
        assert_eq!(front.0, b);
        let c = outbox
            .push(&mut platform, &Submission::Leave, None, None)
            .unwrap();
        assert!(c > b);
    }

    #[test]
    fn an_entry_that_became_a_transaction_before_the_cut_is_not_sent_twice() {
        let mut platform = MemoryPlatform::default();
        let mut slots = vec![OutSlot::default(); 4];
        let mut outbox = Outbox::new(&mut slots);
        outbox.load(&mut platform, 0, 1).unwrap();
        let a = outbox
            .push(&mut platform, &Submission::Data(b"a"), None, None)
            .unwrap();
        let mut slots = vec![OutSlot::default(); 4];
        let mut outbox = Outbox::new(&mut slots);
        outbox.load(&mut platform, a.0, 1).unwrap();
        assert_eq!(outbox.len(), 0);
        assert!(outbox.next_ticket() > a.0);
    }

    #[test]
    fn full_says_so_and_changes_nothing() {
        let mut platform = MemoryPlatform::default();
        let mut slots = vec![OutSlot::default(); 1];
        let mut outbox = Outbox::new(&mut slots);
        outbox.load(&mut platform, 0, 1).unwrap();
        outbox
            .push(&mut platform, &Submission::Data(b"a"), None, None)
            .unwrap();
        assert_eq!(
            outbox.push(&mut platform, &Submission::Data(b"b"), None, None),
            Err(Refusal::OutboxFull)
        );
        outbox.remove(&mut platform, Ticket(1)).unwrap();
        platform.fail_put = true;
        assert_eq!(
            outbox.push(&mut platform, &Submission::Data(b"b"), None, None),
            Err(Refusal::Platform)
        );
        assert_eq!(outbox.len(), 0);
    }
}
