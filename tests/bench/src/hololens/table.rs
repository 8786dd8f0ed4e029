//! The report of a headset's run as Markdown, with aims beside what was measured.
//!
//! It owns its words and the aims, and never computes more than a ratio.

use super::report::{Outcome, Report};
use super::way::{COLOURS, DECODED, GREY, LARGE, SMALL};
use std::fmt::{self, Write};

/// The whole report.
pub fn render(report: &Report) -> Result<String, fmt::Error> {
    let mut text = String::new();
    for (way, outcome) in &report.whole {
        whole(&mut text, way, outcome)?;
    }
    for title in [DECODED, COLOURS, GREY, SMALL, LARGE] {
        single(&mut text, report, title)?;
    }
    aims(&mut text, report)?;
    for (way, reason) in &report.failures {
        writeln!(text, "\n{way}: a run failed: {reason}")?;
    }
    Ok(text)
}

fn whole(text: &mut String, way: &str, outcome: &Outcome) -> fmt::Result {
    let share = |ns: u64| ns as f64 * 100.0 / outcome.wall_ns.max(1) as f64;
    writeln!(
        text,
        "\n## A whole headset for {:.0} s, {} readers of everything: {way}\n",
        outcome.wall_ns as f64 / 1e9,
        outcome.views.len()
    )?;
    writeln!(
        text,
        "CPU: {:.1} % of a core and {:.0} µs a frame, readers {:.1} %; dropped on the way: {}.\n",
        share(outcome.cpu_ns),
        outcome.cpu_us_per_frame(),
        share(outcome.readers_ns),
        outcome.dropped,
    )?;
    writeln!(
        text,
        "| stream | frames/s | lost | due to be sent until a reader has it, p50 / p99 / max ms |\n|---|---|---|---|"
    )?;
    for (name, stream) in outcome.streams() {
        let ms = |us: f64| us / 1000.0;
        let latency = stream.latency;
        writeln!(
            text,
            "| {name} | {:.1} | {} | {:.2} / {:.2} / {:.1} |",
            stream.frames_per_second,
            stream.lost,
            ms(latency.p50_us),
            ms(latency.p99_us),
            ms(latency.max_us),
        )?;
    }
    Ok(())
}

fn single(text: &mut String, report: &Report, title: &str) -> fmt::Result {
    writeln!(
        text,
        "\n## {title}\n\n| way | CPU µs a frame | readers µs a frame | frames/s | lost |\n|---|---|---|---|---|"
    )?;
    for row in report.single.iter().filter(|row| row.title == title) {
        writeln!(
            text,
            "| {} | {:.0} | {:.0} | {:.1} | {} |",
            row.way, row.cpu_us, row.readers_us, row.frames_per_second, row.lost,
        )?;
    }
    Ok(())
}

fn aims(text: &mut String, report: &Report) -> fmt::Result {
    let of = |title: &str, way: &str| {
        let mut rows = report.single.iter().filter(|row| row.title == title);
        Some(rows.find(|row| row.way.starts_with(way))?.cpu_us)
    };
    let over = |title: &str, way: &str, other: &str| Some(of(title, way)? / of(title, other)?);
    let lost = || {
        Some(
            report
                .whole
                .iter()
                .find(|(way, _)| way == "Streamem")?
                .1
                .lost() as f64,
        )
    };
    let aims = [
        ("frames lost of a whole headset, Streamem", 0.0, lost()),
        (
            "CPU, 1080p H.265 as i420: x the bare decoder at the same pace",
            1.1,
            over(DECODED, "Streamem", "ffmpeg -threads 1, paced"),
        ),
        (
            "CPU, 1080p H.265 as bgr24, 3 readers: x the original's method",
            0.5,
            over(COLOURS, "Streamem, bgr24", "the original"),
        ),
        (
            "CPU, raw 640x480: x bare receiving",
            1.05,
            over(GREY, "Streamem", "bare"),
        ),
        (
            "CPU, raw 640x360: x bare receiving",
            1.05,
            over(SMALL, "Streamem", "bare"),
        ),
        (
            "CPU, raw 1280x720: x bare receiving",
            1.05,
            over(LARGE, "Streamem", "bare"),
        ),
    ];
    writeln!(
        text,
        "\n## Aims\n\n| what | at most | measured | |\n|---|---|---|---|"
    )?;
    for (what, limit, measured) in aims {
        let verdict = match measured {
            Some(measured) if measured <= limit => "reached",
            Some(_) => "missed",
            None => "not measured",
        };
        let measured =
            measured.map_or_else(|| "–".to_owned(), |measured: f64| format!("{measured:.3}"));
        writeln!(text, "| {what} | {limit} | {measured} | {verdict} |")?;
    }
    Ok(())
}
