//! A member that says nothing for a time, and hears nothing: dead, asleep, or holding back what it alone has heard.

use super::{Actor, Fate, Hands};

/// Says nothing, by any means, between two moments of the run.
#[derive(Clone, Copy, Debug)]
pub struct Silent {
    /// From here on, in ms.
    pub from: u64,
    /// Until.
    pub to: u64,
}

impl Actor for Silent {
    fn begin(&mut self, hands: &mut Hands<'_, '_>) {
        hands.confess();
    }

    fn outgoing(&mut self, hands: &mut Hands<'_, '_>, _to: u16, _frame: &mut Vec<u8>) -> Fate {
        if (self.from..self.to).contains(&hands.now()) {
            Fate::Drop
        } else {
            Fate::Pass
        }
    }
}
