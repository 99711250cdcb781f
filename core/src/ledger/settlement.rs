//! Settlement: the replay of one epoch's accepted transactions over the member records.
//!
//! Invariant: a pure function of the records and the entries in (time, id) order, so gateway, validators and vectors get the same roots;
//! and value is conserved: sum(C - D) + locked before + paid in = sum(C - D) + locked after + exits. It works on staging memory, so a refused epoch changes nothing.
//!
//! A dead transaction has no effect, but its issuer's running debits D go on above it. The first living vertex that stands on it shows
//! in its D what died below, and that much is given back as credits (protocol section 8).

use super::deposit::{self, Deposits, deposit_id};
use super::lock::{Lock, Locks};
use super::{LedgerError, members};
use crate::crypto::PublicKey;
use crate::identity::{Caps, Record, Roles};
use crate::rules::{self, Rule};
use crate::sale::Terms;
use crate::types::{Amount, Id, MemberIndex, Millis, Number};
use crate::wire::merkle::{self, Tree};
use crate::wire::{WireError, Writer};

/// What a transaction does to the accounts once it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect<'a> {
    /// Nothing: data, service, trim.
    None,
    /// Pays a member.
    Transfer {
        /// The payee.
        to: MemberIndex,
        /// How much.
        amount: Amount,
    },
    /// Sets value aside for a member.
    Lock {
        /// The payee.
        to: MemberIndex,
        /// How much.
        amount: Amount,
        /// How long, in milliseconds.
        term: u32,
        /// What releases it. The caller has checked them.
        terms: Terms,
    },
    /// Moves a lock on. The caller has checked the proof: [`Lock::after`].
    Claim {
        /// The lock as the claim leaves it.
        lock: Lock,
        /// Whether the payee ends it now.
        last: bool,
    },
    /// Takes value out of the neighbourhood.
    Exit {
        /// How much.
        amount: Amount,
        /// The Ethereum address that may claim it.
        target: [u8; 20],
    },
    /// Freezes a member that was proved guilty.
    Evidence {
        /// The guilty one.
        offender: MemberIndex,
    },
    /// Enrols a device. The caller has verified its certificate and its proof of possession.
    Join {
        /// Its first key.
        key: PublicKey,
        /// Its roles.
        roles: Roles,
        /// Its caps.
        caps: Caps,
    },
    /// Gives the issuer a new key from the next epoch on. The caller has verified the new key's consent.
    Rotate {
        /// The new key.
        key: PublicKey,
    },
    /// The issuer leaves.
    Leave,
    /// The authority revoked these members' certificates. The caller has verified the list.
    Revoke {
        /// Who must go.
        members: &'a [MemberIndex],
    },
}

/// One transaction of Done as the settlement sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its id.
    pub id: Id,
    /// Its issuer.
    pub issuer: MemberIndex,
    /// Its number in the issuer's chain.
    pub number: Number,
    /// Its absolute time.
    pub time: Millis,
    /// The issuer's lifetime debits along its chain up to and including this transaction, dead ones too. One that is no debit has
    /// those of its first parent.
    pub debits: Amount,
    /// Whether it lives. What doesn't is skipped.
    pub lives: bool,
    /// What it does.
    pub effect: Effect<'a>,
}

/// What a settlement makes of an epoch: everything that the header says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// How many living transactions were replayed.
    pub count: u32,
    /// Members in the next table, those that left included.
    pub members: usize,
    /// W of the next table.
    pub weight: u64,
    /// Locks that are still open.
    pub locks: usize,
    /// Sum of all balances after the settlement, and of what is locked.
    pub total_value: Amount,
    /// Sum of the exits.
    pub exited: Amount,
    /// Root over [`state_leaf`] per member, then [`Lock::leaf`] per open lock.
    pub state_root: Id,
    /// Root over [`exit_leaf`] per exit.
    pub exits_root: Id,
    /// Root of the next member table.
    pub table_root: Id,
    /// Time of the first living transaction; 0 where there is none.
    pub first_time: Millis,
    /// Time of the last living transaction; 0 where there is none.
    pub last_time: Millis,
    /// Members that joined.
    pub joined: u32,
    /// Joins without effect: table full, bound per epoch reached, or a member already. The GL-node issues the first two again.
    pub passed_over: u32,
}

/// Where an epoch ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct End<'d> {
    /// The new genesis, the first parent of who joined.
    pub g0: Id,
    /// c of the trim.
    pub cut: Millis,
    /// T of the neighbourhood: so long after its end a lock's claims still count.
    pub grace: Millis,
    /// The neighbourhood: what a deposit is given back under.
    pub neighbourhood: Id,
    /// What was paid in on the G-Chain and is credited now.
    pub deposits: Deposits<'d>,
}

/// A settlement in progress.
#[derive(Debug)]
pub struct Settlement<'m> {
    before: &'m [Record],
    after: &'m mut [Record],
    locks: Locks<'m>,
    members: usize,
    exits: Tree,
    exited: u128,
    last: Option<(Millis, Id)>,
    first_time: Millis,
    last_time: Millis,
    count: u32,
    joined: u32,
    passed_over: u32,
    failed: Option<LedgerError>,
}

impl<'m> Settlement<'m> {
    /// Begins from the records of the newest settled table and the locks then open. `after` becomes the next table; its length is the most
    /// members that it may have.
    pub fn begin(
        before: &'m [Record],
        after: &'m mut [Record],
        locks: Locks<'m>,
    ) -> Result<Self, LedgerError> {
        for (place, record) in before.iter().enumerate() {
            if usize::from(record.index.0) != place || record.debits > record.credits {
                return Err(LedgerError::Table);
            }
        }
        let members = before.len();
        let stage = after.get_mut(..members).ok_or(LedgerError::Memory)?;
        for (new, old) in stage.iter_mut().zip(before) {
            *new = *old;
            new.idle = old.idle.saturating_add(1);
        }
        Ok(Self {
            before,
            after,
            locks,
            members,
            exits: Tree::new(),
            exited: 0,
            last: None,
            first_time: Millis(0),
            last_time: Millis(0),
            count: 0,
            joined: 0,
            passed_over: 0,
            failed: None,
        })
    }

    /// Replays one entry. Entries come in strictly rising (time, id), dead ones among them or left out. After an error the settlement
    /// is void: `finish` gives the same error.
    pub fn apply(&mut self, entry: &Entry<'_>) -> Result<(), LedgerError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let result = self.replay(entry);
        self.failed = result.err();
        result
    }

    fn replay(&mut self, entry: &Entry<'_>) -> Result<(), LedgerError> {
        let place = (entry.time, entry.id);
        if self.last.is_some_and(|last| last >= place) {
            return Err(LedgerError::Order);
        }
        self.last = Some(place);
        if !entry.lives {
            return Ok(());
        }
        self.debit(entry)?;
        self.effect(entry)?;
        if self.count == 0 {
            self.first_time = entry.time;
        }
        self.last_time = entry.time;
        self.count = self.count.checked_add(1).ok_or(LedgerError::Overflow)?;
        Ok(())
    }

    /// Moves the issuer's head and debits, and gives back what died below.
    fn debit(&mut self, entry: &Entry<'_>) -> Result<(), LedgerError> {
        let own = match entry.effect {
            Effect::Transfer { amount, .. }
            | Effect::Lock { amount, .. }
            | Effect::Exit { amount, .. } => {
                if amount == Amount(0) {
                    return Err(LedgerError::AmountZero);
                }
                amount
            }
            _ => Amount(0),
        };
        // Spendable is what the table at the epoch's start says, never what arrived since: later tables only have more.
        let credits = self
            .before
            .get(usize::from(entry.issuer.0))
            .ok_or(LedgerError::UnknownMember)?
            .credits;
        let record = self.member(entry.issuer)?;
        if entry.number <= record.head_number {
            return Err(LedgerError::Chain);
        }
        let expected = record
            .debits
            .checked_add(own.0)
            .ok_or(LedgerError::Overflow)?;
        let dead = entry
            .debits
            .checked_sub(expected.0)
            .ok_or(LedgerError::FalseDebits)?;
        if entry.debits > credits {
            return Err(LedgerError::InsufficientCredits);
        }
        record.credits = record
            .credits
            .checked_add(dead.0)
            .ok_or(LedgerError::Overflow)?;
        record.debits = entry.debits;
        record.head_number = entry.number;
        record.head_id = entry.id;
        record.idle = 0;
        Ok(())
    }

    fn effect(&mut self, entry: &Entry<'_>) -> Result<(), LedgerError> {
        match entry.effect {
            Effect::None => {}
            Effect::Transfer { to, amount } => {
                let payee = self.member(to)?;
                payee.credits = payee
                    .credits
                    .checked_add(amount.0)
                    .ok_or(LedgerError::Overflow)?;
            }
            Effect::Lock {
                to,
                amount,
                term,
                terms,
            } => {
                self.member(to)?;
                let until = entry.time.checked_add(term.into());
                let lock = Lock {
                    id: entry.id,
                    payer: entry.issuer,
                    to,
                    amount,
                    reached: Amount(0),
                    from: entry.time,
                    until: until.ok_or(LedgerError::Overflow)?,
                    terms,
                    tick: 0,
                };
                if !self.locks.push(&lock) {
                    return Err(LedgerError::Memory);
                }
            }
            Effect::Claim { lock, last } => {
                self.locks.replace(&lock);
                if last || lock.reached == lock.amount {
                    self.end(|open| open.id == lock.id)?;
                }
            }
            Effect::Exit { amount, target } => {
                self.exited = self
                    .exited
                    .checked_add(u128::from(amount.0))
                    .ok_or(LedgerError::Overflow)?;
                let leaf = exit_leaf(&target, amount, &entry.id);
                self.exits.push(leaf).map_err(|_| LedgerError::Overflow)?;
            }
            Effect::Evidence { offender } => {
                self.member(offender)?.frozen = rules::on(Rule::Freeze);
            }
            Effect::Join { key, roles, caps } => self.join(key, roles, caps),
            Effect::Rotate { key } => self.member(entry.issuer)?.key = key,
            Effect::Leave => remove(self.member(entry.issuer)?),
            Effect::Revoke { members } => {
                for gone in members {
                    remove(self.member(*gone)?);
                }
            }
        }
        Ok(())
    }

    /// Ends locks: the payee gets what it reached, the payer the rest.
    fn end(&mut self, ends: impl Fn(&Lock) -> bool) -> Result<(), LedgerError> {
        while let Some(lock) = self.locks.take(&ends) {
            for (member, part) in [(lock.to, lock.reached), (lock.payer, lock.rest())] {
                let record = self.member(member)?;
                let credits = record.credits.checked_add(part.0);
                record.credits = credits.ok_or(LedgerError::Overflow)?;
            }
        }
        Ok(())
    }

    /// The lock of a transaction, as the entries so far leave it.
    #[must_use]
    pub fn lock(&self, id: &Id) -> Option<&Lock> {
        self.locks.find(id)
    }

    fn join(&mut self, key: PublicKey, roles: Roles, caps: Caps) {
        let room = members::joins_allowed(members::total(self.before));
        let taken = u64::from(self.joined) >= room && rules::on(Rule::TableChange);
        let index = u16::try_from(self.members).map(MemberIndex);
        let (present, free) = self.after.split_at_mut(self.members);
        // A member already, frozen or gone perhaps: a device has one account for good, so enrolling again gains nothing.
        let device = crate::identity::CoseKey::thumbprint(&key);
        let known = present.iter().any(|r| r.device == device);
        match (index, free.first_mut()) {
            (Ok(index), Some(slot)) if !taken && !known => {
                // Its first parent is the G0 of the header that enrols it, known at the end.
                *slot = Record::enrolled(index, key, roles, caps, Amount(0), Id::ZERO);
                self.members = self.members.saturating_add(1);
                self.joined = self.joined.saturating_add(1);
            }
            _ => self.passed_over = self.passed_over.saturating_add(1),
        }
    }

    /// The staged record of a member of the table that the epoch began with.
    fn member(&mut self, index: MemberIndex) -> Result<&mut Record, LedgerError> {
        let place = usize::from(index.0);
        if place >= self.before.len() {
            return Err(LedgerError::UnknownMember);
        }
        self.after.get_mut(place).ok_or(LedgerError::UnknownMember)
    }

    /// Credits the deposits, also of who joined just now; what is for no member goes back as an exit, behind those of the epoch.
    fn credit(&mut self, end: &End<'_>) -> Result<u128, LedgerError> {
        let after = self.after.get_mut(..self.members);
        let after = after.ok_or(LedgerError::Memory)?;
        end.deposits.credited()?;
        let mut paid_in = 0_u128;
        for (index, one) in (end.deposits.first..).zip(end.deposits.list) {
            if one.amount == Amount(0) {
                return Err(LedgerError::AmountZero);
            }
            let amount = u128::from(one.amount.0);
            paid_in = paid_in.checked_add(amount).ok_or(LedgerError::Overflow)?;
            if deposit::credit(after, one) {
                continue;
            }
            let exited = self.exited.checked_add(amount);
            self.exited = exited.ok_or(LedgerError::Overflow)?;
            let id = deposit_id(&end.neighbourhood, index);
            let leaf = exit_leaf(&one.from, one.amount, &id);
            self.exits.push(leaf).map_err(|_| LedgerError::Overflow)?;
        }
        Ok(paid_in)
    }

    /// Ends the replay: ends the locks whose time is over, credits deposits, checks conservation, makes the next table in the staging memory and computes the
    /// roots.
    pub fn finish(mut self, end: &End<'_>) -> Result<Settled, LedgerError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.end(|lock| lock.until.saturating_add(end.grace.0) <= end.cut)?;
        let paid_in = self.credit(end)?;
        let after = self
            .after
            .get_mut(..self.members)
            .ok_or(LedgerError::Memory)?;
        let value = balance(after, self.locks.open())?;
        let had = balance(self.before, self.locks.before())?.checked_add(paid_in);
        let has = value.checked_add(self.exited);
        if had.ok_or(LedgerError::Overflow)? != has.ok_or(LedgerError::Overflow)? {
            return Err(LedgerError::NotConserved);
        }
        let narrow = |sum: u128| {
            u64::try_from(sum)
                .map(Amount)
                .map_err(|_| LedgerError::Overflow)
        };
        let (settled, joiners) = after.split_at_mut(self.before.len());
        members::reweigh(self.before, settled);
        for joiner in joiners {
            joiner.head_id = end.g0;
        }
        Ok(Settled {
            count: self.count,
            members: self.members,
            weight: members::total(after),
            total_value: narrow(value)?,
            exited: narrow(self.exited)?,
            locks: self.locks.open().len(),
            state_root: state_root(after, self.locks.open())?,
            exits_root: self.exits.root(),
            table_root: root(after, |r| r.leaf().map_err(|_| LedgerError::Table))?,
            first_time: self.first_time,
            last_time: self.last_time,
            joined: self.joined,
            passed_over: self.passed_over,
        })
    }
}

fn remove(record: &mut Record) {
    record.roles = record.roles.with(Roles::LEFT);
}

/// The sum of the balances and of what is locked.
fn balance(records: &[Record], locks: &[Lock]) -> Result<u128, LedgerError> {
    let balances = records.iter().map(|r| r.credits.checked_sub(r.debits.0));
    let locked = locks.iter().map(|lock| Some(lock.amount));
    balances.chain(locked).try_fold(0_u128, |sum, part| {
        let part = part.ok_or(LedgerError::NotConserved)?;
        sum.checked_add(part.0.into()).ok_or(LedgerError::Overflow)
    })
}

/// Root over the members' leaves and the open locks' behind them: what who holds a table can check a list of locks against.
///
/// # Errors
/// [`LedgerError::Overflow`] for more leaves than a tree has.
pub fn state_root(records: &[Record], locks: &[Lock]) -> Result<Id, LedgerError> {
    let mut tree = Tree::new();
    let leaves = records.iter().map(state_leaf);
    for leaf in leaves.chain(locks.iter().map(Lock::leaf)) {
        tree.push(leaf).map_err(|_| LedgerError::Overflow)?;
    }
    Ok(tree.root())
}

fn root(
    records: &[Record],
    leaf: impl Fn(&Record) -> Result<Id, LedgerError>,
) -> Result<Id, LedgerError> {
    let mut tree = Tree::new();
    for record in records {
        tree.push(leaf(record)?)
            .map_err(|_| LedgerError::Overflow)?;
    }
    Ok(tree.root())
}

/// The leaf hash of a member under the state root: CBOR `[device id, credits, debits, head number, head id]`.
#[must_use]
pub fn state_leaf(record: &Record) -> Id {
    leaf(|w| {
        w.array(5)?;
        w.id(&record.device)?;
        w.uint(record.credits.0)?;
        w.uint(record.debits.0)?;
        w.uint(u64::from(record.head_number.0))?;
        w.id(&record.head_id)
    })
}

/// The leaf hash of an exit under the exits root: CBOR `[target, amount, tx id]`.
#[must_use]
pub fn exit_leaf(target: &[u8; 20], amount: Amount, tx: &Id) -> Id {
    leaf(|w| {
        w.array(3)?;
        w.bytes(target)?;
        w.uint(amount.0)?;
        w.id(tx)
    })
}

/// Hashes what `write` writes. A state leaf at its widest has 92 bytes, so the buffer is never too short (a test holds that).
fn leaf(write: impl Fn(&mut Writer<'_>) -> Result<(), WireError>) -> Id {
    let mut buffer = [0; 92];
    let mut w = Writer::new(&mut buffer);
    match write(&mut w) {
        Ok(()) => merkle::leaf_hash(w.written()),
        Err(_) => Id::ZERO,
    }
}
