//! What a node of the older designs keeps: every transaction with its children and its cumulative weight, and the weighted walk.
//!
//! The walk is that of Popov, *The Tangle* 1.4.3 (2018), section 4.1: from x to a child y with probability proportional to
//! exp(-alpha (H_x - H_y)). Exponentials come from a table made by multiplication only, so every machine walks the same.

use super::record::{NONE, PARENTS, Record};
use crate::rng::Rng;

/// exp(-0.001), to the precision of a double.
const EXP_MILLI: f64 = 0.999_000_499_833_375;

/// One vertex.
#[derive(Clone, Copy, Debug)]
struct Site {
    parents: [u32; PARENTS],
    /// H: 1 + the size of its future cone, among what arrived.
    weight: u32,
    /// The last vertex whose cone it was found in.
    stamp: u32,
}

impl Site {
    const fn new(parents: [u32; PARENTS], weight: u32) -> Self {
        Self {
            parents,
            weight,
            stamp: NONE,
        }
    }
}

/// A whole Tangle.
#[derive(Debug)]
pub struct Graph {
    sites: Vec<Site>,
    /// Apart from the sites, which are swept often.
    children: Vec<Vec<u32>>,
    tips: u64,
    decay: Vec<f64>,
}

impl Graph {
    /// With the genesis. alpha in thousandths.
    #[must_use]
    pub fn new(milli_alpha: u32) -> Self {
        let mut factor = 1.0;
        for _ in 0..milli_alpha {
            factor *= EXP_MILLI;
        }
        let mut decay = vec![1.0];
        let mut here = factor;
        while here > 1e-15 && factor < 1.0 {
            decay.push(here);
            here *= factor;
        }
        Self {
            sites: vec![Site::new([NONE; PARENTS], 1)],
            children: vec![Vec::new()],
            tips: 1,
            decay,
        }
    }

    /// Adds an arrived transaction and counts it into the weight of its past cone, down to the number `floor`. Transactions arrive in the order of
    /// their numbers, with gaps only for those that do not take part. Returns how many vertices that touched.
    pub fn add(&mut self, record: &Record, number: u32, floor: u32) -> u64 {
        let parents = record.get(number).parents;
        self.sites
            .resize(number as usize, Site::new([NONE; PARENTS], 0));
        self.sites.push(Site::new(parents, 1));
        self.children.resize(self.sites.len(), Vec::new());
        self.tips += 1;
        let mut touched = 1;
        let mut top = 0;
        for parent in record.get(number).parents() {
            let children = &mut self.children[parent as usize];
            if children.is_empty() {
                self.tips -= 1;
            }
            children.push(number);
            self.sites[parent as usize].stamp = number;
            top = top.max(parent);
        }
        // Numbers rise along the DAG, so one sweep downwards meets every vertex after all of its children.
        for here in (floor..=top).rev() {
            let site = &mut self.sites[here as usize];
            if site.stamp != number {
                continue;
            }
            site.weight += 1;
            touched += 1;
            let parents = site.parents;
            for parent in parents.into_iter().filter(|p| *p != NONE) {
                self.sites[parent as usize].stamp = number;
            }
        }
        touched
    }

    /// H of a vertex.
    #[must_use]
    pub fn weight(&self, number: u32) -> u32 {
        self.sites[number as usize].weight
    }

    /// How many there are without a child.
    #[must_use]
    pub const fn tips(&self) -> u64 {
        self.tips
    }

    /// How many numbers were given so far.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.sites.len() as u32
    }

    /// Never: there is a genesis.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// Walks from a vertex to a tip. Returns the tip and how many vertices were touched: each one stood on and the children weighed there.
    pub fn walk(&self, from: u32, rng: &mut Rng) -> (u32, u64) {
        let (mut here, mut touched) = (from, 0);
        loop {
            let children = &self.children[here as usize];
            touched += 1 + children.len() as u64;
            match children.as_slice() {
                [] => return (here, touched),
                [only] => here = *only,
                several => here = self.step(several, rng),
            }
        }
    }

    fn step(&self, children: &[u32], rng: &mut Rng) -> u32 {
        let most = children.iter().map(|c| self.weight(*c)).max().unwrap_or(0);
        let chance = |child: u32| {
            let behind = (most - self.weight(child)) as usize;
            self.decay.get(behind).copied().unwrap_or(0.0)
        };
        let sum: f64 = children.iter().map(|c| chance(*c)).sum();
        let mut left = sum * ((rng.draw() >> 11) as f64 / (1u64 << 53) as f64);
        for child in children {
            left -= chance(*child);
            if left < 0.0 {
                return *child;
            }
        }
        // Rounding: the heaviest.
        *children
            .iter()
            .max_by_key(|c| self.weight(**c))
            .expect("children")
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Entry;
    use super::*;

    fn record(parents: &[&[u32]]) -> Record {
        let mut record = Record::default();
        for (i, parents) in parents.iter().enumerate() {
            let mut entry = Entry {
                time: i as u64,
                issuer: 0,
                lazy: false,
                special: false,
                taken: true,
                parents: [NONE; PARENTS],
            };
            entry.parents[..parents.len()].copy_from_slice(parents);
            record.push(entry);
        }
        record
    }

    /// The example of the paper's figure 1 in small: a diamond with a tail.
    #[test]
    fn weights_are_future_cones() {
        let record = record(&[&[0], &[0], &[1, 2], &[3], &[1]]);
        let mut graph = Graph::new(1);
        let touched: Vec<u64> = (1..=5).map(|i| graph.add(&record, i, 0)).collect();
        let weights: Vec<u32> = (0..=5).map(|i| graph.weight(i)).collect();
        assert_eq!(weights, [6, 4, 3, 2, 1, 1]);
        // Itself and its past cone.
        assert_eq!(touched, [2, 2, 4, 5, 3]);
        assert_eq!(graph.tips(), 2);
    }

    #[test]
    fn the_walk_keeps_its_probabilities() {
        // From the genesis: child 1 with H = 1, child 2 with H = 3. alpha = 0.5: odds exp(1) to 1.
        let record = record(&[&[0], &[0], &[2], &[3]]);
        let mut graph = Graph::new(500);
        for i in 1..=4 {
            graph.add(&record, i, 0);
        }
        let mut rng = Rng::stream(1, "walk", 0);
        let runs = 20_000;
        let light = (0..runs).filter(|_| graph.walk(0, &mut rng).0 == 1).count();
        let expected = 1.0 / (1.0 + 1f64.exp());
        assert!(
            (light as f64 / f64::from(runs) - expected).abs() < 0.01,
            "{light}"
        );
    }

    #[test]
    fn a_floor_ends_the_count() {
        let record = record(&[&[0], &[1], &[2]]);
        let mut graph = Graph::new(1);
        graph.add(&record, 1, 0);
        graph.add(&record, 2, 0);
        assert_eq!(graph.add(&record, 3, 2), 2);
        assert_eq!(graph.weight(1), 2);
        assert_eq!(graph.weight(2), 2);
    }
}
