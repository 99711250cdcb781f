//! A neighbourhood on 127.0.0.1: gateway and validators as real processes, devices as nodes in threads of the test.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use iotedge_core::crypto::{PublicKey, Software};
use iotedge_core::identity::attest::{Evidence, Measurement, Measurements};
use iotedge_core::identity::{CoseKey, enrol};
use iotedge_core::node::{Clock, Config, Event, Limits, Node, NodeSigner, Peer, Phase, Submission};
use iotedge_core::platform::{Platform, PlatformError};
use iotedge_core::sale::{Proof, Terms};
use iotedge_core::{Amount, Id, MAX_FRAME, MemberIndex, Millis};
use iotedge_gateway::{keys, memory};
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A process of ours that never outlives the test.
pub struct Process(pub Child);

impl Process {
    pub fn kill(mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// SIGTERM, and what came of it within `limit`.
    pub fn terminate(mut self, limit: Duration) -> Option<i32> {
        Command::new("kill")
            .args(["-TERM", &self.0.id().to_string()])
            .status()
            .unwrap();
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn tool(folder: &Path, args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_iotedge-gateway"))
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// A UDP port that is free now.
pub fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Files and addresses of one neighbourhood.
pub struct World {
    pub folder: tempfile::TempDir,
    pub gateway: SocketAddr,
    pub validators: Vec<SocketAddr>,
    pub metrics: SocketAddr,
    pub period: u64,
    /// Places of a device for what is unsettled: it issues no more than that.
    pub own: u16,
}

impl World {
    pub fn new(founders: usize, devices: usize, validators: usize, period: u64) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path();
        tool(
            folder,
            &[
                "ca",
                "init",
                "--name",
                "Acme",
                "--kind",
                "manufacturer",
                "--out",
                "maker",
            ],
        );
        tool(
            folder,
            &[
                "ca",
                "init",
                "--name",
                "Harbour",
                "--kind",
                "neighbourhood",
                "--out",
                "harbour",
            ],
        );
        let authority = ["--authority", "harbour/anchor.json"];
        let mut gw = vec![
            "provision",
            "--ca",
            "harbour",
            "--kind",
            "gateway",
            "--out",
            "gw",
        ];
        gw.extend(authority);
        tool(folder, &gw);
        let gateway = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let metrics = SocketAddr::from(([127, 0, 0, 1], free_port()));
        for n in 0..devices {
            let out = format!("dev-{n}");
            let mut args = vec!["provision", "--ca", "maker", "--out", &out];
            args.extend(authority);
            tool(folder, &args);
        }
        let mut set = String::new();
        let mut addresses = Vec::new();
        for n in 0..validators {
            let out = format!("val-{n}");
            let mut args = vec![
                "provision",
                "--ca",
                "harbour",
                "--kind",
                "validator",
                "--out",
                &out,
            ];
            args.extend(authority);
            tool(folder, &args);
            let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
            let key =
                keys::public_key_from(&folder.join(&out).join("device.json").to_string_lossy())
                    .unwrap();
            set += &format!(
                "[[validator]]\npublic_key = \"{}\"\nstake = 1\naddress = \"{address}\"\n",
                hex::encode(key.bytes())
            );
            addresses.push(address);
        }
        let config = format!(
            "listen = \"{gateway}\"\nmetrics = \"{metrics}\"\ndata = \"gw-data\"\nidentity = \"gw/device.json\"\nauthority_key = \"harbour/key.json\"\n\
             anchors = [\"maker/anchor.json\"]\nrevocations = [\"maker/revoked.crl\"]\nlog = \"info\"\n\
             [founding]\nfounders = {founders}\nwait_ms = 60000\n[policy]\nperiod_ms = {period}\nwitnesses = 1\nmax_members = 64\n\
             [limits]\nwindow = 4096\n[store]\ndurability = \"process\"\n{set}"
        );
        std::fs::write(folder.join("gateway.toml"), config).unwrap();
        for (n, address) in addresses.iter().enumerate() {
            let config = format!(
                "listen = \"{}\"\ndata = \"val-data-{n}\"\nidentity = \"val-{n}/device.json\"\nauthority = \"harbour/anchor.json\"\n\
                 anchors = [\"maker/anchor.json\"]\npeers = [\"{gateway}\"]\n[policy]\nperiod_ms = {period}\nmax_members = 64\n\
                 [limits]\nwindow = 4096\n[store]\ndurability = \"process\"\n",
                address
            );
            std::fs::write(folder.join(format!("val-{n}.toml")), config).unwrap();
        }
        Self {
            folder: temp,
            gateway,
            validators: addresses,
            metrics,
            period,
            own: 1_024,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn spawn(&self, command: &str, config: &str, log: &str) -> Process {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path(log))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_iotedge-gateway"))
            .args([command, "--config", config])
            .current_dir(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        Process(child)
    }

    pub fn run_gateway(&self) -> Process {
        self.spawn("run", "gateway.toml", "gateway.log")
    }

    pub fn run_validators(&self) -> Vec<Process> {
        (0..self.validators.len())
            .map(|n| self.run_validator(n))
            .collect()
    }

    pub fn run_validator(&self, n: usize) -> Process {
        let (config, log) = (format!("val-{n}.toml"), format!("val-{n}.log"));
        self.spawn("validator", &config, &log)
    }

    pub fn log(&self, name: &str) -> String {
        let mut text = String::new();
        if let Ok(mut file) = std::fs::File::open(self.path(name)) {
            let _ = file.read_to_string(&mut text);
        }
        text
    }

    /// The gateway's metrics page without the zeros.
    pub fn metrics(&self) -> String {
        use std::io::Write;
        let mut text = String::new();
        if let Ok(mut stream) = std::net::TcpStream::connect(self.metrics) {
            let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n");
            let _ = stream.read_to_string(&mut text);
        }
        let lines = text
            .lines()
            .filter(|l| l.starts_with("iotedge_") && !l.ends_with(" 0"));
        lines.map(|l| l.to_owned() + "\n").collect()
    }

    pub fn logs(&self) -> String {
        let mut text = self.metrics();
        for name in ["gateway.log", "val-0.log", "val-1.log", "val-2.log"] {
            let log = self.log(name);
            let tail: Vec<&str> = log.lines().rev().take(40).collect();
            text += &format!(
                "--- {name}\n{}\n",
                tail.into_iter().rev().collect::<Vec<_>>().join("\n")
            );
        }
        text
    }

    pub fn device(&self, n: usize) -> Device {
        Device::start(self, n, self.gateway, None)
    }

    /// A device that says which firmware it runs.
    pub fn device_with(&self, n: usize, firmware: [u8; 32]) -> Device {
        Device::start(self, n, self.gateway, Some(firmware))
    }

    /// A device that finds the gateway at another address.
    pub fn device_by(&self, n: usize, gateway: SocketAddr) -> Device {
        Device::start(self, n, gateway, None)
    }

    /// Adds lines to the gateway's configuration.
    pub fn configure(&self, text: &str) {
        let path = self.path("gateway.toml");
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, before + text).unwrap();
    }
}

#[derive(Default)]
pub struct MapPlatform {
    store: HashMap<u16, Vec<u8>>,
    /// What it measured at its boot; nothing where it cannot attest.
    pub firmware: Option<[u8; 32]>,
}

impl Platform for MapPlatform {
    fn random(&mut self, out: &mut [u8]) -> Result<(), PlatformError> {
        getrandom::fill(out).map_err(|_| PlatformError::Random)
    }
    fn get(&mut self, key: u16, out: &mut [u8]) -> Result<Option<usize>, PlatformError> {
        let Some(value) = self.store.get(&key) else {
            return Ok(None);
        };
        out.get_mut(..value.len())
            .ok_or(PlatformError::StoreRead)?
            .copy_from_slice(value);
        Ok(Some(value.len()))
    }
    fn put(&mut self, key: u16, value: &[u8]) -> Result<(), PlatformError> {
        self.store.insert(key, value.to_vec());
        Ok(())
    }
    fn remove(&mut self, key: u16) -> Result<(), PlatformError> {
        self.store.remove(&key);
        Ok(())
    }
    fn attest(&mut self, tell: &mut dyn FnMut(&Evidence<'_>)) {
        let Some(digest) = &self.firmware else { return };
        let firmware = [Measurement {
            name: "firmware",
            digest,
        }];
        tell(&Evidence {
            model: b"test",
            measurements: Measurements::of(&firmware),
            ..Evidence::default()
        });
    }
}

/// What a device saw.
#[derive(Default)]
pub struct Seen {
    pub phase: Option<Phase>,
    pub index: Option<MemberIndex>,
    pub header: u32,
    pub sent: Vec<Id>,
    pub graded: BTreeMap<Id, u8>,
    pub receipts: Vec<(Id, Vec<u8>)>,
    /// What was set aside for this device.
    pub locked: Vec<(Id, Amount)>,
    pub refused_enrolment: Option<u8>,
}

/// What a device does once, as soon as it can, instead of its next reading.
#[derive(Clone)]
pub enum Wish {
    /// Pays 7.
    Pay(MemberIndex),
    /// Sets aside 1,000 under vouchers of this key, for so many milliseconds.
    Lock(MemberIndex, PublicKey, u32),
    /// Claims a total of a lock, and wants no more where this says so.
    Claim(Id, u64, [u8; 64], bool),
}

/// A device in a thread: enrols, publishes a reading every 150 ms, talks to the gateway and to whoever speaks to it.
pub struct Device {
    pub seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    talk: Arc<AtomicBool>,
    wish: Arc<Mutex<Option<Wish>>>,
    thread: Option<JoinHandle<()>>,
    pub address: SocketAddr,
}

impl Device {
    fn start(world: &World, n: usize, gateway: SocketAddr, firmware: Option<[u8; 32]>) -> Self {
        let path = world.path(&format!("dev-{n}/device.json"));
        let file: keys::DeviceFile = keys::read_json(&path).unwrap();
        let secret = keys::load_any_secret(&path).unwrap();
        let authority = keys::public_key(&file.authority_public_key).unwrap();
        let chain: Vec<Vec<u8>> = file.chain.iter().map(|c| hex::decode(c).unwrap()).collect();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let talk = Arc::new(AtomicBool::new(true));
        let wish = Arc::new(Mutex::new(None));
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let own = world.own;
        let thread = {
            let (seen, stop, talk, wish) = (seen.clone(), stop.clone(), talk.clone(), wish.clone());
            std::thread::spawn(move || {
                live(
                    socket, gateway, own, secret, authority, chain, firmware, &seen, &stop, &talk,
                    &wish,
                )
            })
        };
        Self {
            seen,
            stop,
            talk,
            wish,
            thread: Some(thread),
            address,
        }
    }

    /// See [`Wish`].
    pub fn wish(&self, wish: Wish) {
        *self.wish.lock().unwrap() = Some(wish);
    }

    /// Goes on following, but says nothing new.
    pub fn hush(&self) {
        self.talk.store(false, Ordering::Relaxed);
    }

    pub fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.end();
    }
}

/// A SenML reading.
fn reading(n: u64) -> Vec<u8> {
    use iotedge_core::wire::senml::{Decimal, Reading, encode};
    let reading = Reading {
        name: "room/temp",
        unit: Some("Cel"),
        value: Decimal::new(200 + i64::try_from(n % 50).unwrap(), -1).unwrap(),
        time: None,
    };
    let mut out = [0; 64];
    encode(None, &[reading], &mut out).unwrap().to_vec()
}

#[expect(clippy::too_many_arguments, reason = "a thread's whole world")]
fn live(
    socket: UdpSocket,
    gateway: SocketAddr,
    own: u16,
    secret: keys::Secret,
    authority: PublicKey,
    chain: Vec<Vec<u8>>,
    firmware: Option<[u8; 32]>,
    seen: &Mutex<Seen>,
    stop: &AtomicBool,
    talk: &AtomicBool,
    wish: &Mutex<Option<Wish>>,
) {
    let limits = Limits {
        window: 4096,
        members: 64,
        aside: 64,
        own,
        raw: 1 << 20,
        ..Limits::SMALL
    };
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let mut config = Config::member(authority, &chain);
    let start = Instant::now();
    let absolute = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis();
    config.clock = Clock::Offset(i64::try_from(absolute).unwrap() - 1);
    // A P-256 key is in an element of its own: the node asks it for each signature.
    let (signer, element) = match secret {
        keys::Secret::Ed25519(secret) => (NodeSigner::Software(secret), None),
        element @ keys::Secret::Es256(_) => {
            let key = element.public_key();
            let statement = enrol::statement(&authority, &CoseKey::thumbprint(&key)).unwrap();
            config.enrolment = Some(element.sign(statement.as_bytes()).unwrap());
            (NodeSigner::External(key), Some(element))
        }
    };
    let mut node: Node<'static, MapPlatform, Software> = Node::new(
        memory::allocate(&limits).unwrap(),
        limits,
        &config,
        signer,
        MapPlatform {
            firmware,
            ..MapPlatform::default()
        },
        Software,
    )
    .unwrap();
    let now = || Millis(u64::try_from(start.elapsed().as_millis()).unwrap() + 1);
    node.add_peer(now(), Peer(0), true).unwrap();
    // By the number of the neighbour: the gateway, and whoever else speaks to it.
    let mut others = vec![gateway];
    socket
        .set_read_timeout(Some(Duration::from_millis(5)))
        .unwrap();
    let mut buffer = [0; MAX_FRAME + 1];
    let mut next = Millis(0);
    while !stop.load(Ordering::Relaxed) {
        if let Ok((len, from)) = socket.recv_from(&mut buffer) {
            let known = others.iter().position(|a| *a == from);
            let peer = known.or_else(|| {
                let peer = others.len();
                let added = node.add_peer(now(), Peer(u16::try_from(peer).unwrap()), false);
                others.push(from);
                added.ok().map(|()| peer)
            });
            if let Some(peer) = peer {
                let _ = node.receive(now(), Peer(u16::try_from(peer).unwrap()), &buffer[..len]);
            }
        }
        let status = node.status(now());
        let phase = status.phase;
        if phase == Phase::Active && now() >= next && talk.load(Ordering::Relaxed) {
            next = Millis(now().0 + 150);
            let mut wish = wish.lock().unwrap();
            let said = reading(next.0);
            let submission = match &*wish {
                None => Submission::Data(&said),
                Some(Wish::Pay(to)) => Submission::Transfer {
                    to: *to,
                    amount: Amount(7),
                },
                Some(Wish::Lock(to, key, term)) => Submission::Lock {
                    to: *to,
                    amount: Amount(1_000),
                    term: *term,
                    terms: Terms::Vouchers { key: *key },
                },
                Some(Wish::Claim(lock, total, signature, last)) => Submission::Claim {
                    lock: *lock,
                    last: *last,
                    proof: Proof::Voucher {
                        total: Amount(*total),
                        signature,
                    },
                },
            };
            // Until it is taken: the payee may be known, or the credits settled, only later.
            if node.submit(now(), &submission, None).is_ok() {
                *wish = None;
            }
        }
        while let Some((to, len)) = node.next_frame(now(), &mut buffer[..MAX_FRAME]) {
            let _ = socket.send_to(&buffer[..len], others[usize::from(to.0)]);
        }
        let mut seen = seen.lock().unwrap();
        seen.phase = Some(phase);
        seen.index = status.index;
        seen.header = node.headers().newest().0;
        while let Some(event) = node.next_event() {
            match event {
                Event::Sent { id, .. } => seen.sent.push(id),
                Event::Locked { id, amount, .. } => seen.locked.push((id, amount)),
                Event::Graded { id, grade, .. } => {
                    seen.graded.insert(id, grade as u8);
                }
                Event::Receipt { id, .. } => {
                    let mut out = [0; 4096];
                    if let Some(len) = node.receipt(&id, &mut out) {
                        seen.receipts.push((id, out[..len].to_vec()));
                    }
                }
                Event::SignatureNeeded => {
                    let element = element.as_ref().unwrap();
                    let message = node.sign_input().map(<[u8]>::to_vec);
                    if let Some(message) = message {
                        let _ = node.sign_output(now(), &element.sign(&message).unwrap());
                    }
                }
                Event::EnrolRefused { status } => seen.refused_enrolment = Some(status),
                _ => {}
            }
        }
    }
}

/// Waits until `holds`, at most `seconds`; the message is made only when it does not.
pub fn until(seconds: u64, what: &str, world: &World, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("not within {seconds} s: {what}\n{}", world.logs());
}
