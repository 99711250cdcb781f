//! Writes `vectors/serial.json`: frames as they travel on a serial line, and what a reader makes of lines whole and damaged (protocol section 11).
//!
//! `cargo run -p iotedge-core --example gen_serial_vectors` regenerates the file; a test compares and runs it. COBS and CRC are written here once more,
//! from their papers; of the code under test nothing comes in.

#[path = "common/rows.rs"]
mod rows;

use serde_json::{Value, json};

/// CRC-32 bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
        }
    }
    !crc
}

/// COBS: the text between zeros, each with the distance to the next in front. `tail`: a full block at the end is followed by an empty one.
fn cobs(datagram: &[u8], tail: bool) -> Vec<u8> {
    let pieces: Vec<&[u8]> = datagram.split(|b| *b == 0).collect();
    let mut out = vec![];
    for (number, piece) in pieces.iter().enumerate() {
        let mut rest = *piece;
        while rest.len() >= 254 {
            out.push(0xff);
            out.extend(&rest[..254]);
            rest = &rest[254..];
        }
        let needless = number + 1 == pieces.len() && rest.is_empty() && !piece.is_empty();
        if !needless || tail {
            out.push(rest.len() as u8 + 1);
            out.extend(rest);
        }
    }
    out
}

fn datagram(frame: &[u8]) -> Vec<u8> {
    [frame, &crc32(frame).to_le_bytes()].concat()
}

fn line(frame: &[u8]) -> Vec<u8> {
    [&[0][..], &cobs(&datagram(frame), false), &[0]].concat()
}

/// The worked example of the page: GENESIS_REQUEST, the first frame of a device that knows nothing.
pub fn example() -> (Vec<u8>, Vec<u8>) {
    let frame = vec![0, 0, 0, 0, 0x10, 0x80];
    let line = line(&frame);
    (frame, line)
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + 3) as u8).collect()
}

/// A frame of 250 bytes whose CRC has no zero: with it one full block.
fn one_block() -> Vec<u8> {
    let mut frame = vec![0x55; 250];
    while datagram(&frame).contains(&0) {
        frame[0] += 1;
    }
    frame
}

/// A frame whose CRC ends with a zero.
fn zero_at_the_end() -> Vec<u8> {
    let found = (1u32..).map(|n| n.to_be_bytes().to_vec());
    let mut found = found.filter(|f| datagram(f).ends_with(&[0]));
    found.next().expect("one in 256")
}

fn written() -> Vec<Value> {
    let mut rows = vec![];
    let mut add = |name: &str, frame: Vec<u8>| {
        rows.push(json!({"op": "line-write", "name": name, "frame": hex::encode(&frame), "line": hex::encode(line(&frame))}));
    };
    add("the worked example", example().0);
    add("one byte", vec![0x41]);
    add("one zero", vec![0]);
    add("zeros only", vec![0; 40]);
    add("ones only", vec![0xff; 40]);
    add("a zero at the end of the CRC", zero_at_the_end());
    for len in [148, 249, 250, 251, 252, 253, 254, 255, 500, 1270] {
        add(&format!("a pattern of {len}"), pattern(len));
    }
    add("exactly one full block", one_block());
    let mut two = one_block();
    two.extend([0x55; 254]);
    add("about two full blocks", two);
    add("the longest frame", pattern(1400));
    add("the longest frame without a zero", vec![0x5a; 1400]);
    rows
}

/// `frames`, `empty`, `too_short`, `cut`, `too_long`, `corrupt`.
type Counted = [u32; 6];

fn read() -> Vec<Value> {
    let mut rows = vec![];
    let mut add = |name: &str, room: u32, line: Vec<u8>, frames: &[&[u8]], counted: Counted| {
        let [whole, empty, too_short, cut, too_long, corrupt] = counted;
        let frames: Vec<String> = frames.iter().map(hex::encode).collect();
        rows.push(json!({
            "op": "line-read", "name": name, "room": room, "line": hex::encode(line), "frames": frames,
            "counters": {"frames": whole, "empty": empty, "too_short": too_short, "cut": cut, "too_long": too_long, "corrupt": corrupt},
        }));
    };
    let (frame, next) = (pattern(60), b"the next frame".to_vec());
    let good = line(&frame);
    let behind = |noise: &[u8]| [noise, &line(&next)].concat();
    let one: &[&[u8]] = &[&next];
    let both: &[&[u8]] = &[&frame, &next];

    add("two frames", 1400, behind(&good), both, [2, 2, 0, 0, 0, 0]);
    add(
        "two frames with one zero between them",
        1400,
        [&good[..], &line(&next)[1..]].concat(),
        both,
        [2, 1, 0, 0, 0, 0],
    );
    add(
        "a frame without the zero in front",
        1400,
        behind(&good[1..]),
        both,
        [2, 1, 0, 0, 0, 0],
    );
    add(
        "a line that idles",
        1400,
        behind(&[0; 9]),
        one,
        [1, 10, 0, 0, 0, 0],
    );
    let full = one_block();
    add(
        "an empty block behind a full one at the end",
        1400,
        behind(&[&[0][..], &cobs(&datagram(&full), true), &[0]].concat()),
        &[&full, &next],
        [2, 2, 0, 0, 0, 0],
    );
    for (name, at) in [("first", 1), ("middle", good.len() / 2)] {
        add(
            &format!("a reset of the sender behind the {name} byte"),
            1400,
            behind(&good[..=at]),
            one,
            [1, 1, 0, 1, 0, 0],
        );
    }
    // The zero in front of the next one ends it.
    add(
        "a reset of the sender before the last zero",
        1400,
        behind(&good[..good.len() - 1]),
        both,
        [2, 1, 0, 0, 0, 0],
    );
    // One block: with another length it ends before the zero or behind it.
    let mut bent = good.clone();
    bent[1] ^= 1;
    add(
        "a flipped bit in a code byte",
        1400,
        behind(&bent),
        one,
        [1, 2, 0, 1, 0, 0],
    );
    for (name, at, bit) in [
        ("a byte of the frame", 20, 0x80),
        ("a byte of the CRC", good.len() - 2, 0x10),
    ] {
        let mut bent = good.clone();
        bent[at] ^= bit;
        add(
            &format!("a flipped bit in {name}"),
            1400,
            behind(&bent),
            one,
            [1, 2, 0, 0, 0, 1],
        );
    }
    let mut split = good.clone();
    split[20] = 0;
    add(
        "a byte that became a zero",
        1400,
        behind(&split),
        one,
        [1, 2, 0, 2, 0, 0],
    );
    let mut merged = good.clone();
    merged.pop();
    merged.push(0x33);
    let rest = &line(&next)[1..];
    add(
        "a border that became another byte costs both frames",
        1400,
        [&merged[..], rest, &line(&next)].concat(),
        one,
        [1, 2, 0, 1, 0, 0],
    );
    let mut lost = good.clone();
    lost.remove(30);
    add(
        "a byte that was lost",
        1400,
        behind(&lost),
        one,
        [1, 2, 0, 1, 0, 0],
    );
    add(
        "noise on a silent line",
        1400,
        behind(&[0x80, 0xfe, 0x03]),
        one,
        [1, 0, 0, 1, 0, 0],
    );
    for short in 0..5u8 {
        let bytes = [&[short + 1][..], &vec![0x7f; short.into()], &[0]].concat();
        add(
            &format!("{short} bytes and a zero"),
            1400,
            behind(&bytes),
            one,
            [1, 1, 1, 0, 0, 0],
        );
    }
    add(
        "four bytes that are the CRC of nothing",
        1400,
        behind(&[1, 1, 1, 1, 1, 0]),
        one,
        [1, 1, 1, 0, 0, 0],
    );
    add(
        "as long as there is room",
        60,
        good.clone(),
        &[&frame],
        [1, 1, 0, 0, 0, 0],
    );
    add(
        "a byte longer than there is room",
        59,
        behind(&good),
        one,
        [1, 2, 0, 0, 1, 0],
    );
    add(
        "a byte longer than any frame",
        1400,
        behind(&line(&pattern(1401))),
        one,
        [1, 2, 0, 0, 1, 0],
    );
    add(
        "a line that never ends",
        1400,
        behind(&[0xff; 9000]),
        one,
        [1, 0, 0, 0, 1, 0],
    );
    let big_endian = [&frame[..], &crc32(&frame).to_be_bytes()].concat();
    add(
        "a CRC that is written big-endian",
        1400,
        behind(&[&cobs(&big_endian, false)[..], &[0]].concat()),
        one,
        [1, 1, 0, 0, 0, 1],
    );
    rows
}

pub fn book() -> String {
    let mut all = written();
    all.extend(read());
    rows::render(&all)
}

#[allow(
    dead_code,
    reason = "the test that includes this file needs the generator only"
)]
fn main() {
    let path = format!("{}/../vectors/serial.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::write(&path, book()).expect("vectors/ can be written");
    println!(
        "wrote vectors/serial.json; the example: {}",
        hex::encode(example().1)
    );
}
