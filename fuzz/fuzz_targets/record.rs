//! Member record: what is accepted is written again as the same bytes, so a table has one root.
#![no_main]

use iotedge_core::identity::Record;
use iotedge_fuzz::same_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(record) = Record::decode(bytes) {
        same_bytes(bytes, |w| record.encode(w));
        let _ = (record.leaf(), record.base_weight(), record.may_issue());
    }
});
