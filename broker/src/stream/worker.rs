//! The thread a source runs on: keeps its pace, fills a slot, publishes, wakes.
//!
//! Owns the pacing; never waits for a reader, and never for a slot when it has a pace to keep (it
//! counts the frame as dropped and goes on).
//!
//! Publishing happens here and not on the loop: the hop to another thread costs more than everything
//! else between a filled slot and a reader that holds it.

use super::camera::Ready;
use super::core::{Core, Frame};
use crate::pool::Claimed;
use crate::source::v4l2::Fill;
use crate::source::{Filled, Pattern};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use streamem_sys::clock::monotonic_ns;
use streamem_wire::message::ControlList;
use streamem_wire::{Refusal, SessionId, flags};

/// Longest sleep at a time, so that a removed source ends soon.
const SLEEP_MAX: Duration = Duration::from_millis(100);
/// How long a source without a pace waits when every slot is taken.
const NO_SLOT: Duration = Duration::from_millis(1);

/// What became of a source.
#[derive(Debug)]
pub enum Turn {
    /// It has failed, or is done, and has ended.
    Ended(String),
    /// It was told to end, or has nothing to do any more, and has let go of all it had.
    Over,
    /// Nothing comes from it, for this reason; it may go on.
    Silent(String),
    /// It goes on.
    Back,
    /// A camera is open, and frames can come once there is memory for them.
    Ready(Box<Ready>),
    /// A camera's driver does not bear this way of filling slots, for this reason; another may do.
    Unfit(Fill, String),
}

/// What a thread tells the loop.
#[derive(Debug)]
pub enum Report {
    /// What became of a source, by the number given at its start.
    Source(u64, Turn),
    /// The controls of a camera, for the session that asked.
    Controls(SessionId, Result<ControlList, Refusal>),
    /// What came of connecting to a device.
    Dialled {
        /// Its number.
        dial: u64,
        /// The connection, or why there is none.
        outcome: Result<OwnedFd, String>,
    },
}

/// Where all sources report their end, and other threads what they were sent for.
#[derive(Debug)]
pub struct Reports {
    mailbox: Mailbox,
    receiver: Receiver<Report>,
}

/// A way to report, and the eventfd that says so.
#[derive(Clone, Debug)]
pub struct Mailbox {
    sender: Sender<Report>,
    eventfd: Arc<OwnedFd>,
}

impl Mailbox {
    /// Reports.
    pub fn post(&self, report: Report) {
        if self.sender.send(report).is_ok() {
            // An eventfd takes a number of writes no program lives to make.
            let _written = rustix::io::write(&*self.eventfd, &1u64.to_ne_bytes());
        }
    }
}

impl Reports {
    /// An empty place for reports.
    pub fn new() -> rustix::io::Result<Reports> {
        let (sender, receiver) = channel();
        let eventfd = Arc::new(rustix::event::eventfd(
            0,
            rustix::event::EventfdFlags::CLOEXEC,
        )?);
        let mailbox = Mailbox { sender, eventfd };
        Ok(Reports { mailbox, receiver })
    }

    /// Readable when there is a report.
    #[must_use]
    pub fn eventfd(&self) -> BorrowedFd<'_> {
        self.mailbox.eventfd.as_fd()
    }

    /// A way to report for one more source.
    #[must_use]
    pub(super) fn reporter(&self, source: u64) -> Reporter {
        let mailbox = self.mailbox.clone();
        Reporter { source, mailbox }
    }

    /// A way to report for a thread that is no source's.
    #[must_use]
    pub fn mailbox(&self) -> Mailbox {
        self.mailbox.clone()
    }

    /// The next report.
    #[must_use]
    pub fn take(&self) -> Option<Report> {
        self.receiver.try_recv().ok()
    }
}

/// A source's way to report.
#[derive(Debug)]
pub(super) struct Reporter {
    source: u64,
    mailbox: Mailbox,
}

impl Reporter {
    pub(super) fn report(&self, turn: Turn) {
        self.mailbox.post(Report::Source(self.source, turn));
    }
}

/// The shared part of a stream, locked.
pub fn lock(core: &Mutex<Core>) -> MutexGuard<'_, Core> {
    // Every change to it is complete before anything that could panic.
    core.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a frame the newest of its stream and wakes who waits for it; outside the lock, since that takes
/// longer than all else.
pub(super) fn publish(core: &Mutex<Core>, source: u64, frame: &Frame, side: &[u8]) {
    let seats = lock(core).publish(source, frame, side);
    if let Some(seats) = seats {
        seats.wake();
    }
}

/// A running source. Dropping it ends the source at its next frame.
#[derive(Debug)]
pub struct Worker {
    pub(super) ended: Arc<AtomicBool>,
}

impl Worker {
    /// Starts a source on a thread of its own.
    pub fn start(
        pattern: Box<dyn Pattern>,
        source: u64,
        name: &str,
        core: Arc<Mutex<Core>>,
        reports: &Reports,
    ) -> std::io::Result<Worker> {
        let ended = Arc::new(AtomicBool::new(false));
        let runner = Runner {
            period: pattern.period(),
            pattern,
            core,
            claimed: None,
            side: Vec::new(),
            ended: Arc::clone(&ended),
            reports: reports.reporter(source),
            source,
        };
        // The kernel shows 15 bytes of a thread's name.
        let name: String = format!("src-{name}").chars().take(15).collect();
        thread::Builder::new()
            .name(name)
            .spawn(move || runner.run())?;
        Ok(Worker { ended })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.ended.store(true, Relaxed);
    }
}

struct Runner {
    period: Duration,
    pattern: Box<dyn Pattern>,
    core: Arc<Mutex<Core>>,
    claimed: Option<Claimed>,
    side: Vec<u8>,
    ended: Arc<AtomicBool>,
    reports: Reporter,
    source: u64,
}

/// Why a source goes on no more.
enum End {
    /// The broker has no use for it.
    Unused,
    /// It failed.
    Failed(String),
}

impl Runner {
    fn run(mut self) {
        let end = if self.period.is_zero() {
            self.run_free()
        } else {
            self.run_paced()
        };
        if let End::Failed(why) = end {
            self.reports.report(Turn::Ended(why));
        }
    }

    fn run_free(&mut self) -> End {
        let mut number = 0;
        loop {
            if self.ended.load(Relaxed) {
                return End::Unused;
            }
            self.prepare();
            if self.claimed.is_none() {
                thread::sleep(NO_SLOT);
                continue;
            }
            number += 1;
            if let Err(end) = self.make(number, 0, 0) {
                return end;
            }
        }
    }

    fn run_paced(&mut self) -> End {
        let period_ns = u64::try_from(self.period.as_nanos()).unwrap_or(u64::MAX);
        let mut due_ns = monotonic_ns();
        let mut number = 0;
        let mut no_slot = 0;
        loop {
            self.prepare();
            if !self.sleep_until(due_ns) {
                return End::Unused;
            }
            let too_late = monotonic_ns().saturating_sub(due_ns) / period_ns;
            due_ns += (too_late + 1) * period_ns;
            number += too_late + 1;
            if self.claimed.is_none() {
                no_slot += 1;
                lock(&self.core).drop_frame(self.source);
            } else if let Err(end) = self.make(number, std::mem::take(&mut no_slot), too_late) {
                return end;
            }
        }
    }

    /// Comes by the next slot ahead of its time.
    fn prepare(&mut self) {
        if self.claimed.is_some() {
            return;
        }
        let mut core = lock(&self.core);
        self.claimed = core.claim(self.source);
        let commit = core.next_commit().and_then(|range| {
            let pool = core.memory().pool.made()?.owned();
            let pool = pool.try_clone_to_owned().ok()?;
            Some((pool, range, core.memory().shape().generation))
        });
        drop(core);
        if let Some((pool, range, generation)) = commit {
            let flags = rustix::fs::FallocateFlags::empty();
            let length = range.end - range.start;
            match rustix::fs::fallocate(pool, flags, range.start, length) {
                Ok(()) => lock(&self.core).committed(generation),
                Err(error) => tracing::debug!("memory is not committed in advance yet: {error}"),
            }
        }
    }

    /// Returns whether the source is still wanted.
    fn sleep_until(&self, due_ns: u64) -> bool {
        loop {
            if self.ended.load(Relaxed) {
                return false;
            }
            let left = Duration::from_nanos(due_ns.saturating_sub(monotonic_ns()));
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(SLEEP_MAX));
        }
    }

    fn make(&mut self, number: u64, no_slot: u64, by_source: u64) -> Result<(), End> {
        let Some(mut claimed) = self.claimed.take() else {
            return Ok(());
        };
        let captured_ns = monotonic_ns();
        let mut filled = self.fill(&mut claimed, number, captured_ns)?;
        if no_slot + by_source > 0 {
            filled.flags |= flags::GAP;
        }
        let frame = Frame {
            claimed,
            filled,
            number,
            captured_ns,
            by_source,
        };
        if self.ended.load(Relaxed) {
            return Err(End::Unused);
        }
        publish(&self.core, self.source, &frame, &self.side);
        Ok(())
    }

    fn fill(
        &mut self,
        claimed: &mut Claimed,
        number: u64,
        captured_ns: u64,
    ) -> Result<Filled, End> {
        self.side.clear();
        let (pattern, side) = (&mut self.pattern, &mut self.side);
        let bytes = claimed.bytes();
        let filled = AssertUnwindSafe(|| pattern.fill(bytes, number, captured_ns, side));
        catch_unwind(filled).map_err(|_| {
            End::Failed(
                "the source failed while it made a frame; this is a defect, see the log for where"
                    .into(),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PoolConfig;
    use crate::pool::{Memfd, Protection};
    use crate::source::SourceUri;
    use crate::source::pattern::open;
    use crate::stream::StreamMemory;
    use streamem_wire::{Generation, StreamName, header};

    #[test]
    fn a_frame_without_a_slot_is_counted_at_once() {
        let uri: SourceUri = "pattern://bars?size=160x120&rate=100".parse().unwrap();
        let pattern = open(&uri).unwrap();
        // One slot is in other hands and one has the newest frame, so that there is none for the next.
        let config = PoolConfig {
            slots_max: 2,
            ..PoolConfig::default()
        };
        let name = StreamName::new("cam").unwrap();
        let (layout, first) = (pattern.layout().clone(), Generation(1));
        let sealed = Protection::Sealed;
        let memory = StreamMemory::make(&Memfd, &name, &layout, &config, first, sealed).unwrap();
        let core = Arc::new(Mutex::new(Core::new(memory, false)));
        lock(&core).begin(1, 1);
        let _taken = lock(&core).claim(1).unwrap();
        let reports = Reports::new().unwrap();
        let _worker = Worker::start(pattern, 1, "cam", Arc::clone(&core), &reports).unwrap();
        let memory = Arc::clone(lock(&core).memory());
        let dropped = || memory.view().header(header::DROPPED_NO_SLOT).load(Relaxed);
        for _ in 0..1000 {
            if dropped() > 1 {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("no frame was said to be dropped");
    }
}
