//! A node's beginning and end: its size, its configuration, its memory.
//!
//! Invariant: what the caller hands in is checked before the memory is touched, and `deinit` leaves zeros (DESIGN section 9).

use super::iotedge_node_t;
use super::memory::*;
use super::platform::platform as platform_of;
use super::types::*;
use crate::key::{public_key, signature_status};
use crate::raw::{Call, Out, OutStruct, array, done, input, structure};
use crate::status;
use iotedge_core::Millis;
use iotedge_core::crypto::{SecretKey, Signature};
use iotedge_core::node::{Clock, Config, InitError, Limits, Node, NodeSigner, Span, Strategy};

fn init_status(error: InitError) -> i32 {
    match error {
        InitError::Limits => status::IOTEDGE_E_LIMITS,
        InitError::Memory => status::IOTEDGE_E_MEMORY_TOO_SMALL,
        InitError::Certificate => status::IOTEDGE_E_OWN_CERTIFICATE,
        InitError::Platform => status::IOTEDGE_E_PLATFORM,
        InitError::Stored => status::IOTEDGE_E_STORED_STATE,
        InitError::OldImage => status::IOTEDGE_E_OLD_IMAGE,
        InitError::Counter => status::IOTEDGE_E_COUNTER,
    }
}

/// The limits of a Linux device in a small neighbourhood: about 560 KiB. Change what you need.
///
/// `limits`: set its `size` first; written on success.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_limits_default(limits: *mut iotedge_limits_t) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        OutStruct::new(limits, OLDEST_LIMITS)?.write(&iotedge_limits_t::from_core(&Limits::SMALL));
        Ok(())
    })())
}

/// How many bytes of memory a node with these limits needs. For static arrays there is the macro `IOTEDGE_NODE_SIZE`, which is a
/// little more.
///
/// `bytes`: written on success.
///
/// `IOTEDGE_E_LIMITS`: a limit is out of bounds; see `iotedge_limits_t`.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_size(
    limits: *const iotedge_limits_t,
    bytes: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let limits = structure(limits, OLDEST_LIMITS)?.to_core()?;
        let bytes = Out::new(bytes)?;
        bytes.write(node_size(&limits)?);
        Ok(())
    })())
}

/// Starts a node in memory that you give, and reads back what its store holds: after a reset the same call goes on where the device was.
///
/// `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_node_size`; the node's until `iotedge_node_deinit`, not to be read,
/// written, moved or copied meanwhile. `limits`, `config`: copied. `platform`: copied; its `user` must live as long as the node.
/// `node`: written on success; points into `memory`.
///
/// Calls the platform: randomness and the store.
///
/// `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_LIMITS`: see above. `IOTEDGE_E_ALREADY_INITIALISED`: a node lives
/// here. `IOTEDGE_E_OWN_CERTIFICATE`: no certificate, or not one of this key. `IOTEDGE_E_STORED_STATE`: the store is of another
/// neighbourhood authority or of a later version. `IOTEDGE_E_PLATFORM`: a callback failed.
///
/// ```c
/// static uint64_t memory[IOTEDGE_NODE_SIZE(128, 16, 8, 4, 8, 16, 16384) / 8];
///
/// static int32_t start(const iotedge_public_key_t *authority, const uint8_t *seed, const uint8_t *cwt, size_t cwt_len,
///                      const iotedge_platform_t *platform, iotedge_node_t **node)
/// {
///     iotedge_limits_t limits;
///     iotedge_config_t config;
///     memset(&limits, 0, sizeof limits);
///     limits.size = (uint32_t)sizeof limits;
///     limits.window = 128;
///     limits.members = 16;
///     limits.peers = 8;
///     limits.aside = 4;
///     limits.outbox = 8;
///     limits.own = 16;
///     limits.raw = 16384;
///     memset(&config, 0, sizeof config);
///     config.size = (uint32_t)sizeof config;
///     config.authority = authority;
///     config.seed = seed;
///     config.certificate = cwt;
///     config.certificate_len = cwt_len;
///     return iotedge_node_init(memory, sizeof memory, &limits, &config, platform, node);
/// }
/// ```
///
/// From any thread; the node then belongs to one thread at a time. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_init(
    memory: *mut core::ffi::c_void,
    memory_len: usize,
    limits: *const iotedge_limits_t,
    config: *const iotedge_config_t,
    platform: *const iotedge_platform_t,
    node: *mut *mut iotedge_node_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        if memory.is_null() {
            return Err(status::IOTEDGE_E_NULL);
        }
        let out = Out::new(node)?;
        let limits = structure(limits, OLDEST_LIMITS)?.to_core()?;
        let given = structure(config, OLDEST_CONFIG)?;
        let (platform, verifier) = platform_of(platform)?;
        let certificates = [
            input(given.issuer, given.issuer_len)?,
            input(given.certificate, given.certificate_len)?,
        ];
        let chain = match given.issuer_len {
            0 => certificates.get(1..).unwrap_or(&[]),
            _ => &certificates[..],
        };
        let authority = public_key(given.authority)?;
        let (config, signer) = match given.role {
            IOTEDGE_ROLE_MEMBER => (Config::member(authority, chain), signer(&given)?),
            IOTEDGE_ROLE_OBSERVER => match signer(&given) {
                Err(status::IOTEDGE_E_NULL) => (Config::observer(authority), NodeSigner::None),
                _ => return Err(status::IOTEDGE_E_ARGUMENT),
            },
            _ => return Err(status::IOTEDGE_E_ARGUMENT),
        };
        let config = policy(config, &given)?;
        if config.strategy != Strategy::Uniform && !limits.weights {
            return Err(status::IOTEDGE_E_LIMITS);
        }
        create(memory.cast::<u8>(), memory_len, &limits, |slices, place| {
            Node::new_in(place, slices, limits, &config, signer, platform, verifier)
                .map_err(init_status)
        })?;
        out.write(memory.cast());
        Ok(())
    })())
}

/// # Safety
/// The pointers of the configuration are as its comments say.
unsafe fn signer(given: &iotedge_config_t) -> Call<NodeSigner> {
    // SAFETY: the caller's promise.
    unsafe {
        match (given.seed.is_null(), given.signer.is_null()) {
            (false, true) => SecretKey::from_seed(array::<32>(given.seed)?)
                .map(NodeSigner::Software)
                .map_err(signature_status),
            (true, false) => {
                let key = public_key(given.signer)?;
                key.check().map_err(signature_status)?;
                Ok(NodeSigner::External(key))
            }
            (true, true) => Err(status::IOTEDGE_E_NULL),
            (false, false) => Err(status::IOTEDGE_E_ARGUMENT),
        }
    }
}

/// # Safety
/// As [`signer`].
unsafe fn policy<'a>(mut config: Config<'a>, given: &iotedge_config_t) -> Call<Config<'a>> {
    if given.tips > 7 {
        return Err(status::IOTEDGE_E_ARGUMENT);
    }
    config.clock = match given.clock {
        IOTEDGE_CLOCK_OFFSET => Clock::Offset(given.clock_offset),
        IOTEDGE_CLOCK_NEIGHBOURS => Clock::FromNeighbours,
        _ => return Err(status::IOTEDGE_E_ARGUMENT),
    };
    if given.alpha != 0 {
        config.strategy = Strategy::Weighted { alpha: given.alpha };
    }
    for (to, from) in [
        (&mut config.request_timeout, given.request_timeout),
        (&mut config.aside_timeout, given.aside_timeout),
        (&mut config.clock_tolerance, given.clock_tolerance),
    ] {
        if from != 0 {
            *to = Millis(from.into());
        }
    }
    let tuning = &mut config.tuning;
    for (to, from) in [
        (&mut tuning.announce, given.announce_interval),
        (&mut tuning.beacon, given.beacon_interval),
        (&mut tuning.slot, given.slot),
    ] {
        if from != 0 {
            *to = Span::fixed(Millis(from.into()));
        }
    }
    if given.tips != 0 {
        tuning.tips = Span::fixed(given.tips as u8);
    }
    tuning.approvals = match given.approvals {
        0 => tuning.approvals,
        IOTEDGE_APPROVALS_NONE => 0,
        hourly => hourly,
    };
    if !given.owner.is_null() {
        // SAFETY: the caller's promise.
        let owner = unsafe { public_key(given.owner)? };
        owner.check().map_err(signature_status)?;
        config.owner = Some(owner);
    }
    if !given.enrolment.is_null() {
        // SAFETY: the caller's promise.
        config.enrolment = Some(Signature(*unsafe { array::<64>(given.enrolment)? }));
    }
    Ok(config)
}

/// Ends the node: wipes its keys and all its memory, which is yours again. What is in the store stays.
///
/// `node`: live. A second call is refused with `IOTEDGE_E_NOT_INITIALISED`, as is every other call on a node that ended.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_deinit(node: *mut iotedge_node_t) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe { destroy(node.cast()) })
}
