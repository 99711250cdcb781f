//! The page under construction: markdown and the plots that it shows.

use super::plot::Plot;
use std::fmt::Write;

/// What a section writes.
#[derive(Clone, Debug, Default)]
pub struct Page {
    markdown: String,
    plots: Vec<(String, String)>,
}

impl Page {
    /// A paragraph, or anything else of markdown.
    pub fn text(&mut self, text: impl AsRef<str>) {
        self.markdown.push_str(text.as_ref().trim());
        self.markdown.push_str("\n\n");
    }

    /// A heading below the section's.
    pub fn heading(&mut self, text: &str) {
        let _ = writeln!(self.markdown, "### {text}\n");
    }

    /// A table. Columns after the first are figures: to the right.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        self.columns(head, rows, "---:|");
    }

    /// A table of words.
    pub fn words(&mut self, head: &[&str], rows: &[Vec<String>]) {
        self.columns(head, rows, "---|");
    }

    fn columns(&mut self, head: &[&str], rows: &[Vec<String>], others: &str) {
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let mut line = String::from("|");
            for cell in cells {
                let _ = write!(line, " {cell} |");
            }
            line
        };
        let _ = writeln!(self.markdown, "{}", line(&mut head.iter().copied()));
        self.markdown.push_str("|---|");
        self.markdown
            .push_str(&others.repeat(head.len().saturating_sub(1)));
        self.markdown.push('\n');
        for row in rows {
            let _ = writeln!(
                self.markdown,
                "{}",
                line(&mut row.iter().map(String::as_str))
            );
        }
        self.markdown.push('\n');
    }

    /// A plot, kept beside the results as `STEM.svg`; the stem begins with the section's name.
    pub fn plot(&mut self, stem: &str, plot: &Plot) {
        let _ = writeln!(
            self.markdown,
            "![{}](evaluation/{stem}.svg)\n",
            plot.title.replace(['[', ']'], "")
        );
        self.plots.push((format!("{stem}.svg"), plot.svg()));
    }

    /// The markdown so far.
    #[must_use]
    pub fn markdown(&self) -> &str {
        &self.markdown
    }

    /// The plots so far: file name and contents.
    #[must_use]
    pub fn plots(&self) -> &[(String, String)] {
        &self.plots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_markdown() {
        let mut page = Page::default();
        page.table(&["a", "b"], &[vec!["1".into(), "2".into()]]);
        assert_eq!(page.markdown(), "| a | b |\n|---|---:|\n| 1 | 2 |\n\n");
    }
}
