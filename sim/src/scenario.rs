//! What is simulated: sizes, traffic, the link model and the faults. A scenario and its seed decide everything that follows.

use crate::radio::Radio;
use crate::rng::Rng;
use iotedge_core::node::{Config, Limits, Span, Tuning};
use iotedge_core::{MAX_FRAME, Millis};
use std::str::FromStr;

/// How the links between nodes behave. Probabilities are in parts per million, times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkModel {
    /// Shortest delay of a frame.
    pub delay_min: u64,
    /// Longest delay. Each frame draws its own, so frames overtake each other.
    pub delay_max: u64,
    /// A frame is lost.
    pub loss: u32,
    /// A frame comes twice, the copies with delays of their own.
    pub duplicate: u32,
    /// A bit of a frame is turned over.
    pub corrupt: u32,
}

impl LinkModel {
    /// Short delays, nothing lost.
    pub const CALM: Self = Self {
        delay_min: 2,
        delay_max: 20,
        loss: 0,
        duplicate: 0,
        corrupt: 0,
    };
}

/// A window of time in which a share of the nodes hears nobody outside it, and nobody outside hears them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Begins, in ms.
    pub from: u64,
    /// Ends.
    pub to: u64,
    /// Devices cut off, in percent. The gateway and the validators are on the other side.
    pub share: u8,
}

/// A device loses power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reboot {
    /// Which: a member index from 1, the GL-node has outages instead.
    pub node: u16,
    /// When, in ms.
    pub at: u64,
    /// For how long.
    pub down: u64,
    /// Its store is gone too.
    pub lost: bool,
}

/// The gateway's process is killed; its store stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When, in ms.
    pub from: u64,
    /// Until.
    pub to: u64,
}

/// A device that signs two transactions with one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Equivocator {
    /// Which: a member index from 1.
    pub node: u16,
    /// When, in ms.
    pub at: u64,
}

/// Everything that a run depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The seed of every draw.
    pub seed: u64,
    /// Members that hold a window, the GL-node included. Validators come on top.
    pub nodes: u16,
    /// Members that hold none: see `leaves`.
    pub leaves: u16,
    /// Traffic lasts so long, in ms.
    pub duration: u64,
    /// Then it is quiet for so long, all faults being over, before the nodes are compared.
    pub quiet: u64,
    /// T in ms.
    pub period: u64,
    /// Transactions that each member issues per minute.
    pub rate: u32,
    /// The same per hour, where it is not 0: `rate` is left out of account then.
    pub hourly: u32,
    /// Of them payments, in percent; the rest are readings.
    pub trade: u8,
    /// Neighbours of a device besides the gateway, at most.
    pub neighbours: u16,
    /// Devices that hear the gateway; 0: all. The others reach it through those of their neighbours that are nearer.
    pub uplinks: u16,
    /// The bounds inside which nodes tune themselves.
    pub tuning: Tuning,
    /// Vertices that a device has room for; 0: as many as the gateway and the validators, which hold whole epochs.
    pub window: u32,
    /// Whether devices keep the least in memory (docs/decisions/0021): records in the store, a few followed transactions, short queues.
    pub lean: bool,
    /// Clocks are wrong by up to so much, in ms, either way.
    pub skew: u64,
    /// The links.
    pub link: LinkModel,
    /// The radio between members, if its airtime and its range are to count: `link` gives the processing time and the loss of a transmission then.
    pub radio: Option<Radio>,
    /// Partitions.
    pub partitions: Vec<Partition>,
    /// Reboots.
    pub reboots: Vec<Reboot>,
    /// Outages of the gateway.
    pub outages: Vec<Outage>,
    /// Cheats.
    pub equivocators: Vec<Equivocator>,
}

/// Validators in every run; each has the same stake, so three make a quorum.
pub const VALIDATORS: u16 = 4;

impl Scenario {
    /// A small neighbourhood: T = 10 s, two transactions per second and member, everybody hears everybody.
    #[must_use]
    pub fn small(seed: u64, nodes: u16) -> Self {
        Self {
            seed,
            nodes,
            leaves: 0,
            duration: 60_000,
            quiet: 12_000,
            period: 10_000,
            rate: 120,
            hourly: 0,
            trade: 25,
            neighbours: 16,
            uplinks: 0,
            tuning: Tuning::DEFAULT,
            window: 0,
            lean: false,
            skew: 0,
            link: LinkModel::CALM,
            radio: None,
            partitions: Vec::new(),
            reboots: Vec::new(),
            outages: Vec::new(),
            equivocators: Vec::new(),
        }
    }

    /// A large neighbourhood of devices that speak so often an hour: beacons, announcements and T as slow as their traffic.
    #[must_use]
    pub fn large(seed: u64, nodes: u16, hourly: u32) -> Self {
        let mut s = Self::small(seed, nodes);
        let pause = 3_600_000 / u64::from(hourly.max(1));
        s.duration = 3_600_000;
        s.hourly = hourly;
        s.period = (5 * pause).clamp(60_000, 3_600_000);
        s.quiet = s.period / 2;
        s.neighbours = 6;
        s.uplinks = 24;
        let announce = Millis((pause / 36).clamp(500, 10_000));
        let beacon = Millis((pause / 6).clamp(10_000, 60_000));
        s.tuning = Tuning::fixed(announce, beacon, 2);
        s.window = 1_024;
        s.link = LinkModel {
            delay_min: 20,
            delay_max: 80,
            ..LinkModel::CALM
        };
        s
    }

    /// The same on a radio: who hears whom follows from it, and what it cannot carry is said more seldom.
    #[must_use]
    pub fn on(mut self, radio: Radio) -> Self {
        self.radio = Some(radio);
        self.link.delay_min = 2;
        self.link.delay_max = 6;
        match radio {
            Radio::Ethernet | Radio::Wifi => {}
            Radio::BleMesh | Radio::Ieee802154 => {
                self.link.loss = 10_000;
                self.slower(2_000, 60_000);
            }
            Radio::Lora222 | Radio::Lora51 => {
                self.link.loss = 10_000;
                self.slower(60_000, 600_000);
            }
        }
        self
    }

    fn slower(&mut self, announce: u64, beacon: u64) {
        let announce = self.tuning.announce.most.max(Millis(announce));
        let beacon = self.tuning.beacon.most.max(Millis(beacon));
        self.tuning.announce = Span::fixed(announce);
        self.tuning.beacon = Span::fixed(beacon);
    }

    /// Mean time between two transactions of a member, in ms.
    #[must_use]
    pub fn pause(&self) -> u64 {
        match self.hourly {
            0 => 60_000 / u64::from(self.rate.max(1)),
            hourly => 3_600_000 / u64::from(hourly),
        }
        .max(1)
    }

    /// A small neighbourhood whose size, links and faults are drawn from the seed: what the tests run.
    #[must_use]
    pub fn drawn(seed: u64) -> Self {
        let mut rng = Rng::stream(seed, "scenario", 0);
        let nodes = rng.between(5, 12) as u16;
        let mut s = Self::small(seed, nodes);
        s.duration = rng.between(50, 75) * 1000;
        s.rate = [60, 90, 120][rng.below(3) as usize];
        s.neighbours = rng.between(3, 12) as u16;
        s.skew = rng.below(3) * 40;
        s.link = LinkModel {
            delay_min: rng.between(1, 20),
            delay_max: rng.between(20, 150),
            loss: [0, 10_000, 50_000, 100_000, 200_000][rng.below(5) as usize],
            duplicate: [0, 20_000, 100_000][rng.below(3) as usize],
            corrupt: [0, 0, 20_000][rng.below(3) as usize],
        };
        let device = |rng: &mut Rng| rng.between(1, u64::from(nodes) - 1) as u16;
        if rng.chance(500_000) {
            let from = rng.between(8_000, 30_000);
            s.partitions.push(Partition {
                from,
                to: from + rng.between(1_000, 9_000),
                share: rng.between(10, 60) as u8,
            });
        }
        for _ in 0..rng.below(4) {
            s.reboots.push(Reboot {
                node: device(&mut rng),
                at: rng.between(3_000, 38_000),
                down: rng.between(100, 8_000),
                lost: rng.chance(300_000),
            });
        }
        // One reboot at a time for each device.
        s.reboots.sort_by_key(|r| (r.node, r.at));
        s.reboots.dedup_by_key(|r| r.node);
        if rng.chance(400_000) {
            let from = rng.between(5_000, 35_000);
            let to = from + rng.between(500, 6_000);
            s.outages.push(Outage { from, to });
        }
        if rng.chance(350_000) {
            let node = device(&mut rng);
            if s.reboots.iter().all(|r| r.node != node) {
                let at = rng.between(4_000, 35_000);
                s.equivocators.push(Equivocator { node, at });
            }
        }
        s
    }

    /// Refuses what cannot be simulated, and says why.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(&self) -> Result<(), String> {
        if !(3..=1000).contains(&self.nodes) {
            return Err(format!("nodes: {} is not in 3..1000", self.nodes));
        }
        // q others besides the head are to be heard, in a star there is nobody else.
        let star = self.radio.is_some_and(Radio::is_star);
        if self.leaves > 0 && (self.leaves > 1000 || self.nodes < 5 || star) {
            return Err(format!(
                "leaves: {} is not in 1..1000, with five nodes or more and no star",
                self.leaves
            ));
        }
        if !(2_000..=3_600_000).contains(&self.period) {
            return Err(format!(
                "period: {} ms is not in 2000..3600000",
                self.period
            ));
        }
        if self.window != 0
            && !(self.window.is_power_of_two() && (32..=65_536).contains(&self.window))
        {
            return Err(format!(
                "window: {} is not a power of two in 32..65536",
                self.window
            ));
        }
        if self.link.delay_min > self.link.delay_max {
            return Err("delay-min is above delay-max".into());
        }
        if self.hourly == 0 && (self.rate == 0 || self.rate > 6_000) {
            return Err(format!("rate: {} per minute is not in 1..6000", self.rate));
        }
        let device = |node: u16, what: &str| {
            if node == 0 || node >= self.nodes {
                return Err(format!(
                    "{what}: {node} is no device; they are 1..{}",
                    self.nodes - 1
                ));
            }
            Ok(())
        };
        for reboot in &self.reboots {
            device(reboot.node, "reboot")?;
        }
        for cheat in &self.equivocators {
            device(cheat.node, "equivocator")?;
        }
        let ends = self.partitions.iter().map(|p| (p.from, p.to));
        let ends = ends.chain(self.outages.iter().map(|o| (o.from, o.to)));
        let ends = ends.chain(self.reboots.iter().map(|r| (r.at, r.at + r.down)));
        for (from, to) in ends {
            if from >= to || to > self.duration {
                return Err(format!(
                    "a fault from {from} to {to} ms does not end within the {} ms of traffic",
                    self.duration
                ));
            }
        }
        Ok(())
    }

    /// Transactions in one period, about.
    fn per_period(&self) -> u64 {
        u64::from(self.nodes) * self.period / self.pause()
    }

    /// Approvals in one period, at most: by the allowance, by the slot, and by the quarter of its places that a node gives for them.
    fn approvals_per_period(&self, own: u64) -> u64 {
        let nodes = u64::from(self.nodes);
        let allowed = u64::from(self.tuning.approvals) * self.period / 3_600_000 + 8 * nodes;
        let slots = nodes * (self.period / self.tuning.slot.least.0.max(100) + 1);
        match self.tuning.approvals {
            0 => 0,
            _ => allowed.min(slots).min(nodes * own / 4 + 8 * nodes),
        }
    }

    /// What a node is started with besides its identity.
    pub fn configure(&self, config: &mut Config<'_>) {
        config.tuning = self.tuning;
        if let Some(radio) = self.radio {
            // A request, its answer and what waits before both.
            let air = radio.frame(200);
            let way = 8 * air / 1_000 * (1 + radio.rest(false));
            config.request_timeout = config.request_timeout.max(Millis(way));
            config.aside_timeout = config.aside_timeout.max(Millis(10 * way));
        }
    }

    /// When a device acts for the first time.
    pub fn first_act(&self, rng: &mut Rng) -> u64 {
        // Who speaks seldom does not begin together with all others, nor before a large table has come over the hops.
        match self.pause() {
            pause if self.hourly > 0 => rng.between(60_000, 60_000 + pause),
            _ => rng.between(1_500, 2_500),
        }
    }

    /// A node is looked at this often, in ms.
    #[must_use]
    pub fn sampling(&self) -> u64 {
        (self.duration / 600).max(1_000)
    }

    /// What a node is given. `peers` neighbours are joined to it.
    #[must_use]
    pub fn limits(&self, host: u16, peers: u16) -> Limits {
        // A trim is evaluated about 1.8 T after the cut before it; an outage or a partition adds its own length.
        let longest = self
            .outages
            .iter()
            .map(|o| o.to - o.from)
            .chain(self.partitions.iter().map(|p| p.to - p.from))
            .max()
            .unwrap_or(0);
        let span = |said: u64| 3 * said + said * longest / self.period;
        let said = self.per_period();
        let own = span(said) / u64::from(self.nodes) * 3 + 64;
        let span = span(said + self.approvals_per_period(own));
        let window = (span + 64).next_power_of_two().clamp(256, 65_536);
        let device = host > 0 && host < self.nodes;
        let window = match u64::from(self.window) {
            small if small > 0 && device => small,
            _ => window,
        };
        let usual = Limits {
            window: window as u32,
            members: (self.nodes + self.leaves).max(4),
            peers: peers.max(1),
            aside: 64,
            outbox: 64,
            own: own.min(4_000) as u16,
            raw: (window * 256).max(8 * MAX_FRAME as u64) as u32,
            weights: false,
            ..Limits::SMALL
        };
        if !(self.lean && device) {
            return usual;
        }
        Limits {
            records: 8,
            tracked: 16,
            wants: 16,
            headers: 1,
            buckets: 8,
            queue: 16,
            ..usual
        }
    }
}

fn seconds(text: &str) -> Result<u64, String> {
    let value: f64 = text
        .trim_end_matches('s')
        .parse()
        .map_err(|_| format!("{text:?} is not a number of seconds"))?;
    if !(0.0..=1e7).contains(&value) {
        return Err(format!("{text:?} is not in 0..10000000 s"));
    }
    Ok((value * 1000.0).round() as u64)
}

fn window(text: &str) -> Result<(u64, u64), String> {
    let (from, to) = text
        .split_once("..")
        .ok_or_else(|| format!("{text:?}: expected FROM..TO in seconds"))?;
    Ok((seconds(from)?, seconds(to)?))
}

impl FromStr for Partition {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (times, share) = text
            .split_once(':')
            .ok_or_else(|| format!("{text:?}: expected FROM..TO:PERCENT"))?;
        let (from, to) = window(times)?;
        let share = share
            .trim_end_matches('%')
            .parse()
            .ok()
            .filter(|s| (1..=99).contains(s))
            .ok_or_else(|| format!("{share:?} is not a share of 1..99 percent"))?;
        Ok(Self { from, to, share })
    }
}

impl FromStr for Outage {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = window(text)?;
        Ok(Self { from, to })
    }
}

impl FromStr for Reboot {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("{text:?}: expected NODE@SECONDS[:DOWN_SECONDS][:lost]");
        let (node, rest) = text.split_once('@').ok_or_else(form)?;
        let mut parts = rest.split(':');
        let at = seconds(parts.next().unwrap_or(""))?;
        let mut reboot = Self {
            node: node.parse().map_err(|_| form())?,
            at,
            down: 2_000,
            lost: false,
        };
        for part in parts {
            match part {
                "lost" => reboot.lost = true,
                other => reboot.down = seconds(other)?,
            }
        }
        Ok(reboot)
    }
}

impl FromStr for Equivocator {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("{text:?}: expected NODE@SECONDS");
        let (node, at) = text.split_once('@').ok_or_else(form)?;
        Ok(Self {
            node: node.parse().map_err(|_| form())?,
            at: seconds(at)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_as_they_are_written() {
        let partition: Partition = "10..25.5:30%".parse().unwrap();
        assert_eq!(
            (partition.from, partition.to, partition.share),
            (10_000, 25_500, 30)
        );
        let reboot: Reboot = "3@120:5:lost".parse().unwrap();
        assert_eq!(
            reboot,
            Reboot {
                node: 3,
                at: 120_000,
                down: 5_000,
                lost: true
            }
        );
        assert_eq!("3@1".parse::<Reboot>().unwrap().down, 2_000);
        assert_eq!(
            "4@20".parse::<Equivocator>().unwrap(),
            Equivocator {
                node: 4,
                at: 20_000
            }
        );
        for bad in ["", "1..2", "1..2:0", "1..2:100", "x..2:5", "-1..2:5"] {
            assert!(bad.parse::<Partition>().is_err(), "{bad}");
        }
        for bad in ["", "3", "x@1", "3@1:never"] {
            assert!(bad.parse::<Reboot>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_simulated_is_refused() {
        let good = Scenario::small(1, 5);
        good.check().unwrap();
        let bad: [fn(&mut Scenario); 6] = [
            |s| s.nodes = 2,
            |s| s.period = 1,
            |s| s.rate = 0,
            |s| s.link.delay_min = 21,
            |s| s.equivocators.push(Equivocator { node: 5, at: 0 }),
            |s| {
                s.outages.push(Outage {
                    from: 0,
                    to: 60_001,
                })
            },
        ];
        for change in bad {
            let mut scenario = good.clone();
            change(&mut scenario);
            assert!(scenario.check().is_err(), "{scenario:?}");
        }
    }
}
