//! The engine: one io_uring through which the loop hears of everything.
//!
//! Owns the ring and the few buffers the kernel writes into; never blocks but in [`Engine::wait`],
//! and knows nothing of what its tokens mean.
//!
//! # Safety
//!
//! Three things are unsafe here. A submission may name memory: it is a buffer this struct owns for
//! as long as the ring (`ticks`, `reports`). A submission may name a descriptor by number: each is borrowed from the caller while it is
//! queued, and a poll holds the open file, not the number. An accepted connection is a number nobody
//! else owns.
#![allow(unsafe_code)]

mod token;

pub use streamem_ring::RingError as EngineError;
pub use token::Token;

use rustix::event::PollFlags;
use rustix::io::Errno;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;
use streamem_ring::io_uring::{IoUring, opcode, squeue, types};
use streamem_ring::{Needed, User};

/// Submissions that fit in one system call; more only take a second one.
const ENTRIES: u32 = 256;
const NEEDED: &[Needed] = &[
    (opcode::PollAdd::CODE, "POLL_ADD", "5.1"),
    (opcode::PollRemove::CODE, "POLL_REMOVE", "5.1"),
    (opcode::Accept::CODE, "ACCEPT", "5.5"),
    (opcode::Timeout::CODE, "TIMEOUT", "5.4"),
    (opcode::Read::CODE, "READ", "5.6"),
];

/// Something happened.
#[derive(Debug)]
pub struct Completion {
    /// What it is about.
    pub token: Token,
    /// How it went: an operation's own number, or why it failed.
    pub result: io::Result<u32>,
}

impl Completion {
    /// The connection that came in, if this is the completion of an accept.
    pub fn connection(self) -> io::Result<OwnedFd> {
        let number = self.result?;
        let number = i32::try_from(number).map_err(|_| io::ErrorKind::InvalidData)?;
        // SAFETY: the kernel just made this descriptor for us and told nobody else of it.
        Ok(unsafe { OwnedFd::from_raw_fd(number) })
    }
}

/// The ring and what the kernel may write to or read from while it lives.
pub struct Engine {
    // Dropped before the buffers below, so that no operation outlives them.
    ring: IoUring,
    ticks: Box<types::Timespec>,
    reports: Box<u64>,
    early: Vec<Completion>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens a ring that can do what the loop needs and nothing else.
    pub fn open() -> Result<Engine, EngineError> {
        Ok(Engine {
            ring: streamem_ring::open(ENTRIES, NEEDED, User::ThisThread)?,
            ticks: Box::new(types::Timespec::new()),
            reports: Box::new(0),
            early: Vec::new(),
        })
    }

    /// Tells once when the file is ready as asked.
    pub fn watch(
        &mut self,
        file: impl AsFd,
        ready: PollFlags,
        token: Token,
    ) -> Result<(), EngineError> {
        let number = types::Fd(file.as_fd().as_raw_fd());
        let poll = opcode::PollAdd::new(number, u32::from(ready.bits()));
        self.push(poll.build().user_data(token.pack()))
    }

    /// No longer tells what a [`Engine::watch`] with this token asked for.
    pub fn forget(&mut self, token: Token) -> Result<(), EngineError> {
        let remove = opcode::PollRemove::new(token.pack());
        self.push(remove.build().user_data(Token::Nobody.pack()))
    }

    /// Takes in the next connection.
    pub fn accept(&mut self, listener: impl AsFd, token: Token) -> Result<(), EngineError> {
        const CLOSE_ON_EXEC_AND_NONBLOCK: i32 = 0o2_000_000 | 0o4_000;
        let number = types::Fd(listener.as_fd().as_raw_fd());
        let accept = opcode::Accept::new(number, std::ptr::null_mut(), std::ptr::null_mut())
            .flags(CLOSE_ON_EXEC_AND_NONBLOCK);
        self.push(accept.build().user_data(token.pack()))
    }

    /// Tells once after `time`. There is one such timer.
    pub fn tick(&mut self, time: Duration, token: Token) -> Result<(), EngineError> {
        *self.ticks = time.into();
        let timeout = opcode::Timeout::new(std::ptr::from_ref(&*self.ticks));
        self.push(timeout.build().user_data(token.pack()))
    }

    /// Tells once when the eventfd has been written, and empties it. There is one such eventfd.
    pub fn read_reports(&mut self, eventfd: impl AsFd, token: Token) -> Result<(), EngineError> {
        let number = types::Fd(eventfd.as_fd().as_raw_fd());
        let buffer = std::ptr::from_mut(&mut *self.reports).cast();
        let read = opcode::Read::new(number, buffer, 8);
        self.push(read.build().user_data(token.pack()))
    }

    /// Submits all that was queued and, if there is nothing else to do, waits until something
    /// happened; all in one system call.
    pub fn wait(
        &mut self,
        completions: &mut Vec<Completion>,
        is_idle: bool,
    ) -> Result<(), EngineError> {
        completions.append(&mut self.early);
        let wanted = usize::from(is_idle && completions.is_empty());
        match self.ring.submit_and_wait(wanted) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The completion queue is full: take from it and come again.
            Err(error) if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => {}
            Err(error) => return Err(EngineError::system("waiting")(error)),
        }
        self.take(completions);
        Ok(())
    }

    fn take(&mut self, completions: &mut Vec<Completion>) {
        completions.extend(self.ring.completion().map(|entry| {
            Completion {
                token: Token::unpack(entry.user_data()),
                result: u32::try_from(entry.result())
                    .map_err(|_| io::Error::from_raw_os_error(entry.result().wrapping_neg())),
            }
        }));
    }

    /// Makes room in the submission queue.
    fn flush(&mut self) -> Result<(), EngineError> {
        loop {
            match self.ring.submit() {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The completion queue is full: keep what is in it for the next wait.
                Err(error) if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => {
                    let mut early = std::mem::take(&mut self.early);
                    self.take(&mut early);
                    self.early = early;
                }
                Err(error) => return Err(EngineError::system("submitting")(error)),
            }
        }
    }

    fn push(&mut self, entry: squeue::Entry) -> Result<(), EngineError> {
        if self.ring.submission().is_full() {
            self.flush()?;
        }
        // SAFETY: what the entry points to is owned by `self`, see the module's
        // safety section.
        let pushed = unsafe { self.ring.submission().push(&entry) };
        pushed.map_err(|_| EngineError::System {
            action: "queueing",
            cause: io::Error::other("the submission queue stays full"),
        })
    }
}
