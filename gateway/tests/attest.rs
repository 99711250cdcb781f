//! The real gateway with a policy that demands an attestation: who proves the pinned state joins; who proves another, an old one, or nothing is refused and told.

mod common;

use common::{World, tool, until};
use iotedge_core::crypto::Software;
use iotedge_core::identity::attest::{
    Claims, DebugState, Evidence, MAX_ATTESTATION, Measurement, Measurements, attest,
    challenge_nonce,
};
use iotedge_core::identity::{CoseKey, enrol};
use iotedge_core::node::Phase;
use iotedge_core::wire::{Certificates, EnrolStatus, Frame};
use iotedge_core::{Id, MAX_FRAME};
use iotedge_gateway::keys;
use std::net::UdpSocket;
use std::time::Duration;

const GOOD: [u8; 32] = [0xf1; 32];
const BAD: [u8; 32] = [0xee; 32];

fn world(devices: usize, more: &str) -> World {
    let world = World::new(2, devices, 1, 3_000);
    let path = world.path("gateway.toml");
    let mut config = std::fs::read_to_string(&path).unwrap();
    config += &format!(
        "[[attestation]]\nmodel = \"test\"\n{more}measurements = {{ firmware = [\"{}\"] }}\n",
        hex::encode(GOOD)
    );
    std::fs::write(path, config).unwrap();
    world
}

const LAX: &str = "secure_boot = false\ndebug_disabled = false\n";

#[test]
fn only_the_pinned_firmware_joins_and_the_others_are_told() {
    let world = world(5, LAX);
    // One of them holds its key in an element.
    let out = ["--authority", "harbour/anchor.json", "--out", "dev-5"];
    let arguments = ["provision", "--ca", "maker", "--suite", "es256"];
    tool(world.folder.path(), &[&arguments[..], &out].concat());
    let path = world.path("gateway.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        config.replace("[policy]\n", "[policy]\nes256 = true\n"),
    )
    .unwrap();
    let gateway = world.run_gateway();
    let _validators = world.run_validators();
    let good = [world.device_with(0, GOOD), world.device_with(5, GOOD)];
    let wrong = world.device_with(2, BAD);
    let mute = world.device(3);
    until(40, "two devices are members", &world, || {
        let active = |d: &common::Device| d.seen.lock().unwrap().phase == Some(Phase::Active);
        good.iter().all(active)
    });
    let told = |d: &common::Device| d.seen.lock().unwrap().refused_enrolment;
    until(20, "the others are told", &world, || {
        told(&wrong) == Some(EnrolStatus::Measurement as u8)
            && told(&mute) == Some(EnrolStatus::Attestation as u8)
    });
    let log = world.log("gateway.log");
    assert!(
        log.contains("attestation not allowed") && log.contains(&hex::encode(BAD)),
        "{log}"
    );
    // Later too, by a transaction.
    let late = world.device_with(4, GOOD);
    until(60, "a late one is a member", &world, || {
        late.seen.lock().unwrap().phase == Some(Phase::Active)
    });
    assert_ne!(wrong.seen.lock().unwrap().phase, Some(Phase::Active));
    assert_ne!(mute.seen.lock().unwrap().phase, Some(Phase::Active));
    for device in good.iter().chain([&late]) {
        assert_eq!(told(device), None);
    }
    assert_eq!(gateway.terminate(Duration::from_secs(5)), Some(0));
}

/// A device made by hand, which says what the test wants.
struct Raw {
    socket: UdpSocket,
    certificate: Vec<u8>,
    secret: keys::Secret,
    authority: iotedge_core::crypto::PublicKey,
    device: Id,
}

#[derive(Debug, PartialEq, Eq, Default)]
struct Told {
    challenge: Option<[u8; 16]>,
    status: Option<EnrolStatus>,
}

impl Raw {
    fn new(world: &World, n: usize) -> Self {
        let path = world.path(&format!("dev-{n}/device.json"));
        let file: keys::DeviceFile = keys::read_json(&path).unwrap();
        let secret = keys::load_any_secret(&path).unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(world.gateway).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        Self {
            socket,
            certificate: hex::decode(&file.chain[0]).unwrap(),
            authority: keys::public_key(&file.authority_public_key).unwrap(),
            device: CoseKey::thumbprint(&secret.public_key()),
            secret,
        }
    }

    fn frame(&self, attestation: Option<&[u8]>) -> Vec<u8> {
        let statement = enrol::statement(&self.authority, &self.device).unwrap();
        let proof = self.secret.sign(statement.as_bytes()).unwrap();
        let frame = Frame::Enrol {
            certificates: Certificates {
                first: &self.certificate,
                second: None,
            },
            proof: &proof.0,
            attestation,
        };
        let mut out = [0; MAX_FRAME];
        let len = frame.write([0; 4], &mut out).unwrap();
        out[..len].to_vec()
    }

    fn say(&self, frame: &[u8]) -> Told {
        let mut told = Told::default();
        let mut buffer = [0; MAX_FRAME];
        for _ in 0..200 {
            // Refused while nobody listens yet.
            let sent = self.socket.send(frame);
            let mut patience = if sent.is_ok() { 20 } else { 0 };
            while patience > 0 {
                let Ok(len) = self.socket.recv(&mut buffer) else {
                    // Once something came, the rest comes with it.
                    patience -= if told == Told::default() { 1 } else { 20 };
                    std::thread::sleep(Duration::from_millis(10));
                    continue;
                };
                match Frame::parse(&buffer[..len]) {
                    Ok((_, Frame::Challenge { challenge, device })) => {
                        assert_eq!(device, self.device);
                        told.challenge = Some(*challenge);
                    }
                    Ok((_, Frame::EnrolResult { status, device, .. })) => {
                        assert_eq!(device, self.device);
                        told.status = Some(status);
                    }
                    _ => {}
                }
            }
            if told != Told::default() {
                return told;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the gateway does not answer");
    }

    fn answer(&self, challenge: &[u8; 16], firmware: [u8; 32]) -> Vec<u8> {
        let nonce = challenge_nonce(&self.authority, &self.device, challenge);
        let stage = [Measurement {
            name: "firmware",
            digest: &firmware,
        }];
        let claims = Claims {
            nonce: &nonce,
            device: self.device,
            evidence: Evidence {
                model: b"test",
                secure_boot: Some(true),
                debug: Some(DebugState::Disabled),
                measurements: Measurements::of(&stage),
                ..Evidence::default()
            },
        };
        let keys::Secret::Ed25519(secret) = &self.secret else {
            panic!("an Ed25519 key");
        };
        let mut out = [0; MAX_ATTESTATION];
        let len = attest(&claims, secret, &mut Software, &mut out).unwrap();
        self.frame(Some(&out[..len]))
    }
}

#[test]
fn an_attestation_counts_once_and_for_its_own_device() {
    let world = world(2, "");
    let gateway = world.run_gateway();
    let (one, other) = (Raw::new(&world, 0), Raw::new(&world, 1));
    let asked = one.say(&one.frame(None));
    let challenge = asked.challenge.expect("it asks");
    assert_eq!(asked.status, None, "the first time nothing is wrong yet");
    // What it says is not allowed; the same once more proves nothing.
    let bad = one.answer(&challenge, BAD);
    assert_eq!(one.say(&bad).status, Some(EnrolStatus::Measurement));
    let told = one.say(&bad);
    assert_eq!(told.status, Some(EnrolStatus::Attestation), "replayed");
    let challenge = told.challenge.expect("it asks anew");
    // Another device's answer to this one's challenge.
    let borrowed = other.answer(&challenge, GOOD);
    let told = other.say(&borrowed);
    assert_eq!(told.status, Some(EnrolStatus::Attestation));
    let good = one.answer(&challenge, GOOD);
    assert_eq!(one.say(&good).status, Some(EnrolStatus::Accepted));
    // It is known now, also after a restart.
    assert_eq!(gateway.terminate(Duration::from_secs(5)), Some(0));
    let gateway = world.run_gateway();
    assert_eq!(
        one.say(&one.frame(None)).status,
        Some(EnrolStatus::Accepted)
    );
    // A gateway that never heard of it: what was good once is refused, and asked for anew.
    assert_eq!(gateway.terminate(Duration::from_secs(5)), Some(0));
    std::fs::remove_dir_all(world.path("gw-data")).unwrap();
    let _gateway = world.run_gateway();
    let told = one.say(&good);
    assert_eq!(told.status, Some(EnrolStatus::Attestation));
    assert!(told.challenge.is_some_and(|c| c != challenge));
    // Who says nothing is told at the third time.
    for turn in 1..4 {
        let told = other.say(&other.frame(None));
        assert!(told.challenge.is_some());
        let expected = (turn == 3).then_some(EnrolStatus::Attestation);
        assert_eq!(told.status, expected, "{turn}");
    }
}
