//! Writes `vectors/link.json`: packets, fragments and compressed frames of docs/protocol.md section 9, each with what a reader must make of them.
//!
//! `cargo run -p iotedge-core --example gen_link_vectors` regenerates the file; a test compares it. Bytes are put together here from the page,
//! by a second, naive encoder; of the code under test nothing comes in.

#[path = "../common/rows.rs"]
mod rows;
#[path = "../gen_tx_vectors/main.rs"]
mod tx;

use serde_json::{Value, json};

pub const EPOCH_3: u64 = 1_700_000_000_000;

/// CRC-32 bit by bit.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
        }
    }
    !crc
}

fn check(frame: &[u8]) -> [u8; 2] {
    [(crc32(frame) >> 8) as u8, crc32(frame) as u8]
}

fn name(issuer: u16, number: u32) -> [u8; 2] {
    (issuer * 16 + (number % 16) as u16).to_be_bytes()
}

fn varint(mut n: u64) -> Vec<u8> {
    let mut out = vec![];
    while n >= 128 {
        out.push((n % 128) as u8 + 128);
        n /= 128;
    }
    out.push(n as u8);
    out
}

/// What the reader holds: three members, the parents of the worked example among their transactions.
pub fn context() -> Value {
    let row = |id: u8, issuer: u16, number: u32, since: u64| json!({"id": hex::encode([id; 32]), "issuer": issuer, "number": number, "epoch": 3, "time": EPOCH_3 + since});
    json!({
        "tag": "11111111",
        "header": 2,
        "clocks": [[2, EPOCH_3 - 600_000], [3, EPOCH_3]],
        "held": [
            row(0x09, 4, 69, 100_000),
            row(0x08, 2, 30, 90_000),
            row(0x03, 2, 31, 122_000),
            row(0x07, 7, 12, 123_000),
            row(0x0a, 3000, 5, 50_000),
        ],
        "bodies": [[hex::encode([0x09; 32]), "81a3006474656d70016343656c02c4822018d7"]],
    })
}

/// The context after member 4 said something that the reader does not have.
fn behind() -> Value {
    let mut context = context();
    context["held"][0]["number"] = 68.into();
    context
}

/// A frame of section 3 with these fields over the example's parents, and 64 bytes for a signature.
fn tx_frame(
    issuer: u16,
    number: u32,
    offset: u64,
    parents: &[u8],
    kind: u8,
    body: &[u8],
) -> Vec<u8> {
    let uint = |n: u64| match n {
        0..24 => vec![n as u8],
        24..256 => vec![0x18, n as u8],
        256..65_536 => [&[0x19][..], &(n as u16).to_be_bytes()].concat(),
        _ => [&[0x1a][..], &(n as u32).to_be_bytes()].concat(),
    };
    let bytes = |b: &[u8]| match b.len() {
        0..24 => [&[0x40 + b.len() as u8][..], b].concat(),
        n => [&[0x58, n as u8][..], b].concat(),
    };
    let parents: Vec<u8> = parents.iter().flat_map(|p| [*p; 16]).collect();
    let payload = [
        vec![0x88, 1, 3],
        uint(issuer.into()),
        uint(number.into()),
        uint(offset),
        bytes(&parents),
        vec![kind],
        body.to_vec(),
    ]
    .concat();
    let signature = [0x5a; 64];
    [
        &[0x11, 0x11, 0x11, 0x11, 1, 0x84, 0x43, 0xa1, 1, 0x27, 0xa0][..],
        &bytes(&payload),
        &bytes(&signature),
    ]
    .concat()
}

/// The worked example of section 9.5: the transfer of section 3.3, and its compressed form.
pub fn example() -> (Vec<u8>, Vec<u8>) {
    let frame = tx::examples()[0].1.clone();
    let signature = &frame[frame.len() - 64..];
    let packed = [
        &[0x0a][..],
        &check(&frame),
        &[0x01],
        &name(4, 70),
        &varint(123_456 - 123_000),
        &name(2, 31),
        &name(7, 12),
        signature,
        &hex::decode("0218fa192422").unwrap(),
    ]
    .concat();
    (frame, packed)
}

fn compressed() -> Vec<Value> {
    let mut rows = vec![];
    // `both`: the one who compresses writes exactly this; else the reader only must understand it.
    let mut add = |name: &str, packed: Vec<u8>, frame: &[u8], both: bool| {
        rows.push(json!({"op": "compressed", "name": name, "context": context(), "packed": hex::encode(packed),
            "frame": hex::encode(frame), "both": both, "expect": "ok"}));
    };
    let (transfer, packed) = example();
    add("a transfer in step", packed.clone(), &transfer, true);

    let sig = [0x5a; 64];
    let reading = |mantissa: u8| {
        hex::decode(format!(
            "5381a3006474656d70016343656c02c4822018{mantissa:02x}"
        ))
        .unwrap()
    };
    let frame = tx_frame(4, 70, 123_456, &[9, 3, 7], 0, &reading(0xd9));
    let head =
        |first: u8, frame: &[u8], flags: u8| [&[first][..], &check(frame), &[flags]].concat();
    let parents = [name(2, 31), name(7, 12)].concat();
    let since = varint(456);
    let packed = [
        &head(0x0a, &frame, 10)[..],
        &name(4, 70),
        &since,
        &parents,
        &sig,
        &[18, 0, 0xd9],
    ]
    .concat();
    add(
        "a reading as the difference to the last",
        packed,
        &frame,
        true,
    );
    let packed = [
        &head(0x0a, &frame, 0)[..],
        &name(4, 70),
        &since,
        &parents,
        &sig,
        &reading(0xd9)[1..],
    ]
    .concat();
    add("a reading written out", packed, &frame, false);

    let frame = tx_frame(3000, 6, 123_400, &[0x0a, 7], 5, &[0x43, 1, 2, 3]);
    let packed = [
        &head(0x09, &frame, 5)[..],
        &[0x80, 0x0b, 0xb8, 6],
        &varint(400),
        &name(7, 12),
        &sig,
        &[1, 2, 3],
    ]
    .concat();
    add("a service of a member beyond 2047", packed, &frame, true);

    let unknown = tx_frame(4, 70, 123_456, &[9, 3, 0x55], 0, &reading(1));
    let spelled = [&[0xc0][..], &[0x55; 16]].concat();
    let packed = [
        &head(0x0a, &unknown, 10)[..],
        &name(4, 70),
        &varint(1_456),
        &name(2, 31),
        &spelled,
        &sig,
        &[18, 0, 1],
    ]
    .concat();
    add("a parent that is not held", packed, &unknown, true);

    let strange = tx_frame(4, 200, 9, &[0x66, 7], 6, &[0x81, 2]);
    let whole_number = [&[0xa0, 0, 4][..], &200u32.to_be_bytes()].concat();
    let flags = 6 | 0x40 | 0x80;
    // 200 is nearer than 192 above the head: eight bits.
    let packed = [
        &head(0x09, &strange, flags)[..],
        &[0x80, 0, 4, 200],
        &varint(9),
        &[0x66; 16],
        &name(7, 12),
        &sig,
        &[0x81, 2],
    ]
    .concat();
    add(
        "off the chain, before its parents, leaving",
        packed,
        &strange,
        true,
    );
    let packed = [
        &head(0x09, &strange, flags)[..],
        &whole_number,
        &varint(9),
        &[0x66; 16],
        &name(7, 12),
        &sig,
        &[0x81, 2],
    ]
    .concat();
    add("the number written out", packed, &strange, false);

    let epoch = [
        &head(0x0a, &transfer, 0x21)[..],
        &name(4, 70),
        &[3],
        &since,
        &parents,
        &transfer[transfer.len() - 64..],
        &hex::decode("0218fa192422").unwrap(),
    ]
    .concat();
    add("the epoch written out", epoch, &transfer, false);
    let swapped = [
        &head(0x0a, &transfer, 1)[..],
        &name(4, 70),
        &since,
        &name(7, 12),
        &name(2, 31),
        &transfer[transfer.len() - 64..],
        &hex::decode("0218fa192422").unwrap(),
    ]
    .concat();
    add("parents in any order", swapped, &transfer, false);

    let attachment = hex::decode("82818200500102030405060708090a0b0c0d0e0f10f6").unwrap();
    let attached = [
        &tx_frame(4, 70, 123_456, &[9, 3, 7], 0, &reading(0xd9))[..],
        &attachment,
    ]
    .concat();
    let packed = [
        &head(0x12, &attached, 10)[..],
        &name(4, 70),
        &since,
        &parents,
        &sig,
        &[18, 0, 1, 0xd9],
        &attachment,
    ]
    .concat();
    add("with an attachment", packed, &attached, true);

    let ids: [[u8; 16]; 2] = [[3; 16], [7; 16]];
    let list = |kind: u8| {
        [
            &[0x11, 0x11, 0x11, 0x11, kind, 0x82][..],
            &[0x50],
            &ids[0],
            &[0x50],
            &ids[1],
        ]
        .concat()
    };
    let announce = list(2);
    add(
        "an announcement",
        [&[4][..], &check(&announce), &ids.concat()].concat(),
        &announce,
        true,
    );
    let request = list(3);
    add(
        "a request",
        [&[5][..], &check(&request), &[3; 4], &[7; 4]].concat(),
        &request,
        true,
    );

    let now = EPOCH_3 + 123_500;
    let beacon = [
        &[0x11, 0x11, 0x11, 0x11, 4, 0x83, 0x1b][..],
        &now.to_be_bytes(),
        &[2, 0x82, 0x50],
        &ids[1],
        &[0x50],
        &[0x55; 16],
    ]
    .concat();
    let packed = [
        &[6][..],
        &check(&beacon),
        &[2],
        &varint(123_500),
        &name(7, 12),
        &spelled,
    ]
    .concat();
    add("a beacon with news", packed, &beacon, true);

    let (_, packed) = example();
    let mut refuse = |name: &str, context: Value, packed: Vec<u8>, expect: &str| {
        rows.push(json!({"op": "compressed", "name": name, "context": context, "packed": hex::encode(packed), "expect": expect}));
    };
    refuse(
        "the last of the issuer is missing",
        behind(),
        packed.clone(),
        "OutOfStep",
    );
    let mut other = context();
    other["tag"] = "22222222".into();
    refuse("another neighbourhood", other, packed.clone(), "OutOfStep");
    let mut none = context();
    none["tag"] = "00000000".into();
    refuse("no neighbourhood", none, packed.clone(), "OutOfStep");
    let mut clock = context();
    clock["clocks"][1][1] = (EPOCH_3 + 1).into();
    refuse("another clock", clock, packed.clone(), "OutOfStep");
    for (at, name) in [
        (2, "another check"),
        (30, "another signature"),
        (81, "another amount"),
        (9, "another parent"),
    ] {
        let mut bent = packed.clone();
        bent[at] ^= 1;
        refuse(name, context(), bent, "OutOfStep");
    }
    for (packed, name) in [
        (packed[..70].to_vec(), "cut in the signature"),
        (packed[..2].to_vec(), "cut in the check"),
        (
            [&packed[..4], &[0xe0], &packed[5..]].concat(),
            "an unknown form of name",
        ),
        (vec![4, 0, 0, 1, 2, 3], "an announcement of 3 bytes"),
        (vec![5, 0, 0], "a request for nothing"),
        (vec![7, 0, 0, 1], "an unknown rule"),
        (vec![0x18, 0, 0, 1], "an unassigned first byte"),
    ] {
        refuse(name, context(), packed, "Malformed");
    }
    rows
}

/// The packets of a datagram, from the page.
fn fragments(id: u8, mtu: usize, datagram: &[u8]) -> Vec<Vec<u8>> {
    let all = [datagram, &crc32(datagram).to_le_bytes()].concat();
    let tiles: Vec<&[u8]> = all.chunks(mtu - 2).collect();
    let last = tiles.len() - 1;
    let head = |i: usize| [0x20 + i as u8, id + if i == last { 0x80 } else { 0 }];
    tiles
        .iter()
        .enumerate()
        .map(|(i, tile)| [&head(i)[..], tile].concat())
        .collect()
}

fn packets() -> Vec<Value> {
    let mut rows = vec![];
    let frame: Vec<u8> = (0..148u32).map(|i| (i * 7 % 251) as u8).collect();
    let long: Vec<u8> = (0..1400u32).map(|i| (i * 11 % 253) as u8).collect();
    for (frame, mtu) in [
        (&frame, 51),
        (&frame, 102),
        (&frame, 115),
        (&frame, 149),
        (&long, 51),
        (&long, 222),
        (&long, 244),
    ] {
        let datagram = [&[0][..], frame].concat();
        let packets = match datagram.len() <= mtu {
            true => vec![datagram],
            false => fragments(0, mtu, &datagram),
        };
        let packets: Vec<String> = packets.iter().map(hex::encode).collect();
        rows.push(json!({"op": "send", "name": format!("{} bytes over {mtu}", frame.len()), "mtu": mtu, "frame": hex::encode(frame),
            "packets": packets, "expect": "ok"}));
    }
    let datagram = [&[0][..], &frame].concat();
    let all = fragments(5, 51, &datagram);
    // What each packet gives: nothing yet, a frame, or a refusal.
    let mut add = |name: &str, packets: Vec<Vec<u8>>, results: &[&str], asks: Option<Vec<u8>>| {
        let packets: Vec<String> = packets.iter().map(hex::encode).collect();
        let mut row = json!({"op": "receive", "name": name, "packets": packets, "results": results, "frame": hex::encode(&frame), "expect": "ok"});
        if let Some(asks) = asks {
            row["asks"] = hex::encode(asks).into();
        }
        rows.push(row);
    };
    let pick = |order: &[usize]| order.iter().map(|i| all[*i].clone()).collect::<Vec<_>>();
    add("one packet", vec![datagram.clone()], &["frame"], None);
    add(
        "in order",
        pick(&[0, 1, 2, 3]),
        &["none", "none", "none", "frame"],
        None,
    );
    add(
        "the last first",
        pick(&[3, 2, 1, 0]),
        &["none", "none", "none", "frame"],
        None,
    );
    add(
        "doubles and a late one",
        pick(&[2, 2, 0, 3, 1, 1]),
        &["none", "none", "none", "none", "frame", "none"],
        None,
    );
    add(
        "one missing",
        pick(&[0, 2, 3]),
        &["none"; 3],
        Some(vec![2, 5, 0b1101]),
    );
    add(
        "the last missing",
        pick(&[0, 1, 2]),
        &["none"; 3],
        Some(vec![2, 5, 0b0111]),
    );
    let mut bent = all.clone();
    bent[1][9] ^= 1;
    add(
        "a bent fragment",
        bent,
        &["none", "none", "none", "Corrupt"],
        None,
    );
    let mut long = all[1].clone();
    long.push(0);
    add(
        "two lengths: the newer counts",
        vec![
            all[0].clone(),
            long,
            all[0].clone(),
            all[1].clone(),
            all[2].clone(),
            all[3].clone(),
        ],
        &["none", "none", "none", "none", "none", "frame"],
        None,
    );
    let inner = fragments(6, 51, &[&[0x20][..], &frame].concat());
    add(
        "a fragment in fragments",
        inner,
        &["none", "none", "none", "Malformed"],
        None,
    );
    for (packet, name) in [
        (vec![], "nothing"),
        (vec![0], "an empty frame"),
        (vec![0x20], "half a fragment"),
        (vec![0x20, 5], "an empty fragment"),
        (vec![0x20, 0x85, 1], "a fragment that is first and last"),
        (vec![1, 2], "half a request for the whole"),
        (vec![2, 5, 1, 0], "a bitmap with a zero at its end"),
        (vec![2, 0x85, 1], "a repair of an id above 127"),
        (vec![3, 0, 0], "an unassigned first byte"),
        (vec![0x40, 0, 0], "somebody else's packet"),
    ] {
        add(name, vec![packet], &["Malformed"], None);
    }
    let (_, packed) = example();
    let [_, high, low, ..] = packed[..] else {
        unreachable!()
    };
    add(
        "compressed, and nothing is held: the whole is asked for",
        vec![packed],
        &["OutOfStep"],
        Some(vec![1, high, low]),
    );
    rows
}

pub fn book() -> String {
    let mut all = compressed();
    all.extend(packets());
    rows::render(&all)
}

#[allow(
    dead_code,
    reason = "the test that includes this file needs the generator only"
)]
fn main() {
    let path = format!("{}/../vectors/link.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::write(&path, book()).expect("vectors/ can be written");
    let (_, packed) = example();
    println!(
        "wrote vectors/link.json; the example, {} bytes: {}",
        packed.len(),
        hex::encode(packed)
    );
}
