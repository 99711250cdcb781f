//! Macro transaction headers: what is accepted is written again as the same bytes, so a header has one hash.
#![no_main]

use iotedge_core::posp::{Header, SignedHeader};
use iotedge_fuzz::same_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(header) = Header::decode(bytes) {
        same_bytes(bytes, |w| header.encode(w));
    }
    if let Ok(signed) = SignedHeader::parse(bytes) {
        same_bytes(signed.payload(), |w| signed.header().encode(w));
    }
});
