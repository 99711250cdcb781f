//! Batch verification, for gateways and validators that check many signatures at once (feature `batch`).
//!
//! Invariant: the verdict on every item is the one that [`super::Software`] gives, error included, wherever in a batch it stands.
//! ed25519-zebra implements ZIP-215: cofactored in single and in batch checks, but with non-canonical and small-order points accepted.
//! Those are filtered out before (`docs/decisions/0002-signature-rule.md`), which leaves the one rule. A batch that holds a bad item fails
//! as a whole but once in 2^128; then it is halved until every item has its own verdict.

use super::screen::{L, below, is_admissible};
use super::{PublicKey, Signature, SignatureError, Software, Verify};
use alloc::vec::Vec;
use ed25519_zebra::batch::{Item, Verifier};
use ed25519_zebra::{VerificationKey, VerificationKeyBytes};
use rand_core::CryptoRng;

/// Below this many, single checks are faster than one batch.
const LEAST: usize = 4;

/// Signatures waiting to be verified together.
#[derive(Default)]
pub struct Batch {
    verdicts: Vec<Result<(), SignatureError>>,
    pending: Vec<Pending>,
}

/// An Ed25519 item that passed all checks of encoding but the one that needs a square root: whether A and R are on the curve.
struct Pending {
    /// Its place in the order of `push`.
    at: usize,
    a: [u8; 32],
    r: [u8; 32],
    item: Item,
}

impl Batch {
    /// A batch of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an item; nothing is borrowed afterwards. Several items of one key cost less than the same number of different keys.
    /// ES256 has no batch form: such an item is checked here and now.
    pub fn push(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) {
        let verdict = match key {
            PublicKey::Ed25519(a) => match split(a, signature) {
                Ok(r) => {
                    let signature = ed25519_zebra::Signature::from_bytes(&signature.0);
                    self.pending.push(Pending {
                        at: self.verdicts.len(),
                        a: *a,
                        r,
                        item: Item::from((VerificationKeyBytes::from(*a), signature, message)),
                    });
                    // Overwritten when the item is settled; an item that was lost on the way must not count as valid.
                    Err(SignatureError::Rejected)
                }
                Err(error) => Err(error),
            },
            PublicKey::Es256(_) => Software.verify(key, message, signature),
        };
        self.verdicts.push(verdict);
    }

    /// How many items wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.verdicts.len()
    }

    /// Whether no item waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.verdicts.is_empty()
    }

    /// The verdicts, in the order of `push`. `rng` must be unpredictable to whoever made the signatures: with known coefficients two
    /// bad signatures can be made to cancel. The cost is at most about twice that of single checks, however many items are bad.
    pub fn verify<R: CryptoRng>(self, rng: R) -> Vec<Result<(), SignatureError>> {
        let mut search = Search {
            verdicts: self.verdicts,
            budget: 0,
            rng,
        };
        for group in self.pending.chunks(group_size(&self.pending)) {
            search.budget = group.len().saturating_mul(3);
            search.settle(group, false);
        }
        search.verdicts
    }
}

/// The hunt for bad items in a batch that failed.
struct Search<R> {
    verdicts: Vec<Result<(), SignatureError>>,
    /// How many items may still go through a batch check before the rest is checked one by one. Three times the batch is enough to find
    /// one bad item; an attacker who sends many must not make halving dearer than single checks.
    budget: usize,
    rng: R,
}

impl<R: CryptoRng> Search<R> {
    /// Gives each item its verdict and returns whether one was bad. `suspect`: one is known to be bad.
    fn settle(&mut self, items: &[Pending], suspect: bool) -> bool {
        if items.len() < LEAST || self.budget == 0 {
            return self.settle_singly(items);
        }
        if !suspect {
            self.budget = self.budget.saturating_sub(items.len());
            if self.all_valid(items) {
                for pending in items {
                    self.set(pending.at, Ok(()));
                }
                return false;
            }
        }
        let (left, right) = items.split_at(items.len() / 2);
        let left_is_bad = self.settle(left, false);
        // A bad whole with a good left half has a bad right half: no need to ask.
        let right_is_bad = self.settle(right, !left_is_bad);
        left_is_bad || right_is_bad
    }

    fn settle_singly(&mut self, items: &[Pending]) -> bool {
        let mut bad = false;
        for pending in items {
            let verdict = pending.verify();
            bad |= verdict.is_err();
            self.set(pending.at, verdict);
        }
        bad
    }

    fn all_valid(&mut self, items: &[Pending]) -> bool {
        let mut verifier = Verifier::new();
        for pending in items {
            verifier.queue(pending.item.clone());
        }
        verifier.verify(&mut self.rng).is_ok()
    }

    fn set(&mut self, at: usize, verdict: Result<(), SignatureError>) {
        if let Some(place) = self.verdicts.get_mut(at) {
            *place = verdict;
        }
    }
}

impl Pending {
    fn verify(&self) -> Result<(), SignatureError> {
        // R is decoded as if it were a key, because an item that is off the curve is malformed and not merely rejected.
        for point in [self.a, self.r] {
            VerificationKey::try_from(point).map_err(|_| SignatureError::Malformed)?;
        }
        self.item
            .clone()
            .verify_single()
            .map_err(|_| SignatureError::Rejected)
    }
}

/// How many items to check at once. The backend sums up to 190 points by a method (Straus) whose tables fall out of the first-level
/// cache above some 50 points, and more by one (Pippenger) that gains with size; measured between the two, several small sums are faster
/// by a tenth. That holds where keys differ: items of one key share a point, and then the largest sum is best.
fn group_size(items: &[Pending]) -> usize {
    const CACHED: usize = 50;
    const PIPPENGER: usize = 190;
    let mut keys: Vec<&[u8; 32]> = items.iter().map(|pending| &pending.a).collect();
    keys.sort_unstable();
    keys.dedup();
    let points = items.len().saturating_add(keys.len());
    let shared = items.len().saturating_sub(keys.len());
    let groups = if points < PIPPENGER && shared < items.len() / 8 {
        points.div_ceil(CACHED)
    } else {
        1
    };
    items.len().div_ceil(groups.max(1)).max(1)
}

/// R of a signature whose numbers are in range and whose points A and R are canonical and not of small order.
fn split(a: &[u8; 32], signature: &Signature) -> Result<[u8; 32], SignatureError> {
    let (Some(r), Some(s)) = (
        signature.0.first_chunk::<32>(),
        signature.0.last_chunk::<32>(),
    ) else {
        return Err(SignatureError::Malformed);
    };
    if below(s, &L) && is_admissible(a) && is_admissible(r) {
        Ok(*r)
    } else {
        Err(SignatureError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SecretKey;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn nothing_gives_no_verdicts() {
        assert!(Batch::new().is_empty());
        assert_eq!(Batch::new().verify(StdRng::seed_from_u64(0)), Vec::new());
    }

    /// What may be done to an item.
    #[derive(Clone, Copy, Debug)]
    enum Damage {
        Message,
        S,
        R,
        Key,
        Order,
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn each_item_has_its_own_verdict(
            count in 0usize..70, few_keys in any::<bool>(), seed in any::<u64>(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![
                Just(Damage::Message), Just(Damage::S), Just(Damage::R), Just(Damage::Key), Just(Damage::Order)
            ]), 0..12),
        ) {
            let mut items: Vec<_> = (0..count).map(|i| {
                let owner = if few_keys { i % 3 } else { i };
                let secret = SecretKey::from_seed(&[owner as u8 + 1; 32]).unwrap();
                let message = [i as u8; 40];
                let PublicKey::Ed25519(key) = secret.public_key() else { panic!() };
                (key, message, secret.sign(&message))
            }).collect();
            for (at, what) in damage.into_iter().filter(|_| count > 0) {
                let (key, message, signature) = &mut items[at.index(count)];
                match what {
                    Damage::Message => message[0] ^= 0x80,
                    Damage::S => signature.0[32] ^= 1,
                    Damage::R => signature.0[1] ^= 1,
                    Damage::Key => key[1] ^= 1,
                    Damage::Order => signature.0[32..].copy_from_slice(&L),
                }
            }
            let mut batch = Batch::new();
            let mut expected = Vec::new();
            for (key, message, signature) in &items {
                let key = PublicKey::Ed25519(*key);
                batch.push(&key, message, signature);
                expected.push(Software.verify(&key, message, signature));
            }
            prop_assert_eq!(batch.len(), count);
            prop_assert_eq!(batch.verify(StdRng::seed_from_u64(seed)), expected);
        }
    }

    #[test]
    fn one_bad_item_is_found_by_halving_wherever_it_stands() {
        let secret = SecretKey::from_seed(&[9; 32]).unwrap();
        let signature = secret.sign(b"m");
        for bad in 0..33 {
            let mut batch = Batch::new();
            for at in 0..33 {
                batch.push(
                    &secret.public_key(),
                    if at == bad { b"n" } else { b"m" },
                    &signature,
                );
            }
            let mut search = Search {
                budget: batch.pending.len() * 3,
                verdicts: batch.verdicts,
                rng: StdRng::seed_from_u64(bad),
            };
            assert!(search.settle(&batch.pending, false));
            assert!(search.budget > 0, "no need to fall back to single checks");
            assert_eq!(
                search.verdicts.iter().position(Result::is_err),
                Some(bad as usize)
            );
            assert_eq!(
                search
                    .verdicts
                    .iter()
                    .filter(|verdict| verdict.is_err())
                    .count(),
                1
            );
        }
    }

    #[test]
    fn bad_signatures_that_cancel_in_a_plain_sum_are_found() {
        // S + 1 in one item and S - 1 in another: the sum of the equations still holds; only random coefficients tell.
        let mut batch = Batch::new();
        for (i, change) in [(1u8, 1u8), (2, 0xff), (3, 0), (4, 0), (5, 0)] {
            let secret = SecretKey::from_seed(&[i; 32]).unwrap();
            // A message for which neither change carries out of the lowest byte.
            let (message, mut signature) = (0u8..)
                .map(|n| ([n; 8], secret.sign(&[n; 8])))
                .find(|(_, signature)| !matches!(signature.0[32], 0 | 0xff))
                .unwrap();
            signature.0[32] = signature.0[32].wrapping_add(change);
            batch.push(&secret.public_key(), &message, &signature);
        }
        let rejected = Err(SignatureError::Rejected);
        assert_eq!(
            batch.verify(StdRng::seed_from_u64(1)),
            [rejected, rejected, Ok(()), Ok(()), Ok(())]
        );
    }

    #[cfg(feature = "es256")]
    #[test]
    fn both_suites_travel_in_one_batch() {
        let ed = SecretKey::from_seed(&[1; 32]).unwrap();
        let es = crate::crypto::es256::SecretKey::from_scalar(&[2; 32]).unwrap();
        let mut batch = Batch::new();
        batch.push(&ed.public_key(), b"a", &ed.sign(b"a"));
        batch.push(&es.public_key(), b"b", &es.sign(b"b").unwrap());
        batch.push(&es.public_key(), b"c", &es.sign(b"b").unwrap());
        batch.push(&ed.public_key(), b"d", &ed.sign(b"d"));
        assert_eq!(
            batch.verify(StdRng::seed_from_u64(1)),
            [Ok(()), Ok(()), Err(SignatureError::Rejected), Ok(())]
        );
    }

    #[cfg(not(feature = "es256"))]
    #[test]
    fn a_suite_that_is_not_built_in_is_refused_alone() {
        let ed = SecretKey::from_seed(&[1; 32]).unwrap();
        let mut batch = Batch::new();
        batch.push(&PublicKey::Es256([3; 64]), b"a", &Signature([1; 64]));
        batch.push(&ed.public_key(), b"a", &ed.sign(b"a"));
        assert_eq!(
            batch.verify(StdRng::seed_from_u64(1)),
            [Err(SignatureError::Suite), Ok(())]
        );
    }
}
