//! The thread of a camera: gives its driver slots, takes them back filled, publishes, wakes.
//!
//! Owns the open device; never waits for a reader, and for the driver only with an end.

mod copy;
mod export;
mod filler;
mod import;
mod importing;
mod opening;
mod pool;

pub use opening::{Ready, Way};
pub(in crate::stream) use opening::{Wanted, start as open};

use super::core::{Core, Frame};
use super::silence::Silence;
use super::worker::{Reporter, Reports, Turn, Worker, lock, publish};
use crate::pool::Claimed;
use crate::source::Filled;
use crate::source::v4l2::{Camera, Fill};
use copy::Copy;
use export::Export;
use filler::{Filler, Taken};
use import::Import;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use streamem_sys::clock::monotonic_ns;
use streamem_v4l2::{Dequeued, Error, Event, Memory, TimestampKind};
use streamem_wire::{Kind, Layout, clock, flags};

/// What is said when one of our own assumptions did not hold.
const DEFECT: &str = "its thread has failed; this is a defect, see the log for where";
/// Longest sleep at a time, so that a removed camera ends soon.
const SLEEP_MAX: Duration = Duration::from_millis(100);
/// Slots a driver has in hand that writes into them: one being filled, one that was, two to come.
const IN_HAND: u32 = 4;
/// Frames a driver may call broken, one after the other, before it is begun anew.
const BROKEN_MAX: u32 = 300;

/// Slots the source has in hand that fills them in this way, unless its driver wants more.
pub(in crate::stream) fn in_hand(fill: Fill) -> u32 {
    match fill {
        Fill::Import | Fill::Export => IN_HAND,
        Fill::Copy => super::core::ONE_IN_HAND,
    }
}

/// Starts the thread of a camera that is open, and has told how many slots its driver wants in hand.
pub(in crate::stream) fn start(
    ready: Ready,
    source: u64,
    name: &str,
    core: Arc<Mutex<Core>>,
    reports: &Reports,
) -> std::io::Result<Worker> {
    let ended = Arc::new(AtomicBool::new(false));
    let camera = ready.camera;
    let runner = Runner {
        layout: camera.layout.clone(),
        silence: Silence::of(camera.layout.rate),
        fill: ready.way.fill(),
        in_hand: ready.in_hand,
        camera,
        core,
        source,
        ended: Arc::clone(&ended),
        reports: reports.reporter(source),
        counter: Counter::default(),
        broken: 0,
        starves: false,
    };
    let name: String = format!("cam-{name}").chars().take(15).collect();
    thread::Builder::new()
        .name(name)
        .spawn(move || runner.run())?;
    Ok(Worker { ended })
}

/// Makes a number that only grows of one that starts anew after the largest.
#[derive(Debug, Default)]
struct Counter {
    number: u64,
    before: Option<u32>,
}

impl Counter {
    /// The number of this frame, and how many there were since the one before.
    fn count(&mut self, sequence: u32) -> (u64, u64) {
        let steps = self
            .before
            .map_or(1, |before| sequence.wrapping_sub(before));
        self.before = Some(sequence);
        // A driver that counts backwards, or not at all, has lost nothing that anybody knows of.
        let steps = if steps == 0 || steps > u32::MAX / 2 {
            1
        } else {
            u64::from(steps)
        };
        self.number += steps;
        (self.number, steps - 1)
    }
}

struct Runner {
    camera: Arc<Camera>,
    layout: Layout,
    fill: Fill,
    in_hand: u32,
    core: Arc<Mutex<Core>>,
    source: u64,
    ended: Arc<AtomicBool>,
    reports: Reporter,
    silence: Silence,
    counter: Counter,
    broken: u32,
    /// Readers hold all slots, so that the driver has fewer than it should.
    starves: bool,
}

/// Why a camera goes on no more.
enum End {
    Unused,
    Failed(String),
    /// Its driver does not bear the way in which slots are filled.
    Unfit(String),
}

impl From<Error> for End {
    fn from(error: Error) -> End {
        End::Failed(error.to_string())
    }
}

impl Runner {
    fn run(mut self) {
        let run = AssertUnwindSafe(|| {
            self.filler()
                .and_then(|mut filler| self.run_with(&mut *filler))
        });
        let end = catch_unwind(run).unwrap_or_else(|_| Err(End::Failed(DEFECT.to_owned())));
        // Closing the device ends the stream as well, but not while a buffer of it is mapped somewhere.
        let device = &self.camera.device;
        let _gone = device.stream_off(self.camera.queue);
        for memory in [Memory::DmaBuf, Memory::Mmap] {
            let _not_of_this_kind = device.request(self.camera.queue, memory, 0);
        }
        let Runner {
            camera,
            reports,
            fill,
            ..
        } = self;
        // Before it is said, since it may be opened anew at once.
        drop(camera);
        match end {
            Ok(()) | Err(End::Unused) => {}
            Err(End::Failed(why)) => reports.report(Turn::Ended(why)),
            Err(End::Unfit(why)) => reports.report(Turn::Unfit(fill, why)),
        }
    }

    fn filler(&self) -> Result<Box<dyn Filler>, End> {
        let camera = Arc::clone(&self.camera);
        let memory = Arc::clone(lock(&self.core).memory());
        Ok(match self.fill {
            Fill::Import => Box::new(Import::new(camera, memory, self.in_hand)?),
            Fill::Export => Box::new(Export::new(camera, memory.shape().slots, self.in_hand)),
            Fill::Copy => Box::new(Copy::new(camera)?),
        })
    }

    fn run_with(&mut self, filler: &mut dyn Filler) -> Result<(), End> {
        self.feed(filler)?;
        let (camera, queue) = (Arc::clone(&self.camera), self.camera.queue);
        camera.device.stream_on(queue)?;
        loop {
            if self.ended.load(Relaxed) {
                return Err(End::Unused);
            }
            let woken = self.wait()?;
            if woken.contains(PollFlags::PRI) {
                self.listen()?;
            }
            let mut took = false;
            while let Some(taken) = filler.take(&self.layout)? {
                took = true;
                self.publish(taken)?;
                self.feed(filler)?;
            }
            if !took && woken.intersects(PollFlags::ERR | PollFlags::HUP) {
                return Err(End::Failed(format!(
                    "{}: the driver has given up streaming: is the camera still plugged in?",
                    self.camera.device.path().display()
                )));
            }
            let place = self.camera.device.path().display();
            let why = || format!("{place} sends no frames: does it get a signal?");
            if let Some(turn) = self.silence.turn(why) {
                self.reports.report(turn);
            }
            self.feed(filler)?;
        }
    }

    /// Gives the driver what slots it can do with.
    fn feed(&mut self, filler: &mut dyn Filler) -> Result<(), End> {
        while filler.wants() {
            let Some(claimed) = self.claim() else {
                self.starves = true;
                return Ok(());
            };
            filler.give(claimed).map_err(|why| match &why {
                Error::Refused { cause, .. }
                    if self.fill == Fill::Import && is_about_memory(cause) =>
                {
                    End::Unfit(why.to_string())
                }
                _ => End::from(why),
            })?;
        }
        Ok(())
    }

    fn claim(&self) -> Option<Claimed> {
        lock(&self.core).claim(self.source)
    }

    fn wait(&self) -> Result<PollFlags, End> {
        let mut device = [PollFd::new(
            &self.camera.device,
            PollFlags::IN | PollFlags::PRI,
        )];
        let longest = Timespec::try_from(SLEEP_MAX).map_err(|why| End::Failed(why.to_string()))?;
        match poll(&mut device, Some(&longest)) {
            Ok(_) => Ok(device[0].revents()),
            Err(rustix::io::Errno::INTR) => Ok(PollFlags::empty()),
            Err(error) => Err(End::Failed(format!("waiting for a frame: {error}"))),
        }
    }

    fn listen(&mut self) -> Result<(), End> {
        while let Some(event) = self.camera.device.next_event()? {
            if event == Event::SourceChange {
                let place = self.camera.device.path().display();
                return Err(End::Failed(format!(
                    "{place}: what is connected to it has changed"
                )));
            }
        }
        Ok(())
    }

    fn publish(&mut self, taken: Taken) -> Result<(), End> {
        let Taken {
            claimed,
            used_bytes,
            said,
        } = taken;
        self.silence.hear();
        let (number, by_source) = self.counter.count(said.sequence);
        let is_gap = by_source > 0;
        let is_broken = said.broken || copy::is_short(used_bytes, &self.layout);
        self.broken = if is_broken { self.broken + 1 } else { 0 };
        if self.broken > BROKEN_MAX {
            return Err(End::Failed(format!(
                "{}: {BROKEN_MAX} frames in a row were broken: check the cable, and how much is on the same bus",
                self.camera.device.path().display()
            )));
        }
        let Some(claimed) = claimed else {
            self.starves = true;
            lock(&self.core).drop_frame(self.source);
            return Ok(());
        };
        let had_no_slot = std::mem::take(&mut self.starves);
        // What a driver leaves out that was given too few slots is not its own loss.
        let by_source = match by_source {
            left_out if had_no_slot && self.fill != Fill::Copy => {
                (0..left_out).for_each(|_| lock(&self.core).drop_frame(self.source));
                0
            }
            by_source => by_source,
        };
        let filled = Filled {
            used_bytes,
            flags: flag(flags::BROKEN, is_broken)
                | flag(flags::GAP, is_gap || had_no_slot && self.fill == Fill::Copy)
                | flag(flags::KEY, said.key && self.layout.kind == Kind::Packet),
            ..clock_of(&said)
        };
        let now_ns = monotonic_ns();
        // A driver may work out when a frame should have ended, and be done before.
        let captured_ns = match filled.clock_domain {
            clock::MONOTONIC => filled.source_clock.min(now_ns),
            _ => now_ns,
        };
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
        publish(&self.core, self.source, &frame, &[]);
        Ok(())
    }
}

/// Whether a driver refused a buffer for what it is, and not for what the driver is in.
fn is_about_memory(cause: &std::io::Error) -> bool {
    [libc::EFAULT, libc::EINVAL, libc::ENOMEM]
        .map(Some)
        .contains(&cause.raw_os_error())
}

fn flag(flag: u32, is_set: bool) -> u32 {
    if is_set { flag } else { 0 }
}

/// What the driver's clock said.
fn clock_of(said: &Dequeued) -> Filled {
    let is_monotonic = said.clock == TimestampKind::Monotonic && said.timestamp_ns > 0;
    Filled {
        used_bytes: 0,
        source_clock: if is_monotonic { said.timestamp_ns } else { 0 },
        clock_domain: if is_monotonic {
            clock::MONOTONIC
        } else {
            clock::NONE
        },
        flags: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_driver_left_out_is_counted_and_its_number_may_start_anew() {
        let mut counter = Counter::default();
        assert_eq!(counter.count(u32::MAX - 1), (1, 0));
        assert_eq!(counter.count(1), (4, 2));
        assert_eq!(counter.count(2), (5, 0));
    }

    #[test]
    fn a_driver_that_does_not_count_loses_nothing() {
        let mut counter = Counter::default();
        assert_eq!(
            [counter.count(0), counter.count(0), counter.count(0)],
            [(1, 0), (2, 0), (3, 0)]
        );
        assert_eq!(
            Counter {
                number: 9,
                before: Some(9)
            }
            .count(1),
            (10, 0)
        );
    }
}
