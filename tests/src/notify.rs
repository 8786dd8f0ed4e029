//! A stand-in for the service manager: its notify socket and its store of descriptors.
//!
//! Owns what a service sent; never starts the service.

use rustix::net::RecvFlags;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use streamem_sys::socket;
use tempfile::TempDir;

/// The manager's side of `NOTIFY_SOCKET`.
#[derive(Debug)]
pub struct NotifySocket {
    folder: TempDir,
    state: Arc<Mutex<State>>,
    unheard: Mutex<Option<UnixDatagram>>,
}

#[derive(Debug, Default)]
struct State {
    notices: BTreeMap<String, u64>,
    store: Vec<(String, OwnedFd)>,
}

impl NotifySocket {
    /// Listens, in a folder of its own.
    ///
    /// # Panics
    ///
    /// When the socket cannot be made.
    #[must_use]
    pub fn open() -> Arc<NotifySocket> {
        let manager = NotifySocket::deaf();
        manager.listen();
        manager
    }

    /// The same, but until [`NotifySocket::listen`] it reads nothing.
    ///
    /// # Panics
    ///
    /// When the socket cannot be made.
    #[must_use]
    pub fn deaf() -> Arc<NotifySocket> {
        let folder = TempDir::with_prefix("streamem-notify-").expect("a temporary folder");
        let socket = UnixDatagram::bind(folder.path().join("notify")).expect("a socket in it");
        Arc::new(NotifySocket {
            folder,
            state: Arc::default(),
            unheard: Mutex::new(Some(socket)),
        })
    }

    /// Fills the socket, so that a write to it waits until [`NotifySocket::listen`].
    ///
    /// # Panics
    ///
    /// When this process has no descriptors left.
    pub fn fill(&self) {
        let crowd = UnixDatagram::unbound().expect("a socket");
        crowd.set_nonblocking(true).expect("a flag");
        while crowd.send_to(b"CROWD=1", self.path()).is_ok() {}
    }

    /// Reads from now on.
    pub fn listen(&self) {
        let mut unheard = self.unheard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(socket) = unheard.take() {
            let shared = Arc::clone(&self.state);
            std::thread::spawn(move || listen(&socket, &shared));
        }
    }

    /// Where services are to write to.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        Path::new(self.folder.path()).join("notify")
    }

    /// How often this line was sent, such as `READY=1`.
    #[must_use]
    pub fn count(&self, notice: &str) -> u64 {
        let state = self.state();
        state.notices.get(notice).copied().unwrap_or(0)
    }

    /// Everything that was sent, for messages.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        self.state().notices.keys().cloned().collect()
    }

    /// What is in the store, under the names given.
    ///
    /// # Panics
    ///
    /// When this process has no descriptors left.
    #[must_use]
    pub fn stored(&self) -> Vec<(String, OwnedFd)> {
        let state = self.state();
        let copy = |fd: BorrowedFd<'_>| fd.try_clone_to_owned().expect("a descriptor is free");
        let entries = state.store.iter();
        entries
            .map(|(name, fd)| (name.clone(), copy(fd.as_fd())))
            .collect()
    }

    /// Loses what is stored under names that begin so, as a store does that was full.
    pub fn lose(&self, prefix: &str) {
        let mut state = self.state();
        state.store.retain(|(name, _)| !name.starts_with(prefix));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for NotifySocket {
    fn drop(&mut self) {
        if let Ok(knock) = UnixDatagram::unbound()
            && knock.set_nonblocking(true).is_ok()
        {
            let _ = knock.send_to(b"END=1", self.path());
        }
    }
}

fn listen(socket: &UnixDatagram, state: &Mutex<State>) {
    let mut buffer = [0; 8192];
    while let Ok(received) = socket::receive(socket, &mut buffer, RecvFlags::empty()) {
        let text = String::from_utf8_lossy(&buffer[..received.bytes]).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        if lines.contains(&"END=1") {
            return;
        }
        let name = lines.iter().find_map(|line| line.strip_prefix("FDNAME="));
        let name = name.unwrap_or("stored").to_owned();
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.contains(&"FDSTOREREMOVE=1") {
            state.store.retain(|(stored, _)| *stored != name);
        }
        if lines.contains(&"FDSTORE=1") {
            let entries = received.fds.into_iter().map(|fd| (name.clone(), fd));
            state.store.extend(entries);
        }
        for line in lines {
            *state.notices.entry(line.to_owned()).or_default() += 1;
        }
    }
}
