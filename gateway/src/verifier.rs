//! Many signatures at once: the datagrams of a turn are checked in one batch, and the node finds their verdicts here.
//!
//! Invariant: a verdict is that of `crypto::batch`, which is that of `Software`, for exactly (key, message, signature); what is
//! not here is checked in software on the spot. A wrong guess about a message therefore costs time and changes nothing.
//! Verdicts live for one turn.

use crate::metrics::Histogram;
use iotedge_core::crypto::batch::Batch;
use iotedge_core::crypto::{
    PublicKey, Sha256, Signature, SignatureError, Software, Verify, sha256,
};
use iotedge_core::tangle::Tables as _;
use iotedge_core::tx::{
    Attachment, MAX_SIGNING_INPUT, Unverified, payload::parents_hash, signing_input,
};
use iotedge_core::wire::Frame;
use iotedge_core::{Id, MemberIndex, Prefix};
use std::collections::HashMap;
use std::convert::Infallible;

/// Below this many, a batch gains nothing.
const WORTH: usize = 4;

/// Upper ends of the sizes of batches that are counted apart.
pub const SIZES: [u64; 7] = [4, 8, 16, 32, 64, 128, 256];

type Verdict = Result<(), SignatureError>;

/// A verifier with the verdicts of the turn.
#[derive(Default)]
pub struct TurnVerifier {
    verdicts: HashMap<[u8; 32], Verdict>,
    pub checks: Checks,
}

/// What was checked, for the metrics.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checks {
    /// Signatures whose verdict came from a batch.
    pub batched: u64,
    /// Signatures checked one by one.
    pub single: u64,
    /// Batches by size: see [`SIZES`].
    pub sizes: Histogram,
}

impl Verify for TurnVerifier {
    fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) -> Verdict {
        if !self.verdicts.is_empty()
            && let Some(verdict) = self.verdicts.get(&name(key, message, signature))
        {
            self.checks.batched += 1;
            return *verdict;
        }
        self.checks.single += 1;
        Software.verify(key, message, signature)
    }
}

/// Signatures to check together.
#[derive(Default)]
pub struct Turn {
    batch: Batch,
    names: Vec<[u8; 32]>,
}

impl Turn {
    /// Adds one.
    pub fn push(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) {
        self.batch.push(key, message, signature);
        self.names.push(name(key, message, signature));
    }
}

impl TurnVerifier {
    /// Forgets the last turn's verdicts and takes those of this turn.
    pub fn begin(&mut self, turn: Turn) {
        self.verdicts.clear();
        if turn.names.len() < WORTH {
            return;
        }
        let mut seed = [0; 32];
        if getrandom::fill(&mut seed).is_err() {
            // Without randomness a batch could be cheated: check one by one.
            return;
        }
        self.checks.sizes.add(&SIZES, turn.names.len() as u64);
        let verdicts = turn.batch.verify(Coefficients::new(seed));
        self.verdicts.extend(turn.names.into_iter().zip(verdicts));
    }
}

/// Collects the transactions among `frames` whose key and parents are known here or in the same turn.
/// What `wanted` says of its issuer decides whether it will be taken at all.
pub fn collect<'f>(
    node: &crate::daemon::GlNode,
    frames: impl Iterator<Item = &'f [u8]>,
    wanted: impl Fn(MemberIndex) -> bool,
) -> Turn {
    let mut turn = Turn::default();
    let Some(neighbourhood) = node.genesis().and_then(|g| g.neighbourhood().ok()) else {
        return turn;
    };
    let mut fresh: HashMap<Prefix, Id> = HashMap::new();
    for bytes in frames {
        let Ok((tag, Frame::Tx { cose, attachment })) = Frame::parse(bytes) else {
            continue;
        };
        if tag != neighbourhood.tag() {
            continue;
        }
        let Ok(tx) = Unverified::parse(cose) else {
            continue;
        };
        if !wanted(tx.payload().issuer) {
            continue;
        }
        let id = tx.id(&neighbourhood);
        if node.tangle().contains(&id) || fresh.insert(id.prefix(), id).is_some() {
            continue;
        }
        let payload = tx.payload();
        let Some(record) = node.tables().get(payload.epoch, payload.issuer) else {
            continue;
        };
        if record.key.suite() != tx.suite() {
            continue;
        }
        let attachment = attachment.and_then(|a| Attachment::parse(a).ok());
        let parents: Option<Vec<Id>> = payload
            .parents
            .as_slice()
            .iter()
            .enumerate()
            .map(|(position, prefix)| {
                let settled = || {
                    node.tables()
                        .head(payload.issuer)
                        .map(|h| h.id)
                        .filter(|id| id.prefix() == *prefix)
                };
                node.tangle()
                    .lookup(prefix)
                    .next()
                    .or_else(|| fresh.get(prefix).copied())
                    .or_else(|| if position == 0 { settled() } else { None })
                    .or_else(|| attachment.as_ref()?.parent(payload, position))
            })
            .collect();
        let Some(parents) = parents else { continue };
        let mut buffer = [0; MAX_SIGNING_INPUT];
        let hash = parents_hash(&parents);
        if let Ok(message) = signing_input(
            &neighbourhood,
            tx.suite(),
            tx.payload_bytes(),
            &hash,
            &mut buffer,
        ) {
            turn.push(&record.key, message, tx.signature());
        }
    }
    turn
}

fn name(key: &PublicKey, message: &[u8], signature: &Signature) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(&[key.suite() as u8]);
    hash.update(key.bytes());
    hash.update(&signature.0);
    hash.update(message);
    hash.finish()
}

/// The batch's random coefficients: SHA-256 in counter mode over a seed of the operating system.
struct Coefficients {
    seed: [u8; 32],
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Coefficients {
    fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            counter: 0,
            block: [0; 32],
            used: 32,
        }
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        for byte in &mut out {
            if self.used == self.block.len() {
                self.block = sha256(&[
                    b"iotedge-gateway batch",
                    &self.seed,
                    &self.counter.to_be_bytes(),
                ]);
                self.counter += 1;
                self.used = 0;
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
        out
    }
}

impl rand_core::TryRng for Coefficients {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.bytes()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for byte in out {
            [*byte] = self.bytes();
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Coefficients {}

#[cfg(test)]
mod tests {
    use super::*;
    use iotedge_core::crypto::SecretKey;

    #[test]
    fn verdicts_of_a_turn_are_those_of_software() {
        let mut turn = Turn::default();
        let items: Vec<(PublicKey, Vec<u8>, Signature)> = (1..=12_u8)
            .map(|n| {
                let secret = SecretKey::from_seed(&[n; 32]).unwrap();
                let message = vec![n; 200];
                let mut signature = secret.sign(&message);
                match n % 4 {
                    1 => signature.0[3] ^= 1,
                    2 => signature.0[63] = 0xff,
                    _ => {}
                }
                (secret.public_key(), message, signature)
            })
            .collect();
        for (key, message, signature) in &items {
            turn.push(key, message, signature);
        }
        let mut verifier = TurnVerifier::default();
        verifier.begin(turn);
        for (key, message, signature) in &items {
            assert_eq!(
                verifier.verify(key, message, signature),
                Software.verify(key, message, signature)
            );
        }
        assert_eq!((verifier.checks.batched, verifier.checks.single), (12, 0));
        // Another message under a known signature is not in the batch, and is refused by software.
        let (key, _, signature) = &items[3];
        assert_eq!(
            verifier.verify(key, b"another", signature),
            Err(SignatureError::Rejected)
        );
        assert_eq!(verifier.checks.single, 1);
        // The next turn knows nothing of this one.
        verifier.begin(Turn::default());
        let (key, message, signature) = &items[3];
        assert_eq!(verifier.verify(key, message, signature), Ok(()));
        assert_eq!((verifier.checks.batched, verifier.checks.single), (12, 2));
    }

    #[test]
    fn coefficients_do_not_repeat() {
        let mut rng = Coefficients::new([7; 32]);
        let blocks: std::collections::BTreeSet<[u8; 16]> = (0..100).map(|_| rng.bytes()).collect();
        assert_eq!(blocks.len(), 100);
    }
}
