//! Debits over what died, settlement, and issuing again: protocol section 8, DESIGN 5.5 and 5.6.
//!
//! What the other model shows is taken here: a chain lives from below (if a vertex lives in an epoch, so does all of Done below it) and what
//! is at or below a settled cut is decided for good. Which vertices live is chosen freely within that. Two payers, one payee: an honest payer
//! that issues again what died, and a guilty one that forks, claims false totals, and spends what it has not.

use crate::search::{Model, Rng, Violation};
use crate::{Rule, Rules};

const CHAINS: usize = 2;
/// Settled credits of each payer at the beginning.
const GRANT: i8 = 2;

/// A transaction of a payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Tx {
    /// 0 honest, 1 guilty.
    payer: u8,
    number: u8,
    /// The place of its first parent; none: the chain head of the genesis.
    below: Option<u8>,
    /// The step in which it was issued.
    time: u8,
    /// The epoch whose table it was checked by.
    epoch: u8,
    amount: i8,
    debits: i8,
    /// Which wish of its application it carries.
    wish: u8,
    /// Alive, dead or undecided; and by how many epochs it was settled.
    fate: u8,
    settled: u8,
}

const OPEN: u8 = 0;
const LIVES: u8 = 1;
const DEAD: u8 = 2;

/// The records and every transaction so far.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Books {
    now: u8,
    epoch: u8,
    cut: u8,
    /// Credits by payer at the beginning of each epoch: what is checked when a transaction is inserted.
    tables: Vec<[i8; CHAINS]>,
    credits: [i8; CHAINS],
    debits: [i8; CHAINS],
    head: [Option<u8>; CHAINS],
    number: [u8; CHAINS],
    /// What the payee got.
    paid: i8,
    txs: Vec<Tx>,
    wrong: Option<u8>,
}

/// The rules and bounds.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// What is in force.
    pub rules: Rules,
    /// Transactions of each payer.
    pub most: [u8; CHAINS],
    /// Epochs that are settled.
    pub epochs: u8,
}

const WRONG: [&str; 7] = [
    "value is not conserved",
    "a transaction is settled twice",
    "an amount and what was issued again for it are both settled",
    "rivals are both settled",
    "a living transaction cannot be settled",
    "more is settled than was credited",
    "an honest payer forked: that is evidence against it",
];

impl Ledger {
    fn has(&self, rule: Rule) -> bool {
        self.rules.has(rule)
    }

    fn issue(&self, books: &Books, payer: u8, out: &mut Vec<Books>) {
        let p = usize::from(payer);
        let own = |tx: &&Tx| tx.payer == payer;
        if books.txs.iter().filter(own).count() >= usize::from(self.most[p]) {
            return;
        }
        let last = books.txs.iter().rposition(|tx| tx.payer == payer);
        // An honest payer goes on from its last; a cheat from anywhere.
        let mut parents: Vec<Option<u8>> = vec![last.map(|l| l as u8)];
        if payer == 1 {
            parents = (0..books.txs.len() as u8)
                .filter(|&i| books.txs[usize::from(i)].payer == 1)
                .map(Some)
                .collect();
            parents.push(None);
        }
        for below in parents {
            let under = below.map(|b| books.txs[usize::from(b)]);
            let (number, total) = under.map_or((0, 0), |tx| (tx.number, tx.debits));
            let settled = (books.debits[p], books.credits[p]);
            let total = if self.has(Rule::DebitsRunOn) {
                total
            } else {
                settled.0
            };
            let mut wishes: Vec<u8> = Vec::new();
            let mut bottom = below;
            if payer == 0 {
                let wish = |w: u8| {
                    books
                        .txs
                        .iter()
                        .filter(move |tx| tx.payer == 0 && tx.wish == w)
                };
                let count = books
                    .txs
                    .iter()
                    .filter(own)
                    .map(|tx| tx.wish + 1)
                    .max()
                    .unwrap_or(0);
                for w in 0..count {
                    let dead = wish(w).all(|tx| tx.fate == DEAD);
                    // Without the rule it loses patience.
                    if dead || (!self.has(Rule::AgainWhenDead) && wish(w).count() < 2) {
                        wishes.push(w);
                    }
                }
                wishes.push(count);
            } else {
                wishes.push(100 + books.txs.len() as u8);
            }
            for wish in wishes {
                let again =
                    payer == 0 && books.txs.iter().any(|tx| tx.payer == 0 && tx.wish == wish);
                let mut next = number + 1;
                let mut sum = total;
                if again && !self.has(Rule::AgainOnTop) {
                    // In the place of the first: under its number, upon its parent.
                    if let Some(first) =
                        books.txs.iter().find(|tx| tx.payer == 0 && tx.wish == wish)
                    {
                        next = first.number;
                        sum = first.debits - first.amount;
                        bottom = first.below;
                    }
                } else {
                    bottom = below;
                }
                for amount in 1..=2 {
                    if again
                        && books
                            .txs
                            .iter()
                            .any(|tx| tx.payer == 0 && tx.wish == wish && tx.amount != amount)
                    {
                        continue;
                    }
                    let debits = sum + amount;
                    let limit = books.tables[usize::from(books.epoch)][p];
                    // Whoever checks has one record and one transaction; honest payers never ask for more than they have.
                    if debits > limit && (self.has(Rule::Credits) || payer == 0) {
                        continue;
                    }
                    let mut after = books.clone();
                    after.txs.push(Tx {
                        payer,
                        number: next,
                        below: bottom,
                        time: books.now,
                        epoch: books.epoch,
                        amount,
                        debits,
                        wish,
                        fate: OPEN,
                        settled: 0,
                    });
                    let i = after.txs.len() as u8 - 1;
                    let chain = self.chain(&after, i);
                    let forked =
                        (0..i).any(|j| after.txs[usize::from(j)].payer == 0 && !chain.contains(&j));
                    if payer == 0 && forked {
                        after.wrong.get_or_insert(6);
                    }
                    out.push(after);
                }
            }
        }
    }

    fn chain(&self, books: &Books, mut here: u8) -> Vec<u8> {
        let mut chain = vec![here];
        while let Some(below) = books.txs[usize::from(here)].below {
            chain.push(below);
            here = below;
        }
        chain
    }

    /// Settles the vertices of Done, for every choice of what had the approval in the trim's cone.
    fn settle(&self, books: &Books, out: &mut Vec<Books>) {
        if books.epoch >= self.epochs {
            return;
        }
        for cut in books.cut + 1..=books.now {
            let done: Vec<u8> = (0..books.txs.len() as u8)
                .filter(|&i| {
                    let tx = &books.txs[usize::from(i)];
                    let above = tx.time > books.cut || !self.has(Rule::AboveCut);
                    above && tx.time <= cut
                })
                .collect();
            for strong in 0..1u32 << done.len() {
                let strong: Vec<u8> = done
                    .iter()
                    .enumerate()
                    .filter(|(bit, _)| strong >> bit & 1 == 1)
                    .map(|(_, &i)| i)
                    .collect();
                // Rivals never both pass: shown by the other model.
                let linked = |a: u8, b: u8| {
                    books.txs[usize::from(a)].payer != books.txs[usize::from(b)].payer
                        || self.chain(books, a).contains(&b)
                        || self.chain(books, b).contains(&a)
                };
                if strong.iter().all(|&a| strong.iter().all(|&b| linked(a, b))) {
                    out.push(self.replay(books, cut, &done, &strong));
                }
            }
        }
    }

    fn replay(&self, books: &Books, cut: u8, done: &[u8], strong: &[u8]) -> Books {
        let mut after = books.clone();
        let on_head = |i: u8| {
            let payer = usize::from(books.txs[usize::from(i)].payer);
            !self.has(Rule::ChainHead)
                || books.head[payer].is_none_or(|head| self.chain(books, i)[1..].contains(&head))
        };
        let lives = |i: u8| {
            let above = |&y: &u8| {
                y == i || (self.has(Rule::LifeBelow) && self.chain(books, y).contains(&i))
            };
            on_head(i) && strong.iter().any(|y| on_head(*y) && above(y))
        };
        // By time, which is topological: the order in which they were issued.
        for &i in done {
            let tx = &mut after.txs[usize::from(i)];
            if !lives(i) {
                if tx.fate == OPEN {
                    tx.fate = DEAD;
                }
                continue;
            }
            let p = usize::from(tx.payer);
            if self.has(Rule::NumberAboveHead) && tx.number <= after.number[p] {
                after.wrong.get_or_insert(4);
                continue;
            }
            let dead = tx.debits - after.debits[p] - tx.amount;
            if dead < 0 {
                // The settlement would fail: a false total.
                after.wrong.get_or_insert(4);
                continue;
            }
            tx.fate = LIVES;
            tx.settled += 1;
            if tx.settled > 1 {
                after.wrong.get_or_insert(1);
            }
            if self.has(Rule::GiveBack) {
                after.credits[p] += dead;
            }
            after.debits[p] = tx.debits;
            after.number[p] = tx.number;
            after.head[p] = Some(i);
            after.paid += tx.amount;
        }
        for tx in &mut after.txs {
            if tx.time <= cut && tx.fate == OPEN {
                tx.fate = DEAD;
            }
        }
        after.cut = cut;
        after.epoch += 1;
        let credits = after.credits;
        after.tables.push(credits);
        self.check(&mut after);
        after
    }

    fn check(&self, books: &mut Books) {
        let balance: i8 = (0..CHAINS)
            .map(|p| books.credits[p] - books.debits[p])
            .sum();
        if balance + books.paid != GRANT * CHAINS as i8 {
            books.wrong.get_or_insert(0);
        }
        let living: Vec<usize> = (0..books.txs.len())
            .filter(|&i| books.txs[i].settled > 0)
            .collect();
        for &a in &living {
            for &b in &living {
                let (x, y) = (books.txs[a], books.txs[b]);
                if a < b && x.payer == y.payer {
                    if x.wish == y.wish {
                        books.wrong.get_or_insert(2);
                    }
                    if !self.chain(books, b as u8).contains(&(a as u8))
                        && !self.chain(books, a as u8).contains(&(b as u8))
                    {
                        books.wrong.get_or_insert(3);
                    }
                }
            }
        }
        for p in 0..CHAINS {
            let spent: i8 = living
                .iter()
                .map(|&i| books.txs[i])
                .filter(|tx| usize::from(tx.payer) == p)
                .map(|tx| tx.amount)
                .sum();
            if spent > GRANT {
                books.wrong.get_or_insert(5);
            }
        }
    }
}

impl Model for Ledger {
    type State = Books;

    fn initial(&self) -> Books {
        Books {
            now: 1,
            epoch: 0,
            cut: 0,
            tables: vec![[GRANT; CHAINS]],
            credits: [GRANT; CHAINS],
            debits: [0; CHAINS],
            head: [None; CHAINS],
            number: [0; CHAINS],
            paid: 0,
            txs: Vec::new(),
            wrong: None,
        }
    }

    fn successors(&self, state: &Books, out: &mut Vec<Books>) {
        for payer in 0..CHAINS as u8 {
            self.issue(state, payer, out);
        }
        if state.txs.last().is_some_and(|tx| tx.time == state.now) {
            let mut later = state.clone();
            later.now += 1;
            out.push(later);
        }
        self.settle(state, out);
    }

    fn draw(&self, state: &Books, rng: &mut Rng) -> Option<Books> {
        let mut all = Vec::new();
        self.successors(state, &mut all);
        if all.is_empty() {
            return None;
        }
        let i = rng.below(all.len());
        Some(all.swap_remove(i))
    }

    fn canonical(&self, state: Books) -> Books {
        state
    }

    fn violation(&self, state: &Books) -> Option<Violation> {
        state.wrong.map(|w| WRONG[usize::from(w)].into())
    }

    fn reached(&self, state: &Books) -> u32 {
        let any = |f: &dyn Fn(&Tx) -> bool| u32::from(state.txs.iter().any(f));
        let again = state.txs.iter().enumerate().any(|(i, tx)| {
            tx.payer == 0
                && tx.settled > 0
                && state.txs[..i]
                    .iter()
                    .any(|o| o.payer == 0 && o.wish == tx.wish)
        });
        any(&|tx| tx.fate == LIVES)
            | any(&|tx| tx.fate == DEAD) << 1
            | u32::from(again) << 2
            | u32::from((0..CHAINS).any(|p| state.credits[p] > GRANT)) << 3
            | u32::from(state.epoch > 1) << 4
    }

    fn milestones(&self) -> &'static [&'static str] {
        &[
            "a transaction settled",
            "a dead transaction",
            "issued again and settled",
            "given back",
            "two epochs settled",
        ]
    }

    fn bytes(&self, state: &Books) -> usize {
        size_of::<Books>() + state.txs.capacity() * size_of::<Tx>() + state.tables.capacity() * 2
    }

    fn describe(&self, before: &Books, after: &Books) -> String {
        let name = |i: usize| {
            let tx = &after.txs[i];
            format!(
                "{}{}#{}",
                if tx.payer == 0 { 'h' } else { 'g' },
                tx.number,
                i + 1
            )
        };
        if after.txs.len() > before.txs.len() {
            let i = before.txs.len();
            let tx = &after.txs[i];
            let on = tx.below.map_or("the head".into(), |b| name(usize::from(b)));
            let wish = if tx.payer == 0 {
                format!(", wish {}", tx.wish)
            } else {
                String::new()
            };
            return format!(
                "{} pays {} on {on}, D = {}{wish}",
                name(i),
                tx.amount,
                tx.debits
            );
        }
        if after.epoch > before.epoch {
            let living: Vec<String> = (0..after.txs.len())
                .filter(|&i| after.txs[i].settled > before.txs[i].settled)
                .map(name)
                .collect();
            return format!(
                "epoch {} is settled, cut {}: {} live; credits {:?}, debits {:?}, paid {}",
                after.epoch,
                after.cut,
                if living.is_empty() {
                    "none".into()
                } else {
                    living.join(" ")
                },
                after.credits,
                after.debits,
                after.paid
            );
        }
        format!("time {}", after.now)
    }
}
