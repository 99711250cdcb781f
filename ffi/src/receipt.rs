//! A receipt verified in a stream: for devices that cannot hold a receipt or a validator set's votes at once.
//!
//! Invariant: the check lives in the caller's structure, is bound to its address (a copy is refused, since it refers to itself),
//! and moves one way: begun, voting, over.

use crate::raw::{Call, OutStruct, Sized32, array, decided, input};
use crate::status;
use crate::verify::{OLDEST_SETTLED, ids, iotedge_settled_t, posp_status, settled};
use iotedge_core::Id;
use iotedge_core::crypto::Signature;
use iotedge_core::posp::{MAX_VIEW, ReceiptCheck, SetView};
use iotedge_core::wire::merkle::MAX_PATH;

/// Words of 64 bits in an `iotedge_receipt_check_t`.
pub const IOTEDGE_RECEIPT_CHECK_WORDS: usize = 448;

/// A receipt being verified. Set `size` before `iotedge_receipt_begin`, then leave it alone and where it is: a copy is refused.
/// No need to free it. 3.5 KiB, so rather static than on a small stack.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_receipt_check_t {
    /// `sizeof(iotedge_receipt_check_t)`.
    pub size: u32,
    /// Internal.
    pub reserved: u32,
    /// Internal.
    pub words: [u64; 448],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_receipt_check_t {}
const OLDEST: usize = 8 + 8 * IOTEDGE_RECEIPT_CHECK_WORDS;
const _: () = assert!(size_of::<iotedge_receipt_check_t>() == OLDEST);

const BEGUN: u64 = 0x4f49_5352_4543_4550;

/// What stands in `words`.
struct Check {
    /// `BEGUN` mixed with the own address; anything else means: not begun, or over.
    seal: u64,
    /// How the votes stand.
    stream: ReceiptCheck,
    /// The set as it was given, of this length, and good.
    len: usize,
    set: [u8; MAX_VIEW],
}
// `words` is aligned to 8 (4 on some targets) only: the check begins at the first fitting byte.
const _: () = assert!(size_of::<Check>() + align_of::<Check>() <= 8 * IOTEDGE_RECEIPT_CHECK_WORDS);

fn seal(at: *const Check) -> u64 {
    BEGUN ^ (at as usize as u64)
}

/// The place of the check.
///
/// # Safety
/// `check` is NULL or a readable and writable structure.
unsafe fn place(check: *mut iotedge_receipt_check_t) -> Call<*mut Check> {
    // SAFETY: the caller's promise.
    unsafe {
        // Checks pointer and size.
        let _ = OutStruct::new(check, OLDEST)?;
        let words = (&raw mut (*check).words).cast::<u8>();
        let pad = words.align_offset(align_of::<Check>());
        if pad >= align_of::<Check>() {
            return Err(status::IOTEDGE_E_MISALIGNED);
        }
        Ok(words.wrapping_add(pad).cast::<Check>())
    }
}

/// A check that has begun, and its set. The check's other fields are used one by one through the pointer: the set is borrowed, so that a reference to the whole
/// would be one too many.
///
/// # Safety
/// As [`place`], and nobody else uses it meanwhile.
unsafe fn begun<'a>(check: *mut iotedge_receipt_check_t) -> Call<(*mut Check, SetView<'a>)> {
    // SAFETY: the caller's promise; the seal says that all of it was written by `iotedge_receipt_begin` at this address.
    unsafe {
        let at = place(check)?;
        if (&raw const (*at).seal).read() != seal(at) {
            return Err(status::IOTEDGE_E_WRONG_ORDER);
        }
        let set: *const [u8; MAX_VIEW] = &raw const (*at).set;
        // Apart from the rest, and nobody writes to it.
        let set = (*set).get(..(*at).len).unwrap_or(&[]);
        Ok((at, SetView::parse(set).map_err(posp_status)?))
    }
}

/// Begins to verify a receipt in a stream: header first. What was in `check` is forgotten.
///
/// `check`: its `size` set; the state, until `iotedge_receipt_finish`. `neighbourhood`: 32 bytes. `set`: the trusted validator
/// set of that term, encoded (docs/protocol.md section 7.2); copied. `header`: the header's payload. `path`: `path_count` hashes of 32 bytes,
/// from leaf 0 to the root.
///
/// `IOTEDGE_E_NEIGHBOURHOOD`, `IOTEDGE_E_FORGED_HEADER`, `IOTEDGE_E_WRONG_VALIDATOR_SET`, `IOTEDGE_E_PATH_LENGTH`: refuse it.
///
/// From any thread, one check at a time in one thread. Not from an interrupt: 4 KiB of stack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_receipt_begin(
    check: *mut iotedge_receipt_check_t,
    neighbourhood: *const u8,
    set: *const u8,
    set_len: usize,
    header: *const u8,
    header_len: usize,
    path: *const u8,
    path_count: usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    decided(|_| unsafe {
        let at = place(check)?;
        let neighbourhood = Id(*array::<32>(neighbourhood)?);
        let set = input(set, set_len)?;
        let header = input(header, header_len)?;
        if path_count > MAX_PATH {
            return Err(status::IOTEDGE_E_PATH_LENGTH);
        }
        let path = ids(path, path_count)?;
        let view = SetView::parse(set).map_err(posp_status)?;
        let stream =
            ReceiptCheck::begin(header, path, &view, &neighbourhood).map_err(posp_status)?;
        // What is good has at most 64 validators.
        if set.len() > MAX_VIEW {
            return Err(status::IOTEDGE_E_INTERNAL);
        }
        (&raw mut (*at).stream).write(stream);
        (&raw mut (*at).len).write(set.len());
        core::ptr::copy_nonoverlapping(set.as_ptr(), (&raw mut (*at).set).cast(), set.len());
        (&raw mut (*at).seal).write(seal(at));
        Ok(())
    })
}

/// Takes one vote. Indices strictly rise. A vote that fails counts nothing: go on with the next.
///
/// `check`: begun. `index`: of the validator in the set. `signature`: 64 bytes.
///
/// `IOTEDGE_E_WRONG_ORDER`: not begun, over, or a copy. `IOTEDGE_E_VOTER_ORDER`, `IOTEDGE_E_UNKNOWN_VALIDATOR`,
/// `IOTEDGE_E_SIGNATURE`: the vote does not count.
///
/// From any thread, one check at a time in one thread. Not from an interrupt: one signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_receipt_vote(
    check: *mut iotedge_receipt_check_t,
    index: u32,
    signature: *const u8,
) -> i32 {
    let mut again = false;
    // SAFETY: the promises of the comment.
    decided(|verifier| unsafe {
        let (at, set) = begun(check)?;
        let signature = Signature(*array::<64>(signature)?);
        let index = u8::try_from(index).map_err(|_| status::IOTEDGE_E_UNKNOWN_VALIDATOR)?;
        let mut stream = (&raw const (*at).stream).read();
        stream
            .vote(&set, index, &signature, verifier)
            .map_err(posp_status)?;
        if again {
            (&raw mut (*at).stream).write(stream);
        }
        again = true;
        Ok(())
    })
}

/// Ends the check: says whether the votes are a quorum and the transaction is in the tree. On success the check is over;
/// with `IOTEDGE_E_SHORT_OF_QUORUM` more votes may follow.
///
/// `check`: begun. `id`: 32 bytes, the transaction. `leaf`: its place in the tree, from 1. `path`: `path_count` hashes of 32
/// bytes. `result`: set its `size` first; written on success.
///
/// `IOTEDGE_E_WRONG_PATH`, `IOTEDGE_E_PATH_LENGTH`, `IOTEDGE_E_LEAF_INDEX`, `IOTEDGE_E_HEADER_LEAF`: not in this tree.
/// `IOTEDGE_E_WRONG_ORDER`: not begun, over, or a copy.
///
/// From any thread, one check at a time in one thread. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_receipt_finish(
    check: *mut iotedge_receipt_check_t,
    id: *const u8,
    leaf: u32,
    path: *const u8,
    path_count: usize,
    result: *mut iotedge_settled_t,
) -> i32 {
    let mut again = false;
    // SAFETY: the promises of the comment.
    decided(|_| unsafe {
        let (check, set) = begun(check)?;
        let id = Id(*array::<32>(id)?);
        if path_count > MAX_PATH {
            return Err(status::IOTEDGE_E_PATH_LENGTH);
        }
        let path = ids(path, path_count)?;
        let out = OutStruct::new(result, OLDEST_SETTLED)?;
        let stream = &(*check).stream;
        let proven = stream.finish(&set, &id, leaf, path).map_err(posp_status)?;
        if again {
            (&raw mut (*check).seal).write(0);
        }
        again = true;
        out.write(&settled(&proven));
        Ok(())
    })
}
