//! Hands descriptors to the consumers of a run over a Unix socket, as any broker must.
//!
//! It owns the one message there is (some descriptors, no data worth reading) and never what they mean.

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

const DESCRIPTORS_MAX: usize = 4;

/// The producer's end; consumers may connect as soon as it exists.
#[derive(Debug)]
pub struct Handover(UnixListener);

impl Handover {
    /// Listens in the folder of the run.
    pub fn open(folder: &Path) -> io::Result<Self> {
        UnixListener::bind(socket_in(folder)).map(Self)
    }

    /// Gives the next consumer its descriptors.
    pub fn give(&self, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let (stream, _) = self.0.accept()?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(io::Error::other("too many descriptors for one message"));
        }
        sendmsg(
            &stream,
            &[IoSlice::new(b"!")],
            &mut control,
            SendFlags::NOSIGNAL,
        )?;
        Ok(())
    }
}

/// The consumer's end: receives `count` descriptors.
pub fn take(folder: &Path, count: usize) -> io::Result<Vec<OwnedFd>> {
    let stream = UnixStream::connect(socket_in(folder))?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(
        &stream,
        &mut [IoSliceMut::new(&mut byte)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    if descriptors.len() != count {
        return Err(io::Error::other(format!(
            "{} descriptors came instead of {count}",
            descriptors.len()
        )));
    }
    Ok(descriptors)
}

fn socket_in(folder: &Path) -> PathBuf {
    folder.join("handover.sock")
}
