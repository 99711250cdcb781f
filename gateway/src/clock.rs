//! The daemon's clock: monotonic milliseconds for the node, and how they relate to absolute time.

use iotedge_core::Millis;
use iotedge_core::node::Clock as NodeClock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Started once; steps of the system's wall clock afterwards do not reach the node.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    offset: i64,
}

impl Clock {
    /// Starts at local time 1.
    ///
    /// # Errors
    /// The system's clock stands before 1970.
    pub fn start() -> anyhow::Result<Self> {
        let absolute = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|_| anyhow::anyhow!("the clock of this machine stands before 1970; set it"))?;
        Ok(Self {
            start: Instant::now(),
            offset: i64::try_from(absolute.as_millis())? - 1,
        })
    }

    /// Local monotonic time.
    #[must_use]
    pub fn now(&self) -> Millis {
        Millis(
            u64::try_from(self.start.elapsed().as_millis())
                .unwrap_or(u64::MAX)
                .saturating_add(1),
        )
    }

    /// Absolute time of a local one.
    #[must_use]
    pub const fn absolute(&self, now: Millis) -> Millis {
        Millis(now.0.saturating_add_signed(self.offset))
    }

    /// What the node is told.
    #[must_use]
    pub const fn node(&self) -> NodeClock {
        NodeClock::Offset(self.offset)
    }
}
