//! A naive CBOR encoder that also writes what ours refuses, the rows of a file, and the vectors of plain CBOR.

use V::{A, B, M, N, Null, Raw, T, U};
use serde_json::{Value as Json, json};

/// A CBOR item to encode, right or wrong.
#[derive(Clone)]
pub enum V {
    U(u64),
    N(u64),
    B(Vec<u8>),
    T(&'static str),
    A(Vec<V>),
    M(Vec<(V, V)>),
    Tag(u64, Box<V>),
    Null,
    Raw(Vec<u8>),
}
pub fn head(major: u8, n: u64) -> Vec<u8> {
    let mut out = vec![major << 5];
    let wide = n.to_be_bytes();
    let (info, width) = match n {
        0..24 => (n as u8, 0),
        24..0x100 => (24, 1),
        0x100..0x1_0000 => (25, 2),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 8),
    };
    out[0] |= info;
    out.extend(&wide[8 - width..]);
    out
}

pub fn enc(v: &V) -> Vec<u8> {
    let with = |major, n: usize, rest: Vec<u8>| [head(major, n as u64), rest].concat();
    match v {
        U(n) => head(0, *n),
        N(n) => head(1, *n),
        B(b) => with(2, b.len(), b.clone()),
        T(t) => with(3, t.len(), t.as_bytes().to_vec()),
        A(items) => with(4, items.len(), items.iter().flat_map(enc).collect()),
        M(pairs) => {
            let flat = pairs.iter().flat_map(|(k, v)| [enc(k), enc(v)].concat());
            with(5, pairs.len(), flat.collect())
        }
        V::Tag(t, v) => [head(6, *t), enc(v)].concat(),
        Null => vec![0xf6],
        Raw(b) => b.clone(),
    }
}

/// The rows of one file.
#[derive(Default)]
pub struct Book(pub Vec<String>);

impl Book {
    pub fn row(&mut self, fields: &[(&str, Json)]) {
        let fields: Vec<_> = fields.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
        self.0.push(format!("{{{}}}", fields.join(",")));
    }

    /// The file: one row per line.
    pub fn render(&self) -> String {
        format!("[\n{}\n]\n", self.0.join(",\n"))
    }
}

pub fn hexed(bytes: impl AsRef<[u8]>) -> Json {
    json!(hex::encode(bytes))
}

/// One item per row; `value` is what a typed read gives.
pub fn cbor() -> Book {
    let mut book = Book::default();
    let mut value = |name: &str, v: V, kind: &str, value: &str| {
        book.row(&[
            ("name", json!(name)),
            ("item", hexed(enc(&v))),
            ("expect", json!("ok")),
            ("type", json!(kind)),
            ("value", json!(value)),
        ]);
    };
    for n in [
        0,
        23,
        24,
        255,
        256,
        65_535,
        65_536,
        (1 << 32) - 1,
        1 << 32,
        u64::MAX,
    ] {
        value(&format!("uint {n}"), U(n), "uint", &n.to_string());
    }
    for n in [0, 23, 24, 255, 256, 65_536, 1 << 32, i64::MAX as u64] {
        let text = (-1 - n as i64).to_string();
        value(&format!("int {text}"), N(n), "int", &text);
    }
    value("no bytes", B(vec![]), "bytes", "");
    value("24 bytes", B(vec![7; 24]), "bytes", &"07".repeat(24));
    value("no text", T(""), "text", "");
    value("text", T("ü°"), "text", "ü°");
    value("null", Null, "null", "");
    let mut item = |name: &str, bytes: &str, expect: &str| {
        book.row(&[
            ("name", json!(name)),
            ("item", json!(bytes.replace(' ', ""))),
            ("expect", json!(expect)),
        ]);
    };
    item("array", "83 01 20 41ff", "ok");
    item("keys in order", "a4 01 00 04 00 20 00 6161 00", "ok");
    item("tagged", "d2 80", "ok");
    item("eight deep", "81 81 81 81 81 81 81 00", "ok");
    item("lowest negative", "3bffffffffffffffff", "ok");
    for (name, bytes) in [
        ("uint 23 in two bytes", "1817"),
        ("uint 255 in three", "1900ff"),
        ("uint 65535 in five", "1a0000ffff"),
        ("uint 2^32-1 in nine", "1b00000000ffffffff"),
        ("negative in two bytes", "3817"),
        ("bytes with a long head", "5801aa"),
        ("text with a long head", "780161"),
        ("array with a long head", "980100"),
        ("map with a long head", "b8010000"),
        ("tag with a long head", "d81200"),
        ("long head inside", "82 00 1800"),
        ("bytes in pieces", "5f 41aa ff"),
        ("text in pieces", "7f 6161 ff"),
        ("array without length", "9f 00 ff"),
        ("map without length", "bf 00 00 ff"),
        ("unassigned 28", "1c"),
        ("keys out of order", "a2 02 00 01 00"),
        ("key twice", "a2 01 00 01 00"),
        ("length before value", "a2 6161 00 20 00"),
        ("keys out of order inside", "81 a2 02 00 01 00"),
    ] {
        item(name, bytes, "NotDeterministic");
    }
    for (name, bytes) in [
        ("half float", "f90000"),
        ("float", "fa00000000"),
        ("double", "fb0000000000000000"),
        ("undefined", "f7"),
        ("other simple value", "f8ff"),
        ("break alone", "ff"),
        ("positive big number", "c24101"),
        ("negative big number", "c34101"),
    ] {
        item(name, bytes, "Type");
    }
    for (name, bytes) in [
        ("nothing", ""),
        ("head cut", "19 01"),
        ("bytes cut", "42 aa"),
        ("array cut", "82 01"),
        ("map without value", "a1 01"),
        ("tag alone", "d2"),
        ("2^64-1 items", "9bffffffffffffffff"),
        ("2^64-1 pairs", "bbffffffffffffffff"),
        ("2^64-1 bytes", "5bffffffffffffffff"),
    ] {
        item(name, bytes, "Truncated");
    }
    item("text that is not UTF-8", "61ff", "Range");
    item("one byte more", "00 00", "TrailingBytes");
    item("nine deep", "81 81 81 81 81 81 81 81 00", "TooDeep");
    book
}
