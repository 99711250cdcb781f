//! Line plots as SVG: linear or logarithmic axes, a legend, colours for light and dark.
//!
//! A writer of our own instead of a library: a plot is two hundred lines, its bytes depend on nothing but the figures (so they can be
//! committed and compared), and `prefers-color-scheme` keeps it legible in either theme, which the libraries looked at do not offer.

use std::fmt::Write;

/// One axis.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What and in which unit.
    pub label: String,
    /// Logarithmic, base 10. Points at or below zero are left out then.
    pub log: bool,
}

impl Axis {
    /// A logarithmic axis.
    #[must_use]
    pub fn log(label: &str) -> Self {
        Self {
            label: label.into(),
            log: true,
        }
    }

    /// A linear axis from zero.
    #[must_use]
    pub fn linear(label: &str) -> Self {
        Self {
            label: label.into(),
            log: false,
        }
    }
}

/// One line.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its name in the legend.
    pub label: String,
    /// Its points from left to right.
    pub points: Vec<(f64, f64)>,
    /// Not measured: fitted, modelled.
    pub dashed: bool,
}

/// A plot.
#[derive(Clone, Debug)]
pub struct Plot {
    /// What it shows.
    pub title: String,
    /// Left to right.
    pub x: Axis,
    /// Bottom to top.
    pub y: Axis,
    /// The lines; colours and marks by their order, eight at most.
    pub series: Vec<Series>,
}

const WIDTH: f64 = 760.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 44.0;
const INNER_HEIGHT: f64 = 300.0;
const LEGEND_LINE: f64 = 20.0;

/// After Okabe and Ito, apart for the colour-blind; light theme and dark theme.
const COLOURS: [(&str, &str); 8] = [
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#ff8c42"),
    ("#007a5a", "#2fd6a5"),
    ("#a8428c", "#e59bd0"),
    ("#8a6d00", "#f0e442"),
    ("#444444", "#cccccc"),
    ("#7a3fc8", "#b79bff"),
    ("#b00020", "#ff8a9a"),
];

/// The range of an axis and its ticks.
struct Scale {
    log: bool,
    low: f64,
    high: f64,
    ticks: Vec<(f64, String)>,
}

fn tick_name(x: f64) -> String {
    let size = x.abs();
    if size >= 1e9 {
        format!("{}G", x / 1e9)
    } else if size >= 1e6 {
        format!("{}M", x / 1e6)
    } else if size >= 1e3 {
        format!("{}k", x / 1e3)
    } else {
        format!("{}", (x * 1e6).round() / 1e6)
    }
}

impl Scale {
    fn of(axis: &Axis, values: impl Iterator<Item = f64>) -> Self {
        let (mut least, mut most) = (f64::INFINITY, 0f64);
        for value in values.filter(|v| v.is_finite() && (!axis.log || *v > 0.0)) {
            least = least.min(value);
            most = most.max(value);
        }
        if axis.log {
            if !least.is_finite() {
                (least, most) = (1.0, 10.0);
            }
            let low = least.log10().floor();
            let high = most.log10().ceil().max(low + 1.0);
            let every = (((high - low) / 8.0).ceil() as usize).max(1);
            let ticks = (low as i32..=high as i32)
                .step_by(every)
                .map(|k| (f64::from(k), tick_name(10f64.powi(k))))
                .collect();
            return Self {
                log: true,
                low,
                high,
                ticks,
            };
        }
        let most = if most > 0.0 { most } else { 1.0 };
        let rough = most / 5.0;
        let power = 10f64.powi(rough.log10().floor() as i32);
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .into_iter()
            .map(|m| m * power)
            .find(|step| *step >= rough * 0.999)
            .unwrap_or(10.0 * power);
        let count = (most / step).ceil().max(1.0) as usize;
        Self {
            log: false,
            low: 0.0,
            high: step * count as f64,
            ticks: (0..=count)
                .map(|i| (step * i as f64, tick_name(step * i as f64)))
                .collect(),
        }
    }

    /// Where a value lies, 0 to 1; `None`: it cannot be shown.
    fn place(&self, value: f64) -> Option<f64> {
        if !value.is_finite() || (self.log && value <= 0.0) {
            return None;
        }
        let value = if self.log { value.log10() } else { value };
        Some((value - self.low) / (self.high - self.low))
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A mark around a point; one shape per place in the order, so that lines are told apart without colour.
fn mark(index: usize, x: f64, y: f64) -> String {
    let class = format!("class=\"m c{index}\"");
    match index % 4 {
        0 => format!("<circle {class} cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>"),
        1 => format!(
            "<rect {class} x=\"{:.1}\" y=\"{:.1}\" width=\"7\" height=\"7\"/>",
            x - 3.5,
            y - 3.5
        ),
        2 => format!("<path {class} d=\"M{x:.1} {:.1}l4.5 8h-9z\"/>", y - 5.0),
        _ => format!(
            "<path {class} d=\"M{x:.1} {:.1}l5 5l-5 5l-5 -5z\"/>",
            y - 5.0
        ),
    }
}

impl Plot {
    /// The picture.
    #[must_use]
    pub fn svg(&self) -> String {
        let rows = self.series.len().div_ceil(2) as f64;
        let height = TOP + INNER_HEIGHT + 56.0 + rows * LEGEND_LINE + 8.0;
        let inner = WIDTH - LEFT - RIGHT;
        let points = || self.series.iter().flat_map(|s| s.points.iter());
        let xs = Scale::of(&self.x, points().map(|p| p.0));
        let ys = Scale::of(&self.y, points().map(|p| p.1));
        let mut out = String::new();
        let _ = writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" width=\"{WIDTH:.0}\" height=\"{height:.0}\" role=\"img\">"
        );
        let _ = writeln!(out, "<title>{}</title>", escaped(&self.title));
        out.push_str(&style(self.series.len()));
        let _ = writeln!(
            out,
            "<rect class=\"back\" width=\"{WIDTH:.0}\" height=\"{height:.0}\"/>\n<text class=\"t\" x=\"{LEFT}\" y=\"24\">{}</text>",
            escaped(&self.title)
        );
        let bottom = TOP + INNER_HEIGHT;
        for (value, name) in &xs.ticks {
            let x = LEFT + inner * (value - xs.low) / (xs.high - xs.low);
            let _ = writeln!(
                out,
                "<path class=\"g\" d=\"M{x:.1} {TOP}V{bottom}\"/><text x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{name}</text>",
                bottom + 18.0
            );
        }
        for (value, name) in &ys.ticks {
            let y = bottom - INNER_HEIGHT * (value - ys.low) / (ys.high - ys.low);
            let _ = writeln!(
                out,
                "<path class=\"g\" d=\"M{LEFT} {y:.1}H{:.0}\"/><text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
                WIDTH - RIGHT,
                LEFT - 8.0,
                y + 4.0
            );
        }
        let _ = writeln!(
            out,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
            LEFT + inner / 2.0,
            bottom + 40.0,
            escaped(&self.x.label)
        );
        let middle = TOP + INNER_HEIGHT / 2.0;
        let _ = writeln!(
            out,
            "<text transform=\"rotate(-90 16 {middle})\" x=\"16\" y=\"{middle}\" text-anchor=\"middle\">{}</text>",
            escaped(&self.y.label)
        );
        for (index, series) in self.series.iter().enumerate() {
            let places: Vec<(f64, f64)> = series
                .points
                .iter()
                .filter_map(|&(x, y)| {
                    Some((
                        LEFT + inner * xs.place(x)?,
                        bottom - INNER_HEIGHT * ys.place(y)?,
                    ))
                })
                .collect();
            let mut path = String::new();
            for (i, (x, y)) in places.iter().enumerate() {
                let _ = write!(path, "{}{x:.1} {y:.1}", if i == 0 { "M" } else { "L" });
            }
            let dash = if series.dashed { " d" } else { "" };
            let _ = writeln!(out, "<path class=\"l c{index}{dash}\" d=\"{path}\"/>");
            if !series.dashed {
                for (x, y) in places {
                    let _ = writeln!(out, "{}", mark(index, x, y));
                }
            }
            let x = LEFT + (index % 2) as f64 * inner / 2.0;
            let y = bottom + 60.0 + (index / 2) as f64 * LEGEND_LINE;
            let _ = writeln!(
                out,
                "<path class=\"l c{index}{dash}\" d=\"M{x:.1} {y:.1}h28\"/>{}<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                if series.dashed {
                    String::new()
                } else {
                    mark(index, x + 14.0, y)
                },
                x + 36.0,
                y + 4.0,
                escaped(&series.label)
            );
        }
        out.push_str("</svg>\n");
        out
    }
}

fn style(count: usize) -> String {
    let mut light = String::new();
    let mut dark = String::new();
    for (i, (bright, dim)) in COLOURS.iter().cycle().take(count).enumerate() {
        let _ = write!(light, ".c{i}{{stroke:{bright}}}.m.c{i}{{fill:{bright}}}");
        let _ = write!(dark, ".c{i}{{stroke:{dim}}}.m.c{i}{{fill:{dim}}}");
    }
    format!(
        "<style>text{{font:13px system-ui,sans-serif;fill:#24292f}}.t{{font-size:15px;font-weight:600}}.back{{fill:#ffffff}}\
         .g{{stroke:#d8dee4;fill:none}}.l{{fill:none;stroke-width:2}}.d{{stroke-dasharray:6 5}}{light}\n\
         @media (prefers-color-scheme:dark){{text{{fill:#e6edf3}}.back{{fill:#0d1117}}.g{{stroke:#30363d}}{dark}}}</style>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(log: bool, points: Vec<(f64, f64)>) -> Plot {
        let axis = |label: &str| Axis {
            label: label.into(),
            log,
        };
        Plot {
            title: "a < b".into(),
            x: axis("x, s"),
            y: axis("y, B"),
            series: vec![Series {
                label: "one & two".into(),
                points,
                dashed: false,
            }],
        }
    }

    #[test]
    fn what_cannot_be_shown_is_left_out() {
        let picture = plot(true, vec![(100.0, 0.0), (1000.0, f64::NAN), (1e4, 5.0)]).svg();
        assert_eq!(picture.matches("<circle").count(), 2, "{picture}");
        assert!(!picture.contains("NaN") && !picture.contains("inf"));
        assert!(picture.contains("a &lt; b") && picture.contains("one &amp; two"));
    }

    #[test]
    fn nothing_to_show_is_still_a_picture() {
        for log in [false, true] {
            let picture = plot(log, Vec::new()).svg();
            assert!(picture.ends_with("</svg>\n") && !picture.contains("NaN"));
        }
    }

    #[test]
    fn linear_ticks_are_round_and_reach_the_top() {
        let scale = Scale::of(&Axis::linear("y"), [3.0, 47.0].into_iter());
        assert!(scale.high >= 47.0);
        let names: Vec<&str> = scale.ticks.iter().map(|t| t.1.as_str()).collect();
        assert_eq!(names, ["0", "10", "20", "30", "40", "50"]);
    }
}
