//! What a run costs each device: median, 95th percentile and most over the devices.
//!
//! Processor time is a model, not a measurement: signatures checked and made times the instructions of one on a Cortex-M4 (DESIGN section 11, Monocypher
//! 4.0.3: 1.75 M and 0.70 M), and 2 % of a check for reading, hashing and placing a transaction (the same section). Energy is that time
//! at the nRF52840's 64 MHz and 3.3 mA (52 uA/MHz, product specification 1.7) with 1.4 cycles an instruction, and the radio's time on air and
//! of frames for this device at the currents of its data sheet, all at 3.3 V. Listening and sleeping in between are left out: they are the platform's.

use crate::report::{HostTotals, Report};
use std::fmt;

/// Instructions of one check of a signature.
pub const VERIFY: u64 = 1_750_000;
/// Instructions of one signature.
pub const SIGN: u64 = 700_000;
/// Instructions to read, hash and place one transaction.
pub const PLACE: u64 = VERIFY / 50;

/// A figure over all devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// What.
    pub name: &'static str,
    /// Of what.
    pub unit: &'static str,
    /// Half of the devices have no more.
    pub median: u64,
    /// 95 of 100 have no more.
    pub p95: u64,
    /// The most of any.
    pub most: u64,
}

impl Cost {
    /// Over these values.
    #[must_use]
    pub fn of(name: &'static str, unit: &'static str, mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let at = |percent: usize| {
            let place = (values.len() * percent).div_ceil(100).max(1) - 1;
            values.get(place).copied().unwrap_or(0)
        };
        Self {
            name,
            unit,
            median: at(50),
            p95: at(95),
            most: at(100),
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "median {}, p95 {}, most {} {}",
            self.median, self.p95, self.most, self.unit
        )
    }
}

/// Instructions that this host spent, in thousands.
#[must_use]
pub fn kilo_instructions(host: &HostTotals) -> u64 {
    (host.verified * VERIFY + host.sent * SIGN + host.inserted * PLACE) / 1_000
}

/// All figures of a run.
#[must_use]
pub fn costs(report: &Report) -> Vec<Cost> {
    let devices = report.hosts.iter().skip(1);
    let devices = devices.take(usize::from(report.nodes).saturating_sub(1));
    let each = |name, unit, of: &dyn Fn(&HostTotals) -> u64| {
        Cost::of(name, unit, devices.clone().map(of).collect())
    };
    let mut all = vec![
        each("sent by a device", "bytes", &|h| h.bytes_sent),
        each("received by a device", "bytes", &|h| h.bytes_received),
        each("instructions", "million", &|h| kilo_instructions(h) / 1_000),
        each("memory", "bytes", &|h| h.memory),
    ];
    if let Some(radio) = report.radio {
        let currents = radio.currents();
        // uA times us at 3.3 V are 3.3e-12 J.
        let millijoules = |h: &HostTotals| {
            let radio = h.air * currents.send + h.heard * currents.receive;
            let cpu = kilo_instructions(h) * 1_400 / 64 * 3_300;
            (radio + cpu) / 1_000 * 33 / 10_000_000
        };
        all.extend([
            each("on air", "bytes", &|h| h.on_air),
            each("time on air", "ms", &|h| h.air / 1_000),
            each("radio had no time for", "frames", &|h| h.crowded),
            each("missed while sending", "frames", &|h| h.deaf),
            each("hops to the gateway", "hops", &|h| h.hops.into()),
            each("energy estimate", "mJ", &millijoules),
        ]);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_the_tail_and_the_most() {
        let cost = Cost::of("x", "y", (1..=100).rev().collect());
        assert_eq!((cost.median, cost.p95, cost.most), (50, 95, 100));
        let none = Cost::of("x", "y", Vec::new());
        assert_eq!((none.median, none.most), (0, 0));
    }

    /// 1 s of sending at 45 mA and 3.3 V is 148.5 mJ; one check at 64 MHz, 3.3 mA and 1.4 cycles 0.4 mJ.
    #[test]
    fn energy_is_current_times_time() {
        let mut report = Report {
            nodes: 2,
            radio: Some(crate::radio::Radio::Lora51),
            ..Report::default()
        };
        let mut air = HostTotals::at(1);
        air.air = 1_000_000;
        report.hosts = vec![HostTotals::at(0), air];
        let energy = costs(&report).pop().expect("the last one");
        assert_eq!(energy.most, 148);
        report.hosts[1].air = 0;
        report.hosts[1].verified = 1_000;
        let energy = costs(&report).pop().expect("the last one");
        assert_eq!(energy.most, 416);
    }
}
