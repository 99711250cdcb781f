use super::*;
use proptest::prelude::*;

fn reading<'a>(name: &'a str, unit: Option<&'a str>, value: (i64, i8)) -> Reading<'a> {
    Reading {
        name,
        unit,
        value: Decimal::new(value.0, value.1).unwrap(),
        time: None,
    }
}

fn written(base: Option<&str>, readings: &[Reading<'_>]) -> Result<Vec<u8>, SenmlError> {
    let mut out = [0; 320];
    encode(base, readings, &mut out).map(<[u8]>::to_vec)
}

#[test]
fn decimals_have_one_form() {
    for (given, want) in [
        ((0, 0), (0, 0)),
        ((0, -9), (0, 0)),
        ((215, -1), (215, -1)),
        ((2150, -2), (215, -1)),
        ((2100, -2), (21, 0)),
        ((5, 3), (5000, 0)),
        ((-5, 3), (-5000, 0)),
        ((i64::MAX, 0), (i64::MAX, 0)),
        ((i64::MIN, 0), (i64::MIN, 0)),
        ((1, 18), (1_000_000_000_000_000_000, 0)),
        ((1, 19), (1, 19)),
        ((10, 18), (1, 19)),
        ((1, -128), (1, -128)),
        ((10, -128), (1, -127)),
    ] {
        let decimal = Decimal::new(given.0, given.1).unwrap();
        assert_eq!((decimal.mantissa(), decimal.exponent()), want, "{given:?}");
    }
    assert_eq!(Decimal::new(10, 127), None);
    assert_eq!(Decimal::new(215, -1).unwrap().to_string(), "215e-1");
    assert_eq!(Decimal::from(-3).to_string(), "-3");
}

#[test]
fn a_reading_in_bytes() {
    // [{0: "temp", 1: "Cel", 2: 4([-1, 215])}]
    let one = [reading("temp", Some("Cel"), (215, -1))];
    let want = "81a3006474656d70016343656c02c4822018d7";
    assert_eq!(hex::encode(written(None, &one).unwrap()), want);
    // [{0: "t", 2: 4, -2: "dev1:"}, {0: "h", 1: "%RH", 2: -3, 6: -5}]
    let mut two = [
        reading("t", None, (4, 0)),
        reading("h", Some("%RH"), (-3, 0)),
    ];
    two[1].time = Some(-5);
    let bytes = written(Some("dev1:"), &two).unwrap();
    assert_eq!(
        hex::encode(&bytes),
        "82a3006174020421656465 76313aa4006168016325524802220624".replace(' ', "")
    );
    let pack = Pack::parse(&bytes).unwrap();
    assert_eq!(pack.base_name(), Some("dev1:"));
    assert_eq!(pack.iter().collect::<Vec<_>>(), two);
}

#[test]
fn what_is_not_a_reading_is_refused() {
    use WireError::{NotDeterministic, TrailingBytes, Type};
    for (hex, want) in [
        ("80", SenmlError::Empty),
        ("81a1006174", SenmlError::NoValue),
        ("81a10201", SenmlError::Name),
        ("81a200600201", SenmlError::Name),
        ("81a20062 3a74 0201", SenmlError::Name),
        ("81a20062 7420 0201", SenmlError::Name),
        ("81a300617401600201", SenmlError::Unit),
        ("81a3006174016931323334353637383902 01", SenmlError::Unit),
        ("81a30061740201 04f5", SenmlError::Field),
        ("81a2006174036161", SenmlError::Field),
        ("81a300617402012 16162", SenmlError::BaseName),
        ("82a2006174 0201 a3006174 0201 216162", SenmlError::BaseName),
        ("82a3006174 0201 2160 a2006174 0201", SenmlError::BaseName),
        ("81a200617402c4820005", SenmlError::NotNormal),
        ("81a200617402c482200a", SenmlError::NotNormal),
        ("81a200617402c4822000", SenmlError::NotNormal),
        ("81a200617402c4820305", SenmlError::NotNormal),
        ("81a200617402c482388001", SenmlError::NotNormal),
        ("81a200617402c58220 01", SenmlError::Wire(Type)),
        ("81a200617402fb4035800000000000", SenmlError::Wire(Type)),
        ("81a2020100 6174", SenmlError::Wire(NotDeterministic)),
        ("81a30061740201 06fa00000000", SenmlError::Wire(Type)),
        ("81a2006174020100", SenmlError::Wire(TrailingBytes)),
        ("a0", SenmlError::Wire(Type)),
    ] {
        let bytes = hex::decode(hex.replace(' ', "")).unwrap();
        assert_eq!(Pack::parse(&bytes).err(), Some(want), "{hex}");
    }
}

#[test]
fn what_cannot_be_written_is_refused() {
    let long = "n".repeat(MAX_NAME + 1);
    for (base, reading, want) in [
        (None, reading("", None, (1, 0)), SenmlError::Name),
        (None, reading(&long, None, (1, 0)), SenmlError::Name),
        (None, reading("-a", None, (1, 0)), SenmlError::Name),
        (None, reading("a b", None, (1, 0)), SenmlError::Name),
        (None, reading("a", Some(""), (1, 0)), SenmlError::Unit),
        (
            None,
            reading("a", Some("123456789"), (1, 0)),
            SenmlError::Unit,
        ),
        (Some("b"), reading("a", None, (1, 0)), SenmlError::BaseName),
    ] {
        assert_eq!(written(base, &[reading]), Err(want));
    }
    let a = reading("a", None, (1, 0));
    assert_eq!(written(Some(""), &[a, a]), Err(SenmlError::BaseName));
    assert_eq!(written(Some(&long), &[a, a]), Err(SenmlError::Name));
    assert_eq!(written(None, &[]), Err(SenmlError::Empty));
    let mut short = [0; 5];
    assert_eq!(
        encode(None, &[a], &mut short),
        Err(SenmlError::Wire(WireError::Full))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_is_read(
        base in prop::option::of("[A-Za-z0-9][a-z0-9:./_-]{0,9}"),
        records in prop::collection::vec(
            ("[a-z0-9][a-z0-9:./_-]{0,9}", prop::option::of("[A-Za-z%/]{1,8}"), any::<i64>(), 0u32..64, -100i8..100, any::<Option<i64>>()),
            2..6,
        ),
    ) {
        let readings: Vec<_> = records
            .iter()
            .map(|(name, unit, mantissa, shift, exponent, time)| Reading {
                name,
                unit: unit.as_deref(),
                value: Decimal::new(mantissa >> shift, *exponent).unwrap(),
                time: *time,
            })
            .collect();
        let bytes = written(base.as_deref(), &readings).unwrap();
        let pack = Pack::parse(&bytes).unwrap();
        prop_assert_eq!(pack.base_name(), base.as_deref());
        prop_assert_eq!(pack.iter().collect::<Vec<_>>(), readings);
    }

    /// Equal values give equal bytes, however they were given.
    #[test]
    fn one_value_has_one_encoding(mantissa in -1_000_000i64..1_000_000, exponent in -20i8..20, zeros in 0u32..9) {
        let plain = Decimal::new(mantissa, exponent).unwrap();
        let padded = Decimal::new(mantissa * 10i64.pow(zeros), exponent - zeros as i8).unwrap();
        prop_assert_eq!(plain, padded);
    }

    #[test]
    fn random_bytes_never_panic(tail in prop::collection::vec(any::<u8>(), 0..40), records in 0u8..4) {
        let mut bytes = vec![0x80 | records];
        bytes.extend(tail);
        if let Ok(pack) = Pack::parse(&bytes) {
            prop_assert_eq!(pack.iter().count(), pack.len());
        }
    }
}
