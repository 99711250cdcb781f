//! SenML packs: what is accepted is written again as the same bytes, so a reading has one encoding.
#![no_main]

use iotedge_core::wire::senml::{Pack, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(pack) = Pack::parse(bytes) else { return };
    let readings: Vec<_> = pack.iter().collect();
    assert_eq!(readings.len(), pack.len());
    let mut room = [0; 4096];
    let written =
        encode(pack.base_name(), &readings, &mut room).expect("what was read can be written");
    assert_eq!(written, bytes, "accepted bytes are written otherwise");
});
