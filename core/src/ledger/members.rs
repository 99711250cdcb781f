//! Who weighs what in the next epoch: the rules of the member table (protocol section 5).
//!
//! Invariant: the table changes slowly. Silence takes weight away from at most max(one member, W/10) in one epoch, joins are bounded
//! alike, and silence never takes the last weight; so a quorum of one table still means something in the next. Proven guilt, leaving
//! and revocation act at once and use up the same room first.

use crate::identity::Record;
use crate::rules::{self, Rule};
use crate::types::Weight;

/// Epochs without a settled transaction after which a member counts as inactive: weight 0 until its next one settles.
pub const IDLE_EPOCHS: u8 = 3;

/// The sum of the weights, W.
pub(super) fn total(records: &[Record]) -> u64 {
    // At most 2^16 records of 2^32 each: no overflow, saturation only spares the proof to the reader.
    records
        .iter()
        .fold(0, |sum: u64, r| sum.saturating_add(u64::from(r.weight.0)))
}

/// How many members may join in one epoch that began with total weight `total`.
pub(super) fn joins_allowed(total: u64) -> u64 {
    total.checked_div(10).unwrap_or(0).max(1)
}

/// Sets the weights of `after`, the settled records of the members of `before` in the same order, for the next epoch.
///
/// `idle` is counted already: 0 for a member with a transaction in this settlement.
pub(super) fn reweigh(before: &[Record], after: &mut [Record]) {
    let total_before = total(before);
    let mut gone = 0_u64;
    for (old, new) in before.iter().zip(after.iter_mut()) {
        let base = new.base_weight();
        if base == Weight(0) {
            gone = gone.saturating_add(u64::from(old.weight.0));
            new.weight = base;
        } else if new.idle == 0 {
            new.weight = base;
        }
    }
    let room = joins_allowed(total_before);
    let mut standing = total(after);
    for new in after.iter_mut() {
        let weight = u64::from(new.weight.0);
        if weight == 0 || new.idle < IDLE_EPOCHS || !rules::on(Rule::Inactive) {
            continue;
        }
        // One member may always go, however much it weighs, but not the last.
        let sum = gone.saturating_add(weight);
        if (gone == 0 || sum <= room) && standing > weight {
            new.weight = Weight(0);
            gone = sum;
            standing = standing.saturating_sub(weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Roles;

    fn table(n: usize) -> Vec<Record> {
        vec![
            Record {
                weight: Weight(1),
                ..Record::EMPTY
            };
            n
        ]
    }

    #[test]
    fn silence_takes_a_tenth_and_no_more() {
        for (n, leaving) in [(1, 0), (2, 1), (9, 1), (10, 1), (19, 1), (20, 2), (57, 5)] {
            let before = table(n);
            let mut after = before.clone();
            for r in &mut after {
                r.idle = IDLE_EPOCHS;
            }
            reweigh(&before, &mut after);
            assert_eq!(total(&after), (n - leaving) as u64, "{n} members");
        }
    }

    #[test]
    fn silence_never_takes_the_last_weight() {
        let mut records = table(12);
        for _ in 0..40 {
            let before = records.clone();
            for r in &mut records {
                r.idle = r.idle.saturating_add(1);
            }
            reweigh(&before, &mut records);
        }
        assert_eq!(total(&records), 1);
    }

    #[test]
    fn guilt_acts_at_once_and_uses_the_room() {
        let before = table(20);
        let mut after = before.clone();
        for r in &mut after {
            r.idle = IDLE_EPOCHS;
        }
        after[5].frozen = true;
        after[6].roles = Roles::LEFT;
        after[7].frozen = true;
        reweigh(&before, &mut after);
        assert_eq!(total(&after), 17);
        assert_eq!((after[5].weight.0, after[6].weight.0), (0, 0));
    }

    #[test]
    fn one_settled_transaction_brings_a_member_back() {
        let mut before = table(3);
        before[1].weight = Weight(0);
        before[1].idle = 9;
        let mut after = before.clone();
        after[1].idle = 10;
        reweigh(&before, &mut after);
        assert_eq!(after[1].weight, Weight(0));
        after[1].idle = 0;
        reweigh(&before, &mut after);
        assert_eq!(after[1].weight, Weight(1));
    }
}
