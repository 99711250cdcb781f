//! A whole neighbourhood: founding, epochs, receipts, SIGKILL, a late joiner, SIGTERM.

mod common;

use common::{Device, World, tool, until};
use iotedge_core::node::Phase;
use iotedge_core::posp::close::header_payload;
use iotedge_core::posp::{Header, SignedHeader};
use iotedge_core::wire::Frame;
use iotedge_core::{Amount, Id};
use iotedge_gateway::check::{Settled, Trust, receipt, statement};
use iotedge_gateway::cli::verify::SidecarEntry;
use iotedge_gateway::epoch::sign;
use iotedge_gateway::keys;
use iotedge_gateway::store::Store;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

fn active(device: &Device) -> bool {
    device.seen.lock().unwrap().phase == Some(Phase::Active)
}

#[test]
fn founding_epochs_sigkill_and_sigterm() {
    let world = World::new(3, 4, 3, 3_000);
    let mut gateway = world.run_gateway();
    let _validators = world.run_validators();
    let devices: Vec<Device> = (0..3).map(|n| world.device(n)).collect();
    until(20, "three devices are members", &world, || {
        devices.iter().all(active)
    });

    let header = |d: &Device| d.seen.lock().unwrap().header;
    until(30, "the first epoch is settled", &world, || {
        devices.iter().all(|d| header(d) >= 1)
    });
    until(10, "receipts are there", &world, || {
        devices
            .iter()
            .all(|d| !d.seen.lock().unwrap().receipts.is_empty())
    });

    // Killed at odd moments, while devices send.
    for pause in [130, 477, 911, 20] {
        gateway.kill();
        std::thread::sleep(Duration::from_millis(pause));
        gateway = world.run_gateway();
        std::thread::sleep(Duration::from_millis(700 + pause));
    }
    let before = header(&devices[0]);
    until(40, "epochs go on after SIGKILL", &world, || {
        devices.iter().all(|d| header(d) > before)
    });
    // Some epochs later there is more behind than the newest one.
    for _ in 0..3 {
        let before = header(&devices[0]);
        until(40, "two epochs more", &world, || {
            devices.iter().all(|d| header(d) > before + 1)
        });
        gateway.kill();
        gateway = world.run_gateway();
    }
    let restored = || -> Vec<String> {
        let log = world.log("gateway.log");
        let lines = log.lines().filter(|l| l.contains("window restored"));
        lines.map(str::to_owned).collect()
    };
    until(10, "the gateway is back", &world, || restored().len() == 7);
    for line in restored() {
        assert!(line.contains("left_out={}"), "{line}");
    }

    // A device that was not there at the founding.
    let late = world.device(3);
    until(40, "the late joiner is a member", &world, || active(&late));
    let joined = header(&devices[0]);
    until(40, "the late joiner has a receipt", &world, || {
        let seen = late.seen.lock().unwrap();
        seen.header > joined && !seen.receipts.is_empty()
    });

    for device in devices.iter().chain([&late]) {
        device.hush();
    }
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(
        gateway.terminate(Duration::from_secs(5)),
        Some(0),
        "SIGTERM drains\n{}",
        world.logs()
    );

    // Nothing that came back with approvals of others is missing, and every receipt holds offline.
    let store = Store::open_read_only(&world.path("gw-data")).unwrap();
    let genesis = store.meta("genesis").unwrap().unwrap();
    let set = store.meta("set").unwrap().unwrap();
    let (_, authority) = keys::Anchor::load(&world.path("harbour/anchor.json")).unwrap();
    let trust = Trust::new(&genesis, &set, &authority).unwrap();
    let (mut graded, mut receipts) = (0, 0);
    for device in devices.iter().chain([&late]) {
        let seen = device.seen.lock().unwrap();
        for id in seen.graded.keys() {
            graded += 1;
            assert!(store.has_tx(id).unwrap(), "acknowledged and lost: {id}");
        }
        for (id, bytes) in &seen.receipts {
            receipts += 1;
            assert_eq!(receipt(bytes, &trust).unwrap().tx, *id);
            assert!(store.leaf_of(id).unwrap().is_some());
        }
    }
    drop(store);
    exported_files_hold(&world, &trust);
    assert!(
        graded > 50 && receipts > 20,
        "{graded} graded, {receipts} receipts"
    );
}

/// The value of one of the gateway's metrics; 0 where it is not shown.
fn metric(world: &World, name: &str) -> u64 {
    let page = world.metrics();
    let value = page
        .lines()
        .find_map(|l| l.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    value.unwrap_or(0)
}

/// While nobody votes nothing is settled, and a window of 128 fills in six seconds.
#[test]
fn a_window_that_fills_holds_back_and_does_not_overflow() {
    let mut world = World::new(3, 3, 1, 2_000);
    // Together more than three quarters of the window, and less than all of it.
    world.own = 40;
    for name in ["gateway.toml", "val-0.toml"] {
        let config = std::fs::read_to_string(world.path(name)).unwrap();
        let small = config.replace("window = 4096", "window = 128");
        assert_ne!(config, small);
        std::fs::write(world.path(name), small).unwrap();
    }
    let _gateway = world.run_gateway();
    let validators = world.run_validators();
    let devices: Vec<Device> = (0..3).map(|n| world.device(n)).collect();
    until(30, "the first epoch is settled", &world, || {
        devices.iter().all(|d| d.seen.lock().unwrap().header >= 1)
    });
    drop(validators);
    until(40, "members are held back", &world, || {
        metric(&world, "iotedge_held_total") > 0
    });
    std::thread::sleep(Duration::from_secs(4));
    assert!(metric(&world, "iotedge_window_unsettled") <= 128);
    let settled = devices[0].seen.lock().unwrap().header;
    let _validators = world.run_validators();
    // What an overflow would have made impossible for ever.
    until(40, "the epoch that waited is settled", &world, || {
        devices
            .iter()
            .all(|d| d.seen.lock().unwrap().header > settled)
    });
}

/// What `export` writes holds when it is checked file by file, by the library and by the tool.
fn exported_files_hold(world: &World, trust: &Trust) {
    let folder = world.folder.path();
    tool(
        folder,
        &[
            "export", "--data", "gw-data", "--out", "out", "--limit", "40",
        ],
    );
    let entries: Vec<SidecarEntry> = keys::read_json(&world.path("out/tx.json")).unwrap();
    assert_eq!(entries.len(), 40);
    let mut receipts = 0;
    for entry in &entries {
        let Some(file) = &entry.receipt else { continue };
        receipts += 1;
        let bytes = std::fs::read(world.path("out").join(file)).unwrap();
        match statement(&bytes, trust, None).unwrap() {
            Settled::Transaction(proven) => {
                assert_eq!(proven.tx.to_string(), entry.id);
                assert_eq!(Some(proven.number.0), entry.header);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(receipts >= 20, "{receipts} receipts in the sample");
    tool(
        folder,
        &[
            "verify",
            "transaction",
            "--sidecar",
            "out/tx.json",
            "out/0001.tx.cose",
        ],
    );
    let trusted = [
        "--authority",
        "harbour/anchor.json",
        "--genesis",
        "out/genesis.cose",
        "--set",
        "out/set.cbor",
    ];
    for file in [
        "out/1.macro.cose",
        &format!(
            "out/{}",
            entries.iter().find_map(|e| e.receipt.clone()).unwrap()
        ),
    ] {
        let mut arguments = vec!["verify", "receipt", file];
        arguments.extend(trusted);
        tool(folder, &arguments);
    }
    tool(
        folder,
        &[
            "verify",
            "certificate",
            "--anchor",
            "maker/anchor.json",
            "out/device-1.cwt",
        ],
    );
    tool(folder, &["inspect", "out/1.macro.cose"]);
    if let Ok(keep) = std::env::var("IOTEDGE_KEEP_EXPORT") {
        std::process::Command::new("cp")
            .args(["-r", &world.path("out").to_string_lossy(), &keep])
            .status()
            .unwrap();
    }
}

/// The gateway reaches its validator through this: a GL-node that lies, since the test holds its key.
struct Liar {
    socket: UdpSocket,
    gateway: SocketAddr,
    validator: SocketAddr,
    tag: [u8; 4],
}

impl Liar {
    fn proposal(&self, cose: &[u8]) -> Vec<u8> {
        let mut out = [0; 1400];
        let len = Frame::Proposal { cose, credited: 0 }
            .write(self.tag, &mut out)
            .unwrap();
        out[..len].to_vec()
    }

    /// Whether a vote comes back for this within the time; it is not passed on.
    fn vote_for(&self, cose: &[u8], wait: Duration) -> Option<Vec<u8>> {
        // Answers to what was asked before are not meant.
        let mut buffer = [0; 1500];
        while self.socket.recv_from(&mut buffer).is_ok() {}
        let end = Instant::now() + wait;
        let mut due = Instant::now();
        while Instant::now() < end {
            // Again and again, as the gateway does: the validator may not see the trim certified yet.
            if Instant::now() >= due {
                due += Duration::from_millis(200);
                self.socket
                    .send_to(&self.proposal(cose), self.validator)
                    .unwrap();
            }
            let Ok((len, from)) = self.socket.recv_from(&mut buffer) else {
                continue;
            };
            let votes = matches!(Frame::parse(&buffer[..len]), Ok((_, Frame::Votes { .. })));
            if from == self.validator && votes {
                return Some(buffer[..len].to_vec());
            }
        }
        None
    }
}

#[test]
fn a_validator_signs_only_what_it_computed_and_only_once() {
    let world = World::new(3, 4, 1, 3_000);
    let folder = world.folder.path();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    let proxy = socket.local_addr().unwrap();
    let config = std::fs::read_to_string(world.path("gateway.toml")).unwrap();
    let changed = config.replace(
        &format!("address = \"{}\"", world.validators[0]),
        &format!("address = \"{proxy}\""),
    );
    assert_ne!(config, changed);
    std::fs::write(world.path("gateway.toml"), changed).unwrap();
    // A device whose certificate was taken back.
    let shown = tool(folder, &["inspect", "--json", "dev-3/device.cwt"]);
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    tool(
        folder,
        &[
            "ca",
            "revoke",
            "--ca",
            "maker",
            "--cti",
            shown["cti"].as_str().unwrap(),
        ],
    );

    let gateway = world.run_gateway();
    let _validators = world.run_validators();
    let revoked = world.device(3);
    let devices: Vec<Device> = (0..3).map(|n| world.device(n)).collect();
    until(20, "three devices are members", &world, || {
        devices.iter().all(active)
    });
    assert_eq!(revoked.seen.lock().unwrap().refused_enrolment, Some(4));
    assert!(!active(&revoked));

    // The first proposal of the honest gateway, held back.
    let mut honest = None;
    let mut tag = [0; 4];
    until(30, "the first proposal", &world, || {
        let mut buffer = [0; 1500];
        if let Ok((len, _)) = socket.recv_from(&mut buffer)
            && let Ok((of, Frame::Proposal { cose, .. })) = Frame::parse(&buffer[..len])
        {
            tag = of;
            honest = Some(cose.to_vec());
        }
        honest.is_some()
    });
    let honest = honest.unwrap();
    let liar = Liar {
        socket,
        gateway: world.gateway,
        validator: world.validators[0],
        tag,
    };
    let header = *SignedHeader::parse(&honest).unwrap().header();
    let gl_node = keys::load_secret(&world.path("gw/device.json")).unwrap();
    let stranger = keys::generate().unwrap().1;
    let signed = |header: &Header, by| {
        let mut buffer = [0; 400];
        let payload = header_payload(header, &mut buffer).unwrap();
        sign(header, payload, by).unwrap()
    };
    let wait = Duration::from_millis(1_500);
    let richer = Header {
        total_value: Amount(header.total_value.0 + 1),
        ..header
    };
    assert_eq!(
        liar.vote_for(&signed(&richer, &gl_node), wait),
        None,
        "value from nothing"
    );
    let elsewhere = Header {
        state_root: Id([9; 32]),
        ..header
    };
    assert_eq!(
        liar.vote_for(&signed(&elsewhere, &gl_node), wait),
        None,
        "another state"
    );
    assert_eq!(
        liar.vote_for(&signed(&header, &stranger), wait),
        None,
        "not the GL-node's"
    );
    let log = world.log("val-0.log");
    assert!(
        log.contains("field=\"total value\"") && log.contains("field=\"state root\""),
        "{log}"
    );
    assert!(log.contains("Forged"), "{log}");

    // The honest one gets its vote, again and again the same; the lie still gets none.
    let vote = liar
        .vote_for(&honest, Duration::from_secs(5))
        .expect("the honest header gets a vote");
    assert_eq!(
        liar.vote_for(&honest, Duration::from_secs(5)),
        Some(vote.clone())
    );
    assert_eq!(liar.vote_for(&signed(&richer, &gl_node), wait), None);
    assert!(
        devices.iter().all(|d| d.seen.lock().unwrap().header == 0),
        "nothing is settled without the vote"
    );
    liar.socket.send_to(&vote, liar.gateway).unwrap();
    until(10, "the header is settled by the vote", &world, || {
        devices.iter().all(|d| d.seen.lock().unwrap().header == 1)
    });
    assert_eq!(gateway.terminate(Duration::from_secs(5)), Some(0));
}
