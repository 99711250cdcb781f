//! Manifests outside of an update: read by who passes them on, and made by the maker.

use super::update::{component, manifest_status, padded};
use super::{
    IOTEDGE_UPDATE_MAX_MANIFEST, OLDEST_DESCRIPTOR, described, descriptor,
    iotedge_content_descriptor_t,
};
use crate::key::{iotedge_public_key_t, public_key};
use crate::raw::{Call, OutBytes, OutStruct, Sized32, array, decided, done, input, structure};
use crate::status;
use iotedge_core::Id;
use iotedge_core::content::manifest::{MAX_MANIFEST, Manifest, Signed};
use iotedge_core::crypto::{Signature, Software};
use iotedge_core::identity::Seconds;
use iotedge_core::identity::sign1::SIG_STRUCTURE_OVERHEAD;

/// A manifest says when it expires.
pub const IOTEDGE_MANIFEST_EXPIRES: u32 = 1;
/// A manifest is of a delta: `precursor` must run.
pub const IOTEDGE_MANIFEST_PRECURSOR: u32 = 2;
/// Most bytes of what a maker signs.
pub const IOTEDGE_MANIFEST_MAX_INPUT: usize = 315;
const _: () =
    assert!(IOTEDGE_MANIFEST_MAX_INPUT == IOTEDGE_UPDATE_MAX_MANIFEST + SIG_STRUCTURE_OVERHEAD);

/// What a manifest says beside its content. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_manifest_t {
    /// `sizeof(iotedge_manifest_t)`.
    pub size: u32,
    /// How to read the payload: 0 is the image as it runs, others are the vendor's.
    pub format: u32,
    /// 1 and above; each release has a higher one.
    pub sequence: u64,
    /// With `IOTEDGE_MANIFEST_EXPIRES`: not to be begun from then on, in seconds since 1970. Else zero.
    pub expires: u64,
    /// Whose devices: a UUID.
    pub vendor_id: [u8; 16],
    /// Which of them: a UUID.
    pub class_id: [u8; 16],
    /// Which part of the device, then zeros.
    pub component: [u8; 16],
    /// Bytes of `component`, 1 to `IOTEDGE_UPDATE_MAX_COMPONENT`.
    pub component_len: u32,
    /// `IOTEDGE_MANIFEST_EXPIRES`, `IOTEDGE_MANIFEST_PRECURSOR`, added.
    pub flags: u32,
    /// With `IOTEDGE_MANIFEST_PRECURSOR`: SHA-256 of the image that must run. Else zero.
    pub precursor: [u8; 32],
    /// SHA-256 of the payload.
    pub digest: [u8; 32],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_manifest_t {}
const OLDEST_MANIFEST: usize = 144;
const _: () = assert!(size_of::<iotedge_manifest_t>() == OLDEST_MANIFEST);

fn told(said: &Manifest<'_>) -> iotedge_manifest_t {
    let (component, component_len) = padded(said.component);
    let flag = |set: bool, flag: u32| if set { flag } else { 0 };
    iotedge_manifest_t {
        size: 0,
        format: said.format,
        sequence: said.sequence,
        expires: said.expires.map_or(0, |at| at.0),
        vendor_id: said.vendor,
        class_id: said.class,
        component,
        component_len,
        flags: flag(said.expires.is_some(), IOTEDGE_MANIFEST_EXPIRES)
            | flag(said.precursor.is_some(), IOTEDGE_MANIFEST_PRECURSOR),
        precursor: said.precursor.unwrap_or(Id::ZERO).0,
        digest: said.digest.0,
    }
}

/// Runs `work` on the manifest in the core's terms.
///
/// # Safety
/// As [`structure`].
unsafe fn with_manifest<R>(
    given: *const iotedge_manifest_t,
    content: *const iotedge_content_descriptor_t,
    work: impl FnOnce(&Manifest<'_>) -> Call<R>,
) -> Call<R> {
    // SAFETY: the caller's promise.
    let (given, content) = unsafe { (structure(given, OLDEST_MANIFEST)?, descriptor(content)?) };
    let has = |flag: u32| given.flags & flag != 0;
    let known = IOTEDGE_MANIFEST_EXPIRES | IOTEDGE_MANIFEST_PRECURSOR;
    let unsaid = (!has(IOTEDGE_MANIFEST_EXPIRES) && given.expires != 0)
        || (!has(IOTEDGE_MANIFEST_PRECURSOR) && given.precursor != [0; 32]);
    if given.flags & !known != 0 || unsaid {
        return Err(status::IOTEDGE_E_ARGUMENT);
    }
    work(&Manifest {
        sequence: given.sequence,
        vendor: given.vendor_id,
        class: given.class_id,
        component: component(&given.component, given.component_len)?,
        format: given.format,
        expires: has(IOTEDGE_MANIFEST_EXPIRES).then_some(Seconds(given.expires)),
        precursor: has(IOTEDGE_MANIFEST_PRECURSOR).then_some(Id(given.precursor)),
        digest: Id(given.digest),
        content,
    })
}

/// Says what a manifest says, if `key` signed it: for who serves or passes on firmware. A device that is to install one gives it to `iotedge_update_offer`, which asks more.
///
/// `manifest`: `manifest_len` bytes. `said`, `content`: set their `size` first; written on success.
///
/// `IOTEDGE_E_WRONG_SIGNER`, `IOTEDGE_E_SIGNATURE`, `IOTEDGE_E_SIGNATURE_MALFORMED`: not by this key. `IOTEDGE_E_VERSION`, `IOTEDGE_E_RANGE`, `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_PROTECTED_HEADER`,
/// `IOTEDGE_E_MALFORMED` and others of bytes: no manifest of a form that is known here.
///
/// From any thread. Not from an interrupt: one signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_manifest_verify(
    key: *const iotedge_public_key_t,
    manifest: *const u8,
    manifest_len: usize,
    said: *mut iotedge_manifest_t,
    content: *mut iotedge_content_descriptor_t,
) -> i32 {
    let mut again = false;
    // SAFETY: the promises of the comment.
    decided(|verifier| unsafe {
        let key = public_key(key)?;
        let bytes = input(manifest, manifest_len)?;
        let out = OutStruct::new(said, OLDEST_MANIFEST)?;
        let which = OutStruct::new(content, OLDEST_DESCRIPTOR)?;
        let signed = Signed::parse(bytes).map_err(manifest_status)?;
        let found = signed.verify(&key, verifier).map_err(manifest_status)?;
        if again {
            out.write(&told(&found));
            which.write(&described(&found.content));
        }
        again = true;
        Ok(())
    })
}

/// What a maker signs of a manifest: in software (`iotedge_sign`), or with what keeps the key.
///
/// `key`: the maker's public key. `said`: what it is to say. `content`: of what (`iotedge_provider_descriptor`). `message`: room for `message_capacity` bytes, `IOTEDGE_MANIFEST_MAX_INPUT` are enough;
/// `message_len`: their number. Both written on success.
///
/// `IOTEDGE_E_RANGE`: sequence number 0, or a component's name that is empty, too long or not zero behind its end. `IOTEDGE_E_ARGUMENT`: a flag that is not known, or something without its flag.
/// `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_BUFFER_TOO_SMALL`.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_manifest_input(
    key: *const iotedge_public_key_t,
    said: *const iotedge_manifest_t,
    content: *const iotedge_content_descriptor_t,
    message: *mut u8,
    message_capacity: usize,
    message_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let key = public_key(key)?;
        let out = OutBytes::new(message, message_capacity, message_len)?;
        with_manifest(said, content, |manifest| {
            let mut room = [0; IOTEDGE_MANIFEST_MAX_INPUT];
            let made = manifest.signing_input(&key, &mut room);
            let len = made.map_err(manifest_status)?;
            out.write(room.get(..len).unwrap_or(&[]))
        })
    })())
}

/// Puts a manifest together with the maker's signature, once that is found to be one.
///
/// `key`, `said`, `content`: as for `iotedge_manifest_input`. `signature`: 64 bytes over its message. `manifest`: room for `manifest_capacity` bytes, `IOTEDGE_UPDATE_MAX_MANIFEST` are enough;
/// `manifest_len`: their number. Both written on success.
///
/// `IOTEDGE_E_SIGNATURE`, `IOTEDGE_E_SIGNATURE_MALFORMED`: not a signature of it: a fault, or another key. Sign again. Else as `iotedge_manifest_input`.
///
/// From any thread. Not from an interrupt: one signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_manifest_assemble(
    key: *const iotedge_public_key_t,
    said: *const iotedge_manifest_t,
    content: *const iotedge_content_descriptor_t,
    signature: *const u8,
    manifest: *mut u8,
    manifest_capacity: usize,
    manifest_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let key = public_key(key)?;
        let signature = Signature(*array::<64>(signature)?);
        let out = OutBytes::new(manifest, manifest_capacity, manifest_len)?;
        with_manifest(said, content, |said| {
            let mut room = [0; MAX_MANIFEST];
            let made = said.assemble(&key, &signature, &mut room);
            let len = made.map_err(manifest_status)?;
            let bytes = room.get(..len).unwrap_or(&[]);
            let signed = Signed::parse(bytes).map_err(manifest_status)?;
            let held = signed.verify(&key, &mut Software);
            held.map_err(manifest_status)?;
            out.write(bytes)
        })
    })())
}
