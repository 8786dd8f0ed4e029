//! Writing eventfds that somebody else holds too, without ever waiting for them.
//!
//! Owns a small ring of its own; has at most one write to each eventfd under way. A plain write
//! could be made to block: whoever holds the same eventfd can fill it and clear its `O_NONBLOCK`.
//! The ring leaves such a write to the kernel and goes on.
//!
//! # Safety
//!
//! Every submission reads `one`, which is owned by this struct, never changes, and is dropped after
//! the ring. The eventfd is borrowed while it is queued and submitted; from then on the kernel holds
//! the open file.
#![allow(unsafe_code)]

use super::EngineError;
use io_uring::{IoUring, opcode, types};
use std::collections::HashSet;
use std::fmt;
use std::os::fd::{AsRawFd, BorrowedFd};

const ENTRIES: u32 = 64;
/// The number of what nobody waits for.
const NOBODY: u64 = u64::MAX;

/// Writes eventfds.
pub struct Ringer {
    // Dropped before the word it reads.
    ring: IoUring,
    one: Box<u64>,
    under_way: HashSet<u64>,
}

impl fmt::Debug for Ringer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Ringer")
            .field("under_way", &self.under_way)
            .finish_non_exhaustive()
    }
}

impl Ringer {
    /// A ringer that has nothing under way.
    pub fn open() -> Result<Ringer, EngineError> {
        let ring =
            IoUring::new(ENTRIES).map_err(EngineError::system("setup of an eventfd ring"))?;
        Ok(Ringer {
            ring,
            one: Box::new(1),
            under_way: HashSet::new(),
        })
    }

    /// Adds one to each eventfd, known by a number of its own. One whose last write is still under
    /// way is readable already, and left alone.
    pub fn ring<'a>(
        &mut self,
        eventfds: impl Iterator<Item = (u64, BorrowedFd<'a>)>,
    ) -> Result<(), EngineError> {
        self.reap();
        let one = std::ptr::from_ref(&*self.one).cast();
        for (number, eventfd) in eventfds {
            if !self.under_way.insert(number) {
                continue;
            }
            let write = opcode::Write::new(types::Fd(eventfd.as_raw_fd()), one, 8);
            self.push(&write.build().user_data(number))?;
        }
        self.submit()
    }

    /// Gives up what is under way to an eventfd whose holder has left, so that its file can go.
    pub fn forget(&mut self, number: u64) -> Result<(), EngineError> {
        self.reap();
        if !self.under_way.contains(&number) {
            return Ok(());
        }
        self.push(&opcode::AsyncCancel::new(number).build().user_data(NOBODY))?;
        self.submit()?;
        self.reap();
        Ok(())
    }

    fn reap(&mut self) {
        for done in self.ring.completion() {
            self.under_way.remove(&done.user_data());
        }
    }

    fn push(&mut self, entry: &io_uring::squeue::Entry) -> Result<(), EngineError> {
        if self.ring.submission().is_full() {
            self.submit()?;
        }
        // SAFETY: what the entry points to is owned by `self`, see the module's safety section.
        let pushed = unsafe { self.ring.submission().push(entry) };
        pushed.map_err(|_| EngineError::System {
            action: "queueing an eventfd",
            cause: std::io::Error::other("the submission queue stays full"),
        })
    }

    fn submit(&mut self) -> Result<(), EngineError> {
        match self.ring.submit() {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(EngineError::system("ringing eventfds")(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{EventfdFlags, eventfd};
    use std::os::fd::AsFd;

    fn count(eventfd: impl AsFd) -> u64 {
        let mut word = [0; 8];
        rustix::io::read(eventfd, &mut word).unwrap();
        u64::from_ne_bytes(word)
    }

    #[test]
    fn every_eventfd_is_written() {
        let eventfds: Vec<_> = (0..100)
            .map(|_| eventfd(0, EventfdFlags::NONBLOCK).unwrap())
            .collect();
        let mut ringer = Ringer::open().unwrap();
        for _ in 0..2 {
            ringer
                .ring((0..).zip(eventfds.iter().map(AsFd::as_fd)))
                .unwrap();
        }
        assert!(eventfds.iter().all(|eventfd| count(eventfd) == 2));
    }

    #[test]
    fn a_full_eventfd_made_blocking_blocks_nobody() {
        let full = eventfd(0, EventfdFlags::empty()).unwrap();
        rustix::io::write(&full, &(u64::MAX - 1).to_ne_bytes()).unwrap();
        let other = eventfd(0, EventfdFlags::NONBLOCK).unwrap();
        let mut ringer = Ringer::open().unwrap();
        for _ in 0..3 {
            let both = [(1, full.as_fd()), (2, other.as_fd())];
            ringer.ring(both.into_iter()).unwrap();
        }
        assert_eq!(count(&other), 3);
        assert!(ringer.under_way.contains(&1));
        ringer.forget(1).unwrap();
        ringer.ring(std::iter::empty()).unwrap();
        assert!(ringer.under_way.is_empty());
        assert_eq!(count(&full), u64::MAX - 1);
    }
}
