//! The latency chart as an SVG: a bar to the median, a line to the 99th percentile, logarithmic.
//!
//! It owns the drawing. Colours follow the reader's light or dark setting; no font or script is loaded.

use crate::report::figures::{Cell, REFERENCES, Report};
use std::fmt::{self, Write};

/// Not a way to use Streamem, so not drawn.
const PARTS: &str = "streamem-ring";
const WIDTH: f64 = 860.0;
const LEFT: f64 = 320.0;
const RIGHT: f64 = 120.0;
const ROW: f64 = 24.0;
const HEAD: f64 = 58.0;
const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1f2328}.t{font-size:15px;font-weight:600}.s{fill:#59636e}\
.ours{fill:#1a7f37}.peer{fill:#8c959f}.ref{fill:#4493f8}.w{stroke:#59636e;stroke-width:1.5}.g{stroke:#d1d9e0}\
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.s{fill:#9198a1}.ours{fill:#3fb950}.peer{fill:#656c76}\
.ref{fill:#1f6feb}.w{stroke:#9198a1}.g{stroke:#3d444d}}";

/// Draws every cell at that rate, one block per number of consumers.
pub fn render(
    report: &Report,
    rate: u32,
    about: &dyn Fn(&str) -> String,
) -> Result<String, fmt::Error> {
    let cells: Vec<&Cell> = report
        .paced
        .iter()
        .filter(|cell| cell.rate == rate && cell.peer != PARTS)
        .collect();
    let mut counts: Vec<usize> = cells.iter().map(|cell| cell.consumers).collect();
    counts.dedup();
    let scale = Scale::over(&cells);
    let height = counts.len() as f64 * (HEAD + 26.0) + cells.len() as f64 * ROW + 16.0;
    let mut svg = String::new();
    write!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0}" role="img" "#
    )?;
    write!(
        svg,
        r#"aria-label="Latency of each peer"><style>{STYLE}</style>"#
    )?;
    let mut top = 0.0;
    for consumers in counts {
        let block: Vec<&&Cell> = cells
            .iter()
            .filter(|cell| cell.consumers == consumers)
            .collect();
        top = draw_block(&mut svg, &block, &scale, top, about)?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn draw_block(
    svg: &mut String,
    block: &[&&Cell],
    scale: &Scale,
    top: f64,
    about: &dyn Fn(&str) -> String,
) -> Result<f64, fmt::Error> {
    let bottom = top + HEAD + block.len() as f64 * ROW;
    let Some(first) = block.first() else {
        return Ok(top);
    };
    let plural = if first.consumers == 1 {
        "consumer"
    } else {
        "consumers"
    };
    write!(svg, r#"<text class="t" x="8" y="{:.0}">"#, top + 24.0)?;
    write!(
        svg,
        "Publish → frame held, {} {plural}, 1080p at {} frames/s</text>",
        first.consumers, first.rate
    )?;
    write!(
        svg,
        r#"<text class="s" x="8" y="{:.0}">bar: median, line: 99th percentile</text>"#,
        top + 43.0
    )?;
    for (micros, label) in scale.marks() {
        let x = scale.x(micros);
        write!(
            svg,
            r#"<line class="g" x1="{x:.1}" x2="{x:.1}" y1="{:.1}" y2="{bottom:.1}"/>"#,
            top + HEAD - 4.0
        )?;
        write!(
            svg,
            r#"<text class="s" x="{x:.1}" y="{:.1}" text-anchor="middle">{label}</text>"#,
            bottom + 16.0
        )?;
    }
    for (index, cell) in block.iter().enumerate() {
        let y = top + HEAD + index as f64 * ROW;
        let latency = cell.figures.latency;
        let (p50, p99) = (scale.x(latency.p50_us), scale.x(latency.p99_us));
        let middle = y + 9.0;
        write!(
            svg,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="end">"#,
            LEFT - 10.0,
            y + 14.0
        )?;
        write!(svg, "{}</text>", escaped(&about(&cell.peer)))?;
        write!(
            svg,
            r#"<rect class="{}" x="{LEFT}" y="{:.1}" "#,
            class(&cell.peer),
            y + 2.0
        )?;
        write!(
            svg,
            r#"width="{:.1}" height="14" rx="2"/>"#,
            (p50 - LEFT).max(1.0)
        )?;
        write!(
            svg,
            r#"<line class="w" x1="{p50:.1}" x2="{p99:.1}" y1="{middle:.1}" y2="{middle:.1}"/>"#
        )?;
        write!(
            svg,
            r#"<text class="s" x="{:.1}" y="{:.1}">"#,
            p99 + 6.0,
            y + 14.0
        )?;
        write!(
            svg,
            "{} / {}</text>",
            duration(latency.p50_us),
            duration(latency.p99_us)
        )?;
    }
    Ok(bottom + 26.0)
}

/// Microseconds to pixels, logarithmic, over whole decades.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn over(cells: &[&Cell]) -> Self {
        let low = cells
            .iter()
            .map(|cell| cell.figures.latency.p50_us)
            .fold(f64::MAX, f64::min)
            .max(0.1);
        let high = cells
            .iter()
            .map(|cell| cell.figures.latency.p99_us)
            .fold(1.0, f64::max);
        Self {
            low: low.min(high).log10().floor(),
            high: high.log10().ceil(),
        }
    }

    fn x(&self, micros: f64) -> f64 {
        let share = (micros.max(0.1).log10() - self.low) / (self.high - self.low).max(1.0);
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn marks(&self) -> impl Iterator<Item = (f64, String)> {
        let (low, high) = (self.low as i32, self.high as i32);
        (low..=high)
            .map(|decade| 10_f64.powi(decade))
            .map(|micros| (micros, duration(micros)))
    }
}

fn duration(micros: f64) -> String {
    match micros {
        ..1_000.0 => format!("{micros:.0} µs"),
        ..10_000.0 if micros % 1e3 > 0.0 => format!("{:.1} ms", micros / 1e3),
        ..1_000_000.0 => format!("{:.0} ms", micros / 1e3),
        _ => format!("{:.0} s", micros / 1e6),
    }
}

fn class(peer: &str) -> &'static str {
    match peer {
        peer if peer.starts_with("streamem") => "ours",
        peer if REFERENCES.contains(&peer) => "ref",
        _ => "peer",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
