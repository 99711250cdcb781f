//! Attacks on the shape of the DAG: lazy tips, a parasite chain, forks with many sides.

use super::forge::{End, READING, forge, head, spread, standing};
use super::{Actor, Hands};
use iotedge_core::tx::Body;
use iotedge_core::{Amount, Id, MemberIndex};

/// Approves the oldest vertices that it may, and nothing new.
#[derive(Clone, Copy, Debug)]
pub struct Lazy {
    /// How often it speaks, in ms.
    pub every: u64,
    /// From when on.
    pub from: u64,
}

impl Actor for Lazy {
    fn begin(&mut self, hands: &mut Hands<'_, '_>) {
        hands.confess();
        hands.wake_at(self.from);
    }

    fn wake(&mut self, hands: &mut Hands<'_, '_>) {
        hands.wake_at(hands.now() + self.every);
        let Some(end) = head(hands) else { return };
        let tips: Vec<Id> = standing(hands)
            .into_iter()
            .take(2)
            .map(|(_, id)| id)
            .collect();
        let (me, now) = (hands.member(), hands.own_clock());
        if let Some((_, frame)) = forge(hands, me, &end, &tips, now, Body::Data(READING)) {
            hands.count("attack: sent", 1);
            hands.feed(hands.peers()[0], &frame);
            spread(hands, &frame);
        }
    }

    fn trades(&self) -> bool {
        false
    }
}

/// Pays in public and pays somebody else in secret, with one number; builds a chain upon the secret side and shows it when the first payment
/// was taken.
#[derive(Clone, Debug)]
pub struct Parasite {
    /// When it pays.
    pub at: u64,
    /// How many vertices it builds in secret, and how often, in ms.
    pub length: u32,
    /// Between two of them.
    pub every: u64,
    chain: Vec<Vec<u8>>,
    end: Option<End>,
}

impl Parasite {
    /// So long a chain.
    #[must_use]
    pub const fn new(at: u64, length: u32, every: u64) -> Self {
        Self {
            at,
            length,
            every,
            chain: Vec::new(),
            end: None,
        }
    }
}

fn payment(to: u16, amount: u64, debits: u64) -> Body<'static> {
    Body::Transfer {
        to: MemberIndex(to),
        amount: Amount(amount),
        debits: Amount(debits + amount),
    }
}

impl Actor for Parasite {
    fn begin(&mut self, hands: &mut Hands<'_, '_>) {
        hands.confess();
        hands.wake_at(self.at);
    }

    fn wake(&mut self, hands: &mut Hands<'_, '_>) {
        let (me, now) = (hands.member(), hands.own_clock());
        let tips: Vec<Id> = standing(hands)
            .into_iter()
            .rev()
            .take(2)
            .map(|(_, id)| id)
            .collect();
        let Some(end) = self.end else {
            let Some(end) = head(hands) else {
                return hands.wake_at(hands.now() + 100);
            };
            let others = [
                (me + 1) % hands.scenario().nodes,
                (me + 2) % hands.scenario().nodes,
            ];
            let public = forge(
                hands,
                me,
                &end,
                &tips,
                now,
                payment(others[0], 700, end.debits),
            );
            let secret = forge(
                hands,
                me,
                &end,
                &tips,
                now,
                payment(others[1], 701, end.debits),
            );
            if let (Some((a, public)), Some((b, secret))) = (public, secret) {
                hands.forked([a.id, b.id]);
                spread(hands, &public);
                self.chain.push(secret);
                self.end = Some(b);
            }
            return hands.wake_at(hands.now() + self.every);
        };
        if self.chain.len() as u32 <= self.length {
            if let Some((next, frame)) = forge(hands, me, &end, &tips, now, Body::Data(READING)) {
                self.chain.push(frame);
                self.end = Some(next);
            }
            return hands.wake_at(hands.now() + self.every);
        }
        for frame in &self.chain {
            hands.count("attack: sent", 1);
            spread(hands, frame);
        }
        hands.wake_at(hands.now() + 2_000);
    }

    fn trades(&self) -> bool {
        self.end.is_none()
    }
}

/// Signs many payments with one number, and shows each neighbour another.
#[derive(Clone, Debug)]
pub struct Forker {
    /// When.
    pub at: u64,
    /// How many.
    pub sides: u16,
    done: Vec<Vec<u8>>,
}

impl Forker {
    /// So many sides.
    #[must_use]
    pub const fn new(at: u64, sides: u16) -> Self {
        Self {
            at,
            sides,
            done: Vec::new(),
        }
    }
}

impl Actor for Forker {
    fn begin(&mut self, hands: &mut Hands<'_, '_>) {
        hands.confess();
        hands.wake_at(self.at);
    }

    fn wake(&mut self, hands: &mut Hands<'_, '_>) {
        let Some(end) = head(hands).filter(|_| self.done.is_empty()) else {
            return;
        };
        let (me, now, nodes) = (hands.member(), hands.own_clock(), hands.scenario().nodes);
        let tips: Vec<Id> = standing(hands)
            .into_iter()
            .rev()
            .take(2)
            .map(|(_, id)| id)
            .collect();
        let mut ids = Vec::new();
        for side in 0..self.sides {
            let to = (me + 1 + side % (nodes - 1)) % nodes;
            let body = payment(to, 10 + u64::from(side), end.debits);
            if let Some((fork, frame)) = forge(hands, me, &end, &tips, now, body) {
                ids.push(fork.id);
                self.done.push(frame);
            }
        }
        if let [a, b, ..] = ids[..] {
            hands.forked([a, b]);
        }
        for (place, peer) in hands.peers().to_vec().into_iter().enumerate() {
            if let Some(frame) = self.done.get(place % self.done.len().max(1)) {
                hands.send(peer, frame);
            }
        }
        // And the others a moment later, to whoever has taken one by now.
        for frame in &self.done {
            for peer in hands.peers().to_vec() {
                hands.send_later(150, peer, frame);
            }
        }
        hands.count("attack: sent", self.done.len() as u64);
    }

    fn trades(&self) -> bool {
        self.done.is_empty()
    }
}
