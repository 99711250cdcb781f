//! What one device of four heard, for `ci/faults`: a node on the metal hears it again, up to the frame in which each instruction is skipped.

mod common;

use common::*;
use iotedge::node::*;
use iotedge::status::*;
use iotedge_core::identity::sign1::{assemble, protected};
use iotedge_core::posp::{Header, MAX_HEADER, MAX_HEADER_COSE, header_signing_input, vote_message};
use iotedge_core::wire::list::{List, Vote};
use iotedge_core::wire::merkle::leaf_hash;
use iotedge_core::wire::{Frame, Writer};
use iotedge_core::{Amount, HeaderNumber, Id, Millis};
use std::fmt::Write as _;

/// Who listens; its engine is a good one.
const WHO: u32 = 2;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A frame that must be refused after so many others, beside one that is not.
struct Case {
    name: &'static str,
    /// What would show that it was let in.
    sign: &'static str,
    bad: (usize, Vec<u8>),
    good: (usize, Vec<u8>),
}

fn flipped(frame: &[u8], from_end: usize) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let at = frame.len() - from_end;
    frame[at] ^= 1;
    frame
}

/// The first header as a frame, and its hash.
fn header_frame(net: &Network, out: &mut [u8]) -> (usize, Id) {
    let header = Header {
        neighbourhood: net.neighbourhood,
        number: HeaderNumber(1),
        previous: net.neighbourhood,
        trim: Id([1; 32]),
        cut: Millis(START + 1),
        g0: Id([2; 32]),
        count: 0,
        state_root: Id([3; 32]),
        exits_root: Id([4; 32]),
        table_root: Id([5; 32]),
        members: 4,
        weight: 4,
        set_hash: net.set.hash(),
        total_value: Amount(40_000),
        first_time: Millis(0),
        last_time: Millis(0),
    };
    let mut payload = [0; MAX_HEADER];
    let mut w = Writer::new(&mut payload);
    header.encode(&mut w).unwrap();
    let payload = w.into_written();
    let gl_node = secret(0);
    let head = protected(&gl_node.public_key());
    let mut message = [0; 2 * MAX_HEADER];
    let message = header_signing_input(&head, &net.neighbourhood, payload, &mut message).unwrap();
    let mut cose = [0; MAX_HEADER_COSE];
    let len = assemble(&head, payload, &gl_node.sign(message), &mut cose).unwrap();
    let root = leaf_hash(payload);
    let frame = Frame::Header {
        cose: &cose[..len],
        path: List::of(&[]),
    };
    (frame.write(net.neighbourhood.tag(), out).unwrap(), root)
}

/// The votes of these for the first header as a frame; the last of them with a bit flipped, or as it should be.
fn votes_frame(net: &mut Network, root: &Id, voters: &[u8], honest: bool) -> Vec<u8> {
    let mut buffer = [0; 256];
    let votes: Vec<Vote> = voters
        .iter()
        .map(|n| {
            let key = secret(100 + n).public_key().bytes().try_into().unwrap();
            let message =
                vote_message(&key, &net.neighbourhood, HeaderNumber(1), root, &mut buffer).unwrap();
            let mut signature = secret(100 + n).sign(message);
            net.devices[WHO as usize]
                .good
                .push(mark([&key, message, &signature.0]));
            if !honest && n == voters.last().unwrap() {
                signature.0[40] ^= 1;
            }
            Vote {
                index: *n,
                signature,
            }
        })
        .collect();
    let frame = Frame::Votes {
        header: HeaderNumber(1),
        votes: List::of(&votes),
    };
    let mut out = vec![0; 1_024];
    let len = frame.write(net.neighbourhood.tag(), &mut out).unwrap();
    out.truncate(len);
    out
}

fn record() -> String {
    let mut net = Network::new(4);
    net.recording = Some(Recording {
        who: WHO,
        ..Recording::default()
    });
    net.run(3_000);
    let mut ticket = 0;
    // SAFETY: a live node.
    let status = unsafe {
        iotedge_node_submit_transfer(net.nodes[0], net.now, 0, WHO, 250, &raw mut ticket)
    };
    assert_eq!(status, IOTEDGE_OK);
    while net
        .find(0, IOTEDGE_EVENT_SENT, |e| e.ticket == ticket)
        .is_none()
    {
        net.run(5);
        let sent = net
            .find(0, IOTEDGE_EVENT_SENT, |e| e.ticket == ticket)
            .map(|e| e.id);
        net.recording.as_mut().unwrap().watched = sent;
    }
    for round in 0..8u8 {
        for n in [0, 1, 3] {
            net.submit(n, &[round, n as u8]);
            net.run(150);
        }
    }
    let recording = net.recording.take().unwrap();
    let (id, heard) = (recording.watched.unwrap(), recording.heard);
    let reaches = |grade| heard.iter().position(|h| h.grade >= grade).unwrap();
    let (held, quorum) = (reaches(IOTEDGE_GRADE_SEEN), reaches(IOTEDGE_GRADE_QUORUM));
    let is_tx = |h: &Heard| {
        h.status == IOTEDGE_OK && matches!(Frame::parse(&h.frame), Ok((_, Frame::Tx { .. })))
    };
    // The last approval before the one that is enough.
    let short = (held + 1..quorum)
        .rev()
        .find(|n| is_tx(&heard[*n]))
        .unwrap();

    let mut header = vec![0; 1_024];
    let (len, root) = header_frame(&net, &mut header);
    header.truncate(len);
    let all = heard.len();
    let frame = |n: usize| heard[n].frame.clone();
    let cases = [
        Case {
            name: "a signature with a flipped bit",
            sign: "held",
            bad: (held, flipped(&frame(held), 10)),
            good: (held, frame(held)),
        },
        Case {
            name: "an approval that is not enough",
            sign: "quorum",
            bad: (short, frame(short)),
            good: (quorum, frame(quorum)),
        },
        Case {
            name: "votes, one of them forged",
            sign: "settled",
            bad: (all + 1, votes_frame(&mut net, &root, &[0, 1, 2], false)),
            good: (all + 1, votes_frame(&mut net, &root, &[0, 1, 2], true)),
        },
        Case {
            name: "too few votes",
            sign: "settled",
            bad: (all + 1, votes_frame(&mut net, &root, &[0, 1], true)),
            good: (all + 1, votes_frame(&mut net, &root, &[0, 1, 3], true)),
        },
    ];

    let mut text = String::new();
    let mut line = |words: core::fmt::Arguments<'_>| writeln!(text, "{words}").unwrap();
    line(format_args!(
        "{{\n \"seed\": \"{}\",",
        hex(&seed(WHO as u8))
    ));
    line(format_args!(
        " \"authority\": \"{}\",",
        hex(&public(201).bytes[..32])
    ));
    line(format_args!(
        " \"certificate\": \"{}\",",
        hex(&certificate(WHO as u8))
    ));
    line(format_args!(
        " \"start\": {START}, \"random\": {WHO}, \"gateway\": {GATEWAY}, \"peers\": [0, 1, 3], \"transfer\": \"{}\",",
        hex(&id)
    ));
    let good: Vec<String> = net.devices[WHO as usize]
        .good
        .iter()
        .map(|mark| format!("\"{mark:016x}\""))
        .collect();
    line(format_args!(" \"good\": [{}],", good.join(", ")));
    line(format_args!(" \"heard\": ["));
    for h in &heard {
        line(format_args!(
            "  {{\"at\": {}, \"from\": {}, \"status\": {}, \"grade\": {}, \"frame\": \"{}\"}},",
            h.at - START,
            h.from,
            h.status,
            h.grade,
            hex(&h.frame)
        ));
    }
    line(format_args!(
        "  {{\"at\": {}, \"from\": {GATEWAY}, \"status\": 0, \"grade\": {}, \"frame\": \"{}\"}}\n ],\n \"cases\": [",
        net.now - START,
        IOTEDGE_GRADE_QUORUM,
        hex(&header)
    ));
    for (n, case) in cases.iter().enumerate() {
        let side = |(after, frame): &(usize, Vec<u8>)| {
            format!("{{\"after\": {after}, \"frame\": \"{}\"}}", hex(frame))
        };
        let end = if n + 1 == cases.len() { "\n ]\n}" } else { "," };
        line(format_args!(
            "  {{\"name\": \"{}\", \"sign\": \"{}\",\n   \"bad\": {},\n   \"good\": {}}}{end}",
            case.name,
            case.sign,
            side(&case.bad),
            side(&case.good)
        ));
    }
    text
}

#[test]
fn the_file_is_what_a_device_hears() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/heard.json");
    let now = record();
    if std::env::var_os("RECORD").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == now,
        "RECORD=1 cargo test -p iotedge-ffi --test recording writes it anew"
    );
}
