//! Streamem beside its peers: same picture, same machine, same minutes.
//!
//! It owns the command line. `streamem-bench run` measures everything; the roles it starts are this program again.
//! Timings are reported, never asserted.

use clap::{Args, Parser, Subcommand};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use streamem_bench::child::end_with_parent;
use streamem_bench::experiment::{self, Effort};
use streamem_bench::harness::ledger::{CONSUMERS_MAX, Ledger};
use streamem_bench::harness::participant::{consume, produce};
use streamem_bench::hololens;
use streamem_bench::peer::{self, Peer, Stage};
use streamem_bench::report::{chart, table};
use streamem_bench::shared::Shared;
use streamem_bench::soak::{self, Soak};

/// Measures Streamem and its peers side by side.
#[derive(Debug, Parser)]
#[command(version)]
struct Line {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Measure everything and print a table.
    Run(RunLine),
    /// Measure what a HoloLens costs, a simulated one.
    Hololens(HololensLine),
    /// Run a broker with consumers for hours and watch for loss and growth.
    Soak(SoakLine),
    /// List the peers and what is missing for each.
    Peers,
    /// A participant, started by the harness.
    #[command(hide = true)]
    Role(RoleLine),
    /// A participant of a headset's run.
    #[command(hide = true)]
    HololensRole { words: Vec<String> },
}

#[derive(Debug, Args)]
struct RunLine {
    /// About two minutes instead of twenty, and noisy.
    #[arg(long)]
    quick: bool,
    /// Only these peers.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// How often every peer runs in each cell.
    #[arg(long)]
    rounds: Option<usize>,
    /// How long each run is written down.
    #[arg(long)]
    seconds: Option<f64>,
    /// Where to write all figures.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where to draw the latency chart.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct HololensLine {
    /// For how many seconds the whole headset is read, each way.
    #[arg(long, default_value_t = 120.0)]
    seconds: f64,
    /// How long each round of a single stream is.
    #[arg(long, default_value_t = 10.0)]
    single: f64,
    /// How many rounds single streams have.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Where to write all figures.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct SoakLine {
    /// How long, in hours.
    #[arg(long, default_value_t = 1.0)]
    hours: f64,
    /// Seconds between two looks.
    #[arg(long, default_value_t = 60.0)]
    every: f64,
    /// How many consumers.
    #[arg(long, default_value_t = 10)]
    consumers: usize,
    /// What the broker serves.
    #[arg(
        long,
        default_value = "pattern://bars?size=1920x1080&rate=30&format=rgb24"
    )]
    source: String,
}

#[derive(Debug, Args)]
struct RoleLine {
    peer: String,
    role: String,
    ledger: PathBuf,
    folder: PathBuf,
    index: usize,
}

fn main() -> io::Result<ExitCode> {
    let well = match Line::parse().verb {
        Verb::Run(line) => run(&line).map(|()| true),
        Verb::Hololens(line) => headset(&line).map(|()| true),
        Verb::HololensRole { words } => hololens::roles::play(&words).map(|()| true),
        Verb::Soak(line) => soak(line),
        Verb::Peers => {
            list();
            Ok(true)
        }
        Verb::Role(line) => act(line).map(|()| true),
    }?;
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn soak(line: SoakLine) -> io::Result<bool> {
    if !(1..=CONSUMERS_MAX).contains(&line.consumers) {
        return Err(io::Error::other(format!(
            "between 1 and {CONSUMERS_MAX} consumers"
        )));
    }
    soak::run(&Soak {
        duration: seconds(line.hours * 3600.0)?,
        every: seconds(line.every.max(1.0))?,
        consumers: line.consumers,
        source: line.source,
    })
}

fn seconds(amount: f64) -> io::Result<Duration> {
    Duration::try_from_secs_f64(amount).map_err(io::Error::other)
}

fn headset(line: &HololensLine) -> io::Result<()> {
    let report = hololens::run(&hololens::Effort {
        whole: seconds(line.seconds)?,
        single: seconds(line.single)?,
        rounds: line.rounds.max(1),
    })?;
    print!(
        "{}",
        hololens::table::render(&report).map_err(io::Error::other)?
    );
    if let Some(file) = &line.json {
        std::fs::write(file, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}

fn run(line: &RunLine) -> io::Result<()> {
    let peers = chosen(&line.only)?;
    let mut effort = if line.quick {
        Effort::quick()
    } else {
        Effort::full()
    };
    effort.rounds = line.rounds.unwrap_or(effort.rounds).max(1);
    effort.seconds = line.seconds.unwrap_or(effort.seconds);
    let report = experiment::run(&effort, &peers)?;
    print!(
        "{}",
        table::render(&report, &about).map_err(io::Error::other)?
    );
    if let Some(file) = &line.json {
        std::fs::write(file, serde_json::to_string_pretty(&report)?)?;
    }
    if let Some(file) = &line.svg {
        std::fs::write(
            file,
            chart::render(&report, 30, &about).map_err(io::Error::other)?,
        )?;
    }
    Ok(())
}

fn list() {
    for peer in peer::all() {
        let state = peer.missing().unwrap_or_else(|| "ready".to_owned());
        println!("{:14} {}: {state}", peer.name(), peer.about());
    }
}

fn act(line: RoleLine) -> io::Result<()> {
    end_with_parent()?;
    let area = Shared::map(
        std::fs::File::options()
            .read(true)
            .write(true)
            .open(&line.ledger)?
            .into(),
    )?;
    let ledger: &Ledger = area.view();
    let peer = known(&line.peer)?;
    let stage = Stage {
        folder: line.folder,
        consumers: ledger.consumers().len(),
        index: line.index,
    };
    match line.role.as_str() {
        "producer" => produce(ledger, peer.producer(&stage)?),
        "consumer" => consume(ledger, line.index + 1, peer.consumer(&stage)?),
        "next-start" => peer.next_start(),
        role => Err(io::Error::other(format!("no such role: {role}"))),
    }
}

fn chosen(names: &[String]) -> io::Result<Vec<Box<dyn Peer>>> {
    if names.is_empty() {
        return Ok(peer::all());
    }
    names.iter().map(|name| known(name)).collect()
}

fn known(name: &str) -> io::Result<Box<dyn Peer>> {
    peer::named(name).ok_or_else(|| {
        io::Error::other(format!(
            "no such peer: {name}; `streamem-bench peers` lists them"
        ))
    })
}

fn about(name: &str) -> String {
    peer::named(name).map_or_else(|| name.to_owned(), |peer| peer.about().to_owned())
}
