//! What stands between a device and the world: a gateway that is its only uplink, and a GL-node that lies.

use super::forge::{forge, head, spread, standing};
use super::{Actor, Fate, Hands};
use iotedge_core::identity::sign1;
use iotedge_core::posp::close::header_payload;
use iotedge_core::posp::{SignedHeader, header_signing_input};
use iotedge_core::tangle::Effect;
use iotedge_core::tx::Body;
use iotedge_core::wire::{Frame, FrameType};
use iotedge_core::{HeaderNumber, Id, Millis};

/// An honest device with one neighbour: whatever comes from others never reaches it. It confesses nothing.
#[derive(Clone, Copy, Debug)]
pub struct Only(
    /// Whom it hears.
    pub u16,
);

impl Actor for Only {
    fn outgoing(&mut self, _hands: &mut Hands<'_, '_>, to: u16, _frame: &mut Vec<u8>) -> Fate {
        if to == self.0 { Fate::Pass } else { Fate::Drop }
    }

    fn incoming(&mut self, _hands: &mut Hands<'_, '_>, from: u16, _frame: &mut Vec<u8>) -> Fate {
        if from == self.0 {
            Fate::Pass
        } else {
            Fate::Drop
        }
    }
}

/// What an uplink does to its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eclipse {
    /// Nothing goes through.
    Withhold,
    /// All goes through so many ms later.
    Delay(u64),
    /// What goes through is altered: bits turned over, headers claimed that do not exist.
    Lie,
}

/// A gateway with a device in its hand, between two moments of the run.
#[derive(Clone, Copy, Debug)]
pub struct Warden {
    /// The device.
    pub victim: u16,
    /// What becomes of its frames.
    pub eclipse: Eclipse,
    /// From when on.
    pub from: u64,
    /// Until.
    pub to: u64,
}

impl Actor for Warden {
    fn begin(&mut self, hands: &mut Hands<'_, '_>) {
        hands.confess();
    }

    fn outgoing(&mut self, hands: &mut Hands<'_, '_>, to: u16, frame: &mut Vec<u8>) -> Fate {
        if to != self.victim || !(self.from..self.to).contains(&hands.now()) {
            return Fate::Pass;
        }
        match self.eclipse {
            Eclipse::Withhold => Fate::Drop,
            Eclipse::Delay(ms) => Fate::Late(ms.max(1)),
            Eclipse::Lie => {
                if frame.get(4) == Some(&FrameType::Beacon.number()) {
                    let tag = hands.founding().tag();
                    let beacon = Frame::Beacon {
                        now: Millis(hands.absolute()),
                        header: HeaderNumber(1_000),
                        tips: iotedge_core::wire::List::of(&[]),
                    };
                    *frame = crate::gateway::written(&beacon, tag);
                } else {
                    let bit = 40 + hands.rng().below((frame.len() as u64 - 5) * 8);
                    frame[(bit / 8) as usize] ^= 1 << (bit % 8);
                }
                Fate::Pass
            }
        }
    }

    fn incoming(&mut self, hands: &mut Hands<'_, '_>, from: u16, _frame: &mut Vec<u8>) -> Fate {
        let here = from == self.victim && (self.from..self.to).contains(&hands.now());
        match self.eclipse {
            Eclipse::Withhold if here => Fate::Drop,
            Eclipse::Delay(ms) if here => Fate::Late(ms.max(1)),
            _ => Fate::Pass,
        }
    }
}

/// How a GL-node lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// It trims no more.
    Withhold,
    /// Two trims with one predecessor, of each epoch.
    Rivals,
    /// It trims what nobody can have approved yet.
    Cut,
    /// It proposes headers with more value than there is.
    Header,
}

/// A GL-node that lies from a moment on.
#[derive(Clone, Debug)]
pub struct Liar {
    /// How.
    pub lie: Lie,
    /// From when on.
    pub from: u64,
    done: Vec<Id>,
}

impl Liar {
    /// From this moment on.
    #[must_use]
    pub const fn new(lie: Lie, from: u64) -> Self {
        Self {
            lie,
            from,
            done: Vec::new(),
        }
    }
}

impl Actor for Liar {
    fn begin(&mut self, hands: &mut Hands<'_, '_>) {
        hands.confess();
        hands.wake_at(self.from);
    }

    fn wake(&mut self, hands: &mut Hands<'_, '_>) {
        hands.wake_at(hands.now() + 200);
        if self.lie == Lie::Withhold
            && let Some(gateway) = hands.gateway()
        {
            gateway.withholds = true;
        }
        if !matches!(self.lie, Lie::Rivals | Lie::Cut) {
            return;
        }
        let (me, now) = (hands.member(), hands.own_clock());
        let Some((_, node)) = hands.node_and_founding() else {
            return;
        };
        let headers = node.headers();
        let tangle = node.tangle();
        let newest = tangle
            .since(tangle.oldest_sequence())
            .filter_map(|(_, facts)| match facts.effect {
                Effect::Trim {
                    cut,
                    previous,
                    header,
                } => Some((facts.id, cut, previous, header)),
                _ => None,
            })
            .last();
        let (number, hash, cut) = (headers.newest(), headers.hash(), headers.cut());
        let body = match (self.lie, newest) {
            (Lie::Rivals, Some((id, cut, previous, header))) if !self.done.contains(&id) => {
                self.done.push(id);
                Body::Trim {
                    cut: Millis(cut.0 - 1),
                    previous,
                    header,
                    header_hash: hash,
                }
            }
            (Lie::Cut, _) if now > cut.0 + 100 => Body::Trim {
                cut: Millis(now - 10),
                previous: newest.map_or(hands.founding().neighbourhood, |(id, ..)| id),
                header: number,
                header_hash: hash,
            },
            _ => return,
        };
        let Some(end) = head(hands) else { return };
        let tips: Vec<Id> = standing(hands)
            .into_iter()
            .rev()
            .take(6)
            .map(|(_, id)| id)
            .collect();
        if let Some((own, frame)) = forge(hands, me, &end, &tips, now, body) {
            self.done.push(own.id);
            hands.count("attack: sent", 1);
            if self.lie == Lie::Rivals {
                // Half of the neighbours get this one first.
                hands.feed(hands.peers()[0], &frame);
            }
            spread(hands, &frame);
        }
    }

    fn outgoing(&mut self, hands: &mut Hands<'_, '_>, _to: u16, frame: &mut Vec<u8>) -> Fate {
        if self.lie == Lie::Header && hands.now() >= self.from {
            let lied = match Frame::parse(frame) {
                Ok((_, Frame::Proposal { cose, .. })) => lie(hands, cose),
                _ => None,
            };
            if let Some(lied) = lied {
                hands.count("attack: sent", 1);
                *frame = lied;
            }
        }
        Fate::Pass
    }
}

/// The same header with more value in it, signed as it should be.
fn lie(hands: &Hands<'_, '_>, cose: &[u8]) -> Option<Vec<u8>> {
    let mut header = SignedHeader::parse(cose).ok()?.header().to_owned();
    header.total_value.0 += 1;
    let mut buffer = vec![0; 1024];
    let payload = header_payload(&header, &mut buffer).ok()?.to_vec();
    let secret = hands.secret();
    let protected = sign1::protected(&secret.public_key());
    let mut message = vec![0; 2048];
    let neighbourhood = &hands.founding().neighbourhood;
    let message = header_signing_input(&protected, neighbourhood, &payload, &mut message).ok()?;
    let mut signed = vec![0; 2048];
    let len = sign1::assemble(&protected, &payload, &secret.sign(message), &mut signed).ok()?;
    let frame = Frame::Proposal {
        cose: &signed[..len],
        credited: 0,
    };
    Some(crate::gateway::written(&frame, hands.founding().tag()))
}

/// A device whose clock forgets the time at every power cut.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clockless;

impl Actor for Clockless {
    fn begin(&mut self, hands: &mut Hands<'_, '_>) {
        hands.lose_clock();
    }
}
