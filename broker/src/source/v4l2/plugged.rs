//! Cameras that come and go, as seen in `/dev`.
//!
//! Owns the watch; never opens a device. It needs neither udev nor a network, so that it works in a
//! container and in a service that has no network of its own.

use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

const FOLDER: &str = "/dev";
const PREFIX: &[u8] = b"video";

/// The watch.
#[derive(Debug)]
pub struct Plugged {
    inotify: OwnedFd,
}

impl Plugged {
    /// Watches from now on.
    pub fn watch() -> rustix::io::Result<Plugged> {
        Plugged::watch_in(FOLDER.as_ref())
    }

    fn watch_in(folder: &Path) -> rustix::io::Result<Plugged> {
        let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        // A node is made first and given to its group then.
        let of_interest = WatchFlags::CREATE | WatchFlags::ATTRIB | WatchFlags::MOVED_TO;
        add_watch(&inotify, folder, of_interest)?;
        Ok(Plugged { inotify })
    }

    /// Whether a camera may have come since this was asked last.
    pub fn has_news(&mut self) -> bool {
        let mut space = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(&self.inotify, &mut space);
        let mut has_news = false;
        // It ends with an error when there are no more.
        while let Ok(event) = events.next() {
            let name = event.file_name().map_or(&[][..], |name| name.to_bytes());
            has_news |=
                name.starts_with(PREFIX) || event.events().contains(ReadFlags::QUEUE_OVERFLOW);
        }
        has_news
    }
}

impl AsFd for Plugged {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_video_nodes_are_news_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut plugged = Plugged::watch_in(folder.path()).unwrap();
        std::fs::write(folder.path().join("ttyS0"), "").unwrap();
        assert!(!plugged.has_news());
        std::fs::write(folder.path().join("video3"), "").unwrap();
        assert!(plugged.has_news());
        assert!(!plugged.has_news());
    }
}
