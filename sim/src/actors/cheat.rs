//! A device that signs two payments with one number and sends one to every other neighbour. After that its application is silent; its
//! node goes on.

use super::{Actor, Hands};
use crate::founding::Founding;
use crate::gateway::{SimNode, written};
use iotedge_core::tangle::Tables as _;
use iotedge_core::tx::{Body, Draft, sign_with};
use iotedge_core::wire::Frame;
use iotedge_core::{Amount, Epoch, Id, MAX_FRAME, MAX_PAYLOAD, MemberIndex};

/// Again after so long, while a side is nowhere: a fork of which one side was lost on all links is none.
const AGAIN: u64 = 1_000;

/// Equivocates once.
#[derive(Debug)]
pub struct Cheat {
    at: u64,
    fork: Option<Fork>,
    landed: [bool; 2],
}

impl Cheat {
    /// It cheats at this moment, or as soon as it is a member.
    #[must_use]
    pub fn new(at: u64) -> Self {
        Self {
            at,
            fork: None,
            landed: [false; 2],
        }
    }

    fn spread(&self, hands: &mut Hands<'_, '_>) {
        let Some(fork) = &self.fork else { return };
        for (side, frame) in fork.frames.iter().enumerate() {
            if self.landed[side] {
                continue;
            }
            let some: Vec<u16> = hands
                .peers()
                .iter()
                .copied()
                .skip(side)
                .step_by(2)
                .collect();
            for peer in some {
                hands.send(peer, frame);
            }
        }
    }
}

impl Actor for Cheat {
    fn begin(&mut self, hands: &mut Hands<'_, '_>) {
        hands.wake_at(self.at);
    }

    fn wake(&mut self, hands: &mut Hands<'_, '_>) {
        if self.fork.is_none() {
            let (me, members) = (hands.me(), hands.scenario().nodes);
            let payees = [(me % (members - 1)) + 1, ((me + 1) % (members - 1)) + 1];
            let payees = payees.map(|p| if p == me { 0 } else { p });
            self.fork = fork(hands, payees);
            if let Some(fork) = &self.fork {
                hands.forked(fork.ids);
            }
        }
        self.spread(hands);
        if self.landed != [true; 2] {
            hands.wake_at(hands.now() + AGAIN);
        }
    }

    fn landed(&mut self, _hands: &mut Hands<'_, '_>, id: &Id) {
        let ids = self.fork.as_ref().map(|f| f.ids).unwrap_or_default();
        for (landed, side) in self.landed.iter_mut().zip(ids) {
            *landed |= side == *id;
        }
    }

    fn trades(&self) -> bool {
        self.fork.is_none()
    }
}

/// Two payments with one number, signed and framed.
#[derive(Debug)]
pub struct Fork {
    /// Their ids.
    pub ids: [Id; 2],
    /// Their TX frames.
    pub frames: [Vec<u8>; 2],
}

/// Signs two payments with one number, to two payees, behind the back of the own node. `None`: not a member yet, or recovering.
#[must_use]
pub fn fork(hands: &mut Hands<'_, '_>, payees: [u16; 2]) -> Option<Fork> {
    let (member, absolute) = (hands.me(), hands.own_clock());
    let (founding, node) = hands.node_and_founding()?;
    signed(founding, member, absolute, node, payees)
}

fn signed(
    founding: &Founding,
    member: u16,
    absolute: u64,
    node: &SimNode<'_>,
    payees: [u16; 2],
) -> Option<Fork> {
    let index = MemberIndex(member);
    let head = node.tangle().head(node.tables(), index)?;
    let fresh = founding.genesis.parent_age.0;
    let tips: Vec<Id> = node
        .tangle()
        .tips()
        .filter(|id| {
            node.tangle().get(id).is_some_and(|f| {
                f.issuer != index && f.time.0 + fresh > absolute + 50 && f.time.0 < absolute
            })
        })
        .take(2)
        .collect();
    let below = || tips.iter().chain([&head.id]);
    let epoch = below()
        .filter_map(|id| node.tangle().hands_on(id))
        .max()
        .unwrap_or(Epoch(1));
    let last = below()
        .filter_map(|id| node.tangle().get(id))
        .map(|f| f.time.0)
        .max();
    let time = absolute.max(last.unwrap_or(0) + 1);
    let start = node.tables().clock_start(epoch)?;
    let offset = u32::try_from(time.checked_sub(start.0)?).ok()?;
    let mut ids = [Id::ZERO; 2];
    let mut frames = [Vec::new(), Vec::new()];
    for (side, payee) in payees.into_iter().enumerate() {
        let amount = Amount(7 + side as u64);
        let draft = Draft {
            epoch,
            issuer: index,
            number: head.number.checked_add(1)?,
            offset,
            first: head.id,
            tips: &tips,
            body: Body::Transfer {
                to: MemberIndex(payee),
                amount,
                debits: head.debits.checked_add(amount.0)?,
            },
        };
        let mut payload = [0; MAX_PAYLOAD];
        let fitted = draft.encode(&mut payload).ok()?;
        let mut cose = [0; MAX_FRAME];
        let tx = sign_with(
            &founding.device(member),
            &founding.neighbourhood,
            fitted.payload,
            &fitted.parents,
            &mut cose,
        )
        .ok()?;
        ids[side] = tx.id();
        let frame = Frame::Tx {
            cose: tx.cose(),
            attachment: None,
        };
        frames[side] = written(&frame, founding.tag());
    }
    Some(Fork { ids, frames })
}
