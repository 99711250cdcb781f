//! The check of one debit: is it valid, and is it within the limits that this device set?
//!
//! Validity is the same for everyone and a function of the transaction and its first parent's debits; caps are the paper's limit on
//! local value, held by each side for itself when it signs and when it accepts (protocol section 3 and 5).

use super::LedgerError;
use crate::identity::Caps;
use crate::types::Amount;

/// Whether a debit is valid: `claimed = previous + amount`, amount above zero, and `claimed <= credits`.
///
/// `previous` is the lifetime debits along the issuer's chain up to its previous transaction, dead ones included; `credits` stand in
/// the issuer's record in the table of the transaction's epoch.
pub fn check_debit(
    previous: Amount,
    amount: Amount,
    claimed: Amount,
    credits: Amount,
) -> Result<(), LedgerError> {
    if amount == Amount(0) {
        return Err(LedgerError::AmountZero);
    }
    let debits = previous
        .checked_add(amount.0)
        .ok_or(LedgerError::Overflow)?;
    if debits != claimed {
        return Err(LedgerError::FalseDebits);
    }
    if debits > credits {
        return Err(LedgerError::InsufficientCredits);
    }
    Ok(())
}

/// What one member has open, not yet settled, before the debit in question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Towards the payee of this debit.
    pub peer: Amount,
    /// Towards all, that payee included.
    pub total: Amount,
}

/// Whether a debit stays within the caps of the issuer's record.
pub fn check_caps(caps: &Caps, amount: Amount, open: Exposure) -> Result<(), LedgerError> {
    if amount > caps.tx {
        return Err(LedgerError::CapTransaction);
    }
    let within = |open: Amount, cap: Amount, error: LedgerError| match open.checked_add(amount.0) {
        Some(sum) if sum <= cap => Ok(()),
        _ => Err(error),
    };
    within(open.peer, caps.peer, LedgerError::CapPeer)?;
    within(open.total, caps.exposure, LedgerError::CapExposure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn debit(previous: u64, amount: u64, claimed: u64, credits: u64) -> Result<(), LedgerError> {
        check_debit(
            Amount(previous),
            Amount(amount),
            Amount(claimed),
            Amount(credits),
        )
    }

    #[test]
    fn each_failure_has_its_own_name() {
        assert_eq!(debit(10, 5, 15, 15), Ok(()));
        assert_eq!(debit(10, 0, 10, 15), Err(LedgerError::AmountZero));
        assert_eq!(debit(10, 5, 14, 15), Err(LedgerError::FalseDebits));
        assert_eq!(debit(10, 5, 16, 20), Err(LedgerError::FalseDebits));
        assert_eq!(debit(10, 5, 15, 14), Err(LedgerError::InsufficientCredits));
        assert_eq!(
            debit(u64::MAX, 1, 0, u64::MAX),
            Err(LedgerError::Overflow),
            "a sum that wraps is not a small sum"
        );
        assert_eq!(debit(u64::MAX - 1, 1, u64::MAX, u64::MAX), Ok(()));
    }

    #[test]
    fn caps_hold_to_the_unit() {
        let caps = Caps {
            tx: Amount(10),
            peer: Amount(15),
            exposure: Amount(20),
        };
        let check = |amount, peer, total| {
            check_caps(
                &caps,
                Amount(amount),
                Exposure {
                    peer: Amount(peer),
                    total: Amount(total),
                },
            )
        };
        assert_eq!(check(10, 5, 10), Ok(()));
        assert_eq!(check(11, 0, 0), Err(LedgerError::CapTransaction));
        assert_eq!(check(10, 6, 6), Err(LedgerError::CapPeer));
        assert_eq!(check(10, 5, 11), Err(LedgerError::CapExposure));
        assert_eq!(check(1, u64::MAX, u64::MAX), Err(LedgerError::CapPeer));
        let open = Caps {
            tx: Amount(u64::MAX),
            peer: Amount(u64::MAX),
            exposure: Amount(u64::MAX),
        };
        let full = Exposure {
            peer: Amount(0),
            total: Amount(u64::MAX),
        };
        assert_eq!(
            check_caps(&open, Amount(1), full),
            Err(LedgerError::CapExposure)
        );
    }

    proptest! {
        #[test]
        fn a_valid_debit_never_overdraws(previous: u64, amount: u64, claimed: u64, credits: u64) {
            let exact = u128::from(previous) + u128::from(amount);
            let valid = amount > 0 && exact == u128::from(claimed) && claimed <= credits;
            prop_assert_eq!(debit(previous, amount, claimed, credits).is_ok(), valid);
        }

        #[test]
        fn the_true_claim_within_credits_is_valid(previous in 0_u64..1000, amount in 1_u64..1000, spare in 0_u64..9) {
            let claimed = previous + amount;
            prop_assert_eq!(debit(previous, amount, claimed, claimed + spare), Ok(()));
        }
    }
}
