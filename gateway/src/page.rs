//! The metrics page of a gateway or validator: what its node, store, socket and verifier counted.
//!
//! Invariant: names and meanings are what dashboards rely on; they are added to, not changed.

use crate::daemon::{Part, Shared};
use crate::line;
use crate::metrics::Exposition;
use crate::pressure::Pressure;
use crate::verifier::{Checks, SIZES};
use iotedge_core::node::Refusal;
use iotedge_core::tangle::Tables as _;
use iotedge_core::{MemberIndex, Millis};

/// What the loop counted.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Turns of the loop.
    pub turns: u64,
    /// Datagrams that found no room to wait.
    pub dropped: u64,
    /// Of the serial lines.
    pub lines: Vec<line::Counts>,
}

/// The page of this moment.
pub fn page<P: Part>(
    shared: &Shared,
    part: &P,
    now: Millis,
    checks: Checks,
    counts: Counts,
) -> String {
    let mut page = Exposition::default();
    let node = &shared.node;
    let counters = node.counters();
    let status = node.status(now);
    page.counter(
        "frames_received_total",
        "Frames that reached the node.",
        counters.frames_in.into(),
    );
    page.counter(
        "frames_sent_total",
        "Frames that the node sent.",
        counters.frames_out.into(),
    );
    page.counter(
        "bytes_received_total",
        "Bytes that reached the node.",
        counters.bytes_in,
    );
    page.counter(
        "bytes_sent_total",
        "Bytes that the node sent.",
        counters.bytes_out,
    );
    page.counter(
        "transactions_total",
        "Transactions inserted.",
        counters.inserted.into(),
    );
    page.counter(
        "duplicates_total",
        "Transactions that came a second time.",
        counters.duplicates.into(),
    );
    page.counters(
        "refused_total",
        "Refused by the node, by reason.",
        "reason",
        Refusal::ALL
            .iter()
            .map(|r| (r.name(), counters.refused(*r).into())),
    );
    if !shared.observes() {
        pressure(&mut page, &shared.pressure);
    }
    page.counter(
        "signatures_batched_total",
        "Signatures whose verdict came from a batch.",
        checks.batched,
    );
    page.counter(
        "signatures_single_total",
        "Signatures checked one by one.",
        checks.single,
    );
    page.histogram(
        "batch_size",
        "Signatures in one batch.",
        &SIZES,
        &checks.sizes,
    );
    page.gauge(
        "header_number",
        "Newest settled header.",
        status.header.0.into(),
    );
    page.gauge(
        "epoch",
        "Newest epoch whose table is here.",
        status.epoch.0.into(),
    );
    page.gauge(
        "window_vertices",
        "Transactions in the window.",
        status.window.into(),
    );
    page.gauge(
        "aside",
        "Transactions that wait for a parent or a time.",
        status.aside.into(),
    );
    page.gauge(
        "peers",
        "Neighbours in the table.",
        shared.peers.len() as u64,
    );
    page.gauge(
        "peers_heard",
        "Neighbours heard within P_max.",
        status.heard.into(),
    );
    let frozen = (0..node.tables().members())
        .filter_map(|index| u16::try_from(index).ok())
        .filter(|index| node.tangle().frozen(MemberIndex(*index)))
        .count();
    page.gauge(
        "frozen_members",
        "Members against whom evidence is in the ledger.",
        frozen as u64,
    );
    page.counter(
        "requests_answered_total",
        "Frames answered from the store.",
        shared.service.answered,
    );
    page.counter(
        "datagrams_dropped_total",
        "Datagrams that found no room to wait.",
        counts.dropped,
    );
    page.counter("turns_total", "Turns of the loop.", counts.turns);
    serial(&mut page, &counts.lines);
    let stats = shared.store.stats();
    page.counter(
        "store_commits_total",
        "Commits of the store.",
        stats.commits,
    );
    page.seconds(
        "store_commit_seconds_total",
        "Time spent in commits.",
        stats.commit_time,
    );
    if let Some(link) = &shared.gchain {
        page.counter(
            "gchain_troubles_total",
            "What went wrong between here and the G-Chain; it goes on by itself.",
            link.troubles,
        );
        let anchored = shared.node.anchored().map_or(0, |(header, _)| header.0);
        page.gauge(
            "gchain_anchored",
            "Newest header that a stake quorum says is anchored.",
            anchored.into(),
        );
    }
    part.metrics(&mut page);
    page.finish()
}

type Field = fn(&line::Counts) -> u64;

/// One value for each line, by its place in the configuration.
fn serial(page: &mut Exposition, lines: &[line::Counts]) {
    if lines.is_empty() {
        return;
    }
    let numbers: Vec<String> = (0..lines.len()).map(|n| n.to_string()).collect();
    let up = |c: &line::Counts| c.up.into();
    let of = |field: Field| {
        numbers
            .iter()
            .map(String::as_str)
            .zip(lines.iter().map(field))
    };
    page.gauges("serial_up", "1 while the line is open.", "line", of(up));
    let fields: [(&str, &str, Field); 14] = [
        (
            "serial_opened_total",
            "Times that the line was opened.",
            |c| c.opened,
        ),
        (
            "serial_frames_received_total",
            "Frames that came whole.",
            |c| c.frames_in,
        ),
        ("serial_frames_sent_total", "Frames sent.", |c| c.frames_out),
        ("serial_bytes_received_total", "Bytes that came.", |c| {
            c.bytes_in
        }),
        ("serial_bytes_sent_total", "Bytes sent.", |c| c.bytes_out),
        (
            "serial_dropped_total",
            "Frames that found no room to wait: the line is too slow.",
            |c| c.dropped,
        ),
        (
            "serial_unsaid_total",
            "Frames while the line was down.",
            |c| c.unsaid,
        ),
        (
            "serial_passed_out_total",
            "Frames passed on to neighbours behind the gateway.",
            |c| c.passed_out,
        ),
        (
            "serial_passed_in_total",
            "Frames of theirs sent to the line.",
            |c| c.passed_in,
        ),
        (
            "serial_not_passed_total",
            "Frames to nobody that the line leads to, datagrams of strangers.",
            |c| c.not_passed,
        ),
        (
            "serial_too_short_total",
            "Dropped: too short for a CRC and a byte.",
            |c| c.noise.too_short.into(),
        ),
        (
            "serial_cut_total",
            "Dropped: ended before they were whole.",
            |c| c.noise.cut.into(),
        ),
        (
            "serial_too_long_total",
            "Dropped: longer than a frame.",
            |c| c.noise.too_long.into(),
        ),
        ("serial_corrupt_total", "Dropped: another CRC.", |c| {
            c.noise.corrupt.into()
        }),
    ];
    for (name, help, field) in fields {
        page.counters(name, help, "line", of(field));
    }
}

fn pressure(page: &mut Exposition, pressure: &Pressure) {
    page.gauge(
        "window_unsettled",
        "Transactions from the oldest unsettled one to the newest: they must stay in the window.",
        pressure.span(),
    );
    page.gauge(
        "window_holding",
        "1 while transactions are held back because the window fills.",
        pressure.holds().into(),
    );
    page.counter(
        "held_total",
        "Transactions held back; their issuers send them again.",
        pressure.held,
    );
}
