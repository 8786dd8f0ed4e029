//! The service manager's descriptor store: what survives a restart of the broker.
//!
//! Owns the names under which rings, pools and lease pages are kept; never keeps anything unless it
//! was told to (`--fd-store`).

use crate::stream::{Bell, Owner, Reader, StreamMemory, Terms};
use sd_notify::NotifyState;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use streamem_wire::message::Mode;
use streamem_wire::{StreamName, SubscriptionId};
use tracing::warn;

/// A lease page a former broker left.
#[derive(Debug)]
pub struct KeptReader {
    /// Its number.
    pub id: SubscriptionId,
    /// Whose it is.
    pub owner: Owner,
    /// What it is entitled to.
    pub terms: Terms,
    /// The page.
    pub page: OwnedFd,
    /// The bell, if it had one.
    pub bell: Option<Bell>,
}

/// What a former broker left of a stream.
#[derive(Debug, Default)]
pub struct KeptStream {
    /// Its ring.
    pub ring: Option<OwnedFd>,
    /// Its pool.
    pub pool: Option<OwnedFd>,
    /// Its readers.
    pub readers: Vec<KeptReader>,
}

/// All a former broker left.
#[derive(Debug, Default)]
pub struct Kept {
    /// By stream.
    pub streams: BTreeMap<StreamName, KeptStream>,
}

impl Kept {
    /// Sorts what the service manager handed back; what has no known name is closed.
    #[must_use]
    pub fn sort(fds: Vec<(String, OwnedFd)>) -> Kept {
        let mut kept = Kept::default();
        let mut eventfds = BTreeMap::new();
        let mut bells = BTreeMap::new();
        for (name, fd) in fds {
            let parts: Vec<&str> = name.split('/').collect();
            let stream = parts.get(1).and_then(|stream| StreamName::new(stream).ok());
            match (parts.as_slice(), stream) {
                (["ring", _], Some(stream)) => {
                    kept.streams.entry(stream).or_default().ring = Some(fd)
                }
                (["pool", _], Some(stream)) => {
                    kept.streams.entry(stream).or_default().pool = Some(fd)
                }
                (["eventfd", _, id], Some(stream)) => {
                    drop(eventfds.insert((stream, (*id).to_owned()), fd));
                }
                (["bell", _, id], Some(stream)) => {
                    drop(bells.insert((stream, (*id).to_owned()), fd));
                }
                (["lease", _, details @ ..], Some(stream)) => match kept_reader(details, fd) {
                    Some(reader) => kept.streams.entry(stream).or_default().readers.push(reader),
                    None => {
                        warn!("the descriptor store has {name:?}, which this version cannot read")
                    }
                },
                _ => warn!("the descriptor store has {name:?}, which is not ours; closing it"),
            }
        }
        for (name, stream) in &mut kept.streams {
            for reader in &mut stream.readers {
                let key = (name.clone(), reader.id.to_string());
                let ends = (bells.remove(&key), eventfds.remove(&key));
                if let (Some(ours), Some(theirs)) = ends {
                    reader.bell = Some(Bell { ours, theirs });
                }
            }
        }
        kept
    }
}

fn kept_reader(details: &[&str], page: OwnedFd) -> Option<KeptReader> {
    let [id, pid, uid, mode, depth, leases] = details else {
        return None;
    };
    let mode = match *mode {
        "latest" => Mode::Latest,
        "every" => Mode::Every,
        _ => return None,
    };
    Some(KeptReader {
        id: SubscriptionId(id.parse().ok()?),
        owner: Owner {
            session: None,
            pid: pid.parse().ok()?,
            uid: uid.parse().ok()?,
        },
        terms: Terms {
            mode,
            depth: depth.parse().ok()?,
            leases: leases.parse().ok()?,
        },
        page,
        bell: None,
    })
}

fn reader_names(stream: &StreamName, reader: &Reader) -> [String; 3] {
    let Reader { owner, seat, .. } = reader;
    let (id, terms) = (seat.id, seat.terms);
    let mode = match terms.mode {
        Mode::Latest => "latest",
        Mode::Every => "every",
    };
    let (pid, uid, depth, leases) = (owner.pid, owner.uid, terms.depth, terms.leases);
    [
        format!("lease/{stream}/{id}/{pid}/{uid}/{mode}/{depth}/{leases}"),
        format!("eventfd/{stream}/{id}"),
        format!("bell/{stream}/{id}"),
    ]
}

/// The store, if it is used.
#[derive(Clone, Copy, Debug)]
pub struct Store {
    used: bool,
}

impl Store {
    /// A store that is used or not.
    #[must_use]
    pub fn new(used: bool) -> Store {
        Store { used }
    }

    /// Whether memory outlives this broker.
    #[must_use]
    pub fn is_used(self) -> bool {
        self.used
    }

    /// Keeps a stream's memory, in place of what was kept of it.
    pub fn keep_memory(self, stream: &StreamName, memory: &StreamMemory) {
        self.forget_memory(stream);
        self.keep(&format!("ring/{stream}"), memory.ring.owned());
        if let Some(pool) = memory.pool.made() {
            self.keep(&format!("pool/{stream}"), pool.owned());
        }
    }

    /// No longer keeps a stream's memory.
    pub fn forget_memory(self, stream: &StreamName) {
        self.forget(&format!("ring/{stream}"));
        self.forget(&format!("pool/{stream}"));
    }

    /// Keeps a reader's page and eventfd.
    pub fn keep_reader(self, stream: &StreamName, reader: &Reader) {
        let [page, eventfd, bell] = reader_names(stream, reader);
        self.keep(&page, reader.seat.page.owned());
        if let Some(Bell { ours, theirs }) = &reader.seat.bell {
            self.keep(&eventfd, theirs.as_fd());
            self.keep(&bell, ours.as_fd());
        }
    }

    /// No longer keeps a reader's page and eventfd.
    pub fn forget_reader(self, stream: &StreamName, reader: &Reader) {
        let [page, eventfd, bell] = reader_names(stream, reader);
        self.forget(&page);
        if reader.seat.bell.is_some() {
            self.forget(&eventfd);
            self.forget(&bell);
        }
    }

    fn keep(self, name: &str, fd: BorrowedFd<'_>) {
        if self.used {
            let state = [NotifyState::FdStore, NotifyState::FdName(name)];
            if let Err(error) = sd_notify::notify_with_fds(&state, &[fd]) {
                warn!("{name} is not kept over a restart: {error}");
            }
        }
    }

    fn forget(self, name: &str) {
        if self.used {
            let state = [NotifyState::FdStoreRemove, NotifyState::FdName(name)];
            if let Err(error) = sd_notify::notify(&state) {
                warn!("{name} is still kept over a restart: {error}");
            }
        }
    }
}
