//! A reader of every frame, on a thread of its own, that looks at each.
//!
//! Owns the subscription; what is right is the caller's to say.

use crate::seen::Seen;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use streamem::Subscription;
use streamem_tests::{Broker, eventually};

const SLICE: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(60);

/// What is to be remembered of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// Its number on its connection.
    pub number: u64,
    pub ticks: u64,
    pub flags: u32,
    pub captured_ns: u64,
    pub packet: u64,
}

/// Who looks at every frame of a stream.
#[derive(Debug)]
pub struct Reader {
    marks: Arc<Mutex<Vec<Mark>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

/// A subscription to every frame.
pub fn subscription(broker: &Broker, stream: &str) -> Subscription {
    let asked = Subscription::builder(stream).socket(broker.socket());
    asked.every(16).wait(true).open().expect("it may be read")
}

/// The next so many frames.
pub fn frames(broker: &Broker, stream: &str, count: usize) -> Vec<Seen> {
    let mut reader = subscription(broker, stream);
    let end = Instant::now() + PATIENCE;
    let mut seen = Vec::new();
    while seen.len() < count {
        if let Some(frame) = reader.next(SLICE).expect("a broker") {
            seen.push(Seen::of(&frame));
        }
        let told = || broker.stream(stream);
        assert!(
            Instant::now() < end,
            "no {count} frames of {stream}: {}",
            told()
        );
    }
    seen
}

impl Reader {
    /// Looks at each with this, which says the number it has.
    pub fn start(
        broker: &Broker,
        stream: &str,
        look: impl Fn(&Seen) -> u64 + Send + 'static,
    ) -> Reader {
        let mut reader = subscription(broker, stream);
        let (marks, is_over) = (
            Arc::<Mutex<Vec<Mark>>>::default(),
            Arc::<AtomicBool>::default(),
        );
        let (kept, ends) = (Arc::clone(&marks), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            while !ends.load(Relaxed) {
                let Some(frame) = reader.next(SLICE).expect("a broker") else {
                    continue;
                };
                let seen = Seen::of(&frame);
                drop(frame);
                let mark = Mark {
                    number: look(&seen),
                    ticks: seen.ticks,
                    flags: seen.flags,
                    captured_ns: seen.captured_ns,
                    packet: seen.packet,
                };
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(mark);
            }
            reader.missed()
        });
        let thread = Some(thread);
        Reader {
            marks,
            is_over,
            thread,
        }
    }

    /// What was seen so far.
    pub fn marks(&self) -> Vec<Mark> {
        let failed = self.thread.as_ref().is_some_and(JoinHandle::is_finished);
        assert!(!failed, "a frame was not what the device has sent");
        self.marks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until so many more were seen.
    pub fn goes_on(&self, count: usize) {
        let before = self.marks().len();
        eventually("there are more frames", || {
            (self.marks().len() >= before + count).then_some(())
        });
    }

    /// All that was seen, and how many were missed.
    pub fn finish(mut self) -> (Vec<Mark>, u64) {
        self.is_over.store(true, Relaxed);
        let thread = self.thread.take().expect("it is finished once");
        let missed = thread
            .join()
            .expect("each frame was what the device has sent");
        let marks = std::mem::take(&mut *self.marks.lock().unwrap_or_else(PoisonError::into_inner));
        (marks, missed)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
    }
}
