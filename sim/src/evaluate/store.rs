//! The committed results: reading, writing, comparing, and the page that is made of them.

use super::{Claim, Mode, Page, SECTIONS, Section};
use serde_json::{Map, Value};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// `docs/`, where the page and the folder `evaluation/` lie.
#[derive(Clone, Debug)]
pub struct Store {
    docs: PathBuf,
}

/// What the page begins with.
const HEAD: &str = "# Evaluation

Every figure below was made by `ci/evaluate`, which writes this page, the results (`evaluation/*.json`) and the plots. `ci/evaluate NAME` runs one
section; `ci/evaluate --short`, part of `make test`, runs a small deterministic subset of each again and fails unless it gives exactly the committed
results and every claim is what this page says. A claim is a sentence with a condition over the results that code evaluates. Figures are counts, the
same on every machine; what was taken from a clock is called *measured*.

";

impl Store {
    /// The store in this `docs` folder.
    #[must_use]
    pub fn new(docs: &Path) -> Self {
        Self { docs: docs.into() }
    }

    /// The store below the working directory, which is the repository's root.
    #[must_use]
    pub fn here() -> Self {
        Self::new(Path::new("docs"))
    }

    fn results_path(&self, section: &Section) -> PathBuf {
        self.docs
            .join("evaluation")
            .join(format!("{}.json", section.name))
    }

    /// The committed results of a section: an object with `short` and `full`.
    ///
    /// # Errors
    /// Not there, or not JSON.
    pub fn results(&self, section: &Section) -> io::Result<Value> {
        let path = self.results_path(section);
        let text = fs::read_to_string(&path)
            .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
        serde_json::from_str(&text).map_err(|e| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{}: {e}", path.display()),
            )
        })
    }

    /// The full results of a section that are committed, empty if there are none: the parts that take long are kept from one run to the next.
    #[must_use]
    pub fn kept(&self, section: &Section) -> Map<String, Value> {
        let results = self.results(section).unwrap_or_default();
        let full = results.get(Mode::Full.key()).and_then(Value::as_object);
        full.cloned().unwrap_or_default()
    }

    /// Writes the results of a section.
    ///
    /// # Errors
    /// The file system's.
    pub fn write_results(&self, section: &Section, short: Value, full: Value) -> io::Result<()> {
        let mut both = Map::new();
        both.insert(Mode::Full.key().into(), full);
        both.insert(Mode::Short.key().into(), short);
        let text = serde_json::to_string_pretty(&Value::Object(both))?;
        fs::create_dir_all(self.docs.join("evaluation"))?;
        fs::write(self.results_path(section), text + "\n")
    }

    /// The page and the plots of these full results: path below `docs` and contents.
    #[must_use]
    pub fn files(results: &[(&Section, Value)]) -> Vec<(String, String)> {
        let mut files = Vec::new();
        let mut body = String::new();
        let mut summary = String::from("| section | claim | figures | |\n|---|---|---|---|\n");
        let (mut held, mut missed) = (0, 0);
        for (section, full) in results {
            let mut page = Page::default();
            (section.page)(full, &mut page);
            for (name, picture) in page.plots() {
                files.push((format!("evaluation/{name}"), picture.clone()));
            }
            let _ = writeln!(
                body,
                "<a id=\"{}\"></a>\n\n## {}\n\n{}",
                section.name,
                section.title,
                page.markdown()
            );
            for claim in (section.claims)(full, Mode::Full) {
                if claim.holds {
                    held += 1;
                } else {
                    missed += 1;
                }
                let _ = writeln!(
                    summary,
                    "| [{0}](#{0}) | {1} | {2} | {3} |",
                    section.name,
                    claim.sentence,
                    claim.figures,
                    verdict(&claim)
                );
            }
        }
        let text = format!(
            "{HEAD}## Summary: {held} claims held, {missed} missed\n\n{summary}\n{}",
            body.trim_end()
        );
        files.push(("evaluation.md".into(), text + "\n"));
        files
    }

    /// Writes the page and the plots.
    ///
    /// # Errors
    /// The file system's.
    pub fn write_files(&self, files: &[(String, String)]) -> io::Result<()> {
        for (name, contents) in files {
            fs::write(self.docs.join(name), contents)?;
        }
        Ok(())
    }

    /// The names of those files that are not committed as they should be.
    #[must_use]
    pub fn stale<'f>(&self, files: &'f [(String, String)]) -> Vec<&'f str> {
        files
            .iter()
            .filter(|(name, contents)| {
                fs::read_to_string(self.docs.join(name)).ok().as_ref() != Some(contents)
            })
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// The results of every section that has some, in the order of the page.
    #[must_use]
    pub fn all(&self) -> Vec<(&'static Section, Value)> {
        SECTIONS
            .iter()
            .filter_map(|section| Some((section, self.results(section).ok()?)))
            .collect()
    }
}

fn verdict(claim: &Claim) -> String {
    match (claim.holds, claim.admitted) {
        (true, _) => "held".into(),
        (false, Some(why)) => format!("**missed**: {why}"),
        (false, None) => "**missed**".into(),
    }
}

/// The first few places where two results differ, as JSON pointers.
#[must_use]
pub fn differences(committed: &Value, now: &Value) -> Vec<String> {
    let mut out = Vec::new();
    compare("", committed, now, &mut out);
    out
}

fn compare(path: &str, a: &Value, b: &Value, out: &mut Vec<String>) {
    if out.len() >= 20 {
        return;
    }
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let extra = y.keys().filter(|key| !x.contains_key(*key));
            for key in x.keys().chain(extra) {
                let null = Value::Null;
                let (left, right) = (x.get(key).unwrap_or(&null), y.get(key).unwrap_or(&null));
                compare(&format!("{path}/{key}"), left, right, out);
            }
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            for (i, (left, right)) in x.iter().zip(y).enumerate() {
                compare(&format!("{path}/{i}"), left, right, out);
            }
        }
        _ if a != b => out.push(format!("{path}: committed {a}, now {b}")),
        _ => {}
    }
}

/// As it is after being written and read once: what the committed results are compared with.
///
/// # Panics
/// Never: what serde_json wrote it can read.
#[must_use]
pub fn as_stored(results: &Value) -> Value {
    serde_json::from_str(&results.to_string()).expect("JSON that was just written")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_are_named() {
        let a = json!({"x": [1, 2], "y": {"z": 0.1}});
        assert!(differences(&a, &as_stored(&a)).is_empty());
        let b = json!({"x": [1, 3], "y": {"z": 0.1}, "w": 1});
        assert_eq!(
            differences(&a, &b),
            ["/x/1: committed 2, now 3", "/w: committed null, now 1"]
        );
    }

    #[test]
    fn a_missed_claim_is_in_the_page() {
        fn no_results(_: Mode) -> Value {
            Value::Null
        }
        fn claims(_: &Value, _: Mode) -> Vec<Claim> {
            vec![
                Claim::new("It flies.", "0 m", false).admit("no wings"),
                Claim::new("It walks.", "4 legs", true),
            ]
        }
        fn page(_: &Value, page: &mut Page) {
            page.text("A dog.");
        }
        let section = Section {
            name: "dog",
            title: "Dog",
            run: no_results,
            claims,
            page,
        };
        let files = Store::files(&[(&section, Value::Null)]);
        let text = &files.last().unwrap().1;
        assert!(text.contains("1 claims held, 1 missed"), "{text}");
        assert!(text.contains("| [dog](#dog) | It flies. | 0 m | **missed**: no wings |"));
        assert!(text.contains("## Dog\n\nA dog."));
    }
}
