//! Reading figures out of results, and writing them for people.

use serde_json::Value;

/// The number at a JSON pointer (RFC 6901); NaN if there is none, so that no condition over it holds.
#[must_use]
pub fn at(results: &Value, pointer: &str) -> f64 {
    results
        .pointer(pointer)
        .and_then(Value::as_f64)
        .unwrap_or(f64::NAN)
}

/// Rounded to so many decimals: results hold no digits that nobody reads.
#[must_use]
pub fn rounded(x: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    (x * scale).round() / scale
}

/// A whole number with commas, or three significant digits below 1,000; a dash for what is not known.
#[must_use]
pub fn human(x: f64) -> String {
    if !x.is_finite() {
        return "–".into();
    }
    let size = x.abs();
    if size >= 999.5 {
        let digits = format!("{:.0}", size);
        let mut out = String::new();
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                out.push(',');
            }
            out.push(digit);
        }
        return if x < 0.0 { format!("-{out}") } else { out };
    }
    if x.fract() == 0.0 {
        return format!("{x:.0}");
    }
    match size {
        100.0.. => format!("{x:.0}"),
        10.0.. => format!("{x:.1}"),
        1.0.. => format!("{x:.2}"),
        _ => format!("{x:.3}"),
    }
}

/// A share as a percentage.
#[must_use]
pub fn percent(x: f64) -> String {
    if x.is_finite() {
        format!("{} %", human(rounded(x * 100.0, 2)))
    } else {
        "–".into()
    }
}

/// A power of ten as people write it, `10^k`; any other number as it is.
#[must_use]
pub fn size(n: u64) -> String {
    let exponent = n.checked_ilog10().unwrap_or(0);
    if n >= 100 && 10u64.pow(exponent) == n {
        format!("10^{exponent}")
    } else {
        human(n as f64)
    }
}

/// Bytes in binary units.
#[must_use]
pub fn bytes(n: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut n = n;
    let mut unit = 0;
    while n >= 1024.0 && unit + 1 < units.len() {
        n /= 1024.0;
        unit += 1;
    }
    format!("{} {}", human(n), units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_as_people_write_them() {
        assert_eq!(human(1_234_567.4), "1,234,567");
        assert_eq!(human(999.7), "1,000");
        assert_eq!(human(12.34), "12.3");
        assert_eq!(human(0.0), "0");
        assert_eq!(human(0.12345), "0.123");
        assert_eq!(human(-4200.0), "-4,200");
        assert_eq!(human(f64::NAN), "–");
        assert_eq!(size(1_000_000), "10^6");
        assert_eq!(size(200_000), "200,000");
        assert_eq!(bytes(2048.0), "2 KiB");
        assert_eq!(percent(0.0512), "5.12 %");
    }

    #[test]
    fn what_is_not_there_satisfies_nothing() {
        let results = serde_json::json!({"a": {"b": 3}});
        assert!((at(&results, "/a/b") - 3.0).abs() < f64::EPSILON);
        let missing = at(&results, "/a/c");
        assert!(missing.is_nan());
        assert_eq!(missing.partial_cmp(&1.0), None);
    }
}
