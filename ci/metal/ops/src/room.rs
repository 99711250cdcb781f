//! Memory for the scenarios: nothing is ever given back, and only one thread asks.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicUsize, Ordering};

const SIZE: usize = 512 * 1024;

#[repr(align(16))]
struct Arena(UnsafeCell<[MaybeUninit<u8>; SIZE]>);

// SAFETY: `slice` gives every byte away once.
unsafe impl Sync for Arena {}

static ARENA: Arena = Arena(UnsafeCell::new([MaybeUninit::uninit(); SIZE]));
static USED: AtomicUsize = AtomicUsize::new(0);

/// So many copies.
pub fn slice<T: Clone>(value: T, count: usize) -> &'static mut [T] {
    let begin = USED
        .load(Ordering::Relaxed)
        .next_multiple_of(align_of::<T>());
    let end = begin + count * size_of::<T>();
    assert!(
        end <= SIZE && align_of::<T>() <= 16,
        "the arena is too small"
    );
    USED.store(end, Ordering::Relaxed);
    // SAFETY: within the arena, aligned, and given away once.
    let slice = unsafe {
        let first = ARENA.0.get().cast::<MaybeUninit<T>>().byte_add(begin);
        core::slice::from_raw_parts_mut(first, count)
    };
    for place in slice.iter_mut() {
        place.write(value.clone());
    }
    // SAFETY: every element was written just now.
    unsafe { slice.assume_init_mut() }
}
