//! Keys, device ids and single signatures.
//!
//! Invariant: a secret crosses this boundary as a seed of 32 bytes and in one direction only; no function takes a public
//! key beside a secret one, since mixing two pairs leaks the secret.

use crate::raw::{
    Call, OutArray, OutBytes, OutStruct, Sized32, array, decided, done, input, structure,
};
use crate::status;
use iotedge_core::Id;
use iotedge_core::crypto::{PublicKey, SecretKey, Signature, SignatureError};
use iotedge_core::identity::{CoseKey, DeviceId};

/// Suite of a key: Ed25519 (RFC 8032). The number is that of COSE.
pub const IOTEDGE_SUITE_ED25519: i32 = -8;
/// Suite of a key: ECDSA on P-256 with SHA-256, in builds with the feature `es256`. The number is that of COSE.
pub const IOTEDGE_SUITE_ES256: i32 = -7;

/// Bytes of an id: of a device, a transaction, a header, a neighbourhood.
pub const IOTEDGE_ID_SIZE: usize = 32;
/// Bytes of a signature of either suite.
pub const IOTEDGE_SIGNATURE_SIZE: usize = 64;
/// Bytes of the seed of an Ed25519 key.
pub const IOTEDGE_SEED_SIZE: usize = 32;
/// Letters of a device id as text, without the zero that ends a C string.
pub const IOTEDGE_DEVICE_ID_TEXT_SIZE: usize = 63;

/// A public key. Set `size` to `sizeof(iotedge_public_key_t)` before any use, also as an output.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_public_key_t {
    /// `sizeof(iotedge_public_key_t)`.
    pub size: u32,
    /// `IOTEDGE_SUITE_ED25519` or `IOTEDGE_SUITE_ES256`.
    pub suite: i32,
    /// Ed25519: 32 bytes, then zeros. ES256: x then y, 32 bytes each, big-endian.
    pub bytes: [u8; 64],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_public_key_t {}
pub(crate) const OLDEST_KEY: usize = 72;
const _: () = assert!(size_of::<iotedge_public_key_t>() == OLDEST_KEY);

impl iotedge_public_key_t {
    pub(crate) fn from_core(key: &PublicKey) -> Self {
        let mut bytes = [0; 64];
        for (to, from) in bytes.iter_mut().zip(key.bytes()) {
            *to = *from;
        }
        Self {
            size: OLDEST_KEY as u32,
            suite: key.suite().cose_alg(),
            bytes,
        }
    }

    pub(crate) fn to_core(self) -> Call<PublicKey> {
        match self.suite {
            IOTEDGE_SUITE_ED25519 => {
                let (key, rest) = self
                    .bytes
                    .split_first_chunk::<32>()
                    .ok_or(status::IOTEDGE_E_INTERNAL)?;
                if rest.iter().any(|byte| *byte != 0) {
                    return Err(status::IOTEDGE_E_ARGUMENT);
                }
                Ok(PublicKey::Ed25519(*key))
            }
            IOTEDGE_SUITE_ES256 => Ok(PublicKey::Es256(self.bytes)),
            _ => Err(status::IOTEDGE_E_SUITE),
        }
    }
}

/// A public key that C hands in.
///
/// # Safety
/// As [`structure`].
pub(crate) unsafe fn public_key(pointer: *const iotedge_public_key_t) -> Call<PublicKey> {
    // SAFETY: the caller's promise.
    unsafe { structure(pointer, OLDEST_KEY) }?.to_core()
}

pub(crate) fn signature_status(error: SignatureError) -> i32 {
    match error {
        SignatureError::Suite => status::IOTEDGE_E_SUITE,
        SignatureError::Malformed => status::IOTEDGE_E_SIGNATURE_MALFORMED,
        SignatureError::Rejected => status::IOTEDGE_E_SIGNATURE,
    }
}

/// The public key of a seed.
///
/// `seed`: 32 bytes from a random generator fit for keys; read only, the caller keeps it secret and wipes it. `key`: set its
/// `size` first; written on success.
///
/// `IOTEDGE_E_SIGNATURE_MALFORMED`: the seed is all zero, which is storage that was never written or randomness that failed.
///
/// From any thread. Not from an interrupt: it takes a signature's time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_public_key_from_seed(
    seed: *const u8,
    key: *mut iotedge_public_key_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let seed = array::<32>(seed)?;
        let key = OutStruct::new(key, OLDEST_KEY)?;
        let secret = SecretKey::from_seed(seed).map_err(signature_status)?;
        key.write(&iotedge_public_key_t::from_core(&secret.public_key()));
        Ok(())
    })())
}

/// Says whether a key can ever verify a signature: canonical, on the curve, not of small order, and of a suite that this build
/// has. Call it before you store a key from outside.
///
/// `IOTEDGE_E_SIGNATURE_MALFORMED`: it cannot. `IOTEDGE_E_SUITE`: this build lacks the suite.
///
/// From any thread. Not from an interrupt: it takes part of a signature check's time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_public_key_check(key: *const iotedge_public_key_t) -> i32 {
    // SAFETY: the promises of the comment.
    decided(|_| unsafe { public_key(key)?.check().map_err(signature_status) })
}

/// The device id of a device whose first key is `key`: SHA-256 of its COSE_Key (RFC 9679). `id`: 32 bytes, written on success.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_device_id(key: *const iotedge_public_key_t, id: *mut u8) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let key = public_key(key)?;
        OutArray::<32>::new(id)?.write(&CoseKey::thumbprint(&key).0);
        Ok(())
    })())
}

/// A device id as text for people, Bech32m `iote1...`: `IOTEDGE_DEVICE_ID_TEXT_SIZE` letters without a zero at the end.
///
/// `id`: 32 bytes. `text`: room for `text_capacity` letters; `text_len`: their number. Both written on success.
///
/// `IOTEDGE_E_BUFFER_TOO_SMALL`: the text does not fit.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_device_id_to_text(
    id: *const u8,
    text: *mut core::ffi::c_char,
    text_capacity: usize,
    text_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let id = array::<32>(id)?;
        let text = OutBytes::new(text.cast(), text_capacity, text_len)?;
        text.write(&DeviceId(Id(*id)).to_text())
    })())
}

/// Reads a device id from text. `text`: `text_len` letters, no zero needed. `id`: 32 bytes, written on success.
///
/// `IOTEDGE_E_DEVICE_ID`: not a device id: wrong letters, prefix, length or checksum.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_device_id_from_text(
    text: *const core::ffi::c_char,
    text_len: usize,
    id: *mut u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let text = input(text.cast::<u8>(), text_len)?;
        let id = OutArray::<32>::new(id)?;
        let text = core::str::from_utf8(text).map_err(|_| status::IOTEDGE_E_DEVICE_ID)?;
        let parsed = DeviceId::parse(text).map_err(|_| status::IOTEDGE_E_DEVICE_ID)?;
        id.write(&parsed.0.0);
        Ok(())
    })())
}

/// Signs `message` with the Ed25519 key of `seed` (RFC 8032, deterministic). A node signs by itself; this is for factory tools
/// and for a software stand-in where a secure element will be.
///
/// `seed`: 32 bytes; read only. `signature`: 64 bytes, written on success.
///
/// From any thread. Not from an interrupt: about 1 million instructions on a Cortex-M.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_sign(
    seed: *const u8,
    message: *const u8,
    message_len: usize,
    signature: *mut u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let seed = array::<32>(seed)?;
        let message = input(message, message_len)?;
        let signature = OutArray::<64>::new(signature)?;
        let secret = SecretKey::from_seed(seed).map_err(signature_status)?;
        signature.write(&secret.sign(message).0);
        Ok(())
    })())
}

/// The public key of a P-256 scalar, for factory tools and for a software stand-in where a secure element will be.
///
/// `scalar`: 32 bytes, big-endian, from a random generator fit for keys; read only, the caller keeps it secret and wipes it. `key`:
/// set its `size` first; written on success.
///
/// `IOTEDGE_E_SIGNATURE_MALFORMED`: zero, or not below the order of the group: draw again. `IOTEDGE_E_SUITE`: this build lacks ES256.
///
/// From any thread. Not from an interrupt: it takes a signature's time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_public_key_from_scalar(
    scalar: *const u8,
    key: *mut iotedge_public_key_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let scalar = array::<32>(scalar)?;
        let key = OutStruct::new(key, OLDEST_KEY)?;
        key.write(&iotedge_public_key_t::from_core(&p256::public_key(scalar)?));
        Ok(())
    })())
}

/// Signs `message` in ES256 with the key of `scalar` (deterministic, RFC 6979), as a secure element does behind
/// `IOTEDGE_EVENT_SIGNATURE_NEEDED`; this is its stand-in in software.
///
/// `scalar`: 32 bytes, see `iotedge_public_key_from_scalar`; read only. `signature`: 64 bytes, r then s, written on success.
///
/// `IOTEDGE_E_SIGNATURE_MALFORMED`: not a scalar. `IOTEDGE_E_SUITE`: this build lacks ES256.
///
/// From any thread. Not from an interrupt: several million instructions on a Cortex-M.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_sign_es256(
    scalar: *const u8,
    message: *const u8,
    message_len: usize,
    signature: *mut u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let scalar = array::<32>(scalar)?;
        let message = input(message, message_len)?;
        let signature = OutArray::<64>::new(signature)?;
        signature.write(&p256::sign(scalar, message)?.0);
        Ok(())
    })())
}

/// P-256 in software, where the build has it.
mod p256 {
    use super::{Call, PublicKey, Signature};
    #[cfg(feature = "es256")]
    use {super::signature_status, iotedge_core::crypto::es256::SecretKey};

    #[cfg(feature = "es256")]
    pub fn public_key(scalar: &[u8; 32]) -> Call<PublicKey> {
        let secret = SecretKey::from_scalar(scalar).map_err(signature_status)?;
        Ok(secret.public_key())
    }

    #[cfg(feature = "es256")]
    pub fn sign(scalar: &[u8; 32], message: &[u8]) -> Call<Signature> {
        let secret = SecretKey::from_scalar(scalar).map_err(signature_status)?;
        secret.sign(message).map_err(signature_status)
    }

    #[cfg(not(feature = "es256"))]
    pub fn public_key(_: &[u8; 32]) -> Call<PublicKey> {
        Err(crate::status::IOTEDGE_E_SUITE)
    }

    #[cfg(not(feature = "es256"))]
    pub fn sign(_: &[u8; 32], _: &[u8]) -> Call<Signature> {
        Err(crate::status::IOTEDGE_E_SUITE)
    }
}

/// Checks one signature under the network's rule (docs/protocol.md section 2): the same verdict as every node's.
///
/// `signature`: 64 bytes. All inputs are read only.
///
/// `IOTEDGE_E_SIGNATURE`: not a signature of this message by this key. `IOTEDGE_E_SIGNATURE_MALFORMED`: key or signature can
/// never be accepted. `IOTEDGE_E_SUITE`: this build lacks the key's suite.
///
/// From any thread. Not from an interrupt: about 2 million instructions on a Cortex-M.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_verify(
    key: *const iotedge_public_key_t,
    message: *const u8,
    message_len: usize,
    signature: *const u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    decided(|verifier| unsafe {
        let key = public_key(key)?;
        let message = input(message, message_len)?;
        let signature = Signature(*array::<64>(signature)?);
        verifier
            .verify(&key, message, &signature)
            .map_err(signature_status)
    })
}

/// SHA-256 of `data` (FIPS 180-4). `digest`: 32 bytes, written on success.
///
/// From any thread, and from an interrupt if `len` is small.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_sha256(data: *const u8, len: usize, digest: *mut u8) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let data = input(data, len)?;
        OutArray::<32>::new(digest)?.write(&iotedge_core::crypto::sha256(&[data]));
        Ok(())
    })())
}

/// Reads a COSE_Key (RFC 9052 section 7) as it stands in certificates and in `keys.json`. `key`: set its `size` first; written
/// on success.
///
/// `IOTEDGE_E_MALFORMED`, `IOTEDGE_E_NOT_DETERMINISTIC`, `IOTEDGE_E_WRONG_TYPE`: not a key of this protocol.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_public_key_from_cose(
    cose: *const u8,
    cose_len: usize,
    key: *mut iotedge_public_key_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let cose = input(cose, cose_len)?;
        let key = OutStruct::new(key, OLDEST_KEY)?;
        let parsed = CoseKey::decode(cose).map_err(crate::wire_status)?;
        key.write(&iotedge_public_key_t::from_core(&parsed));
        Ok(())
    })())
}
