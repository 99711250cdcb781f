//! The owner's bounds on what this device spends, where it signs.
//!
//! Invariant: with an owner configured no debit is signed that its policy does not allow, none at all before there is one; and where a debit begins a window, the store says so before it is signed.

use super::event::Refusal;
use super::{Node, keys};
use crate::crypto::{PublicKey, Verify, twice};
use crate::ledger::policy::{
    Allowance, Budget, MAX_POLICY, Overspent, PolicyError, SpendingPolicy, Use, Wanted, Window,
};
use crate::platform::Platform;
use crate::sale::Terms;
use crate::tx::Body;
use crate::wire::{Reader, WireError, Writer};
use crate::{Amount, Id, MemberIndex, Millis};

/// Most bytes of the stored entry: window and policy.
const MAX_STORED: usize = 1 + 9 + 9 + 3 + MAX_POLICY;

/// Why a policy was not taken. What was in force still is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyRefusal {
    /// This device has no owner: `Config::owner`.
    NoOwner,
    /// The node does not know its neighbourhood or the time yet.
    NotYet,
    /// What is in force has this number or a higher one.
    Older,
    /// The store failed.
    Platform,
    /// It says something else, or its owner did not say it.
    Policy(PolicyError),
}

impl From<PolicyError> for PolicyRefusal {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

const fn refusal(overspent: Overspent) -> Refusal {
    match overspent {
        Overspent::Window => Refusal::PolicyWindow,
        _ => Refusal::Policy,
    }
}

/// What a lock with these terms is for.
pub(super) const fn use_of(terms: &Terms) -> Use {
    match terms {
        Terms::Ticks { .. } => Use::Ticks,
        Terms::Vouchers { .. } => Use::Vouchers,
        Terms::Predicate(_) => Use::Predicate,
    }
}

/// The debit of a body, if it is one.
fn wanted(body: &Body<'_>, before: Amount) -> Option<Wanted> {
    let (of, to, amount) = match body {
        Body::Transfer { to, amount, .. } => (Use::Transfer, Some(*to), *amount),
        Body::Lock {
            to, amount, terms, ..
        } => (use_of(terms), Some(*to), *amount),
        Body::Exit { amount, .. } => (Use::Exit, None, *amount),
        _ => return None,
    };
    Some(Wanted {
        of,
        to,
        before,
        amount,
    })
}

impl<P: Platform, V: Verify> Node<'_, P, V> {
    /// Takes a policy of the owner, and gives its number; stored when this returns. One that is in force already is taken again.
    ///
    /// # Errors
    /// [`PolicyRefusal`]; what was in force still is.
    pub fn set_policy(&mut self, now: Millis, signed: &[u8]) -> Result<u32, PolicyRefusal> {
        let owner = self.owner.ok_or(PolicyRefusal::NoOwner)?;
        if self.genesis.is_none() || self.offset.is_none() {
            return Err(PolicyRefusal::NotYet);
        }
        let bound = (&owner, &self.neighbourhood, &self.device);
        let policy = judge(signed, bound, &mut self.verifier)?;
        let number = policy.number;
        let at = self.absolute(now);
        let budget = match &self.budget {
            Some(budget) if budget.policy == policy => return Ok(number),
            Some(budget) if budget.policy.number >= number => return Err(PolicyRefusal::Older),
            Some(budget) => budget.replaced(policy, at),
            None => Budget::new(policy),
        };
        let stored = store(&mut self.platform, &budget.window, signed);
        stored.map_err(|_| PolicyRefusal::Platform)?;
        self.budget = Some(budget);
        Ok(number)
    }

    /// What the owner still allows this device to spend: nothing before there is a policy. `None` where there is no owner.
    #[must_use]
    pub fn allowance(&self, now: Millis) -> Option<Allowance> {
        self.owner?;
        let at = self.absolute(now);
        let left = |budget: &Budget| budget.allowance(at, self.debits());
        Some(self.budget.as_ref().map_or(Allowance::NONE, left))
    }

    /// Lifetime debits, unsettled ones included.
    fn debits(&self) -> Amount {
        let head = self
            .index
            .and_then(|index| self.tangle.head(&self.tables, index));
        head.map_or(Amount(0), |head| head.debits)
    }

    /// Whether the policy allows it as of now. It is asked again before it is signed.
    #[inline(never)]
    pub(super) fn check_policy(
        &self,
        now: Millis,
        of: Use,
        to: Option<MemberIndex>,
        amount: Amount,
    ) -> Result<(), Refusal> {
        if self.owner.is_none() {
            return Ok(());
        }
        let wanted = Wanted {
            of,
            to,
            before: self.debits(),
            amount,
        };
        let window = self.window_for(now, &wanted);
        window.map(|_| ()).map_err(refusal)
    }

    fn window_for(&self, now: Millis, wanted: &Wanted) -> Result<Window, Overspent> {
        let budget = self.budget.as_ref().ok_or(Overspent::Unset)?;
        budget.allow(self.absolute(now), wanted)
    }

    /// Asked before a body is signed: whether the policy allows it, with its window in the store.
    #[inline(never)]
    pub(super) fn allow(
        &mut self,
        now: Millis,
        body: &Body<'_>,
        before: Amount,
    ) -> Result<(), Refusal> {
        let Some(wanted) = wanted(body, before).filter(|_| self.owner.is_some()) else {
            return Ok(());
        };
        let window = self.window_for(now, &wanted).map_err(refusal)?;
        let open = self.budget.as_ref().map(|budget| budget.window);
        if open != Some(window) {
            self.begin_window(window)?;
        }
        Ok(())
    }

    #[inline(never)]
    fn begin_window(&mut self, window: Window) -> Result<(), Refusal> {
        let mut buffer = [0; MAX_STORED];
        let (_, signed) = load(&mut self.platform, &mut buffer).ok_or(Refusal::Platform)?;
        let stored = store(&mut self.platform, &window, signed);
        stored.map_err(|_| Refusal::Platform)?;
        if let Some(budget) = &mut self.budget {
            budget.window = window;
        }
        Ok(())
    }

    /// Reads the policy back after a reset. One that another owner signed, or for another neighbourhood, is none: the device spends nothing then.
    #[inline(never)]
    pub(super) fn restore_policy(&mut self) {
        let Some(owner) = self.owner else { return };
        let mut buffer = [0; MAX_STORED];
        let Some((window, signed)) = load(&mut self.platform, &mut buffer) else {
            return;
        };
        let bound = (&owner, &self.neighbourhood, &self.device);
        let policy = judge(signed, bound, &mut self.verifier);
        self.budget = policy.ok().map(|policy| Budget { policy, window });
    }
}

/// What a signed policy says, if this owner signed it for this device here. Found twice (decision 0030), against a skipped instruction.
#[inline(never)]
fn judge(
    signed: &[u8],
    (owner, neighbourhood, device): (&PublicKey, &Id, &Id),
    verifier: &mut dyn Verify,
) -> Result<SpendingPolicy, PolicyError> {
    let (mut again, mut policy, mut error) = (false, None, PolicyError::OtherDevice);
    let verdict = twice(
        verifier,
        &mut |verifier: &mut dyn Verify| match SpendingPolicy::verify(
            signed,
            owner,
            neighbourhood,
            verifier,
        ) {
            Ok(said) if said.device == *device => {
                if again {
                    policy = Some(said);
                }
                again = true;
                0
            }
            Ok(_) => 1,
            Err(found) => {
                error = found;
                1
            }
        },
    );
    match (verdict, policy) {
        (0, Some(policy)) => Ok(policy),
        _ => Err(error),
    }
}

/// The entry: `[since, base, policy]`.
fn load<'b, P: Platform>(platform: &mut P, buffer: &'b mut [u8]) -> Option<(Window, &'b [u8])> {
    let len = platform.get(keys::POLICY, buffer).ok()??;
    let mut r = Reader::new(buffer.get(..len)?);
    r.take_array_of(3);
    let window = Window {
        since: Millis(r.take_uint()),
        base: Amount(r.take_uint()),
    };
    let signed = r.take_bytes();
    r.finish().ok()?;
    Some((window, signed))
}

fn store<P: Platform>(platform: &mut P, window: &Window, signed: &[u8]) -> Result<(), WireError> {
    let mut buffer = [0; MAX_STORED];
    let mut w = Writer::new(&mut buffer);
    w.put_array(3);
    w.put_uint(window.since.0);
    w.put_uint(window.base.0);
    w.put_bytes(signed);
    w.intact()?;
    let written = platform.put(keys::POLICY, w.written());
    written.map_err(|_| WireError::Full)
}
