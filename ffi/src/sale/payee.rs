//! Who is paid by ticks: a plain structure that the caller keeps, stores and copies as it likes.

use super::{IOTEDGE_TERMS_TICKS, OLDEST_TERMS, iotedge_terms_t, sale_status};
use crate::raw::{Call, Out, OutStruct, Sized32, array, done, structure};
use crate::status;
use iotedge_core::sale::{Payee, Sale, Tick};
use iotedge_core::{Id, SaleNumber};

/// The highest tick of a sale: what to claim, to store, and to show to a payer that lost its state. Holds no secret. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_payee_t {
    /// `sizeof(iotedge_payee_t)`.
    pub size: u32,
    /// Units of the sale.
    pub units: u32,
    /// How many are paid.
    pub index: u32,
    /// Zero.
    pub reserved: u32,
    /// Which sale.
    pub sale: [u8; 32],
    /// w(index).
    pub value: [u8; 32],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_payee_t {}
const OLDEST_PAYEE: usize = 80;
const _: () = assert!(size_of::<iotedge_payee_t>() == OLDEST_PAYEE);

fn payee_out(sale: &Sale, units: u32, highest: &Tick) -> iotedge_payee_t {
    iotedge_payee_t {
        size: 0,
        units,
        index: highest.index,
        reserved: 0,
        sale: sale.0.0,
        value: highest.value,
    }
}

/// The payee of a lock for ticks, with nothing paid yet.
///
/// `neighbourhood`, `payer`: 32 bytes each; the payer's device id is of `iotedge_node_member_device`. `terms`: of `iotedge_lock_read`. `payee`: set its `size` first; written on success.
///
/// `IOTEDGE_E_UNSUPPORTED_KIND`: other terms. `IOTEDGE_E_TERMS`: no units, or too many.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_payee_begin(
    neighbourhood: *const u8,
    payer: *const u8,
    terms: *const iotedge_terms_t,
    payee: *mut iotedge_payee_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (of, payer) = (Id(*array::<32>(neighbourhood)?), Id(*array::<32>(payer)?));
        let terms = structure(terms, OLDEST_TERMS)?;
        let out = OutStruct::new(payee, OLDEST_PAYEE)?;
        if terms.kind != IOTEDGE_TERMS_TICKS {
            return Err(status::IOTEDGE_E_UNSUPPORTED_KIND);
        }
        let sale = Sale::new(&of, &payer, SaleNumber(terms.sale));
        let begun = Payee::new(sale, terms.units, &Id(terms.anchor)).map_err(sale_status)?;
        out.write(&payee_out(&sale, terms.units, begun.highest()));
        Ok(())
    })())
}

/// Takes a tick: as many hashes as it is units further, at most 64.
///
/// `payee`: as `iotedge_payee_begin` or an earlier call left it, perhaps from your store; changed on success. `value`: `IOTEDGE_TICK_SIZE` bytes. `paid`: units that it pays, written on success.
///
/// `IOTEDGE_E_SALE_STALE`: not above the highest one; harmless. `IOTEDGE_E_SALE_TOO_FAR`: more than 64 units further. `IOTEDGE_E_SALE_SPENT`: beyond the units. `IOTEDGE_E_SALE_FORGED`: it does not lead to
/// the one before.
///
/// From the thread that has the payee. From an interrupt too, if that has the time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_payee_take(
    index: u32,
    value: *const u8,
    payee: *mut iotedge_payee_t,
    paid: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let given = structure(payee.cast_const(), OLDEST_PAYEE)?;
        let to = OutStruct::new(payee, OLDEST_PAYEE)?;
        let out = Out::new(paid)?;
        let sale = Sale(Id(given.sale));
        let highest = Tick {
            index: given.index,
            value: given.value,
        };
        let mut taken = Payee::at(sale, given.units, highest).map_err(sale_status)?;
        let tick = Tick {
            index,
            value: *array(value)?,
        };
        let units: Call<u32> = taken.take(&tick).map_err(sale_status);
        let units = units?;
        to.write(&payee_out(&sale, given.units, taken.highest()));
        out.write(units);
        Ok(())
    })())
}
