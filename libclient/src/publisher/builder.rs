//! What is asked of a publication before it is opened.
//!
//! Owns the choices and their usual values; never connects before `open`.

use super::Publisher;
use crate::connection::{ANSWER_TIME, Connection};
use crate::deadline::Deadline;
use crate::error::Error;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use streamem_wire::message::Publish;
use streamem_wire::{LayoutWish, StreamName};

/// A publication to be.
///
/// ```no_run
/// # use std::time::Duration;
/// # fn main() -> Result<(), streamem::Error> {
/// let mut publisher = streamem::publish("edges").like("randcam").open()?;
/// if let Some(mut slot) = publisher.slot(Duration::from_secs(1))? {
///     slot.bytes_mut().fill(0);
///     slot.submit()?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PublisherBuilder {
    stream: String,
    like: Option<String>,
    layout: Option<LayoutWish>,
    slots: Option<u32>,
    slots_max: Option<u32>,
    brought: Vec<OwnedFd>,
    socket: Option<PathBuf>,
    over: Option<OwnedFd>,
}

impl PublisherBuilder {
    pub(crate) fn new(stream: &str) -> PublisherBuilder {
        PublisherBuilder {
            stream: stream.to_owned(),
            like: None,
            layout: None,
            slots: None,
            slots_max: None,
            brought: Vec::new(),
            socket: None,
            over: None,
        }
    }

    /// Frames that lie like those of another stream.
    #[must_use]
    pub fn like(mut self, stream: &str) -> PublisherBuilder {
        self.like = Some(stream.to_owned());
        self
    }

    /// Frames of this layout.
    #[must_use]
    pub fn layout(mut self, layout: LayoutWish) -> PublisherBuilder {
        self.layout = Some(layout);
        self
    }

    /// How many slots are in hand at a time: 2 unless said.
    #[must_use]
    pub fn slots(mut self, count: u32) -> PublisherBuilder {
        self.slots = Some(count);
        self
    }

    /// The most slots the stream can have: 32 unless said.
    #[must_use]
    pub fn slots_max(mut self, count: u32) -> PublisherBuilder {
        self.slots_max = Some(count);
        self
    }

    /// Brings the memory, a descriptor for each slot: memfds sealed with `F_SEAL_SHRINK` and
    /// `F_SEAL_FUTURE_WRITE` after they were mapped, or DMA-BUFs. [`SlotMut::index`] then says which
    /// one to fill.
    ///
    /// [`SlotMut::index`]: crate::SlotMut::index
    #[must_use]
    pub fn bring(mut self, slots: Vec<OwnedFd>) -> PublisherBuilder {
        self.brought = slots;
        self
    }

    /// Where the broker listens, if not at one of the usual places.
    #[must_use]
    pub fn socket(mut self, place: impl Into<PathBuf>) -> PublisherBuilder {
        self.socket = Some(place.into());
        self
    }

    /// Over a socket that is connected to the broker already, and only over that: when it is gone, so is the
    /// publication.
    #[must_use]
    pub fn over(mut self, socket: OwnedFd) -> Self {
        self.over = Some(socket);
        self
    }

    /// Publishes.
    pub fn open(self) -> Result<Publisher, Error> {
        let usual = Publish::to(StreamName::new(&self.stream)?);
        let like = self.like.as_deref().map(StreamName::new).transpose()?;
        let request = Publish {
            like,
            layout: self.layout,
            slots: self.slots.unwrap_or(usual.slots),
            slots_max: self.slots_max.unwrap_or(usual.slots_max),
            own: !self.brought.is_empty(),
            stream: usual.stream,
        };
        let (connection, place) = match self.over {
            Some(socket) => (Connection::over(socket)?, None),
            None => {
                let deadline = Deadline::after(ANSWER_TIME);
                let connection = Connection::open(self.socket.as_deref(), deadline)?;
                let place = connection.place().to_owned();
                (connection, Some(place))
            }
        };
        Publisher::open(connection, place, request, self.brought)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_can_be_no_streams_is_refused_before_connecting() {
        for bad in [
            PublisherBuilder::new("../cam"),
            PublisherBuilder::new("cam").like("a/b"),
        ] {
            let refused = bad.socket("/nowhere").open();
            assert!(matches!(refused, Err(Error::BadName(_))));
        }
    }
}
