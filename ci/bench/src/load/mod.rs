//! A gateway under load: 200 light devices in one thread, each with its socket on loopback and its key, against a real
//! `iotedge-gateway run` with its validators.
//!
//! Closed loop: a device sends a burst of transactions and HEADS_REQUEST, and speaks again once HEADS names its last one. The
//! gateway commits a turn before its frames leave, so HEADS acknowledges what survives SIGKILL. At most `in_flight` devices
//! wait for an answer at one time, so that the load is bounded and waits in sockets' buffers instead of being lost.

mod device;
mod world;

pub use device::{Counts, Signed};
pub use world::{Plan, World, cpu, metric, refusals, resident};

use anyhow::{Result, bail, ensure};
use device::Device;
use iotedge_core::crypto::{PublicKey, Software};
use iotedge_core::identity::UnverifiedGenesis;
use iotedge_core::posp::SignedHeader;
use iotedge_core::{Epoch, HeaderNumber, Id, MAX_FRAME, MemberIndex, Millis};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Unanswered for so long, in seconds: sent again.
const PATIENCE: f64 = 0.5;
/// Signatures kept for the bare loop.
const SAMPLES: usize = 4_096;

/// What all devices know of their neighbourhood. They learn it from the same frames, so one copy serves all.
pub struct Home {
    authority: PublicKey,
    neighbourhood: Id,
    g0: Id,
    parent_age: Millis,
    period: Millis,
    clocks: BTreeMap<Epoch, Millis>,
    samples: Vec<Signed>,
    wanted: usize,
}

impl Home {
    fn tag(&self) -> [u8; 4] {
        self.neighbourhood.tag()
    }

    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Millis(since.map_or(0, |d| d.as_millis() as u64))
    }

    fn clock(&self, epoch: Epoch) -> Option<Millis> {
        self.clocks.get(&epoch).copied()
    }

    fn found(&mut self, cose: &[u8]) {
        if self.neighbourhood != Id::ZERO {
            return;
        }
        let Ok((genesis, id)) =
            UnverifiedGenesis::parse(cose).and_then(|g| g.verify(&self.authority, &mut Software))
        else {
            return;
        };
        self.neighbourhood = id;
        self.g0 = genesis.g0();
        self.parent_age = genesis.parent_age;
        self.period = genesis.period;
        self.clocks.insert(Epoch(1), genesis.start);
    }

    /// The newest settled cut.
    fn cut(&self) -> Millis {
        self.clocks.values().max().copied().unwrap_or(Millis(0))
    }

    fn header(&mut self, cose: &[u8]) {
        if let Ok(signed) = SignedHeader::parse(cose) {
            let HeaderNumber(number) = signed.header().number;
            self.clocks
                .insert(HeaderNumber(number).opens(), signed.header().cut);
        }
    }
}

/// How hard and how long.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Transactions until the end.
    pub transactions: u64,
    /// Transactions in a burst.
    pub burst: u32,
    /// Devices that wait for an answer at one time.
    pub in_flight: usize,
    /// Transactions of one device that are not settled yet, at most: the places for own ones that a real device has.
    pub places: usize,
    /// Ends it, however many were sent.
    pub seconds: u64,
    /// Resident memory is taken first after so many.
    pub young: u64,
}

/// What came of it.
pub struct Outcome {
    /// Transactions that the gateway inserted during the load, by its own metrics.
    pub accepted: f64,
    /// Seconds of load.
    pub seconds: f64,
    /// Seconds from the first send of a burst to its acknowledgement, sorted.
    pub latencies: Vec<f64>,
    /// What the devices counted, summed.
    pub counts: Counts,
    /// Resident KiB of the gateway after `young` and at the end; the most seen between.
    pub resident: (f64, f64, f64),
    /// Resident KiB of the gateway after ten times `young`.
    pub grown: Option<f64>,
    /// Resident KiB of the first validator after `young` and at the end.
    pub validator: (f64, f64),
    /// Vertices that the window holds.
    pub window: f64,
    /// Seconds, transactions acknowledged, headers settled and what is unsettled, about each ten seconds.
    pub course: Vec<(f64, u64, f64, f64)>,
    /// CPU seconds per second of load: gateway, validators together, this generator.
    pub cpu: (f64, f64, f64),
    /// Headers settled by the end.
    pub headers: f64,
    /// What the gateway refused, by reason.
    pub refused: Vec<(String, u64)>,
    /// The metrics page at the end.
    pub page: String,
    /// Those of the validators.
    pub followers: Vec<String>,
    /// Some of the signatures that were sent.
    pub samples: Vec<Signed>,
}

/// The devices and what they know.
pub struct Crowd {
    home: Home,
    devices: Vec<Device>,
    buffer: [u8; MAX_FRAME + 1],
    latencies: Vec<f64>,
}

impl Crowd {
    /// Enrols all devices and waits until each knows its index.
    ///
    /// # Errors
    /// Not founded within a minute.
    pub fn enrol(world: &World, plan: &Plan) -> Result<Self> {
        let authority = world.authority.public_key();
        let devices = (0..plan.devices)
            .map(|n| Device::new(n, &world.maker, &authority, world.address))
            .collect::<Result<_>>()?;
        let mut crowd = Self {
            home: Home {
                authority,
                neighbourhood: Id::ZERO,
                g0: Id::ZERO,
                parent_age: Millis(0),
                period: Millis(0),
                clocks: BTreeMap::new(),
                samples: Vec::new(),
                wanted: SAMPLES,
            },
            devices,
            buffer: [0; MAX_FRAME + 1],
            latencies: Vec::new(),
        };
        let end = Instant::now() + Duration::from_secs(60);
        while Instant::now() < end {
            // Slower than the gateway's limit on checks of strangers.
            for n in 0..crowd.devices.len() {
                if crowd.devices[n].index.is_none() {
                    crowd.devices[n].enrol();
                    if n % 16 == 15 {
                        crowd.listen(50)?;
                    }
                }
            }
            crowd.listen(200)?;
            if crowd.devices.iter().all(|d| d.index.is_some())
                && crowd.home.neighbourhood != Id::ZERO
            {
                return Ok(crowd);
            }
        }
        bail!("not founded within a minute\n{}", world.logs());
    }

    /// Takes what has come within `wait` milliseconds.
    fn listen(&mut self, wait: i64) -> Result<()> {
        let ready: Vec<usize> = {
            let mut sockets: Vec<PollFd<'_>> = self
                .devices
                .iter()
                .map(|d| PollFd::new(&d.socket, PollFlags::IN))
                .collect();
            let wait = Timespec {
                tv_sec: wait / 1000,
                tv_nsec: wait % 1000 * 1_000_000,
            };
            poll(&mut sockets, Some(&wait))?;
            let ready = |(n, s): (usize, &PollFd<'_>)| (!s.revents().is_empty()).then_some(n);
            sockets.iter().enumerate().filter_map(ready).collect()
        };
        for n in ready {
            let device = &mut self.devices[n];
            while let Ok(len) = device.socket.recv(&mut self.buffer) {
                let taken = device.receive(&mut self.home, &self.buffer[..len], Instant::now());
                self.latencies.extend(taken);
            }
        }
        Ok(())
    }

    /// Sends the load.
    ///
    /// # Errors
    /// The gateway is gone, or nothing is acknowledged any more.
    pub fn run(mut self, world: &World, load: &Load) -> Result<Outcome> {
        let cpu_now = |world: &World| -> Result<(f64, f64, f64)> {
            let validators: f64 = world
                .validators
                .iter()
                .map(|v| cpu(v.id()))
                .sum::<Result<f64>>()?;
            Ok((
                cpu(world.gateway.id())?,
                validators,
                cpu(std::process::id())?,
            ))
        };
        let before = metric(&world.page()?, "iotedge_transactions_total");
        let used = cpu_now(world)?;
        let begin = Instant::now();
        let mut last = (0, begin);
        let mut turn = 0;
        let mut sent = 0;
        let (mut young, mut grown, mut most, mut looked) = (None, None, 0.0_f64, begin);
        let validator = |world: &World| match world.validators.first() {
            Some(validator) => resident(validator.id()),
            None => Ok(f64::NAN),
        };
        let mut follower = None;
        let mut course: Vec<(f64, u64, f64, f64)> = Vec::new();
        let count = self.devices.len();
        loop {
            let now = Instant::now();
            let acknowledged: u64 = self.devices.iter().map(|d| d.counts.acknowledged).sum();
            if acknowledged > last.0 {
                last = (acknowledged, now);
            }
            ensure!(
                now.duration_since(last.1) < Duration::from_secs(20),
                "nothing acknowledged for 20 s, after {acknowledged} transactions\n{}",
                world.logs()
            );
            if young.is_none() && acknowledged >= load.young {
                young = Some(resident(world.gateway.id())?);
                follower = Some(validator(world)?);
            }
            if grown.is_none() && acknowledged >= load.young * 10 {
                grown = Some(resident(world.gateway.id())?);
            }
            let since = now.duration_since(begin).as_secs_f64();
            if since >= course.last().map_or(0.0, |c| c.0) + 10.0 {
                // A gateway that is closing an epoch may be late to answer; this is told for the reader only.
                let page = world.page().unwrap_or_default();
                let follower = world.page_of(1).unwrap_or_default();
                let header = metric(&page, "iotedge_header_number");
                let unsettled = metric(&page, "iotedge_window_unsettled");
                eprintln!(
                    "gateway_load: {since:.0} s, {acknowledged} acknowledged, header {header}, unsettled {unsettled}, {:.1} MiB; \
                     a validator has {}, {} of them wait for a parent",
                    resident(world.gateway.id())? / 1024.0,
                    metric(&follower, "iotedge_transactions_total"),
                    metric(&follower, "iotedge_aside"),
                );
                course.push((since, acknowledged, header, unsettled));
            }
            if now.duration_since(looked) > Duration::from_millis(500) {
                looked = now;
                most = most.max(resident(world.gateway.id())?);
            }
            let over = sent >= load.transactions
                || now.duration_since(begin) > Duration::from_secs(load.seconds);
            let mut waiting = self.devices.iter().filter(|d| !d.idle()).count();
            if over && waiting == 0 {
                break;
            }
            for _ in 0..count {
                if over || waiting >= load.in_flight {
                    break;
                }
                turn = (turn + 1) % count;
                let payee = self.devices[(turn + 7) % count]
                    .index
                    .unwrap_or(MemberIndex(0));
                let device = &mut self.devices[turn];
                if device.idle() && device.may_speak(&self.home, load.places, load.burst) {
                    self.devices[turn].speak(&mut self.home, load.burst, payee)?;
                    sent += u64::from(load.burst);
                    waiting += 1;
                }
            }
            self.listen(5)?;
            for device in &mut self.devices {
                device.repeat(&self.home, now, PATIENCE);
                device.freshen(&self.home, now);
            }
        }
        let seconds = begin.elapsed().as_secs_f64();
        let after = cpu_now(world)?;
        let at_end = resident(world.gateway.id())?;
        let follower_end = validator(world)?;
        // The page is at most half a second old.
        for _ in 0..7 {
            self.listen(100)?;
            std::thread::sleep(Duration::from_millis(100));
        }
        let page = world.page()?;
        let followers = (1..=world.validators.len())
            .map(|n| world.page_of(n))
            .collect::<Result<_>>()?;
        let mut counts = Counts::default();
        for device in &self.devices {
            counts.acknowledged += device.counts.acknowledged;
            counts.repeated += device.counts.repeated;
            counts.tips += device.counts.tips;
        }
        self.latencies.sort_by(f64::total_cmp);
        Ok(Outcome {
            accepted: metric(&page, "iotedge_transactions_total") - before,
            seconds,
            latencies: self.latencies,
            counts,
            resident: (young.unwrap_or(at_end), at_end, most.max(at_end)),
            cpu: (
                (after.0 - used.0) / seconds,
                (after.1 - used.1) / seconds,
                (after.2 - used.2) / seconds,
            ),
            grown,
            validator: (follower.unwrap_or(follower_end), follower_end),
            window: f64::from(world.window),
            course,
            headers: metric(&page, "iotedge_header_number"),
            refused: refusals(&page),
            page,
            followers,
            samples: self.home.samples,
        })
    }
}
