//! Newtypes for every number with a unit, and the identifiers that all rooms share.
//!
//! A bare integer in a signature is a question; these are the answers.

use core::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl $name {
            /// The sum, or `None` on overflow.
            #[must_use]
            pub const fn checked_add(self, other: $inner) -> Option<Self> {
                match self.0.checked_add(other) {
                    Some(v) => Some(Self(v)),
                    None => None,
                }
            }

            /// The difference, or `None` below zero.
            #[must_use]
            pub const fn checked_sub(self, other: $inner) -> Option<Self> {
                match self.0.checked_sub(other) {
                    Some(v) => Some(Self(v)),
                    None => None,
                }
            }

            /// The sum, held at the greatest value.
            #[must_use]
            pub const fn saturating_add(self, other: $inner) -> Self {
                Self(self.0.saturating_add(other))
            }

            /// The difference, held at zero.
            #[must_use]
            pub const fn saturating_sub(self, other: $inner) -> Self {
                Self(self.0.saturating_sub(other))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

number!(
    /// Milliseconds: absolute since 1970-01-01T00:00:00Z where a point in time is meant, else a duration.
    Millis, u64
);
number!(
    /// Micro-tokens.
    Amount, u64
);
number!(
    /// Number of a transaction in its issuer's chain; the first is 1, 0 stands for "none yet".
    Number, u32
);
number!(
    /// Number that a payer gives a metered sale: which of its hash chains. Never given twice.
    SaleNumber, u32
);
number!(
    /// Number of an epoch; the genesis opens epoch 1.
    Epoch, u32
);
number!(
    /// Number of a macro transaction header; the genesis stands as header 0 and opens epoch 1.
    HeaderNumber, u32
);
number!(
    /// Index of a member in its neighbourhood's table.
    MemberIndex, u16
);
number!(
    /// Approval weight of a member, in the units of the policy.
    Weight, u32
);

impl Epoch {
    /// Whether nothing of this epoch can be settled any more once `newest` was opened: a trim of epoch e settles what is of e - 1 at the
    /// earliest, and opens e + 2.
    #[must_use]
    pub(crate) const fn is_void_from(self, newest: Self) -> bool {
        self.0.saturating_add(2) < newest.0
    }
}

impl HeaderNumber {
    /// The epoch that this header opens.
    #[must_use]
    pub const fn opens(self) -> Epoch {
        Epoch(self.0.saturating_add(1))
    }
}

/// A neighbour, as the transport numbers it. The core never sees an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer(pub u16);

/// A 32-byte SHA-256 identifier: of a transaction, a header, a neighbourhood, a device or a G0.
///
/// Aligned to words: without it compilers for cores that cannot load what is not aligned take it apart into bytes (docs/decisions/0026).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(align(4))]
pub struct Id(pub [u8; 32]);

/// The first 16 bytes of a transaction id: how parents and announcements travel. Never stored or compared in place of the id.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(align(4))]
pub struct Prefix(pub [u8; 16]);

impl Id {
    /// All zero: stands for "none" where a format has a fixed place for an id.
    pub const ZERO: Self = Self([0; 32]);

    /// The 16 bytes that travel.
    #[must_use]
    pub const fn prefix(&self) -> Prefix {
        let Some((head, _)) = self.0.split_first_chunk::<16>() else {
            return Prefix([0; 16]);
        };
        Prefix(*head)
    }

    /// The four bytes that open every frame of the neighbourhood with this id.
    #[must_use]
    pub const fn tag(&self) -> [u8; 4] {
        self.prefix().tag()
    }
}

impl Prefix {
    /// The first four bytes, where a mistake costs no more than a request.
    pub(crate) const fn tag(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = self.0;
        [a, b, c, d]
    }
}

macro_rules! hex_debug {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                for byte in &self.0 {
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
        }
    };
}
hex_debug!(Id);
hex_debug!(Prefix);

/// Most bytes of a transaction's payload (protocol section 3).
pub const MAX_PAYLOAD: usize = 480;
/// Most bytes of a frame (protocol section 4): two payloads of evidence with their proof still fit.
pub const MAX_FRAME: usize = 1400;
/// Most parents of a transaction, the issuer's own previous one included.
pub const MAX_PARENTS: usize = 8;
