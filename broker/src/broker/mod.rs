//! The broker: one loop that is one `match` over what happened.
//!
//! Owns the sessions and the streams and lets them meet; never blocks but in the engine, and never
//! touches a pixel.

mod cameras;
mod controls;
mod decoded;
mod describe;
mod errands;
mod leaving;
mod lifecycle;
mod methods;
mod publications;
mod published;
mod sessions;
mod signals;
mod subscriptions;
mod tell;
mod workers;

pub use signals::{Signal, Signals};

use crate::config::Config;
use crate::engine::{Completion, Engine, EngineError, Token};
use crate::listener::Listener;
use crate::manager::Manager;
use crate::quota::Accounts;
use crate::session::{Over, Session};
use crate::source::v4l2::Plugged;
use crate::store::{Kept, Store};
use crate::stream::{Report, Turn};
use crate::streams::{StreamError, Streams};
use crate::workers::Workers;
use cameras::{close_elsewhere, watch_for_cameras};
use leaving::Leaver;
use rustix::event::PollFlags;
use sd_notify::NotifyState;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;
use streamem_sys::clock::monotonic_ns;
use streamem_wire::message::Change;
use streamem_wire::{SessionId, StreamName, SubscriptionId};
use tracing::{debug, info};

/// Lines about peers' faults the log gets each second.
const FAULTS_LOGGED_MAX: u32 = 10;

/// Why the broker cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A stream of the configuration cannot be.
    #[error("stream {name:?}: {cause}")]
    Stream {
        /// Which.
        name: StreamName,
        /// Why.
        cause: StreamError,
    },
    /// The system would not give what is needed.
    #[error("{action} failed: {cause}{}", streamem_sys::remedy(cause))]
    System {
        /// What was tried.
        action: &'static str,
        /// What the kernel said.
        cause: io::Error,
    },
}

/// What the broker is started with.
#[derive(Debug)]
pub struct Start {
    /// The configuration.
    pub config: Config,
    /// Where it was read from, to be read again at SIGHUP.
    pub config_place: Option<PathBuf>,
    /// The socket.
    pub listener: Listener,
    /// What a former broker left.
    pub kept: Kept,
    /// Whether memory outlives this one.
    pub store: Store,
    /// Who started it.
    pub manager: Manager,
}

/// The broker.
#[derive(Debug)]
pub struct Broker {
    engine: Engine,
    listener: Listener,
    signals: Signals,
    manager: Manager,
    awaiting_manager: bool,
    streams: Streams,
    workers: Workers,
    plugged: Option<Plugged>,
    hotplugged: BTreeSet<StreamName>,
    /// Threads that ask cameras for their controls.
    asking: u32,
    sessions: BTreeMap<SessionId, Session>,
    sessions_begun: u64,
    accounts: Accounts,
    orphans: BTreeMap<SubscriptionId, OwnedFd>,
    touched: BTreeSet<SessionId>,
    unanswered: BTreeSet<SessionId>,
    leaving: BTreeMap<SessionId, Leaver>,
    ending: Vec<(SessionId, Over)>,
    faults: Faults,
    config: Config,
    config_place: Option<PathBuf>,
    started_ns: u64,
    tick: Duration,
    accepting: bool,
}

/// Keeps the log readable, and the loop from waiting for it, when peers misbehave in numbers.
#[derive(Debug, Default)]
struct Faults {
    this_second: u32,
}

impl Faults {
    /// Whether one more line about a peer's fault fits into this second.
    fn may_log(&mut self) -> bool {
        self.this_second += 1;
        self.this_second <= FAULTS_LOGGED_MAX
    }

    /// A second has passed. Returns how many lines were left out.
    fn pass(&mut self) -> u32 {
        std::mem::take(&mut self.this_second).saturating_sub(FAULTS_LOGGED_MAX)
    }
}

/// Whether the loop goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    End,
}

impl Broker {
    /// Brings everything up; when this returns, clients can connect.
    pub fn new(start: Start) -> Result<Broker, BrokerError> {
        let failed = |action| move |cause: io::Error| BrokerError::System { action, cause };
        let engine = Engine::open()?;
        let signals = Signals::catch().map_err(failed("catching signals"))?;
        let mut streams =
            Streams::new(start.store).map_err(|e| failed("making an eventfd")(e.into()))?;
        let waiting = streams
            .start(&start.config, start.kept)
            .map_err(|(name, cause)| BrokerError::Stream { name, cause })?;
        let workers = Workers::new(streams.reports().mailbox());
        // A watchdog is fed three times in its time.
        let watchdog = sd_notify::watchdog_enabled().map(|time| time / 3);
        let tick = watchdog
            .unwrap_or(Duration::MAX)
            .min(Duration::from_secs(1));
        let mut broker = Broker {
            engine,
            listener: start.listener,
            signals,
            manager: start.manager,
            awaiting_manager: false,
            streams,
            workers,
            plugged: watch_for_cameras(),
            hotplugged: BTreeSet::new(),
            asking: 0,
            sessions: BTreeMap::new(),
            sessions_begun: 0,
            accounts: Accounts::new(start.config.quota),
            orphans: BTreeMap::new(),
            touched: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            leaving: BTreeMap::new(),
            ending: Vec::new(),
            faults: Faults::default(),
            config: start.config,
            config_place: start.config_place,
            started_ns: monotonic_ns(),
            tick,
            accepting: false,
        };
        broker
            .engine
            .watch(broker.signals.pipe(), PollFlags::IN, Token::Signal)?;
        broker
            .engine
            .read_reports(broker.streams.reports().eventfd(), Token::Reports)?;
        broker.engine.tick(broker.tick, Token::Tick)?;
        broker.await_cameras()?;
        broker.plug_in();
        broker.follow();
        broker.employ()?;
        broker.accept_next()?;
        for (id, pid) in waiting {
            broker.watch_owner(id, pid)?;
        }
        Ok(broker)
    }

    /// How many streams there are.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.streams.iter().count()
    }

    /// Runs until a signal ends it.
    pub fn run(&mut self) -> Result<(), BrokerError> {
        let mut completions = Vec::new();
        loop {
            let is_idle = self.unanswered.is_empty();
            self.engine.wait(&mut completions, is_idle)?;
            for completion in completions.drain(..) {
                if self.handle(completion)? == Next::End {
                    self.drain();
                    return Ok(());
                }
            }
            self.go_on_answering();
            self.follow();
            self.employ()?;
            self.poll_touched()?;
            self.poll_manager()?;
        }
    }

    fn handle(&mut self, completion: Completion) -> Result<Next, BrokerError> {
        match completion.token {
            Token::Reports => self.take_reports()?,
            Token::Session(id) => self.serve(id, completion.result),
            Token::Listener => self.admit(completion)?,
            Token::Signal => return self.take_signals(),
            Token::Tick => self.tick()?,
            Token::Owner(id) => self.bury(id),
            Token::Leaver(id) => self.let_go(id),
            Token::Plugged => self.look_for_cameras()?,
            Token::Worker(number) => self.bury_worker(number),
            Token::Orders(number) => self.hear_worker(number)?,
            Token::Words(number) => self.hear_words(number)?,
            Token::Manager => {
                self.awaiting_manager = false;
                self.manager.flush(monotonic_ns());
            }
            Token::Nobody => {
                if let Err(error) = completion.result {
                    debug!("a request nobody waits for failed: {error}");
                }
            }
        }
        Ok(Next::GoOn)
    }

    fn take_reports(&mut self) -> Result<(), BrokerError> {
        while let Some(report) = self.streams.reports().take() {
            let (source, turn) = match report {
                Report::Source(source, turn) => (source, turn),
                Report::Controls(session, answer) => {
                    self.tell_controls(session, answer);
                    continue;
                }
                Report::Dialled { dial, outcome } => {
                    self.workers.dialled(dial, outcome);
                    continue;
                }
            };
            let publication = self.streams.publication_as(source);
            let Some(stream) = self.streams.of_source(source) else {
                if let Turn::Ready(ready) = turn {
                    close_elsewhere(ready.camera);
                }
                continue;
            };
            let name = stream.name.clone();
            match (turn, publication) {
                (Turn::Ended(why), Some(publication)) => self.end_publication(publication, &why),
                (Turn::Ended(why), None) => self.lose(&name, why),
                // What is to come of that is seen at the end of this turn.
                (Turn::Over, _) => {}
                (Turn::Ready(ready), _) => self.go_on_with(&name, *ready),
                (Turn::Unfit(fill, why), _) => self.avoid(&name, fill, why),
                (Turn::Silent(why), _) => {
                    stream.say_lost(why.clone());
                    self.tell_stream(Change::Changed, "stream-lost", &name, Some(why));
                }
                (Turn::Back, _) => {
                    stream.say_live();
                    self.tell_stream(Change::Changed, "stream-live", &name, None);
                }
            }
        }
        self.engine
            .read_reports(self.streams.reports().eventfd(), Token::Reports)?;
        Ok(())
    }

    /// Sends what is owed and lets go.
    fn drain(&mut self) {
        info!("ending");
        self.manager.tell(&[NotifyState::Stopping]);
        self.workers.end();
        for stream in self.streams.iter_mut() {
            stream.suspend();
        }
        for _ in 0..20 {
            for session in self.sessions.values_mut() {
                // A peer that is gone has nothing to wait for.
                let _gone = session.write();
            }
            self.manager.flush(monotonic_ns());
            if self.sessions.values().all(Session::is_drained) && !self.manager.is_owed() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
