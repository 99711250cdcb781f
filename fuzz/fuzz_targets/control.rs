//! The control: this target must crash, or the fuzzer finds nothing. Four conditions on nine bytes stand before the panic, far out
//! of reach of blind chance; only coverage feedback gets there.
#![no_main]

use iotedge_core::wire::Reader;
use libfuzzer_sys::fuzz_target;

#[inline(never)]
fn stage(reader: &mut Reader<'_>, number: u64) -> Option<()> {
    (reader.uint() == Ok(number)).then_some(())
}

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::new(bytes);
    if reader.array() != Ok(3) {
        return;
    }
    let Some(()) = stage(&mut reader, 5) else {
        return;
    };
    if !reader.bytes().is_ok_and(|b| b.len() == 5) {
        return;
    }
    let Some(()) = stage(&mut reader, 11) else {
        return;
    };
    panic!("the control was reached");
});
