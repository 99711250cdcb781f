//! The evaluation: sections that each make results, sentences about them (claims), tables and plots.
//!
//! The one invariant: `docs/evaluation.md` is a pure function of `docs/evaluation/*.json`, and no claim is printed whose condition was
//! not evaluated by code over these results. A section is a module with three functions, entered in [`SECTIONS`]:
//! `run` makes results (in short mode a small, deterministic subset), `claims` judges them, `page` writes them down. `ci/evaluate` runs all in full
//! and writes; `ci/evaluate --short` runs the short ones again and fails unless they are what is committed. See `docs/decisions/0016`.

pub mod attacks;
pub mod election;
pub mod number;
pub mod page;
pub mod plot;
pub mod scale;
pub mod store;
pub mod tuning;

pub use page::Page;
pub use plot::{Axis, Plot, Series};

use serde_json::Value;

/// How much is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Seconds; every figure a deterministic count. Compared with what is committed.
    Short,
    /// Minutes; what the page is made of. May also have figures by the wall clock, under a key `measured`.
    Full,
}

impl Mode {
    /// The key of these results in the section's file.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Full => "full",
        }
    }
}

/// A sentence of the page and whether the results bear it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What is claimed, in full.
    pub sentence: String,
    /// The figures that decide.
    pub figures: String,
    /// The condition, evaluated over the results.
    pub holds: bool,
    /// What is known of a claim that is missed: without it a missed claim fails the run, with it the page says so.
    pub admitted: Option<&'static str>,
}

impl Claim {
    /// A claim with its figures and the condition.
    #[must_use]
    pub fn new(sentence: impl Into<String>, figures: impl Into<String>, holds: bool) -> Self {
        Self {
            sentence: sentence.into(),
            figures: figures.into(),
            holds,
            admitted: None,
        }
    }

    /// Says why it is missed. Claims that hold must not have this.
    #[must_use]
    pub fn admit(mut self, why: &'static str) -> Self {
        self.admitted = Some(why);
        self
    }

    /// Whether the run may pass: it holds, or the page says why not. A claim that holds after all must lose its excuse.
    #[must_use]
    pub const fn acceptable(&self) -> bool {
        self.holds != self.admitted.is_some()
    }
}

/// One part of the evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Stem of its files in `docs/evaluation/`, and its name on the command line.
    pub name: &'static str,
    /// Heading in the page.
    pub title: &'static str,
    /// Makes the results.
    pub run: fn(Mode) -> Value,
    /// Judges results of either mode. The full ones are those of the page.
    pub claims: fn(&Value, Mode) -> Vec<Claim>,
    /// Writes the full results down: text, tables, plots. Pure.
    pub page: fn(&Value, &mut Page),
}

/// Every section, in the order of the page.
pub const SECTIONS: &[Section] = &[
    crate::baseline::SECTION,
    attacks::SECTION,
    tuning::SECTION,
    scale::SECTION,
    election::SECTION,
];

/// The section of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excuse_is_for_missed_claims_only() {
        let claim = |holds| Claim::new("x", "1", holds);
        assert!(claim(true).acceptable());
        assert!(!claim(false).acceptable());
        assert!(claim(false).admit("too slow").acceptable());
        assert!(!claim(true).admit("too slow").acceptable());
    }

    #[test]
    fn names_are_unique_and_file_stems() {
        for (i, section) in SECTIONS.iter().enumerate() {
            assert!(
                section
                    .name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'-')
            );
            assert!(SECTIONS[..i].iter().all(|other| other.name != section.name));
        }
    }
}
