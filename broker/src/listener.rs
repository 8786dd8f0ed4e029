//! The socket clients connect to: taken over from the service manager, or bound here.
//!
//! Owns the place in the file system; never removes a file that is not its own or a dead broker's
//! socket.

use crate::peer;
use rustix::fs::{FileType, Mode, chmod, lstat, stat};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, getsockname, listen,
    socket_with,
};
use rustix::process::test_kill_process;
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const BACKLOG: i32 = 512;
/// How often, and how long after each other, a socket in the way is looked at: the kernel takes a
/// moment to end a process.
const DYING_LOOKS: u32 = 10;
const DYING_LOOK: Duration = Duration::from_millis(100);
/// Where a system service listens.
pub const SYSTEM_PLACE: &str = "/run/streamem/streamem.sock";

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody is there already.
    #[error(
        "{0} is in use: another broker is running there. Stop it, or choose another place with --socket"
    )]
    InUse(PathBuf),
    /// A file is in the way.
    #[error(
        "{0} is in the way and is not a socket: move it away, or choose another place with --socket"
    )]
    NotASocket(PathBuf),
    /// The directory belongs to somebody else.
    #[error(
        "{0} belongs to another user; remove it, or set XDG_RUNTIME_DIR, or choose a place with --socket"
    )]
    ForeignDirectory(PathBuf),
    /// A system call failed.
    #[error("{place}: {action} failed: {cause}{}", remedy(*.cause))]
    System {
        /// Where.
        place: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the kernel said.
        cause: Errno,
    },
}

fn remedy(cause: Errno) -> &'static str {
    match cause {
        Errno::ACCESS | Errno::PERM | Errno::ROFS => {
            ". Run as a user who may write there, or choose another place with --socket"
        }
        Errno::NOENT => ". Make its directory first, or choose another place with --socket",
        Errno::NAMETOOLONG => {
            ". The path of a socket may have at most 107 bytes: choose a shorter one with --socket"
        }
        Errno::MFILE => ". Raise LimitNOFILE= of the service, or `ulimit -n`",
        _ => ". See what is there, or choose another place with --socket",
    }
}

/// A place in the file system, and the file bound there.
#[derive(Debug)]
struct Bound {
    place: PathBuf,
    file: FileId,
}

/// What tells files of one machine from each other: device and inode.
type FileId = (u64, u64);

fn file_at(place: &Path) -> rustix::io::Result<FileId> {
    lstat(place).map(|stat| (stat.st_dev, stat.st_ino))
}

/// A listening socket.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    bound: Option<Bound>,
}

/// Where to listen when nobody said.
#[must_use]
pub fn default_place() -> PathBuf {
    let uid = rustix::process::getuid().as_raw();
    if let Some(place) = std::env::var_os("STREAMEM_SOCKET").filter(|place| !place.is_empty()) {
        return place.into();
    }
    if uid == 0 {
        return SYSTEM_PLACE.into();
    }
    match std::env::var_os("XDG_RUNTIME_DIR").filter(|place| !place.is_empty()) {
        Some(directory) => PathBuf::from(directory).join("streamem.sock"),
        None => PathBuf::from(format!("/tmp/streamem-{uid}/streamem.sock")),
    }
}

impl Listener {
    /// Goes on with the service manager's socket.
    #[must_use]
    pub fn passed(socket: OwnedFd) -> Listener {
        Listener {
            socket,
            bound: None,
        }
    }

    /// Where it is; empty if it has no name in the file system.
    #[must_use]
    pub fn place(&self) -> PathBuf {
        let address = getsockname(&self.socket).ok();
        let address = address.and_then(|address| SocketAddrUnix::try_from(address).ok());
        let path = address.and_then(|address| address.path().map(|path| path.into_owned()));
        path.map(|path| OsString::from_vec(path.into_bytes()).into())
            .unwrap_or_default()
    }

    /// Binds a socket. Everybody may connect to root's, where the access rules decide who may what;
    /// to another user's only that user.
    pub fn bind(place: &Path) -> Result<Listener, ListenError> {
        let failed = |action| {
            move |cause| ListenError::System {
                place: place.to_owned(),
                action,
                cause,
            }
        };
        prepare_directory(place)?;
        let address = SocketAddrUnix::new(place).map_err(failed("naming the socket"))?;
        let make = || {
            socket_with(
                AddressFamily::UNIX,
                SocketType::STREAM,
                SocketFlags::CLOEXEC,
                None,
            )
            .map_err(failed("making the socket"))
        };
        let socket = make()?;
        match bind(&socket, &address) {
            Err(Errno::ADDRINUSE) => {
                remove_dead_socket(place, &address, make)?;
                bind(&socket, &address).map_err(failed("binding the socket"))?;
            }
            other => other.map_err(failed("binding the socket"))?,
        }
        let mode = if rustix::process::getuid().is_root() {
            0o666
        } else {
            0o600
        };
        let file = file_at(place).map_err(failed("stat"))?;
        chmod(place, Mode::from_raw_mode(mode)).map_err(failed("chmod"))?;
        listen(&socket, BACKLOG).map_err(failed("listening"))?;
        Ok(Listener {
            socket,
            bound: Some(Bound {
                place: place.to_owned(),
                file,
            }),
        })
    }
}

fn prepare_directory(place: &Path) -> Result<(), ListenError> {
    let Some(directory) = place
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    else {
        return Ok(());
    };
    let uid = rustix::process::getuid();
    let private = Path::new("/tmp").join(format!("streamem-{}", uid.as_raw()));
    let ours = directory == private || place == Path::new(SYSTEM_PLACE);
    if ours {
        let mode = if directory == private { 0o700 } else { 0o755 };
        match rustix::fs::mkdir(directory, Mode::from_raw_mode(mode)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(cause) => {
                return Err(ListenError::System {
                    place: directory.to_owned(),
                    action: "mkdir",
                    cause,
                });
            }
        }
        let owner = lstat(directory).map(|stat| stat.st_uid);
        if directory == private && owner != Ok(uid.as_raw()) {
            return Err(ListenError::ForeignDirectory(directory.to_owned()));
        }
    }
    Ok(())
}

/// A broker that was killed leaves its socket behind, and for a moment the kernel still takes
/// connections to it.
fn remove_dead_socket(
    place: &Path,
    address: &SocketAddrUnix,
    make: impl Fn() -> Result<OwnedFd, ListenError>,
) -> Result<(), ListenError> {
    let failed = |action| {
        move |cause| ListenError::System {
            place: place.to_owned(),
            action,
            cause,
        }
    };
    let found = stat(place).map_err(failed("stat"))?;
    if FileType::from_raw_mode(found.st_mode) != FileType::Socket {
        return Err(ListenError::NotASocket(place.to_owned()));
    }
    for _ in 0..DYING_LOOKS {
        let probe = make()?;
        let is_dead = match connect(&probe, address) {
            Err(Errno::CONNREFUSED) => true,
            Ok(()) => is_gone(&probe),
            Err(_) => false,
        };
        if is_dead {
            return rustix::fs::unlink(place).map_err(failed("removing a dead socket"));
        }
        std::thread::sleep(DYING_LOOK);
    }
    Err(ListenError::InUse(place.to_owned()))
}

/// Whether the process that listens there has ended.
fn is_gone(probe: &OwnedFd) -> bool {
    let listener = peer::process(probe).ok().flatten();
    listener.is_some_and(|pid| test_kill_process(pid) == Err(Errno::SRCH))
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(Bound { place, file }) = &self.bound
            && file_at(place) == Ok(*file)
        {
            let _gone_already = rustix::fs::unlink(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_removed_by_who_bound_it_and_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("socket");
        let first = Listener::bind(&place).unwrap();
        std::fs::remove_file(&place).unwrap();
        let second = Listener::bind(&place).unwrap();
        drop(first);
        assert!(place.exists(), "another broker's socket was removed");
        drop(second);
        assert!(!place.exists(), "the socket was left behind");
    }
}
