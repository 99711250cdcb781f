//! Who pays by ticks: an `iotedge_payer_t`.

use super::sale_status;
use crate::node::iotedge_platform_t;
use crate::node::memory::{
    Cutter, Living, create_in_place, destroy_living, look_living, with_living,
};
use crate::node::platform::{CPlatform, platform};
use crate::raw::{Call, Out, OutArray, Sized32, array, done, structure};
use crate::status;
use iotedge_core::platform::Platform;
use iotedge_core::sale::{Config, Payer, Pebble, Sale, Secret, Tick};
use iotedge_core::{Id, SaleNumber};

/// Bytes of a payer of as many units as there can be, for a static array: `static uint64_t payer_memory[IOTEDGE_PAYER_SIZE / 8];` Good for every target.
pub const IOTEDGE_PAYER_SIZE: usize = 1280;

/// Who pays by ticks. Lives in memory that you give to `iotedge_payer_init` and is never copied or moved.
pub struct iotedge_payer_t {
    _opaque: [u8; 0],
}

/// What lives there.
struct CPayer {
    payer: Payer<'static>,
    platform: CPlatform,
}

impl Living for CPayer {
    const SEAL: u64 = 0x694f_5445_7061_7965;
}

/// A sale, as its payer sets it up. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_payer_config_t {
    /// `sizeof(iotedge_payer_config_t)`.
    pub size: u32,
    /// Number of this sale; no number twice.
    pub sale: u32,
    /// Units, 1 to `IOTEDGE_MAX_UNITS`.
    pub units: u32,
    /// Ticks reserved by one write of the store, 1 to 64; 0: 1. After a power cut one less than so many are lost, unless the payee shows its highest: `iotedge_payer_resync`.
    pub ahead: u32,
    /// The store's key of this sale, 0x0100 to 0x0fff; nobody else's, until `iotedge_payer_forget`.
    pub store_key: u32,
    /// The store's key of the device's secret for ticks, 0x0100 to 0x0fff: the same for all its sales. It is drawn at the first one.
    pub secret_key: u32,
    /// This device's neighbourhood.
    pub neighbourhood: [u8; 32],
    /// This device's id.
    pub device: [u8; 32],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_payer_config_t {}
const OLDEST_CONFIG: usize = 88;
const _: () = assert!(size_of::<iotedge_payer_config_t>() == OLDEST_CONFIG);

fn store_key(key: u32) -> Call<u16> {
    match u16::try_from(key) {
        Ok(key @ 0x0100..=0x0fff) => Ok(key),
        _ => Err(status::IOTEDGE_E_ARGUMENT),
    }
}

/// The configuration in the core's terms, and the store's key of the secret.
fn config(given: &iotedge_payer_config_t) -> Call<(Config, u16)> {
    let ahead = match given.ahead {
        0 => 1,
        ahead => u8::try_from(ahead).map_err(|_| status::IOTEDGE_E_ARGUMENT)?,
    };
    let (key, secret) = (store_key(given.store_key)?, store_key(given.secret_key)?);
    if key == secret || !(1..=64).contains(&ahead) {
        return Err(status::IOTEDGE_E_ARGUMENT);
    }
    if !(1..=super::IOTEDGE_MAX_UNITS).contains(&given.units) {
        return Err(status::IOTEDGE_E_TERMS);
    }
    let (neighbourhood, device) = (Id(given.neighbourhood), Id(given.device));
    let config = Config {
        sale: Sale::new(&neighbourhood, &device, SaleNumber(given.sale)),
        units: given.units,
        ahead,
        key,
    };
    Ok((config, secret))
}

/// # Safety
/// As [`Cutter::cut`].
unsafe fn cut(units: u32, cutter: &mut Cutter) -> Option<(&'static mut [Pebble], usize)> {
    let at = cutter.living::<CPayer>()?;
    // SAFETY: the caller's promise.
    let pebbles = unsafe { cutter.cut(Payer::pebbles(units), Pebble::default)? };
    Some((pebbles, at))
}

/// # Safety
/// As `node::memory::with`.
unsafe fn with<R>(
    payer: *mut iotedge_payer_t,
    work: impl FnOnce(&mut CPayer) -> Call<R>,
) -> Call<R> {
    // SAFETY: the caller's promise.
    unsafe { with_living(payer.cast(), work) }
}

/// The anchor that the lock names, w(0): as many hashes as the chain is long, the next power of two above the units.
///
/// `anchor`: 32 bytes, written on success.
///
/// `IOTEDGE_E_ARGUMENT`, `IOTEDGE_E_TERMS`: a field of the configuration. `IOTEDGE_E_PLATFORM`: try again. `IOTEDGE_E_SALE_STORED`: the device's secret is damaged.
///
/// Calls the platform. From any thread. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_payer_anchor(
    config: *const iotedge_payer_config_t,
    platform: *const iotedge_platform_t,
    anchor: *mut u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (config, secret) = self::config(&structure(config, OLDEST_CONFIG)?)?;
        let (mut platform, _) = self::platform(platform)?;
        let out = OutArray::<32>::new(anchor)?;
        let secret = Secret::open(&mut platform, secret).map_err(sale_status)?;
        let anchor = Payer::anchor(&secret, &config.sale, config.units).map_err(sale_status)?;
        out.write(&anchor.0);
        Ok(())
    })())
}

/// How many bytes of memory a payer of so many units needs. `IOTEDGE_PAYER_SIZE` is enough for any.
///
/// `bytes`: written on success.
///
/// `IOTEDGE_E_TERMS`: no units, or too many.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_payer_size(units: u32, bytes: *mut usize) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        if !(1..=super::IOTEDGE_MAX_UNITS).contains(&units) {
            return Err(status::IOTEDGE_E_TERMS);
        }
        let out = Out::new(bytes)?;
        out.write(Cutter::count(|cutter| cut(units, cutter))?);
        Ok(())
    })())
}

/// Opens the sale that is in the store, or a new one, in memory that you give: as many hashes as the chain is long.
///
/// `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_payer_size`; the payer's until `iotedge_payer_deinit`, not to be read, written, moved or copied meanwhile. `config`, `platform`: copied; the
/// accelerator is not used. `payer`: written on success; points into `memory`.
///
/// As `iotedge_payer_anchor`; `IOTEDGE_E_SALE_STORED` also: the store has another sale under this key. `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_ALREADY_INITIALISED`.
///
/// Calls the platform. From any thread; the payer then belongs to one thread at a time. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_payer_init(
    memory: *mut core::ffi::c_void,
    memory_len: usize,
    config: *const iotedge_payer_config_t,
    platform: *const iotedge_platform_t,
    payer: *mut *mut iotedge_payer_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        if memory.is_null() {
            return Err(status::IOTEDGE_E_NULL);
        }
        let (config, secret) = self::config(&structure(config, OLDEST_CONFIG)?)?;
        let (mut platform, _) = self::platform(platform)?;
        let out = Out::new(payer)?;
        create_in_place::<CPayer, _>(
            memory.cast(),
            memory_len,
            |cutter| cut(config.units, cutter),
            |pebbles, place| {
                let secret = Secret::open(&mut platform, secret).map_err(sale_status)?;
                let payer = Payer::open(&mut platform, &secret, config, pebbles);
                place.write(CPayer {
                    payer: payer.map_err(sale_status)?,
                    platform,
                });
                Ok(())
            },
        )?;
        out.write(memory.cast());
        Ok(())
    })())
}

/// Ends the payer: wipes what it knows and all its memory, which is yours again. What is in the store stays.
///
/// `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
///
/// From the thread that has the payer. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_payer_deinit(payer: *mut iotedge_payer_t) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe { destroy_living::<CPayer>(payer.cast()) })
}

/// Pays a unit: the tick to send. It is given even if it never arrives; send it again, or the next one, which pays for both.
///
/// `index`, `value` (`IOTEDGE_TICK_SIZE` bytes): written on success.
///
/// `IOTEDGE_E_SALE_SPENT`: all units are paid. `IOTEDGE_E_PLATFORM`: nothing was given.
///
/// Calls the platform. From the thread that has the payer. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_payer_pay(
    payer: *mut iotedge_payer_t,
    index: *mut u32,
    value: *mut u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (index, value) = (Out::new(index)?, OutArray::<32>::new(value)?);
        let tick = with(payer, |p| p.payer.pay(&mut p.platform).map_err(sale_status))?;
        index.write(tick.index);
        value.write(&tick.value);
        Ok(())
    })())
}

/// The payee shows its highest tick after a reset of this device: goes on behind it, so that nothing is lost. Only before the first `iotedge_payer_pay` after `iotedge_payer_init`; as many hashes as the
/// chain is long.
///
/// `value`: `IOTEDGE_TICK_SIZE` bytes; index 0 and the anchor where the payee has none.
///
/// `IOTEDGE_E_SALE_STALE`: a tick was given since, or it is further back than one reservation. `IOTEDGE_E_SALE_TOO_FAR`: above what was reserved. `IOTEDGE_E_SALE_FORGED`.
///
/// From the thread that has the payer. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_payer_resync(
    payer: *mut iotedge_payer_t,
    index: u32,
    value: *const u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let tick = Tick {
            index,
            value: *array(value)?,
        };
        with(payer, |p| p.payer.resync(&tick).map_err(sale_status))
    })())
}

/// How many units are paid, and how many are left. Both written on success.
///
/// From the thread that has the payer. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_payer_given(
    payer: *const iotedge_payer_t,
    given: *mut u32,
    left: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (given, left) = (Out::new(given)?, Out::new(left)?);
        let (units, rest) = look_living(payer.cast(), |p: &CPayer| {
            Ok((p.payer.given(), p.payer.left()))
        })?;
        given.write(units);
        left.write(rest);
        Ok(())
    })())
}

/// Forgets a sale whose lock is over: its key of the store is free for another one. The sale's number is not: it must never be given again.
///
/// `IOTEDGE_E_ARGUMENT`: a field of the configuration. `IOTEDGE_E_PLATFORM`: try again.
///
/// Calls the platform. From any thread, without a payer of this sale. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_payer_forget(
    config: *const iotedge_payer_config_t,
    platform: *const iotedge_platform_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (config, _) = self::config(&structure(config, OLDEST_CONFIG)?)?;
        let (mut platform, _) = self::platform(platform)?;
        let gone = platform.remove(config.key);
        gone.map_err(|_| status::IOTEDGE_E_PLATFORM)
    })())
}
