//! Command line of the simulator. Exit status 0 only if every invariant held.

use clap::Parser;
use iotedge_core::Millis;
use iotedge_core::node::{Span, Tuning};
use iotedge_sim::actors::{Actor, Censor};
use iotedge_sim::figures::figures;
use iotedge_sim::radio::Radio;
use iotedge_sim::scenario::{Equivocator, LinkModel, Outage, Partition, Reboot, Scenario};
use iotedge_sim::{Options, run_with};
use std::io::Write;
use std::process::ExitCode;

/// Runs a neighbourhood of real L-nodes under virtual time and prints what happened.
///
/// The same arguments give the same trace hash on every machine. Faults may be given several times and have to end
/// within the traffic; then the nodes are left quiet and must agree.
#[derive(Parser, Debug)]
#[command(version, about)]
struct Arguments {
    /// Members, the GL-node included; four validators come on top
    #[arg(long, default_value_t = 20)]
    nodes: u16,
    /// Members without a window, which publish readings through the head of a cluster; member 1 is the head as long as it lives
    #[arg(long, default_value_t = 0)]
    leaves: u16,
    /// This member keeps what leaves give it to pass on, from the start
    #[arg(long)]
    censor: Vec<u16>,
    /// Seed of every draw
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Draw sizes, links and faults from the seed, as the tests do; all other options but --trace are left out of account
    #[arg(long)]
    drawn: bool,
    /// Virtual minutes of traffic [default: 2; 60 with --per-hour]
    #[arg(long)]
    minutes: Option<f64>,
    /// T, the period of an epoch, in seconds [default: 10 up to 20 members, else 60]
    #[arg(long)]
    period: Option<f64>,
    /// Transactions per minute and member [default: 120 up to 20 members, else 1200 for all together]
    #[arg(long, conflicts_with = "per_hour")]
    rate: Option<u32>,
    /// Transactions per hour and member instead: a large quiet neighbourhood, whose T, announcements and beacons follow the rate
    #[arg(long)]
    per_hour: Option<u32>,
    /// Devices that hear the gateway; 0: all, where --per-hour is not given
    #[arg(long)]
    uplinks: Option<u16>,
    /// A beacon to each neighbour this often, in ms
    #[arg(long)]
    beacon: Option<u64>,
    /// The radio between members, with its airtime and range: ethernet, wifi, ble-mesh, 802154, lora222 or lora51
    #[arg(long)]
    link: Option<Radio>,
    /// Payments among them, in percent
    #[arg(long, default_value_t = 25)]
    trade: u8,
    /// Neighbours of a device besides the gateway, at most [default: 8; 6 with --per-hour]
    #[arg(long)]
    neighbours: Option<u16>,
    /// Nodes do not tune themselves: one beacon a second, two tips, and nobody speaks for others
    #[arg(long)]
    fixed: bool,
    /// Announcements are collected so long, in ms [default: tuned; with --fixed 100 up to 20 members, else 500; with --per-hour from the rate]
    #[arg(long)]
    announce: Option<u64>,
    /// Vertices that a device has room for; 0: whole epochs, as the gateway and the validators have [default: 0; 1024 with --per-hour]
    #[arg(long)]
    window: Option<u32>,
    /// Devices keep the least in memory: records in the store, few followed transactions, short queues
    #[arg(long)]
    lean: bool,
    /// Clocks are wrong by up to so many ms
    #[arg(long, default_value_t = 0)]
    skew: u64,
    /// Frames lost, in percent [default: 1; 0 with --per-hour]
    #[arg(long)]
    loss: Option<f64>,
    /// Frames that come twice, in percent [default: 1; 0 with --per-hour]
    #[arg(long)]
    duplicate: Option<f64>,
    /// Frames with a bit turned over, in percent
    #[arg(long, default_value_t = 0.0)]
    corrupt: f64,
    /// Shortest delay of a frame in ms [default: 5; 20 with --per-hour]
    #[arg(long)]
    delay_min: Option<u64>,
    /// Longest delay in ms [default: 50; 80 with --per-hour]
    #[arg(long)]
    delay_max: Option<u64>,
    /// Cuts PERCENT of the devices off: FROM..TO:PERCENT, in seconds
    #[arg(long)]
    partition: Vec<Partition>,
    /// A device loses power: NODE@SECONDS[:DOWN_SECONDS][:lost]; with `lost` its store is gone
    #[arg(long)]
    reboot: Vec<Reboot>,
    /// The gateway is killed and comes back: FROM..TO in seconds
    #[arg(long)]
    gateway_outage: Vec<Outage>,
    /// A device signs two transactions with one number: NODE@SECONDS
    #[arg(long)]
    equivocate: Vec<Equivocator>,
    /// Quiet seconds in the end, before the nodes are compared [default: 20; T / 2 with --per-hour]
    #[arg(long)]
    quiet: Option<f64>,
    /// Threads; the result does not depend on it
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Print every event but those of data that came in
    #[arg(long, conflicts_with = "json")]
    trace: bool,
    /// Print the figures as JSON instead of the table
    #[arg(long)]
    json: bool,
}

fn ppm(percent: f64, name: &str) -> Result<u32, String> {
    if (0.0..=100.0).contains(&percent) {
        Ok((percent * 10_000.0).round() as u32)
    } else {
        Err(format!("--{name}: {percent} is not in 0..100 percent"))
    }
}

impl Arguments {
    fn tuning(&self, large: bool) -> Tuning {
        let announce = Millis(self.announce.unwrap_or(if large { 500 } else { 100 }));
        let mut tuning = if self.fixed {
            Tuning::fixed(announce, Millis(1_000), 2)
        } else {
            Tuning::DEFAULT
        };
        if self.announce.is_some() {
            tuning.announce = Span::fixed(announce);
        }
        tuning
    }

    fn scenario(self) -> Result<Scenario, String> {
        if self.drawn {
            return Ok(Scenario::drawn(self.seed));
        }
        let large = self.nodes > 20;
        let ms = |value: f64, unit: f64, name: &str| {
            if (0.0..=1e6).contains(&value) {
                Ok((value * unit).round() as u64)
            } else {
                Err(format!("--{name}: {value} is not in 0..1000000"))
            }
        };
        let tuning = self.tuning(large);
        let mut s = match self.per_hour {
            Some(hourly) => Scenario::large(self.seed, self.nodes, hourly),
            None => Scenario::small(self.seed, self.nodes),
        };
        if self.per_hour.is_none() {
            s.duration = 120_000;
            s.quiet = 20_000;
            s.neighbours = 8;
            s.link = LinkModel {
                delay_min: 5,
                delay_max: 50,
                loss: 10_000,
                duplicate: 10_000,
                corrupt: 0,
            };
            if large {
                s.period = 60_000;
                s.rate = (1200 / u32::from(self.nodes)).max(1);
            }
        }
        if let Some(radio) = self.link {
            s = s.on(radio);
        }
        fn put<T>(place: &mut T, given: Option<T>) {
            if let Some(given) = given {
                *place = given;
            }
        }
        let time = |value: Option<f64>, unit, name| value.map(|v| ms(v, unit, name)).transpose();
        let share = |value: Option<f64>, name| value.map(|v| ppm(v, name)).transpose();
        put(&mut s.duration, time(self.minutes, 60_000.0, "minutes")?);
        put(&mut s.quiet, time(self.quiet, 1_000.0, "quiet")?);
        put(&mut s.period, time(self.period, 1_000.0, "period")?);
        put(&mut s.rate, self.rate);
        put(&mut s.neighbours, self.neighbours);
        put(&mut s.uplinks, self.uplinks);
        match (self.per_hour, self.announce) {
            (None, _) => s.tuning = tuning,
            (Some(_), announce) => put(
                &mut s.tuning.announce,
                announce.map(|ms| Span::fixed(Millis(ms))),
            ),
        }
        put(
            &mut s.tuning.beacon,
            self.beacon.map(|ms| Span::fixed(Millis(ms))),
        );
        put(&mut s.window, self.window);
        s.lean |= self.lean;
        put(&mut s.link.delay_min, self.delay_min);
        put(&mut s.link.delay_max, self.delay_max);
        put(&mut s.link.loss, share(self.loss, "loss")?);
        put(&mut s.link.duplicate, share(self.duplicate, "duplicate")?);
        s.link.corrupt = ppm(self.corrupt, "corrupt")?;
        s.leaves = self.leaves;
        s.trade = self.trade.min(100);
        s.skew = self.skew;
        s.partitions = self.partition;
        s.reboots = self.reboot;
        s.outages = self.gateway_outage;
        s.equivocators = self.equivocate;
        Ok(s)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    iotedge_sim::pages::large(arguments.nodes);
    let (trace, json, threads) = (arguments.trace, arguments.json, arguments.threads);
    let censors = arguments.censor.iter();
    let actors = censors
        .map(|n| (*n, Box::new(Censor { from: 0 }) as Box<dyn Actor>))
        .collect();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let done = arguments.scenario().and_then(|scenario| {
        let trace: Option<&mut dyn Write> = if trace { Some(&mut out) } else { None };
        let options = Options {
            threads,
            trace,
            actors,
            ..Options::default()
        };
        run_with(&scenario, options)
    });
    let code = match done {
        Ok(report) => {
            let _ = match json {
                true => writeln!(out, "{:#}", figures(&report)),
                false => write!(out, "{report}"),
            };
            ExitCode::from(u8::from(!report.sound()))
        }
        Err(error) => {
            eprintln!("iotedge-sim: {error}");
            ExitCode::from(2)
        }
    };
    let _ = out.flush();
    code
}
