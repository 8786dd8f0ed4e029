//! Sessions: how they begin, are served and end.
//!
//! Owns the order of these things; never blocks, and never lets one peer's fault reach another.

use super::tell::event;
use super::{Broker, BrokerError};
use crate::access::Peer;
use crate::engine::{Completion, EngineError, Token};
use crate::peer;
use crate::quota::Charge;
use crate::session::{Over, Poll, Session};
use rustix::event::PollFlags;
use rustix::io::Errno;
use std::io;
use std::os::fd::OwnedFd;
use streamem_sys::clock::monotonic_ns;
use streamem_wire::message::{Change, Event, Quota};
use streamem_wire::{SessionId, StreamName, SubscriptionId};
use tracing::{debug, warn};

/// Calls of one session that are answered before others have their turn.
const CALLS_PER_TURN: u32 = 8;

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
        let one = Quota {
            sessions: 1,
            ..Quota::default()
        };
        match self.accounts.charge(peer.uid, one) {
            Ok(charge) => drop(self.open_session(peer, socket, charge, None)),
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

    /// A session for a worker to publish this stream; it is charged to nobody.
    pub(super) fn begin_errand(
        &mut self,
        peer: Peer,
        socket: OwnedFd,
        of: StreamName,
    ) -> SessionId {
        let charge = self.accounts.nothing();
        self.open_session(peer, socket, charge, Some(of))
    }

    fn open_session(
        &mut self,
        peer: Peer,
        socket: OwnedFd,
        charge: Charge,
        errand: Option<StreamName>,
    ) -> SessionId {
        self.sessions_begun += 1;
        let id = SessionId(self.sessions_begun);
        let (pid, uid) = (peer.pid, peer.uid);
        debug!(session = id.0, pid, uid, "session opened");
        let mut session = Session::new(id, peer, socket, monotonic_ns(), charge);
        session.errand = errand;
        self.sessions.insert(id, session);
        self.touched.insert(id);
        self.tell(Event {
            session: Some(id),
            pid: Some(pid),
            ..event("session-opened")
        });
        id
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
            self.undo_undelivered(id);
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
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

    /// Tries again to send what half-closed peers are owed.
    pub(super) fn serve_half_closed(&mut self) {
        let owed = self.sessions.values();
        let owed: Vec<SessionId> = owed
            .filter(|session| session.owes_half_closed())
            .map(|session| session.id)
            .collect();
        for id in owed {
            self.serve(id, Ok(PollFlags::OUT.bits().into()));
        }
    }

    /// Answers some of the calls that have come; the others wait until everybody else had a turn.
    pub(super) fn answer_calls(&mut self, id: SessionId) -> Result<(), Over> {
        for _ in 0..CALLS_PER_TURN {
            let Some(session) = self.sessions.get_mut(&id) else {
                return Ok(());
            };
            let Some(call) = session.take_call()? else {
                return Ok(());
            };
            self.answer(id, &call)?;
        }
        self.unanswered.insert(id);
        Ok(())
    }

    /// Goes on with those whose calls were not all answered in the last turn.
    pub(super) fn go_on_answering(&mut self) {
        for id in std::mem::take(&mut self.unanswered) {
            self.touched.insert(id);
            if let Err(over) = self.answer_calls(id) {
                self.end_session(id, &over);
            }
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
        self.unanswered.remove(&id);
        let given_up = self.workers.session_ended(id, monotonic_ns());
        let lost = match &given_up {
            Some(stream) => self.why_given_up(stream),
            None => format!("its publisher (pid {}) has gone", session.peer.pid),
        };
        for publication in self.streams.published_by(id) {
            self.end_publication(publication, &lost);
        }
        if let Some(stream) = given_up {
            self.lose_filled(&stream, lost);
        }
        self.tell(Event {
            session: Some(id),
            pid: Some(session.peer.pid),
            message: Some(why.to_string()),
            ..event("session-closed")
        });
        if matches!(why, Over::Closed) {
            self.end_subscriptions_of(id);
        } else {
            self.await_hang_up(session);
        }
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
            // Who has calls waiting is not read from, and has its turn anyway.
            if self.unanswered.contains(&id) {
                continue;
            }
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
