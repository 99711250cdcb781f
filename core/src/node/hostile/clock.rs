//! A device without a clock: silent until q neighbours told the time, and not moved by one that lies.

use super::*;

const CLOCKLESS: usize = 4;

/// Member 4 has no clock: its own time begins at 1,000 and it hears nobody but the gateway.
fn clockless() -> Bench {
    let mut net = Network::new(5);
    let chain = certificate(CLOCKLESS as u8);
    let chain: [&[u8]; 1] = [&chain];
    let mut config = Config::member(secret(201).public_key(), &chain);
    config.clock = Clock::FromNeighbours;
    config.tuning = net.tuning;
    let signer = NodeSigner::Software(secret(CLOCKLESS as u8));
    let platform = net.nodes[CLOCKLESS].take().unwrap().into_parts().1;
    let mut node = Node::new(memory(&LIMITS), LIMITS, &config, signer, platform, Software).unwrap();
    for peer in [0, 1, 2, 3, 99] {
        node.add_peer(Millis(net.now), Peer(peer), peer == 99)
            .unwrap();
    }
    net.nodes[CLOCKLESS] = Some(node);
    net.cut = (0..4).map(|n| (CLOCKLESS as u16, n)).collect();
    net.pump(START + 2_000);
    let neighbourhood = net.node(CLOCKLESS).neighbourhood;
    assert_ne!(neighbourhood, Id::ZERO);
    Bench { net, neighbourhood }
}

impl Bench {
    fn beacon(&mut self, from: u16, time: u64) {
        let frame = Frame::Beacon {
            now: Millis(time),
            header: HeaderNumber(0),
            tips: List::of(&[]),
        };
        let frame = written(&self.neighbourhood, &frame);
        let now = Millis(self.net.now);
        let node = self.net.node(CLOCKLESS);
        assert_eq!(node.receive(now, Peer(from), &frame), Ok(()));
    }

    fn offset(&mut self) -> Option<i64> {
        self.net.node(CLOCKLESS).offset
    }
}

#[test]
fn one_beacon_is_no_clock() {
    let mut bench = clockless();
    let now = bench.net.now;
    for time in [now, now + 5, 0, u64::MAX, now] {
        bench.beacon(1, time);
        assert_eq!(bench.offset(), None);
    }
    // Nothing of a neighbour's can be called early or late: it waits.
    let node = bench.net.node(0);
    let at = Millis(now);
    node.submit(at, &Submission::Data(b"x"), None).unwrap();
    let id = node.tangle.tips().next().unwrap();
    let frame = tx_frame(&bench.neighbourhood, bench.net.node(0).raw(&id).unwrap());
    let node = bench.net.node(CLOCKLESS);
    assert_eq!(node.receive(at, Peer(1), &frame), Err(Refusal::Busy));
    assert_eq!(node.aside.len(), 1);
    // Nor is anything said.
    node.submit(at, &Submission::Data(b"y"), None).unwrap();
    bench.net.pump(now + 1_000);
    assert_eq!(bench.net.node(CLOCKLESS).outbox.len(), 1);
    assert_eq!(bench.net.node(CLOCKLESS).own.highest(), Number(0));
    // The second neighbour makes it a clock.
    let now = bench.net.now;
    bench.beacon(1, now);
    bench.beacon(2, now);
    assert_eq!(bench.offset(), Some(0));
    assert!(bench.net.node(CLOCKLESS).tangle.contains(&id));
    bench.net.cut.clear();
    bench.net.pump(now + 3_000);
    assert_eq!(
        bench.net.node(CLOCKLESS).own.highest(),
        Number(1),
        "{}",
        bench.net.explain()
    );
}

#[test]
fn one_liar_among_three_moves_nothing() {
    let mut bench = clockless();
    let now = bench.net.now;
    bench.beacon(1, now + 3);
    bench.beacon(2, now - 3);
    bench.beacon(3, now);
    assert_eq!(bench.offset(), Some(0));
    for lie in [1, now - 500_000, now + 500_000, u64::MAX] {
        bench.beacon(3, lie);
        let offset = bench.offset().unwrap();
        assert!(offset.abs() <= 3, "{lie}: {offset}");
    }
}

#[test]
fn with_two_the_later_liar_does_not_win() {
    let mut bench = clockless();
    let now = bench.net.now;
    bench.beacon(1, u64::MAX);
    bench.beacon(2, now);
    // Early costs freshness, late would make everybody wait for what this device says.
    assert_eq!(bench.offset(), Some(0));
}

#[test]
fn a_neighbour_without_a_clock_is_not_asked() {
    let mut bench = clockless();
    let now = bench.net.now;
    bench.beacon(1, 0);
    bench.beacon(2, now);
    assert_eq!(bench.offset(), None);
}
