//! Value: what a member may spend, and what an epoch's settlement makes of the accounts.
//!
//! Invariant: a balance is `credits - debits` of a settled record, and nothing here makes or loses any: the sum of all balances and locks before a
//! settlement, and of what was paid in, equals the sum after it and what left by exits. A member spends against settled credits alone, so a payee checks an
//! offer with one record and one transaction (Guerraoui et al., *The consensus number of a cryptocurrency*, 2019: a payment needs
//! order only along its payer's chain).

mod debit;
mod deposit;
mod lock;
#[cfg(test)]
mod lock_tests;
mod members;
pub mod policy;
mod settlement;
#[cfg(test)]
mod tests;

pub use debit::{Exposure, check_caps, check_debit};
pub use deposit::{Deposit, Deposits, deposit_id};
pub use lock::{Context, Lock, Locks, MAX_LOCK};
pub use members::IDLE_EPOCHS;
pub use settlement::{Effect, End, Entry, Settled, Settlement, exit_leaf, state_leaf, state_root};

/// Why a debit or a settlement is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LedgerError {
    /// A debit of nothing. Refuse the transaction; its issuer's software is at fault.
    AmountZero,
    /// The lifetime debits are not those of the previous transaction plus this amount. Refuse it: signed, it is evidence against
    /// the issuer.
    FalseDebits,
    /// A sum is beyond 64 bits. Refuse the transaction; where it comes from a settlement, the epoch must be closed without it.
    Overflow,
    /// More than the settled credits. Refuse the transaction, or wait until what the issuer was paid is settled.
    InsufficientCredits,
    /// More than the cap of one transaction. Pay in parts.
    CapTransaction,
    /// More than may be unsettled towards one peer. Wait for the settlement.
    CapPeer,
    /// More than may be unsettled towards all peers together. Wait for the settlement.
    CapExposure,
    /// Issuer, payee or offender has no record in this table. Fetch the right table.
    UnknownMember,
    /// Entries do not come in strictly rising (time, id). Sort them.
    Order,
    /// An entry's number is not above its issuer's head: it is settled already, or the chain was forked. Refuse the epoch.
    Chain,
    /// The records given are no table: indices have gaps, or a record has more debits than credits. Load the settled table again.
    Table,
    /// The staging memory is shorter than the table, or than the open locks and those of the epoch. Give more.
    Memory,
    /// The balances after the settlement and the exits are not those before it. A bug or memory fault: stop, change nothing.
    NotConserved,
}
