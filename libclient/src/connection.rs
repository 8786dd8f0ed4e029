//! A connection to the broker: varlink calls and the descriptors that come with replies.
//!
//! Owns the socket and what was received of the next message; never waits beyond a deadline, never
//! knows what a method means.

use crate::deadline::{Deadline, wait_for};
use crate::error::{Error, Fault};
use crate::place::places;
use rustix::event::PollFlags;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::io::ErrorKind;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;
use streamem_sys::socket::{FDS_MAX, receive, send};
use streamem_wire::Refusal;
use streamem_wire::varlink::{Call, Inbox, REPLY_BYTES_MAX, Reply, encode};

/// How long the broker may take for an answer it has at hand.
pub(crate) const ANSWER_TIME: Duration = Duration::from_secs(10);
const RETRY_TIME: Duration = Duration::from_millis(10);
const READ_BYTES: usize = 16 * 1024;
/// Where a socket is connected to that was given.
const GIVEN: &str = "(a socket that was given)";

/// What came in answer to a call.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) results: T,
    pub(crate) descriptors: Descriptors,
    pub(crate) continues: bool,
}

/// Descriptors that came with a reply, to be taken by their places.
#[derive(Debug, Default)]
pub(crate) struct Descriptors(Vec<Option<OwnedFd>>);

impl Descriptors {
    pub(crate) fn arrived(&self) -> usize {
        self.0.len()
    }

    /// Takes the one at `place`; each can be taken once.
    pub(crate) fn take(&mut self, place: u32) -> Option<OwnedFd> {
        self.0.get_mut(usize::try_from(place).ok()?)?.take()
    }
}

/// A connected socket and what was received of the next message.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: Arc<OwnedFd>,
    place: PathBuf,
    inbox: Inbox,
    fds: Vec<OwnedFd>,
    asked: String,
}

impl Connection {
    /// Connects to the first place where somebody answers.
    pub(crate) fn open(explicit: Option<&Path>, deadline: Deadline) -> Result<Connection, Error> {
        let mut told: Option<Error> = None;
        for place in places(explicit) {
            let failed = match Connection::open_at(&place, deadline) {
                Ok(connection) => return Ok(connection),
                Err(error) => error,
            };
            let says_more = match &failed {
                Error::NoBroker { cause, .. } => cause.kind() != ErrorKind::NotFound,
                _ => true,
            };
            if told.is_none() || says_more {
                told = Some(failed);
            }
        }
        Err(told.unwrap_or_else(|| Error::system("finding the broker", Errno::NOENT)))
    }

    /// Connects to this place; a broker whose queue is full is tried again until the deadline.
    pub(crate) fn open_at(place: &Path, deadline: Deadline) -> Result<Connection, Error> {
        let no_broker = |cause: Errno| Error::NoBroker {
            socket: place.to_owned(),
            cause: cause.into(),
        };
        let address = SocketAddrUnix::new(place).map_err(|_| no_broker(Errno::INVAL))?;
        let socket = socket_with(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )
        .map_err(|e| Error::system("making a socket", e))?;
        loop {
            match connect(&socket, &address) {
                Ok(()) => break,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if !deadline.is_over() => sleep(deadline.slice(RETRY_TIME)),
                Err(error) => return Err(no_broker(error)),
            }
        }
        Ok(Connection {
            socket: Arc::new(socket),
            place: place.to_owned(),
            inbox: Inbox::new(REPLY_BYTES_MAX),
            fds: Vec::new(),
            asked: String::new(),
        })
    }

    /// Speaks over a socket that is connected already.
    pub(crate) fn over(socket: OwnedFd) -> Result<Connection, Error> {
        let non_blocking =
            fcntl_getfl(&socket).and_then(|flags| fcntl_setfl(&socket, flags | OFlags::NONBLOCK));
        non_blocking.map_err(|error| Error::system("using the given socket", error))?;
        Ok(Connection {
            socket: Arc::new(socket),
            place: PathBuf::from(GIVEN),
            inbox: Inbox::new(REPLY_BYTES_MAX),
            fds: Vec::new(),
            asked: String::new(),
        })
    }

    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// The socket; while a clone of it lives the session does.
    pub(crate) fn socket(&self) -> &Arc<OwnedFd> {
        &self.socket
    }

    /// Whether the other end is gone.
    pub(crate) fn hung_up(&self) -> bool {
        wait_for(&*self.socket, PollFlags::RDHUP, Deadline::now()).unwrap_or(true)
    }

    /// Calls a method and waits for its only reply.
    pub(crate) fn call<T: DeserializeOwned>(
        &mut self,
        method: &str,
        parameters: &impl Serialize,
    ) -> Result<Answer<T>, Error> {
        let deadline = Deadline::after(ANSWER_TIME);
        self.ask(method, parameters, false, deadline)?;
        let answer = self.answer(deadline)?;
        answer.ok_or_else(|| self.no_answer())
    }

    /// Sends a call; the reply, or with `more` the replies, are then to be had by [`answer`].
    ///
    /// [`answer`]: Connection::answer
    pub(crate) fn ask(
        &mut self,
        method: &str,
        parameters: &impl Serialize,
        more: bool,
        deadline: Deadline,
    ) -> Result<(), Error> {
        self.ask_bringing(method, parameters, more, &[], deadline)
    }

    /// Sends a call, and descriptors beside it.
    pub(crate) fn ask_bringing(
        &mut self,
        method: &str,
        parameters: &impl Serialize,
        more: bool,
        mut brought: &[BorrowedFd<'_>],
        deadline: Deadline,
    ) -> Result<(), Error> {
        method.clone_into(&mut self.asked);
        let parameters = match serde_json::to_value(parameters) {
            Ok(Value::Object(parameters)) => parameters,
            _ => Map::new(),
        };
        let call = encode(&Call {
            method: method.to_owned(),
            parameters,
            more,
            ..Call::default()
        });
        let mut unsent = &call[..];
        while !unsent.is_empty() {
            match send(&*self.socket, unsent, brought) {
                Ok(count) => (unsent, brought) = (&unsent[count..], &[]),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if !self.ready(PollFlags::OUT, deadline)? {
                        return Err(self.no_answer());
                    }
                }
                Err(error) => return Err(self.broken(error)),
            }
        }
        Ok(())
    }

    /// The next reply; `None` if it did not come in time and may come later.
    pub(crate) fn answer<T: DeserializeOwned>(
        &mut self,
        deadline: Deadline,
    ) -> Result<Option<Answer<T>>, Error> {
        loop {
            if let Some(reply) = self.inbox.take::<Reply>().map_err(Fault::Message)? {
                return self.understood(reply).map(Some);
            }
            if !self.ready(PollFlags::IN, deadline)? {
                return Ok(None);
            }
            self.read()?;
        }
    }

    fn read(&mut self) -> Result<(), Error> {
        let mut buffer = [0; READ_BYTES];
        let received = match receive(&*self.socket, &mut buffer, RecvFlags::DONTWAIT) {
            Ok(received) => received,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(error) => return Err(self.broken(error)),
        };
        if received.bytes == 0 {
            return Err(self.hang_up());
        }
        self.inbox.push(&buffer[..received.bytes]);
        self.fds.extend(received.fds);
        if self.fds.len() > FDS_MAX {
            return Err(Fault::TooManyDescriptors(FDS_MAX).into());
        }
        Ok(())
    }

    fn understood<T: DeserializeOwned>(&mut self, reply: Reply) -> Result<Answer<T>, Error> {
        let descriptors = Descriptors(self.fds.drain(..).map(Some).collect());
        if let Some(refusal) = Refusal::of(&reply) {
            return Err(refusal.into());
        }
        let continues = reply.continues;
        let results = serde_json::from_value(Value::Object(reply.parameters));
        let results = results.map_err(|cause| Fault::Results {
            method: self.asked.clone(),
            cause,
        })?;
        Ok(Answer {
            results,
            descriptors,
            continues,
        })
    }

    fn ready(&self, events: PollFlags, deadline: Deadline) -> Result<bool, Error> {
        wait_for(&*self.socket, events, deadline)
            .map_err(|error| Error::system("waiting for the broker", error))
    }

    fn broken(&self, error: Errno) -> Error {
        match error {
            Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN => self.hang_up(),
            error => Error::system("talking to the broker", error),
        }
    }

    fn hang_up(&self) -> Error {
        Error::HungUp {
            socket: self.place.clone(),
        }
    }

    pub(crate) fn no_answer(&self) -> Error {
        Error::NoAnswer {
            socket: self.place.clone(),
            seconds: ANSWER_TIME.as_secs(),
        }
    }
}
