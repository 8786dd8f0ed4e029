//! Cameras that come and go, as seen in `/dev`.
//!
//! Owns the watch; never opens a device. It needs neither udev nor a network, so that it works in a
//! container and in a service that has no network of its own.

use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

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
        let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        // A node is made first and given to its group then.
        let of_interest = WatchFlags::CREATE | WatchFlags::ATTRIB | WatchFlags::MOVED_TO;
        add_watch(&inotify, FOLDER, of_interest)?;
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
    fn nothing_is_news_where_nothing_happens() {
        let mut plugged = Plugged::watch().unwrap();
        assert!(!plugged.has_news());
    }
}
