//! What is due at a host, and in which order; what a host has to say of the whole run.
//!
//! Invariant: the order of a host's queue is total and follows from what caused each entry, never from threads.

use iotedge_core::node::Grade;
use iotedge_core::tangle::Facts;
use iotedge_core::{Id, MemberIndex};
use std::cmp::Ordering;

/// Something that is due at a host.
#[derive(Debug)]
pub(crate) enum What {
    Down {
        lost: bool,
    },
    Up,
    Frame {
        from: u16,
        bytes: Box<[u8]>,
    },
    /// An actor held it back until now.
    Take {
        from: u16,
        bytes: Box<[u8]>,
    },
    Leave {
        to: u16,
        bytes: Box<[u8]>,
    },
    Told {
        from: u16,
        bytes: Box<[u8]>,
    },
    Landed(Id),
    Act,
    Actor,
    Tick,
    Sample,
}

impl What {
    /// What comes first within one millisecond.
    fn rank(&self) -> u64 {
        match self {
            Self::Down { .. } => 0,
            Self::Up => 1,
            Self::Frame { .. } => 2,
            Self::Take { .. } => 3,
            Self::Leave { .. } => 4,
            Self::Told { .. } => 5,
            Self::Landed(_) => 6,
            Self::Act => 7,
            Self::Actor => 8,
            Self::Tick => 9,
            Self::Sample => 10,
        }
    }
}

/// When, and in which order within that millisecond: by kind, then by who caused it, then as it was caused. No order depends on threads.
#[derive(Debug)]
pub(crate) struct Due {
    key: (u64, u64),
    pub what: What,
}

impl Due {
    pub fn new(at: u64, cause: u16, serial: u32, what: What) -> Self {
        let order = what.rank() << 48 | u64::from(cause) << 32 | u64::from(serial);
        Self {
            key: (at, order),
            what,
        }
    }

    pub fn at(&self) -> u64 {
        self.key.0
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Backwards: the heap gives the first.
impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

/// What concerns the whole run.
#[derive(Debug)]
pub(crate) enum Note {
    Violated(String),
    /// A validator computes another header than this host proposed.
    Disagrees {
        with: u16,
        what: String,
    },
    /// A transaction got a grade beyond `Witnessed`, on an honest host.
    Graded {
        id: Id,
        grade: Grade,
        facts: Option<Facts>,
    },
    /// The gateway settled a header.
    Header(u32),
    Frozen(MemberIndex),
    Guilty,
    Forked([Id; 2]),
    /// For the trace.
    Line(String),
}
