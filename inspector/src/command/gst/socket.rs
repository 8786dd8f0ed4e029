//! The socket readers connect to.
//!
//! Owns its name in the file system, from the beginning to the end; never takes a name somebody else
//! answers at.

use crate::failure::Failure;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// A listening socket; its name goes when it does.
#[derive(Debug)]
pub struct Socket {
    pub listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

impl Socket {
    /// Listens at this path. One that is left over from a program that was killed is removed.
    pub fn listen(path: &Path) -> Result<Socket, Failure> {
        let listener = match UnixListener::bind(path) {
            Err(taken) if taken.kind() == ErrorKind::AddrInUse && is_left_over(path) => {
                fs::remove_file(path).and_then(|()| UnixListener::bind(path))
            }
            bound => bound,
        };
        let listener = listener.map_err(|cause| refused(path, &cause))?;
        let ready = listener.set_nonblocking(true);
        let found = ready.and_then(|()| fs::symlink_metadata(path));
        let inode = found.map_err(|cause| refused(path, &cause))?.ino();
        let path = path.to_owned();
        Ok(Socket {
            listener,
            path,
            inode,
        })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn is_left_over(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    let answer = UnixStream::connect(path);
    is_socket && answer.is_err_and(|cause| cause.kind() == ErrorKind::ConnectionRefused)
}

fn refused(path: &Path, cause: &io::Error) -> Failure {
    let remedy = match cause.kind() {
        ErrorKind::AddrInUse => "something else is there; choose another place with --listen",
        ErrorKind::InvalidInput => "give a path shorter than 108 bytes with --listen",
        _ => "choose another place with --listen",
    };
    Failure::Wrong(format!(
        "cannot listen at {}: {cause}; {remedy}",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Place {
            let name = format!("streamem-gst-{name}-{}", std::process::id());
            Place(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    #[test]
    fn a_name_that_is_answered_at_is_left_alone() {
        let place = Place::new("taken");
        let first = Socket::listen(&place.0).unwrap();
        let failure = Socket::listen(&place.0).unwrap_err().to_string();
        assert!(failure.contains("--listen"), "{failure}");
        drop(first);
        assert!(!place.0.exists());
    }

    #[test]
    fn a_name_that_is_left_over_is_taken() {
        let place = Place::new("left-over");
        drop(UnixListener::bind(&place.0).unwrap());
        assert!(place.0.exists());
        drop(Socket::listen(&place.0).unwrap());
    }

    #[test]
    fn a_file_is_not_removed() {
        let place = Place::new("file");
        fs::write(&place.0, "precious").unwrap();
        assert!(Socket::listen(&place.0).is_err());
        assert_eq!(fs::read(&place.0).unwrap(), b"precious");
    }
}
