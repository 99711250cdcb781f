//! The platform fails, or the power goes, at every single write: nothing left without being stored, no number is used twice, nothing
//! acknowledged is lost, and the order stays.

use super::*;

/// The device under the hammer, and what its application was promised.
pub(super) struct Device {
    pub(super) net: Network,
    promised: Vec<(Ticket, u8)>,
    pub(super) told: Vec<Event>,
    /// What the application still wants to say.
    pub(super) next: u8,
}

pub(super) const LAST: u8 = 4;

impl Device {
    pub(super) fn new() -> Self {
        let mut net = Network::started(5);
        net.events.iter_mut().for_each(Vec::clear);
        net.node(VICTIM).platform.writes = 0;
        Self {
            net,
            promised: Vec::new(),
            told: Vec::new(),
            next: 0,
        }
    }

    /// Submits until everything was acknowledged; a submission without an answer is submitted again, as an application would.
    fn submit(&mut self) {
        while self.next < LAST {
            let (now, body) = (Millis(self.net.now), [self.next; 4]);
            let node = self.net.node(VICTIM);
            let answer = node.submit(now, &Submission::Data(&body), None);
            if node.platform.dead {
                return;
            }
            while let Some(event) = node.next_event() {
                self.told.push(event);
            }
            match answer {
                Ok(ticket) => self.promised.push((ticket, self.next)),
                Err(refusal) => {
                    assert_eq!(refusal, Refusal::Platform);
                    return;
                }
            }
            self.next += 1;
        }
    }

    fn step(&mut self, millis: u64) {
        self.net.pump(self.net.now + millis);
        self.told.append(&mut self.net.events[VICTIM]);
        if self.net.node(VICTIM).platform.dead {
            self.net.node(VICTIM).platform.cut_at = None;
            self.net.reboot(VICTIM, false);
        }
    }

    pub(super) fn run(&mut self, millis: u64) {
        let end = self.net.now + millis;
        while self.net.now < end {
            self.submit();
            self.step(50);
        }
    }

    /// The bodies of the victim's transactions as a neighbour holds them, by number.
    pub(super) fn said(&mut self) -> Vec<u8> {
        let node = self.net.node(0);
        let victim = MemberIndex(VICTIM as u16);
        let mut said: Vec<(Number, Id)> = node
            .tangle
            .since(node.tangle.oldest_sequence())
            .filter(|(_, f)| f.issuer == victim)
            .map(|(_, f)| (f.number, f.id))
            .collect();
        said.sort_unstable();
        said.iter()
            .filter_map(|(_, id)| node.body(id).map(|body| body[0]))
            .collect()
    }

    #[track_caller]
    pub(super) fn check(&mut self, name: &str) {
        let victim = MemberIndex(VICTIM as u16);
        for n in 0..5 {
            let node = self.net.node(n);
            assert!(!node.tangle.forked(victim), "{name}: node {n}");
        }
        self.net.assert_same_windows();
        // An answer that the application did not get makes it say the same again: twice at most, never out of order.
        let said = self.said();
        let mut once = said.clone();
        once.dedup();
        assert_eq!(once, (0..LAST).collect::<Vec<_>>(), "{name}: {said:?}");
        assert!(said.len() <= once.len() + 1, "{name}: {said:?}");
        // Each promise was kept, and the application was told so.
        for (ticket, body) in self.promised.clone() {
            let sent: Vec<Id> = self
                .told
                .iter()
                .filter_map(|e| match e {
                    Event::Sent { ticket: t, id } if *t == ticket => Some(*id),
                    _ => None,
                })
                .collect();
            assert!(!sent.is_empty(), "{name}: nothing told of {ticket:?}");
            assert!(sent.iter().all(|id| *id == sent[0]), "{name}");
            assert_eq!(
                self.net.node(0).body(&sent[0]),
                Some(&[body; 4][..]),
                "{name}"
            );
        }
        let store = &self.net.node(VICTIM).platform.store;
        assert!(
            store.keys().all(|key| !(0x2000..0x3000).contains(key)),
            "{name}"
        );
    }
}

fn writes() -> u32 {
    let mut device = Device::new();
    device.run(1_500);
    device.check("undisturbed");
    assert_eq!(device.said().len(), usize::from(LAST));
    device.net.node(VICTIM).platform.writes
}

#[test]
fn the_power_goes_before_every_write() {
    let all = writes();
    assert!(all >= 4 * u32::from(LAST), "{all}");
    for k in 1..=all + 1 {
        let mut device = Device::new();
        device.net.node(VICTIM).platform.cut_at = Some(k);
        device.run(4_000);
        device.check(&format!("cut before write {k}"));
    }
}

#[test]
fn every_write_fails_once() {
    for n in 1..=writes() {
        let mut device = Device::new();
        device.net.node(VICTIM).platform.fail_at = Some(n);
        device.run(2_500);
        // Nothing was lost, so nothing was said twice.
        assert_eq!(device.said().len(), usize::from(LAST), "write {n}");
        // A place that could not be cleared is cleared at boot.
        device.net.reboot(VICTIM, false);
        device.run(3_000);
        device.check(&format!("write {n} fails"));
    }
}

#[test]
fn a_store_that_refuses_everything_lets_nothing_out() {
    let mut device = Device::new();
    device.net.node(VICTIM).platform.fail_put = true;
    device.run(1_000);
    assert!(device.promised.is_empty());
    assert!(device.said().is_empty());
    let node = device.net.node(VICTIM);
    assert_eq!((node.outbox.len(), node.own.highest()), (0, Number(0)));
    node.platform.fail_put = false;
    device.run(1_000);
    device.check("after it works again");
}

/// Between acknowledgement and transaction: the entry waits until the store works, and says so.
#[test]
fn what_was_acknowledged_waits_for_the_store() {
    let mut device = Device::new();
    // The submission is stored and its ticket; the transaction is not.
    device.net.node(VICTIM).platform.fail_at = Some(3);
    device.next = LAST - 1;
    device.submit();
    assert_eq!(device.promised.len(), 1);
    let node = device.net.node(VICTIM);
    assert_eq!((node.outbox.len(), node.own.highest()), (1, Number(0)));
    assert!(
        node.tangle
            .head(&node.tables, MemberIndex(VICTIM as u16))
            .unwrap()
            .number
            == Number(0)
    );
    device.step(500);
    assert!(device.told.contains(&Event::PlatformFailed));
    assert_eq!(device.said(), [LAST - 1]);
    assert_eq!(device.net.node(VICTIM).own.highest(), Number(1));
}

/// Cuts while an epoch is settled: header, table, and the places of what is proved.
#[test]
fn the_power_goes_while_an_epoch_settles() {
    let run = |cut: Option<u32>| {
        let mut net = Network::started(5);
        net.traffic(3);
        net.pump(START + PERIOD);
        net.traffic(3);
        let now = Millis(net.now);
        net.node(0)
            .submit(
                now,
                &Submission::Trim {
                    cut: Millis(START + 2_500),
                },
                None,
            )
            .unwrap();
        net.traffic(2);
        let trim = net.events[0].iter().find_map(|e| match e {
            Event::TrimCertified { id, .. } => Some(*id),
            _ => None,
        });
        net.close(trim.unwrap());
        let platform = &mut net.node(VICTIM).platform;
        (platform.writes, platform.cut_at) = (0, cut);
        for _ in 0..60 {
            net.pump(net.now + 50);
            if net.node(VICTIM).platform.dead {
                net.node(VICTIM).platform.cut_at = None;
                net.reboot(VICTIM, false);
            }
        }
        net.traffic(1);
        let writes = net.node(VICTIM).platform.writes;
        net.pump(net.now + 3_000);
        (net, writes)
    };
    let (_, all) = run(None);
    assert!(all > 4, "{all}");
    for k in [1, 2, 3, all / 2] {
        let (mut net, _) = run(Some(k));
        let state = net.explain();
        let now = Millis(net.now);
        let status = net.node(VICTIM).status(now);
        assert_eq!(status.header, HeaderNumber(1), "cut {k}: {state}");
        assert_eq!(status.epoch, Epoch(2), "cut {k}: {state}");
        assert_eq!(status.phase, Phase::Active, "cut {k}: {state}");
        let waiting = net
            .node(VICTIM)
            .own
            .iter()
            .filter(|f| f.time <= Millis(START + 2_500) && f.grade != Grade::Settled)
            .count();
        assert_eq!(waiting, 0, "cut {k}: every receipt came");
        let forked = (0..5).any(|n| net.node(n).tangle.forked(MemberIndex(VICTIM as u16)));
        assert!(!forked, "cut {k}");
    }
}

/// Before it is a member a device takes what it has room for, says when there is none, and gives up what is too late.
#[test]
fn back_pressure_and_expiry() {
    let mut net = Network::new(5);
    let now = Millis(net.now);
    let soon = Millis(START + 1);
    let node = net.node(VICTIM);
    let mut tickets = Vec::new();
    for n in 0..LIMITS.outbox as u8 {
        let expires = (n % 4 == 1).then_some(soon);
        let ticket = node.submit(now, &Submission::Data(&[n; 4]), expires);
        tickets.push(ticket.unwrap());
    }
    let full = node.submit(now, &Submission::Data(b"x"), None);
    assert_eq!(full, Err(Refusal::OutboxFull));
    net.pump(START + 4_000);
    assert!(net.all_active(), "{}", net.explain());
    let mut sent = Vec::new();
    let mut expired = Vec::new();
    for event in &net.events[VICTIM] {
        match event {
            Event::Sent { ticket, .. } => sent.push(*ticket),
            Event::Expired { ticket } => expired.push(*ticket),
            _ => {}
        }
    }
    let of = |late: bool| -> Vec<Ticket> {
        let mine = tickets.iter().enumerate();
        mine.filter(|(n, _)| (n % 4 == 1) == late)
            .map(|(_, t)| *t)
            .collect()
    };
    assert_eq!((sent, expired), (of(false), of(true)));
    assert_eq!(net.node(VICTIM).outbox.len(), 0);
}

/// Half of the places for what waits for its receipt are taken at once, the others slowly; the next go out when receipts came, without a call.
#[test]
fn what_has_no_place_waits_for_receipts() {
    let mut net = Network::started(5);
    let half = u32::from(LIMITS.own) / 2;
    for n in 0..half + 12 {
        let now = Millis(net.now);
        let body = n.to_be_bytes();
        net.node(VICTIM)
            .submit(now, &Submission::Data(&body), None)
            .unwrap();
        net.pump(net.now + 10);
    }
    assert_eq!(net.node(VICTIM).own.highest(), Number(half + 1));
    assert_eq!(net.node(VICTIM).outbox.len(), 11);
    let others = |net: &mut Network, millis: u64| {
        let end = net.now + millis;
        while net.now < end {
            for n in [0, 2, 3, 4] {
                let now = Millis(net.now);
                let _ = net.node(n).submit(now, &Submission::Data(b"z"), None);
            }
            net.pump(net.now + 500);
        }
    };
    let rest = START + PERIOD - net.now;
    others(&mut net, rest);
    others(&mut net, 3_000);
    let cut = Millis(START + 4_000);
    let now = Millis(net.now);
    net.node(0)
        .submit(now, &Submission::Trim { cut }, None)
        .unwrap();
    others(&mut net, 2_000);
    let trim = net.events[0].iter().find_map(|e| match e {
        Event::TrimCertified { id, .. } => Some(*id),
        _ => None,
    });
    net.close(trim.unwrap());
    others(&mut net, 6_000);
    let node = net.node(VICTIM);
    assert_eq!(node.outbox.len(), 0);
    assert_eq!(node.own.highest(), Number(half + 12));
}

/// A member that was alone while an epoch was settled stands on its dead: the others must be able to follow its chain up from the head of
/// the table, and so must it itself after a reset.
#[test]
fn a_chain_goes_on_above_its_dead() {
    let mut net = Network::started(6);
    net.traffic(3);
    net.cut = (0..6).filter(|p| *p != 5).map(|p| (5, p)).collect();
    net.deaf = vec![5];
    // It says little, so that there is a place for more.
    let now = Millis(net.now);
    for body in [b"lonely 1", b"lonely 2", b"lonely 3"] {
        net.node(5)
            .submit(now, &Submission::Data(body), None)
            .unwrap();
    }
    let lone = net.nodes[5].take();
    net.traffic(7);
    net.pump(START + PERIOD);
    net.traffic(6);
    net.settle(START + PERIOD);
    net.nodes[5] = lone;
    net.cut.clear();
    net.deaf.clear();
    net.traffic(6);
    let dead = |net: &Network| {
        let of = |e: &&Event| {
            matches!(
                e,
                Event::Graded {
                    grade: Grade::Dead,
                    ..
                }
            )
        };
        net.events[5].iter().filter(of).count()
    };
    let before = dead(&net);
    assert!(before > 0, "{}", net.explain());
    net.pump(net.now + 4_000);
    let number = net.node(5).own.highest();
    let state = net.explain();
    assert_eq!(
        net.node(0).tangle.highest(MemberIndex(5)),
        number,
        "{state}"
    );
    // Whatever the neighbours have forgotten, it can tell its chain from its own store.
    let node = net.node(5);
    let settled = node.tables.head(MemberIndex(5)).unwrap().number.0;
    for number in settled + 1..=number.0 {
        let key = keys::own(&LIMITS, number);
        assert!(node.platform.store.contains_key(&key), "{number}");
    }
    net.reboot(5, false);
    net.pump(net.now + 4_000);
    let now = Millis(net.now);
    net.node(5)
        .submit(now, &Submission::Data(b"after the reset"), None)
        .unwrap();
    net.pump(net.now + 2_000);
    let (state, next) = (net.explain(), Number(number.0 + 1));
    assert_eq!(net.node(5).own.highest(), next, "{state}");
    assert_eq!(net.node(0).tangle.highest(MemberIndex(5)), next, "{state}");
    assert_eq!(dead(&net), before, "told once");
}

/// Node 5 issues three transactions alone, and an epoch is settled without them.
fn lonely() -> Network {
    let mut net = Network::started(6);
    net.traffic(3);
    net.cut = (0..6).filter(|p| *p != 5).map(|p| (5, p)).collect();
    net.deaf = vec![5];
    for body in LONELY {
        let now = Millis(net.now);
        net.node(5)
            .submit(now, &Submission::Data(body), None)
            .unwrap();
        net.pump(net.now + 20);
    }
    let lone = net.nodes[5].take();
    net.traffic(7);
    net.pump(START + PERIOD);
    net.traffic(6);
    net.settle(START + PERIOD);
    net.nodes[5] = lone;
    net.cut.clear();
    net.deaf.clear();
    net.node(5).platform.writes = 0;
    net
}

const LONELY: [&[u8]; 3] = [b"lonely 1", b"lonely 2", b"lonely 3"];

/// How often a neighbour holds each of them: the dead ones, and what was issued again.
fn copies(net: &mut Network) -> [usize; 3] {
    let node = net.node(0);
    let ids: Vec<Id> = node.tangle.held().map(|(_, f)| f.id).collect();
    LONELY.map(|body| {
        let same = ids.iter().filter(|id| node.body(id) == Some(body));
        same.count()
    })
}

#[test]
fn the_dead_are_issued_again_once_wherever_the_power_goes() {
    let mut cuts = 0;
    for cut in 1..200 {
        let mut net = lonely();
        net.node(5).platform.cut_at = Some(cut);
        for _ in 0..80 {
            net.pump(net.now + 100);
            if net.node(5).platform.dead {
                cuts += 1;
                net.node(5).platform.cut_at = None;
                net.reboot(5, false);
            }
        }
        let name = format!("cut at write {cut}: {}", net.explain());
        assert_eq!(copies(&mut net), [2; 3], "{name}");
        assert_eq!(
            net.node(5)
                .own
                .iter()
                .filter(|f| f.grade == Grade::Dead)
                .count(),
            3,
            "{name}"
        );
        if net.node(5).platform.cut_at.is_some() {
            break;
        }
    }
    assert!(cuts > 8, "{cuts}");
}

#[test]
fn the_dead_wait_for_room_in_the_outbox() {
    let mut net = lonely();
    // The application was quick: nothing else fits.
    let now = Millis(net.now);
    let mut filled = 0u32;
    while net
        .node(5)
        .submit(now, &Submission::Data(b"more"), None)
        .is_ok()
    {
        filled += 1;
    }
    net.pump(net.now + 8_000);
    assert!(filled > 3);
    let again = |e: &&Event| matches!(e, Event::Reissued { .. });
    assert_eq!(net.events[5].iter().filter(again).count(), 3);
}
