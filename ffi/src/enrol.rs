//! What a device signs once to enrol, where its key is elsewhere.
//!
//! Invariant: the statement names the neighbourhood's authority and the device and nothing that changes, so one signature lasts (docs/protocol.md section 2.2).

use crate::key::{iotedge_public_key_t, public_key};
use crate::raw::{OutBytes, array, done};
use iotedge_core::Id;
use iotedge_core::identity::enrol;

/// What an external signer signs once, at provisioning, to prove that it holds the device's key (docs/protocol.md section 2.2).
/// The signature goes into `iotedge_config_t.enrolment` or `iotedge_leaf_config_t.enrolment`.
///
/// `authority`: the pinned neighbourhood authority. `device`: 32 bytes, see `iotedge_device_id`. `statement`: room for
/// `statement_capacity` bytes, 96 are enough; `statement_len`: their number. Both written on success.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_enrol_statement(
    authority: *const iotedge_public_key_t,
    device: *const u8,
    statement: *mut u8,
    statement_capacity: usize,
    statement_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let authority = public_key(authority)?;
        let device = Id(*array::<32>(device)?);
        let out = OutBytes::new(statement, statement_capacity, statement_len)?;
        let text = enrol::statement(&authority, &device).map_err(crate::wire_status)?;
        out.write(text.as_bytes())
    })())
}
