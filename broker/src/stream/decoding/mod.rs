//! The thread of a decoded stream: takes the newest frame of its parent, decodes it into a slot, publishes, wakes.
//!
//! Owns when a frame is decoded; never falls behind, since it passes over what came while it was decoding, and never has
//! its parent wait.

mod follower;

pub(super) use follower::{Follower, Last};

use super::Seat;
use super::core::{Core, Frame};
use super::worker::{Reporter, Reports, Turn, Worker, lock, publish};
use crate::pool::Claimed;
use crate::source::Filled;
use crate::source::decode::{self, Decoded};
use follower::Packet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use streamem_sys::clock::monotonic_ns;
use streamem_wire::{Layout, StreamName, flags, lease};

/// Frames that cannot be decoded, one after the other, before the stream is said to be lost.
const UNDECODABLE_MAX: u32 = 10;
/// What is said when one of our own assumptions did not hold.
const DEFECT: &str = "its decoder has failed; this is a defect, see the log for where";

/// How long decoding took.
#[derive(Debug, Default)]
pub(super) struct Effort {
    frames: AtomicU64,
    total_ns: AtomicU64,
    longest_ns: AtomicU64,
}

impl Effort {
    fn add(&self, took_ns: u64) {
        self.frames.fetch_add(1, Relaxed);
        self.total_ns.fetch_add(took_ns, Relaxed);
        self.longest_ns.fetch_max(took_ns, Relaxed);
    }

    /// In words; none before the first frame.
    pub(super) fn describe(&self) -> Option<String> {
        let mean_ns = self
            .total_ns
            .load(Relaxed)
            .checked_div(self.frames.load(Relaxed))?;
        let in_ms = |ns: u64| Duration::from_nanos(ns).as_secs_f64() * 1e3;
        let (mean, longest) = (in_ms(mean_ns), in_ms(self.longest_ns.load(Relaxed)));
        Some(format!("{mean:.1} ms for a frame, {longest:.1} at most"))
    }
}

/// What a decoder is started with.
pub(super) struct Job {
    pub(super) name: StreamName,
    pub(super) parent: StreamName,
    pub(super) layout: Layout,
    pub(super) follower: Follower,
    pub(super) effort: Arc<Effort>,
}

/// A decoder as the loop sees it, also after it was told to end.
#[derive(Debug)]
pub(super) struct Decoder {
    seat: Arc<Seat>,
    has_left: Arc<AtomicBool>,
}

impl Decoder {
    /// Whether it has left its parent, and writes into no slot any more.
    pub(super) fn has_left(&self) -> bool {
        self.has_left.load(Acquire)
    }

    /// Has it look whether it was told to end.
    pub(super) fn wake(&self) {
        lease::before_wake();
        self.seat.wake();
    }
}

/// Starts the thread, which reports when it has left.
pub(super) fn start(
    job: Job,
    source: u64,
    core: Arc<Mutex<Core>>,
    reports: &Reports,
) -> std::io::Result<(Worker, Decoder)> {
    let ended = Arc::new(AtomicBool::new(false));
    let decoder = Decoder {
        seat: job.follower.seat(),
        has_left: Arc::default(),
    };
    let name: String = format!("dec-{}", job.name).chars().take(15).collect();
    let runner = Runner {
        parent: job.parent,
        layout: job.layout,
        follower: job.follower,
        effort: job.effort,
        core,
        source,
        ended: Arc::clone(&ended),
        has_left: Arc::clone(&decoder.has_left),
        reports: reports.reporter(source),
        claimed: None,
        passed_over: 0,
        has_gap: false,
        undecodable: 0,
    };
    thread::Builder::new()
        .name(name)
        .spawn(move || runner.run())?;
    Ok((Worker { ended }, decoder))
}

struct Runner {
    parent: StreamName,
    layout: Layout,
    follower: Follower,
    effort: Arc<Effort>,
    core: Arc<Mutex<Core>>,
    source: u64,
    ended: Arc<AtomicBool>,
    has_left: Arc<AtomicBool>,
    reports: Reporter,
    claimed: Option<Claimed>,
    /// Frames of the parent since the last one that was published, and not counted yet.
    passed_over: u64,
    has_gap: bool,
    undecodable: u32,
}

impl Runner {
    fn run(mut self) {
        let run = AssertUnwindSafe(|| self.decode_all());
        let turn = match catch_unwind(run) {
            Ok(()) => Turn::Over,
            Err(_) => Turn::Ended(DEFECT.to_owned()),
        };
        // Before it is said, since another may begin at once.
        drop(self.follower);
        self.has_left.store(true, Release);
        self.reports.report(turn);
    }

    fn decode_all(&mut self) {
        let mut packet = Packet::default();
        let ended = Arc::clone(&self.ended);
        while !ended.load(Relaxed) && self.follower.may_go_on() {
            if self.follower.take(&mut packet) {
                self.decode(&packet);
            } else {
                self.follower.wait(|| ended.load(Relaxed));
            }
        }
    }

    fn decode(&mut self, packet: &Packet) {
        self.passed_over += packet.passed_over;
        let claimed = self.claimed.take();
        let Some(mut claimed) = claimed.or_else(|| lock(&self.core).claim(self.source)) else {
            self.has_gap = true;
            return lock(&self.core).drop_frame(self.source);
        };
        let began_ns = monotonic_ns();
        let decoded = decode::decode(&packet.bytes, &self.layout, claimed.bytes());
        match decoded {
            Ok(decoded) => {
                self.effort.add(monotonic_ns().saturating_sub(began_ns));
                self.publish(claimed, packet, decoded);
            }
            Err(why) => {
                self.claimed = Some(claimed);
                self.skip(&why.to_string());
            }
        }
    }

    /// A frame that cannot be decoded is one its source lost.
    fn skip(&mut self, why: &str) {
        let lost = std::mem::take(&mut self.passed_over) + 1;
        lock(&self.core).lose_frames(self.source, lost);
        self.has_gap = true;
        self.undecodable += 1;
        if self.undecodable == UNDECODABLE_MAX {
            let parent = &self.parent;
            let why = format!("what stream \"{parent}\" has cannot be decoded: {why}");
            self.reports.report(Turn::Silent(why));
        }
    }

    fn publish(&mut self, claimed: Claimed, packet: &Packet, decoded: Decoded) {
        let by_source = std::mem::take(&mut self.passed_over);
        let has_gap = std::mem::take(&mut self.has_gap) || by_source > 0;
        let mut said = packet.stamp.flags & (flags::BROKEN | flags::GAP);
        if has_gap {
            said |= flags::GAP;
        }
        if decoded == Decoded::Broken {
            said |= flags::BROKEN;
        }
        let frame = Frame {
            claimed,
            filled: Filled {
                used_bytes: usize::try_from(self.layout.bytes).unwrap_or(usize::MAX),
                source_clock: packet.stamp.source_clock,
                clock_domain: packet.stamp.clock_domain,
                flags: said,
            },
            number: packet.sequence.0,
            captured_ns: packet.stamp.captured_ns,
            by_source,
        };
        if std::mem::take(&mut self.undecodable) >= UNDECODABLE_MAX {
            self.reports.report(Turn::Back);
        }
        publish(&self.core, self.source, &frame, &packet.side);
    }
}
