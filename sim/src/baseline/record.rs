//! The ruler: every transaction that was made, by whichever strategy, and what is read off the whole DAG afterwards.
//!
//! It costs the strategies nothing and they cannot see it. Times are of issue: h has to be added until somebody else sees it.

use std::collections::VecDeque;

/// At most so many parents are kept.
pub const PARENTS: usize = 4;
/// No parent.
pub const NONE: u32 = u32::MAX;

/// One transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it was issued, in ms.
    pub time: u64,
    /// Its issuer. Coordinators have an index above the others'.
    pub issuer: u16,
    /// Its issuer did not choose fresh tips.
    pub lazy: bool,
    /// Milestone or trim: traffic that the strategy itself makes.
    pub special: bool,
    /// The strategy's nodes took it.
    pub taken: bool,
    /// Its parents, then [`NONE`].
    pub parents: [u32; PARENTS],
}

impl Entry {
    /// The parents that it has.
    pub fn parents(&self) -> impl Iterator<Item = u32> + '_ {
        self.parents.iter().copied().filter(|p| *p != NONE)
    }
}

/// All of them, in the order of their times. Number 0 is the genesis.
#[derive(Clone, Debug)]
pub struct Record {
    entries: Vec<Entry>,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            entries: vec![Entry {
                time: 0,
                issuer: u16::MAX,
                lazy: false,
                special: true,
                taken: true,
                parents: [NONE; PARENTS],
            }],
        }
    }
}

/// What the ruler reads off.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// Median time until a transaction of somebody else stands on it, directly or not, in ms.
    pub first_p50: f64,
    /// 99 of 100 are approved by somebody else within this time.
    pub first_p99: f64,
    /// Median time until 3 AW > 2 W: more than two thirds of the issuers stand on it.
    pub weight_p50: f64,
    /// The same, for 99 of 100.
    pub weight_p99: f64,
    /// Median time until a confidence of 95 %: of the next [`WALKS`] transactions, so many stand on it. Their issuers chose as the strategy does,
    /// so this is the paper's confidence (section 4.1: how often a chosen tip stands on it) by the choices that were really made.
    pub confidence_p50: f64,
    /// The same, for 99 of 100.
    pub confidence_p99: f64,
    /// Share that nobody else stands on after [`PATIENCE`].
    pub left_behind: f64,
    /// Share of the lazy ones' transactions among all approvals that the others gave beside their own chain.
    pub lazy_approvals: f64,
}

/// Who is not approved by then is left behind: a minute.
pub const PATIENCE: u64 = 60_000;
/// Transactions in a row that are asked for the confidence.
pub const WALKS: usize = 40;
/// How many of them must stand on it.
const CONFIDENT: usize = 38;
/// How many transactions are asked for their approval weight.
const SAMPLES: usize = 2_000;

impl Record {
    /// Adds a transaction and gives its number.
    pub fn push(&mut self, entry: Entry) -> u32 {
        self.entries.push(entry);
        (self.entries.len() - 1) as u32
    }

    /// The transaction of this number.
    #[must_use]
    pub fn get(&self, number: u32) -> &Entry {
        &self.entries[number as usize]
    }

    /// How many there are, with the genesis.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// When the newest was issued.
    #[must_use]
    pub fn last_time(&self) -> u64 {
        self.entries.last().map_or(0, |e| e.time)
    }

    /// Never: there is a genesis.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Marks a transaction as refused by the strategy's own rules.
    pub fn refuse(&mut self, number: u32) {
        self.entries[number as usize].taken = false;
    }

    /// The oldest transaction that is not older than this time, by halving.
    #[must_use]
    pub fn since(&self, time: u64) -> u32 {
        self.entries.partition_point(|e| e.time < time) as u32
    }

    /// Reads everything off. `issuers` without coordinators.
    #[must_use]
    pub fn quality(&self, issuers: u16) -> Quality {
        let end = self.last_time();
        let judged = |e: &Entry| !e.special && e.taken && !e.lazy && e.time + PATIENCE <= end;
        // From the newest down: when somebody else first stood on it.
        let mut first = vec![u64::MAX; self.entries.len()];
        for (i, entry) in self.entries.iter().enumerate().rev() {
            if !entry.taken {
                continue;
            }
            for parent in entry.parents() {
                let parent = parent as usize;
                let other = self.entries[parent].issuer != entry.issuer;
                let when = if other { entry.time } else { first[i] };
                first[parent] = first[parent].min(when);
            }
        }
        let mut waits = Vec::new();
        let (mut behind, mut total) = (0u64, 0u64);
        for (entry, first) in self.entries.iter().zip(&first) {
            if judged(entry) {
                total += 1;
                let wait = first.saturating_sub(entry.time);
                if *first == u64::MAX || wait > PATIENCE {
                    behind += 1;
                }
                waits.push(if *first == u64::MAX { u64::MAX } else { wait });
            }
        }
        let every = (self.entries.len() / SAMPLES).max(1);
        let (mut weights, mut confidences): (Vec<u64>, Vec<u64>) = (1..self.entries.len())
            .step_by(every)
            .filter(|&i| judged(&self.entries[i]))
            .map(|i| self.times_to_weight_and_confidence(i, issuers))
            .unzip();
        let (mut lazy, mut given) = (0u64, 0u64);
        for entry in self
            .entries
            .iter()
            .filter(|e| !e.lazy && e.taken && !e.special)
        {
            for parent in entry.parents().map(|p| self.get(p)) {
                if parent.issuer != entry.issuer {
                    given += 1;
                    lazy += u64::from(parent.lazy);
                }
            }
        }
        Quality {
            first_p50: quantile(&mut waits, 0.5),
            first_p99: quantile(&mut waits, 0.99),
            weight_p50: quantile(&mut weights, 0.5),
            weight_p99: quantile(&mut weights, 0.99),
            confidence_p50: quantile(&mut confidences, 0.5),
            confidence_p99: quantile(&mut confidences, 0.99),
            left_behind: behind as f64 / total.max(1) as f64,
            lazy_approvals: lazy as f64 / given.max(1) as f64,
        }
    }

    /// How long until more than two thirds of the issuers stand on a transaction, and until a confidence of 95 %; `u64::MAX`: not within [`PATIENCE`].
    fn times_to_weight_and_confidence(&self, number: usize, issuers: u16) -> (u64, u64) {
        let begin = &self.entries[number];
        let mut above = vec![true];
        let mut members = 1u64 << begin.issuer;
        let (mut weight, mut confidence) = (u64::MAX, u64::MAX);
        // The lazy choose no tips.
        let mut choices: VecDeque<(u64, bool)> = VecDeque::new();
        for entry in self.entries.iter().skip(number + 1) {
            if entry.time > begin.time + PATIENCE || (weight < u64::MAX && confidence < u64::MAX) {
                break;
            }
            let stands = entry.taken
                && entry
                    .parents()
                    .any(|p| p as usize >= number && above[p as usize - number]);
            above.push(stands);
            if stands && entry.issuer < issuers {
                members |= 1 << entry.issuer;
                if 3 * members.count_ones() > 2 * u32::from(issuers) {
                    weight = weight.min(entry.time - begin.time);
                }
            }
            if entry.taken && !entry.lazy {
                choices.push_back((entry.time, stands));
                if choices.len() > WALKS {
                    choices.pop_front();
                }
                let standing = choices.iter().filter(|(_, stands)| *stands).count();
                if choices.len() == WALKS
                    && standing >= CONFIDENT
                    && let Some((since, _)) = choices.front()
                {
                    confidence = confidence.min(since - begin.time);
                }
            }
        }
        (weight, confidence)
    }
}

/// The value below which this share of them lies; infinite if that is beyond what was waited for.
pub fn quantile(values: &mut [u64], share: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let place = ((values.len() as f64 * share) as usize).min(values.len() - 1);
    let (_, value, _) = values.select_nth_unstable(place);
    if *value == u64::MAX {
        f64::INFINITY
    } else {
        *value as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(time: u64, issuer: u16, parents: &[u32]) -> Entry {
        let mut entry = Entry {
            time,
            issuer,
            lazy: false,
            special: false,
            taken: true,
            parents: [NONE; PARENTS],
        };
        entry.parents[..parents.len()].copy_from_slice(parents);
        entry
    }

    #[test]
    fn an_own_child_is_no_approval_by_others() {
        let mut record = Record::default();
        let a = record.push(entry(10, 0, &[0]));
        let b = record.push(entry(20, 0, &[a]));
        record.push(entry(50, 1, &[b]));
        record.push(entry(10 + PATIENCE, 2, &[0]));
        let quality = record.quality(3);
        // a: seen by issuer 1 through b at 50; the later ones are too young to judge.
        assert_eq!(quality.first_p50, 40.0);
        assert_eq!(quality.left_behind, 0.0);
        // Two of three is not more than two thirds.
        assert_eq!(
            record.times_to_weight_and_confidence(a as usize, 3).0,
            u64::MAX
        );
        assert_eq!(record.times_to_weight_and_confidence(a as usize, 2).0, 40);
    }

    #[test]
    fn who_nobody_stands_on_is_left_behind() {
        let mut record = Record::default();
        let a = record.push(entry(10, 0, &[0]));
        record.push(entry(11, 1, &[0]));
        record.push(entry(500, 2, &[a]));
        record.push(entry(600 + PATIENCE, 0, &[a]));
        let quality = record.quality(4);
        // Of three that are old enough, only a was approved.
        assert!((quality.left_behind - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(quality.first_p99, f64::INFINITY);
    }

    #[test]
    fn confidence_begins_where_nearly_all_stand_on_it() {
        let mut record = Record::default();
        let x = record.push(entry(100, 0, &[0]));
        // Ten do not stand on it, then all do; two strangers more are within the 95 %.
        for i in 0..10 {
            record.push(entry(200 + i, 1, &[0]));
        }
        for i in 0..38 {
            record.push(entry(300 + i, 1, &[x]));
        }
        let (_, confidence) = record.times_to_weight_and_confidence(x as usize, 9);
        // From the ninth of the ten on, 38 of 40 stand on it.
        assert_eq!(confidence, 108);
    }

    #[test]
    fn what_was_refused_approves_nothing() {
        let mut record = Record::default();
        let a = record.push(entry(10, 0, &[0]));
        let b = record.push(entry(20, 1, &[a]));
        record.refuse(b);
        record.push(entry(20 + PATIENCE, 2, &[0]));
        assert_eq!(record.quality(4).left_behind, 1.0);
    }
}
