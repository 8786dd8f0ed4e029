//! Workers in the loop: they are given streams and connections, listened to, and missed when they go.
//!
//! Owns the order of these things; never believes a worker more than any other client, and never waits for one.

use super::{Broker, BrokerError};
use crate::engine::Token;
use crate::peer;
use crate::session::Over;
use crate::source::hl2ss::{self, Device, Host};
use crate::stream::Stream;
use crate::workers::{Job, News, Process};
use rustix::event::PollFlags;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::io;
use std::os::fd::AsFd;
use streamem_sys::clock::monotonic_ns;
use streamem_wire::StreamName;
use streamem_wire::message::Change;
use tracing::{info, warn};
/// Why a stream has no frames whose session a worker closed without a word.
const GIVEN_UP: &str = "its worker gave it up";

impl Broker {
    /// Has the streams of each device filled by its worker: those there are now, whatever became of others.
    pub(super) fn employ(&mut self) -> Result<(), BrokerError> {
        let now_ns = monotonic_ns();
        let streams = &self.streams;
        let is_wanted = |name: &StreamName, job: &Job| {
            let stream = streams.get(name);
            stream.is_some_and(|it| it.made == job.made && it.config.source == job.source)
        };
        for session in self.workers.dismiss(is_wanted) {
            self.end_session(session, &Over::Closed);
        }
        self.employ_new();
        for number in self.workers.retire(now_ns) {
            // While the loop waits for it to speak, it would not learn that it is not listened to.
            self.engine.forget(Token::Orders(number))?;
        }
        for host in self.workers.to_start(now_ns) {
            self.start_worker(&host, now_ns)?;
        }
        self.man(now_ns);
        Ok(())
    }

    fn employ_new(&mut self) {
        let of_devices = self.streams.iter().filter(|stream| {
            let source = &stream.config.source;
            hl2ss::is_device(source) && !self.workers.has(&stream.name)
        });
        let new = of_devices.map(|stream| {
            let source = stream.config.source.clone();
            (stream.name.clone(), source, stream.made)
        });
        for (name, source, made) in new.collect::<Vec<_>>() {
            let added = Device::of(&source)
                .and_then(|device| self.workers.add(name.clone(), source, made, device));
            if let Err(why) = added {
                let why = why.to_string();
                if self.lose_filled(&name, why.clone()) {
                    warn!(stream = %name, "no frames: {why}");
                }
            }
        }
    }

    fn start_worker(&mut self, host: &Host, now_ns: u64) -> Result<(), BrokerError> {
        match self.workers.start(host, now_ns) {
            Ok(process) => {
                let number = process.number;
                info!(%host, pid = process.pid(), "worker started");
                self.engine
                    .watch(process.pidfd(), PollFlags::IN, Token::Worker(number))?;
                if let Some(channel) = process.channel() {
                    self.engine
                        .watch(channel, PollFlags::IN, Token::Orders(number))?;
                }
                self.watch_words(number)?;
            }
            Err(why) => {
                let mut is_news = false;
                for name in self.workers.streams_of(host) {
                    is_news |= self.lose_filled(&name, why.clone());
                }
                if is_news {
                    warn!(%host, "{why}");
                }
            }
        }
        Ok(())
    }

    /// Gives those who are ready what nobody fills.
    fn man(&mut self, now_ns: u64) {
        for (number, name) in self.workers.unmanned(now_ns) {
            if let Err(error) = self.man_one(number, &name, now_ns) {
                let why = format!("no socket for its worker: {error} (raise LimitNOFILE=)");
                if self.lose_filled(&name, why.clone()) {
                    warn!(stream = %name, "no frames: {why}");
                }
            }
        }
    }

    fn man_one(&mut self, number: u64, name: &StreamName, now_ns: u64) -> io::Result<()> {
        let Some((host, pid)) = self.workers.whose(number) else {
            return Ok(());
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (here, there) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        let mut peer = peer::of(&here)?;
        // What the kernel knows of this socket is who made it; whose it will be is known here.
        peer.pid = pid;
        let session = self.begin_errand(peer, here, name.clone());
        let stream = self.streams.get(name);
        if stream.and_then(Stream::why_lost) == Some(GIVEN_UP) {
            self.warn_lost(number, name, GIVEN_UP);
        }
        if let Some(worker) = self.workers.of(number) {
            worker.man(name, session, there.as_fd(), now_ns);
        }
        self.lose_filled(name, format!("{host} is being reached"));
        Ok(())
    }

    /// A worker says something.
    pub(super) fn hear_worker(&mut self, number: u64) -> Result<(), BrokerError> {
        self.take_all_news(number);
        let worker = self.workers.of(number);
        let process = worker.and_then(|worker| worker.process.as_mut());
        if let Some(channel) = process.as_ref().and_then(|process| process.channel()) {
            self.engine
                .watch(channel, PollFlags::IN, Token::Orders(number))?;
        }
        Ok(())
    }

    fn take_all_news(&mut self, number: u64) {
        let worker = self.workers.of(number);
        let Some(process) = worker.and_then(|worker| worker.process.as_mut()) else {
            return;
        };
        for said in process.hear(monotonic_ns()) {
            self.take_news(number, said);
        }
    }

    /// A worker writes something for the log.
    pub(super) fn hear_words(&mut self, number: u64) -> Result<(), BrokerError> {
        if let Some((host, pid)) = self.workers.whose(number)
            && let Some(process) = self.process(number)
        {
            for line in process.take_words() {
                warn!(%host, pid, "its worker writes: {line}");
            }
        }
        self.watch_words(number)
    }

    fn watch_words(&mut self, number: u64) -> Result<(), BrokerError> {
        let worker = self.workers.of(number);
        let process = worker.and_then(|worker| worker.process.as_mut());
        if let Some(words) = process.and_then(Process::words) {
            self.engine
                .watch(words, PollFlags::IN, Token::Words(number))?;
        }
        Ok(())
    }

    /// Judges all workers after a second, each when it was heard: it may have spoken while we could not listen.
    pub(super) fn look_after_workers(&mut self, now_ns: u64) -> Result<(), BrokerError> {
        for number in self.workers.numbers() {
            self.take_all_news(number);
        }
        for (number, news, left_out) in self.workers.look_after(now_ns) {
            if left_out > 0
                && let Some((host, pid)) = self.workers.whose(number)
            {
                warn!(%host, pid, "{left_out} more lines of its worker in the last second");
            }
            for said in news {
                self.take_news(number, said);
            }
            self.watch_words(number)?;
        }
        Ok(())
    }

    fn process(&mut self, number: u64) -> Option<&mut Process> {
        self.workers.of(number)?.process.as_mut()
    }

    fn take_news(&mut self, number: u64, said: News) {
        let Some((host, pid)) = self.workers.whose(number) else {
            return;
        };
        match said {
            News::Ready(walls) => info!(%host, pid, "worker ready: {walls}"),
            News::Missing(walls) => {
                warn!(%host, pid, "its worker runs with fewer walls: {walls}");
            }
            News::Connect(port) => self.workers.dial(number, port, monotonic_ns()),
            News::Trouble(stream, what) => {
                if self.process(number).is_some_and(Process::may_log) {
                    match stream {
                        Some(stream) => warn!(%host, pid, %stream, "{what}"),
                        None => warn!(%host, pid, "{what}"),
                    }
                }
            }
            // What it says of a stream that was just taken from it comes too late.
            News::Lost(name, why) if self.workers.job(number, &name).is_some() => {
                self.lose_filled(&name, why.clone());
                self.warn_lost(number, &name, &why);
            }
            News::Live(name) if self.workers.fills(number, &name) => {
                if let Some(job) = self.workers.job(number, &name) {
                    job.warned = None;
                }
                self.revive_filled(&name);
            }
            News::Lost(..) | News::Live(_) => {}
            News::Network(name, network) => {
                if let Some(stream) = self.filled(number, &name) {
                    stream.put_network(*network);
                }
            }
            News::Calibration(name, known) => {
                if let Some(stream) = self.filled(number, &name) {
                    stream.put_calibration(known.calibration, known.tables);
                }
            }
        }
    }

    /// Has the log say why a worker's stream has no frames: once for each reason, however often it is tried in vain.
    fn warn_lost(&mut self, number: u64, name: &StreamName, why: &str) {
        let Some(job) = self.workers.job(number, name) else {
            return;
        };
        if job.warned.as_deref() == Some(why) {
            return;
        }
        job.warned = Some(why.to_owned());
        if self.process(number).is_some_and(Process::may_log) {
            warn!(stream = %name, "source lost: {why}");
        }
    }

    /// Why a stream has no frames whose worker closed its session: what it said, if it said something.
    pub(super) fn why_given_up(&self, name: &StreamName) -> String {
        let said = self.workers.said_of(name);
        said.unwrap_or_else(|| GIVEN_UP.to_owned())
    }

    /// A stream, if this worker is to fill it.
    fn filled(&mut self, number: u64, name: &StreamName) -> Option<&mut Stream> {
        let is_its = self.workers.fills(number, name);
        self.streams.get_mut(name).filter(|_| is_its)
    }

    /// A stream that a worker fills has no frames, for this reason. Returns whether that is news.
    pub(super) fn lose_filled(&mut self, name: &StreamName, why: String) -> bool {
        let Some(stream) = self.streams.get_mut(name) else {
            return false;
        };
        if stream.why_lost() == Some(&why) {
            return false;
        }
        info!(stream = %name, "no frames: {why}");
        stream.say_lost(why.clone());
        self.tell_stream(Change::Changed, "stream-lost", name, Some(why));
        true
    }

    fn revive_filled(&mut self, name: &StreamName) {
        let stream = self.streams.get_mut(name);
        if let Some(stream) = stream.filter(|it| it.runs() && it.why_lost().is_some()) {
            stream.say_live();
            self.tell_stream(Change::Changed, "stream-live", name, None);
        }
    }

    /// A worker's process has ended: its streams are lost until it is started again.
    pub(super) fn bury_worker(&mut self, number: u64) {
        let Some(buried) = self.workers.bury(number, monotonic_ns()) else {
            return;
        };
        let how = buried.how;
        for line in buried.words {
            warn!(host = %buried.host, pid = buried.pid, "its worker writes: {line}");
        }
        warn!(host = %buried.host, "{how}");
        for session in buried.sessions {
            for publication in self.streams.published_by(session) {
                self.end_publication(publication, &how);
            }
            self.end_session(session, &Over::Closed);
        }
        for name in buried.streams {
            if let Some(stream) = self.streams.get_mut(&name) {
                stream.forget_network();
            }
            self.lose_filled(&name, how.clone());
        }
    }
}
