//! A connection to the device: bytes in through a ring of its own, and few bytes out.
//!
//! Owns the ring and the socket; never keeps a byte, and knows nothing of what they mean.
//!
//! # Safety
//!
//! The kernel writes to memory that is borrowed from the caller. `receive` returns only when the operation is over, or
//! was cancelled and that was confirmed; so the memory is borrowed as long as the kernel may write there.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};
use streamem_ring::io_uring::{IoUring, opcode, types};
use streamem_ring::{Needed, RingError, User};

const ENTRIES: u32 = 4;
const NEEDED: &[Needed] = &[
    (opcode::Recv::CODE, "RECV", "5.6"),
    (opcode::Send::CODE, "SEND", "5.6"),
    (opcode::AsyncCancel::CODE, "ASYNC_CANCEL", "5.5"),
];
/// What is asked between two looks at whether to go on.
const SLICE: Duration = Duration::from_millis(250);
/// And between two looks at how much has come of what was asked for.
const LOOK: Duration = Duration::from_secs(2);
const MSG_WAITALL: i32 = 0x100;
const MSG_NOSIGNAL: i32 = 0x4000;
const OPERATION: u64 = 1;
const CANCELLATION: u64 = 2;
const ETIME: i32 = 62;
const ECANCELED: i32 = 125;

/// Why nothing more comes.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The device has closed the connection.
    #[error(
        "the device closed the connection: so it does when its application ends, when another one has the camera, and \
         when it does not know what it is asked for; look at its application"
    )]
    Closed,
    /// Nothing came for too long.
    #[error(
        "nothing has come from the device for {0} s: it is asleep or out of reach, or serves another program on this \
         port; wake it, and end the other"
    )]
    Silent(u64),
    /// It comes, but so slowly that nothing becomes of it.
    #[error(
        "what comes from the device takes too long: is its network too weak for this stream? a lower bitrate helps"
    )]
    Slow,
    /// This end is to stop.
    #[error("it is not wanted any more")]
    Stopped,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
}

/// A ring, to be used for one connection after the other.
pub struct Ring(IoUring);

impl std::fmt::Debug for Ring {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Ring").finish_non_exhaustive()
    }
}

impl Ring {
    /// Opens one that can receive, send, and take that back.
    pub fn open() -> Result<Ring, RingError> {
        streamem_ring::open(ENTRIES, NEEDED, User::AnyThread).map(Ring)
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the ring owns this descriptor and is borrowed as long.
        unsafe { BorrowedFd::borrow_raw(self.0.as_raw_fd()) }
    }
}

/// What is looked at while nothing comes.
pub trait Patience {
    /// Nothing has come for so long; whether to go on waiting.
    fn goes_on(&mut self, silent: Duration) -> bool;
}

impl<F: FnMut(Duration) -> bool> Patience for F {
    fn goes_on(&mut self, silent: Duration) -> bool {
        self(silent)
    }
}

/// The kernel may still write to the caller's memory. If this is dropped, somebody panicked meanwhile and that memory is
/// about to be used for something else.
struct Unfinished;

impl Drop for Unfinished {
    fn drop(&mut self) {
        std::process::abort();
    }
}

/// A connection.
#[derive(Debug)]
pub struct Link<'r> {
    ring: &'r mut Ring,
    socket: OwnedFd,
    silent_max: Duration,
    until: Option<Instant>,
}

impl<'r> Link<'r> {
    /// Over a connected socket. It is given up when nothing comes for so long.
    pub fn over(ring: &'r mut Ring, socket: OwnedFd, silent_max: Duration) -> Link<'r> {
        Link {
            ring,
            socket,
            silent_max,
            until: None,
        }
    }

    /// From now on what is sent and received has so long altogether, however little silence there is; or as long as it
    /// takes.
    pub fn limit(&mut self, longest: Option<Duration>) {
        self.until = longest.map(|longest| Instant::now() + longest);
    }

    /// Sends all of it.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let length = u32::try_from(rest.len()).unwrap_or(u32::MAX);
            let socket = types::Fd(self.socket.as_fd().as_raw_fd());
            let send = opcode::Send::new(socket, rest.as_ptr(), length).flags(MSG_NOSIGNAL);
            let longest = self.silent_max;
            let sent = self.run(&send.build().user_data(OPERATION), longest, &mut || true)?;
            let sent = sent.ok_or(LinkError::Silent(longest.as_secs()))?;
            rest = rest.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    /// Receives until `into` is full.
    pub fn receive(
        &mut self,
        into: &mut [u8],
        patience: &mut dyn Patience,
    ) -> Result<(), LinkError> {
        let mut filled = 0;
        let mut heard = Instant::now();
        while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let length = u32::try_from(rest.len()).unwrap_or(u32::MAX);
            let socket = types::Fd(self.socket.as_fd().as_raw_fd());
            let receive = opcode::Recv::new(socket, rest.as_mut_ptr(), length).flags(MSG_WAITALL);
            let receive = receive.build().user_data(OPERATION);
            let mut goes_on = || patience.goes_on(heard.elapsed());
            match self.run(&receive, LOOK, &mut goes_on)? {
                Some(0) => return Err(LinkError::Closed),
                Some(received) => {
                    filled += received;
                    heard = Instant::now();
                }
                None if heard.elapsed() >= self.silent_max => {
                    return Err(LinkError::Silent(heard.elapsed().as_secs()));
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Runs one operation to its end, or for so long; what it had done by then counts.
    fn run(
        &mut self,
        operation: &streamem_ring::io_uring::squeue::Entry,
        longest: Duration,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<usize>, LinkError> {
        self.push(operation)?;
        let unfinished = Unfinished;
        let began = Instant::now();
        loop {
            self.wait(SLICE);
            if let Some(result) = self.completed(OPERATION) {
                std::mem::forget(unfinished);
                return number(result).map(Some);
            }
            let end = if self.until.is_some_and(|until| Instant::now() > until) {
                Err(LinkError::Slow)
            } else if !goes_on() {
                Err(LinkError::Stopped)
            } else if began.elapsed() >= longest {
                Ok(None)
            } else {
                continue;
            };
            let cancelled = self.cancel();
            std::mem::forget(unfinished);
            return match cancelled {
                Some(result) => number(result).map(Some),
                None => end,
            };
        }
    }

    /// Takes the operation back. Some of it may have been done.
    fn cancel(&mut self) -> Option<i32> {
        let cancel = opcode::AsyncCancel::new(OPERATION).build();
        if self.push(&cancel.user_data(CANCELLATION)).is_err() {
            std::process::abort();
        }
        loop {
            self.wait(SLICE);
            if let Some(result) = self.completed(OPERATION) {
                return (result != -ECANCELED).then_some(result);
            }
        }
    }

    fn push(
        &mut self,
        operation: &streamem_ring::io_uring::squeue::Entry,
    ) -> Result<(), LinkError> {
        // SAFETY: what it points to stays borrowed until it has completed, see the module's safety section.
        let pushed = unsafe { self.ring.0.submission().push(operation) };
        pushed.map_err(|_| LinkError::Broken(io::Error::other("the submission queue is full")))
    }

    /// Waits for something to complete. If the ring fails, nobody knows whether the kernel still writes to the caller's
    /// memory, and so nothing may go on.
    fn wait(&mut self, longest: Duration) {
        let time = types::Timespec::from(longest);
        let args = types::SubmitArgs::new().timespec(&time);
        match self.ring.0.submitter().submit_with_args(1, &args) {
            Ok(_) => {}
            Err(error) if error.raw_os_error() == Some(ETIME) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => std::process::abort(),
        }
    }

    /// How the operation went, if it is over. Whatever else was completed is forgotten.
    fn completed(&mut self, what: u64) -> Option<i32> {
        let completed = self.ring.0.completion();
        let mut results = completed.filter(|entry| entry.user_data() == what);
        results.next().map(|entry| entry.result())
    }
}

fn number(result: i32) -> Result<usize, LinkError> {
    usize::try_from(result).map_err(|_| {
        let error = io::Error::from_raw_os_error(result.wrapping_neg());
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => LinkError::Closed,
            _ => LinkError::Broken(error),
        }
    })
}
