//! A lock: value that its payer set aside for one payee, until it is released or goes back.
//!
//! Invariant: what is locked is nobody's balance and is conserved with them; a claim only ever raises what the payee has reached, up to the amount. Decision 0038; protocol section 8.1.

use crate::crypto::{PublicKey, Signature, Verify};
use crate::sale::{
    MAX_UNITS, Proof, SaleError, Terms, Tick, check_statements, check_tick, check_voucher, price,
};
use crate::types::{Amount, Id, MemberIndex, Millis};
use crate::wire::{Reader, Writer, merkle};

/// Most bytes of an encoded lock: vouchers under a P-256 key, every integer at its widest.
pub const MAX_LOCK: usize = 192;

/// An open lock, as the settled state has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Id of the transaction that made it.
    pub id: Id,
    /// Who pays.
    pub payer: MemberIndex,
    /// Who is paid.
    pub to: MemberIndex,
    /// What was set aside.
    pub amount: Amount,
    /// The most that a settled claim showed.
    pub reached: Amount,
    /// When it was made, absolute.
    pub from: Millis,
    /// When it ends, absolute: claims count until the first cut at or after this and a period more.
    pub until: Millis,
    /// What releases it. Of ticks the anchor is the highest tick that a settled claim showed, and `tick` says which that is.
    pub terms: Terms,
    /// Index of that tick; 0 under other terms.
    pub tick: u32,
}

impl Default for Lock {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// What proofs are checked against.
pub struct Context<'c> {
    /// The neighbourhood's id.
    pub neighbourhood: &'c Id,
    /// The payer's device id.
    pub payer: &'c Id,
    /// Device keys of members.
    pub key_of: &'c dyn Fn(MemberIndex) -> Option<PublicKey>,
}

impl Lock {
    /// A place in memory without a lock.
    pub const EMPTY: Self = Self {
        id: Id::ZERO,
        payer: MemberIndex(0),
        to: MemberIndex(0),
        amount: Amount(0),
        reached: Amount(0),
        from: Millis(0),
        until: Millis(0),
        terms: Terms::Vouchers {
            key: PublicKey::Ed25519([0; 32]),
        },
        tick: 0,
    };

    /// What a claim makes of the lock: the same with more reached. Pure, so payee and settlement agree on what a proof is worth.
    ///
    /// # Errors
    /// [`SaleError`]: `Terms` for a proof of other terms, `Stale` for nothing more than before, `Spent` beyond the amount, and those of the checks.
    pub fn after(
        &self,
        proof: &Proof<'_>,
        context: &Context<'_>,
        verifier: &mut dyn Verify,
    ) -> Result<Self, SaleError> {
        let mut after = *self;
        match (&mut after.terms, proof) {
            (
                Terms::Ticks {
                    sale,
                    units,
                    anchor,
                },
                Proof::Tick(tick),
            ) => {
                let before = Tick {
                    index: self.tick,
                    value: anchor.0,
                };
                let Context {
                    neighbourhood,
                    payer,
                    ..
                } = context;
                check_tick(neighbourhood, payer, *sale, *units, &before, tick)?;
                let price = price(self.amount, *units).ok_or(SaleError::Price)?;
                let reached = price.0.checked_mul(tick.index.into());
                after.reached = Amount(reached.ok_or(SaleError::Spent)?);
                *anchor = Id(tick.value);
                after.tick = tick.index;
            }
            (Terms::Vouchers { key }, Proof::Voucher { total, signature }) => {
                if *total <= self.reached {
                    return Err(SaleError::Stale);
                }
                if *total > self.amount {
                    return Err(SaleError::Spent);
                }
                let signature = Signature(**signature);
                let of = context.neighbourhood;
                check_voucher(key, of, &self.id, *total, &signature, verifier)?;
                after.reached = *total;
            }
            (Terms::Predicate(predicate), Proof::Statements(statements)) => {
                if self.reached == self.amount {
                    return Err(SaleError::Stale);
                }
                check_statements(
                    predicate,
                    context.neighbourhood,
                    (self.from, self.until),
                    statements,
                    context.key_of,
                    verifier,
                )?;
                after.reached = self.amount;
            }
            (_, Proof::Nothing) => {}
            _ => return Err(SaleError::Terms),
        }
        Ok(after)
    }

    /// What goes back to the payer if it ends now.
    #[must_use]
    pub const fn rest(&self) -> Amount {
        self.amount.saturating_sub(self.reached.0)
    }

    /// Writes `[id, payer, payee, amount, reached, from, until, tick, terms]`.
    pub fn write(&self, w: &mut Writer<'_>) {
        w.put_array(9);
        w.put_id(&self.id);
        w.put_u32(self.payer.0.into());
        w.put_u32(self.to.0.into());
        w.put_uint(self.amount.0);
        w.put_uint(self.reached.0);
        w.put_uint(self.from.0);
        w.put_uint(self.until.0);
        w.put_u32(self.tick);
        self.terms.write(w);
    }

    /// Reads what [`Lock::write`] writes.
    ///
    /// # Errors
    /// [`SaleError`]; also for a lock that no settlement makes.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, SaleError> {
        r.take_array_of(9);
        let (id, payer, to) = (r.take_id(), r.take_u16(), r.take_u16());
        let (amount, reached) = (Amount(r.take_uint()), Amount(r.take_uint()));
        let (from, until) = (Millis(r.take_uint()), Millis(r.take_uint()));
        let tick = r.take_u32();
        let terms = Terms::read(r)?;
        terms.check(amount)?;
        let ticks = match terms {
            Terms::Ticks { units, .. } => tick <= units.min(MAX_UNITS),
            _ => tick == 0,
        };
        if !ticks || reached > amount || from >= until {
            return Err(SaleError::Stored);
        }
        Ok(Self {
            id,
            payer: MemberIndex(payer),
            to: MemberIndex(to),
            amount,
            reached,
            from,
            until,
            terms,
            tick,
        })
    }

    /// The leaf hash under the state root, behind those of the members.
    #[must_use]
    pub fn leaf(&self) -> Id {
        let mut buffer = [0; MAX_LOCK];
        let mut w = Writer::new(&mut buffer);
        self.write(&mut w);
        // At its widest a lock has fewer bytes than the buffer (a test holds that).
        match w.intact() {
            Ok(()) => merkle::leaf_hash(w.written()),
            Err(_) => Id::ZERO,
        }
    }
}

/// Open locks: those before an epoch, and memory for those after it.
#[derive(Debug)]
pub struct Locks<'m> {
    before: &'m [Lock],
    after: &'m mut [Lock],
    count: usize,
}

impl<'m> Locks<'m> {
    /// Those before, and memory for as many and one for each lock of the epoch; `None` where it is shorter already.
    #[must_use]
    pub fn begin(before: &'m [Lock], after: &'m mut [Lock]) -> Option<Self> {
        crate::copy::copy(after.get_mut(..before.len())?, before);
        Some(Self {
            before,
            after,
            count: before.len(),
        })
    }

    /// No locks and no room for one.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            before: &[],
            after: &mut [],
            count: 0,
        }
    }

    /// Those before the epoch.
    pub(super) const fn before(&self) -> &'m [Lock] {
        self.before
    }

    /// Those now open, in the order in which they were made.
    #[must_use]
    pub fn open(&self) -> &[Lock] {
        self.after.get(..self.count).unwrap_or(&[])
    }

    /// The one that this transaction made.
    #[must_use]
    pub fn find(&self, id: &Id) -> Option<&Lock> {
        self.open().iter().find(|lock| lock.id == *id)
    }

    pub(super) fn replace(&mut self, lock: &Lock) {
        let mut open = self.after.iter_mut().take(self.count);
        if let Some(place) = open.find(|place| place.id == lock.id) {
            *place = *lock;
        }
    }

    /// `false`: there is no room.
    pub(super) fn push(&mut self, lock: &Lock) -> bool {
        let Some(place) = self.after.get_mut(self.count) else {
            return false;
        };
        *place = *lock;
        self.count = self.count.saturating_add(1);
        true
    }

    /// Takes out the first one that `ends`.
    pub(super) fn take(&mut self, ends: impl Fn(&Lock) -> bool) -> Option<Lock> {
        let open = self.after.get_mut(..self.count)?;
        let at = open.iter().position(ends)?;
        let behind = open.get_mut(at..)?;
        let lock = *behind.first()?;
        behind.rotate_left(1);
        self.count = self.count.saturating_sub(1);
        Some(lock)
    }
}
