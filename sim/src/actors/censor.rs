//! A head that keeps what leaves give it to pass on, and does all else as it should.

use super::{Actor, Fate, Hands};
use iotedge_core::wire::FrameType;

/// Drops the transactions of leaves, but offers and answers, and says of none that it has it.
#[derive(Clone, Copy, Debug)]
pub struct Censor {
    /// From here on, in ms.
    pub from: u64,
}

impl Actor for Censor {
    fn incoming(&mut self, hands: &mut Hands<'_, '_>, from: u16, frame: &mut Vec<u8>) -> Fate {
        let tx = frame.get(4) == Some(&FrameType::Tx.number());
        if tx && from >= hands.first_leaf() && hands.now() >= self.from {
            hands.count("kept back from leaves", 1);
            Fate::Drop
        } else {
            Fate::Pass
        }
    }
}
