//! Signals as bytes in a pipe, so that the loop can wait for them like for anything else.
//!
//! Owns the pipe; never does anything in a signal handler but write a byte.

use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// End.
    End,
    /// Read the configuration again.
    Reload,
}

/// The pipes signals come through.
#[derive(Debug)]
pub struct Signals {
    end: UnixStream,
    reload: UnixStream,
    any: UnixStream,
}

impl Signals {
    /// From now on signals come through here.
    pub fn catch() -> io::Result<Signals> {
        let (any, any_in) = UnixStream::pair()?;
        let (end, end_in) = UnixStream::pair()?;
        let (reload, reload_in) = UnixStream::pair()?;
        for pipe in [&any, &end, &reload] {
            pipe.set_nonblocking(true)?;
        }
        for signal in [SIGTERM, SIGINT] {
            signal_hook::low_level::pipe::register(signal, end_in.try_clone()?)?;
        }
        signal_hook::low_level::pipe::register(SIGHUP, reload_in)?;
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            signal_hook::low_level::pipe::register(signal, any_in.try_clone()?)?;
        }
        Ok(Signals { end, reload, any })
    }

    /// Readable when a signal came.
    #[must_use]
    pub fn pipe(&self) -> BorrowedFd<'_> {
        self.any.as_fd()
    }

    /// The signals that came.
    #[must_use]
    pub fn take(&self) -> Vec<Signal> {
        let came = |pipe: &UnixStream| {
            let mut buffer = [0; 64];
            let mut any = false;
            while matches!(
                rustix::io::read(pipe, &mut buffer),
                Ok(1..) | Err(Errno::INTR)
            ) {
                any = true;
            }
            any
        };
        came(&self.any);
        let mut signals = Vec::new();
        if came(&self.reload) {
            signals.push(Signal::Reload);
        }
        if came(&self.end) {
            signals.push(Signal::End);
        }
        signals
    }
}
