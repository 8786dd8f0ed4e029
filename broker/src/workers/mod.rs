//! Workers: a process for each device, which fills the streams of that device.
//!
//! Owns when one is started, ended and started anew, and judges what it says; never touches a stream, a session or
//! the loop. What a worker says is believed as little as what any client says.

mod backoff;
mod dialling;
mod dials;
mod judgement;
mod process;
mod program;
mod telling;
mod words;
mod worker;

pub use judgement::News;
pub use process::{Fault, Process};
pub use telling::Known;
pub use worker::{Buried, Job, Manned, Worker};

use crate::source::hl2ss::{Device, Host};
use crate::source::{BadSource, SourceUri};
use crate::stream::Mailbox;
use dials::Dials;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use streamem_wire::{SessionId, StreamName};

/// All workers.
#[derive(Debug)]
pub struct Workers {
    by_host: BTreeMap<Host, Worker>,
    /// Those that were told to end, by their numbers.
    leaving: BTreeMap<u64, Process>,
    begun: u64,
    dials: Dials,
}

impl Workers {
    /// None yet. Connections that were made are reported there.
    #[must_use]
    pub fn new(mailbox: Mailbox) -> Workers {
        Workers {
            by_host: BTreeMap::new(),
            leaving: BTreeMap::new(),
            begun: 0,
            dials: Dials::new(mailbox),
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

    /// The numbers of those that run and have not been told to end.
    #[must_use]
    pub fn numbers(&self) -> Vec<u64> {
        let processes = self.by_host.values();
        let processes = processes.filter_map(|worker| worker.process.as_ref());
        processes.map(|process| process.number).collect()
    }

    /// Whether one of them is to fill a stream.
    #[must_use]
    pub fn has(&self, stream: &StreamName) -> bool {
        let mut workers = self.by_host.values();
        workers.any(|worker| worker.jobs.contains_key(stream))
    }

    /// One more stream is to be filled, if what the device is asked for goes with what it is asked for already.
    pub fn add(
        &mut self,
        stream: StreamName,
        source: SourceUri,
        made: u64,
        device: Device,
    ) -> Result<(), BadSource> {
        let worker = self.by_host.entry(device.host.clone());
        let worker = worker.or_insert_with(|| Worker::new(device.host.clone()));
        for (name, job) in &worker.jobs {
            device.check_beside(&job.wish, name.as_str())?;
        }
        let job = Job::new(source, device.wish, made);
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

    /// The stream that one fills, or has just given up.
    pub fn job(&mut self, number: u64, stream: &StreamName) -> Option<&mut Job> {
        let job = self.of(number).and_then(|it| it.jobs.get_mut(stream));
        job.filter(|job| job.manned != Manned::Not)
    }

    /// The streams nobody fills though somebody could, each with the number of who could.
    #[must_use]
    pub fn unmanned(&self, now_ns: u64) -> Vec<(u64, StreamName)> {
        let workers = self.by_host.values();
        workers.flat_map(|worker| worker.unmanned(now_ns)).collect()
    }

    /// Takes away the streams that are not `wanted` any more. Returns their sessions.
    pub fn dismiss(&mut self, is_wanted: impl Fn(&StreamName, &Job) -> bool) -> Vec<SessionId> {
        let mut sessions = Vec::new();
        for worker in self.by_host.values_mut() {
            sessions.extend(worker.dismiss(&is_wanted));
        }
        sessions
    }

    /// Has those end that have nothing left to do, at `now_ns`. Returns their numbers.
    pub fn retire(&mut self, now_ns: u64) -> Vec<u64> {
        let idle = self.by_host.values_mut();
        let idle = idle.filter_map(|worker| worker.is_over(now_ns).then(|| worker.host.clone()));
        let idle: Vec<Host> = idle.collect();
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
        let due = self.by_host.values();
        let due = due.filter(|worker| worker.is_due(now_ns));
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

    /// Ends those that had their time to end by themselves, and those that are stuck, which must have been heard just
    /// before. Returns what was kept of what they said, and how many lines the log did not get.
    pub fn look_after(&mut self, now_ns: u64) -> Vec<(u64, Vec<News>, u32)> {
        for process in self.leaving.values_mut() {
            let _nothing_kept = process.look_after(now_ns);
        }
        for (number, port, why) in self.dials.overdue(now_ns) {
            if let Some(worker) = self.of(number) {
                worker.connected(port, Err(why));
            }
        }
        let processes = self.by_host.values_mut();
        let processes = processes.filter_map(|worker| worker.process.as_mut());
        let looked_after = processes.map(|process| {
            let (news, left_out) = process.look_after(now_ns);
            (process.number, news, left_out)
        });
        looked_after.collect()
    }

    /// Ends all of them at once.
    pub fn end(&mut self) {
        let running = self.by_host.values_mut();
        let running = running.filter_map(|worker| worker.process.as_mut());
        for process in self.leaving.values_mut().chain(running) {
            process.kill();
        }
    }

    /// A session has ended that was not to end. Returns the stream it was made for, if it was.
    pub fn session_ended(&mut self, session: SessionId, now_ns: u64) -> Option<StreamName> {
        let mut workers = self.by_host.values_mut();
        workers.find_map(|worker| worker.session_ended(session, now_ns))
    }

    /// What a worker said last of why a stream has no frames, if it has none since.
    #[must_use]
    pub fn said_of(&self, stream: &StreamName) -> Option<String> {
        let mut workers = self.by_host.values();
        workers.find_map(|worker| worker.jobs.get(stream)?.warned.clone())
    }

    /// Whether a stream may be published over this session, which has so many publications. Who may not is ended.
    pub fn publishes(&mut self, session: SessionId, has: usize, now_ns: u64) -> bool {
        let mut workers = self.by_host.values_mut();
        workers.any(|worker| worker.publishes(session, has, now_ns))
    }

    /// Has a thread connect to a port of a worker's device, and report.
    pub fn dial(&mut self, number: u64, port: u16, now_ns: u64) {
        let Some(host) = self.of(number).map(|worker| worker.host.clone()) else {
            return;
        };
        if let Err(why) = self.dials.begin(host, port, number, now_ns)
            && let Some(worker) = self.of(number)
        {
            worker.connected(port, Err(why));
        }
    }

    /// What came of it.
    pub fn dialled(&mut self, dial: u64, outcome: Result<OwnedFd, String>) {
        if let Some((number, port)) = self.dials.end(dial)
            && let Some(worker) = self.of(number)
        {
            worker.connected(port, outcome);
        }
    }
}
