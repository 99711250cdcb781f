//! Devices at the end of serial lines among devices on UDP: they enrol, publish, pay and are paid, and get their receipts, over lines that bend bytes,
//! break off and come back. The C programs need `ci/serial`, which builds them.

mod common;

use common::{Device, Process, Wish, World, until};
use iotedge_core::node::Phase;
use iotedge_core::wire::serial::{CRC, Decoder, MAX_ENCODED, encode};
use iotedge_core::{MAX_FRAME, MemberIndex};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a line does to its bytes.
#[derive(Default)]
struct Weather {
    /// One bit of so many bytes is flipped; 0: none.
    every: AtomicU64,
    flipped: AtomicU64,
    /// The line breaks off.
    cut: AtomicBool,
    over: AtomicBool,
}

impl Weather {
    fn bend(&self, bytes: &mut [u8], passed: &mut u64) {
        for byte in bytes {
            *passed += 1;
            let every = self.every.load(Ordering::Relaxed);
            // Not always the same bit of the same field.
            if every > 0
                && passed
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                    .is_multiple_of(every)
            {
                *byte ^= 1 << (*passed % 8);
                self.flipped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn ends(&self) -> bool {
        self.cut.load(Ordering::Relaxed) || self.over.load(Ordering::Relaxed)
    }
}

/// Carries bytes one way until an end closes or the weather says so.
fn pump(mut from: impl Read, mut to: impl Write, weather: &Weather) {
    let (mut bytes, mut passed) = ([0; 256], 0);
    while !weather.ends() {
        match from.read(&mut bytes) {
            Ok(0) => break,
            Ok(len) => {
                weather.bend(&mut bytes[..len], &mut passed);
                if to.write_all(&bytes[..len]).is_err() {
                    break;
                }
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
}

/// Two ports, each as QEMU's `-serial tcp:...,server`: who connects to one hears who connects to the other.
struct Cable {
    gateway: SocketAddr,
    device: SocketAddr,
    weather: Arc<Weather>,
}

impl Cable {
    fn new() -> Self {
        let open = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (near, far) = (open(), open());
        let weather = Arc::new(Weather::default());
        let cable = Self {
            gateway: near.local_addr().unwrap(),
            device: far.local_addr().unwrap(),
            weather: weather.clone(),
        };
        std::thread::spawn(move || {
            while !weather.over.load(Ordering::Relaxed) {
                let (Ok((a, _)), Ok((b, _))) = (near.accept(), far.accept()) else {
                    return;
                };
                weather.cut.store(false, Ordering::Relaxed);
                std::thread::scope(|scope| {
                    for (from, to) in [(&a, &b), (&b, &a)] {
                        from.set_read_timeout(Some(Duration::from_millis(20)))
                            .unwrap();
                        let weather = &weather;
                        scope.spawn(move || {
                            pump(from, to, weather);
                            let _ = from.shutdown(Shutdown::Both);
                            let _ = to.shutdown(Shutdown::Both);
                        });
                    }
                });
            }
        });
        cable
    }

    /// The line breaks off; both ends open it again.
    fn cut(&self) {
        self.weather.cut.store(true, Ordering::Relaxed);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.weather.over.store(true, Ordering::Relaxed);
    }
}

/// A board's UART: datagrams of a device's socket become frames on the line, and back. Gives the address that the device takes for the gateway.
fn modem(line: SocketAddr, over: Arc<Weather>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(2)))
        .unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut device = None;
        while !over.over.load(Ordering::Relaxed) {
            let Ok(mut stream) = TcpStream::connect(line) else {
                std::thread::sleep(Duration::from_millis(50));
                continue;
            };
            stream
                .set_read_timeout(Some(Duration::from_millis(2)))
                .unwrap();
            stream.set_nodelay(true).unwrap();
            let mut room = [0; MAX_FRAME + CRC];
            let mut decoder = Decoder::new(&mut room);
            let (mut bytes, mut out) = ([0; 2048], [0; MAX_ENCODED]);
            while !over.over.load(Ordering::Relaxed) {
                while let Ok((len, from)) = socket.recv_from(&mut bytes) {
                    device = Some(from);
                    let len = encode(&bytes[..len], &mut out).unwrap();
                    if stream.write_all(&out[..len]).is_err() {
                        break;
                    }
                }
                match stream.read(&mut bytes) {
                    Ok(0) => break,
                    Ok(len) => {
                        let mut rest = &bytes[..len];
                        while let (taken, Some(frame)) = decoder.take(rest) {
                            if let Some(device) = device {
                                let _ = socket.send_to(frame, device);
                            }
                            rest = &rest[taken..];
                        }
                    }
                    Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                    Err(_) => break,
                }
            }
        }
    });
    address
}

fn active(device: &Device) -> bool {
    device.seen.lock().unwrap().phase == Some(Phase::Active)
}

fn header(device: &Device) -> u32 {
    device.seen.lock().unwrap().header
}

fn receipts(device: &Device) -> usize {
    device.seen.lock().unwrap().receipts.len()
}

fn index(device: &Device) -> MemberIndex {
    device.seen.lock().unwrap().index.unwrap()
}

/// One value of the metrics page.
fn metric(world: &World, name: &str) -> u64 {
    let page = world.metrics();
    let line = page
        .lines()
        .find_map(|l| l.strip_prefix(&format!("iotedge_{name} ")));
    line.map_or(0, |value| value.parse().unwrap())
}

#[test]
fn a_device_on_a_bad_line_is_a_member_like_others() {
    let world = World::new(3, 3, 3, 3_000);
    let cable = Cable::new();
    world.configure(&format!("[[serial]]\nport = \"tcp:{}\"\n", cable.gateway));
    let mut gateway = world.run_gateway();
    let _validators = world.run_validators();
    let mut devices: Vec<Device> = (0..2).map(|n| world.device(n)).collect();
    devices.push(world.device_by(2, modem(cable.device, cable.weather.clone())));
    until(30, "three are members, one by the line", &world, || {
        devices.iter().all(active)
    });
    let wired = &devices[2];
    until(60, "it has receipts", &world, || receipts(wired) > 3);

    // A bit in 400 bytes: every third transaction is lost. And twice it breaks off.
    cable.weather.every.store(400, Ordering::Relaxed);
    for _ in 0..2 {
        let before = (header(wired), receipts(wired));
        cable.cut();
        until(90, "it goes on over noise and a cut", &world, || {
            header(wired) > before.0 + 1 && receipts(wired) > before.1
        });
    }
    // Paid and pays, by the line.
    let before = receipts(wired);
    wired.wish(Wish::Pay(index(&devices[0])));
    devices[0].wish(Wish::Pay(index(wired)));
    until(90, "receipts of payments", &world, || {
        receipts(wired) > before + 2
    });

    // The other end of the line goes, and comes back.
    gateway.kill();
    std::thread::sleep(Duration::from_millis(700));
    gateway = world.run_gateway();
    let before = header(wired);
    until(
        90,
        "it goes on after the gateway was killed",
        &world,
        || header(wired) > before + 1,
    );

    assert!(cable.weather.flipped.load(Ordering::Relaxed) > 20);
    until(5, "the line's damage is counted", &world, || {
        let noise = metric(&world, "serial_corrupt_total{line=\"0\"}")
            + metric(&world, "serial_cut_total{line=\"0\"}");
        noise > 2 && metric(&world, "serial_up{line=\"0\"}") == 1
    });
    for device in &devices {
        device.hush();
    }
    // What was bent was dropped: nobody became a cheat, and nothing that is no frame came through.
    let log = world.log("gateway.log");
    assert!(
        !log.contains("equivocation") && !log.contains("frozen"),
        "{log}"
    );
    assert_eq!(metric(&world, "refused_total{reason=\"Signature\"}"), 0);
    assert_eq!(
        gateway.terminate(Duration::from_secs(5)),
        Some(0),
        "{}",
        world.logs()
    );
}

#[test]
fn a_line_that_cannot_be_listened_on_is_named() {
    let world = World::new(1, 1, 1, 3_000);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("tcp-listen:{}", taken.local_addr().unwrap());
    world.configure(&format!("[[serial]]\nport = \"{port}\"\n"));
    let status = world.run_gateway().0.wait().unwrap();
    assert_eq!(status.code(), Some(1));
    let log = world.log("gateway.log");
    assert!(
        log.contains("gateway.toml: serial:") && log.contains(&port),
        "{log}"
    );
}

/// A pair of pseudo-terminals with a cable between them; gives their device files.
fn null_modem(weather: &Arc<Weather>) -> [PathBuf; 2] {
    use std::os::fd::{AsRawFd, OwnedFd};
    let ends = [(); 2].map(|()| {
        let (mut end, tty) = serial2::SerialPort::pair().unwrap();
        end.set_read_timeout(Duration::from_millis(20)).unwrap();
        let tty = OwnedFd::from(tty);
        let file = std::fs::read_link(format!("/proc/self/fd/{}", tty.as_raw_fd())).unwrap();
        (Arc::new(end), tty, file)
    });
    let files = [ends[0].2.clone(), ends[1].2.clone()];
    for (from, to) in [(0, 1), (1, 0)] {
        let (from, to) = (ends[from].0.clone(), ends[to].0.clone());
        let weather = weather.clone();
        std::thread::spawn(move || pump(&*from, &*to, &weather));
    }
    // They stay open as long as the test: a terminal that nobody has open hangs up.
    std::mem::forget(ends);
    files
}

/// A C program of `ci/c-build`.
fn program(name: &str) -> Command {
    let folder = std::env::var("IOTEDGE_PROGRAMS")
        .expect("run ci/serial: it builds the C programs and says where they are");
    Command::new(Path::new(&folder).join(name))
}

/// Starts a C program; what it says goes to a file.
fn start(world: &World, mut command: Command, log: &str) -> Process {
    let out = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(world.path(log))
        .unwrap();
    command.current_dir(world.folder.path());
    command
        .stdout(Stdio::from(out.try_clone().unwrap()))
        .stderr(Stdio::from(out));
    Process(command.spawn().unwrap())
}

/// A number in the last line of JSON that a device wrote.
fn said(world: &World, log: &str, field: &str) -> u64 {
    let text = world.log(log);
    let last = text
        .lines()
        .rev()
        .find(|l| l.starts_with('{') && l.ends_with('}'));
    let json: Option<serde_json::Value> = last.and_then(|l| serde_json::from_str(l).ok());
    json.and_then(|j| j[field].as_u64()).unwrap_or(0)
}

#[test]
#[ignore = "needs the C programs: ci/serial"]
fn c_devices_on_a_tty_and_a_socket() {
    let world = World::new(3, 3, 3, 4_000);
    let weather = Arc::new(Weather::default());
    let (cable, third) = (Cable::new(), Cable::new());
    let [near, far] = null_modem(&weather);
    world.configure(&format!(
        "[[serial]]\nport = \"{}\"\nbaud = 115200\n[[serial]]\nport = \"tcp:{}\"\n[[serial]]\nport = \"tcp:{}\"\n",
        near.display(),
        cable.gateway,
        third.gateway
    ));
    common::tool(
        world.folder.path(),
        &[
            "provision",
            "--ca",
            "maker",
            "--kind",
            "leaf",
            "--authority",
            "harbour/anchor.json",
            "--out",
            "leaf",
        ],
    );
    let gateway = world.run_gateway();
    let _validators = world.run_validators();
    let ports: Vec<String> = (0..3)
        .map(|_| format!("127.0.0.1:{}", common::free_port()))
        .collect();
    let device = |n: usize, more: &[&str]| {
        let mut command = program("iotedge-device");
        let n = n.to_string();
        command.args([
            "--config",
            &format!("dev-{n}/device.json"),
            "--out",
            &format!("out-{n}"),
        ]);
        command
            .args(["--rate", "2", "--trade", "5", "--trade-every", "700"])
            .args(more);
        start(&world, command, &format!("dev-{n}.log"))
    };
    let tty = far.to_string_lossy().into_owned();
    let socket = format!("tcp:{}", cable.device);
    // One that has the line only, one that is a leaf's neighbour too, one without a line.
    let wired = device(0, &["--serial", &tty]);
    let _both = device(
        1,
        &[
            "--serial", &socket, "--listen", &ports[0], "--peer", &ports[1],
        ],
    );
    let gateway_at = world.gateway.to_string();
    let _plain = device(2, &["--gateway", &gateway_at, "--listen", &ports[2]]);
    let logs = ["dev-0.log", "dev-1.log", "dev-2.log"];
    let all = |field: &str, least: u64| logs.iter().all(|l| said(&world, l, field) >= least);
    let tell = || -> String {
        logs.iter()
            .map(|l| world.log(l).lines().last().unwrap_or("").to_owned() + "\n")
            .collect()
    };
    until(90, "all three verify receipts", &world, || {
        all("receipts_verified", 3)
    });
    until(60, "pay and are paid", &world, || {
        all("payments_sent", 1) && all("payments_received", 1)
    });

    // A leaf by a line, and one of the devices by UDP.
    let mut leaf = program("iotedge-leaf");
    leaf.args(["--serial", &format!("tcp:{}", third.device)]);
    leaf.args(["leaf/device.json", "leaf-store", &ports[1], &ports[0]]);
    let _leaf = start(&world, leaf, "leaf.log");
    until(120, "what the leaf says is settled", &world, || {
        world.log("leaf.log").contains("settled")
    });

    // Noise on both, a cut, and a board that loses power.
    weather.every.store(500, Ordering::Relaxed);
    cable.weather.every.store(500, Ordering::Relaxed);
    cable.cut();
    std::thread::sleep(Duration::from_secs(3));
    wired.kill();
    std::thread::sleep(Duration::from_millis(500));
    let wired = device(0, &["--serial", &tty]);
    let began = Instant::now();
    until(120, "they go on", &world, || {
        let all_pay = all("receipts_verified", 6) && all("payments_sent", 1);
        began.elapsed() > Duration::from_secs(8) && all_pay
    });
    for log in logs {
        for field in ["receipts_wrong", "equivocations", "frozen"] {
            assert_eq!(said(&world, log, field), 0, "{log}: {field}\n{}", tell());
        }
    }
    assert!(
        weather.flipped.load(Ordering::Relaxed) + cable.weather.flipped.load(Ordering::Relaxed)
            > 10
    );
    for line in 0..2 {
        let noise = metric(&world, &format!("serial_corrupt_total{{line=\"{line}\"}}"))
            + metric(&world, &format!("serial_cut_total{{line=\"{line}\"}}"));
        assert!(noise > 0, "line {line}\n{}", world.metrics());
    }
    assert_eq!(wired.terminate(Duration::from_secs(5)), Some(0));
    weather.over.store(true, Ordering::Relaxed);
    assert_eq!(
        gateway.terminate(Duration::from_secs(5)),
        Some(0),
        "{}",
        world.logs()
    );
}
