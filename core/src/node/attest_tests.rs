//! A node whose gateway wants to know what runs on it, alone with that gateway.

use super::harness::{LIMITS, certificate, memory, secret};
use super::test_platform::MemoryPlatform;
use super::*;
use crate::identity::attest::{Attestation, challenge_nonce};
use crate::identity::{CoseKey, enrol};
use crate::wire::{EnrolStatus, Frame};

const UPLINK: Peer = Peer(99);
const ME: u8 = 7;
const FIRMWARE: [u8; 32] = [0xf1; 32];

struct Lone {
    node: Node<'static, MemoryPlatform>,
    now: u64,
    device: Id,
}

impl Lone {
    fn new(external: bool, firmware: Option<[u8; 32]>) -> Self {
        let chain = certificate(ME);
        let chain: [&[u8]; 1] = [&chain];
        let authority = secret(201).public_key();
        let key = secret(ME).public_key();
        let device = CoseKey::thumbprint(&key);
        let mut config = Config::member(authority, &chain);
        let signer = if external {
            let statement = enrol::statement(&authority, &device).unwrap();
            config.enrolment = Some(secret(ME).sign(statement.as_bytes()));
            NodeSigner::External(key)
        } else {
            NodeSigner::Software(secret(ME))
        };
        let platform = MemoryPlatform {
            firmware,
            ..MemoryPlatform::default()
        };
        let memory = memory(&LIMITS);
        let mut node = Node::new(memory, LIMITS, &config, signer, platform, Software).unwrap();
        node.add_peer(Millis(1), UPLINK, true).unwrap();
        node.add_peer(Millis(1), Peer(2), false).unwrap();
        Self {
            node,
            now: 1,
            device,
        }
    }

    fn give(&mut self, from: Peer, frame: Frame<'_>) -> Result<(), Refusal> {
        let mut out = [0; crate::MAX_FRAME];
        let len = frame.write([0; 4], &mut out).unwrap();
        self.node.receive(Millis(self.now), from, &out[..len])
    }

    fn ask(&mut self, from: Peer, n: u8) -> Result<(), Refusal> {
        let device = self.device;
        self.give(
            from,
            Frame::Challenge {
                device,
                challenge: &[n; 16],
            },
        )
    }

    /// The enrolments that it sends in so many milliseconds: whether they hold an answer to challenge `n`.
    fn enrolments(&mut self, millis: u64, n: u8) -> heapless::Vec<Option<bool>, 32> {
        let authority = secret(201).public_key();
        let key = secret(ME).public_key();
        let nonce = challenge_nonce(&authority, &self.device, &[n; 16]);
        let mut found = heapless::Vec::new();
        let end = self.now + millis;
        let mut out = [0; crate::MAX_FRAME];
        while self.now < end {
            self.now += 50;
            while let Some((to, len)) = self.node.next_frame(Millis(self.now), &mut out) {
                if let Ok((_, Frame::Enrol { attestation, .. })) = Frame::parse(&out[..len]) {
                    assert_eq!(to, UPLINK);
                    let right = attestation.map(|eat| {
                        let eat = Attestation::parse(eat).unwrap();
                        let said = eat.verify(&key, &self.device, &nonce, &mut Software);
                        let digest =
                            |m: crate::identity::attest::Measurement<'_>| m.digest == FIRMWARE;
                        said.is_ok_and(|said| said.measurements.iter().any(digest))
                    });
                    found.push(right).unwrap();
                }
            }
        }
        found
    }

    fn events(&mut self) -> Vec<Event, 64> {
        let mut events = Vec::new();
        while let Some(event) = self.node.next_event() {
            let _ = events.push(event);
        }
        events
    }
}

#[test]
fn it_answers_with_its_enrolment() {
    let mut lone = Lone::new(false, Some(FIRMWARE));
    assert_eq!(lone.enrolments(100, 1)[..], [None], "nobody asked");
    assert_eq!(lone.ask(Peer(2), 1), Err(Refusal::NotForMe), "no uplink");
    assert_eq!(lone.ask(UPLINK, 1), Ok(()));
    assert_eq!(lone.enrolments(100, 1)[..], [Some(true)]);
    // The same question costs nothing, another one in the same moment is not answered.
    assert_eq!(lone.ask(UPLINK, 1), Ok(()));
    assert_eq!(lone.ask(UPLINK, 2), Err(Refusal::RateLimited));
    assert!(lone.enrolments(4_000, 1).iter().all(|e| *e == Some(true)));
    assert_eq!(lone.ask(UPLINK, 2), Ok(()));
    assert_eq!(lone.enrolments(100, 2)[..], [Some(true)]);
    // Refused: from now on it says nothing again until it is asked.
    let device = lone.device;
    let result = Frame::EnrolResult {
        device,
        status: EnrolStatus::Measurement,
        index: None,
    };
    lone.give(UPLINK, result).unwrap();
    assert!(lone.events().contains(&Event::EnrolRefused { status: 7 }));
    assert!(lone.enrolments(4_000, 2).iter().all(Option::is_none));
    assert_eq!(lone.ask(UPLINK, 2), Ok(()));
    assert_eq!(lone.enrolments(100, 2)[..], [Some(true)]);
}

#[test]
fn without_evidence_it_enrols_as_before() {
    let mut lone = Lone::new(false, None);
    assert_eq!(lone.ask(UPLINK, 1), Err(Refusal::Platform));
    assert_eq!(lone.enrolments(2_100, 1)[..], [None, None]);
}

#[test]
fn an_element_answers_in_its_own_time_and_a_wrong_answer_never_leaves() {
    let mut lone = Lone::new(true, Some(FIRMWARE));
    assert_eq!(lone.ask(UPLINK, 1), Ok(()));
    assert!(lone.events().contains(&Event::SignatureNeeded));
    // Nothing is sent meanwhile, that would only be refused; the element is reminded, and at last given up.
    assert_eq!(lone.enrolments(9_000, 1).len(), 0);
    assert!(!lone.events().contains(&Event::SignatureNeeded));
    assert_eq!(lone.enrolments(2_000, 1).len(), 0);
    assert!(lone.events().contains(&Event::SignatureNeeded));
    let message = lone.node.sign_input().unwrap().to_vec();
    let right = secret(ME).sign(&message);
    let mut wrong = right;
    wrong.0[33] ^= 1;
    let now = Millis(lone.now);
    assert_eq!(lone.node.sign_output(now, &wrong), Err(Refusal::Signature));
    assert!(lone.enrolments(3_000, 1).iter().all(Option::is_none));
    assert_eq!(lone.ask(UPLINK, 1), Ok(()));
    let message = lone.node.sign_input().unwrap().to_vec();
    let now = Millis(lone.now);
    let right = secret(ME).sign(&message);
    assert_eq!(lone.node.sign_output(now, &right), Ok(()));
    assert_eq!(lone.enrolments(100, 1)[..], [Some(true)]);
    // One that never answers blocks nothing for ever.
    assert_eq!(lone.ask(UPLINK, 3), Err(Refusal::RateLimited));
    lone.now += 1_000;
    assert_eq!(lone.ask(UPLINK, 3), Ok(()));
    let late = lone.node.sign_input().unwrap().to_vec();
    assert!(!lone.enrolments(70_000, 3).is_empty());
    let now = Millis(lone.now);
    let right = secret(ME).sign(&late);
    assert_eq!(lone.node.sign_output(now, &right), Err(Refusal::NotForMe));
}
