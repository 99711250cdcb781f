//! The processes under load: a real `iotedge-gateway run` with its validators, on loopback ports, in a folder of its own.
//!
//! Invariant: what was started ends with the value that holds it, and its folder goes too.

use anyhow::{Context, Result, bail, ensure};
use iotedge_core::crypto::SecretKey;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What the neighbourhood is made with.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The `iotedge-gateway` binary.
    pub binary: PathBuf,
    /// Devices that found the neighbourhood.
    pub devices: u16,
    /// Validator processes.
    pub validators: u16,
    /// T in milliseconds.
    pub period: u64,
    /// Vertices in the window of gateway and validators.
    pub window: u32,
    /// `power` or `process`.
    pub durability: String,
}

/// A child that never outlives this value.
pub struct Process(Child);

impl Process {
    /// Its id, for `/proc`.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A neighbourhood that runs.
pub struct World {
    /// Where the gateway listens.
    pub address: SocketAddr,
    /// The gateway.
    pub gateway: Process,
    /// The validators.
    pub validators: Vec<Process>,
    /// Signs device certificates.
    pub maker: SecretKey,
    /// Signs the genesis.
    pub authority: SecretKey,
    /// Vertices in the window of gateway and validators.
    pub window: u32,
    pages: Vec<SocketAddr>,
    folder: PathBuf,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl World {
    /// Makes the authorities, the configuration and the processes.
    ///
    /// # Errors
    /// A tool failed, or a process does not listen.
    pub fn start(plan: &Plan) -> Result<Self> {
        let folder =
            std::env::temp_dir().join(format!("iotedge-gateway-load-{}", std::process::id()));
        std::fs::create_dir(&folder).with_context(|| folder.display().to_string())?;
        let made = Self::start_in(plan, &folder);
        if made.is_err() {
            let _ = std::fs::remove_dir_all(&folder);
        }
        made
    }

    fn start_in(plan: &Plan, folder: &Path) -> Result<Self> {
        let tool = |line: &str| -> Result<()> {
            let output = Command::new(&plan.binary)
                .args(line.split(' '))
                .current_dir(folder)
                .output()
                .with_context(|| plan.binary.display().to_string())?;
            ensure!(
                output.status.success(),
                "{line}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            Ok(())
        };
        tool("ca init --name Load --kind manufacturer --out maker")?;
        tool("ca init --name Bench --kind neighbourhood --out home")?;
        tool("provision --ca home --kind gateway --authority home/anchor.json --out gw")?;
        let (address, metrics) = (free_port()?, free_port()?);
        let common = format!(
            "log = \"info,iotedge_gateway::admission=error\"\n[limits]\nwindow = {}\nraw_bytes = {}\npeers = {}\n[store]\ndurability = \"{}\"\nkeep_epochs = 2\n[policy]\n\
             period_ms = {}\nwitnesses = 1\nmax_members = {}\ngrant = 1000000000000\ncap_transaction = 1000\ncap_peer = 1000000000\n\
             cap_exposure = 1000000000\n",
            plan.window,
            plan.window.saturating_mul(256).max(1 << 20),
            plan.devices + plan.validators + 16,
            plan.durability,
            plan.period,
            plan.devices + 8,
        );
        let mut set = String::new();
        let mut homes = Vec::new();
        let mut pages = vec![metrics];
        for n in 0..plan.validators {
            tool(&format!(
                "provision --ca home --kind validator --authority home/anchor.json --out val-{n}"
            ))?;
            let key = seed(&folder.join(format!("val-{n}/device.json")))?.public_key();
            let (home, page) = (free_port()?, free_port()?);
            pages.push(page);
            set += &format!(
                "[[validator]]\npublic_key = \"{}\"\nstake = 1\naddress = \"{home}\"\n",
                hex::encode(key.bytes())
            );
            std::fs::write(
                folder.join(format!("val-{n}.toml")),
                format!(
                    "listen = \"{home}\"\nmetrics = \"{page}\"\ndata = \"val-data-{n}\"\nidentity = \"val-{n}/device.json\"\nauthority = \"home/anchor.json\"\n\
                     anchors = [\"maker/anchor.json\"]\npeers = [\"{address}\"]\n{common}"
                ),
            )?;
            homes.push(format!("val-{n}.toml"));
        }
        std::fs::write(
            folder.join("gateway.toml"),
            format!(
                "listen = \"{address}\"\nmetrics = \"{metrics}\"\ndata = \"gw-data\"\nidentity = \"gw/device.json\"\nauthority_key = \"home/key.json\"\n\
                 anchors = [\"maker/anchor.json\"]\n{common}[founding]\nfounders = {}\nwait_ms = 600000\n{set}",
                plan.devices
            ),
        )?;
        let spawn = |command: &str, config: &str| -> Result<Process> {
            let log = std::fs::File::create(folder.join(config).with_extension("log"))?;
            let child = Command::new(&plan.binary)
                .args([command, "--config", config])
                .current_dir(folder)
                .stdout(Stdio::null())
                .stderr(Stdio::from(log))
                .spawn()?;
            Ok(Process(child))
        };
        let gateway = spawn("run", "gateway.toml")?;
        let validators = homes
            .iter()
            .map(|config| spawn("validator", config))
            .collect::<Result<_>>()?;
        let world = Self {
            address,
            gateway,
            validators,
            maker: seed(&folder.join("maker/key.json"))?,
            authority: seed(&folder.join("home/key.json"))?,
            window: plan.window,
            pages,
            folder: folder.to_owned(),
        };
        for _ in 0..200 {
            if world.page().is_ok() {
                return Ok(world);
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        bail!("the gateway does not start:\n{}", world.logs());
    }

    /// The last lines of the gateway's and the validators' logs.
    pub fn logs(&self) -> String {
        let mut text = String::new();
        for name in ["gateway.log", "val-0.log"] {
            let log = std::fs::read_to_string(self.folder.join(name)).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines.len().saturating_sub(30);
            text += &format!("--- {name}\n{}\n", lines[tail..].join("\n"));
        }
        text
    }

    /// The gateway's metrics page, newest at most half a second old.
    ///
    /// # Errors
    /// It does not answer.
    pub fn page(&self) -> Result<String> {
        self.page_of(0)
    }

    /// That of the gateway (0) or of a validator (1 and on).
    ///
    /// # Errors
    /// It does not answer.
    pub fn page_of(&self, process: usize) -> Result<String> {
        let address = self.pages.get(process).context("no such process")?;
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    }
}

/// A value of a metrics page; 0 where it is not there.
pub fn metric(page: &str, name: &str) -> f64 {
    page.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
        .unwrap_or(0.0)
}

/// Everything refused, by reason.
pub fn refusals(page: &str) -> Vec<(String, u64)> {
    page.lines()
        .filter_map(|line| {
            let (reason, count) = line
                .strip_prefix("iotedge_refused_total{reason=\"")?
                .split_once("\"} ")?;
            let count = count.parse().ok()?;
            (count > 0).then(|| (reason.to_owned(), count))
        })
        .collect()
}

/// Resident memory of a process in KiB, now.
///
/// # Errors
/// The process is gone.
pub fn resident(process: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}

/// Seconds that a process has run on a core, user and system. The kernel counts in hundredths.
///
/// # Errors
/// The process is gone.
pub fn cpu(process: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, rest) = text.rsplit_once(')').context("stat")?;
    let ticks =
        |field: usize| -> Option<f64> { rest.split_ascii_whitespace().nth(field)?.parse().ok() };
    let (user, system) = ticks(11).zip(ticks(12)).context("stat")?;
    Ok((user + system) / rustix::param::clock_ticks_per_second() as f64)
}

fn free_port() -> Result<SocketAddr> {
    Ok(UdpSocket::bind("127.0.0.1:0")?.local_addr()?)
}

fn seed(path: &Path) -> Result<SecretKey> {
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let seed = hex::decode(json["seed"].as_str().context("seed")?)?;
    let seed: [u8; 32] = seed.try_into().ok().context("seed")?;
    SecretKey::from_seed(&seed).ok().context("seed")
}
