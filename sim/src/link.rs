//! The links: what becomes of a frame between leaving one node and reaching another.
//!
//! Delay, loss, duplication and corruption are drawn per frame from one seeded stream, in the order in which frames are sent; partitions are
//! windows of time in which a fixed set of devices is apart from the rest.

use crate::rng::Rng;
use crate::scenario::{LinkModel, Scenario};

/// A frame on its way: when it arrives, and its bytes.
pub type Arrival = (u64, Box<[u8]>);

#[derive(Clone, Debug)]
struct Split {
    from: u64,
    to: u64,
    /// By host.
    apart: Vec<bool>,
}

/// All links of one run.
#[derive(Clone, Debug)]
pub struct Links {
    model: LinkModel,
    rng: Rng,
    splits: Vec<Split>,
    /// Frames that were lost by chance or by a partition.
    pub lost: u64,
    /// Frames that came twice.
    pub doubled: u64,
    /// Frames with a bit turned over.
    pub corrupted: u64,
}

impl Links {
    /// The links of a scenario with so many hosts.
    #[must_use]
    pub fn new(scenario: &Scenario, hosts: usize) -> Self {
        let splits = scenario
            .partitions
            .iter()
            .zip(0..)
            .map(|(p, n)| {
                let mut devices: Vec<usize> = (1..usize::from(scenario.nodes)).collect();
                Rng::stream(scenario.seed, "partition", n).shuffle(&mut devices);
                let count = (devices.len() * usize::from(p.share)).div_ceil(100);
                let mut apart = vec![false; hosts];
                for &device in devices.iter().take(count) {
                    apart[device] = true;
                }
                Split {
                    from: p.from,
                    to: p.to,
                    apart,
                }
            })
            .collect();
        Self {
            model: scenario.link,
            rng: Rng::stream(scenario.seed, "link", 0),
            splits,
            lost: 0,
            doubled: 0,
            corrupted: 0,
        }
    }

    /// Whether these two hear each other now.
    #[must_use]
    pub fn joined(&self, now: u64, a: usize, b: usize) -> bool {
        self.splits
            .iter()
            .all(|s| now < s.from || now >= s.to || s.apart[a] == s.apart[b])
    }

    /// Sends a frame: the copies that will arrive, none, one or two.
    pub fn send(&mut self, now: u64, from: usize, to: usize, frame: &[u8]) -> [Option<Arrival>; 2] {
        if !self.joined(now, from, to) || self.rng.chance(self.model.loss) {
            self.lost += 1;
            return [None, None];
        }
        let first = self.copy(now, frame);
        let second = self.rng.chance(self.model.duplicate).then(|| {
            self.doubled += 1;
            self.copy(now, frame)
        });
        [Some(first), second]
    }

    fn copy(&mut self, now: u64, frame: &[u8]) -> Arrival {
        let delay = self.rng.between(self.model.delay_min, self.model.delay_max);
        let mut bytes: Box<[u8]> = frame.into();
        if self.rng.chance(self.model.corrupt) {
            self.corrupted += 1;
            let bit = self.rng.below(bytes.len() as u64 * 8);
            if let Some(byte) = bytes.get_mut((bit / 8) as usize) {
                *byte ^= 1 << (bit % 8);
            }
        }
        (now + delay.max(1), bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Partition;

    #[test]
    fn a_partition_cuts_both_ways_and_ends() {
        let mut scenario = Scenario::small(3, 11);
        scenario.partitions.push(Partition {
            from: 100,
            to: 200,
            share: 30,
        });
        let links = Links::new(&scenario, 15);
        let cut: Vec<usize> = (0..15).filter(|&n| !links.joined(150, 0, n)).collect();
        assert_eq!(cut.len(), 3);
        assert!(cut.iter().all(|n| (1..11).contains(n)));
        assert!(!links.joined(150, cut[0], 0) && links.joined(150, cut[0], cut[1]));
        assert!(links.joined(99, 0, cut[0]) && links.joined(200, 0, cut[0]));
    }

    #[test]
    fn frames_are_lost_doubled_and_turned_over_as_often_as_asked() {
        let mut scenario = Scenario::small(3, 5);
        scenario.link = LinkModel {
            delay_min: 5,
            delay_max: 9,
            loss: 100_000,
            duplicate: 50_000,
            corrupt: 20_000,
        };
        let mut links = Links::new(&scenario, 9);
        let mut came = 0;
        for now in 0..10_000 {
            for (at, bytes) in links.send(now, 1, 2, &[7; 40]).into_iter().flatten() {
                assert!((now + 5..=now + 9).contains(&at));
                assert_eq!(bytes.len(), 40);
                came += 1;
            }
        }
        assert!((900..1100).contains(&links.lost), "{}", links.lost);
        assert!((380..520).contains(&links.doubled), "{}", links.doubled);
        assert!((130..260).contains(&links.corrupted), "{}", links.corrupted);
        assert_eq!(came, 10_000 - links.lost + links.doubled);
    }
}
