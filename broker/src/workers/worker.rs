//! A worker as the broker sees it: one device, the streams it is to fill, and a process while there is one.
//!
//! Owns the waiting between one process and the next; never opens a session.

use super::backoff::Backoff;
use super::process::{Fault, Process};
use crate::source::hl2ss::Host;
use crate::source::uri::SourceUri;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use streamem_orders::{Order, Wish};
use streamem_wire::{SessionId, StreamName};

/// One that has nothing to do has this long to leave its device as it found it.
const IDLE_NS: u64 = 3_000_000_000;
const MINUTE_NS: u64 = 60_000_000_000;
/// How often one process may publish a stream in a minute. Each time costs its readers a renewal.
const PUBLICATIONS_MAX: u32 = 8;

/// Whether somebody fills a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manned {
    /// Nobody was told to.
    Not,
    /// A process was told to, and given this session.
    By(SessionId),
    /// It closed it, and is given another in a while.
    GivenUp,
}

/// A stream that is to be filled.
#[derive(Debug)]
pub struct Job {
    /// What the stream was made of.
    pub source: SourceUri,
    /// How it is to be filled.
    pub wish: Wish,
    /// Tells the stream from one of the same name and source before it.
    pub made: u64,
    /// Whether that is being done.
    pub manned: Manned,
    /// Why it was lost, as the log was told it last.
    pub warned: Option<String>,
    backoff: Backoff,
    manned_ns: u64,
    published: u32,
    counted_ns: u64,
}

impl Job {
    pub(super) fn new(source: SourceUri, wish: Wish, made: u64) -> Job {
        Job {
            source,
            wish,
            made,
            manned: Manned::Not,
            warned: None,
            backoff: Backoff::default(),
            manned_ns: 0,
            published: 0,
            counted_ns: 0,
        }
    }

    /// Whether it may be published once more.
    fn may_publish(&mut self, now_ns: u64) -> bool {
        if now_ns.saturating_sub(self.counted_ns) > MINUTE_NS {
            (self.published, self.counted_ns) = (0, now_ns);
        }
        self.published += 1;
        self.published <= PUBLICATIONS_MAX
    }
}

/// A process that has ended.
#[derive(Debug)]
pub struct Buried {
    /// Its device.
    pub host: Host,
    /// Its number among processes.
    pub pid: u32,
    /// How it ended.
    pub how: String,
    /// What it wrote last.
    pub words: Vec<String>,
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
    backoff: Backoff,
    idle_since_ns: Option<u64>,
}

impl Worker {
    pub(super) fn new(host: Host) -> Worker {
        Worker {
            host,
            jobs: BTreeMap::new(),
            process: None,
            backoff: Backoff::default(),
            idle_since_ns: None,
        }
    }

    pub(super) fn start(&mut self, number: u64, now_ns: u64) -> Result<&Process, String> {
        match Process::start(&self.host, number, now_ns) {
            Ok(process) => Ok(self.process.insert(process)),
            Err(why) => {
                self.backoff.fail(0, now_ns);
                Err(why)
            }
        }
    }

    /// Whether its process is to be started now.
    pub(super) fn is_due(&self, now_ns: u64) -> bool {
        self.process.is_none() && !self.jobs.is_empty() && self.backoff.is_over(now_ns)
    }

    /// Whether nothing is left to do: no stream, and nothing open to the device, or no patience for that.
    pub(super) fn is_over(&mut self, now_ns: u64) -> bool {
        if !self.jobs.is_empty() {
            self.idle_since_ns = None;
            return false;
        }
        let since_ns = *self.idle_since_ns.get_or_insert(now_ns);
        let is_idle = self.process.as_ref().is_none_or(|process| process.is_idle);
        is_idle || now_ns.saturating_sub(since_ns) >= IDLE_NS
    }

    /// The streams nobody fills, once somebody could.
    #[must_use]
    pub(super) fn unmanned(&self, now_ns: u64) -> Vec<(u64, StreamName)> {
        let ready = self
            .process
            .as_ref()
            .filter(|process| process.takes_orders());
        let Some(process) = ready else {
            return Vec::new();
        };
        let jobs = self.jobs.iter();
        let unmanned = jobs.filter(|(_, job)| match job.manned {
            Manned::Not => true,
            Manned::GivenUp => job.backoff.is_over(now_ns),
            Manned::By(_) => false,
        });
        unmanned
            .map(|(name, _)| (process.number, name.clone()))
            .collect()
    }

    /// Has its process fill a stream, over the other end of this session.
    pub fn man(
        &mut self,
        stream: &StreamName,
        session: SessionId,
        socket: BorrowedFd<'_>,
        now_ns: u64,
    ) {
        let (Some(process), Some(job)) = (&mut self.process, self.jobs.get_mut(stream)) else {
            return;
        };
        let order = Order::Fill {
            stream: stream.clone(),
            wish: Box::new(job.wish.clone()),
        };
        job.manned = Manned::By(session);
        job.manned_ns = now_ns;
        process.tell(&order, Some(socket));
    }

    pub(super) fn dismiss(
        &mut self,
        is_wanted: &impl Fn(&StreamName, &Job) -> bool,
    ) -> Vec<SessionId> {
        let jobs = self.jobs.iter();
        let unwanted = jobs.filter(|(name, job)| !is_wanted(name, job));
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
        let (pid, up_ns) = (process.pid(), now_ns.saturating_sub(process.since_ns));
        self.backoff.fail(up_ns, now_ns);
        let words = process.words.take_last();
        self.process = None;
        let manned = self.jobs.values_mut().map(|job| {
            job.published = 0;
            std::mem::replace(&mut job.manned, Manned::Not)
        });
        let sessions = manned.filter_map(|manned| match manned {
            Manned::By(session) => Some(session),
            Manned::Not | Manned::GivenUp => None,
        });
        Some(Buried {
            sessions: sessions.collect(),
            host: self.host.clone(),
            pid,
            words,
            streams: self.jobs.keys().cloned().collect(),
            how,
        })
    }

    /// The session for a stream has ended, and the stream waits for another. Returns which, if it is one of these.
    pub(super) fn session_ended(&mut self, session: SessionId, now_ns: u64) -> Option<StreamName> {
        let mut jobs = self.jobs.iter_mut();
        let (stream, job) = jobs.find(|(_, job)| job.manned == Manned::By(session))?;
        job.manned = Manned::GivenUp;
        let lasted_ns = now_ns.saturating_sub(job.manned_ns);
        job.backoff.fail(lasted_ns, now_ns);
        if let Some(process) = &mut self.process {
            let stream = stream.clone();
            process.tell(&Order::Leave { stream }, None);
        }
        Some(stream.clone())
    }

    /// The stream is being published over this session, which has so many publications already.
    pub(super) fn publishes(&mut self, session: SessionId, has: usize, now_ns: u64) -> bool {
        let mut jobs = self.jobs.iter_mut();
        let job = jobs.find(|(_, job)| job.manned == Manned::By(session));
        let (Some((name, job)), Some(process)) = (job, &mut self.process) else {
            return false;
        };
        let name = name.as_str();
        let why = if has > 0 {
            format!("published stream {name:?} twice")
        } else if !job.may_publish(now_ns) {
            format!("publishes stream {name:?} over and over")
        } else {
            return true;
        };
        process.condemn(Fault::Wrong(why));
        false
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
