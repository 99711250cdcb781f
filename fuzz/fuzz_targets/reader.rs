//! CBOR: an item that is accepted as a whole is also read value by value, and written again as the same bytes.
#![no_main]

use iotedge_core::wire::{Reader, Writer};
use iotedge_fuzz::{ROOM, copy_item};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if bytes.len() > ROOM {
        return;
    }
    let mut whole = Reader::new(bytes);
    let Ok(item) = whole.item() else { return };
    assert_eq!(item, &bytes[..item.len()]);
    let mut room = [0; ROOM];
    let mut writer = Writer::new(&mut room);
    // Negative numbers below -2^63 are well-formed CBOR that no field of ours has: int() refuses them, item() does not.
    if copy_item(&mut Reader::new(item), &mut writer).is_ok() {
        assert_eq!(writer.written(), item, "one value with two encodings");
    }
});
