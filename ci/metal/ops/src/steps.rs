//! The steps in the order in which `bench.c` takes them. One without a name prepares the next and is not counted.

use crate::node::Device;
use crate::receipt::Vouched;
use crate::transfer::{Sealed, Transfer};
use crate::window::Neighbourhood;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char};

struct World {
    transfer: Transfer,
    sealed: [Sealed; 2],
    window: Neighbourhood,
    receipt: Vouched,
    device: Device,
}

/// A step, and whether it did what it should.
type Step = (&'static CStr, fn(&mut World) -> bool);

static STEPS: &[Step] = &[
    (c"bare-sign", |w| w.transfer.bare_sign()),
    (c"create", |w| w.transfer.create()),
    (c"bare-verify", |w| w.transfer.bare_verify()),
    (c"receive", |w| w.transfer.receive()),
    (c"seal-64", |w| w.sealed[0].seal()),
    (c"open-64", |w| w.sealed[0].open()),
    (c"seal-256", |w| w.sealed[1].seal()),
    (c"open-256", |w| w.sealed[1].open()),
    (c"tips-128", |w| w.window.tips()),
    (c"confidence-128", |w| w.window.confidences()),
    (c"receipt-5-of-7", |w| w.receipt.verify()),
    (c"boot", |w| w.device.boot()),
    (c"", |w| w.device.join()),
    (c"node-pay", |w| w.device.pay()),
    (c"", |w| w.device.offer()),
    (c"node-be-paid", |w| w.device.be_paid()),
];

struct Place(UnsafeCell<Option<World>>);

// SAFETY: one thread.
unsafe impl Sync for Place {}

static WORLD: Place = Place(UnsafeCell::new(None));

/// The name of a step, empty for one that is not counted; null after the last.
#[unsafe(no_mangle)]
extern "C" fn step_name(index: usize) -> *const c_char {
    STEPS
        .get(index)
        .map_or(core::ptr::null(), |(name, _)| name.as_ptr())
}

/// Makes everything ready.
#[unsafe(no_mangle)]
extern "C" fn step_prepare() {
    let world = World {
        transfer: Transfer::new(),
        sealed: [Sealed::new(64), Sealed::new(256)],
        window: Neighbourhood::new(),
        receipt: Vouched::new(),
        device: Device::new(),
    };
    // SAFETY: one thread, and no step runs.
    unsafe { *WORLD.0.get() = Some(world) };
}

/// Takes a step: 0 if it did what it should.
#[unsafe(no_mangle)]
extern "C" fn step_take(index: usize) -> i32 {
    // SAFETY: one thread, and no other step runs.
    let world = unsafe { &mut *WORLD.0.get() };
    let done = world.as_mut().is_some_and(|world| STEPS[index].1(world));
    i32::from(!done)
}
