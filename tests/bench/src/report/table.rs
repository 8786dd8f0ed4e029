//! The report as Markdown tables.
//!
//! It owns the words of the table and never computes more than a ratio.

use crate::report::aims;
use crate::report::figures::{Cell, Report, Slow};
use crate::samples::Summary;
use std::fmt::{self, Display, Write};

/// The whole report.
pub fn render(report: &Report, about: &dyn Fn(&str) -> String) -> Result<String, fmt::Error> {
    let mut text = String::new();
    writeln!(
        text,
        "1080p rgb24 (6,220,800 bytes); microseconds where nothing else is said; medians over rounds."
    )?;
    writeln!(
        text,
        "One copy of a frame within a process: {:.0} / {:.0} (p50 / p99).",
        report.floor.p50_us, report.floor.p99_us
    )?;
    writeln!(
        text,
        "x reference: p50 / p99 divided by those of the reference with the better median."
    )?;
    if !report.micro.is_empty() {
        writeln!(text, "\n| Streamem, one call | ns |\n|---|---|")?;
        for micro in &report.micro {
            writeln!(text, "| {} | {:.0} |", micro.call, micro.nanoseconds)?;
        }
    }
    let mut cells: Vec<(usize, u32)> = Vec::new();
    for cell in &report.paced {
        if !cells.contains(&(cell.consumers, cell.rate)) {
            cells.push((cell.consumers, cell.rate));
        }
    }
    for (consumers, rate) in cells {
        paced(&mut text, report, consumers, rate, about)?;
    }
    unpaced(&mut text, report, about)?;
    slow(&mut text, report, about)?;
    aims(&mut text, report)?;
    for (peer, remedy) in &report.missing {
        writeln!(text, "\n{}: {remedy}", about(peer))?;
    }
    for (peer, reason) in &report.failures {
        writeln!(text, "\n{}: a run failed: {reason}", about(peer))?;
    }
    Ok(text)
}

fn paced(
    text: &mut String,
    report: &Report,
    consumers: usize,
    rate: u32,
    about: &dyn Fn(&str) -> String,
) -> fmt::Result {
    writeln!(text, "\n## {consumers} consumer(s) at {rate} frames/s\n")?;
    writeln!(
        text,
        "| peer | publish p50 / p99 | obtain p50 | latency p50 / p99 / max | x reference | CPU % | PSS MB | lost |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|---|---|")?;
    let reference = report.reference(consumers, rate);
    for cell in report
        .paced
        .iter()
        .filter(|cell| (cell.consumers, cell.rate) == (consumers, rate))
    {
        let figures = &cell.figures;
        writeln!(
            text,
            "| {} | {} | {} | {:.0} / {:.0} / {:.0} | {} | {:.1} | {:.0} | {} |",
            about(&cell.peer),
            or_dash(
                figures
                    .publish
                    .map(|publish| format!("{:.1} / {:.0}", publish.p50_us, publish.p99_us))
            ),
            or_dash(figures.obtain.map(|obtain| format!("{:.2}", obtain.p50_us))),
            figures.latency.p50_us,
            figures.latency.p99_us,
            figures.latency.max_us,
            or_dash(reference.map(|reference| ratio(cell, reference))),
            figures.cpu_percent,
            figures.pss_mb,
            figures.lost,
        )?;
    }
    Ok(())
}

fn unpaced(text: &mut String, report: &Report, about: &dyn Fn(&str) -> String) -> fmt::Result {
    if report.unpaced.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n## As fast as possible\n")?;
    writeln!(
        text,
        "| peer | consumers | published frames/s | received by the slowest | CPU % |"
    )?;
    writeln!(text, "|---|---|---|---|---|")?;
    for row in &report.unpaced {
        writeln!(
            text,
            "| {} | {} | {} | {:.0} | {:.0} |",
            about(&row.peer),
            row.consumers,
            or_dash(row.published_per_second.map(|rate| format!("{rate:.0}"))),
            row.received_per_second,
            row.cpu_percent,
        )?;
    }
    Ok(())
}

fn slow(text: &mut String, report: &Report, about: &dyn Fn(&str) -> String) -> fmt::Result {
    if report.slow.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "\n## One slow consumer (3 at 30 frames/s, one naps for 1 s while it holds a frame)\n"
    )?;
    writeln!(
        text,
        "| peer | the others' rate | longest gap ms | lost | torn | changed while held / naps | refused | left behind |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|---|---|")?;
    for row in &report.slow {
        writeln!(
            text,
            "| {} | {:.1} | {:.0} | {} | {} | {} / {} | {} | {} |",
            about(&row.peer),
            row.received_per_second,
            row.gap_ms,
            row.lost,
            row.torn,
            row.changed,
            row.naps,
            row.refused,
            left_behind(row),
        )?;
    }
    Ok(())
}

fn aims(text: &mut String, report: &Report) -> fmt::Result {
    if report.micro.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "\n## Aims\n\n| what | at most | measured | |\n|---|---|---|---|"
    )?;
    for aim in aims::all(report) {
        let measured = or_dash(aim.measured.map(|measured| format!("{measured:.3}")));
        let verdict = match aim.measured {
            Some(measured) if measured <= aim.limit => "reached",
            Some(_) => "missed",
            None => "not measured",
        };
        writeln!(
            text,
            "| {} | {} | {measured} | {verdict} |",
            aim.what, aim.limit
        )?;
    }
    Ok(())
}

fn left_behind(row: &Slow) -> String {
    let files = match (row.files_left, row.files_for_good) {
        (0, _) if row.sockets_left > 0 => return "a socket".to_owned(),
        (0, _) => return "nothing".to_owned(),
        (files, 0) => format!("{files} files, {:.1} MB until its next start", row.mb_left),
        (files, _) => format!("{files} files, {:.1} MB", row.mb_left),
    };
    match row.sockets_left {
        0 => files,
        _ => format!("a socket, {files}"),
    }
}

fn ratio(cell: &Cell, reference: &Cell) -> String {
    let of = |figure: fn(&Summary) -> f64| {
        figure(&cell.figures.latency) / figure(&reference.figures.latency).max(0.001)
    };
    format!(
        "{:.2} / {:.2}",
        of(|latency| latency.p50_us),
        of(|latency| latency.p99_us)
    )
}

fn or_dash(text: Option<impl Display>) -> String {
    text.map_or_else(|| "–".to_owned(), |text| text.to_string())
}
