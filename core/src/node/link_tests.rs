//! Links between real nodes: every frame of a neighbourhood through compression, with each end's own state as the context.

use super::harness::*;
use super::*;
use crate::MAX_FRAME;
use crate::link::testing::link;
use crate::link::{Link, LinkConfig, LinkError, LinkLimits};
use std::collections::VecDeque;
use std::vec::Vec;

/// Bytes of frames of one type: whole, and as they went over the link.
#[derive(Default)]
struct Sizes(Vec<(usize, usize, usize)>);

impl Sizes {
    fn say(&mut self, name: &str) {
        self.0.sort_unstable();
        let n = self.0.len();
        let mut packed: Vec<usize> = self.0.iter().map(|s| s.1).collect();
        packed.sort_unstable();
        let one = self.0.iter().filter(|s| s.2 == 1).count();
        println!(
            "| {name} | {n} | {} / {} / {} | {} / {} / {} | {} % |",
            self.0[0].0,
            self.0[n / 2].0,
            self.0[n - 1].0,
            packed[0],
            packed[n / 2],
            packed[n - 1],
            100 * one / n
        );
    }
}

/// All that a link has to send now, and to whom.
fn addressed(link: &mut Link<'_>, now: u64) -> Vec<(Peer, Vec<u8>)> {
    let mut out = [0; 128];
    let mut all = Vec::new();
    while let Some((to, len)) = link.next_packet(Millis(now), &mut out) {
        all.push((to, out[..len].to_vec()));
    }
    all
}

/// A network whose members speak over links of 802.15.4 packets; the gateway is reached without one.
struct Radio {
    net: Network,
    links: Vec<Link<'static>>,
    air: VecDeque<(u64, u16, u16, Vec<u8>)>,
    sizes: [Sizes; 6],
    refused: u32,
    /// One packet of so many is lost; 0: none.
    lose: u64,
    packets: u64,
}

impl Radio {
    fn new(members: u8, mtu: u16) -> Self {
        let net = Network::new(members);
        let peers: Vec<u16> = (0..u16::from(members)).collect();
        let limits = LinkLimits {
            peers: 16,
            outgoing: 16,
            incoming: 16,
            ..LinkLimits::SMALL
        };
        let links = (0..members)
            .map(|_| link(limits, LinkConfig::new(mtu), &peers))
            .collect();
        Self {
            net,
            links,
            air: VecDeque::new(),
            sizes: Default::default(),
            refused: 0,
            lose: 0,
            packets: 0,
        }
    }

    /// In a ring where each hears the `reach` next ones on both sides: the rest comes by relays.
    fn in_a_ring(mut self, reach: usize) -> Self {
        let count = self.links.len();
        for n in 0..count {
            for other in (0..count).filter(|other| *other != n) {
                let apart = n.abs_diff(other);
                if apart.min(count - apart) > reach {
                    self.net.node(n).remove_peer(Peer(other as u16));
                }
            }
        }
        self
    }

    /// Each member says something about once a second, at times of its own, payments and readings in turn.
    fn trade(&mut self, until: u64) {
        let count = self.links.len();
        self.run(until, |net, now| {
            for n in 0..count {
                if (now + n as u64 * 137).is_multiple_of(1_000 + n as u64 * 10) {
                    let to = MemberIndex(((n + 3) % count) as u16);
                    let amount = Amount(1 + now % 90);
                    let mantissa = [0x18, 0xd0 + (now / 1_000 % 7) as u8];
                    let head = b"\x81\xa3\x00dtemp\x01cCel\x02\xc4\x82\x20";
                    let body = [head, &mantissa[..]].concat();
                    let what = if (now / 1_000).is_multiple_of(2) {
                        Submission::Transfer { to, amount }
                    } else {
                        Submission::Data(&body)
                    };
                    let _ = net.node(n).submit(Millis(now), &what, None);
                }
            }
        });
    }

    /// Prints the sizes; gives how many frames were compressed, and how many of them could not be rebuilt.
    fn say(&mut self) -> (u32, u32) {
        println!("| frame | count | whole: min / typical / max | on the link | in one packet |");
        println!("|---|---|---|---|---|");
        let names = ["transfer", "reading", "ANNOUNCE", "REQUEST", "BEACON"];
        for (name, sizes) in names.iter().zip(&mut self.sizes) {
            if !sizes.0.is_empty() {
                sizes.say(name);
            }
        }
        let counters: Vec<_> = self.links.iter().map(Link::counters).collect();
        let compressed = counters.iter().map(|c| c.compressed).sum();
        let out_of_step = counters.iter().map(|c| c.out_of_step).sum();
        println!("out of step: {out_of_step} of {compressed} compressed");
        (compressed, out_of_step)
    }

    fn run(&mut self, until: u64, mut each: impl FnMut(&mut Network, u64)) {
        let mut out = vec![0; MAX_FRAME];
        while self.net.now < until {
            let now = self.net.now;
            each(&mut self.net, now);
            while self.air.front().is_some_and(|(due, ..)| *due <= now) {
                let (_, from, to, packet) = self.air.pop_front().unwrap();
                let node = self.net.nodes[usize::from(to)].as_mut().unwrap();
                let came = self.links[usize::from(to)].receive(
                    Millis(now),
                    Peer(from),
                    &packet,
                    &*node,
                    &mut out,
                );
                match came {
                    Ok(Some(len)) => {
                        let taken = node.receive(Millis(now), Peer(from), &out[..len]);
                        if taken == Err(Refusal::Signature) {
                            self.refused += 1;
                        }
                    }
                    Ok(None) | Err(LinkError::OutOfStep) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            for n in 0..self.links.len() {
                self.drain(n as u16, now, &mut out);
                // What the link itself asks for.
                for (to, packet) in addressed(&mut self.links[n], now) {
                    self.air.push_back((now + 2, n as u16, to.0, packet));
                }
            }
            self.gateway(now);
            self.net.now += 1;
        }
    }

    /// What goes between the gateway and the nodes, as in `Network::pump`.
    fn gateway(&mut self, now: u64) {
        while self.net.wire.front().is_some_and(|(due, ..)| *due <= now) {
            let (_, from, to, bytes) = self.net.wire.pop_front().unwrap();
            match (to, &mut self.net.nodes[..]) {
                (99, _) => self.net.gateway(from, &bytes),
                (to, nodes) => {
                    let node = nodes[usize::from(to)].as_mut().unwrap();
                    let _ = node.receive(Millis(now), Peer(from), &bytes);
                }
            }
        }
        for (node, events) in self.net.nodes.iter_mut().zip(&mut self.net.events) {
            while let Some(event) = node.as_mut().unwrap().next_event() {
                events.push(event);
            }
        }
    }

    fn drain(&mut self, n: u16, now: u64, out: &mut [u8]) {
        let at = usize::from(n);
        let node = self.net.nodes[at].as_mut().unwrap();
        let link = &mut self.links[at];
        let mut held = Vec::new();
        while let Some((to, len)) = node.next_frame(Millis(now), out) {
            held.push((to, out[..len].to_vec()));
        }
        for (to, frame) in held {
            if to.0 == 99 {
                self.net.wire.push_back((now + 3, n, 99, frame));
                continue;
            }
            let node = self.net.nodes[at].as_ref().unwrap();
            // Requests and repairs go first; what is left is the frame's.
            for (to, packet) in addressed(link, now) {
                self.air.push_back((now + 2, n, to.0, packet));
            }
            link.send(Millis(now), to, &frame, node).unwrap();
            let sent: Vec<Vec<u8>> = addressed(link, now).into_iter().map(|s| s.1).collect();
            let bytes = sent.iter().map(Vec::len).sum();
            let kind = match frame[4] {
                1 if frame.len() <= 100 => 5,
                1 => match crate::tx::Unverified::parse(&frame[5..]) {
                    Ok(tx) if tx.payload().body.kind() == crate::tx::Kind::Transfer => 0,
                    Ok(tx) if tx.payload().body.kind() == crate::tx::Kind::Data => 1,
                    _ => 5,
                },
                2 => 2,
                3 => 3,
                4 => 4,
                _ => 5,
            };
            self.sizes[kind].0.push((frame.len(), bytes, sent.len()));
            for packet in sent {
                self.packets += 1;
                if self.lose == 0 || !self.packets.is_multiple_of(self.lose) {
                    self.air.push_back((now + 2, n, to.0, packet));
                }
            }
        }
    }
}

/// Prints the tables of docs/protocol.md section 9.6 with `--nocapture`.
#[test]
fn a_neighbourhood_in_step_speaks_in_single_802_15_4_frames() {
    for reach in [4, 1] {
        let mut radio = Radio::new(8, 102).in_a_ring(reach);
        radio.run(START + 3_000, |_, _| {});
        assert!(radio.net.all_active(), "{}", radio.net.explain());
        let begin = radio.net.now;
        radio.trade(begin + 20_000);
        println!("each hears {}:", (2 * reach).min(7));
        let (compressed, out_of_step) = radio.say();
        assert_eq!(radio.refused, 0, "a rebuilt frame was blamed on its sender");
        for sizes in &radio.sizes[..2] {
            assert!(sizes.0.len() > 250);
            let one = sizes.0.iter().filter(|s| s.2 == 1).count();
            assert!(
                one * 100 >= sizes.0.len() * 99,
                "{one} of {}",
                sizes.0.len()
            );
        }
        assert!(out_of_step * 20 < compressed);
        let quiet = radio.net.now + 3_000;
        radio.run(quiet, |_, _| {});
        radio.net.assert_same_windows();
    }
}

#[test]
fn a_lossy_radio_of_51_bytes_ends_with_one_ledger() {
    let mut radio = Radio::new(5, 51);
    radio.run(START + 3_000, |_, _| {});
    assert!(radio.net.all_active(), "{}", radio.net.explain());
    radio.lose = 9;
    let begin = radio.net.now;
    radio.run(begin + 10_000, |net, now| {
        for n in 0..5usize {
            if (now + n as u64 * 137).is_multiple_of(700) {
                let body = vec![n as u8; 10 + (now % 300) as usize];
                let _ = net
                    .node(n)
                    .submit(Millis(now), &Submission::Data(&body), None);
            }
        }
    });
    radio.lose = 0;
    let quiet = radio.net.now + 5_000;
    radio.run(quiet, |_, _| {});
    radio.net.assert_same_windows();
    assert!(radio.net.window(0).len() > 60);
    assert_eq!(radio.refused, 0, "a rebuilt frame was blamed on its sender");
    let counters: Vec<_> = radio.links.iter().map(Link::counters).collect();
    let sum = |f: fn(&crate::link::LinkCounters) -> u32| counters.iter().map(f).sum::<u32>();
    assert!(sum(|c| c.repairs_in) > 100, "{counters:?}");
    assert!(sum(|c| c.out_of_step) > 0 && sum(|c| c.refused) > 0);
}
