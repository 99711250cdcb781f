//! The durable outbox: what the application submitted is sent in order, later if need be, and survives a reboot.
//!
//! Memory holds ticket and expiry of each entry, the store its body. An entry leaves the store only after the
//! transaction made from it is in the store as own: a power cut between the two is mended at boot by its ticket. An entry that stands
//! for a dead transaction names it, so that it is issued again once, wherever the power goes.

use super::event::{Refusal, Ticket};
use super::keys;
use crate::channel::Op;
use crate::platform::Platform;
use crate::sale::{Proof, Terms};
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
    /// Value set aside for a member.
    Lock {
        /// The payee.
        to: MemberIndex,
        /// Micro-tokens, not 0.
        amount: Amount,
        /// How long it stands, in milliseconds from the time of its transaction on, 1 to 2^31.
        term: u32,
        /// What releases it.
        terms: Terms,
    },
    /// What releases a lock for this node.
    Claim {
        /// The transaction that made it.
        lock: Id,
        /// Whether this node wants no more of it: the rest goes back at once.
        last: bool,
        /// What it has.
        proof: Proof<'a>,
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
            Self::Lock {
                to,
                amount,
                term,
                terms,
            } => {
                w.put_uint(2);
                w.put_uint(to.0.into());
                w.put_uint(amount.0);
                w.put_u32(term);
                terms.write(w);
                w.intact()
            }
            Self::Claim { lock, last, proof } => {
                w.put_uint(3);
                w.put_id(&lock);
                w.put_uint(last.into());
                proof.write(w);
                w.intact()
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
            2 => Self::Lock {
                to: MemberIndex(r.u16()?),
                amount: Amount(r.uint()?),
                term: r.u32()?,
                terms: Terms::read(r).map_err(|_| WireError::Range)?,
            },
            3 => Self::Claim {
                lock: r.id()?,
                last: r.uint()? == 1,
                proof: Proof::read(r).map_err(|_| WireError::Range)?,
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
    use crate::crypto::PublicKey;
    use crate::node::test_platform::MemoryPlatform;
    use crate::sale::{Compare, Feed, Predicate, Readers, Statement, Statements, Tick};
    use crate::types::SaleNumber;

    /// At its widest each fits the outbox, and comes back as it was.
    #[test]
    fn each_lock_and_claim_survives_a_reboot() {
        let signature = [0xff; 64];
        let statements = [0, 1, 2, 255].map(|place| Statement {
            place,
            value: i64::MIN,
            time: Millis(u64::MAX),
            signature: &signature,
        });
        let mut room = [0; 400];
        let statements = Statements::list(&statements, &mut room).unwrap();
        let readers = (0..8_u16).map(|n| MemberIndex(u16::MAX - 8 + n));
        let watched = Predicate {
            feed: Feed::new(&[0xff; 16]).unwrap(),
            compare: Compare::NotEqual,
            threshold: i64::MIN,
            window: u32::MAX,
            quorum: 4,
            readers: Readers::new(readers).unwrap(),
        };
        let (sale, anchor) = (SaleNumber(u32::MAX), Id([0xff; 32]));
        let lock = |terms| Submission::Lock {
            to: MemberIndex(u16::MAX),
            amount: Amount(u64::MAX),
            term: u32::MAX,
            terms,
        };
        let claim = |last, proof| Submission::Claim {
            lock: Id([0xff; 32]),
            last,
            proof,
        };
        let tick = Tick {
            index: 1 << 16,
            value: [0xff; 32],
        };
        let voucher = Proof::Voucher {
            total: Amount(u64::MAX),
            signature: &signature,
        };
        let ticks = Terms::Ticks {
            sale,
            units: 1 << 16,
            anchor,
        };
        let key = PublicKey::Es256([0xff; 64]);
        for submission in [
            lock(ticks),
            lock(Terms::Vouchers { key }),
            lock(Terms::Predicate(watched)),
            claim(false, Proof::Tick(tick)),
            claim(true, voucher),
            claim(false, Proof::Statements(statements)),
            claim(true, Proof::Nothing),
        ] {
            let mut platform = MemoryPlatform::default();
            let mut slots = vec![OutSlot::default(); 1];
            let mut outbox = Outbox::new(&mut slots);
            outbox
                .push(
                    &mut platform,
                    &submission,
                    Some(Millis(9)),
                    Some(&Id([1; 32])),
                )
                .unwrap();
            let mut slots = vec![OutSlot::default(); 1];
            let mut outbox = Outbox::new(&mut slots);
            outbox.load(&mut platform, 0, 1).unwrap();
            let mut buffer = [0; Submission::MAX];
            let (_, _, front) = outbox.front(&mut platform, &mut buffer).unwrap().unwrap();
            assert_eq!(front, submission);
        }
    }

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
