//! The application of an honest device: it publishes readings and pays others.

use crate::gateway::SimNode;
use crate::rng::Rng;
use iotedge_core::node::{Refusal, Submission};
use iotedge_core::wire::senml::{self, Decimal, Reading};
use iotedge_core::{Amount, MemberIndex, Millis};

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
    /// A trader that waits `pause` ms on average between two transactions.
    #[must_use]
    pub fn new(rng: Rng, pause: u64, trade: u8, partners: Vec<u16>) -> Self {
        Self {
            rng,
            pause,
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
