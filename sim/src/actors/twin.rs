//! One of two devices with one key, in the hands of a colluder: whatever the rules say of one chain, it keeps to them, twice.
//!
//! Nothing that a member could forge by hand is stronger against honest nodes that are kept apart: each of the two nodes approves, trims and
//! votes for its side as an honest one would, and neither side can tell. With a clock set wrong it also dates back what it approves.

use super::{Actor, Fate, Hands};

/// A colluder's node. `Options::twins` makes the second one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Twin {
    /// It holds back what it sends by up to so many ms.
    pub lag: u64,
    /// It keeps so many of a million frames to itself.
    pub mute: u32,
    /// Its clock is wrong by so much, in ms.
    pub clock: i64,
}

impl Actor for Twin {
    fn begin(&mut self, hands: &mut Hands<'_, '_>) {
        hands.confess();
        hands.set_clock(self.clock);
    }

    fn outgoing(&mut self, hands: &mut Hands<'_, '_>, _to: u16, _frame: &mut Vec<u8>) -> Fate {
        if hands.rng().chance(self.mute) {
            return Fate::Drop;
        }
        match hands.rng().between(0, self.lag) {
            0 => Fate::Pass,
            ms => Fate::Late(ms),
        }
    }
}
