//! A worker as the broker sees it: one device, the streams it is to fill, and a process while there is one.
//!
//! Owns the waiting between one process and the next; never opens a session.

use super::process::{Fault, Process};
use crate::source::hl2ss::Host;
use crate::source::uri::SourceUri;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use streamem_orders::{Order, Wish};
use streamem_wire::{SessionId, StreamName};

/// It is started again after 1, 2, 4, … seconds, at most this often doubled.
const RETRY_DOUBLINGS_MAX: u32 = 5;
/// One that ran this long is forgiven its former ends.
const STAYED_UP_NS: u64 = 60_000_000_000;
const SECOND_NS: u64 = 1_000_000_000;

/// Whether somebody fills a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manned {
    /// Nobody was told to.
    Not,
    /// A process was told to, and given this session.
    By(SessionId),
    /// It closed it.
    GivenUp,
}

/// A stream that is to be filled.
#[derive(Debug)]
pub struct Job {
    /// What the stream was made of.
    pub source: SourceUri,
    /// How it is to be filled.
    pub wish: Wish,
    /// Whether that is being done.
    pub manned: Manned,
}

/// A process that has ended.
#[derive(Debug)]
pub struct Buried {
    /// Its device.
    pub host: Host,
    /// How it ended.
    pub how: String,
    /// The sessions it still had.
    pub sessions: Vec<SessionId>,
    /// What it was to fill.
    pub streams: Vec<StreamName>,
}

/// A worker.
#[derive(Debug)]
pub struct Worker {
    /// Its device.
    pub host: Host,
    /// What it is to fill.
    pub jobs: BTreeMap<StreamName, Job>,
    /// Its process.
    pub process: Option<Process>,
    pub(super) retry_ns: u64,
    losses: u32,
}

impl Worker {
    pub(super) fn new(host: Host) -> Worker {
        Worker {
            host,
            jobs: BTreeMap::new(),
            process: None,
            retry_ns: 0,
            losses: 0,
        }
    }

    pub(super) fn start(&mut self, number: u64, now_ns: u64) -> Result<&Process, String> {
        match Process::start(&self.host, number, now_ns) {
            Ok(process) => Ok(self.process.insert(process)),
            Err(why) => {
                self.wait(0, now_ns);
                Err(why)
            }
        }
    }

    /// Waits before the next start; longer each time, unless the last one stayed up for so long.
    fn wait(&mut self, up_ns: u64, now_ns: u64) {
        if up_ns > STAYED_UP_NS {
            self.losses = 0;
        }
        let wait_s = 1 << self.losses.min(RETRY_DOUBLINGS_MAX);
        self.losses += 1;
        self.retry_ns = now_ns + wait_s * SECOND_NS;
    }

    /// The streams nobody fills, once somebody could.
    #[must_use]
    pub(super) fn unmanned(&self) -> Vec<(u64, StreamName)> {
        let ready = self
            .process
            .as_ref()
            .filter(|process| process.takes_orders());
        let Some(process) = ready else {
            return Vec::new();
        };
        let jobs = self.jobs.iter();
        let unmanned = jobs.filter(|(_, job)| job.manned == Manned::Not);
        unmanned
            .map(|(name, _)| (process.number, name.clone()))
            .collect()
    }

    /// Has its process fill a stream, over the other end of this session.
    pub fn man(&mut self, stream: &StreamName, session: SessionId, socket: BorrowedFd<'_>) {
        let (Some(process), Some(job)) = (&mut self.process, self.jobs.get_mut(stream)) else {
            return;
        };
        let order = Order::Fill {
            stream: stream.clone(),
            wish: Box::new(job.wish.clone()),
        };
        job.manned = Manned::By(session);
        process.tell(&order, Some(socket));
    }

    pub(super) fn dismiss(
        &mut self,
        is_wanted: &impl Fn(&StreamName, &SourceUri) -> bool,
    ) -> Vec<SessionId> {
        let jobs = self.jobs.iter();
        let unwanted = jobs.filter(|(name, job)| !is_wanted(name, &job.source));
        let unwanted: Vec<StreamName> = unwanted.map(|(name, _)| name.clone()).collect();
        let mut sessions = Vec::new();
        for stream in unwanted {
            let manned = self.jobs.remove(&stream).map(|job| job.manned);
            if let (Some(process), Some(Manned::By(session))) = (&mut self.process, manned) {
                process.tell(&Order::Leave { stream }, None);
                sessions.push(session);
            }
        }
        sessions
    }

    pub(super) fn bury(&mut self, now_ns: u64) -> Option<Buried> {
        let process = self.process.as_mut()?;
        let how = process.reap()?;
        let up_ns = now_ns.saturating_sub(process.since_ns);
        self.process = None;
        self.wait(up_ns, now_ns);
        let manned = self.jobs.values_mut();
        let manned = manned.map(|job| std::mem::replace(&mut job.manned, Manned::Not));
        let sessions = manned.filter_map(|manned| match manned {
            Manned::By(session) => Some(session),
            Manned::Not | Manned::GivenUp => None,
        });
        Some(Buried {
            sessions: sessions.collect(),
            host: self.host.clone(),
            streams: self.jobs.keys().cloned().collect(),
            how,
        })
    }

    pub(super) fn session_ended(&mut self, session: SessionId) {
        for job in self.jobs.values_mut() {
            if job.manned == Manned::By(session) {
                job.manned = Manned::GivenUp;
            }
        }
    }

    pub(super) fn look_after(&mut self, now_ns: u64) {
        let Some(process) = &mut self.process else {
            return;
        };
        let mut jobs = self.jobs.iter();
        if let Some((name, _)) = jobs.find(|(_, job)| job.manned == Manned::GivenUp) {
            let why = format!("let go of stream {:?}", name.as_str());
            process.condemn(Fault::Wrong(why));
        }
        process.look_after(now_ns);
    }

    /// Hands a connection over, or says why there is none.
    pub(super) fn connected(&mut self, port: u16, outcome: Result<OwnedFd, String>) {
        let Some(process) = &mut self.process else {
            return;
        };
        process.dials.remove(&port);
        match outcome {
            Ok(socket) => process.tell(&Order::Connected { port }, Some(socket.as_fd())),
            Err(why) => process.tell(&Order::Unreachable { port, why }, None),
        }
    }
}
