//! The device's callbacks as the core's `Platform`.

use super::types::{OLDEST_PLATFORM, iotedge_platform_t};
use crate::accelerator::{CVerifier, verifier};
use crate::attest::{iotedge_evidence_t, with_evidence};
use crate::raw::{Call, structure};
use crate::status;
use core::ffi::c_void;
use iotedge_core::identity::attest::Evidence;
use iotedge_core::platform::{Counter, Platform, PlatformError};

/// The callbacks, all there.
pub(crate) struct CPlatform {
    user: *mut c_void,
    store: *mut c_void,
    random: unsafe extern "C" fn(*mut c_void, *mut u8, usize) -> i32,
    get: unsafe extern "C" fn(*mut c_void, u32, *mut u8, usize, *mut usize) -> i32,
    put: unsafe extern "C" fn(*mut c_void, u32, *const u8, usize) -> i32,
    remove: unsafe extern "C" fn(*mut c_void, u32) -> i32,
    counter: Option<CCounter>,
    attest: Option<unsafe extern "C" fn(*mut c_void, *mut iotedge_evidence_t) -> i32>,
}

/// A hardware counter.
#[derive(Clone, Copy)]
struct CCounter {
    read: unsafe extern "C" fn(*mut c_void, *mut u32, *mut u32) -> i32,
    advance: unsafe extern "C" fn(*mut c_void) -> i32,
    stride: u32,
}

/// The callbacks, and who checks signatures.
///
/// # Safety
/// The contract of `iotedge_platform_t`.
pub(crate) unsafe fn platform(given: *const iotedge_platform_t) -> Call<(CPlatform, CVerifier)> {
    // SAFETY: the caller's promise.
    unsafe {
        let given = structure(given, OLDEST_PLATFORM)?;
        Ok((CPlatform::new(&given)?, verifier(given.accelerator)?))
    }
}

impl CPlatform {
    /// Refuses a platform with a missing callback.
    fn new(given: &iotedge_platform_t) -> Call<Self> {
        let missing = status::IOTEDGE_E_NULL;
        if given.reserved != 0 || given.reserved2 != 0 {
            return Err(status::IOTEDGE_E_ARGUMENT);
        }
        let counter = match (given.counter_read, given.counter_advance) {
            (Some(read), Some(advance)) => Some(CCounter {
                read,
                advance,
                stride: given.counter_stride.max(1),
            }),
            // One alone is a mistake: it would protect nothing.
            (None, None) if given.counter_stride == 0 => None,
            _ => return Err(missing),
        };
        Ok(Self {
            user: given.user,
            store: match given.store_user.is_null() {
                true => given.user,
                false => given.store_user,
            },
            random: given.random.ok_or(missing)?,
            get: given.store_get.ok_or(missing)?,
            put: given.store_put.ok_or(missing)?,
            remove: given.store_remove.ok_or(missing)?,
            counter,
            attest: given.attest,
        })
    }
}

impl Platform for CPlatform {
    fn random(&mut self, out: &mut [u8]) -> Result<(), PlatformError> {
        // SAFETY: the contract of `iotedge_platform_t`.
        match unsafe { (self.random)(self.user, out.as_mut_ptr(), out.len()) } {
            status::IOTEDGE_OK => Ok(()),
            _ => Err(PlatformError::Random),
        }
    }

    fn get(&mut self, key: u16, out: &mut [u8]) -> Result<Option<usize>, PlatformError> {
        let mut len = 0;
        // SAFETY: the contract of `iotedge_platform_t`.
        let status = unsafe {
            (self.get)(
                self.store,
                key.into(),
                out.as_mut_ptr(),
                out.len(),
                &raw mut len,
            )
        };
        match status {
            status::IOTEDGE_OK if len <= out.len() => Ok(Some(len)),
            status::IOTEDGE_E_NONE => Ok(None),
            _ => Err(PlatformError::StoreRead),
        }
    }

    fn put(&mut self, key: u16, value: &[u8]) -> Result<(), PlatformError> {
        // SAFETY: the contract of `iotedge_platform_t`.
        match unsafe { (self.put)(self.store, key.into(), value.as_ptr(), value.len()) } {
            status::IOTEDGE_OK => Ok(()),
            _ => Err(PlatformError::StoreWrite),
        }
    }

    fn remove(&mut self, key: u16) -> Result<(), PlatformError> {
        // SAFETY: the contract of `iotedge_platform_t`.
        match unsafe { (self.remove)(self.store, key.into()) } {
            status::IOTEDGE_OK => Ok(()),
            _ => Err(PlatformError::StoreWrite),
        }
    }

    fn counter(&mut self) -> Result<Option<Counter>, PlatformError> {
        let Some(counter) = self.counter else {
            return Ok(None);
        };
        let (mut value, mut last) = (0, 0);
        // SAFETY: the contract of `iotedge_platform_t`.
        match unsafe { (counter.read)(self.user, &raw mut value, &raw mut last) } {
            status::IOTEDGE_OK => Ok(Some(Counter {
                value,
                last,
                stride: counter.stride,
            })),
            _ => Err(PlatformError::Counter),
        }
    }

    fn advance(&mut self) -> Result<(), PlatformError> {
        let counter = self.counter.ok_or(PlatformError::Counter)?;
        // SAFETY: the contract of `iotedge_platform_t`.
        match unsafe { (counter.advance)(self.user) } {
            status::IOTEDGE_OK => Ok(()),
            _ => Err(PlatformError::Counter),
        }
    }

    fn attest(&mut self, tell: &mut dyn FnMut(&Evidence<'_>)) {
        let Some(attest) = self.attest else { return };
        let mut evidence = iotedge_evidence_t::EMPTY;
        // SAFETY: the contract of `iotedge_platform_t`: what it points to stays until the next call.
        unsafe {
            if attest(self.user, &raw mut evidence) == status::IOTEDGE_OK {
                let _ = with_evidence(&evidence, |evidence| {
                    tell(evidence);
                    Ok(())
                });
            }
        }
    }
}
