//! Instructions by callgrind, where valgrind is: what the factors of the model are taken from, and held against.
//!
//! `evaluate --one NAME N` runs N transactions through one strategy. The difference of two N is free of the start; the difference to an idle strategy is
//! free of the traffic and the record.

use super::cost::Counts;
use super::kind::{Kind, find};
use super::ours::Ours;
use super::paper::pair;
use super::record::{PARENTS, Record};
use super::run::{Strategy, through};
use super::traffic::{Arrival, Traffic};
use iotedge_core::crypto::{SecretKey, Software, Verify};
use std::hint::black_box;
use std::process::Command;

/// Chooses the last two that arrived, and keeps nothing.
#[derive(Debug, Default)]
struct Idle {
    last: u32,
}

impl Strategy for Idle {
    fn choose(&mut self, _: &Record, _: &Arrival) -> [u32; PARENTS] {
        pair(self.last, self.last.saturating_sub(1))
    }
    fn arrive(&mut self, _: &Record, number: u32) -> bool {
        self.last = number;
        true
    }
    fn due(&mut self, _: &Record, _: u64) -> Option<(u16, [u32; PARENTS])> {
        None
    }
    fn counts(&self) -> Counts {
        Counts::default()
    }
    fn held(&self) -> u64 {
        0
    }
    fn tips(&self) -> u64 {
        0
    }
}

/// One signature, checked often.
#[derive(Debug)]
pub struct Check {
    signature: iotedge_core::crypto::Signature,
    key: iotedge_core::crypto::PublicKey,
}

const MESSAGE: [u8; 128] = [7; 128];

impl Default for Check {
    fn default() -> Self {
        let secret = SecretKey::from_seed(&[3; 32]).expect("a seed");
        Self {
            signature: secret.sign(&MESSAGE),
            key: secret.public_key(),
        }
    }
}

impl Check {
    /// Checks it.
    pub fn check(&self) {
        let verdict = Software.verify(&self.key, black_box(&MESSAGE), &self.signature);
        assert!(verdict.is_ok(), "it was signed");
    }
}

/// For `--one`: runs so many transactions through a strategy (`idle`: through none; `check`: signature checks). Returns vertices touched;
/// `None` for a name that is not known.
#[must_use]
pub fn one(name: &str, count: u64) -> Option<u64> {
    let traffic = Traffic::USUAL;
    if name == "check" {
        let check = Check::default();
        (0..count).for_each(|_| check.check());
        return Some(0);
    }
    let mut strategy: Box<dyn Strategy> = match name {
        "idle" => Box::new(Idle::default()),
        _ => match find(name)?.kind {
            Kind::Ours(window, choice) => Box::new(Ours::new(&traffic, window, choice).alone()),
            kind => kind.make(&traffic),
        },
    };
    let _ = through(&traffic, strategy.as_mut(), &[count]);
    Some(strategy.counts().touched())
}

/// Instructions per transaction between `few` and `many`, without the harness's, and per vertex touched. `None` without valgrind.
#[must_use]
pub fn per_transaction(name: &str, few: u64, many: u64) -> Option<(f64, f64)> {
    let span = |name: &str| Some(callgrind(name, many)? - callgrind(name, few)?);
    let own = span(name)? - span("idle")?;
    let touched = (one(name, many)? - one(name, few)?) as f64;
    Some((own / (many - few) as f64, own / touched))
}

/// Instructions of one signature check. `None` without valgrind.
#[must_use]
pub fn of_check() -> Option<f64> {
    Some((callgrind("check", 60)? - callgrind("check", 10)?) / 50.0)
}

fn callgrind(name: &str, count: u64) -> Option<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        // An allocator that asks for large pages makes other calls.
        .env_remove(crate::pages::TUNABLE.0)
        .arg(std::env::current_exe().ok()?)
        .args(["--one", name, &count.to_string()])
        .output()
        .ok()?;
    let log = String::from_utf8(output.stderr).ok()?;
    let line = log.lines().find(|line| line.contains("Collected"))?;
    line.rsplit(':').next()?.trim().parse().ok()
}
