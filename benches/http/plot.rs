//! Plots as SVG. They have their own background, so that they can be read on any page, and follow
//! the reader's choice of a light or dark theme.

use std::fmt::Write;

use super::stats::{Spread, number};

/// Horizontal bars with names. The last member of a row says whether to emphasize it.
pub(crate) fn bars(title: &str, rows: &[(String, Spread, bool)]) -> String {
    let longest = rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
    let largest = rows.iter().map(|(_, value, _)| value.max).fold(0.0, f64::max);
    let left = 24.0 + longest as f64 * CHARACTER;
    let (room, height) = (360.0, 26.0);
    let mut svg = Svg::new(left + room + 150.0, 56.0 + rows.len() as f64 * height + 12.0);
    svg.text(16.0, 30.0, "title", title);
    for (at, (name, value, emphasized)) in rows.iter().enumerate() {
        let y = 48.0 + at as f64 * height;
        let x = |value: f64| left + value / largest * room;
        let (width, class) = (x(value.median) - left, if *emphasized { "own" } else { "bar" });
        svg.text(left - 8.0, y + 14.5, "end", name);
        svg.rectangle(left, y + 2.0, width, height - 8.0, class);
        // The spread.
        svg.line(&[(x(value.min), y + 11.0), (x(value.max), y + 11.0)], "spread");
        let text =
            format!("{} ({}–{})", number(value.median), number(value.min), number(value.max));
        svg.text(x(value.max) + 8.0, y + 14.5, "start", &text);
    }
    svg.finish()
}

/// A line through measured points; `x` is shown on a logarithmic scale.
pub(crate) struct Line<'a> {
    pub(crate) title: &'a str,
    /// `own` or `other`.
    pub(crate) class: &'a str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Small plots next to each other. The lines of one plot share its scale, which starts at 0.
pub(crate) fn panels(panels: &[(String, Vec<Line<'_>>)]) -> String {
    let (width, height, columns) = (400.0, 250.0, 2);
    let rows = panels.len().div_ceil(columns) as f64;
    let mut svg = Svg::new(width * columns as f64, height * rows);
    for (at, (title, lines)) in panels.iter().enumerate() {
        let (left, top) = ((at % columns) as f64 * width, (at / columns) as f64 * height);
        svg.text(left + 16.0, top + 26.0, "title", title);
        panel(&mut svg, (left + 68.0, top + 64.0, width - 110.0, height - 104.0), lines);
    }
    svg.finish()
}

fn panel(svg: &mut Svg, (left, top, width, height): (f64, f64, f64, f64), lines: &[Line<'_>]) {
    let points = || lines.iter().flat_map(|line| &line.points);
    let last = points().map(|(x, _)| x.log10()).fold(0.0, f64::max);
    let first = points().map(|(x, _)| x.log10()).fold(last, f64::min);
    let largest = points().map(|(_, y)| *y).fold(0.0, f64::max);
    let place = |&(x, y): &(f64, f64)| {
        let across = (x.log10() - first) / (last - first).max(1e-9);
        (left + across * width, top + height - y / largest * height)
    };
    svg.line(&[(left, top), (left, top + height), (left + width, top + height)], "axis");
    svg.text(left - 8.0, top + height + 4.0, "end", "0");
    svg.text(left - 8.0, top + 4.0, "end", &number(largest));
    let mut names = left;
    for line in lines {
        let places: Vec<_> = line.points.iter().map(place).collect();
        svg.line(&places, line.class);
        for (x, y) in places {
            svg.rectangle(
                x - 2.5,
                y - 2.5,
                5.0,
                5.0,
                if line.class == "own" { "own" } else { "bar" },
            );
        }
        svg.rectangle(
            names,
            top - 22.0,
            10.0,
            10.0,
            if line.class == "own" { "own" } else { "bar" },
        );
        svg.text(names + 15.0, top - 13.0, "start", line.title);
        names += 30.0 + line.title.chars().count() as f64 * CHARACTER;
    }
    for point in lines.first().map_or(&[][..], |line| &line.points) {
        let name = match point.0 as u64 {
            x if x >= 1_000_000 => format!("{}M", x / 1_000_000),
            x if x >= 1_000 && x % 1_000 == 0 => format!("{}k", x / 1_000),
            x => x.to_string(),
        };
        svg.text(place(point).0, top + height + 18.0, "middle", &name);
    }
}

/// More than the mean width of a character, so that text has enough room in any font.
const CHARACTER: f64 = 7.0;

struct Svg(String);

impl Svg {
    fn new(width: f64, height: f64) -> Self {
        let mut svg = Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\">\n{STYLE}"
        ));
        svg.rectangle(0.5, 0.5, width - 1.0, height - 1.0, "page");
        svg
    }

    fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        writeln!(self.0, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{text}</text>")
            .unwrap();
    }

    fn rectangle(&mut self, x: f64, y: f64, width: f64, height: f64, class: &str) {
        let place =
            format!("x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"");
        writeln!(self.0, "<rect {place} rx=\"2\" class=\"{class}\"/>").unwrap();
    }

    fn line(&mut self, points: &[(f64, f64)], class: &str) {
        let points: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        writeln!(self.0, "<polyline points=\"{}\" class=\"line {class}\"/>", points.join(" "))
            .unwrap();
    }

    fn finish(self) -> String {
        self.0 + "</svg>\n"
    }
}

const STYLE: &str = "<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 14px; font-weight: 600 }
.end { text-anchor: end }
.middle { text-anchor: middle }
rect.page { fill: #ffffff; stroke: #d1d9e0 }
rect.bar { fill: #8c959f }
rect.own { fill: #1a7f5a }
.line { fill: none; stroke-width: 2; stroke: #8c959f }
.line.own { stroke: #1a7f5a }
.line.axis { stroke-width: 1 }
.line.spread { stroke: #1f2328; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
rect.page { fill: #0d1117; stroke: #3d444d }
rect.bar { fill: #6e7681 }
rect.own { fill: #2ea67a }
.line { stroke: #6e7681 }
.line.own { stroke: #2ea67a }
.line.spread { stroke: #f0f6fc }
}
</style>
";
