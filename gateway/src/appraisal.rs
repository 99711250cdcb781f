//! What a device must prove of itself before it may enrol: challenges that are out, and the reference values that the owner pinned.
//!
//! Invariant: an attestation counts once, in answer to a challenge that this gateway drew for this device not long ago, under the very key that the certificate names. Memory is bounded: so
//! many challenges are out at once, the oldest makes room; only who showed a certificate and a proof of possession that hold gets one. Protocol section 2.4.

use crate::config::Reference;
use anyhow::{Result, anyhow};
use iotedge_core::crypto::{PublicKey, Software};
use iotedge_core::identity::attest::{Attestation, DebugState, Evidence, challenge_nonce};
use iotedge_core::wire::frame::CHALLENGE;
use iotedge_core::{Id, Millis};
use std::collections::HashMap;

/// Challenges that are out at once.
const OUT: usize = 1_024;
/// A challenge is answered in this time, by a slow element over a slow radio too.
const LIFE: u64 = 120_000;
/// Who asked so often without an answer is told that one is missing.
const PATIENCE: u32 = 3;

/// The policy and the challenges.
pub struct Appraisal {
    references: Vec<Reference>,
    authority: PublicKey,
    out: HashMap<Id, Challenge>,
}

struct Challenge {
    bytes: [u8; CHALLENGE],
    since: Millis,
    asked: u32,
}

/// What to say to who enrols without having proved itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may enrol; what it said is to be kept.
    Passed,
    /// It is to answer this; `told`: it had its chances, and is told that an answer is missing.
    Asked {
        challenge: [u8; CHALLENGE],
        told: bool,
    },
    /// What it says holds, and is not allowed here.
    NotAllowed,
}

impl Appraisal {
    /// With no reference, nothing is demanded.
    #[must_use]
    pub fn new(references: Vec<Reference>, authority: PublicKey) -> Self {
        Self {
            references,
            authority,
            out: HashMap::new(),
        }
    }

    /// Whether the policy demands an attestation.
    #[must_use]
    pub fn demands(&self) -> bool {
        !self.references.is_empty()
    }

    /// Whether an attestation that was accepted once would be by today's policy: after a restart, and at the founding.
    #[must_use]
    pub fn still_holds(&self, eat: &[u8], device: &Id) -> bool {
        let Ok(eat) = Attestation::parse(eat) else {
            return false;
        };
        eat.claims().device == *device && self.allows(&eat.claims().evidence).is_ok()
    }

    /// Judges an enrolment whose certificate and proof hold.
    ///
    /// # Errors
    /// The operating system gave no randomness.
    pub fn judge(
        &mut self,
        now: Millis,
        device: &Id,
        key: &PublicKey,
        eat: Option<&[u8]>,
    ) -> Result<Verdict> {
        let name = crate::keys::id_text(*device);
        if let Some(eat) = eat {
            match self.answer(now, device, key, eat) {
                Ok(Ok(())) => return Ok(Verdict::Passed),
                Ok(Err(reason)) => {
                    tracing::warn!(device = %name, reason, "attestation not allowed");
                    return Ok(Verdict::NotAllowed);
                }
                Err(reason) => {
                    tracing::warn!(device = %name, reason, "attestation proves nothing");
                    let challenge = self.challenge(now, device)?.bytes;
                    return Ok(Verdict::Asked {
                        challenge,
                        told: true,
                    });
                }
            }
        }
        let out = self.challenge(now, device)?;
        out.asked += 1;
        let told = out.asked >= PATIENCE;
        let challenge = out.bytes;
        if told && out.asked == PATIENCE {
            tracing::warn!(device = %name, "no attestation, which policy demands");
        }
        Ok(Verdict::Asked { challenge, told })
    }

    /// `Err`: it proves nothing. `Ok(Err)`: it says what is not allowed.
    fn answer(
        &mut self,
        now: Millis,
        device: &Id,
        key: &PublicKey,
        eat: &[u8],
    ) -> Result<Result<(), String>, String> {
        let said = Attestation::parse(eat).map_err(|e| format!("{e:?}"))?;
        let live = |c: &&Challenge| now.0 < c.since.0.saturating_add(LIFE);
        let out = self.out.get(device).filter(live);
        let out = out.ok_or("no challenge is out: an old one, or of another gateway")?;
        let nonce = challenge_nonce(&self.authority, device, &out.bytes);
        let evidence = said
            .verify(key, device, &nonce, &mut Software)
            .map_err(|e| format!("{e:?}"))?;
        // Only what holds uses the challenge up: nobody else can spoil it.
        self.out.remove(device);
        Ok(self.allows(&evidence))
    }

    fn challenge(&mut self, now: Millis, device: &Id) -> Result<&mut Challenge> {
        self.out
            .retain(|_, c| now.0 < c.since.0.saturating_add(LIFE));
        if self.out.len() >= OUT && !self.out.contains_key(device) {
            let oldest = self.out.iter().min_by_key(|(_, c)| c.since);
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                self.out.remove(&oldest);
            }
        }
        if !self.out.contains_key(device) {
            let mut bytes = [0; CHALLENGE];
            getrandom::fill(&mut bytes)
                .map_err(|e| anyhow!("the operating system gave no randomness ({e})"))?;
            let fresh = Challenge {
                bytes,
                since: now,
                asked: 0,
            };
            self.out.insert(*device, fresh);
        }
        self.out
            .get_mut(device)
            .ok_or_else(|| anyhow!("a challenge is out"))
    }

    /// The first reference that fits lets it in; else why the last one of its model did not.
    fn allows(&self, said: &Evidence<'_>) -> Result<(), String> {
        let model = String::from_utf8_lossy(said.model);
        let mut reason = format!("model {model:?} is in no [[attestation]]");
        for reference in &self.references {
            if reference.model.as_bytes() != said.model {
                continue;
            }
            match fits(reference, said) {
                Ok(()) => return Ok(()),
                Err(why) => reason = why,
            }
        }
        Err(reason)
    }
}

fn fits(reference: &Reference, said: &Evidence<'_>) -> Result<(), String> {
    let one_of = |allowed: &[String], found: &str, what: &str| match allowed.is_empty()
        || allowed.iter().any(|a| a == found)
    {
        true => Ok(()),
        false => Err(format!("{what} {found:?} is not allowed")),
    };
    one_of(
        &reference.hardware_versions,
        said.hardware_version,
        "hardware version",
    )?;
    one_of(
        &reference.software_versions,
        said.software_version,
        "software version",
    )?;
    if reference.secure_boot && said.secure_boot != Some(true) {
        return Err("it does not say that it booted securely (oemboot)".to_owned());
    }
    if reference.debug_disabled && said.debug.is_none_or(|d| d == DebugState::Enabled) {
        return Err("it does not say that debugging is disabled (dbgstat)".to_owned());
    }
    // Exactly the named ones: what is not in the list was not thought of by who wrote it.
    for (name, allowed) in &reference.measurements {
        let found = said.measurements.iter().find(|m| m.name == name);
        let found = found.ok_or_else(|| format!("measurement {name:?} is missing"))?;
        let digest = hex::encode(found.digest);
        if !allowed.iter().any(|a| a.eq_ignore_ascii_case(&digest)) {
            return Err(format!("measurement {name:?} is {digest}"));
        }
    }
    for found in said.measurements.iter() {
        if !reference.measurements.contains_key(found.name) {
            return Err(format!("measurement {:?} is not in the list", found.name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use iotedge_core::crypto::SecretKey;
    use iotedge_core::identity::CoseKey;
    use iotedge_core::identity::attest::{
        Claims, MAX_ATTESTATION, Measurement, Measurements, attest,
    };

    fn secret(n: u8) -> SecretKey {
        SecretKey::from_seed(&[n; 32]).unwrap()
    }

    fn id(n: u8) -> Id {
        CoseKey::thumbprint(&secret(n).public_key())
    }

    fn reference() -> Reference {
        let text = format!(
            "model = \"m\"\n[measurements]\nfirmware = [\"{}\", \"{}\"]\n",
            "AA".repeat(32),
            "bb".repeat(32)
        );
        toml::from_str(&text).unwrap()
    }

    const STAGE: Measurement<'static> = Measurement {
        name: "firmware",
        digest: &[0xaa; 32],
    };

    fn good() -> Evidence<'static> {
        Evidence {
            model: b"m",
            secure_boot: Some(true),
            debug: Some(DebugState::Disabled),
            measurements: Measurements::of(&[STAGE]),
            ..Evidence::default()
        }
    }

    fn appraisal() -> Appraisal {
        Appraisal::new(vec![reference()], secret(1).public_key())
    }

    fn answer(to: &[u8; CHALLENGE], n: u8, evidence: Evidence<'_>) -> Vec<u8> {
        let nonce = challenge_nonce(&secret(1).public_key(), &id(n), to);
        let claims = Claims {
            nonce: &nonce,
            device: id(n),
            evidence,
        };
        let mut out = [0; MAX_ATTESTATION];
        let len = attest(&claims, &secret(n), &mut Software, &mut out).unwrap();
        out[..len].to_vec()
    }

    fn judge(a: &mut Appraisal, now: u64, n: u8, eat: Option<&[u8]>) -> Verdict {
        let key = secret(n).public_key();
        a.judge(Millis(now), &id(n), &key, eat).unwrap()
    }

    fn asked(a: &mut Appraisal, now: u64, n: u8) -> [u8; CHALLENGE] {
        match judge(a, now, n, None) {
            Verdict::Asked { challenge, .. } => challenge,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_counts_once_for_its_device_and_its_time() {
        let mut a = appraisal();
        let challenge = asked(&mut a, 0, 3);
        assert_eq!(asked(&mut a, 1, 3), challenge, "the same while it is out");
        let eat = answer(&challenge, 3, good());
        assert_eq!(judge(&mut a, 2, 3, Some(&eat)), Verdict::Passed);
        let proves_nothing = |v: Verdict| matches!(v, Verdict::Asked { told: true, .. });
        assert!(proves_nothing(judge(&mut a, 3, 3, Some(&eat))), "replayed");
        // Another device's, another gateway's challenge, another key, rubbish.
        let theirs = asked(&mut a, 4, 4);
        let eat = answer(&theirs, 3, good());
        assert!(proves_nothing(judge(&mut a, 5, 4, Some(&eat))));
        assert!(proves_nothing(judge(&mut a, 5, 4, Some(b"eat"))));
        let eat = answer(&[7; CHALLENGE], 4, good());
        assert!(proves_nothing(judge(&mut a, 5, 4, Some(&eat))));
        // None of that spoiled the challenge.
        let eat = answer(&theirs, 4, good());
        assert_eq!(judge(&mut a, 6, 4, Some(&eat)), Verdict::Passed);
        let late = asked(&mut a, 10, 5);
        let eat = answer(&late, 5, good());
        let then = judge(&mut a, 10 + LIFE, 5, Some(&eat));
        assert!(proves_nothing(then));
        assert_ne!(asked(&mut a, 11 + LIFE, 5), late);
    }

    #[test]
    fn who_never_answers_is_told() {
        let mut a = appraisal();
        for turn in 1..5 {
            let told = turn >= PATIENCE;
            let verdict = judge(&mut a, turn.into(), 3, None);
            assert!(matches!(verdict, Verdict::Asked { told: t, .. } if t == told));
        }
    }

    #[test]
    fn challenges_that_are_out_are_bounded() {
        let mut a = appraisal();
        let key = secret(1).public_key();
        for n in 0..OUT as u64 * 2 {
            let mut device = Id([0; 32]);
            device.0[..8].copy_from_slice(&n.to_be_bytes());
            a.judge(Millis(n / 64), &device, &key, None).unwrap();
        }
        assert_eq!(a.out.len(), OUT);
    }

    #[test]
    fn exactly_the_pinned_state_is_allowed() {
        let a = appraisal();
        assert_eq!(a.allows(&good()), Ok(()));
        let two = [
            STAGE,
            Measurement {
                name: "more",
                digest: &[1; 32],
            },
        ];
        let other = [Measurement {
            digest: &[0xac; 32],
            ..STAGE
        }];
        let longer = [Measurement {
            digest: &[0xaa; 48],
            ..STAGE
        }];
        let wrong = [
            Evidence {
                model: b"n",
                ..good()
            },
            Evidence {
                debug: None,
                ..good()
            },
            Evidence {
                debug: Some(DebugState::Enabled),
                ..good()
            },
            Evidence {
                secure_boot: Some(false),
                ..good()
            },
            Evidence {
                secure_boot: None,
                ..good()
            },
            Evidence {
                measurements: Measurements::of(&[]),
                ..good()
            },
            Evidence {
                measurements: Measurements::of(&two),
                ..good()
            },
            Evidence {
                measurements: Measurements::of(&other),
                ..good()
            },
            Evidence {
                measurements: Measurements::of(&longer),
                ..good()
            },
        ];
        for said in wrong {
            assert!(a.allows(&said).is_err(), "{said:?}");
        }
        let mut strict = reference();
        strict.software_versions = vec!["2.0".to_owned()];
        strict.hardware_versions = vec!["1".to_owned()];
        let a = Appraisal::new(vec![strict], secret(1).public_key());
        assert!(a.allows(&good()).is_err());
        let said = Evidence {
            software_version: "2.0",
            hardware_version: "1",
            ..good()
        };
        assert_eq!(a.allows(&said), Ok(()));
    }
}
