//! Eviction by count and the hash table.

use super::*;

/// A long honest history over a small window: everything stays findable while it is here, nothing after, also where the
/// insertion number wraps.
#[test]
fn eviction_by_count_leaves_no_trace() {
    let mut memory = Memory::new(32, 4, 4);
    let book = Book::new(&[1, 1, 1, 1]);
    let mut tangle = memory.tangle();
    tangle.window.start_at(u32::MAX - 1500);
    let mut rng = Rng(3);
    let mut ids: Vec<Id> = Vec::new();
    let mut heads = [(g0(), 0u32); 4];
    for n in 0..4000u64 {
        let m = rng.below(4);
        let facts = plain(rng.id(), m as u16, heads[m].1 + 1, START + 1 + n);
        let mut parents = vec![heads[m].0];
        for _ in 0..2 {
            let p = ids
                .get(ids.len().saturating_sub(1 + rng.below(20)))
                .copied();
            if let Some(p) = p.filter(|p| !parents.contains(p)) {
                parents.push(p);
            }
        }
        // A first parent may be long gone: the member's state stands in for it.
        put(&mut tangle, &book, facts, &parents).unwrap();
        ids.push(facts.id);
        heads[m] = (facts.id, facts.number.0);
        assert_eq!(tangle.len(), ids.len().min(32));
        for (age, id) in ids.iter().rev().take(64).enumerate() {
            assert_eq!(tangle.contains(id), age < 32);
            assert_eq!(
                tangle.lookup(&id.prefix()).collect::<Vec<_>>().len(),
                usize::from(age < 32)
            );
        }
        let oldest = tangle.oldest_sequence();
        let here: Vec<Id> = tangle.since(oldest).map(|(_, f)| f.id).collect();
        assert_eq!(here, ids[ids.len().saturating_sub(32)..]);
        let childless = here.iter().filter(|id| {
            !here
                .iter()
                .any(|c| tangle.parents(c).any(|p| p == Some(**id)))
        });
        let mut childless: Vec<Id> = childless.copied().collect();
        let mut tips: Vec<Id> = tangle.tips().collect();
        childless.sort();
        tips.sort();
        assert_eq!(tips, childless);
    }
    let last = tangle.next_sequence().wrapping_sub(1);
    assert_eq!(tangle.since(last).count(), 1);
    assert_eq!(tangle.evicted(), 4000 - 32);
}

#[test]
fn two_ids_with_one_prefix_are_both_found() {
    let mut memory = Memory::new(32, 4, 8);
    let (mut tangle, book) = four(&mut memory);
    let mut twin = id(1);
    twin.0[31] ^= 1;
    put(&mut tangle, &book, plain(twin, 0, 2, START + 50), &[id(1)]).unwrap();
    let mut found: Vec<Id> = tangle.lookup(&twin.prefix()).collect();
    found.sort();
    let mut both = vec![id(1), twin];
    both.sort();
    assert_eq!(found, both);
    assert!(tangle.contains(&twin) && tangle.contains(&id(1)));
}
