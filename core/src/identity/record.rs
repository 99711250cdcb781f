//! A member's record: what the table of an epoch says about one member (protocol section 5).
//!
//! Invariant: a record has exactly one encoding, so that its leaf hash is a function of what it says. `decode` refuses any other bytes, and
//! `encode` refuses what `decode` would: a weight where the roles allow none, a key that is no key, roles of a later version.

use crate::crypto::PublicKey;
use crate::identity::key::CoseKey;
use crate::types::{Amount, Id, MemberIndex, Number, Weight};
use crate::wire::{Reader, WireError, Writer, merkle};

/// Most bytes of an encoded record: a P-256 key and every integer at its widest.
pub const MAX_RECORD: usize = 224;

/// What a member does, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// An ordinary L-node.
    pub const NONE: Self = Self(0);
    /// Closes the epochs of this neighbourhood: issues trims, joins and headers.
    pub const GL_NODE: Self = Self(1);
    /// Holds the whole window and answers for it.
    pub const FULL_NODE: Self = Self(2);
    /// A sensor that issues without following the DAG: weight 0.
    pub const SUBMIT_ONLY: Self = Self(4);
    /// Left, or was revoked: the record stays so that indices never move, the weight is 0 for good.
    pub const LEFT: Self = Self(8);

    /// The roles with these bits; `None` where a bit has no meaning in this version.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits & !0x0f == 0 {
            Some(Self(bits))
        } else {
            None
        }
    }

    /// The bits as they are encoded.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Both sets of roles together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every role of `other` is here.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The paper's limits on local value, enforced when signing and when accepting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Caps {
    /// Most of one transaction.
    pub tx: Amount,
    /// Most unsettled to one peer.
    pub peer: Amount,
    /// Most unsettled to all peers together.
    pub exposure: Amount,
}

impl Caps {
    /// Writes `[cap tx, cap peer, cap exposure]`.
    pub fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.put_array(3);
        w.put_uint(self.tx.0);
        w.put_uint(self.peer.0);
        w.put_uint(self.exposure.0);
        w.intact()
    }

    /// Reads `[cap tx, cap peer, cap exposure]`.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.take_array_of(3);
        let caps = Self {
            tx: Amount(r.take_uint()),
            peer: Amount(r.take_uint()),
            exposure: Amount(r.take_uint()),
        };
        r.intact()?;
        Ok(caps)
    }
}

/// One member as the table of an epoch knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Place in the table; never moves.
    pub index: MemberIndex,
    /// The account: SHA-256 of the member's first COSE_Key. Stays when keys rotate.
    pub device: Id,
    /// The key that signs in this epoch.
    pub key: PublicKey,
    /// Approval weight in this epoch; the sum over all records is W.
    pub weight: Weight,
    /// What the member does.
    pub roles: Roles,
    /// Limits on what it may owe.
    pub caps: Caps,
    /// Number of its last settled transaction, 0 where there is none.
    pub head_number: Number,
    /// Id of its last settled transaction; before the first, the G0 of the header that enrolled it.
    pub head_id: Id,
    /// Lifetime settled credits, C.
    pub credits: Amount,
    /// Lifetime settled debits.
    pub debits: Amount,
    /// Epochs since its last settled transaction, held at 255.
    pub idle: u8,
    /// Proved guilty of equivocation: nothing it issues counts.
    pub frozen: bool,
}

impl Record {
    /// A place in caller memory that holds no member yet.
    pub const EMPTY: Self = Self {
        index: MemberIndex(0),
        device: Id::ZERO,
        key: PublicKey::Ed25519([0; 32]),
        weight: Weight(0),
        roles: Roles::NONE,
        caps: Caps {
            tx: Amount(0),
            peer: Amount(0),
            exposure: Amount(0),
        },
        head_number: Number(0),
        head_id: Id::ZERO,
        credits: Amount(0),
        debits: Amount(0),
        idle: 0,
        frozen: false,
    };

    /// A member that has issued nothing yet: founder or joiner. `g0` is that of the header that enrols it (or of the genesis).
    #[must_use]
    pub fn enrolled(
        index: MemberIndex,
        key: PublicKey,
        roles: Roles,
        caps: Caps,
        grant: Amount,
        g0: Id,
    ) -> Self {
        let mut record = Self {
            index,
            device: CoseKey::thumbprint(&key),
            key,
            roles,
            caps,
            head_id: g0,
            credits: grant,
            ..Self::EMPTY
        };
        record.weight = record.base_weight();
        record
    }

    /// The weight that policy gives while the member is active: 1, or 0 for submit-only, frozen and left.
    #[must_use]
    pub const fn base_weight(&self) -> Weight {
        if self.frozen || self.roles.has(Roles::SUBMIT_ONLY) || self.roles.has(Roles::LEFT) {
            Weight(0)
        } else {
            Weight(1)
        }
    }

    /// Whether the member may issue transactions in the epoch of this table.
    #[must_use]
    pub const fn may_issue(&self) -> bool {
        !self.frozen && !self.roles.has(Roles::LEFT)
    }

    /// Writes the record. `Range` where `decode` would refuse what it says.
    pub fn encode(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        if self.weight != Weight(0) && self.base_weight() == Weight(0) {
            return Err(WireError::Range);
        }
        w.put_array(12);
        w.put_uint(u64::from(self.index.0));
        w.put_id(&self.device);
        CoseKey::encode(&self.key, w)?;
        w.put_uint(u64::from(self.weight.0));
        w.put_uint(u64::from(self.roles.bits()));
        self.caps.write(w)?;
        w.put_uint(u64::from(self.head_number.0));
        w.put_id(&self.head_id);
        w.put_uint(self.credits.0);
        w.put_uint(self.debits.0);
        w.put_uint(u64::from(self.idle));
        w.put_uint(u64::from(self.frozen));
        w.intact()
    }

    /// Reads one record, and nothing after it. The key is taken as it stands: whoever put it there has checked it, and a reader
    /// without its suite must still be able to hash the record.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        r.take_array_of(12);
        let index = MemberIndex(r.take_u16());
        let device = r.take_id();
        let key = r.take_item();
        r.intact()?;
        let key = CoseKey::decode(key)?;
        let weight = Weight(r.take_u32());
        let roles = Roles::from_bits(r.take_u8());
        if roles.is_none() {
            r.break_off(WireError::Range);
        }
        let caps = Caps::read(&mut r)?;
        let head_number = Number(r.take_u32());
        let head_id = r.take_id();
        let credits = Amount(r.take_uint());
        let debits = Amount(r.take_uint());
        let idle = r.take_u8();
        let frozen = r.take_uint();
        if frozen > 1 {
            r.break_off(WireError::Range);
        }
        r.finish()?;
        let record = Self {
            index,
            device,
            key,
            weight,
            roles: roles.ok_or(WireError::Range)?,
            caps,
            head_number,
            head_id,
            credits,
            debits,
            idle,
            frozen: frozen == 1,
        };
        if record.weight != Weight(0) && record.base_weight() == Weight(0) {
            return Err(WireError::Range);
        }
        Ok(record)
    }

    /// The record's leaf hash in the tree under the table root.
    pub fn leaf(&self) -> Result<Id, WireError> {
        let mut buffer = [0; MAX_RECORD];
        let mut w = Writer::new(&mut buffer);
        self.encode(&mut w)?;
        Ok(merkle::leaf_hash(w.written()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub fn any_record() -> impl Strategy<Value = Record> {
        let who = (
            any::<u16>(),
            any::<[u8; 32]>(),
            any::<[u8; 32]>(),
            any::<bool>(),
        );
        let rights = (any::<u32>(), 0u8..16, any::<[u64; 3]>(), any::<bool>());
        let state = (
            any::<u32>(),
            any::<[u8; 32]>(),
            any::<u64>(),
            any::<u64>(),
            any::<u8>(),
        );
        (who, rights, state).prop_map(
            |((index, device, key, p256), (weight, roles, caps, frozen), state)| {
                let key = match p256 {
                    true => PublicKey::Es256([key, device].concat().try_into().unwrap()),
                    false => PublicKey::Ed25519(key),
                };
                let mut record = Record {
                    index: MemberIndex(index),
                    device: Id(device),
                    key,
                    weight: Weight(weight),
                    roles: Roles::from_bits(roles).unwrap(),
                    caps: Caps {
                        tx: Amount(caps[0]),
                        peer: Amount(caps[1]),
                        exposure: Amount(caps[2]),
                    },
                    head_number: Number(state.0),
                    head_id: Id(state.1),
                    credits: Amount(state.2),
                    debits: Amount(state.3),
                    idle: state.4,
                    frozen,
                };
                if record.base_weight() == Weight(0) {
                    record.weight = Weight(0);
                }
                record
            },
        )
    }

    fn encoded(record: &Record) -> Vec<u8> {
        let mut buffer = [0; MAX_RECORD];
        let mut w = Writer::new(&mut buffer);
        record.encode(&mut w).unwrap();
        w.written().to_vec()
    }

    proptest! {
        #[test]
        fn records_come_back(record in any_record()) {
            let bytes = encoded(&record);
            prop_assert_eq!(Record::decode(&bytes), Ok(record));
            prop_assert_eq!(record.leaf(), Ok(merkle::leaf_hash(&bytes)));
        }

        #[test]
        fn what_is_accepted_is_the_only_encoding(record in any_record(), at: prop::sample::Index, bit in 0u8..8) {
            let mut bytes = encoded(&record);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(other) = Record::decode(&bytes) {
                prop_assert_ne!(other, record);
                prop_assert_eq!(encoded(&other), bytes);
            }
        }
    }

    #[test]
    fn the_longest_record_fits() {
        let mut record = Record {
            roles: Roles::FULL_NODE,
            ..Record::EMPTY
        };
        record.index = MemberIndex(u16::MAX);
        record.key = PublicKey::Es256([0xff; 64]);
        record.weight = Weight(u32::MAX);
        record.caps = Caps {
            tx: Amount(u64::MAX),
            peer: Amount(u64::MAX),
            exposure: Amount(u64::MAX),
        };
        record.head_number = Number(u32::MAX);
        record.credits = Amount(u64::MAX);
        record.debits = Amount(u64::MAX);
        record.idle = u8::MAX;
        assert!(encoded(&record).len() <= MAX_RECORD);
    }

    #[test]
    fn weight_without_a_right_to_it_is_refused() {
        let good = Record::enrolled(
            MemberIndex(0),
            PublicKey::Ed25519([3; 32]),
            Roles::NONE,
            Caps::default(),
            Amount(5),
            Id([1; 32]),
        );
        assert_eq!(good.weight, Weight(1));
        assert_eq!(good.device, CoseKey::thumbprint(&good.key));
        for bad in [
            Record {
                frozen: true,
                ..good
            },
            Record {
                roles: Roles::SUBMIT_ONLY,
                ..good
            },
            Record {
                roles: Roles::LEFT.with(Roles::FULL_NODE),
                ..good
            },
        ] {
            assert_eq!(bad.leaf(), Err(WireError::Range));
            let weightless = Record {
                weight: Weight(0),
                ..bad
            };
            let mut bytes = encoded(&weightless);
            // array head, index, device id, COSE_Key, weight
            let at = 1 + 1 + 34 + 40;
            assert_eq!(bytes[at], 0);
            bytes[at] = 1;
            assert_eq!(Record::decode(&bytes), Err(WireError::Range));
        }
    }

    #[test]
    fn unknown_roles_and_flags_are_refused() {
        let bytes = encoded(&Record::EMPTY);
        let mut roles = bytes.clone();
        roles[1 + 1 + 34 + 40 + 1] = 16;
        assert_eq!(Record::decode(&roles), Err(WireError::Range));
        let mut frozen = bytes.clone();
        *frozen.last_mut().unwrap() = 2;
        assert_eq!(Record::decode(&frozen), Err(WireError::Range));
        assert_eq!(Roles::from_bits(16), None);
        let mut longer = bytes;
        longer.push(0);
        assert_eq!(Record::decode(&longer), Err(WireError::TrailingBytes));
    }
}
