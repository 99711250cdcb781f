//! The links: what becomes of a frame, or of a packet of one, between leaving one node and reaching another.
//!
//! Delay, loss, duplication and corruption are drawn for each from the sender's own seeded stream, in the order in which it sends: so it does not matter
//! in which order, or on which thread, hosts are simulated. Partitions are windows of time in which a fixed set of devices is apart from the rest.

use crate::radio::Radio;
use crate::rng::Rng;
use crate::scenario::{LinkModel, Scenario};

/// A frame or packet on its way: when it arrives, and its bytes.
pub type Arrival = (u64, Box<[u8]>);

/// A partition of an attacker's choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wall {
    /// Begins, in ms.
    pub from: u64,
    /// Ends.
    pub to: u64,
    /// By host, validators and twins included.
    pub side: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Split {
    from: u64,
    to: u64,
    /// By host: who is on one side hears nobody on another.
    side: Vec<u8>,
}

/// All links of one run: what does not change.
#[derive(Clone, Debug)]
pub struct Links {
    model: LinkModel,
    radio: Option<Radio>,
    /// Members: what comes after them are validators, which are wired to the gateway.
    members: u16,
    hosts: usize,
    splits: Vec<Split>,
}

/// One host's end of its links: its stream of chance, and what it counted.
#[derive(Clone, Debug)]
pub struct Sender {
    rng: Rng,
    /// The radio is taken until then, its rest included, in us.
    busy: u64,
    /// It last sent from here to there, in us.
    sending: (u64, u64),
    /// Time on air, in us.
    pub air: u64,
    /// Bytes on air, heads and further tries included.
    pub on_air: u64,
    /// Transmissions.
    pub transmissions: u64,
    /// Frames that would have waited too long for the radio.
    pub crowded: u64,
    /// Frames that came while this radio was sending.
    pub deaf: u64,
    /// Frames that were lost by chance or by a partition.
    pub lost: u64,
    /// Frames that came twice.
    pub doubled: u64,
    /// Frames with a bit turned over.
    pub corrupted: u64,
}

impl Sender {
    /// The sending side of a host.
    #[must_use]
    pub fn new(seed: u64, host: u16) -> Self {
        Self {
            rng: Rng::stream(seed, "link", u64::from(host)),
            busy: 0,
            sending: (0, 0),
            air: 0,
            on_air: 0,
            transmissions: 0,
            crowded: 0,
            deaf: 0,
            lost: 0,
            doubled: 0,
            corrupted: 0,
        }
    }

    /// Whether the radio sends or rests for the whole of this millisecond.
    #[must_use]
    pub const fn is_busy(&self, now: u64) -> bool {
        self.busy >= (now + 1) * 1_000
    }

    /// The millisecond in which it is free.
    #[must_use]
    pub const fn free(&self) -> u64 {
        self.busy / 1_000
    }
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
                let mut side = vec![0; hosts];
                for &device in devices.iter().take(count) {
                    side[device] = 1;
                }
                Split {
                    from: p.from,
                    to: p.to,
                    side,
                }
            })
            .collect();
        Self {
            model: scenario.link,
            radio: scenario.radio,
            members: scenario.nodes,
            hosts,
            splits,
        }
    }

    /// Somebody holds the network in his hand: between two moments only hosts of one side hear each other. Who is not named is on side 0.
    pub fn wall(&mut self, wall: &Wall) {
        let hosts = self.hosts;
        let mut side = wall.side.clone();
        side.resize(hosts, 0);
        self.splits.push(Split {
            from: wall.from,
            to: wall.to,
            side,
        });
    }

    /// No frame arrives sooner after it was sent: how far a host may be simulated before the others are looked at.
    #[must_use]
    pub fn least_delay(&self) -> u64 {
        self.model.delay_min.max(1)
    }

    /// Whether what has just come was lost because this radio was sending meanwhile. A radio with acknowledgements tries again.
    #[must_use]
    pub fn deaf(&self, receiver: &mut Sender, now: u64, from: u16, len: usize) -> bool {
        let Some(radio) = self.radio.filter(|r| r.is_star()) else {
            return false;
        };
        if from >= self.members {
            return false;
        }
        let came = (now * 1_000).saturating_sub(radio.packet(len).0);
        let (begun, ended) = receiver.sending;
        let lost = came < ended && begun < now * 1_000;
        receiver.deaf += u64::from(lost);
        lost
    }

    /// Puts this on the radio as soon as that is free: how many ms later it is with the receiver. `None`: it was lost.
    fn put_on_air(
        &self,
        sender: &mut Sender,
        radio: Radio,
        now: u64,
        from: u16,
        len: usize,
    ) -> Option<u64> {
        let begin = sender.busy.max(now * 1_000);
        let (mut time, mut whole) = (0, true);
        for (air, bytes) in radio.transmissions(len) {
            let mut lost = true;
            for _ in 0..=radio.retries() {
                time += air;
                sender.on_air += bytes;
                sender.transmissions += 1;
                lost = sender.rng.chance(self.model.loss);
                if !lost {
                    break;
                }
            }
            whole &= !lost;
        }
        sender.air += time;
        sender.sending = (begin, begin + time);
        sender.busy = begin + time + time * radio.rest(from == 0);
        let wait = (begin + time).div_ceil(1_000) - now;
        if !whole {
            sender.lost += 1;
        }
        whole.then_some(wait)
    }

    /// Whether these two hear each other now.
    #[must_use]
    pub fn joined(&self, now: u64, a: usize, b: usize) -> bool {
        self.splits
            .iter()
            .all(|s| now < s.from || now >= s.to || s.side[a] == s.side[b])
    }

    /// Puts a packet on this radio: the copy that will arrive, if any.
    pub fn packet(
        &self,
        sender: &mut Sender,
        radio: Radio,
        now: u64,
        (from, to): (u16, u16),
        packet: &[u8],
    ) -> Option<Arrival> {
        let wait = self.put_on_air(sender, radio, now, from, packet.len());
        let wait = wait.filter(|_| self.joined(now, from.into(), to.into()))?;
        Some(self.copy(sender, now + wait, packet))
    }

    /// Sends a whole frame: the copies that will arrive, none, one or two.
    pub fn send(
        &self,
        sender: &mut Sender,
        now: u64,
        (from, to): (u16, u16),
        frame: &[u8],
    ) -> [Option<Arrival>; 2] {
        let joined = self.joined(now, from.into(), to.into());
        if let Some(radio) = self.radio.filter(|_| from.max(to) < self.members) {
            if sender.busy.saturating_sub(now * 1_000) > radio.patience() * 1_000 {
                sender.crowded += 1;
                return [None, None];
            }
            return [self.packet(sender, radio, now, (from, to), frame), None];
        }
        if !joined || sender.rng.chance(self.model.loss) {
            sender.lost += 1;
            return [None, None];
        }
        let first = self.copy(sender, now, frame);
        let second = sender.rng.chance(self.model.duplicate).then(|| {
            sender.doubled += 1;
            self.copy(sender, now, frame)
        });
        [Some(first), second]
    }

    fn copy(&self, sender: &mut Sender, now: u64, frame: &[u8]) -> Arrival {
        let rng = &mut sender.rng;
        let delay = rng.between(self.model.delay_min, self.model.delay_max);
        let mut bytes: Box<[u8]> = frame.into();
        if rng.chance(self.model.corrupt) {
            sender.corrupted += 1;
            let bit = rng.below(bytes.len() as u64 * 8);
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
        let links = Links::new(&scenario, 9);
        let mut sender = Sender::new(3, 1);
        let mut came = 0;
        for now in 0..10_000 {
            for (at, bytes) in links
                .send(&mut sender, now, (1, 2), &[7; 40])
                .into_iter()
                .flatten()
            {
                assert!((now + 5..=now + 9).contains(&at));
                assert_eq!(bytes.len(), 40);
                came += 1;
            }
        }
        assert!((900..1100).contains(&sender.lost), "{}", sender.lost);
        assert!((380..520).contains(&sender.doubled), "{}", sender.doubled);
        assert!(
            (130..260).contains(&sender.corrupted),
            "{}",
            sender.corrupted
        );
        assert_eq!(came, 10_000 - sender.lost + sender.doubled);
    }

    #[test]
    fn a_radio_sends_one_packet_at_a_time_and_rests_after_it() {
        let radio = Radio::Lora222;
        let mut scenario = Scenario::large(3, 5, 2).on(radio);
        scenario.link.loss = 0;
        let links = Links::new(&scenario, 9);
        let mut sender = Sender::new(3, 1);
        let (air, bytes) = radio.packet(100);
        let mut now = 0;
        for n in 1..=5 {
            assert!(!sender.is_busy(now));
            let sent = links.packet(&mut sender, radio, now, (1, 2), &[7; 100]);
            let (at, _) = sent.expect("nothing is lost");
            let came = (now * 1_000 + air).div_ceil(1_000);
            assert!((came..=came + 1 + scenario.link.delay_max).contains(&at));
            assert!(sender.is_busy(now), "it rests");
            assert_eq!((sender.air, sender.on_air), (n * air, n * bytes));
            now = sender.free();
            // A hundredth of the time.
            assert!((now + 1) * 1_000 >= 100 * n * air, "{now}");
        }
        // Who is on another side hears nothing, and the time is gone all the same.
        let mut apart = links;
        apart.wall(&Wall {
            from: 0,
            to: u64::MAX,
            side: vec![0, 1],
        });
        let none = apart.packet(&mut sender, radio, now, (1, 2), &[7; 100]);
        assert!(none.is_none() && sender.air == 6 * air);
    }
}
