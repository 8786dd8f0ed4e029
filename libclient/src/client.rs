//! A session in which the broker is asked questions.
//!
//! Owns one connection and the methods of the interface that concern no frames; never subscribes.

use crate::calibration::Calibration;
use crate::connection::{ANSWER_TIME, Answer, Connection};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::replies::Replies;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use streamem_wire::StreamName;
use streamem_wire::message::{
    AddStream, Control, ControlList, Controls, Event, Inspection, Listing, OfStream, Pong, Stream,
    StreamInfo,
};

/// A connection to the broker for everything but frames.
///
/// After a call that failed for another reason than a refusal, the next one connects again.
///
/// ```no_run
/// # fn main() -> Result<(), streamem::Error> {
/// let mut client = streamem::Client::connect(None)?;
/// for stream in client.list()? {
///     println!("{} {}", stream.name, stream.layout.summary());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Client {
    place: PathBuf,
    connection: Option<Connection>,
}

impl Client {
    /// Connects to the broker at `socket`, or where it usually is.
    pub fn connect(socket: Option<&Path>) -> Result<Client, Error> {
        let deadline = Deadline::after(ANSWER_TIME);
        let connection = Connection::open(socket, deadline)?;
        Ok(Client {
            place: connection.place().to_owned(),
            connection: Some(connection),
        })
    }

    /// Where the broker was found.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.place.clone()
    }

    /// Asks who is there.
    pub fn ping(&mut self) -> Result<Pong, Error> {
        self.call("io.streamem.Ping", ())
    }

    /// The streams there are.
    pub fn list(&mut self) -> Result<Vec<Stream>, Error> {
        let listing: Listing = self.call("io.streamem.List", ())?;
        Ok(listing.streams)
    }

    /// One stream.
    pub fn info(&mut self, stream: &str) -> Result<Stream, Error> {
        let stream = StreamName::new(stream)?;
        let info: StreamInfo = self.call("io.streamem.Info", OfStream { stream })?;
        Ok(info.stream)
    }

    /// Everything the broker holds, as far as this user may see it.
    pub fn inspect(&mut self) -> Result<Inspection, Error> {
        self.call("io.streamem.Inspect", ())
    }

    /// Makes a stream of the source this URI names.
    pub fn add_stream(&mut self, stream: &str, source: &str) -> Result<Stream, Error> {
        let wanted = AddStream {
            stream: StreamName::new(stream)?,
            source: source.to_owned(),
        };
        let info: StreamInfo = self.call("io.streamem.AddStream", wanted)?;
        Ok(info.stream)
    }

    /// What can be set on a stream's camera, after `set` was: names, and for each a number, `true` or
    /// `false`, or a word of its menu.
    pub fn controls(
        &mut self,
        stream: &str,
        set: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Vec<Control>, Error> {
        let wanted = Controls {
            stream: StreamName::new(stream)?,
            set: set.into_iter().collect(),
        };
        let list: ControlList = self.call("io.streamem.Controls", wanted)?;
        Ok(list.controls)
    }

    /// What the device a stream comes from tells of its camera or sensor; nothing where there is nothing, or not
    /// yet.
    pub fn calibration(&mut self, stream: &str) -> Result<Option<Calibration>, Error> {
        let stream = StreamName::new(stream)?;
        let answer = self.answer("io.streamem.GetCalibration", OfStream { stream })?;
        Calibration::of(answer.results, answer.descriptors)
    }

    /// Ends a stream.
    pub fn remove_stream(&mut self, stream: &str) -> Result<(), Error> {
        let stream = StreamName::new(stream)?;
        let _: serde_json::Value = self.call("io.streamem.RemoveStream", OfStream { stream })?;
        Ok(())
    }

    /// The streams there are, then each that comes, changes or goes; on a connection of its own.
    pub fn watch_streams(&self) -> Result<Replies<Listing>, Error> {
        self.replies("io.streamem.List", ())
    }

    /// What happens at the broker, as it happens; on a connection of its own.
    pub fn monitor(&self) -> Result<Replies<Event>, Error> {
        self.replies("io.streamem.Monitor", ())
    }

    /// Calls any method by its full name; `()` means no parameters.
    pub fn call<T: DeserializeOwned>(
        &mut self,
        method: &str,
        parameters: impl Serialize,
    ) -> Result<T, Error> {
        Ok(self.answer(method, parameters)?.results)
    }

    fn answer<T: DeserializeOwned>(
        &mut self,
        method: &str,
        parameters: impl Serialize,
    ) -> Result<Answer<T>, Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open_at(&self.place, Deadline::after(ANSWER_TIME))?,
        };
        let answer = connection.call(method, &parameters);
        // Over any other connection the reply to this call could still come, and be taken for that
        // of the next.
        if matches!(answer, Ok(_) | Err(Error::Refused(_))) {
            self.connection = Some(connection);
        }
        answer
    }

    /// Calls any method that has several replies; on a connection of its own.
    pub fn replies<T: DeserializeOwned>(
        &self,
        method: &str,
        parameters: impl Serialize,
    ) -> Result<Replies<T>, Error> {
        let deadline = Deadline::after(ANSWER_TIME);
        let mut connection = Connection::open_at(&self.place, deadline)?;
        connection.ask(method, &parameters, true, deadline)?;
        Ok(Replies::of(connection))
    }
}
