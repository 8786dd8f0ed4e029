//! The service manager's descriptor store: what survives a restart of the broker.
//!
//! Owns the names under which rings, pools and lease pages are kept; never keeps anything unless it
//! was told to (`--fd-store`).

use crate::manager::Manager;
use crate::stream::{Bell, Owner, Reader, StreamMemory, Terms};
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
#[derive(Debug)]
pub struct Kept {
    /// By stream.
    pub streams: BTreeMap<StreamName, KeptStream>,
    /// The highest number a subscription had.
    pub newest: SubscriptionId,
    /// The names of what is ours and of no use.
    pub useless: Vec<String>,
}

impl Kept {
    /// Sorts what the service manager handed back; what has no known name is closed.
    #[must_use]
    pub fn sort(fds: Vec<(String, OwnedFd)>) -> Kept {
        let mut kept = Kept {
            streams: BTreeMap::new(),
            newest: SubscriptionId(0),
            useless: Vec::new(),
        };
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
                (["lease", _, id, ..], Some(stream)) => {
                    kept.newest = kept.newest.max(SubscriptionId(id.parse().unwrap_or(0)));
                    if let Some(reader) = kept_reader(&parts[2..], fd) {
                        kept.streams.entry(stream).or_default().readers.push(reader);
                    } else {
                        warn!("the descriptor store has {name:?}, which this version cannot read");
                        kept.useless.push(name);
                    }
                }
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
        let orphaned = |kind: &'static str| move |(stream, id)| format!("{kind}/{stream}/{id}");
        kept.useless.extend(bells.into_keys().map(orphaned("bell")));
        kept.useless
            .extend(eventfds.into_keys().map(orphaned("eventfd")));
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

/// What a reader is kept under.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    id: SubscriptionId,
    owner: Owner,
    terms: Terms,
    has_bell: bool,
}

impl From<&Reader> for Label {
    fn from(reader: &Reader) -> Label {
        Label {
            id: reader.seat.id,
            owner: reader.owner,
            terms: reader.seat.terms,
            has_bell: reader.seat.bell.is_some(),
        }
    }
}

impl From<&KeptReader> for Label {
    fn from(kept: &KeptReader) -> Label {
        Label {
            id: kept.id,
            owner: kept.owner,
            terms: kept.terms,
            has_bell: kept.bell.is_some(),
        }
    }
}

impl Label {
    fn page(&self, stream: &StreamName) -> String {
        let Label { id, terms, .. } = self;
        let mode = match terms.mode {
            Mode::Latest => "latest",
            Mode::Every => "every",
        };
        let Owner { pid, uid, .. } = self.owner;
        let (depth, leases) = (terms.depth, terms.leases);
        format!("lease/{stream}/{id}/{pid}/{uid}/{mode}/{depth}/{leases}")
    }

    fn eventfd(&self, stream: &StreamName) -> String {
        format!("eventfd/{stream}/{}", self.id)
    }

    fn bell(&self, stream: &StreamName) -> String {
        format!("bell/{stream}/{}", self.id)
    }
}

/// The store, if it is used.
#[derive(Clone, Debug)]
pub struct Store {
    manager: Manager,
    used: bool,
}

impl Store {
    /// The manager's store, used or not.
    #[must_use]
    pub fn new(manager: Manager, used: bool) -> Store {
        Store { manager, used }
    }

    /// Whether memory outlives this broker.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.used
    }

    /// Keeps a stream's memory, in place of what was kept of it.
    pub fn keep_memory(&self, stream: &StreamName, memory: &StreamMemory) {
        self.forget_memory(stream);
        if let Some(pool) = memory.pool.made() {
            self.keep(&format!("ring/{stream}"), memory.ring.owned());
            self.keep(&format!("pool/{stream}"), pool.owned());
        }
    }

    /// No longer keeps a stream's memory.
    pub fn forget_memory(&self, stream: &StreamName) {
        self.forget(&format!("ring/{stream}"));
        self.forget(&format!("pool/{stream}"));
    }

    /// Keeps a reader's page and eventfd.
    pub fn keep_reader(&self, stream: &StreamName, reader: &Reader) {
        let label = Label::from(reader);
        self.keep(&label.page(stream), reader.seat.page.owned());
        if let Some(Bell { ours, theirs }) = &reader.seat.bell {
            self.keep(&label.eventfd(stream), theirs.as_fd());
            self.keep(&label.bell(stream), ours.as_fd());
        }
    }

    /// No longer keeps a reader's page and eventfd.
    pub fn forget_reader(&self, stream: &StreamName, label: impl Into<Label>) {
        let label = label.into();
        self.forget(&label.page(stream));
        if label.has_bell {
            self.forget(&label.eventfd(stream));
            self.forget(&label.bell(stream));
        }
    }

    /// No longer keeps what nobody can use.
    pub fn forget_all(&self, useless: &[String]) {
        useless.iter().for_each(|name| self.forget(name));
    }

    fn keep(&self, name: &str, fd: BorrowedFd<'_>) {
        if self.used {
            self.manager.keep(name, fd);
        }
    }

    fn forget(&self, name: &str) {
        if self.used {
            self.manager.forget(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_use_is_found_and_numbers_begin_above_all() {
        let named = |name: &str| {
            let file = std::fs::File::open("/dev/null").unwrap();
            (name.to_owned(), OwnedFd::from(file))
        };
        let kept = Kept::sort(vec![
            named("lease/cam/3/1/0/latest/1/2"),
            named("lease/cam/9/1/0/sometimes/1/2"),
            named("bell/cam/3"),
            named("eventfd/cam/3"),
            named("bell/cam/7"),
            named("eventfd/mic/3"),
            named("somebody's"),
        ]);
        assert_eq!(kept.newest, SubscriptionId(9));
        assert_eq!(
            kept.useless,
            [
                "lease/cam/9/1/0/sometimes/1/2",
                "bell/cam/7",
                "eventfd/mic/3"
            ]
        );
        let [stream] = kept.streams.values().collect::<Vec<_>>()[..] else {
            panic!("{kept:?}")
        };
        assert!(stream.readers[0].bell.is_some());
    }
}
