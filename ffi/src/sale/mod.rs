//! Metered sale: what a lock is released by, what a claim shows, and what is signed off the ledger (decision 0038, protocol section 14).
//!
//! Invariant: what is given out is refused nowhere else for its form, and what is read was written so by its issuer, whose transaction the node verified.

mod payee;
mod payer;

pub use payee::*;
pub use payer::*;

use crate::key::{OLDEST_KEY, iotedge_public_key_t, public_key, signature_status};
use crate::raw::{Call, OutBytes, OutStruct, Sized32, array, decided, done, input, structure};
use crate::status;
use iotedge_core::crypto::{PublicKey, Signature, Verify};
use iotedge_core::sale::{
    Compare, Feed, MAX_READERS, MAX_SIGNED, MAX_STATEMENTS, Predicate, Proof, Readers, SaleError,
    Statement, Statements, Terms, Tick, statement_input, voucher_input,
};
use iotedge_core::tx::{Body, TxError};
use iotedge_core::wire::{Reader, Writer};
use iotedge_core::{Amount, Id, MemberIndex, Millis, SaleNumber};

/// A lock is released by ticks of a hash chain.
pub const IOTEDGE_TERMS_TICKS: u32 = 0;
/// By totals that a key signs.
pub const IOTEDGE_TERMS_VOUCHERS: u32 = 1;
/// By statements of enough readers.
pub const IOTEDGE_TERMS_PREDICATE: u32 = 2;

/// A claim shows a tick.
pub const IOTEDGE_PROOF_TICK: u32 = 0;
/// A voucher.
pub const IOTEDGE_PROOF_VOUCHER: u32 = 1;
/// Statements of readers.
pub const IOTEDGE_PROOF_STATEMENTS: u32 = 2;
/// Nothing: the payee ends the lock.
pub const IOTEDGE_PROOF_NOTHING: u32 = 3;

/// The value is at least the threshold.
pub const IOTEDGE_AT_LEAST: u32 = 0;
/// At most the threshold.
pub const IOTEDGE_AT_MOST: u32 = 1;
/// The threshold exactly.
pub const IOTEDGE_EQUAL: u32 = 2;
/// Anything else.
pub const IOTEDGE_NOT_EQUAL: u32 = 3;

/// Most readers of a predicate.
pub const IOTEDGE_MAX_READERS: usize = 8;
const _: () = assert!(IOTEDGE_MAX_READERS == MAX_READERS);
/// Most statements of a claim.
pub const IOTEDGE_MAX_STATEMENTS: usize = 4;
const _: () = assert!(IOTEDGE_MAX_STATEMENTS == MAX_STATEMENTS);
/// Most bytes of a feed's name.
pub const IOTEDGE_FEED_SIZE: usize = 16;
const _: () = assert!(IOTEDGE_FEED_SIZE == iotedge_core::sale::MAX_FEED);
/// Most bytes that the signer of a voucher or a statement signs.
pub const IOTEDGE_VOUCHER_INPUT_SIZE: usize = 160;
const _: () = assert!(IOTEDGE_VOUCHER_INPUT_SIZE == MAX_SIGNED);
/// Bytes of a tick.
pub const IOTEDGE_TICK_SIZE: usize = 32;
/// Most units of a sale.
pub const IOTEDGE_MAX_UNITS: u32 = 65536;
const _: () = assert!(IOTEDGE_MAX_UNITS == iotedge_core::sale::MAX_UNITS);

/// What a lock is released by. Set `size` first; what the kind does not use is zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_terms_t {
    /// `sizeof(iotedge_terms_t)`.
    pub size: u32,
    /// `IOTEDGE_TERMS_*`.
    pub kind: u32,
    /// Ticks: the payer's number of this sale. No number twice.
    pub sale: u32,
    /// Ticks: units, 1 to `IOTEDGE_MAX_UNITS`. They divide the lock's amount.
    pub units: u32,
    /// Ticks: w(0), of `iotedge_payer_anchor`.
    pub anchor: [u8; 32],
    /// Vouchers: whose signature they bear. Its own `size` is not looked at.
    pub key: iotedge_public_key_t,
    /// Predicate: what a reading is compared with.
    pub threshold: i64,
    /// Predicate: what is read, `feed_len` bytes.
    pub feed: [u8; 16],
    /// Predicate: 1 to `IOTEDGE_FEED_SIZE`.
    pub feed_len: u32,
    /// Predicate: `IOTEDGE_AT_LEAST` and its like.
    pub comparison: u32,
    /// Predicate: most milliseconds between the earliest and the latest statement.
    pub window: u32,
    /// Predicate: how many readers must say so, 1 to `IOTEDGE_MAX_STATEMENTS`.
    pub quorum: u32,
    /// Predicate: how many may, at most `IOTEDGE_MAX_READERS`.
    pub reader_count: u32,
    /// Predicate: their indices, rising.
    pub readers: [u32; 8],
    /// Zero.
    pub reserved: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_terms_t {}
const OLDEST_TERMS: usize = 200;
const _: () = assert!(size_of::<iotedge_terms_t>() == OLDEST_TERMS);

/// A lock, as its transaction says it. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_lock_t {
    /// `sizeof(iotedge_lock_t)`.
    pub size: u32,
    /// Index of the payee.
    pub to: u32,
    /// Micro-tokens.
    pub amount: u64,
    /// The payer's lifetime debits with it.
    pub debits: u64,
    /// How long it stands, in milliseconds from its own time on.
    pub term: u32,
    /// Zero.
    pub reserved: u32,
    /// What releases it.
    pub terms: iotedge_terms_t,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_lock_t {}
const OLDEST_LOCK: usize = 232;
const _: () = assert!(size_of::<iotedge_lock_t>() == OLDEST_LOCK);

/// What one reader says.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_statement_t {
    /// `sizeof(iotedge_statement_t)`; inside a proof it is not looked at.
    pub size: u32,
    /// Its place among the lock's readers.
    pub place: u32,
    /// What it read.
    pub value: i64,
    /// When, milliseconds since 1970.
    pub time: u64,
    /// By its device key, over `iotedge_statement_input`.
    pub signature: [u8; 64],
}

const OLDEST_STATEMENT: usize = 88;
const _: () = assert!(size_of::<iotedge_statement_t>() == OLDEST_STATEMENT);

impl iotedge_statement_t {
    const EMPTY: Self = Self {
        size: OLDEST_STATEMENT as u32,
        place: 0,
        value: 0,
        time: 0,
        signature: [0; 64],
    };
}

/// What a claim shows. Set `size` first; what the kind does not use is zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_proof_t {
    /// `sizeof(iotedge_proof_t)`.
    pub size: u32,
    /// `IOTEDGE_PROOF_*`.
    pub kind: u32,
    /// Tick: its index, 1 and above.
    pub index: u32,
    /// Statements: how many, 1 to `IOTEDGE_MAX_STATEMENTS`.
    pub statement_count: u32,
    /// Voucher: micro-tokens in all.
    pub total: u64,
    /// Tick: w(index).
    pub value: [u8; 32],
    /// Voucher: by the key of the lock, over `iotedge_voucher_input`.
    pub signature: [u8; 64],
    /// Statements, in rising order of their places.
    pub statements: [iotedge_statement_t; 4],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_proof_t {}
const OLDEST_PROOF: usize = 472;
const _: () = assert!(size_of::<iotedge_proof_t>() == OLDEST_PROOF);

/// A claim, as its transaction says it. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_lock_claim_t {
    /// `sizeof(iotedge_lock_claim_t)`.
    pub size: u32,
    /// 1: the payee wants no more.
    pub last: u32,
    /// Which lock.
    pub lock: [u8; 32],
    /// What it shows.
    pub proof: iotedge_proof_t,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_lock_claim_t {}
const OLDEST_CLAIM: usize = 512;
const _: () = assert!(size_of::<iotedge_lock_claim_t>() == OLDEST_CLAIM);

pub(crate) fn sale_status(error: SaleError) -> i32 {
    match error {
        SaleError::Units
        | SaleError::Price
        | SaleError::Predicate
        | SaleError::Term
        | SaleError::NotSo
        | SaleError::Apart => status::IOTEDGE_E_TERMS,
        SaleError::Terms => status::IOTEDGE_E_UNSUPPORTED_KIND,
        SaleError::Full => status::IOTEDGE_E_MEMORY_TOO_SMALL,
        SaleError::Spent => status::IOTEDGE_E_SALE_SPENT,
        SaleError::Stale => status::IOTEDGE_E_SALE_STALE,
        SaleError::TooFar => status::IOTEDGE_E_SALE_TOO_FAR,
        SaleError::Forged => status::IOTEDGE_E_SALE_FORGED,
        SaleError::Stored => status::IOTEDGE_E_SALE_STORED,
        SaleError::Quorum => status::IOTEDGE_E_SHORT_OF_QUORUM,
        SaleError::Platform => status::IOTEDGE_E_PLATFORM,
        SaleError::Wire(error) => crate::wire_status(error),
    }
}

fn byte_of(number: u32) -> Call<u8> {
    u8::try_from(number).map_err(|_| status::IOTEDGE_E_TERMS)
}

/// Terms that C hands in.
///
/// # Safety
/// As [`structure`].
pub(crate) unsafe fn terms(given: *const iotedge_terms_t) -> Call<Terms> {
    // SAFETY: the caller's promise.
    let given = unsafe { structure(given, OLDEST_TERMS) }?;
    Ok(match given.kind {
        IOTEDGE_TERMS_TICKS => Terms::Ticks {
            sale: SaleNumber(given.sale),
            units: given.units,
            anchor: Id(given.anchor),
        },
        IOTEDGE_TERMS_VOUCHERS => Terms::Vouchers {
            key: given.key.to_core()?,
        },
        IOTEDGE_TERMS_PREDICATE => {
            let feed = usize::try_from(given.feed_len).ok();
            let feed = feed.and_then(|len| given.feed.get(..len));
            let readers = usize::try_from(given.reader_count).ok();
            let readers = readers.and_then(|count| given.readers.get(..count));
            let readers = readers.ok_or(status::IOTEDGE_E_TERMS)?;
            if readers.iter().any(|index| *index > u16::MAX.into()) {
                return Err(status::IOTEDGE_E_TERMS);
            }
            let compare = Compare::from_number(byte_of(given.comparison)?);
            Terms::Predicate(Predicate {
                feed: Feed::new(feed.ok_or(status::IOTEDGE_E_TERMS)?).map_err(sale_status)?,
                compare: compare.ok_or(status::IOTEDGE_E_TERMS)?,
                threshold: given.threshold,
                window: given.window,
                quorum: byte_of(given.quorum)?,
                readers: Readers::new(readers.iter().map(|index| MemberIndex(*index as u16)))
                    .map_err(sale_status)?,
            })
        }
        _ => return Err(status::IOTEDGE_E_UNSUPPORTED_KIND),
    })
}

fn terms_out(terms: &Terms) -> iotedge_terms_t {
    let mut out = iotedge_terms_t {
        size: OLDEST_TERMS as u32,
        kind: 0,
        sale: 0,
        units: 0,
        anchor: [0; 32],
        key: iotedge_public_key_t {
            size: OLDEST_KEY as u32,
            suite: 0,
            bytes: [0; 64],
        },
        threshold: 0,
        feed: [0; 16],
        feed_len: 0,
        comparison: 0,
        window: 0,
        quorum: 0,
        reader_count: 0,
        readers: [0; 8],
        reserved: 0,
    };
    match terms {
        Terms::Ticks {
            sale,
            units,
            anchor,
        } => {
            out.kind = IOTEDGE_TERMS_TICKS;
            (out.sale, out.units, out.anchor) = (sale.0, *units, anchor.0);
        }
        Terms::Vouchers { key } => {
            out.kind = IOTEDGE_TERMS_VOUCHERS;
            out.key = iotedge_public_key_t::from_core(key);
        }
        Terms::Predicate(predicate) => {
            out.kind = IOTEDGE_TERMS_PREDICATE;
            out.threshold = predicate.threshold;
            let feed = predicate.feed.as_slice();
            for (to, from) in out.feed.iter_mut().zip(feed) {
                *to = *from;
            }
            out.feed_len = feed.len() as u32;
            out.comparison = u32::from(predicate.compare as u8);
            out.window = predicate.window;
            out.quorum = predicate.quorum.into();
            let readers = predicate.readers.as_slice();
            for (to, from) in out.readers.iter_mut().zip(readers) {
                *to = from.0.into();
            }
            out.reader_count = readers.len() as u32;
        }
    }
    out
}

/// Most bytes of a proof: four statements at their widest.
const MAX_PROOF: usize = 400;

/// Hands a proof that C gave to `work`.
///
/// # Safety
/// As [`structure`].
pub(crate) unsafe fn with_proof(
    given: *const iotedge_proof_t,
    work: impl FnOnce(Proof<'_>) -> Call<()>,
) -> Call<()> {
    let mut room = [0; MAX_PROOF];
    // SAFETY: the caller's promise.
    let bytes = unsafe { written(given, &mut room) }?;
    work(Proof::read(&mut Reader::new(bytes)).map_err(sale_status)?)
}

/// A proof that C gave, as it goes into a claim. Apart, so that C's structure is gone from the stack when a transaction is made of it.
///
/// # Safety
/// As [`structure`].
#[inline(never)]
unsafe fn written(given: *const iotedge_proof_t, room: &mut [u8; MAX_PROOF]) -> Call<&[u8]> {
    // SAFETY: the caller's promise.
    let given = unsafe { structure(given, OLDEST_PROOF) }?;
    let mut w = Writer::new(room);
    match given.kind {
        IOTEDGE_PROOF_TICK => Proof::Tick(Tick {
            index: given.index,
            value: given.value,
        })
        .write(&mut w),
        IOTEDGE_PROOF_VOUCHER => Proof::Voucher {
            total: Amount(given.total),
            signature: &given.signature,
        }
        .write(&mut w),
        IOTEDGE_PROOF_STATEMENTS => {
            let count = usize::try_from(given.statement_count).ok();
            let statements = count.and_then(|count| given.statements.get(..count));
            let statements = statements.ok_or(status::IOTEDGE_E_TERMS)?;
            if statements.iter().any(|s| s.place > u8::MAX.into()) {
                return Err(status::IOTEDGE_E_TERMS);
            }
            let list = given.statements.each_ref().map(|s| Statement {
                place: s.place as u8,
                value: s.value,
                time: Millis(s.time),
                signature: &s.signature,
            });
            let list = list.get(..statements.len()).unwrap_or(&[]);
            let mut room = [0; MAX_PROOF];
            let statements = Statements::list(list, &mut room).map_err(sale_status)?;
            Proof::Statements(statements).write(&mut w);
        }
        IOTEDGE_PROOF_NOTHING => Proof::Nothing.write(&mut w),
        _ => return Err(status::IOTEDGE_E_UNSUPPORTED_KIND),
    }
    w.intact().map_err(crate::wire_status)?;
    Ok(w.into_written())
}

fn proof_out(proof: &Proof<'_>) -> iotedge_proof_t {
    let mut out = iotedge_proof_t {
        size: OLDEST_PROOF as u32,
        kind: IOTEDGE_PROOF_NOTHING,
        index: 0,
        statement_count: 0,
        total: 0,
        value: [0; 32],
        signature: [0; 64],
        statements: [iotedge_statement_t::EMPTY; 4],
    };
    match proof {
        Proof::Tick(tick) => {
            out.kind = IOTEDGE_PROOF_TICK;
            (out.index, out.value) = (tick.index, tick.value);
        }
        Proof::Voucher { total, signature } => {
            out.kind = IOTEDGE_PROOF_VOUCHER;
            (out.total, out.signature) = (total.0, **signature);
        }
        Proof::Statements(statements) => {
            out.kind = IOTEDGE_PROOF_STATEMENTS;
            let mut count = 0_u32;
            for (to, from) in out.statements.iter_mut().zip(statements.iter()) {
                *to = iotedge_statement_t {
                    size: OLDEST_STATEMENT as u32,
                    place: from.place.into(),
                    value: from.value,
                    time: from.time.0,
                    signature: *from.signature,
                };
                count = count.saturating_add(1);
            }
            out.statement_count = count;
        }
        Proof::Nothing => {}
    }
    out
}

/// What a body says, by what reads bodies in a transaction.
fn body_of<'b>(kind: iotedge_core::tx::Kind, bytes: &'b [u8]) -> Call<Body<'b>> {
    let mut r = Reader::new(bytes);
    let body = Body::read_checked(kind, &mut r);
    let body = body.map_err(|error| match error {
        TxError::Sale(error) => sale_status(error),
        error => crate::verify::tx_status(error),
    })?;
    r.finish().map_err(crate::wire_status)?;
    Ok(body)
}

/// Reads a lock: the body of a transaction of `IOTEDGE_EVENT_LOCKED` (see `iotedge_node_body`).
///
/// `lock`: set its `size` first; written on success. Before you serve under it, wait for `IOTEDGE_GRADE_QUORUM`, and look at amount, terms and term: claim so that
/// two of the neighbourhood's periods are left before it ends.
///
/// `IOTEDGE_E_UNSUPPORTED_KIND`, `IOTEDGE_E_TERMS`, `IOTEDGE_E_MALFORMED` and others: not a lock.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_lock_read(
    body: *const u8,
    body_len: usize,
    lock: *mut iotedge_lock_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(lock, OLDEST_LOCK)?;
        let body = body_of(iotedge_core::tx::Kind::Lock, input(body, body_len)?)?;
        let Body::Lock {
            to,
            amount,
            debits,
            term,
            terms,
        } = body
        else {
            return Err(status::IOTEDGE_E_INTERNAL);
        };
        out.write(&iotedge_lock_t {
            size: 0,
            to: to.0.into(),
            amount: amount.0,
            debits: debits.0,
            term,
            reserved: 0,
            terms: terms_out(&terms),
        });
        Ok(())
    })())
}

/// Reads a claim: the body of a transaction of `IOTEDGE_EVENT_CLAIMED` (see `iotedge_node_body`). What it shows holds only if the settlement says so.
///
/// `claim`: set its `size` first; written on success.
///
/// `IOTEDGE_E_UNSUPPORTED_KIND`, `IOTEDGE_E_TERMS`, `IOTEDGE_E_MALFORMED` and others: not a claim.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_lock_claim_read(
    body: *const u8,
    body_len: usize,
    claim: *mut iotedge_lock_claim_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(claim, OLDEST_CLAIM)?;
        let body = body_of(iotedge_core::tx::Kind::Claim, input(body, body_len)?)?;
        let Body::Claim { lock, last, proof } = body else {
            return Err(status::IOTEDGE_E_INTERNAL);
        };
        out.write(&iotedge_lock_claim_t {
            size: 0,
            last: last.into(),
            lock: lock.0,
            proof: proof_out(&proof),
        });
        Ok(())
    })())
}

/// What the key of a lock signs to pay `total` of it: a `Sig_structure` (RFC 9052). Sign it with `iotedge_sign` or your own signer.
///
/// `key`: the lock's. `neighbourhood`, `lock`: 32 bytes each. `out`: room for `out_capacity` bytes, `IOTEDGE_VOUCHER_INPUT_SIZE` are enough; `out_len`: their number. Both written on success.
///
/// `IOTEDGE_E_BUFFER_TOO_SMALL`.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_voucher_input(
    key: *const iotedge_public_key_t,
    neighbourhood: *const u8,
    lock: *const u8,
    total: u64,
    out: *mut u8,
    out_capacity: usize,
    out_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (key, of) = (public_key(key)?, Id(*array::<32>(neighbourhood)?));
        let lock = Id(*array::<32>(lock)?);
        let out = OutBytes::new(out, out_capacity, out_len)?;
        let mut room = [0; MAX_SIGNED];
        let input = voucher_input(&key, &of, &lock, Amount(total), &mut room);
        out.write(input.map_err(sale_status)?)
    })())
}

/// Checks a voucher: keep the one with the highest total, which `iotedge_node_submit_claim` shows. That it is above what you have, and no more than the lock's amount, is for you to look at.
///
/// As `iotedge_voucher_input`; `signature`: 64 bytes.
///
/// `IOTEDGE_E_SIGNATURE` and others: it is none. Refusals are found twice.
///
/// From any thread. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_voucher_verify(
    key: *const iotedge_public_key_t,
    neighbourhood: *const u8,
    lock: *const u8,
    total: u64,
    signature: *const u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    decided(|verifier| unsafe {
        let (key, of) = (public_key(key)?, Id(*array::<32>(neighbourhood)?));
        let lock = Id(*array::<32>(lock)?);
        let mut room = [0; MAX_SIGNED];
        let input = voucher_input(&key, &of, &lock, Amount(total), &mut room);
        verified(
            &key,
            input.map_err(sale_status)?,
            array(signature)?,
            verifier,
        )
    })
}

/// What a reader signs to say that `feed` was `value` at `time`. It is bound to no lock: one statement serves all who ask.
///
/// `key`: the reader's device key. `neighbourhood`: 32 bytes. `feed`: `feed_len` bytes, 1 to `IOTEDGE_FEED_SIZE`. `time`: milliseconds since 1970. `out` as in `iotedge_voucher_input`.
///
/// `IOTEDGE_E_TERMS`: no name for a feed. `IOTEDGE_E_BUFFER_TOO_SMALL`.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_statement_input(
    key: *const iotedge_public_key_t,
    neighbourhood: *const u8,
    feed: *const u8,
    feed_len: usize,
    value: i64,
    time: u64,
    out: *mut u8,
    out_capacity: usize,
    out_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (key, of) = (public_key(key)?, Id(*array::<32>(neighbourhood)?));
        let feed = input(feed, feed_len)?;
        let out = OutBytes::new(out, out_capacity, out_len)?;
        let mut room = [0; MAX_SIGNED];
        let input = statement_input(&key, &of, feed, value, Millis(time), &mut room);
        out.write(input.map_err(sale_status)?)
    })())
}

/// Checks a reader's statement. As `iotedge_statement_input`; `signature`: 64 bytes.
///
/// `IOTEDGE_E_SIGNATURE` and others: it is none. Refusals are found twice.
///
/// From any thread. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_statement_verify(
    key: *const iotedge_public_key_t,
    neighbourhood: *const u8,
    feed: *const u8,
    feed_len: usize,
    value: i64,
    time: u64,
    signature: *const u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    decided(|verifier| unsafe {
        let (key, of) = (public_key(key)?, Id(*array::<32>(neighbourhood)?));
        let feed = input(feed, feed_len)?;
        let mut room = [0; MAX_SIGNED];
        let input = statement_input(&key, &of, feed, value, Millis(time), &mut room);
        verified(
            &key,
            input.map_err(sale_status)?,
            array(signature)?,
            verifier,
        )
    })
}

fn verified(
    key: &PublicKey,
    message: &[u8],
    signature: &[u8; 64],
    verifier: &mut dyn Verify,
) -> Call<()> {
    let checked = verifier.verify(key, message, &Signature(*signature));
    checked.map_err(signature_status)
}
