//! Who uses the nodes: honest devices that publish readings and pay each other, and a cheat.

use crate::founding::Founding;
use crate::gateway::{SimNode, written};
use crate::rng::Rng;
use iotedge_core::node::{Refusal, Submission};
use iotedge_core::tangle::Tables as _;
use iotedge_core::tx::{Body, Draft, sign_with};
use iotedge_core::wire::Frame;
use iotedge_core::wire::senml::{self, Decimal, Reading};
use iotedge_core::{Amount, Epoch, Id, MAX_FRAME, MAX_PAYLOAD, MemberIndex, Millis};

/// The application of an honest device.
#[derive(Debug)]
pub struct Trader {
    rng: Rng,
    /// Mean time between two transactions, in ms.
    pause: u64,
    trade: u8,
    /// Members that it trades with.
    partners: Vec<u16>,
    value: i64,
}

impl Trader {
    /// A trader that issues `rate` transactions per minute.
    #[must_use]
    pub fn new(rng: Rng, rate: u32, trade: u8, partners: Vec<u16>) -> Self {
        Self {
            rng,
            pause: (60_000 / u64::from(rate.max(1))).max(1),
            trade,
            partners,
            value: 200,
        }
    }

    /// When it acts next: half to one and a half times the mean.
    pub fn pause(&mut self) -> u64 {
        self.rng
            .between(self.pause / 2, self.pause + self.pause / 2)
            .max(1)
    }

    /// Submits a reading or a payment.
    ///
    /// # Errors
    /// The node's refusal.
    pub fn act(&mut self, local: Millis, node: &mut SimNode<'_>) -> Result<(), Refusal> {
        let pays = self.rng.below(100) < u64::from(self.trade) && !self.partners.is_empty();
        if pays {
            let to = self.partners[self.rng.below(self.partners.len() as u64) as usize];
            let transfer = Submission::Transfer {
                to: MemberIndex(to),
                amount: Amount(self.rng.between(1, 5)),
            };
            return node.submit(local, &transfer, None).map(|_| ());
        }
        self.value += self.rng.between(0, 6) as i64 - 3;
        let reading = Reading {
            name: "temp",
            unit: Some("Cel"),
            value: Decimal::new(self.value, -1).unwrap_or_default(),
            time: None,
        };
        let mut out = [0; 64];
        let pack = senml::encode(None, &[reading], &mut out).map_err(|_| Refusal::BodyLength)?;
        node.submit(local, &Submission::Data(pack), None)
            .map(|_| ())
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

/// Signs two payments with one number, to two payees, behind the back of the own node.
#[must_use]
pub fn fork(
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
