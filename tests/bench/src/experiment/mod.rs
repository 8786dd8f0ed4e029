//! The experiments of a run and the order they happen in.
//!
//! It owns how often and how long. Rounds follow each other and every peer runs once per round, so that a noisy
//! minute hurts all alike; a round that strangers disturbed is repeated. It never prints results.

pub mod floor;
pub mod micro;

use crate::harness::run::{Outcome, Plan, perform};
use crate::peer::streamem::Streamem;
use crate::peer::{Peer, script};
use crate::quiet::Patience;
use crate::report::figures::{Cell, Figures, Report, Slow, Unpaced};
use std::io;
use std::time::Duration;

/// How much to run.
#[derive(Clone, Debug)]
pub struct Effort {
    /// How often every peer runs in each cell.
    pub rounds: usize,
    /// How long each run is written down.
    pub seconds: f64,
    /// Consumers and frames per second of each paced cell.
    pub paced: Vec<(usize, u32)>,
    /// Whether 4K frames at 60/s are a cell of their own.
    pub ultra_hd: bool,
    /// Consumers of each unpaced cell.
    pub unpaced: Vec<usize>,
    /// How long the slow-consumer experiment lasts.
    pub slow_seconds: f64,
    /// How long to wait, in all, for a quiet machine and repeat disturbed rounds.
    pub patience: Duration,
}

impl Effort {
    /// What the numbers in the README come from: about twenty minutes on a quiet machine.
    #[must_use]
    pub fn full() -> Self {
        Self {
            rounds: 5,
            seconds: 2.0,
            paced: vec![(1, 30), (10, 30), (1, 60), (10, 60), (100, 30)],
            ultra_hd: true,
            unpaced: vec![1, 10],
            slow_seconds: 8.0,
            patience: Duration::from_secs(600),
        }
    }

    /// A first look: about two minutes, noisy.
    #[must_use]
    pub fn quick() -> Self {
        Self {
            rounds: 1,
            seconds: 1.0,
            paced: vec![(1, 30), (10, 30)],
            ultra_hd: false,
            unpaced: vec![1],
            slow_seconds: 4.0,
            patience: Duration::ZERO,
        }
    }
}

/// Runs everything. A peer that cannot run here becomes a remedy in the report, one that fails a failure.
pub fn run(effort: &Effort, peers: &[Box<dyn Peer>]) -> io::Result<Report> {
    let mut report = Report {
        floor: floor::memcpy(),
        ..Report::default()
    };
    if peers.iter().any(|peer| peer.name() == "streamem") {
        report.micro = micro::all()?;
    }
    if peers.iter().any(|peer| peer.name() == "streamem-python") {
        report.ten_pythons_mb = script::idle_mb(10)?;
    }
    let mut patience = Patience::of(effort.patience);
    let mut present: Vec<&dyn Peer> = Vec::new();
    for peer in peers {
        match peer.missing() {
            Some(remedy) => report.missing.push((peer.name().to_owned(), remedy)),
            None => present.push(peer.as_ref()),
        }
    }
    for &(consumers, rate) in &effort.paced {
        eprintln!("{consumers} consumer(s) at {rate} frames/s");
        let plan = Plan {
            consumers,
            rate,
            seconds: effort.seconds,
            slow_consumer: false,
        };
        for (peer, rounds) in rounds(effort, &present, plan, &mut patience, &mut report.failures)? {
            report.paced.push(Cell {
                peer,
                consumers,
                rate,
                figures: Figures::of(&rounds),
            });
        }
    }
    if effort.ultra_hd && present.iter().any(|peer| peer.name() == "streamem") {
        eprintln!("4 consumers at 60 frames/s of 3840x2160 nv12");
        let plan = Plan {
            consumers: 4,
            rate: 60,
            seconds: 4.0 * effort.seconds,
            slow_consumer: false,
        };
        let wide = vec![&Streamem::UltraHd as &dyn Peer];
        for (peer, rounds) in rounds(effort, &wide, plan, &mut patience, &mut report.failures)? {
            report.paced.push(Cell {
                peer,
                consumers: plan.consumers,
                rate: plan.rate,
                figures: Figures::of(&rounds),
            });
        }
    }
    let fewer = Effort {
        rounds: effort.rounds.min(3),
        ..effort.clone()
    };
    for &consumers in &effort.unpaced {
        eprintln!("{consumers} consumer(s), as fast as possible");
        let plan = Plan {
            consumers,
            rate: 0,
            seconds: effort.seconds,
            slow_consumer: false,
        };
        for (peer, rounds) in rounds(&fewer, &present, plan, &mut patience, &mut report.failures)? {
            report.unpaced.push(Unpaced::of(peer, consumers, &rounds));
        }
    }
    eprintln!("3 consumers at 30 frames/s, one of them slow; then SIGKILL for all");
    let plan = Plan {
        consumers: 3,
        rate: 30,
        seconds: effort.slow_seconds,
        slow_consumer: true,
    };
    let once = Effort {
        rounds: 1,
        ..effort.clone()
    };
    for (peer, rounds) in rounds(&once, &present, plan, &mut patience, &mut report.failures)? {
        report.slow.extend(
            rounds
                .into_iter()
                .map(|outcome| Slow::of(peer.clone(), &outcome)),
        );
    }
    Ok(report)
}

/// All rounds of one cell, per peer; a peer that fails is noted and left out.
fn rounds(
    effort: &Effort,
    peers: &[&dyn Peer],
    plan: Plan,
    patience: &mut Patience,
    failures: &mut Vec<(String, String)>,
) -> io::Result<Vec<(String, Vec<Outcome>)>> {
    let mut taking_part: Vec<(&dyn Peer, Vec<Outcome>)> = peers
        .iter()
        .filter(|peer| plan.consumers <= 10 || peer.bears_hundred())
        .filter(|peer| !peer.is_paced_only() || plan.is_plain())
        .map(|peer| (*peer, Vec::new()))
        .collect();
    for round in 0..effort.rounds {
        let shift = round % taking_part.len().max(1);
        taking_part.rotate_left(shift);
        for (peer, outcomes) in &mut taking_part {
            match patience.least_disturbed(
                |round: &Outcome| round.strangers_percent,
                || perform(*peer, plan),
            ) {
                Ok(outcome) => outcomes.push(outcome),
                Err(error) => failures.push((peer.name().to_owned(), error.to_string())),
            }
        }
    }
    taking_part.sort_by_key(|(peer, _)| peers.iter().position(|known| known.name() == peer.name()));
    Ok(taking_part
        .into_iter()
        .filter(|(_, outcomes)| !outcomes.is_empty())
        .map(|(peer, outcomes)| (peer.name().to_owned(), outcomes))
        .collect())
}
