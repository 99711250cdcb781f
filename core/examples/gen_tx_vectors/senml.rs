//! SenML packs.

use super::encoder::V::{self, A, M, N, Raw, T, U};
use super::encoder::{Book, enc, hexed};
use serde_json::json;

pub fn senml() -> Book {
    let mut book = Book::default();
    let mut good = |name: &str, pack: V, base: &str, readings: &str| {
        book.row(&[
            ("name", json!(name)),
            ("pack", hexed(enc(&pack))),
            ("expect", json!("ok")),
            ("base_name", json!(base)),
            ("readings", json!(readings)),
        ]);
    };
    let one = |pairs: Vec<(V, V)>| A(vec![M(pairs)]);
    let tenths = |m: V| V::Tag(4, Box::new(A(vec![N(0), m])));
    let fraction = |e: V, m: V| V::Tag(4, Box::new(A(vec![e, m])));
    good(
        "a temperature",
        one(vec![
            (U(0), T("temp")),
            (U(1), T("Cel")),
            (U(2), tenths(U(215))),
        ]),
        "",
        "temp,Cel,215e-1,",
    );
    good(
        "all fields",
        one(vec![
            (U(0), T("cpu.load")),
            (U(1), T("/")),
            (U(2), fraction(N(2), N(124))),
            (U(6), U(1_750_000_000)),
        ]),
        "",
        "cpu.load,/,-125e-3,1750000000",
    );
    good(
        "a number above 64 bits",
        one(vec![(U(0), T("n")), (U(2), fraction(U(19), U(1)))]),
        "",
        "n,,1e19,",
    );
    good(
        "two readings under a base name",
        A(vec![
            M(vec![(U(0), T("t")), (U(2), U(4)), (N(1), T("dev1:"))]),
            M(vec![
                (U(0), T("h")),
                (U(1), T("%RH")),
                (U(2), N(2)),
                (U(6), N(4)),
            ]),
        ]),
        "dev1:",
        "t,,4,;h,%RH,-3,-5",
    );
    let n = || (U(0), T("n"));
    let mut bad = |name: &str, pack: V, expect: &str| {
        book.row(&[
            ("name", json!(name)),
            ("pack", hexed(enc(&pack))),
            ("expect", json!(expect)),
        ]);
    };
    bad("no record", A(vec![]), "Empty");
    bad("no value", one(vec![n()]), "NoValue");
    bad("no name", one(vec![(U(2), U(1))]), "Name");
    bad("empty name", one(vec![(U(0), T("")), (U(2), U(1))]), "Name");
    bad(
        "name with a space",
        one(vec![(U(0), T("a b")), (U(2), U(1))]),
        "Name",
    );
    bad(
        "name that begins with a dot",
        one(vec![(U(0), T(".a")), (U(2), U(1))]),
        "Name",
    );
    let long = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
    bad(
        "name of 33 bytes",
        one(vec![(U(0), T(long)), (U(2), U(1))]),
        "Name",
    );
    bad(
        "empty unit",
        one(vec![n(), (U(1), T("")), (U(2), U(1))]),
        "Unit",
    );
    bad(
        "unit of 9 bytes",
        one(vec![n(), (U(1), T("uuuuuuuuu")), (U(2), U(1))]),
        "Unit",
    );
    bad(
        "boolean value",
        one(vec![n(), (U(4), Raw(vec![0xf5]))]),
        "Field",
    );
    bad("string value", one(vec![n(), (U(3), T("x"))]), "Field");
    bad(
        "base name for one",
        one(vec![n(), (U(2), U(1)), (N(1), T("b"))]),
        "BaseName",
    );
    bad(
        "base name in the second",
        A(vec![
            M(vec![n(), (U(2), U(1))]),
            M(vec![n(), (U(2), U(1)), (N(1), T("b"))]),
        ]),
        "BaseName",
    );
    for (name, value) in [
        ("exponent 0", fraction(U(0), U(5))),
        ("trailing zero", tenths(U(10))),
        ("fraction of zero", tenths(U(0))),
        ("fraction for an integer", fraction(U(3), U(5))),
        ("exponent below -128", fraction(N(128), U(1))),
    ] {
        bad(name, one(vec![n(), (U(2), value)]), "NotNormal");
    }
    let double = Raw(hex::decode("fb4035800000000000").unwrap());
    bad("a float", one(vec![n(), (U(2), double)]), "WireType");
    bad(
        "tag 5",
        one(vec![n(), (U(2), V::Tag(5, Box::new(A(vec![N(0), U(1)]))))]),
        "WireType",
    );
    bad(
        "fields out of order",
        one(vec![(U(2), U(1)), n()]),
        "WireNotDeterministic",
    );
    book
}
