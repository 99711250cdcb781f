//! Holds every verifier to `vectors/ed25519.json` (decision 0002): a ledger forks where two of them disagree about one signature.

#[path = "../examples/gen_ed25519_vectors.rs"]
mod generator;

use generator::{Clauses, RULE, Vector, accepts};
use iotedge_core::crypto::{PublicKey, Signature, SignatureError, Software, Verify};
use std::collections::BTreeMap;

const FILE: &str = include_str!("../../vectors/ed25519.json");

fn vectors() -> Vec<Vector> {
    serde_json::from_str(FILE).unwrap()
}

/// Key, message and signature; `None` where a length is wrong, which the types of the crypto room cannot even say.
fn typed(vector: &Vector) -> Option<(PublicKey, Vec<u8>, Signature)> {
    let key = hex::decode(&vector.key).unwrap().try_into().ok()?;
    let signature = hex::decode(&vector.signature).unwrap().try_into().ok()?;
    Some((
        PublicKey::Ed25519(key),
        hex::decode(&vector.message).unwrap(),
        Signature(signature),
    ))
}

#[test]
fn the_committed_file_is_the_generated_one() {
    assert!(
        generator::render(&generator::vectors()) == FILE,
        "regenerate: cargo run -p iotedge-core --example gen_ed25519_vectors"
    );
}

#[test]
fn every_class_is_there_in_full() {
    let mut counts = BTreeMap::<String, (usize, usize)>::new();
    for vector in vectors() {
        let class = vector.name.split('/').next().unwrap().to_owned();
        let (valid, invalid) = counts.entry(class).or_default();
        *if vector.valid { valid } else { invalid } += 1;
    }
    let found: Vec<_> = counts
        .iter()
        .map(|(class, (valid, invalid))| (class.as_str(), *valid, *invalid))
        .collect();
    assert_eq!(
        found,
        [
            ("bit-flip", 0, 72),
            ("length", 0, 11),
            ("meeting-points", 8, 0),
            ("mixed-a", 42, 0),
            ("mixed-a-cancels", 7, 0),
            ("mixed-both", 49, 0),
            ("mixed-both-cancels", 7, 0),
            ("mixed-r", 42, 0),
            ("negated", 0, 36),
            ("non-canonical-a", 0, 40),
            ("non-canonical-r", 0, 40),
            ("off-curve-a", 0, 20),
            ("off-curve-r", 0, 20),
            ("reencoded-k", 0, 27),
            ("s-edge", 0, 11),
            ("s-plus-l", 0, 16),
            ("s-zero", 0, 8),
            ("swapped", 0, 24),
            ("torsion-a", 0, 42),
            ("torsion-both", 0, 196),
            ("torsion-r", 0, 42),
            ("valid", 40, 0),
            ("wrong-message", 0, 36),
        ]
    );
}

/// How many vectors get another verdict when the rule is changed so.
fn decided_by(clauses: Clauses) -> usize {
    vectors()
        .iter()
        .filter(|vector| {
            let [key, message, signature] = [&vector.key, &vector.message, &vector.signature]
                .map(|text| hex::decode(text).unwrap());
            accepts(clauses, &key, &message, &signature) != vector.valid
        })
        .count()
}

#[test]
fn the_vectors_tell_other_rules_from_ours() {
    assert_eq!(decided_by(RULE), 0);
    let any_s = Clauses {
        s_in_range: false,
        ..RULE
    };
    assert_eq!(decided_by(any_s), 16, "S + nL");
    let cofactorless = Clauses {
        cofactored: false,
        ..RULE
    };
    assert_eq!(
        decided_by(cofactorless),
        42 + 42 + 49,
        "RFC 8032's second form"
    );
    let small_order = Clauses {
        no_small_order: false,
        ..RULE
    };
    assert_eq!(
        decided_by(small_order),
        8 * 3 * 2 + 8 * 8,
        "canonical encodings of the torsion group"
    );
    // ZIP-215 takes the six other encodings too. (Where a non-canonical point has large order nobody knows its logarithm,
    // hence no signature: that clause alone decides nothing that can be written down.) Each of the six is once more in each of the
    // two classes of non-canonical encodings.
    let zip_215 = Clauses {
        canonical: false,
        no_small_order: false,
        ..RULE
    };
    assert_eq!(
        decided_by(zip_215),
        14 * 3 * 2 + 14 * 14 + 6 * 2,
        "every encoding of the torsion group"
    );
}

#[test]
fn software_follows_the_rule() {
    let mut checked = 0;
    for vector in vectors() {
        let Some((key, message, signature)) = typed(&vector) else {
            assert!(!vector.valid && vector.name.starts_with("length/"));
            continue;
        };
        let verdict = Software.verify(&key, &message, &signature);
        assert_eq!(
            verdict.is_ok(),
            vector.valid,
            "{}: {}",
            vector.name,
            vector.why
        );
        if key.check().is_err() {
            assert_eq!(verdict, Err(SignatureError::Malformed), "{}", vector.name);
        }
        checked += 1;
    }
    assert_eq!(checked, vectors().len() - 11);
}

#[test]
fn bad_keys_are_refused_before_they_are_stored() {
    for vector in vectors() {
        let Some((key, ..)) = typed(&vector) else {
            continue;
        };
        match vector.name.split('/').next().unwrap() {
            "non-canonical-a" | "off-curve-a" | "torsion-a" | "torsion-both" => {
                assert_eq!(
                    key.check(),
                    Err(SignatureError::Malformed),
                    "{}",
                    vector.name
                );
            }
            _ if vector.valid => assert_eq!(key.check(), Ok(()), "{}", vector.name),
            _ => {}
        }
    }
}

#[cfg(feature = "batch")]
mod batch {
    use super::*;
    use iotedge_core::crypto::SecretKey;
    use iotedge_core::crypto::batch::Batch;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    type Item = (PublicKey, Vec<u8>, Signature);

    fn verdicts<'a>(items: impl IntoIterator<Item = &'a Item>) -> Vec<Result<(), SignatureError>> {
        let mut batch = Batch::new();
        for (key, message, signature) in items {
            batch.push(key, message, signature);
        }
        batch.verify(StdRng::seed_from_u64(7))
    }

    fn software(items: &[Item]) -> Vec<Result<(), SignatureError>> {
        items
            .iter()
            .map(|(key, message, signature)| Software.verify(key, message, signature))
            .collect()
    }

    fn honest() -> Vec<Item> {
        (1u8..=7)
            .map(|n| {
                let secret = SecretKey::from_seed(&[n; 32]).unwrap();
                (secret.public_key(), vec![n; 9], secret.sign(&[n; 9]))
            })
            .collect()
    }

    #[test]
    fn alone_and_all_together_it_says_what_software_says() {
        let items: Vec<_> = vectors().iter().filter_map(typed).collect();
        let expected = software(&items);
        assert!(verdicts(&items) == expected);
        for (item, expected) in items.iter().zip(&expected) {
            assert_eq!(verdicts([item]), [*expected]);
        }
    }

    #[test]
    fn the_valid_ones_pass_in_one_batch() {
        let items: Vec<_> = vectors()
            .iter()
            .filter(|vector| vector.valid)
            .filter_map(typed)
            .collect();
        assert_eq!(items.len(), 195);
        assert!(verdicts(&items).iter().all(Result::is_ok));
    }

    #[test]
    fn among_valid_ones_the_place_makes_no_difference() {
        let honest = honest();
        for (n, vector) in vectors().iter().enumerate() {
            let Some(item) = typed(vector) else { continue };
            let expected = Software.verify(&item.0, &item.1, &item.2);
            for place in [n % 8, (n * 5 + 3) % 8] {
                let mut items: Vec<_> = honest.iter().collect();
                items.insert(place, &item);
                let verdicts = verdicts(items);
                assert_eq!(verdicts.len(), 8);
                for (at, verdict) in verdicts.iter().enumerate() {
                    let expected = if at == place { expected } else { Ok(()) };
                    assert_eq!(*verdict, expected, "{} at {place}, item {at}", vector.name);
                }
            }
        }
    }

    #[test]
    fn bad_ones_in_groups_do_not_hide_each_other() {
        let items: Vec<_> = vectors().iter().filter_map(typed).collect();
        let honest = honest();
        for group in items.chunks(24) {
            // A good one after each.
            let mixed: Vec<_> = group
                .iter()
                .zip(honest.iter().cycle())
                .flat_map(|(a, b)| [a.clone(), b.clone()])
                .collect();
            assert!(verdicts(&mixed) == software(&mixed));
        }
    }
}
