//! What a run says in the end, as plain figures that can be printed, drawn and kept as JSON.
//!
//! It owns how rounds become one figure (the median over rounds) and never formats anything.

use crate::harness::run::Outcome;
use crate::samples::{Summary, median};
use serde::Serialize;
use std::fmt::{self, Display};

/// Everything that was measured in one run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// One copy of a frame within a process.
    pub floor: Summary,
    /// Single calls while nobody waits.
    pub micro: Vec<Micro>,
    /// PSS of ten Pythons that have imported numpy and do nothing.
    pub ten_pythons_mb: Option<f64>,
    /// At a fixed rate.
    pub paced: Vec<Cell>,
    /// As fast as possible.
    pub unpaced: Vec<Unpaced>,
    /// With a consumer that naps while it holds a frame.
    pub slow: Vec<Slow>,
    /// Peers that are not installed, and the remedy.
    pub missing: Vec<(String, String)>,
    /// Runs that failed, and why.
    pub failures: Vec<(String, String)>,
}

/// What one call of ours costs.
#[derive(Clone, Debug, Serialize)]
pub struct Micro {
    /// Which call.
    pub call: Call,
    /// Its duration.
    pub nanoseconds: f64,
}

/// A single call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Call {
    /// Publishing with readers of which nobody waits.
    Publish {
        /// How many there are.
        readers: u64,
    },
    /// Obtaining and releasing a frame that is there.
    Obtain {
        /// Width x height.
        size: &'static str,
        /// How many subscriptions the stream has.
        subscriptions: usize,
    },
    /// The same in Python, as a numpy array.
    ObtainInPython,
}

impl Display for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Publish { readers } => write!(out, "publish, {readers} readers, nobody waits"),
            Self::ObtainInPython => write!(out, "obtain, make an array and release, in Python"),
            Self::Obtain {
                size,
                subscriptions,
            } => {
                write!(
                    out,
                    "obtain and release, {size}, {subscriptions} subscription(s)"
                )
            }
        }
    }
}

/// One peer at one rate with some consumers.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    /// Which peer.
    pub peer: String,
    /// How many consumers.
    pub consumers: usize,
    /// Frames per second.
    pub rate: u32,
    /// What was measured.
    pub figures: Figures,
}

/// The figures of a cell: each one the median over its rounds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Figures {
    /// Duration of the publish call.
    pub publish: Option<Summary>,
    /// From the end of the wait until the frame is held.
    pub obtain: Option<Summary>,
    /// From just before the publish call until the frame is held.
    pub latency: Summary,
    /// CPU time of all processes, in percent of one core.
    pub cpu_percent: f64,
    /// PSS of all processes.
    pub pss_mb: f64,
    /// Frames that consumers missed, all rounds together.
    pub lost: u64,
    /// What other programs used meanwhile, in percent of one core.
    pub strangers_percent: f64,
}

/// As fast as possible.
#[derive(Clone, Debug, Serialize)]
pub struct Unpaced {
    /// Which peer.
    pub peer: String,
    /// How many consumers.
    pub consumers: usize,
    /// Frames published per second.
    pub published_per_second: Option<f64>,
    /// Frames per second of the slowest consumer.
    pub received_per_second: f64,
    /// CPU time of all processes, in percent of one core.
    pub cpu_percent: f64,
}

/// What one slow consumer does to the others.
#[derive(Clone, Debug, Serialize)]
pub struct Slow {
    /// Which peer.
    pub peer: String,
    /// Frames per second of the slower of the two good consumers.
    pub received_per_second: f64,
    /// Their longest gap.
    pub gap_ms: f64,
    /// Frames they missed.
    pub lost: u64,
    /// Frames that were not whole, all consumers.
    pub torn: u64,
    /// Frames that changed under the slow consumer while it held them.
    pub changed: u64,
    /// How often it napped.
    pub naps: u64,
    /// Frames the producer could not publish.
    pub refused: u64,
    /// Files left in /dev/shm and /tmp after SIGKILL of all.
    pub files_left: usize,
    /// Their size.
    pub mb_left: f64,
    /// Sockets left where the peer was told to make them.
    pub sockets_left: usize,
    /// Files still there after the peer's next start.
    pub files_for_good: usize,
}

impl Figures {
    /// The medians over some rounds.
    #[must_use]
    pub fn of(rounds: &[Outcome]) -> Self {
        let over = |figure: &dyn Fn(&Outcome) -> f64| median(rounds.iter().map(figure).collect());
        let summaries = |pick: &dyn Fn(&Outcome) -> Summary| {
            summary(&rounds.iter().map(pick).collect::<Vec<_>>())
        };
        let some = |summary: Summary| (summary.count > 0).then_some(summary);
        Self {
            publish: some(summaries(&|round| round.publish.summary())),
            obtain: some(summaries(&|round| round.obtain.summary())),
            latency: summaries(&|round| round.latency.summary()),
            cpu_percent: over(&|round| round.cpu_percent),
            pss_mb: over(&|round| round.pss_mb),
            lost: rounds.iter().map(|round| round.lost).sum(),
            strangers_percent: over(&|round| round.strangers_percent),
        }
    }
}

impl Unpaced {
    /// The medians over some rounds.
    #[must_use]
    pub fn of(peer: String, consumers: usize, rounds: &[Outcome]) -> Self {
        let published: Vec<f64> = rounds
            .iter()
            .filter_map(|round| round.published_per_second)
            .collect();
        Self {
            peer,
            consumers,
            published_per_second: (!published.is_empty()).then(|| median(published)),
            received_per_second: median(
                rounds
                    .iter()
                    .map(|round| round.received_per_second)
                    .collect(),
            ),
            cpu_percent: median(rounds.iter().map(|round| round.cpu_percent).collect()),
        }
    }
}

impl Slow {
    /// The figures of the one round.
    #[must_use]
    pub fn of(peer: String, outcome: &Outcome) -> Self {
        let (files_left, bytes) = outcome.left_behind.unwrap_or_default();
        Self {
            peer,
            received_per_second: outcome.received_per_second,
            gap_ms: outcome.gap_ms,
            lost: outcome.lost,
            torn: outcome.torn,
            changed: outcome.changed,
            naps: outcome.naps,
            refused: outcome.refused,
            files_left,
            mb_left: bytes as f64 / 1e6,
            sockets_left: outcome.sockets_left,
            files_for_good: outcome.left_for_good,
        }
    }
}

impl Report {
    /// The best of the references in that cell, by median latency.
    #[must_use]
    pub fn reference(&self, consumers: usize, rate: u32) -> Option<&Cell> {
        self.paced
            .iter()
            .filter(|cell| (cell.consumers, cell.rate) == (consumers, rate))
            .filter(|cell| REFERENCES.contains(&cell.peer.as_str()))
            .min_by(|a, b| {
                a.figures
                    .latency
                    .p50_us
                    .total_cmp(&b.figures.latency.p50_us)
            })
    }
}

/// The peers that the others are divided by.
pub const REFERENCES: [&str; 2] = ["futex", "eventfds"];

fn summary(rounds: &[Summary]) -> Summary {
    let over = |figure: fn(&Summary) -> f64| median(rounds.iter().map(figure).collect());
    Summary {
        count: rounds.iter().map(|round| round.count).sum(),
        p50_us: over(|round| round.p50_us),
        p99_us: over(|round| round.p99_us),
        max_us: over(|round| round.max_us),
    }
}
