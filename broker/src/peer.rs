//! Who is at the other end of a socket, as the kernel knows it.
//!
//! Owns asking; never believes what the peer says of itself.
//!
//! # Safety
//!
//! Socket options are asked for with a buffer whose length is passed along; the kernel writes at most
//! that many bytes and says how many it wrote.
#![allow(unsafe_code)]

use crate::access::Peer;
use rustix::process::Pid;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

const GROUPS_MAX: usize = 65_536;

/// The process at the other end.
pub fn of(socket: impl AsFd) -> io::Result<Peer> {
    let credentials = credentials(&socket)?;
    Ok(Peer {
        uid: credentials.uid,
        gid: credentials.gid,
        groups: groups(&socket)?,
        pid: credentials.pid.unsigned_abs(),
    })
}

/// The number of that process; none if it is in a namespace of processes that is not seen from here.
pub fn process(socket: impl AsFd) -> io::Result<Option<Pid>> {
    Ok(Pid::from_raw(credentials(socket)?.pid))
}

/// As the kernel has them: a process that is not seen from here is number 0, which `rustix` takes for
/// impossible.
fn credentials(socket: impl AsFd) -> io::Result<libc::ucred> {
    let mut credentials = libc::ucred {
        pid: 0,
        uid: u32::MAX,
        gid: u32::MAX,
    };
    let size = size_of::<libc::ucred>();
    let mut bytes = libc::socklen_t::try_from(size).map_err(io::Error::other)?;
    // SAFETY: the buffer has `bytes` bytes and outlives the call, see the module's safety section.
    let failed = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut bytes,
        )
    };
    if failed == 0 {
        Ok(credentials)
    } else {
        Err(io::Error::last_os_error())
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{getgid, getpid, getuid};
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_peer_is_who_the_kernel_says() {
        let (socket, _other) = UnixStream::pair().unwrap();
        let peer = of(&socket).unwrap();
        assert_eq!(
            (peer.pid, peer.uid, peer.gid),
            (std::process::id(), getuid().as_raw(), getgid().as_raw())
        );
        assert_eq!(process(&socket).unwrap(), Some(getpid()));
    }
}
