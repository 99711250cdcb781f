//! A member whose certificate is taken back while it trades: it is put out of the ledger, once, and nobody hears it any more.

mod common;

use common::{Device, World, tool, until};
use iotedge_core::identity::{Record, Roles};
use iotedge_core::node::Phase;
use iotedge_core::tx::{self, Body, Draft, MemberOp, Unverified};
use iotedge_core::wire::{Reader, frame::Frame};
use iotedge_core::{Epoch, MAX_FRAME, MAX_PAYLOAD, MemberIndex, Weight};
use iotedge_gateway::keys;
use iotedge_gateway::store::Store;
use std::net::UdpSocket;

fn active(device: &Device) -> bool {
    device.seen.lock().unwrap().phase == Some(Phase::Active)
}

/// The record of a device in the newest table of the gateway's store.
fn record(world: &World, n: usize) -> Option<(Epoch, Record)> {
    let file: keys::DeviceFile =
        keys::read_json(&world.path(&format!("dev-{n}/device.json"))).unwrap();
    let store = Store::open_read_only(&world.path("gw-data")).ok()?;
    let epoch = store.newest_settled().ok()?.opens();
    let records = store.records(epoch, MemberIndex(0), 64).ok()?;
    records.iter().find_map(|bytes| {
        let record = Record::decode(bytes).ok()?;
        (keys::id_text(record.device) == file.device_id).then_some((epoch, record))
    })
}

/// How many revocations are in the gateway's store, and transactions by `issuer` in `epoch` or later.
fn count(world: &World, issuer: MemberIndex, epoch: Epoch) -> (usize, usize) {
    let store = Store::open_read_only(&world.path("gw-data")).unwrap();
    let (mut revocations, mut said) = (0, 0);
    store
        .each_tx(Epoch(1), |tx| {
            let cose = Reader::new(&tx.raw).item().unwrap().to_vec();
            let parsed = Unverified::parse(&cose).unwrap();
            if matches!(parsed.payload().body, Body::Member(MemberOp::Revoke { .. })) {
                revocations += 1;
            }
            if tx.issuer == issuer && tx.epoch >= epoch {
                said += 1;
            }
        })
        .unwrap();
    (revocations, said)
}

fn revoke(world: &World, ca: &str, n: usize) {
    let file: keys::DeviceFile =
        keys::read_json(&world.path(&format!("dev-{n}/device.json"))).unwrap();
    let key = keys::public_key(&file.cose_key).unwrap();
    let cti = hex::encode(&iotedge_core::identity::CoseKey::thumbprint(&key).0[..16]);
    tool(
        world.folder.path(),
        &["ca", "revoke", "--ca", ca, "--cti", &cti, "--unknown"],
    );
}

/// What a thief with the device's key would say on top of its settled head.
fn say(world: &World, n: usize, epoch: Epoch, record: &Record) -> Vec<u8> {
    let store = Store::open_read_only(&world.path("gw-data")).unwrap();
    let genesis = store.meta("genesis").unwrap().unwrap();
    let set = store.meta("set").unwrap().unwrap();
    let (_, authority) = keys::Anchor::load(&world.path("harbour/anchor.json")).unwrap();
    let trust = iotedge_gateway::check::Trust::new(&genesis, &set, &authority).unwrap();
    let mut payload = [0; MAX_PAYLOAD];
    let fitted = Draft {
        epoch,
        issuer: record.index,
        number: record.head_number.checked_add(1).unwrap(),
        offset: 5,
        first: record.head_id,
        tips: &[],
        body: Body::Data(b"still here"),
    }
    .encode(&mut payload)
    .unwrap();
    let secret = keys::load_secret(&world.path(&format!("dev-{n}/device.json"))).unwrap();
    let suite = secret.public_key().suite();
    let mut message = [0; tx::MAX_SIGNING_INPUT];
    let message = tx::signing_input(
        &trust.neighbourhood,
        suite,
        fitted.payload,
        &fitted.parents.hash(),
        &mut message,
    )
    .unwrap();
    let mut cose = [0; MAX_FRAME];
    let cose = tx::assemble(suite, fitted.payload, &secret.sign(message), &mut cose).unwrap();
    let frame = Frame::Tx {
        cose,
        attachment: None,
    };
    let mut out = [0; MAX_FRAME];
    let len = frame.write(trust.neighbourhood.tag(), &mut out).unwrap();
    out[..len].to_vec()
}

#[test]
fn a_revoked_member_is_put_out_once_and_for_all() {
    let world = World::new(6, 6, 1, 3_000);
    // A second maker, pinned as well.
    let init = ["ca", "init", "--name", "Other", "--kind", "manufacturer"];
    tool(
        world.folder.path(),
        &[&init[..], &["--out", "other"]].concat(),
    );
    for file in ["gateway.toml", "val-0.toml"] {
        let config = std::fs::read_to_string(world.path(file)).unwrap();
        let config = config
            .replace(
                "anchors = [\"maker/anchor.json\"]",
                "anchors = [\"maker/anchor.json\", \"other/anchor.json\"]",
            )
            .replace(
                "revocations = [\"maker/revoked.crl\"]",
                "revocations = [\"maker/revoked.crl\", \"maker/notices\", \"harbour/notices\", \"other/notices\"]",
            );
        std::fs::write(world.path(file), config).unwrap();
    }
    let mut gateway = world.run_gateway();
    let _validators = world.run_validators();
    let devices: Vec<Device> = (0..6).map(|n| world.device(n)).collect();
    until(30, "six devices are members", &world, || {
        devices.iter().all(active)
    });
    let header = |n: usize| devices[n].seen.lock().unwrap().header;
    until(30, "the first epoch is settled", &world, || header(0) >= 1);

    // The running gateway finds the new notice by itself, and is killed as soon as it has acted on it.
    revoke(&world, "maker", 2);
    until(20, "the revocation is in the store", &world, || {
        count(&world, MemberIndex(0), Epoch(u32::MAX)).0 == 1
    });
    gateway.kill();
    gateway = world.run_gateway();
    let gone = |n: usize| {
        record(&world, n).filter(|(_, r)| r.roles.has(Roles::LEFT) && r.weight == Weight(0))
    };
    until(40, "the revoked device is out of the table", &world, || {
        gone(2).is_some()
    });
    let (epoch, out) = gone(2).unwrap();

    // Another maker has no say over this one's devices.
    revoke(&world, "other", 5);
    until(10, "it is told so", &world, || {
        world
            .log("gateway.log")
            .contains("no list can put it out of the ledger")
    });

    // SIGHUP for two more, by the neighbourhood's own authority, which did not make them. All at once would be too many: of seven
    // only four would be left, and no epoch could end. The gateway lets the tables follow.
    revoke(&world, "harbour", 3);
    revoke(&world, "harbour", 4);
    std::process::Command::new("kill")
        .args(["-HUP", &gateway.0.id().to_string()])
        .status()
        .unwrap();
    until(90, "two more are out", &world, || {
        gone(3).is_some() && gone(4).is_some()
    });

    // The others go on, and who was put out is heard by nobody: neither its node nor a thief with its key.
    let settled = header(0);
    until(40, "two more epochs", &world, || header(0) >= settled + 2);
    let refused = || {
        let metrics = world.metrics();
        let line = metrics
            .lines()
            .find(|l| l.contains("refused_total") && l.contains("UnknownIssuer"));
        line.map_or(0, |l| l.rsplit(' ').next().unwrap().parse().unwrap())
    };
    let before: u64 = refused();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let now = record(&world, 2).unwrap();
    socket
        .send_to(&say(&world, 2, now.0, &now.1), world.gateway)
        .unwrap();
    until(5, "the thief is refused", &world, || refused() > before);
    let (revocations, said) = count(&world, out.index, epoch);
    assert_eq!(said, 0, "transactions of the revoked since it was put out");
    assert_eq!(revocations, 3, "one for each\n{}", world.logs());
    assert!(
        [0, 1]
            .iter()
            .all(|n| !record(&world, *n).unwrap().1.roles.has(Roles::LEFT)),
        "nobody else is"
    );
}
