//! What happens to the broker as a whole: streams come and go, configuration is read again, time passes.
//!
//! Owns the order of these things; never disturbs a stream that did not change.

use super::tell::event;
use super::{Broker, BrokerError, Next, Signal, controls};
use crate::access::Access;
use crate::config::Config;
use crate::engine::{EngineError, Token};
use rustix::event::PollFlags;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use sd_notify::NotifyState;
use streamem_sys::clock::monotonic_ns;
use streamem_wire::message::Change;
use streamem_wire::{SessionId, StreamName, SubscriptionId};
use tracing::{error, info, warn};

/// How long a subscription from before a restart that holds nothing waits for its owner.
const ORPHAN_NS: u64 = 60_000_000_000;

impl Broker {
    pub(super) fn take_signals(&mut self) -> Result<Next, BrokerError> {
        for signal in self.signals.take() {
            match signal {
                Signal::End => return Ok(Next::End),
                Signal::Reload => self.reload(),
            }
        }
        self.engine
            .watch(self.signals.pipe(), PollFlags::IN, Token::Signal)?;
        Ok(Next::GoOn)
    }

    pub(super) fn tick(&mut self) -> Result<(), BrokerError> {
        self.engine.tick(self.tick, Token::Tick)?;
        if sd_notify::watchdog_enabled().is_some() {
            self.manager.tell_now(&[NotifyState::Watchdog]);
        }
        self.manager.flush(monotonic_ns());
        let left_out = self.faults.pass();
        if left_out > 0 {
            warn!("{left_out} more faults of peers in the last second");
        }
        if !self.accepting {
            self.accept_next()?;
        }
        self.serve_half_closed();
        let now_ns = monotonic_ns();
        self.let_go_late(now_ns);
        let lost: Vec<StreamName> = self
            .streams
            .iter()
            .filter(|stream| stream.must_retry(now_ns))
            .map(|stream| stream.name.clone())
            .collect();
        for name in lost {
            self.retry(&name);
        }
        self.plug_out();
        self.look_after_workers(now_ns)?;
        if now_ns - self.started_ns > ORPHAN_NS && !self.orphans.is_empty() {
            self.bury_idle();
        }
        Ok(())
    }

    /// The source of a stream is gone; it is said once, however often it is tried in vain.
    pub(super) fn lose(&mut self, name: &StreamName, why: String) {
        let Some(stream) = self.streams.get_mut(name) else {
            return;
        };
        let is_news = stream.why_lost() != Some(&why);
        stream.lose(why.clone());
        if is_news {
            warn!(stream = %name, "source lost: {why}");
            self.tell_stream(Change::Changed, "stream-lost", name, Some(why));
        }
    }

    pub(super) fn retry(&mut self, name: &StreamName) {
        match self.streams.retry(name) {
            Ok(()) => {
                if self
                    .streams
                    .get(name)
                    .is_some_and(|stream| stream.why_lost().is_none())
                {
                    self.tell_stream(Change::Changed, "stream-live", name, None);
                }
            }
            Err(why) => {
                if let Some(stream) = self.streams.get_mut(name) {
                    stream.lose(why.to_string());
                }
            }
        }
    }

    /// Tells everybody of a new stream, and gives it to those who waited for it.
    pub(super) fn announce(&mut self, name: &StreamName) {
        self.tell_stream(Change::Appeared, "stream-added", name, None);
        self.follow();
        self.serve_pending();
    }

    /// Removes a stream, and tells everybody.
    pub(super) fn remove(&mut self, name: &StreamName) {
        self.hotplugged.remove(name);
        // Told first, while it is still known who may see it.
        self.tell_stream(Change::Vanished, "stream-removed", name, None);
        if let Some(stream) = self.streams.remove(name) {
            for reader in stream.readers() {
                self.claim_back(reader.seat.id);
            }
        }
    }

    fn reload(&mut self) {
        if let Ok(began) = NotifyState::monotonic_usec_now() {
            self.manager.tell(&[NotifyState::Reloading, began]);
        }
        match Config::load(self.config_place.as_deref()) {
            Ok(config) => self.take_over(config),
            Err(why) => error!(
                "the configuration was not read again, the former one stays in force:\n{why}"
            ),
        }
        self.manager.tell(&[NotifyState::Ready]);
    }

    /// Asks to be told when the service manager takes messages again, if some wait for it.
    pub(super) fn poll_manager(&mut self) -> Result<(), EngineError> {
        if let Some(socket) = self.manager.full().filter(|_| !self.awaiting_manager) {
            self.engine.watch(socket, PollFlags::OUT, Token::Manager)?;
            self.awaiting_manager = true;
        }
        Ok(())
    }

    fn take_over(&mut self, new: Config) {
        let old = std::mem::replace(&mut self.config, new);
        if old.socket != self.config.socket {
            warn!("the socket's place is only changed by a restart");
        }
        if old.pool != self.config.pool {
            warn!("[pool] is only changed for streams that are added or changed from now on");
        }
        self.accounts.set_limit(self.config.quota);
        for name in old
            .streams
            .keys()
            .filter(|name| !self.config.streams.contains_key(*name))
            .cloned()
            .collect::<Vec<_>>()
        {
            self.remove(&name);
        }
        self.make_way();
        let mut appeared = Vec::new();
        for (name, wanted) in self.config.streams.clone() {
            let access = wanted
                .access
                .clone()
                .unwrap_or_else(|| self.config.access.clone());
            if self.streams.get(&name).is_none() {
                match self.streams.add(&name, wanted, access, &self.config.pool) {
                    Ok(()) => appeared.push(name),
                    Err(why) => error!(stream = %name, "not added: {why}"),
                }
                continue;
            }
            self.regrant(&name, access);
            let Some(stream) = self.streams.get_mut(&name) else {
                continue;
            };
            stream.config.access = wanted.access;
            if stream.config.controls != wanted.controls {
                stream.config.controls.clone_from(&wanted.controls);
                if let Some(camera) = stream.camera() {
                    controls::set_later(camera, wanted.controls);
                }
            }
            if stream.config.source != wanted.source {
                self.change(&name, &wanted.source);
            }
        }
        let of_calls = self.streams.iter().map(|stream| stream.name.clone());
        for name in of_calls.collect::<Vec<_>>() {
            if !self.config.streams.contains_key(&name) {
                self.regrant(&name, self.config.access.clone());
            }
        }
        self.hotplugged
            .retain(|name| !self.config.streams.contains_key(name));
        for name in appeared {
            self.announce(&name);
        }
        self.plug_in();
        self.serve_pending();
        info!("the configuration was read again");
        self.tell(event("reloaded"));
    }

    /// Gives the rights to a stream anew; who watches sees it come and go with them.
    fn regrant(&mut self, name: &StreamName, access: Access) {
        let before = self.watchers(name);
        if let Some(stream) = self.streams.get_mut(name) {
            stream.access = access;
        }
        let after = self.watchers(name);
        let only_in = |some: &[SessionId], others: &[SessionId]| -> Vec<SessionId> {
            let only = some.iter().filter(|id| !others.contains(id));
            only.copied().collect()
        };
        self.tell_watchers(Change::Appeared, name, &only_in(&after, &before));
        self.tell_watchers(Change::Vanished, name, &only_in(&before, &after));
    }

    fn change(&mut self, name: &StreamName, source: &crate::source::SourceUri) {
        match self.streams.change(name, source, &self.config.pool) {
            Ok(()) => self.tell_stream(Change::Changed, "stream-renewed", name, None),
            Err(why) => {
                error!(stream = %name, "cannot be changed as the configuration asks: {why}");
                if let Some(stream) = self.streams.get_mut(name).filter(|stream| !stream.runs()) {
                    stream.lose(why.to_string());
                }
            }
        }
    }

    /// Waits for the end of a process that held a subscription before a restart.
    pub(super) fn watch_owner(&mut self, id: SubscriptionId, pid: u32) -> Result<(), EngineError> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        match pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) {
            Some(pidfd) => {
                self.engine.watch(&pidfd, PollFlags::IN, Token::Owner(id))?;
                self.orphans.insert(id, pidfd);
            }
            None => drop(self.streams.leave(id)),
        }
        Ok(())
    }

    /// The owner of a subscription from before a restart has ended.
    pub(super) fn bury(&mut self, id: SubscriptionId) {
        if self.orphans.remove(&id).is_some() {
            self.end_subscription(id);
        }
    }

    fn bury_idle(&mut self) {
        let holds = |id: &SubscriptionId| {
            self.streams
                .of_subscription(*id)
                .and_then(|stream| stream.reader(*id))
                .is_some_and(|reader| reader.seat.held() > 0)
        };
        let idle: Vec<SubscriptionId> = self
            .orphans
            .keys()
            .filter(|id| !holds(id))
            .copied()
            .collect();
        for id in idle {
            self.claim_back(id);
            self.end_subscription(id);
        }
    }

    /// A subscription from before a restart no longer waits for its owner.
    pub(super) fn claim_back(&mut self, id: SubscriptionId) {
        if self.orphans.remove(&id).is_some()
            && let Err(why) = self.engine.forget(Token::Owner(id))
        {
            warn!("subscription {id}: {why}");
        }
    }
}
