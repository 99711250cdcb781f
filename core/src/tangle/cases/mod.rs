//! Single cases: every refusal, eviction, stubs, tips, tables that change.

mod epochs;
mod many;
mod refusals;
mod stubs;
mod tips;
mod window;

use super::model::{Cut, Effect, Facts, Head, Stubs};
use super::testing::*;
use super::*;
use crate::{Amount, HeaderNumber};

pub fn id(n: u16) -> Id {
    let mut rng = Rng(u64::from(n));
    rng.id()
}

/// A tangle with one vertex of each of four members: ids 1 to 4, times START + 10 to START + 13.
pub fn four(memory: &mut Memory) -> (Tangle<'_>, Book) {
    let book = Book::new(&[1, 1, 1, 1]);
    let mut tangle = memory.tangle();
    for m in 0..4u16 {
        let facts = plain(id(m + 1), m, 1, START + 10 + u64::from(m));
        tangle
            .insert(&book, &facts, &[g0()], Stubs::default())
            .unwrap();
    }
    (tangle, book)
}

pub fn put(
    tangle: &mut Tangle<'_>,
    book: &Book,
    facts: Facts,
    parents: &[Id],
) -> Result<Inserted, InsertError> {
    tangle.insert(book, &facts, parents, Stubs::default())
}
