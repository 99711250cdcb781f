//! Metered sales between devices: who buys locks value and pays unit by unit, who sells serves and claims; and who holds every settled header against plain sums.
//!
//! Off the ledger dealers whisper. The payer keeps nothing of its chain but what its store has: each tick is given as after a power cut, and some are lost between store and payee.
//! Neither side may end more than one unit apart.

use super::{Actor, Hands};
use crate::founding::GRANT;
use iotedge_core::crypto::{Signature, Software};
use iotedge_core::node::{Event, Grade, Submission, Ticket};
use iotedge_core::platform::{Platform, PlatformError};
use iotedge_core::sale::{
    Config, Payee, Payer, Pebble, Proof, Sale, Secret, Terms, Tick, check_voucher, price,
    voucher_input,
};
use iotedge_core::tx::{Body, Unverified};
use iotedge_core::wire::Reader;
use iotedge_core::{Amount, Id, MemberIndex, SaleNumber};
use std::collections::BTreeMap;

/// Most units of a sale.
const UNITS: u64 = 24;
/// "I serve under this lock, and my highest tick is this": lock, index, value.
const SERVES: u8 = 0;
/// A unit is paid by a tick: lock, index, value.
const TICK: u8 = 1;
/// A unit is paid by a voucher: lock, total, signature.
const VOUCHER: u8 = 2;

/// What a dealer's flash holds.
#[derive(Default)]
struct Flash(BTreeMap<u16, Vec<u8>>);

impl Platform for Flash {
    fn random(&mut self, _: &mut [u8]) -> Result<(), PlatformError> {
        Err(PlatformError::Random)
    }
    fn get(&mut self, key: u16, out: &mut [u8]) -> Result<Option<usize>, PlatformError> {
        let Some(value) = self.0.get(&key) else {
            return Ok(None);
        };
        let place = out.get_mut(..value.len());
        place
            .ok_or(PlatformError::StoreRead)?
            .copy_from_slice(value);
        Ok(Some(value.len()))
    }
    fn put(&mut self, key: u16, value: &[u8]) -> Result<(), PlatformError> {
        self.0.insert(key, value.to_vec());
        Ok(())
    }
    fn remove(&mut self, key: u16) -> Result<(), PlatformError> {
        self.0.remove(&key);
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Bought {
    number: SaleNumber,
    units: u32,
    price: u64,
    ticks: bool,
    /// What vouchers say so far.
    total: u64,
}

struct Sold {
    payer: u16,
    amount: u64,
    terms: Terms,
    /// Of ticks.
    payee: Option<Payee>,
    /// Of vouchers.
    highest: Option<(u64, [u8; 64])>,
    serves: bool,
    claimed: u64,
    over: bool,
}

/// Buys and sells.
pub struct Dealer {
    pause: u64,
    partners: Vec<u16>,
    flash: Flash,
    next_sale: u32,
    asked: BTreeMap<u32, Bought>,
    bought: BTreeMap<Id, Bought>,
    sold: BTreeMap<Id, Sold>,
}

impl Dealer {
    /// Begins a sale with one of these every `pause` ms on average.
    #[must_use]
    pub const fn new(pause: u64, partners: Vec<u16>) -> Self {
        Self {
            pause,
            partners,
            flash: Flash(BTreeMap::new()),
            next_sale: 1,
            asked: BTreeMap::new(),
            bought: BTreeMap::new(),
            sold: BTreeMap::new(),
        }
    }

    fn buy(&mut self, hands: &mut Hands<'_, '_>) {
        let rng = hands.rng();
        let to = self.partners[rng.below(self.partners.len() as u64) as usize];
        let (units, price) = (rng.between(1, UNITS) as u32, rng.between(1, 4));
        let (ticks, term) = (rng.chance(500_000), rng.between(5_000, 40_000) as u32);
        let bought = Bought {
            number: SaleNumber(self.next_sale),
            units,
            price,
            ticks,
            total: 0,
        };
        let sale = self.sale(hands, bought.number);
        let terms = match ticks {
            true => Terms::Ticks {
                sale: bought.number,
                units,
                anchor: Payer::anchor(&owner(hands), &sale, units).expect("units in bounds"),
            },
            false => Terms::Vouchers {
                key: hands.secret().public_key(),
            },
        };
        let lock = Submission::Lock {
            to: MemberIndex(to),
            amount: Amount(price * u64::from(units)),
            term,
            terms,
        };
        let local = hands.local();
        let Some(node) = hands.node() else {
            return;
        };
        if let Ok(Ticket(ticket)) = node.submit(local, &lock, None) {
            self.next_sale += 1;
            self.asked.insert(ticket, bought);
            hands.count("sales begun", 1);
        }
    }

    fn sale(&self, hands: &Hands<'_, '_>, number: SaleNumber) -> Sale {
        let device = hands.founding().founders[usize::from(hands.member())].device;
        Sale::new(&hands.founding().neighbourhood, &device, number)
    }

    /// The payee serves: it is paid one unit more, unless this payer has vanished.
    fn pay(&mut self, hands: &mut Hands<'_, '_>, to: u16, lock: &Id, shown: &Tick) {
        let Some(bought) = self.bought.get(lock).copied() else {
            return;
        };
        if hands.rng().chance(30_000) {
            self.bought.remove(lock);
            hands.count("payers that vanished", 1);
            return;
        }
        if bought.ticks {
            self.pay_tick(hands, to, lock, shown, &bought);
            return;
        }
        let total = bought.total + bought.price;
        if total > bought.price * u64::from(bought.units) {
            return;
        }
        let secret = hands.secret();
        let mut out = [0; 160];
        let of = hands.founding().neighbourhood;
        let input = voucher_input(&secret.public_key(), &of, lock, Amount(total), &mut out);
        let signature = secret.sign(input.expect("room"));
        self.bought.insert(*lock, Bought { total, ..bought });
        let mut said = vec![VOUCHER];
        said.extend(lock.0);
        said.extend(total.to_be_bytes());
        said.extend(signature.0);
        hands.whisper(to, &said);
    }

    fn pay_tick(
        &mut self,
        hands: &mut Hands<'_, '_>,
        to: u16,
        lock: &Id,
        shown: &Tick,
        bought: &Bought,
    ) {
        let config = Config {
            sale: self.sale(hands, bought.number),
            units: bought.units,
            ahead: 1,
            key: bought.number.0 as u16,
        };
        let owner = owner(hands);
        let mut pebbles = vec![Pebble::default(); Payer::pebbles(bought.units)];
        let opened = Payer::open(&mut self.flash, &owner, config, &mut pebbles);
        let mut payer = opened.expect("its own store");
        if payer.given() > shown.index {
            if payer.given() > shown.index + 1 {
                let n = hands.me();
                hands.violated(format!("payer {n} is more than a unit ahead of its payee"));
            }
            if payer.resync(shown).is_err() {
                return;
            }
        }
        let Ok(tick) = payer.pay(&mut self.flash) else {
            return;
        };
        // The power goes after the store has it and before the payee does: the payee asks again.
        if hands.rng().chance(50_000) {
            hands.count("ticks lost in a power cut", 1);
            hands.whisper(to, &tick_message(TICK, lock, shown));
            return;
        }
        hands.whisper(to, &tick_message(TICK, lock, &tick));
    }

    fn serve(&mut self, hands: &mut Hands<'_, '_>, lock: &Id) {
        let Some(sold) = self.sold.get_mut(lock).filter(|s| !s.over) else {
            return;
        };
        if hands.rng().chance(30_000) {
            sold.over = true;
            hands.count("payees that vanished", 1);
            return;
        }
        let shown = sold.payee.as_ref().map_or(
            Tick {
                index: 0,
                value: [0; 32],
            },
            |payee| *payee.highest(),
        );
        let payer = sold.payer;
        hands.whisper(payer, &tick_message(SERVES, lock, &shown));
    }

    fn on_paid(&mut self, hands: &mut Hands<'_, '_>, lock: &Id, kind: u8, said: &[u8]) {
        let of = hands.founding().neighbourhood;
        let Some(sold) = self.sold.get_mut(lock).filter(|s| !s.over) else {
            return;
        };
        match (&sold.terms, kind) {
            (Terms::Ticks { .. }, TICK) => {
                let tick = read_tick(said);
                // One that was lost is asked for again.
                if let (Some(payee), Some(tick)) = (sold.payee.as_mut(), tick) {
                    let _ = payee.take(&tick);
                }
            }
            (Terms::Vouchers { key }, VOUCHER) => {
                let Some((total, signature)) = read_voucher(said) else {
                    return;
                };
                let by = Signature(signature);
                let good = check_voucher(key, &of, lock, Amount(total), &by, &mut Software);
                if good.is_ok() && total <= sold.amount {
                    sold.highest = Some((total, signature));
                }
            }
            _ => return,
        }
        let reached = sold.reached();
        // Now and then it claims on the way, and at the end for certain.
        let full = reached == sold.amount;
        if full || hands.rng().chance(80_000) {
            self.claim(hands, lock);
        }
        if !full {
            self.serve(hands, lock);
        }
    }

    fn claim(&mut self, hands: &mut Hands<'_, '_>, lock: &Id) {
        let last = hands.rng().chance(400_000);
        let Some(sold) = self.sold.get_mut(lock) else {
            return;
        };
        let reached = sold.reached();
        if reached <= sold.claimed || sold.over {
            return;
        }
        let proof = match (&sold.payee, &sold.highest) {
            (Some(payee), _) => Proof::Tick(*payee.highest()),
            (None, Some((total, signature))) => Proof::Voucher {
                total: Amount(*total),
                signature,
            },
            (None, None) => return,
        };
        let claim = Submission::Claim {
            lock: *lock,
            last,
            proof,
        };
        let local = hands.local();
        let submitted = hands.node().map(|node| node.submit(local, &claim, None));
        if let Some(Ok(_)) = submitted {
            sold.claimed = reached;
            sold.over |= last;
            hands.count("claims", 1);
        }
    }
}

impl Sold {
    fn reached(&self) -> u64 {
        match (&self.terms, &self.payee) {
            (Terms::Ticks { units, .. }, Some(payee)) => {
                let price = price(Amount(self.amount), *units).map_or(0, |p| p.0);
                price * u64::from(payee.highest().index)
            }
            _ => self.highest.map_or(0, |(total, _)| total),
        }
    }
}

fn owner(hands: &Hands<'_, '_>) -> Secret {
    let mut seed = [0x77; 32];
    seed[..2].copy_from_slice(&hands.me().to_be_bytes());
    Secret::from_bytes(seed)
}

fn tick_message(kind: u8, lock: &Id, tick: &Tick) -> Vec<u8> {
    let mut said = vec![kind];
    said.extend(lock.0);
    said.extend(tick.index.to_be_bytes());
    said.extend(tick.value);
    said
}

fn read_tick(said: &[u8]) -> Option<Tick> {
    let (index, value) = said.split_first_chunk::<4>()?;
    Some(Tick {
        index: u32::from_be_bytes(*index),
        value: value.try_into().ok()?,
    })
}

fn read_voucher(said: &[u8]) -> Option<(u64, [u8; 64])> {
    let (total, signature) = said.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*total), signature.try_into().ok()?))
}

impl Actor for Dealer {
    fn begin(&mut self, hands: &mut Hands<'_, '_>) {
        let first = hands.rng().between(2_000, 4_000);
        hands.wake_at(first);
    }

    fn wake(&mut self, hands: &mut Hands<'_, '_>) {
        if hands.now() > hands.scenario().duration {
            return;
        }
        self.buy(hands);
        let pause = self.pause;
        let pause = hands.rng().between(pause / 2, pause + pause / 2);
        hands.wake_at(hands.now() + pause);
    }

    fn event(&mut self, hands: &mut Hands<'_, '_>, event: &Event) {
        match event {
            Event::Sent { ticket, id } => {
                if let Some(bought) = self.asked.remove(&ticket.0) {
                    self.bought.insert(*id, bought);
                }
            }
            Event::Reissued { dead, ticket } => {
                if let Some(bought) = self.bought.remove(dead) {
                    hands.count("locks that died and were issued again", 1);
                    self.asked.insert(ticket.0, Bought { total: 0, ..bought });
                }
            }
            Event::Locked {
                id, from, amount, ..
            } => {
                let terms = hands.node().and_then(|node| match body(node.raw(id)?)? {
                    Said::Lock { terms, .. } => Some(terms),
                    Said::Claim { .. } => None,
                });
                let Some(terms) = terms else {
                    return;
                };
                let device = hands.founding().founders[usize::from(from.0)].device;
                let of = hands.founding().neighbourhood;
                let payee = match &terms {
                    Terms::Ticks {
                        sale,
                        units,
                        anchor,
                    } => Payee::new(Sale::new(&of, &device, *sale), *units, anchor).ok(),
                    _ => None,
                };
                let sold = Sold {
                    payer: from.0,
                    amount: amount.0,
                    terms,
                    payee,
                    highest: None,
                    serves: false,
                    claimed: 0,
                    over: false,
                };
                self.sold.entry(*id).or_insert(sold);
            }
            Event::Graded {
                id,
                grade: Grade::Quorum | Grade::Settled,
                ..
            } => {
                let first = self
                    .sold
                    .get_mut(id)
                    .is_some_and(|sold| !std::mem::replace(&mut sold.serves, true));
                if first {
                    self.serve(hands, id);
                }
            }
            _ => {}
        }
    }

    fn told(&mut self, hands: &mut Hands<'_, '_>, from: u16, message: &[u8]) {
        let Some((kind, rest)) = message.split_first() else {
            return;
        };
        let Some((lock, said)) = rest.split_first_chunk::<32>() else {
            return;
        };
        let lock = Id(*lock);
        match (*kind, read_tick(said)) {
            (SERVES, Some(shown)) => self.pay(hands, from, &lock, &shown),
            (kind, _) => self.on_paid(hands, &lock, kind, said),
        }
    }
}

enum Said {
    Lock {
        to: u16,
        amount: u64,
        term: u32,
        terms: Terms,
    },
    Claim {
        lock: Id,
        last: bool,
        /// Index of a tick, or a total.
        shown: u64,
    },
}

fn body(raw: &[u8]) -> Option<Said> {
    let tx = Unverified::parse(Reader::new(raw).item().ok()?).ok()?;
    Some(match tx.payload().body {
        Body::Lock {
            to,
            amount,
            term,
            terms,
            ..
        } => Said::Lock {
            to: to.0,
            amount: amount.0,
            term,
            terms,
        },
        Body::Claim { lock, last, proof } => Said::Claim {
            lock,
            last,
            shown: match proof {
                Proof::Tick(tick) => tick.index.into(),
                Proof::Voucher { total, .. } => total.0,
                Proof::Statements(_) | Proof::Nothing => 0,
            },
        },
        _ => return None,
    })
}

struct Open {
    payer: u16,
    to: u16,
    amount: u64,
    reached: u64,
    until: u64,
    units: u64,
}

/// Beside the gateway: holds every settled header against plain sums of what was locked and shown. Dealers are honest, so it checks no proof: the settlement must.
pub struct Auditor {
    balances: Vec<u64>,
    open: BTreeMap<Id, Open>,
    header: u32,
}

impl Auditor {
    /// Of a neighbourhood of so many founders.
    #[must_use]
    pub fn new(founders: u16) -> Self {
        Self {
            balances: vec![GRANT; usize::from(founders)],
            open: BTreeMap::new(),
            header: 0,
        }
    }

    fn end(&mut self, id: &Id) -> u64 {
        let Some(open) = self.open.remove(id) else {
            return 0;
        };
        self.balances[usize::from(open.to)] += open.reached;
        self.balances[usize::from(open.payer)] += open.amount - open.reached;
        1
    }

    /// One settled epoch; `None` where a transaction's bytes are gone.
    fn follow(&mut self, hands: &mut Hands<'_, '_>) -> Option<()> {
        let number = self.header + 1;
        let settled = hands.gateway()?.settled.get(&number)?;
        let (cut, leaves) = (settled.header.cut.0, settled.leaves.clone());
        let table: Vec<u64> = settled
            .records
            .iter()
            .map(|r| r.credits.0 - r.debits.0)
            .collect();
        let locks: Vec<(Id, u64)> = settled.locks.iter().map(|l| (l.id, l.reached.0)).collect();
        let period = hands.founding().genesis.period.0;
        let node = hands.node()?;
        let all: Option<Vec<_>> = leaves
            .iter()
            .map(|id| Some((*id, node.tangle().get(id)?, body(node.raw(id)?))))
            .collect();
        let mut ended = 0;
        for (id, facts, said) in all? {
            match said {
                Some(Said::Lock {
                    to,
                    amount,
                    term,
                    terms,
                }) => {
                    self.balances[usize::from(facts.issuer.0)] -= amount;
                    let units = match terms {
                        Terms::Ticks { units, .. } => units.into(),
                        _ => 0,
                    };
                    let open = Open {
                        payer: facts.issuer.0,
                        to,
                        amount,
                        reached: 0,
                        until: facts.time.0 + u64::from(term),
                        units,
                    };
                    self.open.insert(id, open);
                }
                Some(Said::Claim { lock, last, shown }) => {
                    let Some(open) = self.open.get_mut(&lock) else {
                        continue;
                    };
                    let shown = match open.units {
                        0 => shown,
                        units => shown * (open.amount / units),
                    };
                    // Nothing more than before: no effect, not even its end.
                    if shown <= open.reached {
                        continue;
                    }
                    open.reached = shown;
                    if last || shown == open.amount {
                        ended += self.end(&lock);
                    }
                }
                None => {}
            }
        }
        let over: Vec<Id> = self
            .open
            .iter()
            .filter(|(_, open)| open.until + period <= cut)
            .map(|(id, _)| *id)
            .collect();
        hands.count("locks that ran out", over.len() as u64);
        ended += over.iter().map(|id| self.end(id)).sum::<u64>();
        hands.count("sales ended", ended);
        hands.count("headers audited", 1);
        let mut expected: Vec<(Id, u64)> =
            self.open.iter().map(|(id, o)| (*id, o.reached)).collect();
        let mut found = locks;
        expected.sort();
        found.sort();
        if expected != found || table.get(..self.balances.len()) != Some(&self.balances) {
            hands.violated(format!(
                "header {number}: balances {table:?} and locks {found:?} instead of {:?} and {expected:?}",
                self.balances
            ));
        }
        self.header = number;
        Some(())
    }
}

impl Actor for Auditor {
    fn begin(&mut self, hands: &mut Hands<'_, '_>) {
        hands.wake_at(1_000);
    }

    fn wake(&mut self, hands: &mut Hands<'_, '_>) {
        while self.follow(hands).is_some() {}
        hands.wake_at(hands.now() + 500);
    }
}
