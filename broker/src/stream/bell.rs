//! What a reader with an event loop of its own waits on: a descriptor that is readable after a frame.
//!
//! Owns both ends of a socket pair. The reader reads it like an eventfd, 8 bytes for each frame; an
//! eventfd itself would not do, because whoever holds one can fill it and clear its `O_NONBLOCK`, and
//! then a write to it blocks. Ringing never waits: when the reader's end is full it is readable anyway.

use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
use std::os::fd::OwnedFd;

/// A bell.
#[derive(Debug)]
pub struct Bell {
    /// The end the broker rings.
    pub ours: OwnedFd,
    /// The end the reader is given.
    pub theirs: OwnedFd,
}

impl Bell {
    /// A bell nobody has yet.
    pub fn new() -> Result<Bell, Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        Ok(Bell { ours, theirs })
    }

    /// Makes the reader's end readable.
    pub fn ring(&self) {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        // Full is readable already, and a reader that is gone needs no bell.
        let _full_or_gone = send(&self.ours, &1u64.to_ne_bytes(), flags);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_reads_like_an_eventfd() {
        let bell = Bell::new().unwrap();
        bell.ring();
        let mut word = [0; 8];
        assert_eq!(rustix::io::read(&bell.theirs, &mut word), Ok(8));
        assert_eq!(u64::from_ne_bytes(word), 1);
        assert_eq!(rustix::io::read(&bell.theirs, &mut word), Err(Errno::AGAIN));
    }

    #[test]
    fn a_bell_nobody_reads_is_rung_for_ever_without_waiting() {
        let bell = Bell::new().unwrap();
        rustix::io::ioctl_fionbio(&bell.theirs, false).unwrap();
        for _ in 0..10_000 {
            bell.ring();
        }
    }
}
