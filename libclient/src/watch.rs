//! The one descriptor a foreign event loop watches.
//!
//! Owns an epoll set of all that can make `try_next` worth calling: the eventfd the broker writes to,
//! the socket, and a timer for the next attempt to reconnect; so the descriptor stays the same
//! whatever becomes of those. Never waits.

use crate::error::Error;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use std::io::IoSliceMut;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// An epoll set.
#[derive(Debug)]
pub(crate) struct Watch {
    set: OwnedFd,
    timer: OwnedFd,
    eventfd: Option<OwnedFd>,
}

/// What is expected of the socket.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// An answer.
    Answer,
    /// Nothing but its end.
    HangUp,
}

impl Watch {
    pub(crate) fn new() -> Result<Watch, Error> {
        let set = epoll::create(CreateFlags::CLOEXEC);
        let set = set.map_err(|e| Error::system("epoll_create", e))?;
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags);
        let timer = timer.map_err(|e| Error::system("timerfd_create", e))?;
        let watch = Watch {
            set,
            timer,
            eventfd: None,
        };
        watch.add(&watch.timer, EventFlags::IN)?;
        Ok(watch)
    }

    /// Watches the socket for what is expected of it.
    pub(crate) fn follow(&self, socket: &OwnedFd, expected: Expected) -> Result<(), Error> {
        let flags = match expected {
            Expected::Answer => EventFlags::IN | EventFlags::RDHUP,
            Expected::HangUp => EventFlags::RDHUP,
        };
        self.add(socket, flags)
    }

    /// Watches neither this socket nor the eventfd that came over it.
    pub(crate) fn forget(&mut self, socket: &OwnedFd) {
        self.remove(socket);
        if let Some(eventfd) = self.eventfd.take() {
            self.remove(&eventfd);
        }
    }

    /// Watches this eventfd instead of the one before.
    pub(crate) fn replace_eventfd(&mut self, eventfd: OwnedFd) -> Result<(), Error> {
        self.add(&eventfd, EventFlags::IN)?;
        if let Some(before) = self.eventfd.replace(eventfd) {
            self.remove(&before);
        }
        Ok(())
    }

    /// Becomes readable after this time; with `None`, no longer by the timer.
    pub(crate) fn alarm(&self, after: Option<Duration>) -> Result<(), Error> {
        let after = after.map(|after| after.max(Duration::from_nanos(1)));
        let after = after.unwrap_or_default();
        let time = Itimerspec {
            it_interval: Timespec::default(),
            it_value: Timespec {
                tv_sec: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(after.subsec_nanos()),
            },
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &time)
            .map(|_| ())
            .map_err(|e| Error::system("timerfd_settime", e))
    }

    /// Takes what the eventfd counted, so that it is not readable until the next frame. Does not
    /// rely on the broker having made it non-blocking.
    pub(crate) fn drain(&self) {
        if let Some(eventfd) = &self.eventfd {
            let mut counts = [0; 4096];
            let parts = &mut [IoSliceMut::new(&mut counts)];
            // Whatever is wrong with it, frames are looked for in the ring.
            let _ = preadv2(eventfd, parts, u64::MAX, ReadWriteFlags::NOWAIT);
        }
    }

    fn add(&self, file: &OwnedFd, flags: EventFlags) -> Result<(), Error> {
        let data = EventData::new_u64(0);
        match epoll::add(&self.set, file, data, flags) {
            Err(Errno::EXIST) => epoll::modify(&self.set, file, data, flags),
            done => done,
        }
        .map_err(|e| Error::system("epoll_ctl", e))
    }

    fn remove(&self, file: &OwnedFd) {
        // It fails only if it is not in the set, which is what is wanted.
        let _ = epoll::delete(&self.set, file);
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.set.as_fd()
    }
}
