//! Attestation: what a device says of its hardware, its boot and its firmware, as an EAT (RFC 9711); docs/protocol.md section 2.4.
//!
//! Invariant: no attestation leaves whose signature does not verify. Nothing is kept between calls: what is signed crosses as bytes, so a key in a
//! secure element may take its time.

use crate::key::{iotedge_public_key_t, public_key, signature_status};
use crate::raw::{Call, OutBytes, OutStruct, Sized32, array, decided, done, input, structure};
use crate::status;
use core::ffi::c_char;
use iotedge_core::Id;
use iotedge_core::crypto::{SecretKey, Signature, Software, Verify};
use iotedge_core::identity::CoseKey;
use iotedge_core::identity::attest::{
    self, AttestError, Attestation, Claims, DebugState, Evidence, MAX_ATTESTATION,
    MAX_MEASUREMENTS, MAX_MESSAGE, Measurement, Measurements, Oem,
};

/// Most bytes of an attestation: the buffer for `iotedge_attest`.
pub const IOTEDGE_MAX_ATTESTATION: usize = 681;
const _: () = assert!(IOTEDGE_MAX_ATTESTATION == MAX_ATTESTATION);
/// Most bytes of what is signed for one, and for anything else: the buffer for `iotedge_attest_statement`.
pub const IOTEDGE_MAX_SIGN_INPUT: usize = 640;
const _: () = assert!(IOTEDGE_MAX_SIGN_INPUT >= MAX_MESSAGE);
/// Most measurements of an attestation.
pub const IOTEDGE_MAX_MEASUREMENTS: usize = 8;
const _: () = assert!(IOTEDGE_MAX_MEASUREMENTS == MAX_MEASUREMENTS);

/// Secure boot: the platform does not say.
pub const IOTEDGE_SECURE_BOOT_UNKNOWN: u32 = 0;
/// Secure boot: anything may have booted.
pub const IOTEDGE_SECURE_BOOT_OFF: u32 = 1;
/// Secure boot: only what the maker of the hardware allows could boot (`oemboot`, RFC 9711 section 4.2.8).
pub const IOTEDGE_SECURE_BOOT_ON: u32 = 2;

/// Debugging: the platform does not say. The others are one more than the values of `dbgstat` (RFC 9711 section 4.2.9).
pub const IOTEDGE_DEBUG_UNKNOWN: u32 = 0;
/// Debugging: possible now.
pub const IOTEDGE_DEBUG_ENABLED: u32 = 1;
/// Debugging: not now; it may have been since the boot.
pub const IOTEDGE_DEBUG_DISABLED: u32 = 2;
/// Debugging: not since the boot.
pub const IOTEDGE_DEBUG_DISABLED_SINCE_BOOT: u32 = 3;
/// Debugging: only the maker ever can again.
pub const IOTEDGE_DEBUG_DISABLED_PERMANENTLY: u32 = 4;
/// Debugging: nobody ever can again.
pub const IOTEDGE_DEBUG_DISABLED_FULLY: u32 = 5;

/// One thing that was measured: a stage of the boot, the firmware, a configuration. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_measurement_t {
    /// `sizeof(iotedge_measurement_t)`.
    pub size: u32,
    /// Length of the digest: 32 (SHA-256), 48 (SHA-384) or 64 (SHA-512).
    pub digest_len: u32,
    /// The digest.
    pub digest: *const u8,
    /// Its name, 1 to 32 printable letters of ASCII; no zero needed.
    pub name: *const c_char,
    /// Their number.
    pub name_len: usize,
}
// SAFETY: repr(C), integers and raw pointers, size first.
unsafe impl Sized32 for iotedge_measurement_t {}
const OLDEST_MEASUREMENT: usize = 8 + 3 * size_of::<*const u8>();
const _: () = assert!(size_of::<iotedge_measurement_t>() == OLDEST_MEASUREMENT);

/// What a platform says of itself. Set everything to zero, then `size`, then what is known; the rest is left out. Texts are 1 to 32 printable letters of
/// ASCII, without a zero at the end.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_evidence_t {
    /// `sizeof(iotedge_evidence_t)`.
    pub size: u32,
    /// `IOTEDGE_SECURE_BOOT_*`.
    pub secure_boot: u32,
    /// `IOTEDGE_DEBUG_*`.
    pub debug: u32,
    /// The maker's Private Enterprise Number, where `oem` is not given; 0: not said.
    pub oem_pen: u32,
    /// How often the device booted; 0: not said.
    pub boot_count: u64,
    /// The maker's OUI of 3 bytes, or 16 random bytes that it chose once.
    pub oem: *const u8,
    /// 3 or 16; 0: see `oem_pen`.
    pub oem_len: usize,
    /// The hardware's model, 1 to 32 bytes.
    pub model: *const u8,
    /// Its length.
    pub model_len: usize,
    /// The hardware's version.
    pub hardware_version: *const c_char,
    /// Its length.
    pub hardware_version_len: usize,
    /// 32 to 64 random bytes drawn at this boot.
    pub boot_seed: *const u8,
    /// Their number.
    pub boot_seed_len: usize,
    /// The firmware's name.
    pub software_name: *const c_char,
    /// Its length.
    pub software_name_len: usize,
    /// The firmware's version.
    pub software_version: *const c_char,
    /// Its length.
    pub software_version_len: usize,
    /// What was measured, each with its `size`, in the order in which it booted.
    pub measurements: *const iotedge_measurement_t,
    /// Their number, at most `IOTEDGE_MAX_MEASUREMENTS`.
    pub measurement_count: usize,
}
// SAFETY: repr(C), integers and raw pointers, size first.
unsafe impl Sized32 for iotedge_evidence_t {}
const OLDEST_EVIDENCE: usize = 24 + 14 * size_of::<*const u8>();
const _: () = assert!(size_of::<iotedge_evidence_t>() == OLDEST_EVIDENCE);

impl iotedge_evidence_t {
    pub(crate) const EMPTY: Self = Self {
        size: OLDEST_EVIDENCE as u32,
        secure_boot: IOTEDGE_SECURE_BOOT_UNKNOWN,
        debug: IOTEDGE_DEBUG_UNKNOWN,
        oem_pen: 0,
        boot_count: 0,
        oem: core::ptr::null(),
        oem_len: 0,
        model: core::ptr::null(),
        model_len: 0,
        hardware_version: core::ptr::null(),
        hardware_version_len: 0,
        boot_seed: core::ptr::null(),
        boot_seed_len: 0,
        software_name: core::ptr::null(),
        software_name_len: 0,
        software_version: core::ptr::null(),
        software_version_len: 0,
        measurements: core::ptr::null(),
        measurement_count: 0,
    };

    fn from_core(said: &Evidence<'_>) -> Self {
        let (oem, oem_pen) = match said.oem {
            Some(Oem::Pen(number)) => (&[][..], number),
            Some(Oem::Id(id)) => (id, 0),
            None => (&[][..], 0),
        };
        Self {
            secure_boot: match said.secure_boot {
                None => IOTEDGE_SECURE_BOOT_UNKNOWN,
                Some(false) => IOTEDGE_SECURE_BOOT_OFF,
                Some(true) => IOTEDGE_SECURE_BOOT_ON,
            },
            debug: said
                .debug
                .map_or(0, |state| u32::from(state.code()).saturating_add(1)),
            oem_pen,
            boot_count: said.boot_count.unwrap_or(0),
            oem: oem.as_ptr(),
            oem_len: oem.len(),
            model: said.model.as_ptr(),
            model_len: said.model.len(),
            hardware_version: said.hardware_version.as_ptr().cast(),
            hardware_version_len: said.hardware_version.len(),
            boot_seed: said.boot_seed.as_ptr(),
            boot_seed_len: said.boot_seed.len(),
            software_name: said.software_name.as_ptr().cast(),
            software_name_len: said.software_name.len(),
            software_version: said.software_version.as_ptr().cast(),
            software_version_len: said.software_version.len(),
            measurement_count: said.measurements.len(),
            ..Self::EMPTY
        }
    }
}

/// # Safety
/// As [`input`].
unsafe fn text<'a>(letters: *const c_char, len: usize) -> Call<&'a str> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { input(letters.cast::<u8>(), len)? };
    core::str::from_utf8(bytes).map_err(|_| status::IOTEDGE_E_EVIDENCE)
}

/// Hands what C says to `then`.
///
/// # Safety
/// The pointers are as the comments of the structures say, and stay so until this returns.
pub(crate) unsafe fn with_evidence<R>(
    given: &iotedge_evidence_t,
    then: impl FnOnce(&Evidence<'_>) -> Call<R>,
) -> Call<R> {
    let wrong = status::IOTEDGE_E_EVIDENCE;
    let mut list = [Measurement {
        name: "",
        digest: &[],
    }; MAX_MEASUREMENTS];
    let list = list.get_mut(..given.measurement_count).ok_or(wrong)?;
    // SAFETY: the caller's promise.
    unsafe {
        if !list.is_empty() {
            // The first one's size is the distance of all: a later header may have a longer structure.
            structure(given.measurements, OLDEST_MEASUREMENT)?;
            let stride = (*given.measurements).size as usize;
            let mut at = given.measurements.cast::<u8>();
            for slot in list.iter_mut() {
                let one = structure(at.cast::<iotedge_measurement_t>(), OLDEST_MEASUREMENT)?;
                *slot = Measurement {
                    name: text(one.name, one.name_len)?,
                    digest: input(one.digest, one.digest_len as usize)?,
                };
                at = at.add(stride);
            }
        }
        let oem = match input(given.oem, given.oem_len)? {
            [] => (given.oem_pen != 0).then_some(Oem::Pen(given.oem_pen)),
            id if given.oem_pen == 0 => Some(Oem::Id(id)),
            _ => return Err(wrong),
        };
        then(&Evidence {
            oem,
            model: input(given.model, given.model_len)?,
            hardware_version: text(given.hardware_version, given.hardware_version_len)?,
            secure_boot: match given.secure_boot {
                IOTEDGE_SECURE_BOOT_UNKNOWN => None,
                IOTEDGE_SECURE_BOOT_OFF => Some(false),
                IOTEDGE_SECURE_BOOT_ON => Some(true),
                _ => return Err(wrong),
            },
            debug: match given.debug.checked_sub(1) {
                None => None,
                Some(code) => Some(DebugState::from_code(code.into()).ok_or(wrong)?),
            },
            boot_count: (given.boot_count != 0).then_some(given.boot_count),
            boot_seed: input(given.boot_seed, given.boot_seed_len)?,
            software_name: text(given.software_name, given.software_name_len)?,
            software_version: text(given.software_version, given.software_version_len)?,
            measurements: Measurements::of(list),
        })
    }
}

pub(crate) fn attest_status(error: AttestError) -> i32 {
    match error {
        AttestError::Wire(error) => crate::wire_status(error),
        AttestError::Header => status::IOTEDGE_E_PROTECTED_HEADER,
        AttestError::Claim => status::IOTEDGE_E_CERTIFICATE_CLAIM,
        AttestError::Profile => status::IOTEDGE_E_PROFILE,
        AttestError::NonceLength | AttestError::WrongNonce => status::IOTEDGE_E_NONCE,
        AttestError::Text | AttestError::Measurement => status::IOTEDGE_E_EVIDENCE,
        AttestError::WrongDevice => status::IOTEDGE_E_DEVICE_ID,
        AttestError::WrongSigner => status::IOTEDGE_E_WRONG_SIGNER,
        AttestError::Signature(error) => signature_status(error),
    }
}

/// # Safety
/// `device` is NULL or 32 bytes at it are readable.
unsafe fn device_of(device: *const u8, key: &iotedge_core::crypto::PublicKey) -> Call<Id> {
    match device.is_null() {
        true => Ok(CoseKey::thumbprint(key)),
        // SAFETY: the caller's promise.
        false => Ok(Id(*unsafe { array::<32>(device)? })),
    }
}

/// Attests with a key in memory: says in a signed EAT (RFC 9711) what runs here, in answer to a nonce. A node or a leaf does that by itself when a gateway asks, see
/// `iotedge_platform_t.attest`; this is for any other asker.
///
/// `seed`: 32 bytes of the device's Ed25519 seed; read only. `device`: its id, 32 bytes; NULL: that of the key, which is right while it was never rotated. `nonce`: 8 to 64 bytes
/// from the asker, fresh for each question. `evidence`: read only, with all that it points to. `eat`: room for `eat_capacity` bytes, `IOTEDGE_MAX_ATTESTATION` are enough;
/// `eat_len`: their number. Both written on success.
///
/// `IOTEDGE_E_NONCE`: too short or too long. `IOTEDGE_E_EVIDENCE`: a text, digest or number out of bounds, or one name twice. `IOTEDGE_E_BUFFER_TOO_SMALL`: `eat_capacity`, or the
/// evidence is too much in all. `IOTEDGE_E_SIGNATURE`: a fault while signing; nothing was written.
///
/// ```c
/// static int32_t say_what_runs(const uint8_t *seed, const uint8_t *nonce, size_t nonce_len, const uint8_t *firmware_sha256,
///                              uint8_t *eat, size_t capacity, size_t *len)
/// {
///     iotedge_evidence_t evidence;
///     iotedge_measurement_t firmware;
///     memset(&firmware, 0, sizeof firmware);
///     firmware.size = (uint32_t)sizeof firmware;
///     firmware.name = "firmware";
///     firmware.name_len = 8;
///     firmware.digest = firmware_sha256;
///     firmware.digest_len = 32;
///     memset(&evidence, 0, sizeof evidence);
///     evidence.size = (uint32_t)sizeof evidence;
///     evidence.model = (const uint8_t *)"acme-sensor-2";
///     evidence.model_len = 13;
///     evidence.debug = IOTEDGE_DEBUG_DISABLED_PERMANENTLY;
///     evidence.measurements = &firmware;
///     evidence.measurement_count = 1;
///     return iotedge_attest(seed, NULL, nonce, nonce_len, &evidence, eat, capacity, len);
/// }
/// ```
///
/// From any thread. Not from an interrupt: it signs and verifies, and takes 3 KiB of stack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_attest(
    seed: *const u8,
    device: *const u8,
    nonce: *const u8,
    nonce_len: usize,
    evidence: *const iotedge_evidence_t,
    eat: *mut u8,
    eat_capacity: usize,
    eat_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let secret = SecretKey::from_seed(array::<32>(seed)?).map_err(signature_status)?;
        let device = device_of(device, &secret.public_key())?;
        let nonce = input(nonce, nonce_len)?;
        let given = structure(evidence, OLDEST_EVIDENCE)?;
        let out = OutBytes::new(eat, eat_capacity, eat_len)?;
        let mut room = [0; MAX_ATTESTATION];
        let len = with_evidence(&given, |evidence| {
            let claims = Claims {
                nonce,
                device,
                evidence: *evidence,
            };
            attest::attest(&claims, &secret, &mut Software, &mut room).map_err(attest_status)
        })?;
        out.write(room.get(..len).unwrap_or(&[]))
    })())
}

/// What a signer elsewhere signs to attest: a secure element, in its own time. Then comes `iotedge_attest_assemble`.
///
/// `key`: the device's public key. `device`, `nonce`, `evidence`: as in `iotedge_attest`. `message`: room for `message_capacity` bytes, `IOTEDGE_MAX_SIGN_INPUT` are enough;
/// `message_len`: their number. Both written on success. Errors as there.
///
/// From any thread. Not from an interrupt: it takes 2 KiB of stack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_attest_statement(
    key: *const iotedge_public_key_t,
    device: *const u8,
    nonce: *const u8,
    nonce_len: usize,
    evidence: *const iotedge_evidence_t,
    message: *mut u8,
    message_capacity: usize,
    message_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let key = public_key(key)?;
        let device = device_of(device, &key)?;
        let nonce = input(nonce, nonce_len)?;
        let given = structure(evidence, OLDEST_EVIDENCE)?;
        let out = OutBytes::new(message, message_capacity, message_len)?;
        let mut room = [0; MAX_MESSAGE];
        let len = with_evidence(&given, |evidence| {
            let claims = Claims {
                nonce,
                device,
                evidence: *evidence,
            };
            attest::signing_input(&claims, &key, &mut room).map_err(attest_status)
        })?;
        out.write(room.get(..len).unwrap_or(&[]))
    })())
}

/// Makes the attestation of a signature over the message of `iotedge_attest_statement`, if it is one by `key`.
///
/// `message`: `message_len` bytes, as they were given. `signature`: 64 bytes. `eat`: room for `eat_capacity` bytes, `IOTEDGE_MAX_ATTESTATION` are enough; `eat_len`: their number.
/// Both written on success.
///
/// `IOTEDGE_E_SIGNATURE`, `IOTEDGE_E_SIGNATURE_MALFORMED`: not a signature of the message by the key: a fault, or another key in the slot. Nothing was written. Any other: the message is not
/// that of an attestation by this key.
///
/// From any thread. Not from an interrupt: one signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_attest_assemble(
    key: *const iotedge_public_key_t,
    message: *const u8,
    message_len: usize,
    signature: *const u8,
    eat: *mut u8,
    eat_capacity: usize,
    eat_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let key = public_key(key)?;
        let message = input(message, message_len)?;
        let signature = Signature(*array::<64>(signature)?);
        let out = OutBytes::new(eat, eat_capacity, eat_len)?;
        let mut room = [0; MAX_ATTESTATION];
        let len = attest::assemble(message, &key, &signature, &mut room).map_err(attest_status)?;
        Software
            .verify(&key, message, &signature)
            .map_err(signature_status)?;
        out.write(room.get(..len).unwrap_or(&[]))
    })())
}

/// Verifies an attestation: that `key` of `device` signed it in answer to `nonce`. What it says is the device's word: compare it with what you allow.
///
/// `key`: the device's public key, from its certificate. `device`: its id, 32 bytes; NULL: that of the key. `nonce`: what you asked with, `nonce_len` bytes; take each answer once. `eat`:
/// `eat_len` bytes, read only. `evidence`: set its `size` first; written on success. Its texts and bytes point into `eat`; `measurements` is NULL: fetch each of
/// `measurement_count` with `iotedge_attest_measurement`.
///
/// `IOTEDGE_E_NONCE`: it answers another nonce. `IOTEDGE_E_DEVICE_ID`: another device's. `IOTEDGE_E_WRONG_SIGNER`, `IOTEDGE_E_SIGNATURE`: another key's, or altered.
/// `IOTEDGE_E_PROFILE`, `IOTEDGE_E_CERTIFICATE_CLAIM`, ...: no attestation of this protocol.
///
/// From any thread. Not from an interrupt: one signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_attest_verify(
    key: *const iotedge_public_key_t,
    device: *const u8,
    nonce: *const u8,
    nonce_len: usize,
    eat: *const u8,
    eat_len: usize,
    evidence: *mut iotedge_evidence_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    decided(|verifier| unsafe {
        let key = public_key(key)?;
        let device = device_of(device, &key)?;
        let nonce = input(nonce, nonce_len)?;
        let eat = input(eat, eat_len)?;
        let out = OutStruct::new(evidence, OLDEST_EVIDENCE)?;
        let said = Attestation::parse(eat)
            .and_then(|eat| eat.verify(&key, &device, nonce, verifier))
            .map_err(attest_status)?;
        out.write(&iotedge_evidence_t::from_core(&said));
        Ok(())
    })
}

/// One measurement of an attestation that was verified.
///
/// `eat`: `eat_len` bytes, read only. `index`: from 0. `measurement`: set its `size` first; written on success. Name and digest point into `eat`.
///
/// `IOTEDGE_E_NONE`: there is none of this index. Any other: no attestation of this protocol.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_attest_measurement(
    eat: *const u8,
    eat_len: usize,
    index: usize,
    measurement: *mut iotedge_measurement_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let eat = input(eat, eat_len)?;
        let out = OutStruct::new(measurement, OLDEST_MEASUREMENT)?;
        let eat = Attestation::parse(eat).map_err(attest_status)?;
        let found = eat.claims().evidence.measurements.iter().nth(index);
        let found = found.ok_or(status::IOTEDGE_E_NONE)?;
        out.write(&iotedge_measurement_t {
            size: OLDEST_MEASUREMENT as u32,
            digest_len: found.digest.len() as u32,
            digest: found.digest.as_ptr(),
            name: found.name.as_ptr().cast(),
            name_len: found.name.len(),
        });
        Ok(())
    })())
}
