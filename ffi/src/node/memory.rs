//! The caller's memory: cut into the node's slices, sealed with its own address, wiped at the end.
//!
//! Invariant: a node is used only where the seal at the start of its memory says that it lives: uninitialised, wiped, copied and
//! damaged memory are refused. Slices never overlap: a cutter only moves forward, and the same cutter counts and cuts.

use super::platform::CPlatform;
use crate::accelerator::CVerifier;
use crate::raw::Call;
use crate::status;
use core::mem::{MaybeUninit, align_of, size_of};
use core::sync::atomic::{AtomicU32, Ordering, compiler_fence};
use iotedge_core::node::{Limits, Memory, Node};
use iotedge_core::tangle::TangleMemory;

/// Alignment of a node's memory.
pub const IOTEDGE_NODE_ALIGN: usize = 8;
/// Bytes of a node whatever its limits: see `IOTEDGE_NODE_SIZE`.
pub const IOTEDGE_NODE_SIZE_FIXED: usize = 69632;
/// Bytes of a node per transaction in the window, without what each neighbour adds.
pub const IOTEDGE_NODE_SIZE_WINDOW: usize = 184;
/// Bytes of a node per member.
pub const IOTEDGE_NODE_SIZE_MEMBER: usize = 768;
/// Bytes of a node per neighbour.
pub const IOTEDGE_NODE_SIZE_PEER: usize = 104;
/// Bytes of a node per transaction set aside.
pub const IOTEDGE_NODE_SIZE_ASIDE: usize = 1600;
/// Bytes of a node per submission.
pub const IOTEDGE_NODE_SIZE_OUTBOX: usize = 24;
/// Bytes of a node per followed transaction.
pub const IOTEDGE_NODE_SIZE_OWN: usize = 96;

/// Bytes that `weights` adds per transaction in the window: see `IOTEDGE_NODE_SIZE_WEIGHTS`.
pub const IOTEDGE_NODE_SIZE_WORK: usize = 56;

/// Bytes of a lean node whatever its limits: see `IOTEDGE_NODE_SIZE_LEAN`.
pub const IOTEDGE_NODE_SIZE_LEAN_FIXED: usize = 18944;
/// Bytes of a lean node per transaction in the window, without what each neighbour adds.
pub const IOTEDGE_NODE_SIZE_LEAN_WINDOW: usize = 160;
/// Bytes of a lean node per member, without what each eight followed transactions add: six.
pub const IOTEDGE_NODE_SIZE_LEAN_MEMBER: usize = 66;
/// Bytes of a lean node per record of each table in memory.
pub const IOTEDGE_NODE_SIZE_LEAN_RECORD: usize = 552;
/// Bytes of a lean node per followed transaction.
pub const IOTEDGE_NODE_SIZE_LEAN_TRACKED: usize = 160;
/// Bytes of a lean node per transaction that can be asked for.
pub const IOTEDGE_NODE_SIZE_LEAN_WANT: usize = 32;
/// Bytes of a lean node per settled header.
pub const IOTEDGE_NODE_SIZE_LEAN_HEADER: usize = 6080;
/// Bytes of a lean node per place in its queues.
pub const IOTEDGE_NODE_SIZE_LEAN_QUEUE: usize = 216;

pub(crate) type CNode = Node<'static, CPlatform, CVerifier>;

/// What can live in the caller's memory, and by which seal it is known.
pub(crate) trait Living {
    /// Different for every type.
    const SEAL: u64;
}

/// Where a node lives. Always one, but while it is made.
type Slot = Option<CNode>;

impl Living for Slot {
    const SEAL: u64 = 0x694f_5445_6467_6531;
}

/// What stands at the start of a node's (or a link's) memory.
pub(crate) struct Head {
    /// The type's seal mixed with the own address.
    seal: u64,
    /// Bytes of the whole memory, for the wipe.
    len: usize,
    /// Distance of what lives here from the start.
    at: usize,
    /// 1 while a call works on the node.
    busy: AtomicU32,
}

fn seal<T: Living>(head: *const Head) -> u64 {
    T::SEAL ^ (head as usize as u64).rotate_left(17)
}

/// Moves through memory; with no memory it only counts.
pub(crate) struct Cutter {
    base: Option<*mut u8>,
    at: usize,
}

impl Cutter {
    /// How many bytes `cut` takes: run on no memory, it only counts.
    pub(crate) fn count<S>(cut: impl FnOnce(&mut Self) -> Option<S>) -> Call<usize> {
        let mut cutter = Self { base: None, at: 0 };
        cut(&mut cutter).ok_or(status::IOTEDGE_E_LIMITS)?;
        // The base may be 8 below the alignment of what wants more.
        cutter
            .at
            .checked_add(16)
            .and_then(|size| size.checked_next_multiple_of(8))
            .ok_or(status::IOTEDGE_E_LIMITS)
    }

    /// Room for the head and for what lives here; gives the distance of the latter.
    pub(crate) fn living<T: Living>(&mut self) -> Option<usize> {
        const { assert!(align_of::<T>() <= 16) };
        self.skip::<Head>(1)?;
        self.skip::<T>(1)
    }

    /// The distance of the next `count` elements from the base.
    fn skip<T>(&mut self, count: usize) -> Option<usize> {
        let address = self.base.map_or(0, |b| b as usize);
        let here = address.checked_add(self.at)?;
        let start = here
            .checked_next_multiple_of(align_of::<T>())?
            .checked_sub(address)?;
        self.at = start.checked_add(count.checked_mul(size_of::<T>())?)?;
        Some(start)
    }

    /// A slice of `count` fresh elements; empty where there is no memory.
    ///
    /// # Safety
    /// All that is cut lies in memory that is writable and nobody else's for `'static`.
    pub(crate) unsafe fn cut<T>(
        &mut self,
        count: usize,
        fresh: impl Fn() -> T,
    ) -> Option<&'static mut [T]> {
        let start = self.skip::<T>(count)?;
        let Some(base) = self.base else {
            return Some(&mut []);
        };
        let first = base.wrapping_add(start).cast::<MaybeUninit<T>>();
        // SAFETY: aligned by `skip`, inside the memory by the caller's promise, never cut twice; uninitialised is fine here.
        let slice = unsafe { core::slice::from_raw_parts_mut(first, count) };
        for element in slice.iter_mut() {
            element.write(fresh());
        }
        // SAFETY: every element was just written.
        Some(unsafe { core::slice::from_raw_parts_mut(first.cast::<T>(), count) })
    }
}

/// Cuts (or with no base only counts) everything; gives the slices and the distance of the node.
///
/// # Safety
/// As [`Cutter::cut`].
unsafe fn cut(limits: &Limits, cutter: &mut Cutter) -> Option<(Memory<'static>, usize)> {
    let n = limits.sizes().ok()?;
    let node = cutter.living::<Slot>()?;
    // SAFETY: the caller's promise.
    let memory = unsafe {
        Memory {
            tangle: TangleMemory {
                vertices: cutter.cut(n.tangle.vertices, Default::default)?,
                index: cutter.cut(n.tangle.index, Default::default)?,
                tips: cutter.cut(n.tangle.tips, Default::default)?,
                marks: cutter.cut(n.tangle.marks, Default::default)?,
                members: cutter.cut(n.tangle.members, Default::default)?,
                sets: cutter.cut(n.tangle.sets, Default::default)?,
                settled: cutter.cut(n.tangle.settled, Default::default)?,
                tracked: cutter.cut(n.tangle.tracked, Default::default)?,
            },
            records: [
                cutter.cut(n.records, || iotedge_core::identity::Record::EMPTY)?,
                cutter.cut(n.records, || iotedge_core::identity::Record::EMPTY)?,
                cutter.cut(n.records, || iotedge_core::identity::Record::EMPTY)?,
            ],
            classes: [
                cutter.cut(n.classes, Default::default)?,
                cutter.cut(n.classes, Default::default)?,
                cutter.cut(n.classes, Default::default)?,
            ],
            raw: cutter.cut(n.raw, Default::default)?,
            raw_slots: cutter.cut(n.raw_slots, Default::default)?,
            known: cutter.cut(n.known, Default::default)?,
            peers: cutter.cut(n.peers, Default::default)?,
            aside: cutter.cut(n.aside, Default::default)?,
            wants: cutter.cut(n.wants, Default::default)?,
            outbox: cutter.cut(n.outbox, Default::default)?,
            own: cutter.cut(n.own, Default::default)?,
            buckets: cutter.cut(n.buckets, Default::default)?,
            headers: cutter.cut(n.headers, Default::default)?,
            stubs: cutter.cut(n.stubs, Default::default)?,
            ghosts: cutter.cut(n.ghosts, Default::default)?,
            said: cutter.cut(n.said, Default::default)?,
            sending: cutter.cut(n.sending, Default::default)?,
            events: cutter.cut(n.events, Default::default)?,
            work: cutter.cut(n.work, Default::default)?,
            order: cutter.cut(n.work, Default::default)?,
            weights: cutter.cut(n.weights, Default::default)?,
        }
    };
    Some((memory, node))
}

/// Bytes that a node with these limits needs, on memory aligned to 8.
pub(crate) fn node_size(limits: &Limits) -> Call<usize> {
    // SAFETY: nothing is cut without memory.
    Cutter::count(|cutter| unsafe { cut(limits, cutter) })
}

/// Builds a node in the memory: `make` gets the slices and the place. On failure the memory holds no node.
///
/// # Safety
/// `memory` is `len` writable bytes that are nobody else's until [`destroy`].
pub(crate) unsafe fn create(
    memory: *mut u8,
    len: usize,
    limits: &Limits,
    make: impl FnOnce(Memory<'static>, &mut Option<CNode>) -> Call<()>,
) -> Call<()> {
    // SAFETY: the caller's promise.
    unsafe {
        create_in_place::<Slot, _>(
            memory,
            len,
            |cutter| cut(limits, cutter),
            |slices, place| make(slices, place.write(None)),
        )
    }
}

/// The same for whatever can live there: `cut` cuts the slices and gives the distance from [`Cutter::living`].
///
/// # Safety
/// As [`create`].
pub(crate) unsafe fn create_living<T: Living, S>(
    memory: *mut u8,
    len: usize,
    cut: impl Fn(&mut Cutter) -> Option<(S, usize)>,
    make: impl FnOnce(S) -> Call<T>,
) -> Call<()> {
    // SAFETY: the caller's promise.
    unsafe {
        create_in_place::<T, S>(memory, len, cut, |slices, place| {
            place.write(make(slices)?);
            Ok(())
        })
    }
}

/// The same for what is too large for the stack: `make` writes it to its place, where nothing must be left to drop if it fails.
///
/// # Safety
/// As [`create`].
pub(crate) unsafe fn create_in_place<T: Living, S>(
    memory: *mut u8,
    len: usize,
    cut: impl Fn(&mut Cutter) -> Option<(S, usize)>,
    make: impl FnOnce(S, &mut MaybeUninit<T>) -> Call<()>,
) -> Call<()> {
    if memory.is_null() {
        return Err(status::IOTEDGE_E_NULL);
    }
    if !(memory as usize).is_multiple_of(IOTEDGE_NODE_ALIGN) {
        return Err(status::IOTEDGE_E_MISALIGNED);
    }
    if len > isize::MAX as usize {
        return Err(status::IOTEDGE_E_LENGTH);
    }
    if len < Cutter::count(&cut)? {
        return Err(status::IOTEDGE_E_MEMORY_TOO_SMALL);
    }
    let head = memory.cast::<Head>();
    // SAFETY: in the memory and aligned; any bits are a u64.
    if unsafe { (&raw const (*head).seal).read_volatile() } == seal::<T>(head) {
        return Err(status::IOTEDGE_E_ALREADY_INITIALISED);
    }
    let mut cutter = Cutter {
        base: Some(memory),
        at: 0,
    };
    // As long as `count` said, from an address of the same or worse alignment.
    let (slices, at) = cut(&mut cutter).ok_or(status::IOTEDGE_E_LIMITS)?;
    if cutter.at > len {
        return Err(status::IOTEDGE_E_MEMORY_TOO_SMALL);
    }
    // SAFETY: cut for exactly this; not a slice's.
    unsafe {
        let place = memory.wrapping_add(at).cast::<MaybeUninit<T>>();
        make(slices, &mut *place)?;
        head.write(Head {
            seal: seal::<T>(head),
            len,
            at,
            busy: AtomicU32::new(0),
        });
    }
    Ok(())
}

/// The head of a live node that nobody works on.
///
/// # Safety
/// `node` is NULL or at least `size_of::<Head>()` readable bytes.
unsafe fn head<T: Living>(node: *const u8) -> Call<*mut Head> {
    if node.is_null() {
        return Err(status::IOTEDGE_E_NULL);
    }
    if !(node as usize).is_multiple_of(IOTEDGE_NODE_ALIGN) {
        return Err(status::IOTEDGE_E_MISALIGNED);
    }
    let head = node.cast_mut().cast::<Head>();
    // SAFETY: readable by the caller's promise.
    unsafe {
        if (&raw const (*head).seal).read_volatile() != seal::<T>(head) {
            return Err(status::IOTEDGE_E_NOT_INITIALISED);
        }
        if (*head).busy.load(Ordering::Acquire) != 0 {
            return Err(status::IOTEDGE_E_REENTERED);
        }
    }
    Ok(head)
}

/// Runs `work` on the node, marked as busy so that callbacks cannot come back in.
///
/// # Safety
/// As [`head`], and nobody else uses the node meanwhile.
pub(crate) unsafe fn with<R>(node: *mut u8, work: impl FnOnce(&mut CNode) -> Call<R>) -> Call<R> {
    // SAFETY: the caller's promise.
    unsafe {
        with_living(node, |slot: &mut Slot| {
            work(slot.as_mut().ok_or(status::IOTEDGE_E_NOT_INITIALISED)?)
        })
    }
}

/// The same for whatever lives there.
///
/// # Safety
/// As [`with`].
pub(crate) unsafe fn with_living<T: Living, R>(
    place: *mut u8,
    work: impl FnOnce(&mut T) -> Call<R>,
) -> Call<R> {
    // SAFETY: a sealed head is followed by what `create_living` wrote.
    unsafe {
        let head = head::<T>(place)?;
        (*head).busy.store(1, Ordering::Release);
        let result = work(&mut *place.wrapping_add((*head).at).cast::<T>());
        (*head).busy.store(0, Ordering::Release);
        result
    }
}

/// Runs `look` on a node that it does not change.
///
/// # Safety
/// As [`with`].
pub(crate) unsafe fn look<R>(node: *const u8, look: impl FnOnce(&CNode) -> Call<R>) -> Call<R> {
    // SAFETY: the caller's promise.
    unsafe {
        look_living(node, |slot: &Slot| {
            look(slot.as_ref().ok_or(status::IOTEDGE_E_NOT_INITIALISED)?)
        })
    }
}

/// The same for whatever lives there.
///
/// # Safety
/// As [`with`].
pub(crate) unsafe fn look_living<T: Living, R>(
    place: *const u8,
    look: impl FnOnce(&T) -> Call<R>,
) -> Call<R> {
    // SAFETY: as in `with_living`.
    unsafe {
        let head = head::<T>(place)?;
        look(&*place.wrapping_add((*head).at).cast::<T>())
    }
}

/// Ends the node and wipes all its memory.
///
/// # Safety
/// As [`with`]; after it the memory is the caller's again.
pub(crate) unsafe fn destroy(node: *mut u8) -> Call<()> {
    // SAFETY: the caller's promise.
    unsafe { destroy_living::<Slot>(node) }
}

/// The same for whatever lives there.
///
/// # Safety
/// As [`destroy`].
pub(crate) unsafe fn destroy_living<T: Living>(place: *mut u8) -> Call<()> {
    // SAFETY: as in `with_living`; the length is that of `create_living`.
    unsafe {
        let head = head::<T>(place)?;
        let (at, len) = ((*head).at, (*head).len);
        place.wrapping_add(at).cast::<T>().drop_in_place();
        for i in 0..len {
            place.wrapping_add(i).write_volatile(0);
        }
        compiler_fence(Ordering::SeqCst);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the macro `IOTEDGE_NODE_SIZE` of the header computes.
    fn macro_size(l: &Limits) -> usize {
        IOTEDGE_NODE_SIZE_FIXED
            + l.window as usize * (IOTEDGE_NODE_SIZE_WINDOW + 4 * (usize::from(l.peers) + 31) / 32)
            + usize::from(l.members) * IOTEDGE_NODE_SIZE_MEMBER
            + usize::from(l.peers) * IOTEDGE_NODE_SIZE_PEER
            + usize::from(l.aside) * IOTEDGE_NODE_SIZE_ASIDE
            + usize::from(l.outbox) * IOTEDGE_NODE_SIZE_OUTBOX
            + usize::from(l.own) * IOTEDGE_NODE_SIZE_OWN
            + l.raw as usize
            + usize::from(l.weights)
                * (l.window as usize * IOTEDGE_NODE_SIZE_WORK + usize::from(l.members) * 8)
    }

    /// What the macro `IOTEDGE_NODE_SIZE_LEAN` of the header computes.
    fn lean_size(l: &Limits) -> usize {
        let of = |n: u16, each: usize| usize::from(n) * each;
        IOTEDGE_NODE_SIZE_LEAN_FIXED
            + l.window as usize
                * (IOTEDGE_NODE_SIZE_LEAN_WINDOW + 4 * usize::from(l.peers.div_ceil(32)))
            + of(
                l.members,
                IOTEDGE_NODE_SIZE_LEAN_MEMBER + 6 * usize::from(l.tracked.div_ceil(8)),
            )
            + of(l.records + 1, IOTEDGE_NODE_SIZE_LEAN_RECORD)
            + of(l.peers, IOTEDGE_NODE_SIZE_PEER)
            + of(l.aside, IOTEDGE_NODE_SIZE_ASIDE)
            + of(l.outbox, IOTEDGE_NODE_SIZE_OUTBOX)
            + of(l.own, IOTEDGE_NODE_SIZE_OWN)
            + l.raw as usize
            + of(l.tracked.into(), IOTEDGE_NODE_SIZE_LEAN_TRACKED)
            + of(l.wants, IOTEDGE_NODE_SIZE_LEAN_WANT)
            + of(l.headers.into(), IOTEDGE_NODE_SIZE_LEAN_HEADER)
            + of(l.buckets, 8)
            + of(l.queue, IOTEDGE_NODE_SIZE_LEAN_QUEUE)
    }

    #[test]
    fn the_macro_for_lean_nodes_is_enough_and_not_far_too_much() {
        let base = Limits {
            window: 128,
            members: 1_000,
            peers: 8,
            aside: 4,
            outbox: 4,
            own: 8,
            raw: 5600,
            weights: false,
            records: 8,
            tracked: 8,
            wants: 8,
            headers: 1,
            buckets: 8,
            queue: 8,
        };
        let all = [
            base,
            Limits {
                window: 32,
                members: 9,
                ..base
            },
            Limits {
                members: 65_535,
                tracked: 64,
                ..base
            },
            Limits {
                queue: 1_000,
                wants: 1_000,
                ..base
            },
            Limits {
                headers: 3,
                buckets: 999,
                records: 992,
                ..base
            },
        ];
        for limits in all {
            let (needed, given) = (node_size(&limits).unwrap(), lean_size(&limits));
            assert!(needed <= given, "{limits:?} needs {needed}, macro {given}");
            assert!(
                given <= needed * 5 / 4,
                "{limits:?} needs {needed}, macro {given}"
            );
        }
    }

    #[test]
    fn the_macro_for_static_arrays_is_enough_and_not_far_too_much() {
        let base = Limits {
            window: 32,
            members: 1,
            peers: 1,
            aside: 2,
            outbox: 1,
            own: 4,
            raw: 5600,
            weights: false,
            ..Limits::SMALL
        };
        let all = [
            base,
            Limits {
                window: 65_536,
                ..base
            },
            Limits {
                members: 65_535,
                ..base
            },
            Limits {
                peers: 1024,
                ..base
            },
            Limits {
                aside: 4096,
                ..base
            },
            Limits {
                outbox: 4096,
                ..base
            },
            Limits { own: 4096, ..base },
            Limits {
                raw: 1 << 24,
                ..base
            },
            Limits {
                window: 1024,
                peers: 33,
                ..base
            },
            Limits::SMALL,
            Limits {
                weights: true,
                members: 65_535,
                window: 65_536,
                ..base
            },
        ];
        for limits in all {
            let (needed, given) = (node_size(&limits).unwrap(), macro_size(&limits));
            assert!(needed <= given, "{limits:?} needs {needed}, macro {given}");
            assert!(
                given <= needed * 3 / 2,
                "{limits:?} needs {needed}, macro {given}"
            );
        }
    }
}
