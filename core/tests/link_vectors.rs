//! Runs the vectors of the link, holds the file against its generator, and decodes the worked example of docs/protocol.md section 9.5.

#[path = "../examples/gen_link_vectors/main.rs"]
mod generator;

use iotedge_core::link::{
    Context, Hope, Incoming, Link, LinkConfig, LinkError, LinkLimits, LinkMemory, LinkPeer,
    Nothing, Outgoing, Seen, compress, decompress,
};
use iotedge_core::{Epoch, HeaderNumber, Id, MAX_FRAME, MemberIndex, Millis, Number, Peer, Prefix};
use serde_json::Value as Json;

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn rows(op: &str) -> Vec<Json> {
    let rows: Vec<Json> = serde_json::from_str(&file("vectors/link.json")).unwrap();
    let rows: Vec<Json> = rows.into_iter().filter(|r| r["op"] == op).collect();
    assert!(rows.len() > 5, "{op}");
    rows
}

fn bytes(value: &Json) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn list(value: &Json) -> Vec<Vec<u8>> {
    value.as_array().unwrap().iter().map(bytes).collect()
}

/// The context of a row.
struct Held {
    tag: [u8; 4],
    header: u32,
    clocks: Vec<(u32, u64)>,
    held: Vec<(Id, Seen)>,
    bodies: Vec<(Id, Vec<u8>)>,
}

impl Held {
    fn of(row: &Json) -> Self {
        let id = |value: &Json| Id(bytes(value).try_into().unwrap());
        let int = |value: &Json| value.as_u64().unwrap();
        let items = |name: &str| row[name].as_array().unwrap().iter();
        Self {
            tag: bytes(&row["tag"]).try_into().unwrap(),
            header: int(&row["header"]) as u32,
            clocks: items("clocks")
                .map(|c| (int(&c[0]) as u32, int(&c[1])))
                .collect(),
            held: items("held")
                .map(|h| {
                    let seen = Seen {
                        issuer: MemberIndex(int(&h["issuer"]) as u16),
                        number: Number(int(&h["number"]) as u32),
                        epoch: Epoch(int(&h["epoch"]) as u32),
                        time: Millis(int(&h["time"])),
                    };
                    (id(&h["id"]), seen)
                })
                .collect(),
            bodies: items("bodies").map(|b| (id(&b[0]), bytes(&b[1]))).collect(),
        }
    }
}

fn only<T>(mut found: impl Iterator<Item = T>) -> Option<T> {
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

impl Context for Held {
    fn tag(&self) -> [u8; 4] {
        self.tag
    }
    fn head(&self, member: MemberIndex) -> Option<Number> {
        let own = self.held.iter().filter(|(_, s)| s.issuer == member);
        own.map(|(_, s)| s.number).max()
    }
    fn at(&self, member: MemberIndex, number: Number) -> Option<Id> {
        only(
            self.held
                .iter()
                .filter(|(_, s)| s.issuer == member && s.number == number)
                .map(|(id, _)| *id),
        )
    }
    fn seen(&self, id: &Id) -> Option<Seen> {
        only(self.held.iter().filter(|(i, _)| i == id).map(|(_, s)| *s))
    }
    fn by_prefix(&self, prefix: &Prefix) -> Option<Id> {
        only(
            self.held
                .iter()
                .map(|(i, _)| *i)
                .filter(|i| i.prefix() == *prefix),
        )
    }
    fn by_short(&self, short: &[u8; 4]) -> Option<Id> {
        only(
            self.held
                .iter()
                .map(|(i, _)| *i)
                .filter(|i| i.tag() == *short),
        )
    }
    fn clock_start(&self, epoch: Epoch) -> Option<Millis> {
        only(
            self.clocks
                .iter()
                .filter(|(e, _)| *e == epoch.0)
                .map(|(_, start)| Millis(*start)),
        )
    }
    fn header(&self) -> HeaderNumber {
        HeaderNumber(self.header)
    }
    fn body(&self, id: &Id) -> Option<&[u8]> {
        only(
            self.bodies
                .iter()
                .filter(|(i, _)| i == id)
                .map(|(_, b)| &b[..]),
        )
    }
    fn peer_has(&self, _: Peer, _: &Id) -> bool {
        true
    }
}

#[test]
fn the_file_is_what_the_generator_writes() {
    assert!(
        file("vectors/link.json") == generator::book(),
        "cargo run -p iotedge-core --example gen_link_vectors"
    );
}

#[test]
fn compressed_frames() {
    for row in rows("compressed") {
        let context = Held::of(&row["context"]);
        let packed = bytes(&row["packed"]);
        let mut out = [0; MAX_FRAME];
        let result = decompress(&packed, &context, &mut out);
        let said = match result {
            Ok(_) => "ok".into(),
            Err(error) => format!("{error:?}").split('(').next().unwrap().to_string(),
        };
        assert_eq!(said, row["expect"].as_str().unwrap(), "{}", row["name"]);
        let Ok(len) = result else { continue };
        let frame = bytes(&row["frame"]);
        assert_eq!(
            hex::encode(&out[..len]),
            hex::encode(&frame),
            "{}",
            row["name"]
        );
        if row["both"] == true {
            let done = compress(&frame, Peer(1), Hope::All, &context, &mut out).unwrap();
            assert_eq!(
                hex::encode(&out[..done.len]),
                hex::encode(&packed),
                "{}",
                row["name"]
            );
        }
    }
}

fn link(mtu: u16) -> Link<'static> {
    fn leak<T: Clone>(value: T, count: usize) -> &'static mut [T] {
        Vec::leak(vec![value; count])
    }
    let limits = LinkLimits::SMALL;
    let sizes = limits.sizes().unwrap();
    let memory = LinkMemory {
        peers: leak(LinkPeer::default(), sizes.peers),
        outgoing: leak(Outgoing::default(), sizes.outgoing),
        incoming: leak(Incoming::default(), sizes.incoming),
        bytes: leak(0, sizes.bytes),
    };
    let mut link = Link::new(memory, limits, LinkConfig::new(mtu)).unwrap();
    link.add_peer(Peer(1)).unwrap();
    link
}

#[test]
fn packets_that_are_sent() {
    for row in rows("send") {
        let mut link = link(row["mtu"].as_u64().unwrap() as u16);
        link.send(Millis(0), Peer(1), &bytes(&row["frame"]), &Nothing)
            .unwrap();
        let (mut out, mut sent) = ([0; 300], Vec::new());
        while let Some((_, len)) = link.next_packet(Millis(0), &mut out) {
            sent.push(out[..len].to_vec());
        }
        assert_eq!(sent, list(&row["packets"]), "{}", row["name"]);
    }
}

#[test]
fn packets_that_are_received() {
    for row in rows("receive") {
        let mut link = link(51);
        let mut frame = [0; MAX_FRAME];
        let results = row["results"].as_array().unwrap();
        for (packet, expected) in list(&row["packets"]).iter().zip(results) {
            let said = match link.receive(Millis(0), Peer(1), packet, &Nothing, &mut frame) {
                Ok(None) => "none".into(),
                Ok(Some(len)) => {
                    assert_eq!(frame[..len], bytes(&row["frame"]), "{}", row["name"]);
                    "frame".into()
                }
                Err(error) => format!("{error:?}"),
            };
            assert_eq!(said, expected.as_str().unwrap(), "{}", row["name"]);
            assert!(said != format!("{:?}", LinkError::Busy));
        }
        let asked = link
            .next_packet(Millis(250), &mut frame)
            .map(|(_, len)| frame[..len].to_vec());
        assert_eq!(asked, row.get("asks").map(bytes), "{}", row["name"]);
    }
}

#[test]
fn the_worked_example_of_the_page() {
    let page = file("docs/protocol.md");
    let section = page.split("### 9.5 ").nth(1).expect("section 9.5");
    let block = section
        .split("```hex\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let hex_only: String = block
        .lines()
        .map(|line| line.split(';').next().unwrap().trim())
        .collect();
    let packed = hex::decode(hex_only).unwrap();
    assert_eq!(packed, generator::example().1);
    let mut out = [0; MAX_FRAME];
    let len = decompress(&packed, &Held::of(&generator::context()), &mut out).unwrap();
    assert_eq!(out[..len], generator::example().0);
    assert_eq!((len, packed.len()), (148, 82));
}
