//! Telling those who watch streams or monitor events what happened.
//!
//! Owns who is told what; never tells anybody of a stream they may not see.

use super::{Broker, methods};
use crate::access::Right;
use crate::session::Session;
use streamem_sys::clock::monotonic_ns;
use streamem_wire::message::{Change, Event, Listing};
use streamem_wire::{SessionId, StreamName};

impl Broker {
    /// Tells those who monitor, as far as they may know.
    pub(super) fn tell(&mut self, event: Event) {
        let told: Vec<SessionId> = self
            .sessions
            .values()
            .filter(|session| session.monitoring)
            .filter(|session| match &event.stream {
                Some(name) if event.subscription.is_none() => self.may(session, name, Right::See),
                _ => self.config.access.allows(Right::Admin, &session.peer),
            })
            .map(|session| session.id)
            .collect();
        self.send_all(&told, &methods::parameters(&event));
    }

    /// Tells those who watch streams that this one changed, and those who monitor what happened.
    pub(super) fn tell_stream(
        &mut self,
        change: Change,
        what: &str,
        name: &StreamName,
        message: Option<String>,
    ) {
        self.tell_watchers(change, name, &self.watchers(name));
        if !what.is_empty() {
            self.tell(Event {
                stream: Some(name.clone()),
                message,
                ..event(what)
            });
        }
    }

    /// Those who watch streams and may see this one.
    pub(super) fn watchers(&self, name: &StreamName) -> Vec<SessionId> {
        let sessions = self.sessions.values();
        let told = sessions
            .filter(|session| session.watching && self.may(session, name, Right::See))
            .map(|session| session.id);
        told.collect()
    }

    /// Tells these watchers that a stream changed.
    pub(super) fn tell_watchers(&mut self, change: Change, name: &StreamName, told: &[SessionId]) {
        let Some(stream) = self.streams.get(name).filter(|_| !told.is_empty()) else {
            return;
        };
        let listing = Listing {
            change,
            streams: vec![stream.describe()],
        };
        self.send_all(told, &methods::parameters(&listing));
    }

    fn send_all(&mut self, sessions: &[SessionId], parameters: &methods::Parameters) {
        for id in sessions {
            let Some(session) = self.sessions.get_mut(id) else {
                continue;
            };
            self.touched.insert(*id);
            if let Err(over) = session.reply(&methods::continued(parameters.clone()), None) {
                self.ending.push((*id, over));
            }
        }
    }

    pub(super) fn may(&self, session: &Session, stream: &StreamName, right: Right) -> bool {
        let access = self
            .streams
            .get(stream)
            .map_or(&self.config.access, |stream| &stream.access);
        access.allows(right, &session.peer)
    }
}

/// An event that happened now.
pub(super) fn event(what: &str) -> Event {
    Event {
        at_ns: monotonic_ns(),
        event: what.to_owned(),
        stream: None,
        session: None,
        subscription: None,
        pid: None,
        message: None,
    }
}
