//! A receipt with the votes of 5 of 7 validators, for one of 100 transactions.

use crate::room::slice;
use core::hint::black_box;
use iotedge_core::crypto::{SecretKey, Software};
use iotedge_core::posp::close::{epoch_path, epoch_root, header_payload};
use iotedge_core::posp::{
    Header, MAX_HEADER, MAX_VOTE_MESSAGE, Receipt, Validator, ValidatorSet, vote_message,
};
use iotedge_core::wire::Writer;
use iotedge_core::wire::list::{List, Vote};
use iotedge_core::{Amount, HeaderNumber, Id, Millis};

const NEIGHBOURHOOD: Id = Id([0x5a; 32]);
const TRANSACTIONS: usize = 100;

pub struct Vouched {
    set: ValidatorSet,
    bytes: &'static [u8],
}

impl Vouched {
    pub fn new() -> Self {
        let keys: [SecretKey; 7] =
            core::array::from_fn(|n| SecretKey::from_seed(&[n as u8 + 1; 32]).expect("a seed"));
        let public = |key: &SecretKey| {
            let key = key.public_key();
            <[u8; 32]>::try_from(key.bytes()).expect("32 bytes")
        };
        let validators: [Validator; 7] = core::array::from_fn(|n| Validator {
            key: public(&keys[n]),
            stake: 1,
        });
        let set = ValidatorSet::new(1, HeaderNumber(1), &validators).expect("a set");
        let header = Header {
            neighbourhood: NEIGHBOURHOOD,
            number: HeaderNumber(700),
            previous: Id([1; 32]),
            trim: Id([2; 32]),
            cut: Millis(1_700_000_000_000),
            g0: Id([3; 32]),
            count: TRANSACTIONS as u32,
            state_root: Id([4; 32]),
            exits_root: Id([5; 32]),
            table_root: Id([6; 32]),
            members: 1_000,
            weight: 1_000,
            set_hash: set.hash(),
            total_value: Amount(10_000_000),
            first_time: Millis(1_699_999_400_000),
            last_time: Millis(1_699_999_999_000),
        };
        let mut payload = [0; MAX_HEADER];
        let payload = header_payload(&header, &mut payload).expect("fits");
        let ids: [Id; TRANSACTIONS] = core::array::from_fn(|n| Id([n as u8; 32]));
        let root = epoch_root(payload, &ids).expect("a root");
        let votes: [Vote; 5] = core::array::from_fn(|n| {
            let mut message = [0; MAX_VOTE_MESSAGE];
            let key = public(&keys[n]);
            let message = vote_message(&key, &NEIGHBOURHOOD, header.number, &root, &mut message);
            Vote {
                index: n as u8,
                signature: keys[n].sign(message.expect("fits")),
            }
        });
        let (mut top, mut path) = ([Id::ZERO; 32], [Id::ZERO; 32]);
        let top_len = epoch_path(payload, &ids, 0, &mut top).expect("a path");
        let path_len = epoch_path(payload, &ids, 43, &mut path).expect("a path");
        let receipt = Receipt {
            header: payload,
            header_path: List::of(&top[..top_len]),
            tx: ids[42],
            leaf: 43,
            path: List::of(&path[..path_len]),
            votes: List::of(&votes),
        };
        let mut w = Writer::new(slice(0, 2_000));
        receipt.encode(&mut w).expect("fits");
        Self {
            set,
            bytes: w.into_written(),
        }
    }

    pub fn verify(&self) -> bool {
        Receipt::parse(black_box(self.bytes))
            .and_then(|receipt| receipt.verify(&self.set, &NEIGHBOURHOOD, &mut Software))
            .is_ok()
    }
}
