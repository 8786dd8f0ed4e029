//! Readers whose session the broker closed: what they hold stays theirs until they know of it.
//!
//! Owns how long; never reads from them, and never sends them anything.

use super::Broker;
use crate::engine::Token;
use crate::session::Session;
use rustix::event::PollFlags;
use streamem_sys::clock::monotonic_ns;
use streamem_wire::SessionId;
use tracing::warn;

/// How long a peer has to hang up. It is looked at each second, so it is 5 s at most.
const HANG_UP_NS: u64 = 4_000_000_000;

/// A session that was closed while it read; with it, its user is charged as before.
#[derive(Debug)]
pub(super) struct Leaver {
    _session: Session,
    until_ns: u64,
}

impl Broker {
    /// Keeps what the session reads until its peer has hung up.
    pub(super) fn await_hang_up(&mut self, session: Session) {
        let id = session.id;
        if self.streams.readers_of(id).is_empty() {
            return;
        }
        session.say_goodbye();
        // A hang-up is told whatever is asked for.
        let hang_up = PollFlags::empty();
        let watched = self
            .engine
            .watch(session.socket(), hang_up, Token::Leaver(id));
        if let Err(error) = watched {
            warn!("session {id}: {error}");
            return self.end_subscriptions_of(id);
        }
        let leaver = Leaver {
            _session: session,
            until_ns: monotonic_ns() + HANG_UP_NS,
        };
        self.leaving.insert(id, leaver);
    }

    /// The peer has hung up, or had its time to.
    pub(super) fn let_go(&mut self, id: SessionId) {
        if self.leaving.remove(&id).is_some() {
            self.end_subscriptions_of(id);
        }
    }

    /// Lets go of those who had their time.
    pub(super) fn let_go_late(&mut self, now_ns: u64) {
        let late = self.leaving.iter().filter(|(_, it)| it.until_ns <= now_ns);
        for id in late.map(|(id, _)| *id).collect::<Vec<_>>() {
            if let Err(error) = self.engine.forget(Token::Leaver(id)) {
                warn!("session {id}: {error}");
            }
            self.let_go(id);
        }
    }

    /// Ends all that a session reads.
    pub(super) fn end_subscriptions_of(&mut self, id: SessionId) {
        for subscription in self.streams.readers_of(id) {
            self.end_subscription(subscription);
        }
    }
}
