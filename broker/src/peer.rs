//! Who is at the other end of a socket, as the kernel knows it.
//!
//! Owns asking; never believes what the peer says of itself.
//!
//! # Safety
//!
//! `SO_PEERGROUPS` is asked for with a buffer whose length is passed along; the kernel writes at most
//! that many bytes and says how many it wrote.
#![allow(unsafe_code)]

use crate::access::Peer;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

const GROUPS_MAX: usize = 65_536;

/// The process at the other end.
pub fn of(socket: impl AsFd) -> io::Result<Peer> {
    let credentials = rustix::net::sockopt::socket_peercred(&socket)?;
    let groups = groups(&socket)?;
    Ok(Peer {
        uid: credentials.uid.as_raw(),
        gid: credentials.gid.as_raw(),
        groups,
        pid: credentials.pid.as_raw_nonzero().get().unsigned_abs(),
    })
}

fn groups(socket: impl AsFd) -> io::Result<Vec<u32>> {
    let mut groups: Vec<u32> = vec![0; 64];
    loop {
        let mut bytes = libc::socklen_t::try_from(groups.len() * 4).map_err(io::Error::other)?;
        // SAFETY: the buffer has `bytes` bytes and outlives the call, see the module's safety section.
        let failed = unsafe {
            libc::getsockopt(
                socket.as_fd().as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut bytes,
            )
        };
        let error = io::Error::last_os_error();
        let count = usize::try_from(bytes).unwrap_or(0) / 4;
        if failed == 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        if error.raw_os_error() != Some(libc::ERANGE) || count > GROUPS_MAX {
            return Err(error);
        }
        groups.resize(count, 0);
    }
}

/// What a process is called.
#[must_use]
pub fn command(pid: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}
