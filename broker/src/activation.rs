//! What the service manager starts the broker with: its listening socket, and kept descriptors.
//!
//! Owns taking them over, once, at the start; never opens anything itself.
//!
//! # Safety
//!
//! The service manager passes descriptors as numbers from 3 on and leaves them to us alone; they are
//! taken once, before anything else in this process could have opened one.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// What was passed.
#[derive(Debug, Default)]
pub struct Passed {
    /// The socket to listen on.
    pub listener: Option<OwnedFd>,
    /// What a former broker had kept, by name.
    pub kept: Vec<(String, OwnedFd)>,
}

/// Takes over what was passed; nothing if this process was not started by a service manager.
pub fn take() -> io::Result<Passed> {
    let mut passed = Passed::default();
    let Ok(fds) = sd_notify::listen_fds_with_names() else {
        return Ok(passed);
    };
    for (number, name) in fds {
        // SAFETY: see the module's safety section.
        let fd = unsafe { OwnedFd::from_raw_fd(number) };
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
        let listens = rustix::net::sockopt::socket_acceptconn(&fd).unwrap_or(false);
        if listens {
            passed.listener = Some(fd);
        } else {
            passed.kept.push((name, fd));
        }
    }
    Ok(passed)
}
