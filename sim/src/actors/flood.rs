//! Floods: a member that talks too much, strangers that nobody certified, broken signatures, and last epoch's traffic told again.

use super::forge::{End, READING, forge, head, spread, standing};
use super::{Actor, Fate, Hands};
use iotedge_core::tx::Body;
use iotedge_core::wire::FrameType;

/// What a flood is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flood {
    /// Readings of the member's own, all valid.
    Spam,
    /// Transactions of issuers that are in no table.
    Strangers,
    /// Transactions of its own whose signatures do not hold.
    Broken,
}

/// One of them every so many ms, between two moments of the run.
#[derive(Clone, Copy, Debug)]
pub struct Flooder {
    /// What.
    pub flood: Flood,
    /// How often, in ms.
    pub every: u64,
    /// From when on.
    pub from: u64,
    /// Until.
    pub to: u64,
    /// The end of its own chain.
    pub end: Option<End>,
}

impl Actor for Flooder {
    fn begin(&mut self, hands: &mut Hands<'_, '_>) {
        hands.confess();
        hands.wake_at(self.from);
    }

    fn wake(&mut self, hands: &mut Hands<'_, '_>) {
        if hands.now() >= self.to {
            return;
        }
        hands.wake_at(hands.now() + self.every);
        hands.count("attack: sent", 1);
        if self.flood == Flood::Spam {
            let (me, now) = (hands.member(), hands.own_clock());
            let tips: Vec<_> = standing(hands).into_iter().rev().take(2).collect();
            let tips: Vec<_> = tips.into_iter().map(|(_, id)| id).collect();
            let Some(end) = self.end.or_else(|| head(hands)) else {
                return;
            };
            if let Some((end, frame)) = forge(hands, me, &end, &tips, now, Body::Data(READING)) {
                self.end = Some(end);
                hands.feed(hands.peers()[0], &frame);
                spread(hands, &frame);
            }
            return;
        }
        let Some(end) = head(hands) else { return };
        let issuer = match self.flood {
            Flood::Strangers => 1_000 + hands.rng().below(60_000) as u16,
            _ => hands.member(),
        };
        let now = hands.own_clock();
        let Some((_, mut frame)) = forge(hands, issuer, &end, &[], now, Body::Data(READING)) else {
            return;
        };
        if self.flood == Flood::Broken {
            let last = frame.len() - 1 - hands.rng().below(30) as usize;
            frame[last] ^= 1 + hands.rng().below(255) as u8;
        }
        spread(hands, &frame);
    }

    fn trades(&self) -> bool {
        self.flood != Flood::Spam
    }
}

/// Keeps what it hears, and says all of it again later.
#[derive(Clone, Debug, Default)]
pub struct Replayer {
    /// When.
    pub at: u64,
    heard: Vec<Vec<u8>>,
}

impl Replayer {
    /// At this moment, and once more each second.
    #[must_use]
    pub const fn new(at: u64) -> Self {
        Self {
            at,
            heard: Vec::new(),
        }
    }
}

impl Actor for Replayer {
    fn begin(&mut self, hands: &mut Hands<'_, '_>) {
        hands.confess();
        hands.wake_at(self.at);
    }

    fn incoming(&mut self, hands: &mut Hands<'_, '_>, _from: u16, frame: &mut Vec<u8>) -> Fate {
        let tx = frame.get(4) == Some(&FrameType::Tx.number());
        if tx && hands.now() < self.at && self.heard.len() < 2_000 {
            self.heard.push(frame.clone());
        }
        Fate::Pass
    }

    fn wake(&mut self, hands: &mut Hands<'_, '_>) {
        hands.count("attack: sent", self.heard.len() as u64);
        for frame in &self.heard {
            spread(hands, frame);
        }
        hands.wake_at(hands.now() + 1_000);
    }
}
