//! A measured figure beside its ceiling: one line of the table, one entry of `out/bench.json`.

use serde_json::{Value, json};

/// One line of the table.
pub struct Figure {
    /// What was measured.
    pub what: &'static str,
    /// How much it is.
    pub value: f64,
    /// In what.
    pub unit: &'static str,
    /// What the project holds it to.
    pub ceiling: Ceiling,
}

/// What the project holds a figure to.
#[derive(Clone, Copy)]
pub enum Ceiling {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// Between these two.
    Within(f64, f64),
    /// Told for the reader; nothing is promised.
    Told,
}

impl Figure {
    /// Whether the ceiling is kept; `None` where there is none.
    pub fn met(&self) -> Option<bool> {
        match self.ceiling {
            Ceiling::AtMost(most) => Some(self.value <= most),
            Ceiling::AtLeast(least) => Some(self.value >= least),
            Ceiling::Within(least, most) => Some((least..=most).contains(&self.value)),
            Ceiling::Told => None,
        }
    }

    fn ceiling(&self) -> String {
        match self.ceiling {
            Ceiling::AtMost(most) => format!("<= {most}"),
            Ceiling::AtLeast(least) => format!(">= {least}"),
            Ceiling::Within(least, most) => format!("{least} to {most}"),
            Ceiling::Told => String::new(),
        }
    }

    fn verdict(&self) -> &'static str {
        match self.met() {
            Some(true) => "ok",
            Some(false) => "MISSED",
            None => "",
        }
    }

    /// The entry in `out/bench.json`.
    pub fn json(&self) -> Value {
        json!({"figure": self.what, "value": self.value, "unit": self.unit, "ceiling": self.ceiling(), "met": self.met()})
    }
}

/// Prints the table; returns how many figures were missed.
pub fn print(figures: &[Figure]) -> usize {
    println!(
        "\n{:<74} {:>12} {:<13} {:<12} verdict",
        "figure", "measured", "unit", "ceiling"
    );
    for figure in figures {
        println!(
            "{:<74} {:>12.3} {:<13} {:<12} {}",
            figure.what,
            figure.value,
            figure.unit,
            figure.ceiling(),
            figure.verdict()
        );
    }
    let missed = figures.iter().filter(|f| f.met() == Some(false)).count();
    println!("\n{} figures, {missed} missed", figures.len());
    missed
}

/// Puts `figures` and `about` into the document at `path`, over what it said of them before; the rest of it stays.
///
/// # Errors
/// The file cannot be written. One that is not JSON is begun anew.
pub fn merge(path: &str, figures: &[Figure], about: (&str, Value)) -> std::io::Result<()> {
    let mut document: Value = std::fs::read_to_string(path)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .filter(Value::is_object)
        .unwrap_or_else(|| json!({}));
    let mut list = document["figures"].as_array().cloned().unwrap_or_default();
    list.retain(|old| !figures.iter().any(|new| old["figure"] == new.what));
    list.extend(figures.iter().map(Figure::json));
    let missed = list.iter().filter(|f| f["met"] == json!(false)).count();
    document["figures"] = list.into();
    document["missed"] = missed.into();
    document[about.0] = about.1;
    if let Some(folder) = std::path::Path::new(path).parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, format!("{document:#}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_replaces_what_was_measured_again_and_keeps_the_rest() {
        let path =
            std::env::temp_dir().join(format!("iotedge-figures-{}.json", std::process::id()));
        let text = path.to_str().unwrap();
        let figure = |what, value, ceiling| Figure {
            what,
            value,
            unit: "",
            ceiling,
        };
        let _ = std::fs::remove_file(&path);
        let first = [
            figure("a", 1.0, Ceiling::AtMost(2.0)),
            figure("b", 3.0, Ceiling::AtMost(2.0)),
        ];
        merge(text, &first, ("x", json!(1))).unwrap();
        merge(
            text,
            &[figure("b", 2.0, Ceiling::AtMost(2.0))],
            ("y", json!(2)),
        )
        .unwrap();
        let read: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let _ = std::fs::remove_file(&path);
        assert_eq!(read["figures"].as_array().unwrap().len(), 2);
        assert_eq!(
            (&read["missed"], &read["x"], &read["y"]),
            (&json!(0), &json!(1), &json!(2))
        );
    }
}
