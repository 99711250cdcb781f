//! COSE_Key: what is accepted is written again as the same bytes, so a key has one thumbprint.
#![no_main]

use iotedge_core::identity::CoseKey;
use iotedge_fuzz::same_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(key) = CoseKey::decode(bytes) {
        same_bytes(bytes, |w| CoseKey::encode(&key, w));
        let _ = key.check();
    }
});
