//! What a claim shows of its lock, and what the signers of vouchers and statements sign.
//!
//! Invariant: a proof is of one lock (or, a statement, of one neighbourhood and feed) and of no other: everything that is signed says which.

use super::chain::Tick;
use super::terms::{MAX_FEED, MAX_STATEMENTS, Predicate};
use super::{MAX_UNITS, SaleError};
use crate::crypto::{PublicKey, Signature, Verify};
use crate::identity::sign1;
use crate::types::{Amount, Id, MemberIndex, Millis, SaleNumber};
use crate::wire::{Reader, WireError, Writer};

const VOUCHER: &str = "iotedge/voucher/1";
const STATEMENT: &str = "iotedge/statement/1";

/// Room for what the signer of a voucher or a statement signs.
pub const MAX_SIGNED: usize = 160;

/// What a claim shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof<'a> {
    /// The highest tick.
    Tick(Tick),
    /// The highest voucher.
    Voucher {
        /// Micro-tokens in all.
        total: Amount,
        /// By the key that the lock names.
        signature: &'a [u8; 64],
    },
    /// Enough statements of readers.
    Statements(Statements<'a>),
    /// Nothing more than before: only to end a lock.
    Nothing,
}

/// Statements in a claim, in the order of the lock's readers. Their form was checked when they were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statements<'a>(&'a [u8]);

/// What one reader says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Its place among the lock's readers.
    pub place: u8,
    /// What it read.
    pub value: i64,
    /// When.
    pub time: Millis,
    /// By its device key.
    pub signature: &'a [u8; 64],
}

const TICK: u8 = 0;
const TOTAL: u8 = 1;
const SAID: u8 = 2;
const NOTHING: u8 = 3;

impl<'a> Proof<'a> {
    /// Whether it can be of any lock.
    ///
    /// # Errors
    /// [`SaleError::Units`] for a tick of no chain, [`SaleError::Price`] for a voucher of nothing.
    pub const fn check(&self) -> Result<(), SaleError> {
        match self {
            Self::Tick(Tick { index, .. }) if *index == 0 || *index > MAX_UNITS => {
                Err(SaleError::Units)
            }
            Self::Voucher {
                total: Amount(0), ..
            } => Err(SaleError::Price),
            _ => Ok(()),
        }
    }

    /// Writes `[0, index, value]`, `[1, total, signature]`, `[2, [[place, value, time, signature], ...]]` or `[3]`.
    #[inline(never)]
    pub fn write(&self, w: &mut Writer<'_>) {
        match self {
            Self::Tick(tick) => {
                w.put_array(3);
                w.put_u32(TICK.into());
                w.put_u32(tick.index);
                w.put_bytes(&tick.value);
            }
            Self::Voucher { total, signature } => {
                w.put_array(3);
                w.put_u32(TOTAL.into());
                w.put_uint(total.0);
                w.put_bytes(*signature);
            }
            Self::Statements(Statements(bytes)) => {
                w.put_array(2);
                w.put_u32(SAID.into());
                w.put_raw(bytes);
            }
            Self::Nothing => {
                w.put_array(1);
                w.put_u32(NOTHING.into());
            }
        }
    }

    /// Reads what [`Proof::write`] writes.
    ///
    /// # Errors
    /// [`SaleError::Wire`]; [`SaleError::Terms`] for a proof that does not exist; [`SaleError::Predicate`] for statements out of order, none, or more than 4.
    #[inline(never)]
    pub fn read(r: &mut Reader<'a>) -> Result<Self, SaleError> {
        let count = r.take_array();
        let kind = r.take_u8();
        r.intact()?;
        let proof = match (kind, count) {
            (TICK, 3) => Self::Tick(Tick {
                index: r.take_u32(),
                value: *r.take_bytes_of(),
            }),
            (TOTAL, 3) => Self::Voucher {
                total: Amount(r.take_uint()),
                signature: r.take_bytes_of(),
            },
            (SAID, 2) => Self::Statements(Statements::read(r)?),
            (NOTHING, 1) => Self::Nothing,
            _ => return Err(SaleError::Terms),
        };
        r.intact()?;
        Ok(proof)
    }
}

impl<'a> Statements<'a> {
    /// Writes statements to `out`: 1 to 4, in rising order of their places.
    ///
    /// # Errors
    /// [`SaleError::Predicate`], [`SaleError::Wire`] where `out` is short.
    pub fn list(statements: &[Statement<'_>], out: &'a mut [u8]) -> Result<Self, SaleError> {
        let mut w = Writer::new(out);
        w.put_array(statements.len());
        for statement in statements {
            w.put_array(4);
            w.put_u32(statement.place.into());
            w.put_int(statement.value);
            w.put_uint(statement.time.0);
            w.put_bytes(statement.signature);
        }
        w.intact()?;
        Self::read(&mut Reader::new(w.into_written()))
    }

    fn read(r: &mut Reader<'a>) -> Result<Self, SaleError> {
        let begin = r.position();
        let count = r.take_array();
        r.intact()?;
        if !(1..=MAX_STATEMENTS).contains(&count) {
            return Err(SaleError::Predicate);
        }
        let mut last = None;
        for _ in 0..count {
            let statement = Statement::read(r)?;
            if last >= Some(statement.place) {
                return Err(SaleError::Predicate);
            }
            last = Some(statement.place);
        }
        Ok(Self(r.since(begin)))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Statement<'a>> + use<'a> {
        let mut r = Reader::new(self.0);
        let count = r.array().unwrap_or(0);
        (0..count).map_while(move |_| Statement::read(&mut r).ok())
    }
}

impl<'a> Statement<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, WireError> {
        r.take_array_of(4);
        let statement = Self {
            place: r.take_u8(),
            value: r.take_int(),
            time: Millis(r.take_uint()),
            signature: r.take_bytes_of(),
        };
        r.intact()?;
        Ok(statement)
    }
}

/// What the key of a lock signs to pay `total` of it: a `Sig_structure` with external_aad `["iotedge/voucher/1", neighbourhood id]` and payload `[lock id, total]`.
///
/// # Errors
/// [`SaleError::Wire`] for an `out` shorter than [`MAX_SIGNED`].
pub fn voucher_input<'o>(
    key: &PublicKey,
    neighbourhood: &Id,
    lock: &Id,
    total: Amount,
    out: &'o mut [u8],
) -> Result<&'o [u8], SaleError> {
    signed(key, VOUCHER, neighbourhood, out, |w| {
        w.put_array(2);
        w.put_id(lock);
        w.put_uint(total.0);
    })
}

/// What a reader signs: external_aad `["iotedge/statement/1", neighbourhood id]`, payload `[feed, value, time]`. It is bound to no lock: one statement serves all that ask.
///
/// # Errors
/// [`SaleError::Predicate`] for a feed without a name or with one above 16 bytes; [`SaleError::Wire`] for an `out` shorter than [`MAX_SIGNED`].
pub fn statement_input<'o>(
    key: &PublicKey,
    neighbourhood: &Id,
    feed: &[u8],
    value: i64,
    time: Millis,
    out: &'o mut [u8],
) -> Result<&'o [u8], SaleError> {
    if !(1..=MAX_FEED).contains(&feed.len()) {
        return Err(SaleError::Predicate);
    }
    signed(key, STATEMENT, neighbourhood, out, |w| {
        w.put_array(3);
        w.put_bytes(feed);
        w.put_int(value);
        w.put_uint(time.0);
    })
}

fn signed<'o>(
    key: &PublicKey,
    domain: &str,
    neighbourhood: &Id,
    out: &'o mut [u8],
    payload: impl FnOnce(&mut Writer<'_>),
) -> Result<&'o [u8], SaleError> {
    let (mut aad, mut said) = ([0; 64], [0; 48]);
    let mut w = Writer::new(&mut aad);
    w.put_array(2);
    w.put_text(domain);
    w.put_id(neighbourhood);
    w.intact()?;
    let mut p = Writer::new(&mut said);
    payload(&mut p);
    p.intact()?;
    let protected = sign1::protected(key);
    Ok(sign1::to_be_signed(
        &protected,
        w.written(),
        p.written(),
        out,
    )?)
}

/// Whether a voucher is one.
///
/// # Errors
/// [`SaleError::Forged`].
pub fn check_voucher(
    key: &PublicKey,
    neighbourhood: &Id,
    lock: &Id,
    total: Amount,
    signature: &Signature,
    verifier: &mut dyn Verify,
) -> Result<(), SaleError> {
    let mut buffer = [0; MAX_SIGNED];
    let message = voucher_input(key, neighbourhood, lock, total, &mut buffer)?;
    let checked = verifier.verify(key, message, signature);
    checked.map_err(|_| SaleError::Forged)
}

/// Whether statements fulfil a predicate whose lock stands from `from` to `until`. `key_of` gives the device keys of members.
///
/// # Errors
/// [`SaleError::Quorum`] for too few, [`SaleError::NotSo`] where one says otherwise, [`SaleError::Apart`] for times outside the lock's or too far from each other, [`SaleError::Forged`].
pub fn check_statements(
    predicate: &Predicate,
    neighbourhood: &Id,
    (from, until): (Millis, Millis),
    statements: &Statements<'_>,
    key_of: &dyn Fn(MemberIndex) -> Option<PublicKey>,
    verifier: &mut dyn Verify,
) -> Result<(), SaleError> {
    let (mut count, mut earliest, mut latest) = (0_u8, Millis(u64::MAX), Millis(0));
    for statement in statements.iter() {
        count = count.saturating_add(1);
        earliest = earliest.min(statement.time);
        latest = latest.max(statement.time);
        if !predicate
            .compare
            .holds(statement.value, predicate.threshold)
        {
            return Err(SaleError::NotSo);
        }
    }
    if count < predicate.quorum {
        return Err(SaleError::Quorum);
    }
    let apart = latest.saturating_sub(earliest.0);
    if earliest < from || latest > until || apart.0 > predicate.window.into() {
        return Err(SaleError::Apart);
    }
    for statement in statements.iter() {
        let reader = predicate
            .readers
            .as_slice()
            .get(usize::from(statement.place));
        let key = reader.and_then(|r| key_of(*r)).ok_or(SaleError::Quorum)?;
        let mut buffer = [0; MAX_SIGNED];
        let message = statement_input(
            &key,
            neighbourhood,
            predicate.feed.as_slice(),
            statement.value,
            statement.time,
            &mut buffer,
        )?;
        let signature = Signature(*statement.signature);
        let checked = verifier.verify(&key, message, &signature);
        checked.map_err(|_| SaleError::Forged)?;
    }
    Ok(())
}

/// Whether a tick leads to the one before it; as many hashes as it is units further.
///
/// # Errors
/// [`SaleError::Stale`], [`SaleError::Spent`], [`SaleError::Forged`].
pub fn check_tick(
    neighbourhood: &Id,
    payer: &Id,
    sale: SaleNumber,
    units: u32,
    before: &Tick,
    tick: &Tick,
) -> Result<(), SaleError> {
    if tick.index <= before.index {
        return Err(SaleError::Stale);
    }
    if tick.index > units {
        return Err(SaleError::Spent);
    }
    let sale = super::Sale::new(neighbourhood, payer, sale);
    let found = sale.back(tick.index, before.index, &tick.value);
    (found == before.value)
        .then_some(())
        .ok_or(SaleError::Forged)
}
