//! What the broker tells its service manager: that it is ready, that it lives, what to keep for it.
//!
//! Owns the socket and what it would not take yet; never waits for the manager.

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use sd_notify::NotifyState;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use streamem_sys::socket;
use tracing::warn;

/// A manager that took nothing for this long is not told what waits.
const PATIENCE_NS: u64 = 10_000_000_000;

/// The service manager, if there is one.
#[derive(Clone, Debug)]
pub struct Manager {
    line: Option<Rc<Line>>,
}

#[derive(Debug)]
struct Line {
    socket: OwnedFd,
    address: SocketAddrUnix,
    queue: RefCell<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Message>,
    /// Why the first of them waits, and the flush that found it waiting first.
    cause: Option<Errno>,
    stuck_ns: Option<u64>,
    complained: bool,
}

#[derive(Debug)]
struct Message {
    text: String,
    kept: Option<(String, OwnedFd)>,
}

impl Manager {
    /// The one that started this process, as `NOTIFY_SOCKET` says.
    #[must_use]
    pub fn of_environment() -> Manager {
        let Some(place) = std::env::var_os("NOTIFY_SOCKET").filter(|place| !place.is_empty())
        else {
            return Manager { line: None };
        };
        let address = match place.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddrUnix::new_abstract_name(name),
            None => SocketAddrUnix::new(&*place),
        };
        let manager = address.and_then(Manager::at);
        manager.unwrap_or_else(|error| {
            warn!(
                "NOTIFY_SOCKET={place:?} cannot be used: {error}; the service manager is told nothing"
            );
            Manager { line: None }
        })
    }

    fn at(address: SocketAddrUnix) -> Result<Manager, Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
        Ok(Manager {
            line: Some(Rc::new(Line {
                socket,
                address,
                queue: RefCell::default(),
            })),
        })
    }

    /// Tells what it must know, now or later.
    pub fn tell(&self, states: &[NotifyState<'_>]) {
        if let Some(line) = &self.line {
            line.send(text(states), None);
        }
    }

    /// Tells what is only worth telling now.
    pub fn tell_now(&self, states: &[NotifyState<'_>]) {
        if let Some(line) = &self.line {
            let _told_next_time = line.try_send(&text(states), &[]);
        }
    }

    /// Has it keep a descriptor.
    pub fn keep(&self, name: &str, fd: BorrowedFd<'_>) {
        if let Some(line) = &self.line {
            line.send(format!("FDSTORE=1\nFDNAME={name}\n"), Some((name, fd)));
        }
    }

    /// Has it keep no descriptor of that name any more.
    pub fn forget(&self, name: &str) {
        let Some(line) = &self.line else { return };
        let named = |message: &Message| message.kept.as_ref().is_some_and(|(kept, _)| kept == name);
        let before = line.queue.borrow().waiting.len();
        line.queue.borrow_mut().waiting.retain(|m| !named(m));
        // What it was to keep it has not got, and a name is only kept anew after it was forgotten.
        if line.queue.borrow().waiting.len() == before {
            line.send(format!("FDSTOREREMOVE=1\nFDNAME={name}\n"), None);
        }
    }

    /// Whether it still has to be told something.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        let line = self.line.as_ref();
        line.is_some_and(|line| !line.queue.borrow().waiting.is_empty())
    }

    /// The socket, if something waits until it can be written.
    #[must_use]
    pub fn full(&self) -> Option<BorrowedFd<'_>> {
        let line = self.line.as_ref()?;
        let is_full = line.queue.borrow().cause == Some(Errno::AGAIN);
        (is_full && self.is_owed()).then(|| line.socket.as_fd())
    }

    /// Tells what waits, as far as it is taken; gives up what was not for too long.
    pub fn flush(&self, now_ns: u64) {
        let Some(line) = &self.line else { return };
        line.flush();
        let queue = &mut *line.queue.borrow_mut();
        let Some(cause) = queue.cause.filter(|_| !queue.waiting.is_empty()) else {
            queue.stuck_ns = None;
            return;
        };
        let since_ns = *queue.stuck_ns.get_or_insert(now_ns);
        if now_ns - since_ns <= PATIENCE_NS {
            return;
        }
        if !std::mem::replace(&mut queue.complained, true) {
            warn!(
                "the service manager takes no messages ({cause}): {} are given up, and memory that is new \
                 now is not kept over a restart; look at what it does, then restart this service",
                queue.waiting.len()
            );
        }
        queue.waiting.clear();
        queue.stuck_ns = None;
    }
}

fn text(states: &[NotifyState<'_>]) -> String {
    states.iter().fold(String::new(), |mut text, state| {
        // Writing to a text does not fail.
        let _written = writeln!(text, "{state}");
        text
    })
}

impl Line {
    fn try_send(&self, text: &str, fds: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        // Each time anew: the manager may have been started anew.
        connect(&self.socket, &self.address)?;
        socket::send(&self.socket, text.as_bytes(), fds).map(drop)
    }

    /// Sends after all that waits.
    fn send(&self, text: String, kept: Option<(&str, BorrowedFd<'_>)>) {
        let queue = &mut *self.queue.borrow_mut();
        if queue.waiting.is_empty() {
            let fds: Vec<BorrowedFd<'_>> = kept.iter().map(|(_, fd)| *fd).collect();
            match self.try_send(&text, &fds) {
                Ok(()) => return queue.complained = false,
                Err(cause) if passes(cause) => queue.cause = Some(cause),
                Err(cause) => return warn!("the service manager was not told {text:?}: {cause}"),
            }
        }
        let own = kept.map(|(name, fd)| Ok((name.to_owned(), fd.try_clone_to_owned()?)));
        match own.transpose() {
            Ok(kept) => queue.waiting.push_back(Message { text, kept }),
            Err::<_, std::io::Error>(cause) => {
                warn!("the service manager was not told {text:?}: {cause}");
            }
        }
    }

    fn flush(&self) {
        let queue = &mut *self.queue.borrow_mut();
        while let Some(message) = queue.waiting.front() {
            let fds: Vec<BorrowedFd<'_>> = message.kept.iter().map(|(_, fd)| fd.as_fd()).collect();
            match self.try_send(&message.text, &fds) {
                Ok(()) => {
                    (queue.complained, queue.stuck_ns) = (false, None);
                }
                Err(cause) if passes(cause) => return queue.cause = Some(cause),
                Err(cause) => {
                    warn!(
                        "the service manager was not told {:?}: {cause}",
                        message.text
                    );
                }
            }
            queue.waiting.pop_front();
        }
        queue.cause = None;
    }
}

/// Whether it may go better later: the manager is busy or is being started anew, or too many
/// descriptors are on their way.
fn passes(cause: Errno) -> bool {
    matches!(
        cause,
        Errno::AGAIN
            | Errno::INTR
            | Errno::NOBUFS
            | Errno::TOOMANYREFS
            | Errno::CONNREFUSED
            | Errno::NOENT
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;
    use tempfile::TempDir;

    const SECOND_NS: u64 = 1_000_000_000;

    /// A manager whose socket is full, and the socket.
    fn busy() -> (TempDir, UnixDatagram, Manager) {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("notify");
        let socket = UnixDatagram::bind(&place).unwrap();
        socket.set_nonblocking(true).unwrap();
        let crowd = UnixDatagram::unbound().unwrap();
        crowd.set_nonblocking(true).unwrap();
        while crowd.send_to(b"CROWD=1", &place).is_ok() {}
        let manager = Manager::at(SocketAddrUnix::new(&place).unwrap()).unwrap();
        (folder, socket, manager)
    }

    /// What the manager reads, telling the broker each time that there is room again.
    fn read_all(socket: &UnixDatagram, manager: &Manager) -> Vec<String> {
        let mut texts = Vec::new();
        let mut buffer = [0; 1000];
        while let Ok(bytes) = socket.recv(&mut buffer) {
            texts.push(String::from_utf8(buffer[..bytes].to_vec()).unwrap());
            manager.flush(0);
        }
        texts.retain(|text| text != "CROWD=1");
        texts
    }

    #[test]
    fn a_busy_manager_is_told_everything_later_in_order() {
        let (_folder, socket, manager) = busy();
        let file = tempfile::tempfile().unwrap();
        manager.tell(&[NotifyState::Ready]);
        manager.tell_now(&[NotifyState::Watchdog]);
        manager.keep("a", file.as_fd());
        manager.keep("b", file.as_fd());
        manager.forget("a");
        manager.forget("c");
        assert!(manager.is_owed() && manager.full().is_some());
        assert_eq!(
            read_all(&socket, &manager),
            [
                "READY=1\n",
                "FDSTORE=1\nFDNAME=b\n",
                "FDSTOREREMOVE=1\nFDNAME=c\n"
            ]
        );
        assert!(!manager.is_owed() && manager.full().is_none());
    }

    #[test]
    fn a_manager_that_never_reads_is_given_up_after_a_while() {
        let (_folder, _socket, manager) = busy();
        manager.tell(&[NotifyState::Ready]);
        manager.flush(SECOND_NS);
        manager.flush(SECOND_NS + PATIENCE_NS);
        assert!(manager.is_owed());
        manager.flush(2 * SECOND_NS + PATIENCE_NS);
        assert!(!manager.is_owed());
    }
}
