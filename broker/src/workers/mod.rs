//! Workers: a process for each device, which fills the streams of that device.
//!
//! Owns when one is started, ended and started anew, and judges what it says; never touches a stream, a session or
//! the loop. What a worker says is believed as little as what any client says.

mod dialling;
mod process;
mod program;
mod telling;
mod worker;

pub use process::{Fault, News, Process};
pub use telling::Known;
pub use worker::{Buried, Job, Manned, Worker};

use crate::source::hl2ss::{Device, Host};
use crate::source::{BadSource, SourceUri};
use crate::stream::Mailbox;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use streamem_wire::{SessionId, StreamName};

/// Connections that are being made at a time, to all devices together.
const DIALS_MAX: u32 = 64;

/// All workers.
#[derive(Debug)]
pub struct Workers {
    by_host: BTreeMap<Host, Worker>,
    /// Those that were told to end, by their numbers.
    leaving: BTreeMap<u64, Process>,
    begun: u64,
    dials: u32,
    mailbox: Mailbox,
}

impl Workers {
    /// None yet. Connections that were made are reported there.
    #[must_use]
    pub fn new(mailbox: Mailbox) -> Workers {
        Workers {
            by_host: BTreeMap::new(),
            leaving: BTreeMap::new(),
            begun: 0,
            dials: 0,
            mailbox,
        }
    }

    /// The worker whose process has this number.
    pub fn of(&mut self, number: u64) -> Option<&mut Worker> {
        self.by_host.values_mut().find(|worker| {
            worker
                .process
                .as_ref()
                .is_some_and(|it| it.number == number)
        })
    }

    /// Whether a stream is filled from this source by one of them.
    #[must_use]
    pub fn has(&self, stream: &StreamName, source: &SourceUri) -> bool {
        self.by_host.values().any(|worker| {
            worker
                .jobs
                .get(stream)
                .is_some_and(|job| job.source == *source)
        })
    }

    /// One more stream is to be filled, if what the device is asked for goes with what it is asked for already.
    pub fn add(
        &mut self,
        stream: StreamName,
        source: SourceUri,
        device: Device,
    ) -> Result<(), BadSource> {
        let worker = self.by_host.entry(device.host.clone());
        let worker = worker.or_insert_with(|| Worker::new(device.host.clone()));
        for (name, job) in &worker.jobs {
            device.check_beside(&job.wish, name.as_str())?;
        }
        let job = Job {
            source,
            wish: device.wish,
            manned: Manned::Not,
        };
        worker.jobs.insert(stream, job);
        Ok(())
    }

    /// The streams of a device.
    #[must_use]
    pub fn streams_of(&self, host: &Host) -> Vec<StreamName> {
        let worker = self.by_host.get(host);
        let jobs = worker.into_iter().flat_map(|worker| worker.jobs.keys());
        jobs.cloned().collect()
    }

    /// The device and the process of the worker with this number.
    pub fn whose(&mut self, number: u64) -> Option<(Host, u32)> {
        let worker = self.of(number)?;
        let pid = worker.process.as_ref()?.pid();
        Some((worker.host.clone(), pid))
    }

    /// Whether that one is to fill this stream.
    pub fn fills(&mut self, number: u64, stream: &StreamName) -> bool {
        let job = self.of(number).and_then(|it| it.jobs.get(stream));
        job.is_some_and(|job| matches!(job.manned, Manned::By(_)))
    }

    /// The streams nobody fills though somebody could, each with the number of who could.
    #[must_use]
    pub fn unmanned(&self) -> Vec<(u64, StreamName)> {
        let workers = self.by_host.values();
        workers.flat_map(Worker::unmanned).collect()
    }

    /// Takes away the streams that are not `wanted` from that source any more. Returns their sessions.
    pub fn dismiss(
        &mut self,
        is_wanted: impl Fn(&StreamName, &SourceUri) -> bool,
    ) -> Vec<SessionId> {
        let mut sessions = Vec::new();
        for worker in self.by_host.values_mut() {
            sessions.extend(worker.dismiss(&is_wanted));
        }
        sessions
    }

    /// Has those end that have nothing to do, at `now_ns`. Returns their numbers.
    pub fn retire(&mut self, now_ns: u64) -> Vec<u64> {
        let idle: Vec<Host> = self
            .by_host
            .values()
            .filter(|worker| worker.jobs.is_empty())
            .map(|worker| worker.host.clone())
            .collect();
        let processes = idle
            .iter()
            .filter_map(|host| self.by_host.remove(host)?.process);
        let mut numbers = Vec::new();
        for mut process in processes.collect::<Vec<_>>() {
            process.hang_up(now_ns);
            numbers.push(process.number);
            self.leaving.insert(process.number, process);
        }
        numbers
    }

    /// Starts the process of a worker that has none. Returns whether it runs; why not is kept with it.
    pub fn start(&mut self, host: &Host, now_ns: u64) -> Result<&Process, String> {
        self.begun += 1;
        let number = self.begun;
        match self.by_host.get_mut(host) {
            Some(worker) => worker.start(number, now_ns),
            None => Err(format!("nothing is to be had from {host}")),
        }
    }

    /// The hosts whose worker is to be started now.
    #[must_use]
    pub fn to_start(&self, now_ns: u64) -> Vec<Host> {
        let due = self.by_host.values().filter(|worker| {
            worker.process.is_none() && !worker.jobs.is_empty() && worker.retry_ns <= now_ns
        });
        due.map(|worker| worker.host.clone()).collect()
    }

    /// A process has ended. Returns what is to be done about it, if somebody misses it.
    pub fn bury(&mut self, number: u64, now_ns: u64) -> Option<Buried> {
        if let Some(mut process) = self.leaving.remove(&number) {
            let _how = process.reap();
            return None;
        }
        self.of(number)?.bury(now_ns)
    }

    /// Ends those that had their time to end by themselves, and those that are stuck.
    pub fn look_after(&mut self, now_ns: u64) {
        for process in self.leaving.values_mut() {
            process.look_after(now_ns);
        }
        for worker in self.by_host.values_mut() {
            worker.look_after(now_ns);
        }
    }

    /// Ends all of them at once.
    pub fn end(&mut self) {
        let running = self.by_host.values_mut();
        let running = running.filter_map(|worker| worker.process.as_mut());
        for process in self.leaving.values_mut().chain(running) {
            process.kill();
        }
    }

    /// The session that was made for a stream has ended.
    pub fn session_ended(&mut self, session: SessionId) {
        for worker in self.by_host.values_mut() {
            worker.session_ended(session);
        }
    }

    /// Has a thread connect to a port of a worker's device, and report.
    pub fn dial(&mut self, number: u64, port: u16) {
        let (mailbox, is_full) = (self.mailbox.clone(), self.dials >= DIALS_MAX);
        let Some(worker) = self.of(number) else {
            return;
        };
        let began = if is_full {
            Err(format!(
                "{DIALS_MAX} connections are being made already; it is tried again"
            ))
        } else {
            dialling::begin(worker.host.clone(), port, number, mailbox)
        };
        match began {
            Ok(()) => self.dials += 1,
            Err(why) => worker.connected(port, Err(why)),
        }
    }

    /// What came of it.
    pub fn dialled(&mut self, number: u64, port: u16, outcome: Result<OwnedFd, String>) {
        self.dials = self.dials.saturating_sub(1);
        if let Some(worker) = self.of(number) {
            worker.connected(port, outcome);
        }
    }
}
