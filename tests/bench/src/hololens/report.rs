//! What a run says in the end, as plain figures.
//!
//! It owns how they are made of what was counted, and formats nothing.

use crate::samples::Samples;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one reader saw of one stream.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Seen {
    /// Frames it had.
    pub frames: u64,
    /// Frames it did not have in time, because it or its process was slow.
    pub skipped: u64,
    /// Packets of the device that nothing came of.
    pub gaps: u64,
    /// From when the device was due to send until the reader had it.
    pub latency_ns: Vec<u64>,
}

/// What one reader saw.
pub type View = BTreeMap<String, Seen>;

/// What was measured of one way.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    /// CPU time of what brings frames to readers.
    pub cpu_ns: u64,
    /// CPU time of all readers.
    pub readers_ns: u64,
    /// How long it took.
    pub wall_ns: u64,
    /// What each reader saw.
    pub views: Vec<View>,
    /// Frames the broker and the worker say they dropped.
    pub dropped: u64,
}

/// One stream over all readers.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Stream {
    /// Frames a second, of the reader that had the fewest.
    pub frames_per_second: f64,
    /// Packets that nothing came of, and frames that readers did not have.
    pub lost: u64,
    /// See `Seen`.
    pub latency: crate::samples::Summary,
}

impl Outcome {
    /// Each stream.
    #[must_use]
    pub fn streams(&self) -> BTreeMap<&str, Stream> {
        let names = self.views.iter().flat_map(|view| view.keys());
        let of = |name: &String| {
            let seen: Vec<&Seen> = self
                .views
                .iter()
                .filter_map(|view| view.get(name))
                .collect();
            let fewest = seen.iter().map(|seen| seen.frames).min().unwrap_or(0);
            let all: Samples = seen
                .iter()
                .flat_map(|seen| seen.latency_ns.iter().copied())
                .collect();
            Stream {
                frames_per_second: fewest as f64 * 1e9 / self.wall_ns.max(1) as f64,
                lost: seen.iter().map(|seen| seen.skipped + seen.gaps).sum(),
                latency: all.summary(),
            }
        };
        names.map(|name| (name.as_str(), of(name))).collect()
    }

    /// Frames that were brought, each counted once.
    #[must_use]
    pub fn frames(&self) -> u64 {
        let most = |name: &String| {
            let seen = self.views.iter().filter_map(|view| view.get(name));
            seen.map(|seen| seen.frames).max().unwrap_or(0)
        };
        self.views
            .first()
            .map_or(0, |view| view.keys().map(most).sum())
    }

    /// Packets and frames that did not reach a reader, and what was dropped on the way.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.dropped
            + self
                .streams()
                .values()
                .map(|stream| stream.lost)
                .sum::<u64>()
    }

    /// CPU time for a frame.
    #[must_use]
    pub fn cpu_us_per_frame(&self) -> f64 {
        self.cpu_ns as f64 / 1000.0 / self.frames().max(1) as f64
    }

    /// CPU time of all readers for a frame.
    #[must_use]
    pub fn readers_us_per_frame(&self) -> f64 {
        self.readers_ns as f64 / 1000.0 / self.frames().max(1) as f64
    }

    /// How many came in a second.
    #[must_use]
    pub fn frames_per_second(&self) -> f64 {
        self.frames() as f64 * 1e9 / self.wall_ns.max(1) as f64
    }
}

/// One way to bring one stream: medians over rounds.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// Which stream.
    pub title: String,
    /// Which way.
    pub way: String,
    /// How many rounds there were.
    pub rounds: usize,
    /// CPU time for a frame, without the readers'.
    pub cpu_us: f64,
    /// That of the readers.
    pub readers_us: f64,
    /// How many came in a second.
    pub frames_per_second: f64,
    /// Lost in all rounds.
    pub lost: u64,
}

/// Everything that was measured in one run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// All streams at once.
    pub whole: Vec<(String, Outcome)>,
    /// Single streams.
    pub single: Vec<Compared>,
    /// Runs that failed, and why.
    pub failures: Vec<(String, String)>,
}
