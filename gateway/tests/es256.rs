//! A device whose P-256 key answers through the signer operation: it enrols, pays, and holds a receipt that strangers can check.

mod common;

use common::{Device, Wish, World, tool, until};
use iotedge_core::crypto::Suite;
use iotedge_core::node::Phase;
use iotedge_core::tx::{Body, Unverified};
use iotedge_core::wire::Reader;
use iotedge_core::{Amount, Id, MemberIndex};
use iotedge_gateway::check::{Trust, receipt};
use iotedge_gateway::cli::verify::SidecarEntry;
use iotedge_gateway::keys;
use iotedge_gateway::store::Store;

fn active(device: &Device) -> bool {
    device.seen.lock().unwrap().phase == Some(Phase::Active)
}

fn provision(world: &World, n: usize) {
    let out = format!("dev-{n}");
    let arguments = ["provision", "--ca", "maker", "--suite", "es256", "--out"];
    let authority = ["--authority", "harbour/anchor.json"];
    let all = [&arguments[..], &[out.as_str()], &authority].concat();
    tool(world.folder.path(), &all);
}

/// Ids of the payments in the store that are signed in ES256.
fn payments(world: &World) -> Vec<Id> {
    let store = Store::open_read_only(&world.path("gw-data")).unwrap();
    let mut found = Vec::new();
    store
        .each_tx(iotedge_core::Epoch(1), |tx| {
            let mut reader = Reader::new(&tx.raw);
            let parsed = Unverified::parse(reader.item().unwrap()).unwrap();
            let pays = matches!(parsed.payload().body, Body::Transfer { amount, .. } if amount == Amount(7));
            if pays && parsed.suite() == Suite::Es256 {
                found.push(tx.id);
            }
        })
        .unwrap();
    found
}

#[test]
fn a_device_with_a_p256_key_enrols_pays_and_holds_a_receipt() {
    let world = World::new(3, 2, 1, 3_000);
    let config = std::fs::read_to_string(world.path("gateway.toml")).unwrap();
    let config = config.replace("[policy]\n", "[policy]\nes256 = true\n");
    std::fs::write(world.path("gateway.toml"), config).unwrap();
    provision(&world, 2);
    provision(&world, 3);
    let gateway = world.run_gateway();
    let _validators = world.run_validators();
    // One is a founder, the other joins later by a transaction that every validator checks.
    let devices: Vec<Device> = (0..3).map(|n| world.device(n)).collect();
    until(30, "three devices are members", &world, || {
        devices.iter().all(active)
    });
    let late = world.device(3);
    until(60, "the late one is a member", &world, || active(&late));
    let held = |device: &Device, id: &Id| {
        let seen = device.seen.lock().unwrap();
        seen.receipts.iter().any(|(of, _)| of == id)
    };
    // Paid at once, before a vertex of its epoch can be: rejected, and no harm to the payer's chain.
    devices[0].wish(Wish::Pay(MemberIndex(4)));
    let header = |d: &Device| d.seen.lock().unwrap().header;
    let joined = header(&devices[2]);
    until(40, "the next epoch", &world, || {
        header(&devices[2]) > joined
    });
    // Who joined has no credits: the founder pays it, and it pays on what was settled.
    devices[2].wish(Wish::Pay(MemberIndex(4)));
    until(40, "the founder's payment has its receipt", &world, || {
        payments(&world).iter().any(|id| held(&devices[2], id))
    });
    late.wish(Wish::Pay(MemberIndex(1)));
    until(60, "the second payment has its receipt", &world, || {
        payments(&world).iter().any(|id| held(&late, id))
    });
    assert_eq!(
        gateway.terminate(std::time::Duration::from_secs(5)),
        Some(0)
    );

    let store = Store::open_read_only(&world.path("gw-data")).unwrap();
    let genesis = store.meta("genesis").unwrap().unwrap();
    let set = store.meta("set").unwrap().unwrap();
    let (_, authority) = keys::Anchor::load(&world.path("harbour/anchor.json")).unwrap();
    let trust = Trust::new(&genesis, &set, &authority).unwrap();
    drop(store);
    for device in [&devices[2], &late] {
        let seen = device.seen.lock().unwrap();
        for (id, bytes) in &seen.receipts {
            assert_eq!(receipt(bytes, &trust).unwrap().tx, *id);
        }
    }

    // Offline, by the tools: transactions of both suites, and the certificate.
    let folder = world.folder.path();
    tool(folder, &["export", "--data", "gw-data", "--out", "out"]);
    let entries: Vec<SidecarEntry> = keys::read_json(&world.path("out/tx.json")).unwrap();
    let paid = payments(&world);
    let files: Vec<&SidecarEntry> = entries
        .iter()
        .filter(|e| paid.iter().any(|id| id.to_string() == e.id))
        .collect();
    assert!(!files.is_empty(), "the sample has a payment");
    for entry in files {
        let file = format!("out/{}", entry.file);
        tool(
            folder,
            &["verify", "transaction", "--sidecar", "out/tx.json", &file],
        );
    }
    tool(
        folder,
        &[
            "verify",
            "certificate",
            "--anchor",
            "maker/anchor.json",
            "dev-3/device.cwt",
        ],
    );
    if let Ok(keep) = std::env::var("IOTEDGE_KEEP_EXPORT") {
        std::process::Command::new("cp")
            .args(["-r", &world.path("out").to_string_lossy(), &keep])
            .status()
            .unwrap();
    }
}

#[test]
fn without_the_policy_a_p256_key_is_not_admitted() {
    let world = World::new(3, 2, 1, 3_000);
    provision(&world, 2);
    let _gateway = world.run_gateway();
    let device = world.device(2);
    until(20, "it is refused", &world, || {
        device.seen.lock().unwrap().refused_enrolment.is_some()
    });
    assert!(world.log("gateway.log").contains("policy.es256"));
}
