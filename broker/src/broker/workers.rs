//! Workers in the loop: they are given streams and connections, listened to, and missed when they go.
//!
//! Owns the order of these things; never believes a worker more than any other client, and never waits for one.

use super::methods::{Answer, Answered, arguments, no_descriptor, not_permitted, once, parameters};
use super::{Broker, BrokerError};
use crate::access::Right;
use crate::engine::Token;
use crate::peer;
use crate::session::{Handover, Over, Undo};
use crate::source::hl2ss::{self, Device, Host};
use crate::source::{BadSource, SourceUri};
use crate::stream::Stream;
use crate::workers::News;
use rustix::event::PollFlags;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::io;
use std::os::fd::AsFd;
use streamem_sys::clock::monotonic_ns;
use streamem_wire::message::{Calibrated, Change, INTERFACE, OfStream, Publish};
use streamem_wire::varlink::Call;
use streamem_wire::{Reason, Refusal, SessionId, StreamName};
use tracing::{info, warn};

/// What a worker may call, each for the one stream its session is for.
const ERRANDS: [&str; 3] = ["Publish", "Begin", "Unpublish"];

impl Broker {
    /// Has the streams of each device filled by its worker: those there are now, whatever became of others.
    pub(super) fn employ(&mut self) -> Result<(), BrokerError> {
        let now_ns = monotonic_ns();
        let streams = &self.streams;
        let is_wanted = |name: &StreamName, source: &SourceUri| {
            let stream = streams.get(name);
            stream.is_some_and(|stream| stream.config.source == *source)
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
        self.man();
        Ok(())
    }

    fn employ_new(&mut self) {
        let of_devices = self.streams.iter().filter(|stream| {
            let source = &stream.config.source;
            hl2ss::is_device(source) && !self.workers.has(&stream.name, source)
        });
        let new = of_devices.map(|stream| (stream.name.clone(), stream.config.source.clone()));
        for (name, source) in new.collect::<Vec<_>>() {
            let added = Device::of(&source)
                .and_then(|device| self.workers.add(name.clone(), source, device));
            if let Err(why) = added {
                self.lose_filled(&name, why.to_string());
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
            }
            Err(why) => {
                for name in self.workers.streams_of(host) {
                    self.lose_filled(&name, why.clone());
                }
            }
        }
        Ok(())
    }

    /// Gives those who are ready what nobody fills.
    fn man(&mut self) {
        for (number, name) in self.workers.unmanned() {
            if let Err(error) = self.man_one(number, &name) {
                let why = format!("no socket for its worker: {error} (raise LimitNOFILE=)");
                self.lose_filled(&name, why);
            }
        }
    }

    fn man_one(&mut self, number: u64, name: &StreamName) -> io::Result<()> {
        let Some((host, pid)) = self.workers.whose(number) else {
            return Ok(());
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (here, there) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        let mut peer = peer::of(&here)?;
        // What the kernel knows of this socket is who made it; whose it will be is known here.
        peer.pid = pid;
        let session = self.begin_errand(peer, here, name.clone());
        if let Some(worker) = self.workers.of(number) {
            worker.man(name, session, there.as_fd());
        }
        self.lose_filled(name, format!("{host} is being reached"));
        Ok(())
    }

    /// A worker says something.
    pub(super) fn hear_worker(&mut self, number: u64) -> Result<(), BrokerError> {
        let worker = self.workers.of(number);
        let Some(process) = worker.and_then(|worker| worker.process.as_mut()) else {
            return Ok(());
        };
        let news = process.hear(monotonic_ns());
        if let Some(channel) = process.channel() {
            self.engine
                .watch(channel, PollFlags::IN, Token::Orders(number))?;
        }
        for said in news {
            self.take_news(number, said);
        }
        Ok(())
    }

    fn take_news(&mut self, number: u64, said: News) {
        let Some((host, pid)) = self.workers.whose(number) else {
            return;
        };
        match said {
            News::Ready(walls) => info!(%host, pid, "worker ready: {walls}"),
            News::Connect(port) => self.workers.dial(number, port),
            News::Trouble(stream, what) if self.faults.may_log() => match stream {
                Some(stream) => warn!(%host, pid, %stream, "{what}"),
                None => warn!(%host, pid, "{what}"),
            },
            News::Trouble(..) => {}
            // What it says of a stream that was just taken from it comes too late.
            News::Lost(name, why) if self.workers.fills(number, &name) => {
                self.lose_filled(&name, why);
            }
            News::Live(name) if self.workers.fills(number, &name) => self.revive_filled(&name),
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

    /// A stream, if this worker is to fill it.
    fn filled(&mut self, number: u64, name: &StreamName) -> Option<&mut Stream> {
        let is_its = self.workers.fills(number, name);
        self.streams.get_mut(name).filter(|_| is_its)
    }

    /// A stream that a worker fills has no frames, for this reason.
    fn lose_filled(&mut self, name: &StreamName, why: String) {
        let Some(stream) = self.streams.get_mut(name) else {
            return;
        };
        if stream.why_lost() == Some(&why) {
            return;
        }
        info!(stream = %name, "no frames: {why}");
        stream.say_lost(why.clone());
        self.tell_stream(Change::Changed, "stream-lost", name, Some(why));
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

    /// Whether its device can be asked for what a source wants of it, beside what other streams want.
    pub(super) fn check_device(&self, source: &SourceUri) -> Result<(), BadSource> {
        if !hl2ss::is_device(source) {
            return Ok(());
        }
        let device = Device::of(source)?;
        for stream in self.streams.iter() {
            let other = &stream.config.source;
            match hl2ss::is_device(other).then(|| Device::of(other)) {
                Some(Ok(other)) if other.host == device.host => {
                    device.check_beside(&other.wish, stream.name.as_str())?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What a device tells of a stream's camera, for who may read the stream.
    pub(super) fn calibration(&self, id: SessionId, call: &Call) -> Answered {
        let OfStream { stream: name } = arguments(call)?;
        self.permit(id, &name, Right::Read)?;
        let stream = self.streams.get(&name);
        let Some((calibration, tables)) = stream.and_then(|stream| stream.calibration()) else {
            return once(&Calibrated::default());
        };
        let copy = tables.as_ref().map(|tables| tables.try_clone()).transpose();
        let tables = copy.map_err(|error| no_descriptor(name.as_str(), error))?;
        let told = Calibrated {
            calibration: Some(calibration.clone()),
            tables: tables.as_ref().map(|_| 0),
        };
        let handover = tables.map(|tables| Handover {
            fds: vec![tables],
            undo: Undo::Nothing,
        });
        Ok(Answer::Once(parameters(&told), handover))
    }

    /// Why the session may not call this, if it is one that was made for a single stream.
    pub(super) fn check_errand(&self, id: SessionId, call: &Call) -> Result<(), Refusal> {
        let session = self.sessions.get(&id);
        let Some(name) = session.and_then(|session| session.errand.as_ref()) else {
            return Ok(());
        };
        let method = call.method.strip_prefix(INTERFACE);
        let method = method.and_then(|method| method.strip_prefix('.'));
        if method.is_some_and(|method| ERRANDS.contains(&method)) {
            return Ok(());
        }
        let message = format!(
            "this session is for publishing stream {:?}, and nothing else can be called on it",
            name.as_str()
        );
        Err(Refusal::new(Reason::NotPermitted, &call.method, message))
    }

    /// Why the session may not publish this, if it or the stream is a worker's.
    pub(super) fn check_filler(&self, id: SessionId, wanted: &Publish) -> Result<bool, Refusal> {
        let Some(session) = self.sessions.get(&id) else {
            return Ok(false);
        };
        let (name, uid) = (&wanted.stream, session.peer.uid);
        match &session.errand {
            Some(errand) if errand != name => Err(not_permitted(uid, Right::Publish, name)),
            Some(_) if wanted.layout.is_some() || wanted.like.is_some() || wanted.own => {
                let message = "this stream's layout is known, and its memory is the broker's";
                Err(Refusal::new(Reason::InvalidParameter, "layout", message))
            }
            Some(_) => Ok(true),
            None => {
                let stream = self.streams.get(name);
                let source = stream.map(|stream| &stream.config.source);
                match source.filter(|source| hl2ss::is_device(source)) {
                    Some(source) => {
                        let message = format!(
                            "stream {:?} is filled from {source}, by the broker's own worker: choose another name",
                            name.as_str()
                        );
                        Err(Refusal::new(Reason::NotPermitted, name.as_str(), message))
                    }
                    None => Ok(false),
                }
            }
        }
    }
}
