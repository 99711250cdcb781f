//! Validator sets, double votes and checkpoints: what is accepted is written again as the same bytes.
#![no_main]

use iotedge_core::posp::{Checkpoint, DoubleVote, ValidatorSet};
use iotedge_core::wire::Writer;
use iotedge_fuzz::{ROOM, same_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(set) = ValidatorSet::decode(bytes) {
        same_bytes(bytes, |w| set.encode(w));
        assert!(set.is_quorum(set.total()), "all of the stake is no quorum");
        assert!(
            !set.is_quorum(set.total() * 2 / 3),
            "two thirds are a quorum"
        );
    }
    if let Ok(checkpoint) = Checkpoint::decode(bytes) {
        same_bytes(bytes, |w| checkpoint.encode(w));
    }
    if let Ok(votes) = DoubleVote::decode(bytes) {
        let mut room = [0; ROOM];
        let mut writer = Writer::new(&mut room);
        votes
            .encode(&mut writer)
            .expect("what was read can be written");
        assert_eq!(
            writer.written(),
            bytes,
            "accepted bytes are written otherwise"
        );
    }
});
