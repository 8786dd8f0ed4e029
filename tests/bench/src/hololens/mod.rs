//! A HoloLens: its simulator, what brings its streams to readers, and what that costs.
//!
//! It owns what is run, how long and in which order; ways follow each other in every round, so that a noisy minute
//! hurts all alike. The device is one process for the whole run, whose loops are encoded before anything is measured,
//! and its CPU time is never counted.

pub mod conducted;
pub mod decoder;
pub mod device;
pub mod report;
pub mod roles;
pub mod table;
pub mod way;

use crate::samples::median;
use device::Device;
use report::{Compared, Outcome, Report};
use std::io;
use std::time::Duration;
use way::{Way, all_sensors};

/// How much to run.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How long the whole headset is read, each way.
    pub whole: Duration,
    /// How long each round of a single stream takes.
    pub single: Duration,
    /// How many rounds.
    pub rounds: usize,
}

/// Runs everything. A way that cannot run here is named in the report, with the reason.
pub fn run(effort: &Effort) -> io::Result<Report> {
    let device = Device::start()?;
    let mut report = Report::default();
    for way in [
        Way::Streamem(all_sensors(), 3),
        Way::Original(all_sensors(), 3),
    ] {
        eprintln!("a whole headset: {}", way.about());
        match way.run(&device, effort.whole) {
            Ok(outcome) => report.whole.push((way.about(), outcome)),
            Err(error) => report.failures.push((way.about(), error.to_string())),
        }
    }
    for (title, ways) in way::singles() {
        eprintln!("{title}");
        let rounds = rounds(&device, effort, &ways, &mut report);
        let measured = ways.iter().zip(rounds);
        for (way, outcomes) in measured.filter(|(_, outcomes)| !outcomes.is_empty()) {
            let figures =
                |pick: &dyn Fn(&Outcome) -> f64| median(outcomes.iter().map(pick).collect());
            report.single.push(Compared {
                title: title.to_owned(),
                way: way.about(),
                rounds: outcomes.len(),
                cpu_us: figures(&Outcome::cpu_us_per_frame),
                readers_us: figures(&Outcome::readers_us_per_frame),
                frames_per_second: figures(&Outcome::frames_per_second),
                lost: outcomes.iter().map(Outcome::lost).sum(),
            });
        }
    }
    Ok(report)
}

/// All rounds of each way; one in which a way fails leaves that way without it.
fn rounds(
    device: &Device,
    effort: &Effort,
    ways: &[Way],
    report: &mut Report,
) -> Vec<Vec<Outcome>> {
    let mut all: Vec<Vec<Outcome>> = ways.iter().map(|_| Vec::new()).collect();
    for round in 0..effort.rounds {
        for turn in 0..ways.len() {
            let which = (turn + round) % ways.len();
            match ways[which].run(device, effort.single) {
                Ok(outcome) => all[which].push(outcome),
                Err(error) => report
                    .failures
                    .push((ways[which].about(), error.to_string())),
            }
        }
    }
    all
}
