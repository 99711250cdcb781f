//! A thousand members around devices with a window of 128 and the least of everything: they take part, and get what is due to them.
//!
//! Node 0 is the GL-node and holds everything; 1 and 2 are small; of the others there is nothing but what the test signs for them, in turn, on top
//! of tips that node 0 holds. All signatures are real, and every node checks them.

use super::harness::*;
use super::*;
use crate::tangle::Tables as _;
use crate::tx::{self, Body};
use std::vec::Vec;

const MEMBERS: u16 = 1_000;
const NODES: u8 = 3;
/// One of the others says something this often.
const PACE: u64 = 10;
/// T: five rounds of all members.
const T: u64 = 50_000;

/// The small devices' limits; decision 0021 tells what each costs.
pub(crate) const SMALL: Limits = Limits {
    window: 128,
    members: MEMBERS,
    peers: 8,
    aside: 4,
    outbox: 4,
    own: 8,
    raw: 4 * crate::MAX_FRAME as u32,
    weights: false,
    records: 8,
    tracked: 8,
    wants: 8,
    headers: 1,
    buckets: 8,
    queue: 16,
};

const FULL: Limits = Limits {
    window: 8192,
    members: MEMBERS,
    raw: 4 << 20,
    ..LIMITS
};

struct Crowd {
    net: Network,
    heads: Vec<(Number, Id, u64)>,
    turn: u64,
    rng: u64,
}

impl Crowd {
    fn new() -> Self {
        let tuning = Tuning::fixed(Millis(100), Millis(1_000), 2);
        let others = MEMBERS - u16::from(NODES);
        let net = Network::with_others(NODES, 0, others, T, &[FULL, SMALL], tuning);
        let heads = net.founders.iter();
        let heads = heads.map(|r| (r.head_number, r.head_id, START)).collect();
        let mut crowd = Self {
            net,
            heads,
            turn: 0,
            rng: 0x1234_5678_9abc_def1,
        };
        // A table of a thousand records takes its time.
        while !crowd.net.all_active() && crowd.net.now < START + 200_000 {
            let until = crowd.net.now + 1_000;
            crowd.net.pump(until);
        }
        assert!(crowd.net.all_active(), "{}", crowd.net.explain());
        crowd
    }

    fn below(&mut self, n: usize) -> usize {
        self.rng ^= self.rng << 13;
        self.rng ^= self.rng >> 7;
        self.rng ^= self.rng << 17;
        (self.rng % n as u64) as usize
    }

    /// One of the others says this, and everybody hears it.
    fn says(&mut self, member: u16, body: Body<'_>) -> Id {
        let now = self.net.now;
        let (number, first, before) = self.heads[usize::from(member)];
        let pick = self.below(1 << 16);
        let node = self.net.node(0);
        let fresh: Vec<(Id, u64)> = (node.tangle.tips())
            .map(|id| (id, node.tangle.get(&id).unwrap().time.0))
            .filter(|(id, time)| *id != first && *time < now && time + T / 5 > now)
            .collect();
        let tips: Vec<Id> = (0..fresh.len().min(2))
            .map(|i| fresh[(pick + i) % fresh.len()].0)
            .collect();
        let own = node.tangle.hands_on(&first).unwrap_or(Epoch(1));
        let epochs = tips.iter().filter_map(|id| node.tangle.hands_on(id));
        let epoch = epochs.fold(own, Ord::max);
        let start = node.tables.clock_start(epoch).unwrap().0;
        let time = now.max(before + 1);
        let draft = tx::Draft {
            epoch,
            issuer: MemberIndex(member),
            number: Number(number.0 + 1),
            offset: u32::try_from(time - start).unwrap(),
            first,
            tips: &tips,
            body,
        };
        let neighbourhood = node.neighbourhood;
        let (mut payload, mut cose) = ([0; 480], vec![0; 700]);
        let fitted = draft.encode(&mut payload).unwrap();
        let id = tx::Payload::id_of(&neighbourhood, fitted.payload);
        let key = secret_of(member);
        let parents = &fitted.parents;
        let signed = tx::sign_with(&key, &neighbourhood, fitted.payload, parents, &mut cose);
        let mut frame = neighbourhood.tag().to_vec();
        frame.push(1);
        frame.extend_from_slice(signed.unwrap().cose());
        for to in 0..usize::from(NODES) {
            // From the node after it, so that nobody hears from itself.
            let from = Peer((to as u16 + 1) % u16::from(NODES));
            let taken = self.net.node(to).receive(Millis(now), from, &frame);
            assert!(to > 0 || taken.is_ok(), "{taken:?}");
        }
        self.heads[usize::from(member)] = (Number(number.0 + 1), id, time);
        id
    }

    /// The others say something in turn until then.
    fn goes_on(&mut self, until: u64) {
        while self.net.now < until {
            let others = u64::from(MEMBERS - u16::from(NODES));
            // Any order in which each of them speaks once a round.
            let member = (self.turn * 389) % others + u64::from(NODES);
            self.turn += 1;
            self.says(member as u16, Body::Data(b"21.5 C"));
            let next = self.net.now + PACE;
            self.net.pump(next);
        }
    }

    fn reached(&self, node: usize, id: &Id, grade: Grade) -> bool {
        let told = |e: &Event| matches!(e, Event::Graded { id: i, grade: g, .. } if i == id && *g == grade);
        self.net.events[node].iter().any(told)
    }
}

#[test]
fn devices_with_the_least_of_everything_take_part_among_a_thousand() {
    let mut crowd = Crowd::new();
    let start = crowd.net.now;
    crowd.goes_on(start + 1_000);
    // Each small device says something, pays, and is paid.
    let now = Millis(crowd.net.now);
    for n in [1, 2] {
        let node = crowd.net.node(n);
        let reading = Submission::Data(b"19.0 C");
        let payment = Submission::Transfer {
            to: MemberIndex(700),
            amount: Amount(5),
        };
        node.submit(now, &reading, None).unwrap();
        node.submit(now, &payment, None).unwrap();
    }
    let received = [(1u16, 800u16), (2, 801)].map(|(to, from)| {
        let pays = Body::Transfer {
            to: MemberIndex(to),
            amount: Amount(7),
            debits: Amount(7),
        };
        (usize::from(to), crowd.says(from, pays))
    });
    crowd.goes_on(start + 26_000);
    let mut mine: Vec<(usize, Id)> = received.to_vec();
    for n in [1, 2] {
        let sent = crowd.net.ids_sent(n);
        assert!(sent.len() >= 2, "{}", crowd.net.explain());
        mine.extend(sent.into_iter().take(2).map(|id| (n, id)));
    }
    for (n, id) in &mine {
        let full = crowd.net.node(0).tangle.contains(id);
        assert!(full, "node 0 lacks what node {n} said");
        assert!(
            crowd.reached(*n, id, Grade::Quorum),
            "{}",
            crowd.net.explain()
        );
        assert!(!crowd.net.node(*n).tangle.contains(id), "long gone");
    }
    // What they hold is the newest of what everybody said.
    for n in [1, 2] {
        assert_eq!(crowd.net.node(n).tangle.len(), 128);
        let lack = (crowd.heads.iter().skip(3).enumerate())
            .filter(|(m, head)| {
                let member = MemberIndex(*m as u16 + 3);
                crowd.net.nodes[n].as_ref().unwrap().tangle.highest(member) != head.0
            })
            .count();
        assert!(lack <= 2, "node {n} lacks the newest of {lack} members");
    }
    // The epoch is closed, and they prove what was settled.
    let cut = start + 4_000;
    crowd.goes_on(cut + T / 2 + 8_500);
    let mut trim = None;
    for _ in 0..5 {
        let now = Millis(crowd.net.now);
        let trims = Submission::Trim { cut: Millis(cut) };
        let _ = crowd.net.node(0).submit(now, &trims, None);
        let until = crowd.net.now + 9_000;
        crowd.goes_on(until);
        trim = crowd.net.events[0].iter().find_map(|e| match e {
            Event::TrimCertified { id, .. } => Some(*id),
            _ => None,
        });
        if trim.is_some() {
            break;
        }
    }
    let trim = trim.unwrap_or_else(|| panic!("{}", crowd.net.explain()));
    crowd.net.close(trim);
    let until = crowd.net.now + 1_000;
    crowd.goes_on(until);
    let until = crowd.net.now + 60_000;
    crowd.net.pump(until);
    for n in [1, 2] {
        let now = Millis(crowd.net.now);
        let status = crowd.net.node(n).status(now);
        assert_eq!((status.epoch, status.header), (Epoch(2), HeaderNumber(1)));
        assert_eq!(status.credits, Amount(10_007));
    }
    // What it costs: a read of the store for each transaction that is checked, and few more.
    for n in [1, 2] {
        let node = crowd.net.node(n);
        let (reads, checked) = (node.platform.reads, node.counters.verified);
        std::println!("node {n}: {reads} reads, {checked} signatures checked");
        assert!(reads < 3 * checked, "{reads} reads for {checked}");
    }
    for (n, id) in &mine {
        assert!(
            crowd.reached(*n, id, Grade::Settled),
            "{}",
            crowd.net.explain()
        );
    }
}

/// The table of decision 0021: `cargo test -p iotedge-core --lib crowd_tests::what_it_costs -- --nocapture`.
#[test]
fn what_it_costs() {
    let full = Limits {
        records: 0,
        tracked: 0,
        wants: 0,
        headers: 0,
        buckets: 0,
        queue: 0,
        ..SMALL
    };
    let node = size_of::<TestNode>() - size_of::<super::test_platform::MemoryPlatform>();
    let [all, least] = [full, SMALL].map(|limits| limits.sizes().unwrap().parts());
    let mut sums = [node; 2];
    std::println!("| part | by default | small |\n|---|--:|--:|");
    for ((name, a), (_, b)) in all.into_iter().zip(least) {
        std::println!("| {name} | {a} | {b} |");
        sums[0] += a;
        sums[1] += b;
    }
    std::println!("| the node itself | {node} | {node} |");
    std::println!("| **all** | **{}** | **{}** |", sums[0], sums[1]);
    // What is reached is not given back unnoticed.
    if cfg!(target_pointer_width = "64") {
        assert!(sums[1] <= 142_000, "{sums:?}");
    }
}
