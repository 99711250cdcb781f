//! A leaf's beginning and end, its neighbours, and its loop of frames, events and deadlines.
//!
//! Invariant: what the caller hands in is checked before the memory is touched, and `deinit` leaves zeros (DESIGN section 9).

use super::types::*;
use super::{CLeaf, iotedge_leaf_t, look, refused, with};
use crate::accelerator::CVerifier;
use crate::key::{public_key, signature_status};
use crate::node::OLDEST_EVENT;
use crate::node::memory::{Cutter, create_in_place, destroy_living};
use crate::node::platform::{CPlatform, platform as platform_of};
use crate::node::{
    IOTEDGE_CLOCK_NEIGHBOURS, IOTEDGE_CLOCK_OFFSET, iotedge_event_t, iotedge_platform_t, peer_of,
};
use crate::raw::{Call, Out, OutStruct, array, done, input, structure};
use crate::status;
use core::mem::MaybeUninit;
use iotedge_core::crypto::{SecretKey, Signature};
use iotedge_core::identity::CoseKey;
use iotedge_core::leaf::{Config, Leaf, LeafSigner};
use iotedge_core::wire::Certificates;
use iotedge_core::{Id, MAX_FRAME, Millis};

/// Bytes of a leaf, a multiple of 8, for a static array: `static uint64_t memory[IOTEDGE_LEAF_SIZE / 8];`. Never less than what
/// `iotedge_leaf_size` says, and good for every target.
pub const IOTEDGE_LEAF_SIZE: usize = 4608;

/// Cuts (or with no base only counts) a leaf's frame buffer; gives the distance of the leaf.
///
/// # Safety
/// As [`Cutter::cut`].
unsafe fn cut(cutter: &mut Cutter) -> Option<(&'static mut [u8], usize)> {
    let at = cutter.living::<CLeaf>()?;
    // SAFETY: the caller's promise.
    let buffer = unsafe { cutter.cut(MAX_FRAME, Default::default)? };
    Some((buffer, at))
}

fn leaf_size() -> Call<usize> {
    // SAFETY: nothing is cut without memory.
    Cutter::count(|cutter| unsafe { cut(cutter) })
}

/// How many bytes of memory a leaf needs. For static arrays there is `IOTEDGE_LEAF_SIZE`, which is a little more.
///
/// `bytes`: written on success.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_size(bytes: *mut usize) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let bytes = Out::new(bytes)?;
        bytes.write(leaf_size()?);
        Ok(())
    })())
}

/// Starts a leaf in memory that you give, and reads back what its store holds: after a reset the same call goes on where the device was. A device is a
/// leaf or a node, never both over one store.
///
/// `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_leaf_size`; the leaf's until `iotedge_leaf_deinit`, not to be read,
/// written, moved or copied meanwhile. `config`: copied. `platform`: copied; its `user` must live as long as the leaf.
/// `leaf`: written on success; points into `memory`.
///
/// Calls the platform: the store. The longest value under one key is a validator set, at most `IOTEDGE_MAX_SET` bytes and in practice those of one frame.
///
/// `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`: see above. `IOTEDGE_E_ALREADY_INITIALISED`: a leaf lives here. `IOTEDGE_E_OWN_CERTIFICATE`:
/// the certificate is another device's, or not of kind leaf. `IOTEDGE_E_PLATFORM`: a callback failed.
///
/// ```c
/// static uint64_t leaf_memory[IOTEDGE_LEAF_SIZE / 8];
///
/// static int32_t leaf_start(const iotedge_public_key_t *authority, const uint8_t *seed, const uint8_t *cwt, size_t cwt_len,
///                           const iotedge_platform_t *platform, iotedge_leaf_t **leaf)
/// {
///     iotedge_leaf_config_t config;
///     memset(&config, 0, sizeof config);
///     config.size = (uint32_t)sizeof config;
///     config.authority = authority;
///     config.seed = seed;
///     config.certificate = cwt;
///     config.certificate_len = cwt_len;
///     return iotedge_leaf_init(leaf_memory, sizeof leaf_memory, &config, platform, leaf);
/// }
/// ```
///
/// From any thread; the leaf then belongs to one thread at a time. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_init(
    memory: *mut core::ffi::c_void,
    memory_len: usize,
    config: *const iotedge_leaf_config_t,
    platform: *const iotedge_platform_t,
    leaf: *mut *mut iotedge_leaf_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        if memory.is_null() {
            return Err(status::IOTEDGE_E_NULL);
        }
        let out = Out::new(leaf)?;
        let given = structure(config, OLDEST_CONFIG)?;
        let (platform, verifier) = platform_of(platform)?;
        let certificate = input(given.certificate, given.certificate_len)?;
        let issuer = input(given.issuer, given.issuer_len)?;
        if certificate.is_empty() && !issuer.is_empty() {
            return Err(status::IOTEDGE_E_ARGUMENT);
        }
        let proof = match given.enrolment.is_null() {
            true => None,
            false => Some(Signature(*array::<64>(given.enrolment)?)),
        };
        let mut owner = None;
        who(&given, &mut owner)?;
        let certificates = match (issuer, certificate) {
            (_, []) => None,
            ([], first) => Some(Certificates {
                first,
                second: None,
            }),
            (first, second) => Some(Certificates {
                first,
                second: Some(second),
            }),
        };
        create_in_place(
            memory.cast::<u8>(),
            memory_len,
            |cutter| cut(cutter),
            |buffer, place| {
                let leaf = build(place, &mut owner, platform, verifier, buffer)?;
                let started = leaf.load().and_then(|()| match &certificates {
                    Some(certificates) => leaf.enrol(Millis(0), certificates, proof.as_ref()),
                    None => Ok(()),
                });
                started.map_err(|error| {
                    // Wipes the key. Written just now, and never looked at again.
                    place.assume_init_drop();
                    refused(error)
                })
            },
        )?;
        out.write(memory.cast());
        Ok(())
    })())
}

/// The leaf's key and what it is to do.
struct Owner {
    config: Config,
    device: Id,
    signer: LeafSigner,
}

/// Fills `to`, so that there is one copy of it. Apart, so that what it takes of the stack to make a key is gone afterwards.
///
/// # Safety
/// The pointers of `given` are what its comments say.
#[inline(never)]
unsafe fn who(given: &iotedge_leaf_config_t, to: &mut Option<Owner>) -> Call<()> {
    // SAFETY: the caller's promise.
    let (signer, authority) = unsafe { (signer(given)?, public_key(given.authority)?) };
    let config = policy(Config::new(authority), given)?;
    let device = CoseKey::thumbprint(&signer.public_key());
    *to = Some(Owner {
        config,
        device,
        signer,
    });
    Ok(())
}

/// Apart, so that what it takes of the stack to make a leaf is gone when the leaf reads its store.
#[inline(never)]
fn build<'p>(
    place: &'p mut MaybeUninit<CLeaf>,
    owner: &mut Option<Owner>,
    platform: CPlatform,
    verifier: CVerifier,
    buffer: &'static mut [u8],
) -> Call<&'p mut CLeaf> {
    let Owner {
        config,
        device,
        signer,
    } = owner.take().ok_or(status::IOTEDGE_E_INTERNAL)?;
    let leaf = Leaf::unloaded(&config, device, signer, platform, verifier, buffer);
    Ok(place.write(leaf))
}

/// # Safety
/// The pointers of the configuration are as its comments say.
unsafe fn signer(given: &iotedge_leaf_config_t) -> Call<LeafSigner> {
    // SAFETY: the caller's promise.
    unsafe {
        match (given.seed.is_null(), given.signer.is_null()) {
            (false, true) => SecretKey::from_seed(array::<32>(given.seed)?)
                .map(LeafSigner::Software)
                .map_err(signature_status),
            (true, false) => {
                let key = public_key(given.signer)?;
                key.check().map_err(signature_status)?;
                Ok(LeafSigner::External(key))
            }
            (true, true) => Err(status::IOTEDGE_E_NULL),
            (false, false) => Err(status::IOTEDGE_E_ARGUMENT),
        }
    }
}

fn policy(mut config: Config, given: &iotedge_leaf_config_t) -> Call<Config> {
    if given.reserved != 0 {
        return Err(status::IOTEDGE_E_ARGUMENT);
    }
    config.clock = match given.clock {
        IOTEDGE_CLOCK_OFFSET => Some(given.clock_offset),
        IOTEDGE_CLOCK_NEIGHBOURS => None,
        _ => return Err(status::IOTEDGE_E_ARGUMENT),
    };
    for (to, from) in [
        (&mut config.tolerance, given.clock_tolerance),
        (&mut config.poll, given.poll),
        (&mut config.patience, given.patience),
    ] {
        if from != 0 {
            *to = Millis(from.into());
        }
    }
    Ok(config)
}

/// Ends the leaf: wipes its key and all its memory, which is yours again. What is in the store stays.
///
/// `leaf`: live. A second call is refused with `IOTEDGE_E_NOT_INITIALISED`, as is every other call on a leaf that ended.
///
/// From the thread that has the leaf. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_deinit(leaf: *mut iotedge_leaf_t) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe { destroy_living::<CLeaf>(leaf.cast()) })
}

/// Adds a neighbour, or changes whether it is an uplink. The library never sees addresses: you number your neighbours. At least q + 1 are needed, q being the
/// neighbourhood's number of witnesses: one to send to and q to ask whether it passed everything on.
///
/// `peer`: 0 to 65,535. `uplink`: 1 for a gateway or validator, which proves single transactions; else 0.
///
/// `IOTEDGE_E_BUSY`: eight neighbours are known.
///
/// From the thread that has the leaf. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_add_peer(
    leaf: *mut iotedge_leaf_t,
    peer: u32,
    uplink: u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let peer = peer_of(peer)?;
        if uplink > 1 {
            return Err(status::IOTEDGE_E_ARGUMENT);
        }
        with(leaf, |l| l.add_peer(peer, uplink == 1).map_err(refused))
    })())
}

/// Forgets a neighbour. Forgetting one that is not there succeeds.
///
/// From the thread that has the leaf. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_remove_peer(leaf: *mut iotedge_leaf_t, peer: u32) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let peer = peer_of(peer)?;
        with(leaf, |l| {
            l.remove_peer(peer);
            Ok(())
        })
    })())
}

/// Gives the leaf a frame from a neighbour. After it, fetch events and frames.
///
/// `now`: local milliseconds that never go back, as in all calls below. `peer`: whom it came from. `frame`: `frame_len` bytes, read only.
///
/// Anything but `IOTEDGE_OK` says why the frame was refused; it changed nothing and needs no action: neighbours send a leaf much that is for
/// nodes (`IOTEDGE_E_NOT_FOR_ME`), and strangers what they like.
///
/// Calls the platform. From the thread that has the leaf. Not from an interrupt: one signature check or more; put the frame in a
/// queue there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_receive(
    leaf: *mut iotedge_leaf_t,
    now: u64,
    peer: u32,
    frame: *const u8,
    frame_len: usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let peer = peer_of(peer)?;
        let frame = input(frame, frame_len)?;
        with(leaf, |l| {
            l.receive(Millis(now), peer, frame).map_err(refused)
        })
    })())
}

/// The next frame to send. Call it until it says `IOTEDGE_E_NONE`: after every other call, and at the deadline.
///
/// `peer`: whom to send it to. `frame`: points into the leaf's memory, so that no second buffer is needed: send or copy its `frame_len` bytes before the next
/// call on this leaf. All written on success.
///
/// `IOTEDGE_E_NONE`: nothing to send now.
///
/// Calls the platform. From the thread that has the leaf. Not from an interrupt: it may sign.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_next_frame(
    leaf: *mut iotedge_leaf_t,
    now: u64,
    peer: *mut u32,
    frame: *mut *const u8,
    frame_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let peer = Out::new(peer)?;
        let start = Out::new(frame)?;
        let len = Out::new(frame_len)?;
        let (to, at, count) = with(leaf, |l| {
            let (to, bytes) = l.next_frame(Millis(now)).ok_or(status::IOTEDGE_E_NONE)?;
            Ok((to, bytes.as_ptr(), bytes.len()))
        })?;
        peer.write(to.0.into());
        start.write(at);
        len.write(count);
        Ok(())
    })())
}

/// The next event. Call it until it says `IOTEDGE_E_NONE`, after every other call. A leaf tells of its own transactions only: `IOTEDGE_EVENT_SENT` with the
/// number in `code`, `IOTEDGE_EVENT_HELD`, `IOTEDGE_EVENT_GRADED` with witnessed, settled or dead (then say it again), `IOTEDGE_EVENT_REJECTED`; of its standing
/// (`IOTEDGE_EVENT_JOINED`, `..._MEMBER`, `..._RECOVERED`, `..._ENROL_...`), and of what is wrong (`IOTEDGE_EVENT_HEAD_SUSPECTED`, `..._DOUBLED`, `..._FORK`,
/// `..._STALE`, `..._PLATFORM_FAILED`, `..._LOST`); with an external signer of `IOTEDGE_EVENT_SIGNATURE_NEEDED`.
///
/// `event`: set its `size` first; written on success.
///
/// From the thread that has the leaf. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_next_event(
    leaf: *mut iotedge_leaf_t,
    event: *mut iotedge_event_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(event, OLDEST_EVENT)?;
        let found = with(leaf, |l| l.next_event().ok_or(status::IOTEDGE_E_NONE))?;
        out.write(&super::types::event(&found));
        Ok(())
    })())
}

/// When to call `iotedge_leaf_next_frame` again at the latest, if nothing else happens. A leaf that sleeps longer only learns later.
///
/// `deadline`: local milliseconds; written on success.
///
/// From the thread that has the leaf. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_next_deadline(
    leaf: *const iotedge_leaf_t,
    deadline: *mut u64,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = Out::new(deadline)?;
        let at = look(leaf, |l| Ok(l.deadline()))?;
        out.write(at.0);
        Ok(())
    })())
}

/// What the leaf says of itself.
///
/// `leaf_status`: set its `size` first; written on success.
///
/// From the thread that has the leaf. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_status(
    leaf: *const iotedge_leaf_t,
    leaf_status: *mut iotedge_leaf_status_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(leaf_status, OLDEST_STATUS)?;
        let found = look(leaf, |l| Ok(l.status()))?;
        out.write(&iotedge_leaf_status_t::from_core(&found));
        Ok(())
    })())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constant_for_static_arrays_is_enough_and_not_far_too_much() {
        let needed = leaf_size().unwrap();
        assert!(IOTEDGE_LEAF_SIZE.is_multiple_of(8));
        assert!(needed <= IOTEDGE_LEAF_SIZE, "{needed}");
        assert!(IOTEDGE_LEAF_SIZE <= needed * 3 / 2, "{needed}");
    }
}
