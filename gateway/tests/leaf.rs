//! A device without a window over UDP: it joins through the real gateway, sends through it as its head, and asks devices whether the gateway passed everything on.

mod common;

use common::{Device, MapPlatform, World, tool, until};
use iotedge_core::crypto::Software;
use iotedge_core::leaf::{Config, Event, Leaf, Phase, Status, Submission};
use iotedge_core::node;
use iotedge_core::wire::{Certificates, EnrolStatus};
use iotedge_core::{MAX_FRAME, MemberIndex, Millis, Peer};
use iotedge_gateway::keys;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[derive(Default)]
struct Seen {
    events: Vec<Event>,
    status: Option<Status>,
}

/// A leaf in a thread; it says something whenever it may.
struct Sensor {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sensor {
    /// Neighbour 0 is the gateway.
    fn start(world: &World, name: &str, neighbours: Vec<SocketAddr>) -> Self {
        let path = world.path(&format!("{name}/device.json"));
        let file: keys::DeviceFile = keys::read_json(&path).unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (seen, stop) = (seen.clone(), stop.clone());
            std::thread::spawn(move || live(&file, &neighbours, &seen, &stop))
        };
        Self {
            seen,
            stop,
            thread: Some(thread),
        }
    }

    fn told(&self, what: impl Fn(&Event) -> bool) -> bool {
        self.seen.lock().unwrap().events.iter().any(what)
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn live(file: &keys::DeviceFile, neighbours: &[SocketAddr], seen: &Mutex<Seen>, stop: &AtomicBool) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(5)))
        .unwrap();
    let start = Instant::now();
    let absolute = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut config = Config::new(keys::public_key(&file.authority_public_key).unwrap());
    config.clock = Some(i64::try_from(absolute.as_millis()).unwrap() - 1);
    config.poll = Millis(100);
    let seed: [u8; 32] = hex::decode(&file.seed).unwrap().try_into().unwrap();
    let secret = iotedge_core::crypto::SecretKey::from_seed(&seed).unwrap();
    let mut room = [0; MAX_FRAME];
    let mut leaf = Leaf::new(config, secret, MapPlatform::default(), Software, &mut room).unwrap();
    for at in 0..neighbours.len() {
        leaf.add_peer(Peer(u16::try_from(at).unwrap()), at == 0)
            .unwrap();
    }
    let certificate = hex::decode(&file.chain[0]).unwrap();
    let certificates = Certificates {
        first: &certificate,
        second: None,
    };
    leaf.enrol(Millis(1), &certificates, None).unwrap();
    let now = || Millis(u64::try_from(start.elapsed().as_millis()).unwrap() + 1);
    let mut buffer = [0; MAX_FRAME + 1];
    while !stop.load(Ordering::Relaxed) {
        if let Ok((len, from)) = socket.recv_from(&mut buffer)
            && let Some(at) = neighbours.iter().position(|a| *a == from)
        {
            let peer = Peer(u16::try_from(at).unwrap());
            let _ = leaf.receive(now(), peer, &buffer[..len]);
        }
        if leaf.status().phase == Phase::Active {
            let _ = leaf.submit(now(), &Submission::Data(b"21.5 C"));
        }
        while let Some((to, frame)) = leaf.next_frame(now()) {
            let _ = socket.send_to(frame, neighbours[usize::from(to.0)]);
        }
        let mut seen = seen.lock().unwrap();
        seen.status = Some(leaf.status());
        while let Some(event) = leaf.next_event() {
            seen.events.push(event);
        }
    }
}

#[test]
fn a_leaf_joins_speaks_and_is_settled_through_the_gateway() {
    // A loaded machine makes members lag; what lags an epoch of less dies.
    let world = World::new(2, 2, 3, 5_000);
    for name in ["leaf-0", "leaf-1"] {
        let args = [
            "provision",
            "--ca",
            "maker",
            "--kind",
            "leaf",
            "--authority",
            "harbour/anchor.json",
            "--out",
            name,
        ];
        tool(world.folder.path(), &args);
    }
    let path = world.path("gateway.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let config = config.replace("max_members = 64", "max_members = 64\nmax_leaves = 1");
    std::fs::write(&path, config).unwrap();
    let gateway = world.run_gateway();
    let _validators = world.run_validators();
    // Alone it founds nothing: it has no weight.
    let mut leaf = Sensor::start(&world, "leaf-0", vec![world.gateway]);
    until(20, "the leaf is noted", &world, || {
        leaf.told(|e| *e == Event::EnrolAccepted)
    });
    assert!(!leaf.told(|e| matches!(e, Event::Joined { .. })));
    drop(leaf);

    let devices: Vec<Device> = (0..2).map(|n| world.device(n)).collect();
    let active = |d: &Device| d.seen.lock().unwrap().phase == Some(node::Phase::Active);
    until(30, "two devices are members", &world, || {
        devices.iter().all(active)
    });
    // It asked before the founding, so it is in the first table.
    let mut neighbours = vec![world.gateway];
    neighbours.extend(devices.iter().map(|d| d.address));
    leaf = Sensor::start(&world, "leaf-0", neighbours.clone());
    until(30, "the leaf is a member", &world, || {
        leaf.told(|e| matches!(e, Event::Member { .. }))
    });
    until(30, "what it says is witnessed by devices", &world, || {
        leaf.told(|e| matches!(e, Event::Witnessed { .. }))
    });
    until(120, "and settled", &world, || {
        leaf.told(|e| matches!(e, Event::Settled { .. }))
    });
    let status = leaf.seen.lock().unwrap().status.unwrap();
    assert!(status.number.0 > 0 && status.index > Some(MemberIndex(0)));
    // The gateway is its head, until a busy machine makes it too slow for T/8.
    let slow = Event::HeadSuspected { peer: Peer(0) };
    assert!(status.head == Some(Peer(0)) || leaf.told(|e| *e == slow));

    // The policy has room for one.
    let second = Sensor::start(&world, "leaf-1", neighbours);
    let status = EnrolStatus::Full;
    until(20, "a second one is refused", &world, || {
        second.told(|e| *e == Event::EnrolRefused { status })
    });
    assert!(!second.told(|e| matches!(e, Event::Member { .. })));
    assert_eq!(
        gateway.terminate(Duration::from_secs(5)),
        Some(0),
        "{}",
        world.logs()
    );
}
