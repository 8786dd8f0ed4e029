//! Filling a stream from this process: slots come granted, go back filled.
//!
//! Owns the way back when the broker goes away and comes again; makes four system calls a second while
//! there are slots in hand and the broker is awake, and never waits for a slot longer than it is told to.

mod builder;
mod hold;
mod slot;

pub use builder::PublisherBuilder;
pub use slot::SlotMut;

use crate::connection::{ANSWER_TIME, Connection};
use crate::deadline::Deadline;
use crate::error::Error;
use hold::{Hold, Waited};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};
use streamem_wire::message::{Publish, Stream};
use streamem_wire::{Layout, Slot};

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Who fills a stream.
///
/// Has a connection of its own. Dropping it ends the publication; [`finish`](Publisher::finish) first
/// waits until the last frame is out.
#[derive(Debug)]
pub struct Publisher {
    request: Publish,
    brought: Vec<OwnedFd>,
    place: PathBuf,
    hold: Option<Hold>,
    layout: Layout,
    kept: Option<Slot>,
    pause: Duration,
    next_try: Instant,
}

impl Publisher {
    pub(crate) fn open(
        connection: Connection,
        request: Publish,
        brought: Vec<OwnedFd>,
    ) -> Result<Publisher, Error> {
        let place = connection.place().to_owned();
        let hold = Hold::take(connection, &request, &brought)?;
        Ok(Publisher {
            request,
            brought,
            place,
            layout: hold.stream().layout.clone(),
            hold: Some(hold),
            kept: None,
            pause: Duration::ZERO,
            next_try: Instant::now(),
        })
    }

    /// The next slot to fill; `None` if none came in that time, which is also so while the broker is
    /// away. A slot that is dropped without being submitted is the next one again. When the broker is
    /// back this publishes anew, for which it waits at most 10 seconds for each answer.
    pub fn slot(&mut self, timeout: Duration) -> Result<Option<SlotMut<'_>>, Error> {
        let deadline = Deadline::after(timeout);
        loop {
            if let Some(slot) = self.attempt(deadline)? {
                self.kept = Some(slot);
                return Ok(Some(SlotMut::of(self, slot)));
            }
            if deadline.is_over() {
                return Ok(None);
            }
        }
    }

    /// How the frames lie.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What the broker said of the stream when the publication began; nothing while it is away.
    #[must_use]
    pub fn stream(&self) -> Option<&Stream> {
        self.hold.as_ref().map(Hold::stream)
    }

    /// Waits until everything that was submitted is published, and ends the publication.
    pub fn finish(mut self) -> Result<(), Error> {
        match &mut self.hold {
            Some(hold) => hold.finish(Deadline::after(ANSWER_TIME)),
            None => Ok(()),
        }
    }

    fn attempt(&mut self, deadline: Deadline) -> Result<Option<Slot>, Error> {
        let Some(hold) = &mut self.hold else {
            self.dial(deadline)?;
            return Ok(None);
        };
        if let Some(why) = hold.rejection() {
            return Err(why.into());
        }
        let waited = match (hold.end(), self.kept) {
            (Some(end), _) => end,
            (None, Some(slot)) => Waited::Granted(slot),
            (None, None) => hold.wait_for_grant(deadline)?,
        };
        match waited {
            Waited::Granted(slot) => Ok(Some(slot)),
            Waited::Nothing => Ok(None),
            Waited::BrokerGone => {
                self.let_go();
                Ok(None)
            }
            Waited::Ended => {
                let stream = self.request.stream.to_string();
                self.let_go();
                Err(Error::PublicationEnded { stream })
            }
        }
    }

    fn let_go(&mut self) {
        self.hold = None;
        self.kept = None;
        self.next_try = Instant::now();
    }

    /// Publishes anew, when it is time to.
    fn dial(&mut self, deadline: Deadline) -> Result<(), Error> {
        sleep(deadline.slice(self.next_try.saturating_duration_since(Instant::now())));
        if self.next_try > Instant::now() {
            return Ok(());
        }
        let connection = Connection::open_at(&self.place, deadline);
        let held = connection.and_then(|open| Hold::take(open, &self.request, &self.brought));
        match held {
            Ok(hold) => {
                self.layout = hold.stream().layout.clone();
                self.hold = Some(hold);
                self.pause = Duration::ZERO;
                Ok(())
            }
            Err(error) => {
                self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                self.next_try = Instant::now() + self.pause;
                if error.is_absence() {
                    Ok(())
                } else {
                    Err(error)
                }
            }
        }
    }

    fn hold_mut(&mut self) -> Option<&mut Hold> {
        self.hold.as_mut()
    }

    fn submitted(&mut self) {
        self.kept = None;
    }
}
