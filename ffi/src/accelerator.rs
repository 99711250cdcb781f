//! A vendor's engine for signature checks, behind the one rule (docs/decisions/0031).
//!
//! Invariant: what is accepted is exactly what [`Software`] accepts, whatever equation the engine computes: where libraries disagree it is not asked, and its refusals are computed
//! again. An engine that gives a wrong known answer never comes into use, and one that fails later costs time only.

use crate::raw::{Call, Sized32};
use core::ffi::c_void;

/// Suite of an accelerator: Ed25519.
pub const IOTEDGE_ACCELERATE_ED25519: u32 = 1;
/// Suite of an accelerator: ES256.
pub const IOTEDGE_ACCELERATE_ES256: u32 = 2;

/// Answer of an accelerator: the signature is one of this message by this key. No number that a register holds by chance.
pub const IOTEDGE_ACCELERATOR_VALID: u32 = 0x4b2d_96e1;
/// Answer of an accelerator: it is not. Any other number: the engine failed, or is busy.
pub const IOTEDGE_ACCELERATOR_INVALID: u32 = 0x34d2_691e;

/// What `told` tells: the engine failed, and the software did this check.
pub const IOTEDGE_ACCELERATOR_FAILED: u32 = 1;
/// What `told` tells: the engine refused what the rule accepts. Rare and harmless where its equation has no cofactor and somebody made such a signature on purpose; often means
/// that it is faulty.
pub const IOTEDGE_ACCELERATOR_DISAGREED: u32 = 2;

/// An engine that checks signatures: `accelerator` of `iotedge_platform_t`. Set everything to zero, then `size` and what there is. Callbacks run inside the calls of the node or leaf, on
/// the caller's thread, and must not call it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_accelerator_t {
    /// `sizeof(iotedge_accelerator_t)`.
    pub size: u32,
    /// What it can: `IOTEDGE_ACCELERATE_ED25519`, `IOTEDGE_ACCELERATE_ES256`, or both. Other suites stay with the software.
    pub suites: u32,
    /// Handed to each callback first. Must live as long as the node or leaf.
    pub user: *mut c_void,
    /// Says whether `signature` (64 bytes: R, S; or r, s big-endian) is one of `message` (not hashed yet) by `key` (32 bytes; ES256: 64, x, y): `IOTEDGE_ACCELERATOR_VALID`,
    /// `IOTEDGE_ACCELERATOR_INVALID`, or anything else where it could not find out: then the software does. `suite`: `IOTEDGE_SUITE_ED25519` or
    /// `IOTEDGE_SUITE_ES256`. It is asked only where the key is a point that can be one and the numbers are in range; whether the equation has the cofactor makes no difference.
    pub verify: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            suite: i32,
            key: *const u8,
            message: *const u8,
            message_len: usize,
            signature: *const u8,
        ) -> u32,
    >,
    /// Told when the engine failed (`IOTEDGE_ACCELERATOR_FAILED`) or refused what is valid (`IOTEDGE_ACCELERATOR_DISAGREED`). NULL: nobody is told.
    pub told: Option<unsafe extern "C" fn(user: *mut c_void, what: u32)>,
}
// SAFETY: repr(C), integers, a raw pointer and optional functions, size first.
unsafe impl Sized32 for iotedge_accelerator_t {}
pub(crate) const OLDEST_ACCELERATOR: usize = 8 + 3 * size_of::<*const u8>();
const _: () = assert!(size_of::<iotedge_accelerator_t>() == OLDEST_ACCELERATOR);

#[cfg(not(feature = "accelerator"))]
mod none {
    use super::*;
    use crate::status;

    pub(crate) use iotedge_core::crypto::Software as CVerifier;

    /// # Safety
    /// None.
    pub(crate) unsafe fn verifier(given: *const iotedge_accelerator_t) -> Call<CVerifier> {
        match given.is_null() {
            true => Ok(CVerifier),
            false => Err(status::IOTEDGE_E_ACCELERATOR),
        }
    }
}
#[cfg(not(feature = "accelerator"))]
pub(crate) use none::{CVerifier, verifier};

#[cfg(feature = "accelerator")]
mod some {
    use super::known;
    use super::*;
    use crate::raw::structure;
    use crate::status;
    use core::hint::black_box;
    use iotedge_core::crypto::{
        PublicKey, Signature, SignatureError, Software, Suite, Verify, in_form, screen,
    };

    type Ask =
        unsafe extern "C" fn(*mut c_void, i32, *const u8, *const u8, usize, *const u8) -> u32;

    /// The engine where there is one and it is good for it, the software else.
    pub(crate) struct CVerifier {
        user: *mut c_void,
        suites: u32,
        ask: Option<Ask>,
        told: Option<unsafe extern "C" fn(*mut c_void, u32)>,
    }

    /// What a platform's `accelerator` points to, after it gave the known answers.
    ///
    /// # Safety
    /// The contract of `iotedge_platform_t`.
    #[inline(never)]
    pub(crate) unsafe fn verifier(given: *const iotedge_accelerator_t) -> Call<CVerifier> {
        let mut made = CVerifier {
            user: core::ptr::null_mut(),
            suites: 0,
            ask: None,
            told: None,
        };
        if given.is_null() {
            return Ok(made);
        }
        // SAFETY: the caller's promise.
        let given = unsafe { structure(given, OLDEST_ACCELERATOR)? };
        if given.suites & !(IOTEDGE_ACCELERATE_ED25519 | IOTEDGE_ACCELERATE_ES256) != 0
            || given.suites == 0
        {
            return Err(status::IOTEDGE_E_ARGUMENT);
        }
        made.user = given.user;
        made.suites = given.suites;
        made.ask = Some(given.verify.ok_or(status::IOTEDGE_E_NULL)?);
        made.told = given.told;
        known::answers(&made)?;
        Ok(made)
    }

    impl CVerifier {
        /// The engine for this key, if it is for its suite.
        fn engine(&self, suite: Suite) -> Option<Ask> {
            let bit = match suite {
                Suite::Ed25519 => IOTEDGE_ACCELERATE_ED25519,
                Suite::Es256 => IOTEDGE_ACCELERATE_ES256,
            };
            self.ask.filter(|_| self.suites & bit != 0)
        }

        /// What the engine says, whatever the rule says.
        #[inline(never)]
        pub(super) fn answer(
            &self,
            key: &PublicKey,
            message: &[u8],
            signature: &Signature,
        ) -> Option<u32> {
            let ask = self.engine(key.suite())?;
            // SAFETY: the contract of `iotedge_accelerator_t`; all are as long as it says.
            Some(unsafe {
                ask(
                    self.user,
                    key.suite().cose_alg(),
                    key.bytes().as_ptr(),
                    message.as_ptr(),
                    message.len(),
                    signature.0.as_ptr(),
                )
            })
        }

        fn tell(&self, what: u32) {
            if let Some(told) = self.told {
                // SAFETY: the contract of `iotedge_accelerator_t`.
                unsafe { told(self.user, what) };
            }
        }
    }

    /// What came of one check: [`IOTEDGE_ACCELERATOR_VALID`], or one of these. Numbers and no `Result`, whose `Err` is one wrong number away from `Ok`; the last byte of each
    /// is the error's own, for where the instruction is skipped that makes one of the other.
    const SUITE: u32 = 0x1e87_b400 | SignatureError::Suite as u32;
    const MALFORMED: u32 = 0x2d4b_8700 | SignatureError::Malformed as u32;
    const REJECTED: u32 = 0x781e_d200 | SignatureError::Rejected as u32;

    const fn numbered(verdict: Result<(), SignatureError>) -> u32 {
        match verdict {
            Err(SignatureError::Suite) => SUITE,
            Err(SignatureError::Malformed) => MALFORMED,
            Err(SignatureError::Rejected) => REJECTED,
            Ok(()) => IOTEDGE_ACCELERATOR_VALID,
        }
    }

    impl CVerifier {
        /// Everything that decides about one signature.
        #[inline(never)]
        fn judged(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> u32 {
            let screened = numbered(screen(key, signature));
            if screened != IOTEDGE_ACCELERATOR_VALID {
                return screened;
            }
            let answer = self.answer(key, message, signature).unwrap_or(0);
            // Copies of which the compiler knows nothing.
            let again = black_box(answer);
            if answer == IOTEDGE_ACCELERATOR_VALID {
                // A second look at the answer and at the form, so that no skip is all of it. The key was checked when it came in, too.
                return match again {
                    IOTEDGE_ACCELERATOR_VALID => {
                        numbered(in_form(black_box(key), black_box(signature)))
                    }
                    _ => REJECTED,
                };
            }
            let verdict = Software.verify(key, message, signature);
            let once_more = black_box(verdict);
            if answer != IOTEDGE_ACCELERATOR_INVALID {
                self.tell(IOTEDGE_ACCELERATOR_FAILED);
            } else if verdict.is_ok() {
                self.tell(IOTEDGE_ACCELERATOR_DISAGREED);
            }
            if verdict.is_err() {
                return numbered(verdict);
            }
            numbered(once_more)
        }
    }

    impl Verify for CVerifier {
        /// By the engine where there is one and it is good for it. No single instruction that is skipped turns a refusal into an acceptance (docs/decisions/0030).
        fn verify(
            &mut self,
            key: &PublicKey,
            message: &[u8],
            signature: &Signature,
        ) -> Result<(), SignatureError> {
            if self.engine(key.suite()).is_none() {
                return Software.verify(key, message, signature);
            }
            let found = self.judged(key, message, signature);
            let again = black_box(found);
            if found != IOTEDGE_ACCELERATOR_VALID {
                return Err(match found {
                    SUITE => SignatureError::Suite,
                    MALFORMED => SignatureError::Malformed,
                    _ => SignatureError::Rejected,
                });
            }
            match again {
                IOTEDGE_ACCELERATOR_VALID => Ok(()),
                _ => Err(SignatureError::Rejected),
            }
        }
    }
}
#[cfg(feature = "accelerator")]
pub(crate) use some::{CVerifier, verifier};

#[cfg(feature = "accelerator")]
#[path = "accelerator_known.rs"]
mod known;

#[cfg(all(test, feature = "accelerator"))]
#[path = "accelerator_tests.rs"]
mod tests;
