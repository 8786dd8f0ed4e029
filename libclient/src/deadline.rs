//! Until when something may take.
//!
//! Owns the arithmetic of "at most so long from now"; never sleeps.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::time::Timespec;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// A moment, or never.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) const NEVER: Deadline = Deadline(None);

    /// So long from now; a time too long to be counted is forever.
    pub(crate) fn after(time: Duration) -> Deadline {
        Deadline(Instant::now().checked_add(time))
    }

    /// This very moment: look, do not wait.
    pub(crate) fn now() -> Deadline {
        Deadline(Some(Instant::now()))
    }

    pub(crate) fn is_over(self) -> bool {
        self.0.is_some_and(|end| end <= Instant::now())
    }

    /// What is left, but at most `slice`.
    pub(crate) fn slice(self, slice: Duration) -> Duration {
        self.left().map_or(slice, |left| left.min(slice))
    }

    fn left(self) -> Option<Duration> {
        self.0
            .map(|end| end.saturating_duration_since(Instant::now()))
    }
}

/// Waits until one of `events` is true of `file`; whether that came before the deadline.
pub(crate) fn wait_for(
    file: impl AsFd,
    events: PollFlags,
    deadline: Deadline,
) -> Result<bool, Errno> {
    loop {
        let left = deadline.left().map(|left| Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        });
        match poll(&mut [PollFd::new(&file, events)], left.as_ref()) {
            Ok(0) if deadline.is_over() => return Ok(false),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error),
        }
    }
}
