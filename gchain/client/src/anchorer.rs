//! Brings the headers of one neighbourhood to the chain, in order.
//!
//! Invariant: what is to be done follows from what the contract says now and what was pushed. What is remembered besides only spares work: who begins anew with the same pushes ends at the same.

use crate::abi::{self, Revert};
use crate::sender::{Fate, Pending, Pool};
use crate::{Account, Anchored, Endpoint, Error, Patience, Sender};
use alloy_primitives::{B256, Bytes, U256};
use std::collections::BTreeMap;

/// Times, one after the other, that a node may know a header's number and not its log: it can count before it finds.
const LOOKS: u32 = 3;
/// Refusals of a paid transaction after which it is not sent again.
const TRIES: u32 = 3;

/// A header with what the contract wants beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Its number.
    pub number: u32,
    /// Its payload.
    pub header: Vec<u8>,
    /// Its hash.
    pub hash: B256,
    /// The set that votes on it.
    pub set: Vec<u8>,
    /// Deposits credited after it.
    pub credited: u32,
    /// As [`crate::packed_votes`] makes them.
    pub votes: Vec<u8>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was sent, or sent anew at a higher price.
    Submitted {
        /// The header.
        number: u32,
        /// The transaction.
        tx: B256,
    },
    /// It is in a block, whoever brought it.
    Included {
        /// The header.
        number: u32,
        /// The block.
        block: u64,
    },
    /// It has its confirmations and is not looked after any more.
    Anchored {
        /// The header.
        number: u32,
        /// The block.
        block: u64,
        /// Its hash.
        hash: B256,
    },
    /// The block that it was in is gone; it will be sent again where it does not come by itself.
    Reorged {
        /// The header.
        number: u32,
    },
    /// It cannot be anchored as it is, and is forgotten: push it again with what was missing.
    Refused {
        /// The header.
        number: u32,
        /// Why, and what mends it.
        why: String,
    },
    /// Nothing goes on for now. Said once for as long as it is the same.
    Trouble(String),
}

/// One transaction of ours.
struct Sent {
    pending: Pending,
    /// Whether its last form was said.
    said: bool,
}

/// Brings headers, and sees to it that they stay. [`Self::tick`] blocks for some calls of the endpoint.
pub struct Anchorer {
    sender: Sender,
    neighbourhood: B256,
    confirmations: u64,
    epochs: BTreeMap<u32, Epoch>,
    sent: BTreeMap<u32, Sent>,
    included: BTreeMap<u32, Anchored>,
    failures: BTreeMap<u32, u32>,
    /// Since when others' transactions of this account are in the way, in milliseconds.
    busy: Option<u64>,
    /// Times that a log was missing.
    missed: u32,
    /// Whether chain and contract were seen since the last failure.
    checked: bool,
    trouble: Option<String>,
}

impl Anchorer {
    /// For one neighbourhood, by an account that nobody else sends with. Nothing is asked yet, so the endpoint may be down.
    #[must_use]
    pub fn new(
        endpoint: Endpoint,
        account: Account,
        neighbourhood: B256,
        confirmations: u64,
        patience: Patience,
    ) -> Self {
        Self {
            sender: Sender::new(endpoint, account, patience),
            neighbourhood,
            confirmations,
            epochs: BTreeMap::new(),
            sent: BTreeMap::new(),
            included: BTreeMap::new(),
            failures: BTreeMap::new(),
            busy: None,
            missed: 0,
            checked: false,
            trouble: None,
        }
    }

    /// Adds a header, in any order; one of the same number takes the place of the one before. After a start: all that were not said to be [`Event::Anchored`].
    pub fn push(&mut self, epoch: Epoch) {
        let number = epoch.number;
        self.failures.remove(&number);
        let same = |old: &Epoch| (old.hash, old.credited) == (epoch.hash, epoch.credited);
        if self.epochs.get(&number).is_some_and(|old| !same(old)) {
            self.sent.remove(&number);
            self.included.remove(&number);
        }
        self.epochs.insert(number, epoch);
    }

    /// Headers that are pushed and not anchored yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.epochs.len()
    }

    /// Goes on. `now` is in milliseconds, of any clock that does not go back.
    pub fn tick(&mut self, now: u64) -> Vec<Event> {
        let mut events = Vec::new();
        let said = match self.advance(now, &mut events) {
            Ok(()) => {
                self.busy = None;
                None
            }
            Err(error) => {
                // Whoever answers next may be another.
                self.checked = false;
                Some(error.to_string())
            }
        };
        if said != self.trouble {
            events.extend(said.clone().map(Event::Trouble));
            self.trouble = said;
        }
        events
    }

    fn advance(&mut self, now: u64, events: &mut Vec<Event>) -> Result<(), Error> {
        if self.epochs.is_empty() {
            return Ok(());
        }
        let endpoint = self.sender.endpoint.clone();
        if !self.checked {
            endpoint.check()?;
            self.checked = true;
        }
        // One block for all of it: a newer one changes nothing until the next time.
        let head = endpoint.head()?.number;
        let state = endpoint.neighbourhood_at(self.neighbourhood, Some(head))?;
        let reached = state.map_or(0, |state| state.number);
        self.forget_reorged(reached, now, events);
        if !self.find_included(&endpoint, reached, head, events)? {
            return Ok(());
        }
        self.confirm(&endpoint, head, events)?;
        if state.is_none() {
            return Err(Error::Revert(Revert {
                name: "UnknownNeighbourhood".into(),
                args: Vec::new(),
            }));
        }
        let next = reached.saturating_add(1);
        match self.epochs.range(next..).next() {
            None => Ok(()),
            Some((number, _)) if *number == next => self.bring(next, now, events),
            Some(_) => Err(Error::Revert(Revert {
                name: "NotNext".into(),
                args: vec![next.to_string()],
            })),
        }
    }

    fn forget_reorged(&mut self, reached: u32, now: u64, events: &mut Vec<Event>) {
        for (number, _) in self.included.split_off(&reached.saturating_add(1)) {
            // In the pool again, it has its time anew.
            if let Some(sent) = self.sent.get_mut(&number) {
                sent.pending.at = now;
            }
            events.push(Event::Reorged { number });
        }
    }

    /// Looks up where those are that the contract has, whoever brought them. False: the node does not find all of them yet.
    fn find_included(
        &mut self,
        endpoint: &Endpoint,
        reached: u32,
        head: u64,
        events: &mut Vec<Event>,
    ) -> Result<bool, Error> {
        let wanted: Vec<u32> = self
            .epochs
            .range(..=reached)
            .map(|(number, _)| *number)
            .filter(|number| !self.included.contains_key(number))
            .collect();
        let found = endpoint.anchors_of(self.neighbourhood, &wanted, head)?;
        let lacking = wanted.iter().find(|number| !found.contains_key(number));
        self.missed = lacking.map_or(0, |_| self.missed.saturating_add(1));
        if let Some(number) = lacking.filter(|_| self.missed >= LOOKS) {
            return Err(Error::Gap {
                what: format!("header {number}"),
            });
        }
        for (number, anchored) in &found {
            let number = *number;
            let ours = self.epochs.get(&number).map(|epoch| epoch.hash);
            if ours == Some(anchored.hash) {
                self.included.insert(number, *anchored);
                let block = anchored.block;
                events.push(Event::Included { number, block });
            } else {
                let why = format!(
                    "another header of this number is anchored, {}: the neighbourhood is forked",
                    anchored.hash
                );
                self.forget(number);
                events.push(Event::Refused { number, why });
            }
        }
        Ok(self.missed == 0)
    }

    fn confirm(
        &mut self,
        endpoint: &Endpoint,
        head: u64,
        events: &mut Vec<Event>,
    ) -> Result<(), Error> {
        let deep = |a: &&Anchored| a.block.saturating_add(self.confirmations) <= head;
        let due: Vec<Anchored> = self.included.values().filter(deep).copied().collect();
        for anchored in due {
            let Anchored {
                number,
                block,
                hash,
                ..
            } = anchored;
            if endpoint.is_anchored(self.neighbourhood, &anchored)? {
                self.forget(number);
                events.push(Event::Anchored {
                    number,
                    block,
                    hash,
                });
            } else {
                // The same header, in another block: its confirmations are counted anew.
                self.included.remove(&number);
                events.push(Event::Reorged { number });
            }
        }
        Ok(())
    }

    fn forget(&mut self, number: u32) {
        self.epochs.remove(&number);
        self.sent.remove(&number);
        self.included.remove(&number);
        self.failures.remove(&number);
    }

    /// Sends the next one, or sees to what was sent.
    fn bring(&mut self, number: u32, now: u64, events: &mut Vec<Event>) -> Result<(), Error> {
        let Some(sent) = self.sent.get_mut(&number) else {
            return self.submit(number, now, events);
        };
        let done = match self.sender.look(&mut sent.pending)? {
            // In a newer block than the one that was looked at, or not to be seen yet.
            Fate::Included(_) | Fate::Unsure => return Ok(()),
            Fate::Waiting if self.sender.is_stuck(&sent.pending, now) => {
                sent.said = false;
                self.sender.bump(&mut sent.pending, now)
            }
            Fate::Waiting => Ok(()),
            Fate::Unknown => {
                sent.said = false;
                sent.pending.at = now;
                self.sender.broadcast(&mut sent.pending)
            }
            // By nobody of ours, or by another of our forms that a reorg took: the contract's state says what is next.
            Fate::Used => {
                self.sent.remove(&number);
                return self.submit(number, now, events);
            }
            Fate::Failed(error) => {
                self.sent.remove(&number);
                return self.failed(number, error, events);
            }
        };
        self.announce(number, done, events)
    }

    fn submit(&mut self, number: u32, now: u64, events: &mut Vec<Event>) -> Result<(), Error> {
        let Some(epoch) = self.epochs.get(&number) else {
            return Ok(());
        };
        let call = abi::anchorCall {
            header: Bytes::copy_from_slice(&epoch.header),
            set: Bytes::copy_from_slice(&epoch.set),
            credited: epoch.credited,
            votes: Bytes::copy_from_slice(&epoch.votes),
        };
        // What is in the pool may be this header, sent before a restart: it gets its time, then its place is taken, so that at most one of the two is paid for.
        let stuck = self.sender.patience.stuck.as_millis();
        let since = self.busy.unwrap_or(now);
        let pool = if u128::from(now.saturating_sub(since)) >= stuck && self.busy.is_some() {
            Pool::Replace
        } else {
            Pool::Wait
        };
        let to = Some(self.sender.endpoint.contract());
        let tx = match self.sender.prepare(to, U256::ZERO, abi::data(&call), pool) {
            Ok(tx) => tx,
            Err(error @ Error::PoolBusy { .. }) => {
                self.busy = Some(since);
                return Err(error);
            }
            // Somebody else was faster by a block.
            Err(Error::Revert(why)) if why.name == "NotNext" => return Ok(()),
            Err(Error::Revert(why)) if why.is_final() => {
                self.forget(number);
                let why = why.to_string();
                events.push(Event::Refused { number, why });
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let pending = self.sender.pending(tx, now)?;
        // Remembered before it is sent: where the answer is lost, it may be there all the same.
        let sent = self.sent.entry(number).or_insert(Sent {
            pending,
            said: false,
        });
        let done = self.sender.broadcast(&mut sent.pending);
        if matches!(done, Err(Error::Funds { .. })) {
            // Not taken for certain: the next is estimated anew.
            self.sent.remove(&number);
        }
        self.announce(number, done, events)
    }

    /// Says that it is sent, once for each form of it.
    fn announce(
        &mut self,
        number: u32,
        done: Result<(), Error>,
        events: &mut Vec<Event>,
    ) -> Result<(), Error> {
        match done {
            Ok(()) => {
                if let Some(sent) = self.sent.get_mut(&number).filter(|sent| !sent.said) {
                    sent.said = true;
                    let tx = sent.pending.hash();
                    events.push(Event::Submitted { number, tx });
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// It was paid for, and refused: what may have changed before it is looked at anew, but not for ever.
    fn failed(&mut self, number: u32, error: Error, events: &mut Vec<Event>) -> Result<(), Error> {
        let failures = self.failures.entry(number).or_default();
        *failures += 1;
        let last = match &error {
            Error::Reverted { why: Some(why), .. } => why.is_final(),
            _ => false,
        };
        if last || *failures >= TRIES {
            self.forget(number);
            let why = error.to_string();
            events.push(Event::Refused { number, why });
            return Ok(());
        }
        Err(error)
    }
}
