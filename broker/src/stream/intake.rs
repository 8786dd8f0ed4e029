//! The thread of a publication: grants slots, takes what was submitted, checks it, publishes, wakes.
//!
//! Owns what is in the publisher's hand; never believes a word of the page, and never waits for the
//! publisher but on its futex and with an end. Whatever the publisher does costs this thread only.

use super::core::{Core, Frame};
use super::publication::{Desk, Publication};
use super::silence::Silence;
use super::worker::{Reporter, Reports, Turn, Worker, lock};
use crate::pool::Claimed;
use crate::source::Filled;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use streamem_sys::clock::monotonic_ns;
use streamem_sys::futex::{self, Woken};
use streamem_wire::submission::{self, Entry, Intake, Rejection};
use streamem_wire::{ENTRIES_MAX, Generation, Sequence, submission_words};
use tracing::warn;

/// Longest sleep at a time, so that a publication that was ended ends soon.
const SLEEP_MAX: Duration = Duration::from_millis(100);
/// How long to wait before a slot is looked for again when every one is taken.
const NO_SLOT: Duration = Duration::from_millis(1);
/// How long a publisher that floods is not listened to.
const FLOOD_PAUSE: Duration = Duration::from_millis(10);
const WAKES_MAX: u64 = 2000;
const REJECTED_MAX: u64 = 100;
const SECOND_NS: u64 = 1_000_000_000;

/// Counts what comes within a second.
#[derive(Debug, Default)]
struct Flood {
    since_ns: u64,
    wakes: u64,
    rejected: u64,
}

impl Flood {
    /// Whether it was too much in this second.
    fn is_too_much(&mut self, now_ns: u64, wakes_max: u64) -> bool {
        if now_ns.saturating_sub(self.since_ns) > SECOND_NS {
            *self = Flood {
                since_ns: now_ns,
                ..Flood::default()
            };
        }
        self.wakes > wakes_max || self.rejected > REJECTED_MAX
    }
}

struct Runner {
    desk: Arc<Desk>,
    core: Arc<Mutex<Core>>,
    source: u64,
    generation: Generation,
    frame_bytes: u64,
    slots: usize,
    in_hand: Vec<Claimed>,
    intake: Intake,
    side: Vec<u8>,
    flood: Flood,
    wakes_max: u64,
    silence: Silence,
    ended: Arc<AtomicBool>,
    reports: Reporter,
    pid: u32,
}

/// How often a publisher of this rate may wake its thread in a second.
fn wakes_max(rate: f64) -> u64 {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is at most 10000, or a sample rate"
    )]
    let four_times = (rate.max(0.0) * 4.0) as u64;
    four_times.max(WAKES_MAX)
}

/// Starts the thread of a publication that begins as this source.
pub(super) fn start(
    publication: &Publication,
    source: u64,
    core: Arc<Mutex<Core>>,
    silence: Silence,
    reports: &Reports,
) -> std::io::Result<Worker> {
    let ended = Arc::new(AtomicBool::new(false));
    let rate = publication.layout.rate;
    let runner = Runner {
        desk: Arc::clone(&publication.desk),
        core,
        source,
        generation: publication.generation,
        frame_bytes: publication.layout.bytes,
        slots: usize::try_from(publication.slots).unwrap_or(1),
        in_hand: Vec::new(),
        intake: Intake::default(),
        side: Vec::new(),
        flood: Flood::default(),
        wakes_max: wakes_max(rate),
        silence,
        ended: Arc::clone(&ended),
        reports: reports.reporter(source),
        pid: publication.publisher.pid,
    };
    let name = format!("pub-{}", publication.stream);
    thread::Builder::new()
        .name(name.chars().take(15).collect())
        .spawn(move || runner.run())?;
    Ok(Worker { ended })
}

impl Runner {
    fn run(mut self) {
        while !self.ended.load(Relaxed) {
            self.grant();
            let took = self.take();
            if !took && submission::is_closed(&self.desk.view()) {
                let why = format!("its publisher (pid {}) is done", self.pid);
                self.reports.report(Turn::Ended(why));
                break;
            }
            self.listen();
            self.pause_if_flooded();
            if !took {
                self.wait();
            }
        }
        // Whoever ended it: the publisher is told, should it still be there.
        let page = self.desk.view();
        if self.intake.end(&page) {
            let _nobody_there = futex::wake(page.word(submission_words::GRANT_WAKE), 1);
        }
    }

    /// Fills the publisher's hand with as many slots as it may have.
    fn grant(&mut self) {
        let page = self.desk.view();
        let mut granted = false;
        while self.in_hand.len() < self.slots {
            let Some(claimed) = lock(&self.core).claim(self.source) else {
                break;
            };
            self.intake.grant(&page, self.generation, claimed.slot());
            self.in_hand.push(claimed);
            granted = true;
        }
        if granted {
            self.tell_granted();
        }
    }

    fn tell_granted(&mut self) {
        let page = self.desk.view();
        let in_hand = self.in_hand.len() as u64;
        self.desk.in_hand.store(in_hand, Relaxed);
        if self.intake.must_wake(&page) {
            let _nobody_there = futex::wake(page.word(submission_words::GRANT_WAKE), 1);
        }
    }

    /// Takes what was submitted, as much as there can be at a time. Returns whether there was any.
    fn take(&mut self) -> bool {
        let desk = Arc::clone(&self.desk);
        let page = desk.view();
        for round in 0..ENTRIES_MAX {
            let Some(taken) = self.intake.take(&page) else {
                return round > 0;
            };
            match taken.and_then(|entry| self.publish(&entry)) {
                Ok(sequence) => {
                    self.intake.accept(&page, sequence);
                    desk.last_sequence.store(sequence.0, Relaxed);
                    self.silence.hear();
                }
                Err(why) => {
                    self.flood.rejected += 1;
                    self.intake.reject(&page, why);
                    desk.last_rejection.store(why as u64, Relaxed);
                }
            }
            desk.taken.fetch_add(1, Relaxed);
            desk.rejected.store(self.intake.rejected(), Relaxed);
        }
        true
    }

    /// Checks an entry and makes it the newest frame. A slot whose entry is wrong is granted again.
    fn publish(&mut self, entry: &Entry) -> Result<Sequence, Rejection> {
        let slot = entry.slot(self.generation)?;
        let place = self.in_hand.iter().position(|held| held.slot() == slot);
        let claimed = self
            .in_hand
            .swap_remove(place.ok_or(Rejection::NotGranted)?);
        let checked = entry
            .stamp(self.frame_bytes, monotonic_ns())
            .and_then(|stamp| entry.side_data(&mut self.side).map(|()| stamp));
        let stamp = match checked {
            Ok(stamp) => stamp,
            Err(why) => {
                let page = self.desk.view();
                self.intake.grant(&page, self.generation, slot);
                self.in_hand.push(claimed);
                self.tell_granted();
                return Err(why);
            }
        };
        let frame = Frame {
            claimed,
            filled: Filled {
                used_bytes: usize::try_from(stamp.used_bytes).unwrap_or(usize::MAX),
                source_clock: stamp.source_clock,
                clock_domain: stamp.clock_domain,
                flags: stamp.flags,
            },
            number: stamp.source_sequence,
            captured_ns: stamp.captured_ns,
            by_source: 0,
        };
        let mut core = lock(&self.core);
        let seats = core.publish(self.source, &frame, &self.side);
        let sequence = core.newest();
        drop(core);
        let seats = seats.ok_or(Rejection::Stale)?;
        seats.wake();
        Ok(sequence)
    }

    /// Says when the publisher falls silent, and when it is back.
    fn listen(&mut self) {
        let why = || format!("its publisher (pid {}) is silent", self.pid);
        if let Some(turn) = self.silence.turn(why) {
            self.reports.report(turn);
        }
    }

    fn pause_if_flooded(&mut self) {
        if !self.flood.is_too_much(monotonic_ns(), self.wakes_max) {
            return;
        }
        if self.desk.floods.fetch_add(1, Relaxed) == 0 {
            warn!(
                pid = self.pid,
                "a publisher floods and is listened to less often: it is rejected more than {REJECTED_MAX} or \
                 wakes more than {} times a second",
                self.wakes_max
            );
        }
        thread::sleep(FLOOD_PAUSE);
    }

    fn wait(&mut self) {
        let page = self.desk.view();
        let longest = if self.in_hand.len() < self.slots {
            NO_SLOT
        } else {
            SLEEP_MAX
        };
        let expected = self.intake.announce_wait(&page);
        if !self.intake.has_news(&page) {
            let word = page.word(submission_words::KICK);
            // Whatever became of the wait, the page is looked at again.
            match futex::wait(word, expected, longest) {
                Ok(Woken::Look) => self.flood.wakes += 1,
                Ok(Woken::TimedOut) => {}
                Err(_) => thread::sleep(NO_SLOT),
            }
        }
        self.intake.end_wait(&page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_forgotten_with_its_second() {
        let mut flood = Flood {
            wakes: 2001,
            ..Flood::default()
        };
        assert!(flood.is_too_much(5, WAKES_MAX));
        assert!(!flood.is_too_much(5 + 2 * SECOND_NS, WAKES_MAX));
        flood.rejected = 101;
        assert!(flood.is_too_much(6 + 2 * SECOND_NS, WAKES_MAX));
    }

    #[test]
    fn a_fast_stream_may_wake_more_often() {
        assert_eq!(wakes_max(30.0), WAKES_MAX);
        assert_eq!(wakes_max(1000.0), 4000);
    }
}
