//! Who uses the nodes, and who stands between a node and its links.
//!
//! A host has an honest application (a `Trader`) and may have an [`Actor`] besides: somebody who owns the device. It holds the real node and
//! the device's own key, sees every frame before it leaves and before it arrives, and may alter, drop, delay or add to them. It knows
//! only what its host knows; what several actors agree on they whisper to each other. All its chance comes from [`Hands::rng`] and it
//! keeps no state outside itself, so a run is the same on any number of threads.

mod censor;
mod cheat;
mod flood;
pub mod forge;
mod hands;
mod market;
mod shapes;
mod silent;
mod trader;
mod twin;
mod warden;

pub use censor::Censor;
pub use cheat::Cheat;
pub use flood::{Flood, Flooder, Replayer};
pub use hands::Hands;
pub use market::{Auditor, Dealer};
pub use shapes::{Forker, Lazy, Parasite};
pub use silent::Silent;
pub use trader::Trader;
pub use twin::Twin;
pub use warden::{Clockless, Eclipse, Liar, Lie, Only, Warden};

use iotedge_core::Id;
use iotedge_core::node::Event;

/// What becomes of a frame that an actor was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on, as the actor left it.
    Pass,
    /// Nobody gets it.
    Drop,
    /// It goes on so many ms later, and is not shown again.
    Late(u64),
}

/// Somebody who owns a host. Every verb does nothing unless it is written.
pub trait Actor: Send {
    /// The run begins; the node is not running yet. To plan the first [`Hands::wake_at`].
    fn begin(&mut self, _hands: &mut Hands<'_, '_>) {}
    /// A moment has come that was asked for by [`Hands::wake_at`].
    fn wake(&mut self, _hands: &mut Hands<'_, '_>) {}
    /// The host is about to send this frame.
    fn outgoing(&mut self, _hands: &mut Hands<'_, '_>, _to: u16, _frame: &mut Vec<u8>) -> Fate {
        Fate::Pass
    }
    /// This frame came from a neighbour. What is dropped the node (or the gateway's process) never sees.
    fn incoming(&mut self, _hands: &mut Hands<'_, '_>, _from: u16, _frame: &mut Vec<u8>) -> Fate {
        Fate::Pass
    }
    /// The node told its application this.
    fn event(&mut self, _hands: &mut Hands<'_, '_>, _event: &Event) {}
    /// Another actor whispered.
    fn told(&mut self, _hands: &mut Hands<'_, '_>, _from: u16, _message: &[u8]) {}
    /// One side of a declared fork ([`Hands::forked`]) is in somebody's ledger.
    fn landed(&mut self, _hands: &mut Hands<'_, '_>, _id: &Id) {}
    /// Whether the honest application goes on.
    fn trades(&self) -> bool {
        true
    }
}
