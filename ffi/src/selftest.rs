//! A self test for ports: run on the device, it finds what a vendor's callbacks do wrong before a neighbourhood does.
//!
//! Invariant: it uses the callbacks as a node or a leaf does, two keys of the store that nothing else uses, and leaves them empty; what it finds has a status of its own, so that one line
//! of a log says what to mend. It sees what can be seen from inside one run: not a store that forgets at a power cut, nor randomness that repeats after a reset.

use crate::attest::{iotedge_evidence_t, with_evidence};
use crate::key::{iotedge_public_key_t, public_key};
use crate::node::{OLDEST_PLATFORM, iotedge_platform_t};
use crate::raw::{Call, OutStruct, Sized32, done, structure};
use crate::status;
use core::ffi::c_void;
use iotedge_core::Id;
use iotedge_core::crypto::{SecretKey, Signature, Software, Verify, sha256};
use iotedge_core::identity::attest::{Claims, MAX_MESSAGE, signing_input};

/// Bytes of working memory that `iotedge_port_selftest` needs at least; with `IOTEDGE_MAX_SET` it tries the longest value that there is.
pub const IOTEDGE_SELFTEST_MEMORY: usize = 1400;
/// The keys of the store that `iotedge_port_selftest` uses, and the one above; nodes and leaves use neither.
pub const IOTEDGE_SELFTEST_KEY: u32 = 0xfffe;

/// What a self test is to look at beside the platform. Set everything to zero, then `size`, `memory` and `memory_len`, and what there is.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_port_t {
    /// `sizeof(iotedge_port_t)`.
    pub size: u32,
    /// At least so many bytes of the stack must stay untouched; 0: 256.
    pub stack_spare: u32,
    /// Handed to each callback here first.
    pub user: *mut c_void,
    /// Working memory; its contents do not matter and are lost. That of a node or leaf that does not live yet will do.
    pub memory: *mut u8,
    /// At least `IOTEDGE_SELFTEST_MEMORY`.
    pub memory_len: usize,
    /// The clock that you give as `now`: milliseconds that never go back. NULL: not tested.
    pub now: Option<unsafe extern "C" fn(user: *mut c_void) -> u64>,
    /// The external signer: 64 bytes into `signature`, waited for. NULL: not tested.
    pub sign: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            message: *const u8,
            message_len: usize,
            signature: *mut u8,
        ) -> i32,
    >,
    /// Its public key, as it is in the certificate.
    pub signer: *const iotedge_public_key_t,
    /// The lowest address of the stack that this call runs on, for stacks that grow downwards. What is below this call is painted, so nothing else may use it. NULL: not tested, or by
    /// `stack_left`.
    pub stack: *mut u8,
    /// Says how many bytes of this stack were never used, as many an RTOS can. NULL: see `stack`.
    pub stack_left: Option<unsafe extern "C" fn(user: *mut c_void) -> u32>,
}
// SAFETY: repr(C), integers, raw pointers and optional functions, size first.
unsafe impl Sized32 for iotedge_port_t {}
const OLDEST_PORT: usize = 8 + 8 * size_of::<*const u8>();
const _: () = assert!(size_of::<iotedge_port_t>() == OLDEST_PORT);

/// What a self test found: for each part `IOTEDGE_OK`, `IOTEDGE_E_NONE` where it was not tested, or what is wrong; `iotedge_status_name` says it. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_selftest_t {
    /// `sizeof(iotedge_selftest_t)`.
    pub size: u32,
    /// Parts with a fault.
    pub failed: u32,
    /// `random`: `IOTEDGE_E_RANDOM_FAILED`, `..._RANDOM_SHORT`, `..._RANDOM_REPEATS`, `..._RANDOM_STUCK` (repetition count), `..._RANDOM_BIASED` (adaptive
    /// proportion, both of NIST SP 800-90B section 4.4), `IOTEDGE_E_OVERRUN`.
    pub random: i32,
    /// `now`: `IOTEDGE_E_CLOCK_BACK`, `IOTEDGE_E_CLOCK_STUCK`.
    pub clock: i32,
    /// `store_*`: `IOTEDGE_E_STORE_MISSING`, `..._STORE_WRITE`, `..._STORE_READ`, `..._STORE_VALUE`, `..._STORE_LONG`, `..._STORE_SHORT`, `..._STORE_KEYS`, `..._STORE_REMOVE`,
    /// `IOTEDGE_E_OVERRUN`.
    pub store: i32,
    /// `sign`: `IOTEDGE_E_PLATFORM` where it says that it failed, `IOTEDGE_E_SIGNATURE` where it is not one by the key, `IOTEDGE_E_OVERRUN`.
    pub signer: i32,
    /// `attest`: `IOTEDGE_E_PLATFORM` where it says that it failed, `IOTEDGE_E_EVIDENCE` and others of `iotedge_attest`.
    pub attest: i32,
    /// `counter_*`: `IOTEDGE_E_NULL` where one of the two is missing, `IOTEDGE_E_PLATFORM` where one says that it failed, `IOTEDGE_E_COUNTER` where it does not count by one or does not
    /// say the same twice, `IOTEDGE_E_COUNTER_EXHAUSTED` at its end. The test spends one step.
    pub counter: i32,
    /// The stack: `IOTEDGE_E_STACK`.
    pub stack: i32,
    /// Bytes of the stack that stayed untouched, where it was tested.
    pub stack_left: u32,
    /// The longest value that the store took and gave back.
    pub store_longest: u32,
    /// `accelerator`: `IOTEDGE_E_ACCELERATOR_FAILED`, `..._ACCELERATOR_REFUSES`, `..._ACCELERATOR_ACCEPTS` (a signature), as a node or leaf would refuse it; `IOTEDGE_E_ACCELERATOR` where this
    /// build takes none.
    pub accelerator: i32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_selftest_t {}
const OLDEST_RESULT: usize = 44;
const _: () = assert!(size_of::<iotedge_selftest_t>() == OLDEST_RESULT + 4);

/// Bytes that are drawn.
const SAMPLE: usize = 4096;
/// Cut-offs for 8 bits of entropy a byte, which is what keys need, and a false alarm in 2^30: 1 + 30 / 8 rounded up, and 1 + critbinom(512, 2^-8, 1 - 2^-30).
const REPETITIONS: u32 = 5;
const PROPORTION: u32 = 16;
const WINDOW: u32 = 512;
/// What stands behind a buffer, and must go on standing there.
const CANARY: [u8; 8] = [0xc5, 0x3a, 0x96, 0x5c, 0xa3, 0x69, 0xf0, 0x0f];

/// Tests a port on the device: randomness, clock, store, signer, attestation, accelerator, stack. Call it at a bench, and in the firmware's own self test; not on a store that a node or leaf is using.
///
/// `platform`: as for a node or a leaf. `port`: what else there is. Both read only, but for `port->memory` and the stack below. `result`: set its `size` first; written whenever the test
/// ran, whatever it found: look at `failed`.
///
/// ```c
/// static unsigned long selftest(const iotedge_platform_t *platform, uint8_t *memory, size_t len, uint64_t (*now)(void *user))
/// {
///     iotedge_port_t port;
///     iotedge_selftest_t found;
///     memset(&port, 0, sizeof port);
///     port.size = (uint32_t)sizeof port;
///     port.memory = memory;
///     port.memory_len = len;
///     port.now = now;
///     memset(&found, 0, sizeof found);
///     found.size = (uint32_t)sizeof found;
///     if (iotedge_port_selftest(platform, &port, &found) != IOTEDGE_OK) {
///         return 1;
///     }
///     printf("random %s, clock %s, store %s, stack %s\n", iotedge_status_name(found.random), iotedge_status_name(found.clock),
///            iotedge_status_name(found.store), iotedge_status_name(found.stack));
///     return found.failed;
/// }
/// ```
///
/// Calls the platform. From any thread, with the stack of a node or leaf. Not from an interrupt: it signs, and takes seconds on a microcontroller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_port_selftest(
    platform: *const iotedge_platform_t,
    port: *const iotedge_port_t,
    result: *mut iotedge_selftest_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let platform = structure(platform, OLDEST_PLATFORM)?;
        let port = structure(port, OLDEST_PORT)?;
        let out = OutStruct::new(result, OLDEST_RESULT)?;
        if port.memory.is_null() || (port.sign.is_some() && port.signer.is_null()) {
            return Err(status::IOTEDGE_E_NULL);
        }
        if port.memory_len < IOTEDGE_SELFTEST_MEMORY || port.memory_len > isize::MAX as usize {
            return Err(status::IOTEDGE_E_MEMORY_TOO_SMALL);
        }
        let memory = core::slice::from_raw_parts_mut(port.memory, port.memory_len);
        let painted = paint(&port);
        let mut longest = 0;
        let mut found = iotedge_selftest_t {
            size: 0,
            failed: 0,
            random: done(random(&platform)),
            clock: done(clock(&port)),
            store: done(store(&platform, memory, &mut longest)),
            signer: done(signer(&port)),
            attest: done(attest(&platform)),
            counter: done(counter(&platform)),
            stack: status::IOTEDGE_E_NONE,
            stack_left: 0,
            store_longest: longest,
            accelerator: done(accelerator(&platform)),
        };
        // After the deepest that there is: a signature made and checked.
        work();
        if let Some(left) = left(&port, painted) {
            let spare = if port.stack_spare == 0 {
                256
            } else {
                port.stack_spare
            };
            found.stack_left = left;
            found.stack = match left >= spare {
                true => status::IOTEDGE_OK,
                false => status::IOTEDGE_E_STACK,
            };
        }
        let parts = [
            found.random,
            found.clock,
            found.store,
            found.signer,
            found.attest,
            found.counter,
            found.stack,
            found.accelerator,
        ];
        let good = |part: &&i32| **part == status::IOTEDGE_OK || **part == status::IOTEDGE_E_NONE;
        let failed = parts
            .len()
            .saturating_sub(parts.iter().filter(good).count());
        found.failed = u32::try_from(failed).unwrap_or(u32::MAX);
        out.write(&found);
        Ok(())
    })())
}

/// A draw into the front of a buffer whose end must stay as it is.
///
/// # Safety
/// The contract of `iotedge_platform_t`.
unsafe fn draw<const N: usize>(platform: &iotedge_platform_t, fill: u8) -> Call<[u8; N]> {
    let random = platform.random.ok_or(status::IOTEDGE_E_NULL)?;
    let mut room = ([fill; N], CANARY);
    // SAFETY: the caller's promise; the room is ours.
    let said = unsafe { random(platform.user, room.0.as_mut_ptr(), N) };
    if core::hint::black_box(room.1) != CANARY {
        return Err(status::IOTEDGE_E_OVERRUN);
    }
    match said {
        status::IOTEDGE_OK => Ok(room.0),
        _ => Err(status::IOTEDGE_E_RANDOM_FAILED),
    }
}

/// # Safety
/// The contract of `iotedge_platform_t`.
#[inline(never)]
unsafe fn random(platform: &iotedge_platform_t) -> Call<()> {
    // SAFETY: the caller's promise.
    unsafe {
        // What is not written stands as it was: in both, at one place, with another value each time.
        let (one, two) = (draw::<61>(platform, 0xa5)?, draw::<61>(platform, 0x5a)?);
        let tail = |bytes: &[u8; 61], fill: u8| {
            let kept = bytes.iter().rev().take_while(|b| **b == fill);
            kept.count()
        };
        if tail(&one, 0xa5).min(tail(&two, 0x5a)) > 3 {
            return Err(status::IOTEDGE_E_RANDOM_SHORT);
        }
        if one == two {
            return Err(status::IOTEDGE_E_RANDOM_REPEATS);
        }
        let (mut last, mut run) = (0, 0u32);
        let (mut sample, mut seen, mut count) = (0, 0u32, 0u32);
        for _ in 0..SAMPLE / 64 {
            for byte in draw::<64>(platform, 0)? {
                run = if byte == last {
                    run.saturating_add(1)
                } else {
                    1
                };
                last = byte;
                if run >= REPETITIONS {
                    return Err(status::IOTEDGE_E_RANDOM_STUCK);
                }
                if seen == 0 {
                    (sample, count) = (byte, 0);
                }
                count = count.saturating_add(u32::from(byte == sample));
                seen = seen.saturating_add(1);
                if count >= PROPORTION {
                    return Err(status::IOTEDGE_E_RANDOM_BIASED);
                }
                if seen == WINDOW {
                    seen = 0;
                }
            }
        }
        Ok(())
    }
}

/// # Safety
/// The contract of `iotedge_port_t`.
#[inline(never)]
unsafe fn clock(port: &iotedge_port_t) -> Call<()> {
    let now = port.now.ok_or(status::IOTEDGE_E_NONE)?;
    // SAFETY: the caller's promise.
    let first = unsafe { now(port.user) };
    let mut last = first;
    let mut digest = [0; 32];
    // Some milliseconds of work on the fastest machine, seconds on the slowest.
    for _ in 0..8192 {
        for _ in 0..8 {
            digest = core::hint::black_box(sha256(&[&digest]));
        }
        // SAFETY: as above.
        let next = unsafe { now(port.user) };
        if next < last {
            return Err(status::IOTEDGE_E_CLOCK_BACK);
        }
        last = next;
        // Two steps: that it counts, and goes on.
        if last > first.saturating_add(1) {
            return Ok(());
        }
    }
    Err(status::IOTEDGE_E_CLOCK_STUCK)
}

/// The store's callbacks.
struct Store<'p> {
    platform: &'p iotedge_platform_t,
    memory: &'p mut [u8],
}

/// A byte of the value with this seed.
pub(crate) const fn pattern(seed: u8, at: usize) -> u8 {
    let [low, high, ..] = at.to_le_bytes();
    low.wrapping_mul(167) ^ high.wrapping_mul(59) ^ seed
}

impl Store<'_> {
    const fn user(&self) -> *mut c_void {
        match self.platform.store_user.is_null() {
            true => self.platform.user,
            false => self.platform.store_user,
        }
    }

    unsafe fn put(&mut self, key: u32, seed: u8, len: usize) -> Call<()> {
        let put = self.platform.store_put.ok_or(status::IOTEDGE_E_NULL)?;
        let user = self.user();
        let room = self
            .memory
            .get_mut(..len)
            .ok_or(status::IOTEDGE_E_INTERNAL)?;
        for (at, byte) in room.iter_mut().enumerate() {
            *byte = pattern(seed, at);
        }
        // SAFETY: the contract of `iotedge_platform_t`.
        let said = unsafe { put(user, key, room.as_ptr(), len) };
        // It must copy: what is here afterwards is ours.
        room.fill(0xee);
        match said {
            status::IOTEDGE_OK => Ok(()),
            _ => Err(status::IOTEDGE_E_STORE_WRITE),
        }
    }

    /// What `store_get` says, and the length.
    unsafe fn get(&mut self, key: u32, capacity: usize) -> Call<(i32, usize)> {
        let get = self.platform.store_get.ok_or(status::IOTEDGE_E_NULL)?;
        let end = capacity.saturating_add(CANARY.len());
        let user = self.user();
        let room = self
            .memory
            .get_mut(..end)
            .ok_or(status::IOTEDGE_E_INTERNAL)?;
        let (value, behind) = room.split_at_mut(capacity);
        value.fill(0);
        for (byte, canary) in behind.iter_mut().zip(CANARY) {
            *byte = canary;
        }
        let mut len = usize::MAX;
        // SAFETY: the contract of `iotedge_platform_t`.
        let said = unsafe { get(user, key, value.as_mut_ptr(), capacity, &raw mut len) };
        match *behind == CANARY {
            true => Ok((said, len)),
            false => Err(status::IOTEDGE_E_OVERRUN),
        }
    }

    unsafe fn holds(&mut self, key: u32, seed: u8, wanted: usize) -> Call<()> {
        // SAFETY: as `get`.
        match unsafe { self.get(key, wanted)? } {
            (status::IOTEDGE_OK, len) if len == wanted => {}
            (status::IOTEDGE_OK, _) => return Err(status::IOTEDGE_E_STORE_VALUE),
            _ => return Err(status::IOTEDGE_E_STORE_READ),
        }
        let value = self.memory.iter().take(wanted).enumerate();
        match value.fold(true, |same, (at, byte)| same && *byte == pattern(seed, at)) {
            true => Ok(()),
            false => Err(status::IOTEDGE_E_STORE_VALUE),
        }
    }

    unsafe fn lacks(&mut self, key: u32, otherwise: i32) -> Call<()> {
        // SAFETY: as `get`.
        match unsafe { self.get(key, 64)? } {
            (status::IOTEDGE_E_NONE, _) => Ok(()),
            _ => Err(otherwise),
        }
    }

    unsafe fn remove(&mut self, key: u32) -> Call<()> {
        let remove = self.platform.store_remove.ok_or(status::IOTEDGE_E_NULL)?;
        // SAFETY: the contract of `iotedge_platform_t`.
        match unsafe { remove(self.user(), key) } {
            status::IOTEDGE_OK => Ok(()),
            _ => Err(status::IOTEDGE_E_STORE_REMOVE),
        }
    }

    unsafe fn all(&mut self, longest: &mut u32) -> Call<()> {
        let (one, two) = (IOTEDGE_SELFTEST_KEY, IOTEDGE_SELFTEST_KEY.saturating_add(1));
        // SAFETY: as `get`.
        unsafe {
            // Removing what is not there succeeds, and then it is not there.
            self.remove(one)?;
            self.remove(two)?;
            self.lacks(one, status::IOTEDGE_E_STORE_MISSING)?;
            self.put(one, 1, 40)?;
            self.holds(one, 1, 40)?;
            // Shorter over longer: nothing of the old one stays.
            self.put(one, 2, 7)?;
            self.holds(one, 2, 7)?;
            // Into a buffer that is too short: a failure, and nothing behind it.
            if let (status::IOTEDGE_OK | status::IOTEDGE_E_NONE, _) = self.get(one, 6)? {
                return Err(status::IOTEDGE_E_STORE_SHORT);
            }
            self.put(two, 3, 33)?;
            self.holds(one, 2, 7)
                .map_err(|_| status::IOTEDGE_E_STORE_KEYS)?;
            self.holds(two, 3, 33)
                .map_err(|_| status::IOTEDGE_E_STORE_KEYS)?;
            // The longest that a node or leaf writes, if it fits here.
            let most = self.memory.len().saturating_sub(CANARY.len());
            let most = most.min(crate::node::IOTEDGE_MAX_SET);
            for (seed, len) in [(4, 400), (5, most)] {
                let long = |_| status::IOTEDGE_E_STORE_LONG;
                self.put(one, seed, len).map_err(long)?;
                self.holds(one, seed, len).map_err(long)?;
                *longest = u32::try_from(len).unwrap_or(u32::MAX);
            }
            self.remove(one)?;
            self.lacks(one, status::IOTEDGE_E_STORE_REMOVE)?;
            self.holds(two, 3, 33)
                .map_err(|_| status::IOTEDGE_E_STORE_KEYS)?;
            self.remove(two)?;
            self.lacks(two, status::IOTEDGE_E_STORE_REMOVE)
        }
    }
}

/// # Safety
/// The contract of `iotedge_platform_t`.
#[inline(never)]
unsafe fn store(platform: &iotedge_platform_t, memory: &mut [u8], longest: &mut u32) -> Call<()> {
    let mut store = Store { platform, memory };
    // SAFETY: the caller's promise.
    unsafe {
        let found = store.all(longest);
        if found.is_err() {
            // Nothing stays of the test, as far as the store does what it is told.
            let _ = store.remove(IOTEDGE_SELFTEST_KEY);
            let _ = store.remove(IOTEDGE_SELFTEST_KEY.saturating_add(1));
        }
        found
    }
}

/// # Safety
/// The contract of `iotedge_port_t`.
#[inline(never)]
unsafe fn signer(port: &iotedge_port_t) -> Call<()> {
    let sign = port.sign.ok_or(status::IOTEDGE_E_NONE)?;
    // SAFETY: the caller's promise.
    let key = unsafe { public_key(port.signer)? };
    key.check().map_err(crate::key::signature_status)?;
    // The shortest and the longest that there is.
    for len in [32, crate::attest::IOTEDGE_MAX_SIGN_INPUT] {
        let mut message = [0u8; crate::attest::IOTEDGE_MAX_SIGN_INPUT];
        for (at, byte) in message.iter_mut().enumerate() {
            *byte = pattern(6, at);
        }
        let message = message.get(..len).unwrap_or(&[]);
        let mut room = ([0u8; 64], CANARY);
        // SAFETY: the caller's promise; the room is ours.
        let said = unsafe { sign(port.user, message.as_ptr(), len, room.0.as_mut_ptr()) };
        if core::hint::black_box(room.1) != CANARY {
            return Err(status::IOTEDGE_E_OVERRUN);
        }
        if said != status::IOTEDGE_OK {
            return Err(status::IOTEDGE_E_PLATFORM);
        }
        Software
            .verify(&key, message, &Signature(room.0))
            .map_err(|_| status::IOTEDGE_E_SIGNATURE)?;
    }
    Ok(())
}

/// # Safety
/// The contract of `iotedge_platform_t`.
#[inline(never)]
unsafe fn attest(platform: &iotedge_platform_t) -> Call<()> {
    let attest = platform.attest.ok_or(status::IOTEDGE_E_NONE)?;
    let mut evidence = iotedge_evidence_t::EMPTY;
    // SAFETY: the caller's promise.
    unsafe {
        if attest(platform.user, &raw mut evidence) != status::IOTEDGE_OK {
            return Err(status::IOTEDGE_E_PLATFORM);
        }
        with_evidence(&evidence, |evidence| {
            let claims = Claims {
                nonce: &[0; 32],
                device: Id::ZERO,
                evidence: *evidence,
            };
            let key = iotedge_core::crypto::PublicKey::Ed25519([1; 32]);
            signing_input(&claims, &key, &mut [0; MAX_MESSAGE])
                .map(drop)
                .map_err(crate::attest::attest_status)
        })
    }
}

/// # Safety
/// The contract of `iotedge_platform_t`.
#[inline(never)]
unsafe fn counter(platform: &iotedge_platform_t) -> Call<()> {
    let (read, advance) = match (platform.counter_read, platform.counter_advance) {
        (Some(read), Some(advance)) => (read, advance),
        (None, None) => return Err(status::IOTEDGE_E_NONE),
        _ => return Err(status::IOTEDGE_E_NULL),
    };
    let value = || {
        let (mut value, mut last) = (u32::MAX, 0);
        // SAFETY: the caller's promise; both are ours.
        match unsafe { read(platform.user, &raw mut value, &raw mut last) } {
            status::IOTEDGE_OK if value <= last => Ok((value, last)),
            status::IOTEDGE_OK => Err(status::IOTEDGE_E_COUNTER),
            _ => Err(status::IOTEDGE_E_PLATFORM),
        }
    };
    let before = value()?;
    if before.0 == before.1 {
        return Err(status::IOTEDGE_E_COUNTER_EXHAUSTED);
    }
    if value()? != before {
        return Err(status::IOTEDGE_E_COUNTER);
    }
    // SAFETY: the caller's promise.
    if unsafe { advance(platform.user) } != status::IOTEDGE_OK {
        return Err(status::IOTEDGE_E_PLATFORM);
    }
    let after = (before.0.saturating_add(1), before.1);
    match value()? == after && value()? == after {
        true => Ok(()),
        false => Err(status::IOTEDGE_E_COUNTER),
    }
}

/// # Safety
/// The contract of `iotedge_platform_t`.
#[inline(never)]
unsafe fn accelerator(platform: &iotedge_platform_t) -> Call<()> {
    if platform.accelerator.is_null() {
        return Err(status::IOTEDGE_E_NONE);
    }
    // SAFETY: the caller's promise.
    unsafe { crate::accelerator::verifier(platform.accelerator).map(drop) }
}

/// The deepest work that there is for most devices.
#[inline(never)]
fn work() {
    if let Ok(secret) = SecretKey::from_seed(&[1; 32]) {
        let signature = secret.sign(b"stack");
        let held = Software.verify(&secret.public_key(), b"stack", &signature);
        let _ = core::hint::black_box(held);
    }
}

const PAINT: u8 = 0x9d;
/// What is left alone below this call: its callees' frames and what a processor keeps there.
const MARGIN: usize = 512;

/// Paints the stack from its end up to shortly below here; gives how many bytes.
///
/// # Safety
/// The contract of `iotedge_port_t`.
#[inline(never)]
unsafe fn paint(port: &iotedge_port_t) -> usize {
    let here = 0u8;
    let here = core::hint::black_box(&raw const here) as usize;
    let low = port.stack as usize;
    let room = match port.stack.is_null() {
        true => 0,
        false => here.saturating_sub(low).saturating_sub(MARGIN),
    };
    for at in 0..room {
        // SAFETY: of this stack, below what is in use, by the caller's promise.
        unsafe { port.stack.wrapping_add(at).write_volatile(PAINT) };
    }
    room
}

/// How many bytes were never used.
///
/// # Safety
/// The contract of `iotedge_port_t`.
unsafe fn left(port: &iotedge_port_t, painted: usize) -> Option<u32> {
    if let Some(ask) = port.stack_left {
        // SAFETY: the caller's promise.
        return Some(unsafe { ask(port.user) });
    }
    if port.stack.is_null() {
        return None;
    }
    // SAFETY: as `paint`.
    let whole = |at: &usize| unsafe { port.stack.wrapping_add(*at).read_volatile() } == PAINT;
    let count = (0..painted).take_while(whole).count();
    Some(u32::try_from(count).unwrap_or(u32::MAX))
}
