//! Sessions: how they begin, are served and end.
//!
//! Owns the order of these things; never blocks, and never lets one peer's fault reach another.

use super::tell::event;
use super::{Broker, BrokerError};
use crate::engine::{Completion, EngineError, Token};
use crate::peer;
use crate::session::{Over, Poll, Session};
use rustix::event::PollFlags;
use rustix::io::Errno;
use std::io;
use std::os::fd::OwnedFd;
use streamem_sys::clock::monotonic_ns;
use streamem_wire::message::{Change, Event, Quota};
use streamem_wire::{SessionId, SubscriptionId};
use tracing::{debug, warn};

impl Broker {
    pub(super) fn accept_next(&mut self) -> Result<(), EngineError> {
        self.accepting = true;
        self.engine.accept(&self.listener, Token::Listener)
    }

    pub(super) fn admit(&mut self, completion: Completion) -> Result<(), BrokerError> {
        match completion.connection() {
            Ok(socket) => self.begin_session(socket),
            Err(error) => {
                warn!(
                    "no connection can be taken in: {error}; trying again in a second (raise LimitNOFILE= of the service if this stays)"
                );
                self.accepting = false;
                return Ok(());
            }
        }
        Ok(self.accept_next()?)
    }

    fn begin_session(&mut self, socket: OwnedFd) {
        let peer = match peer::of(&socket) {
            Ok(peer) => peer,
            Err(error) => {
                return warn!("a client whose credentials cannot be had was turned away: {error}");
            }
        };
        self.sessions_begun += 1;
        let id = SessionId(self.sessions_begun);
        let one = Quota {
            sessions: 1,
            ..Quota::default()
        };
        match self.accounts.charge(peer.uid, one) {
            Ok(charge) => {
                debug!(
                    session = id.0,
                    pid = peer.pid,
                    uid = peer.uid,
                    "session opened"
                );
                let pid = peer.pid;
                self.sessions
                    .insert(id, Session::new(id, peer, socket, monotonic_ns(), charge));
                self.touched.insert(id);
                self.tell(Event {
                    session: Some(id),
                    pid: Some(pid),
                    ..event("session-opened")
                });
            }
            Err(refusal) => {
                if self.faults.may_log() {
                    warn!(
                        uid = peer.uid,
                        pid = peer.pid,
                        "a client was turned away: {refusal}"
                    );
                }
                let bytes = streamem_wire::varlink::encode(&refusal.reply());
                // It is told why if its socket takes that much at once, which a fresh one does.
                let _told = streamem_sys::socket::send(&socket, &bytes, &[]);
            }
        }
    }

    pub(super) fn serve(&mut self, id: SessionId, result: io::Result<u32>) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        self.touched.insert(id);
        let ready = match result {
            Ok(ready) => PollFlags::from_bits_truncate(u16::try_from(ready & 0xffff).unwrap_or(0)),
            Err(error) if error.raw_os_error() == Some(Errno::CANCELED.raw_os_error()) => {
                PollFlags::empty()
            }
            Err(_) => PollFlags::ERR,
        };
        let gone = session.polled(ready);
        let mut outcome = Ok(());
        if ready.contains(PollFlags::OUT) {
            outcome = session.write();
        }
        if outcome.is_ok() && ready.contains(PollFlags::IN) {
            outcome = session.read();
        }
        let outcome = outcome.and_then(|()| self.answer_calls(id));
        match outcome {
            Err(over) => self.end_session(id, &over),
            Ok(()) if gone => self.end_session(id, &Over::Closed),
            Ok(()) => {}
        }
    }

    pub(super) fn answer_calls(&mut self, id: SessionId) -> Result<(), Over> {
        loop {
            let Some(session) = self.sessions.get_mut(&id) else {
                return Ok(());
            };
            let Some(call) = session.take_call()? else {
                return Ok(());
            };
            self.answer(id, &call)?;
        }
    }

    /// Ends a session and everything it had.
    pub(super) fn end_session(&mut self, id: SessionId, why: &Over) {
        let Some(session) = self.sessions.remove(&id) else {
            return;
        };
        match why {
            Over::Closed => debug!(session = id.0, pid = session.peer.pid, "session closed"),
            fault if !self.faults.may_log() => {
                debug!(session = id.0, "session closed by us: {fault}")
            }
            fault => warn!(
                session = id.0,
                pid = session.peer.pid,
                uid = session.peer.uid,
                "session closed by us: {fault}"
            ),
        }
        if let Err(error) = self.engine.forget(Token::Session(id)) {
            warn!("session {id}: {error}");
        }
        for subscription in self.streams.readers_of(id) {
            self.end_subscription(subscription);
        }
        for publication in self.streams.published_by(id) {
            let why = format!("its publisher (pid {}) has gone", session.peer.pid);
            self.end_publication(publication, &why);
        }
        self.tell(Event {
            session: Some(id),
            pid: Some(session.peer.pid),
            message: Some(why.to_string()),
            ..event("session-closed")
        });
    }

    pub(super) fn end_subscription(&mut self, id: SubscriptionId) {
        if let Some(stream) = self.streams.leave(id) {
            self.tell_stream(Change::Changed, "", &stream, None);
            self.tell(Event {
                subscription: Some(id),
                stream: Some(stream.clone()),
                ..event("unsubscribed")
            });
            self.remove_abandoned(&stream);
        }
    }

    /// Ends the sessions that are to end, and asks to be told of those that were served.
    pub(super) fn poll_touched(&mut self) -> Result<(), BrokerError> {
        while let Some((id, over)) = self.ending.pop() {
            self.end_session(id, &over);
        }
        while let Some(id) = self.touched.pop_first() {
            let Some(session) = self.sessions.get_mut(&id) else {
                continue;
            };
            let token = Token::Session(id);
            match session.poll() {
                Poll::For(ready) => self.engine.watch(session.socket(), ready, token)?,
                Poll::Forget => self.engine.forget(token)?,
                Poll::Nothing => {}
            }
        }
        Ok(())
    }
}
