//! Child processes: this program started again in another role, or a program of a peer.
//!
//! It owns how a descriptor reaches a child (same number, close-on-exec lifted for the moment of the spawn, so
//! call it from one thread only) and never leaves a child behind: dropping kills and reaps.
//!
//! # Safety
//!
//! Taking over an inherited descriptor by its number has no safe interface.
#![allow(unsafe_code)]

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::process::{Child, Command, ExitStatus};

/// A running child; killed when dropped.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Starts this program with `arguments`; `descriptors` keep their numbers in the child.
    pub fn again<A: AsRef<OsStr>>(
        arguments: &[A],
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<Self> {
        for fd in descriptors {
            fcntl_setfd(fd, FdFlags::empty())?;
        }
        let started = Self::start(Command::new("/proc/self/exe").args(arguments));
        for fd in descriptors {
            fcntl_setfd(fd, FdFlags::CLOEXEC)?;
        }
        started
    }

    /// Starts another program.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        command.spawn().map(Self)
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().ok().flatten()
    }

    /// Waits for the child to end; anything but success is an error.
    pub fn finish(mut self) -> io::Result<()> {
        let status = self.0.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("a child ended with {status}")))
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks the kernel to end this process when the one that started it is gone; for roles of this program.
pub fn end_with_parent() -> io::Result<()> {
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// SIGKILL; a process that is gone already is fine.
pub fn kill(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// The number under which a child finds a descriptor.
#[must_use]
pub fn number(fd: BorrowedFd<'_>) -> String {
    fd.as_raw_fd().to_string()
}

/// Takes over the descriptor that the parent announced as `number`.
pub fn inherited(number: &str) -> io::Result<OwnedFd> {
    let number: i32 = number.parse().map_err(io::Error::other)?;
    if number < 3 {
        return Err(io::Error::other(
            "a standard stream was announced as an inherited descriptor",
        ));
    }
    // SAFETY: the parent left this number open for us (see `again`), and each number is taken over once.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
    Ok(fd)
}
