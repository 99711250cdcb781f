//! Signature checks per second on one core: one by one, and in batches. Run with `--release --features batch`.
//!
//! Single and batch checks take turns within each round, so that other load on the machine hits both; the best round counts.

use iotedge_core::crypto::batch::Batch;
use iotedge_core::crypto::{PublicKey, SecretKey, Signature, Software, Verify};
use std::time::{Duration, Instant};

const ROUNDS: usize = 40;

fn main() {
    println!(
        "{:>6} {:>6} {:>12} {:>12} {:>6}",
        "batch", "keys", "single/s", "batch/s", "ratio"
    );
    for count in [16, 32, 64, 128, 256, 1024] {
        for keys in [count, 16] {
            let items: Vec<_> = (0..count).map(|i| item(i, i % keys)).collect();
            let (mut single, mut batch) = (Duration::MAX, Duration::MAX);
            for _ in 0..ROUNDS {
                single = single.min(time(|| {
                    items.iter().all(|(key, message, signature)| {
                        Software.verify(key, message, signature).is_ok()
                    })
                }));
                batch = batch.min(time(|| {
                    let mut batch = Batch::new();
                    for (key, message, signature) in &items {
                        batch.push(key, message, signature);
                    }
                    batch.verify(rand::rng()).iter().all(Result::is_ok)
                }));
            }
            println!(
                "{count:>6} {keys:>6} {:>12.0} {:>12.0} {:>6.2}",
                count as f64 / single.as_secs_f64(),
                count as f64 / batch.as_secs_f64(),
                single.as_secs_f64() / batch.as_secs_f64()
            );
        }
    }
}

fn item(number: usize, owner: usize) -> (PublicKey, Vec<u8>, Signature) {
    let mut seed = [1; 32];
    seed[..8].copy_from_slice(&owner.to_be_bytes());
    let secret = SecretKey::from_seed(&seed).expect("not zero");
    // As long as the Sig_structure of a transfer.
    let message = vec![number as u8; 180];
    let signature = secret.sign(&message);
    (secret.public_key(), message, signature)
}

fn time(work: impl FnOnce() -> bool) -> Duration {
    let start = Instant::now();
    assert!(work(), "every signature is valid");
    start.elapsed()
}
