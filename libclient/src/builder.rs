//! What is asked of a subscription before it is opened.
//!
//! Owns the choices and their usual values; never connects before `open`.

use crate::connection::{ANSWER_TIME, Connection};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::link::Link;
use crate::subscription::Subscription;
use std::path::PathBuf;
use std::time::Duration;
use streamem_wire::StreamName;
use streamem_wire::message::{Mode, Subscribe};

/// A subscription to be.
///
/// ```no_run
/// # fn main() -> Result<(), streamem::Error> {
/// let mut sub = streamem::Subscription::builder("randmc").every(8).leases(4).open()?;
/// # let _ = sub.try_next()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    stream: String,
    mode: Mode,
    depth: u32,
    history: u32,
    leases: Option<u32>,
    eventfd: bool,
    dma_buf: bool,
    wait: bool,
    patience: Option<Duration>,
    socket: Option<PathBuf>,
}

impl Builder {
    pub(crate) fn new(stream: &str) -> Builder {
        Builder {
            stream: stream.to_owned(),
            mode: Mode::Latest,
            depth: 1,
            history: 0,
            leases: None,
            eventfd: false,
            dma_buf: false,
            wait: false,
            patience: None,
            socket: None,
        }
    }

    /// The newest frame each time; those in between are counted as missed. This is the usual way.
    #[must_use]
    pub fn latest(mut self) -> Builder {
        self.mode = Mode::Latest;
        self
    }

    /// Each frame in order, as long as the reader is at most `depth` behind.
    #[must_use]
    pub fn every(mut self, depth: u32) -> Builder {
        self.mode = Mode::Every;
        self.depth = depth.max(1);
        self
    }

    /// Keeps the last `count` frames, for [`clip`](Subscription::clip).
    #[must_use]
    pub fn history(mut self, count: u32) -> Builder {
        self.history = count;
        self
    }

    /// How many frames may be held at a time: 2 unless said, with a history one more than that.
    #[must_use]
    pub fn leases(mut self, count: u32) -> Builder {
        self.leases = Some(count);
        self
    }

    /// Whether the subscription's descriptor becomes readable with each frame, for use in an event
    /// loop. Waiting in [`next`](Subscription::next) does not need it.
    #[must_use]
    pub fn eventfd(mut self, wanted: bool) -> Builder {
        self.eventfd = wanted;
        self
    }

    /// Whether each frame is to be a [`DMA-BUF`](crate::Frame::dma_buf) too, so that a device can import it.
    /// Needs the right to `import`, and a stream whose memory can be; else opening it is refused.
    #[must_use]
    pub fn dma_buf(mut self, wanted: bool) -> Builder {
        self.dma_buf = wanted;
        self
    }

    /// Where the broker listens, if not at one of the usual places.
    #[must_use]
    pub fn socket(mut self, place: impl Into<PathBuf>) -> Builder {
        self.socket = Some(place.into());
        self
    }

    /// Whether to wait for a stream that does not exist: [`open`](Builder::open) then returns when
    /// it comes, and a stream that ends is waited for again.
    #[must_use]
    pub fn wait(mut self, wanted: bool) -> Builder {
        self.wait = wanted;
        self
    }

    /// How long [`open`](Builder::open) waits for a stream at most, for ever unless said.
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Builder {
        self.patience = Some(time);
        self
    }

    /// Subscribes.
    pub fn open(self) -> Result<Subscription, Error> {
        let request = self.request()?;
        let patience = Deadline::after(ANSWER_TIME);
        let connection = Connection::open(self.socket.as_deref(), patience)?;
        let patience = match self.patience {
            _ if !self.wait => patience,
            Some(time) => Deadline::after(time),
            None => Deadline::NEVER,
        };
        match Link::open(connection, request, patience) {
            Ok((link, adopted)) => Ok(Subscription::new(self.mode, link, adopted)),
            Err(Error::NoAnswer { .. }) if self.wait => Err(Error::StreamAbsent {
                stream: self.stream,
                patience: self.patience.unwrap_or(ANSWER_TIME),
            }),
            Err(error) => Err(error),
        }
    }

    fn request(&self) -> Result<Subscribe, Error> {
        let usual = if self.history > 0 {
            self.history.saturating_add(1).max(2)
        } else {
            2
        };
        Ok(Subscribe {
            mode: self.mode,
            depth: self.depth.max(self.history),
            leases: self.leases.unwrap_or(usual),
            eventfd: self.eventfd,
            dma_buf: self.dma_buf,
            wait: self.wait,
            ..Subscribe::to(StreamName::new(&self.stream)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_brings_the_leases_a_clip_of_it_needs() {
        let request = Builder::new("cam").history(8).request().unwrap();
        assert_eq!((request.depth, request.leases), (8, 9));
        let request = Builder::new("cam").history(8).leases(3).every(20);
        let request = request.request().unwrap();
        assert_eq!((request.depth, request.leases), (20, 3));
    }

    #[test]
    fn a_name_that_can_be_no_streams_is_refused_before_connecting() {
        let nowhere = Builder::new("../cam").socket("/nowhere");
        assert!(matches!(nowhere.open(), Err(Error::BadName(_))));
    }
}
