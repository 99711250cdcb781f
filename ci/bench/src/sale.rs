//! Metered sale: what a unit costs who pays and who is paid, and what a claim costs who settles it, over a signature check.

use crate::figure::{Ceiling, Figure};
use crate::interleave::interleave_prepared;
use crate::store::Store;
use crate::transfer::Transfer;
use iotedge_core::crypto::{SecretKey, Signature, Software};
use iotedge_core::sale::{
    Config, MAX_SIGNED, MAX_STEP, MAX_UNITS, Payee, Payer, Pebble, Sale, Secret, Tick, check_tick,
    check_voucher, voucher_input,
};
use iotedge_core::{Amount, Id, SaleNumber};
use std::cell::RefCell;
use std::hint::black_box;

/// Ticks in a turn.
const TURN: u32 = 64;
const HERE: Id = Id([0x5a; 32]);
const DEVICE: Id = Id([7; 32]);
const LOCK: Id = Id([8; 32]);
const NUMBER: SaleNumber = SaleNumber(12);
const TOTAL: Amount = Amount(1_250);

/// Who pays, over the longest chain and with a write of the store for each tick.
struct Paying {
    store: Store,
    payer: Payer<'static>,
    anchor: Id,
}

impl Paying {
    fn new() -> Self {
        let mut store = Store::default();
        let sale = Sale::new(&HERE, &DEVICE, NUMBER);
        let secret = Secret::from_bytes([3; 32]);
        let config = Config {
            sale,
            units: MAX_UNITS,
            ahead: 1,
            key: 0x300,
        };
        let pebbles = Vec::leak(vec![Pebble::default(); Payer::pebbles(MAX_UNITS)]);
        Self {
            anchor: Payer::anchor(&secret, &sale, MAX_UNITS).expect("units"),
            payer: Payer::open(&mut store, &secret, config, pebbles).expect("opens"),
            store,
        }
    }

    fn pay(&mut self) -> Tick {
        let tick = self.payer.pay(&mut self.store).expect("a unit is left");
        black_box(tick)
    }
}

/// Both ends of a sale; the buyer's ticks wait for the payee.
struct Paid {
    buyer: Paying,
    payee: Payee,
    /// Of the turn; the next one last.
    waiting: Vec<Tick>,
}

impl Paid {
    fn new() -> Self {
        let buyer = Paying::new();
        let sale = Sale::new(&HERE, &DEVICE, NUMBER);
        let payee = Payee::new(sale, MAX_UNITS, &buyer.anchor).expect("units");
        Self {
            buyer,
            payee,
            waiting: Vec::new(),
        }
    }

    fn send(&mut self) {
        self.waiting = (0..TURN).map(|_| self.buyer.pay()).collect();
        self.waiting.reverse();
    }

    fn take(&mut self) {
        let tick = self.waiting.pop().expect("one was sent");
        assert_eq!(self.payee.take(black_box(&tick)), Ok(1));
    }
}

/// All figures of sales.
pub fn figures(figures: &mut Vec<Figure>) {
    let transfer = Transfer::default();
    let mut buyer = Paying::new();
    let paid = RefCell::new(Paid::new());
    // A claim of as many units as a payee takes at once.
    let mut claimer = Paying::new();
    let before = Tick {
        index: 0,
        value: claimer.anchor.0,
    };
    let claimed = (0..MAX_STEP).map(|_| claimer.pay()).last();
    let claimed = claimed.expect("a tick");
    let claim = || {
        check_tick(
            &HERE,
            &DEVICE,
            NUMBER,
            MAX_UNITS,
            &before,
            black_box(&claimed),
        )
        .expect("leads to the one before");
    };
    let key = SecretKey::from_seed(&[4; 32]).expect("a seed");
    let public = key.public_key();
    let mut room = [0; MAX_SIGNED];
    let signature: Signature =
        key.sign(voucher_input(&public, &HERE, &LOCK, TOTAL, &mut room).expect("fits"));
    let voucher = || {
        check_voucher(
            &public,
            &HERE,
            &LOCK,
            black_box(TOTAL),
            &signature,
            &mut Software,
        )
        .expect("the payer's");
    };
    let turns = interleave_prepared(
        200,
        TURN,
        &mut [
            (&mut || (), &mut || transfer.bare_verify()),
            (&mut || (), &mut || {
                buyer.pay();
            }),
            (&mut || paid.borrow_mut().send(), &mut || {
                paid.borrow_mut().take()
            }),
            (&mut || (), &mut || claim()),
            (&mut || (), &mut || voucher()),
        ],
    );
    for (what, turn) in [
        (
            "give a tick of 65,536 over one signature check, store in memory",
            1,
        ),
        ("take a tick over one signature check", 2),
        ("check a claim of 64 ticks more over one signature check", 3),
        ("check a claim by voucher over one signature check", 4),
    ] {
        figures.push(Figure {
            what,
            value: turns.ratio(turn, 0) * 100.0,
            unit: "percent",
            ceiling: Ceiling::Told,
        });
    }
}
