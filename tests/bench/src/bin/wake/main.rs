//! How should one producer wake many consumer processes?
//!
//! One producer writes a 1080p rgb24 frame (6,220,800 bytes) into the slots of a memfd and publishes it at a fixed
//! rate; N consumer processes wait. Every strategy runs once per round, rounds follow each other, so that a noisy
//! minute hurts all alike. Reported: the publish call, the latency from just before that call until a consumer has
//! read the head, and the CPU time of all processes.
//!
//! `wake [--rounds R] [--seconds S] [--consumers 1,10] [--rates 30,60] [--only NAME,NAME]`
//!
//! Timings are reported, never asserted.

mod board;
mod consumer;
mod options;
mod publisher;
mod round;
mod strategy;

use options::Options;
use round::{Round, measure};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use streamem_bench::child::inherited;
use streamem_bench::quiet::Patience;
use streamem_bench::samples::median;
use streamem_bench::shared::Shared;

/// How long to wait, in all, for a quiet machine.
const PATIENCE: Duration = Duration::from_secs(600);

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "consumer") {
        return consume(&arguments[1..]);
    }
    let options = Options::parse(&arguments)?;
    let mut patience = Patience::of(PATIENCE);
    for &count in &options.consumers {
        for &rate in &options.rates {
            compare(&options, count, rate, &mut patience)?;
        }
    }
    Ok(())
}

/// `wake consumer BOARD INDEX STRATEGY [EVENTFD]`, as `round` starts it.
fn consume(arguments: &[String]) -> io::Result<()> {
    let [board, index, name, rest @ ..] = arguments else {
        return Err(io::Error::other("the consumer role is for `wake` itself"));
    };
    let area = Arc::new(Shared::map(inherited(board)?)?);
    let index = index.parse().map_err(io::Error::other)?;
    let strategy = strategy::named(name).ok_or_else(|| io::Error::other("no such strategy"))?;
    let eventfd = rest.first().map(|number| inherited(number)).transpose()?;
    consumer::run(area.view(), index, strategy.wait(), eventfd.as_ref())
}

fn compare(options: &Options, count: usize, rate: u32, patience: &mut Patience) -> io::Result<()> {
    let mut rounds: Vec<Vec<Round>> = options.strategies.iter().map(|_| Vec::new()).collect();
    for round in 0..options.rounds {
        for step in 0..rounds.len() {
            let which = (round + step) % rounds.len();
            let (name, strategy) = options.strategies[which];
            let run = || measure(name, strategy, count, rate, options.seconds);
            rounds[which]
                .push(patience.least_disturbed(|round: &Round| round.strangers_percent, run)?);
        }
    }
    println!(
        "\n{count} consumer(s), {rate} frames/s: median of {} rounds of {} s",
        options.rounds, options.seconds
    );
    println!(
        "| strategy | publish p50 | p99 | max | its CPU p50 | latency p50 | p99 | max | CPU % | beside % | lost | strangers % |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for ((name, _), rounds) in options.strategies.iter().zip(&rounds) {
        print_row(name, rounds);
    }
    Ok(())
}

/// One line of the table: each figure is the median over the rounds, so that one disturbed round does not show.
fn print_row(name: &str, rounds: &[Round]) {
    let over = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    println!(
        "| {name} | {:.1} | {:.1} | {:.0} | {:.1} | {:.1} | {:.1} | {:.0} | {:.2} | {:.0} | {} | {:.1} |",
        over(|round| round.publish.summary().p50_us),
        over(|round| round.publish.summary().p99_us),
        over(|round| round.publish.summary().max_us),
        over(|round| round.effort.summary().p50_us),
        over(|round| round.latency.summary().p50_us),
        over(|round| round.latency.summary().p99_us),
        over(|round| round.latency.summary().max_us),
        over(Round::cpu_percent),
        over(Round::beside_percent),
        rounds.iter().map(|round| round.lost).sum::<u64>(),
        over(|round| round.strangers_percent),
    );
}
