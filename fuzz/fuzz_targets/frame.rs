//! Frames: what is accepted is written again as the same bytes, and what it carries is parsed on.
#![no_main]

use iotedge_core::MAX_FRAME;
use iotedge_core::identity::Record;
use iotedge_core::tx::Unverified;
use iotedge_core::wire::frame::Frame;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok((tag, frame)) = Frame::parse(bytes) else {
        return;
    };
    let mut room = [0; MAX_FRAME];
    let written = frame
        .write(tag, &mut room)
        .expect("what was read can be written");
    assert_eq!(
        &room[..written],
        bytes,
        "accepted bytes are written otherwise"
    );
    match frame {
        Frame::Tx { cose, .. } => {
            let _ = Unverified::parse(cose);
        }
        Frame::Table { records, .. } => {
            for raw in records.iter() {
                let _ = Record::decode(raw.0);
            }
        }
        _ => {}
    }
});
