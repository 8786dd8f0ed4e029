//! Filling a stream from this process: slots come granted, go back filled.
//!
//! Owns the way back when the broker goes away and comes again; makes four system calls a second while
//! there are slots in hand and the broker is awake, and never waits for a slot longer than it is told to.

mod builder;
mod hold;
mod slot;
mod taken;

pub use builder::PublisherBuilder;
pub use slot::SlotMut;
pub use taken::{Granted, SlotMemory};

use crate::connection::{ANSWER_TIME, Connection};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::view::fill;
use hold::{Hold, Waited};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::sleep;
use std::time::{Duration, Instant};
use streamem_wire::message::{Publish, Stream};
use streamem_wire::{Layout, Slot};

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Tells the slots of every memory this process ever published with, so that none is taken for another's.
fn next_hold() -> u64 {
    static HOLDS: AtomicU64 = AtomicU64::new(0);
    HOLDS.fetch_add(1, Relaxed)
}

/// Who fills a stream.
///
/// Has a connection of its own. Dropping it ends the publication; [`finish`](Publisher::finish) first
/// waits until the last frame is out.
#[derive(Debug)]
pub struct Publisher {
    request: Publish,
    brought: Vec<OwnedFd>,
    /// Where to connect again; nowhere if the connection was given.
    place: Option<PathBuf>,
    hold: Option<Hold>,
    layout: Layout,
    /// Granted slots that nobody fills now.
    kept: Vec<Slot>,
    /// Tells slots of this pool from those before it.
    holds: u64,
    pause: Duration,
    next_try: Instant,
}

impl Publisher {
    pub(crate) fn open(
        connection: Connection,
        place: Option<PathBuf>,
        request: Publish,
        brought: Vec<OwnedFd>,
    ) -> Result<Publisher, Error> {
        let hold = Hold::take(connection, &request, &brought)?;
        Ok(Publisher {
            request,
            brought,
            place,
            layout: hold.stream().layout.clone(),
            hold: Some(hold),
            kept: Vec::new(),
            holds: next_hold(),
            pause: Duration::ZERO,
            next_try: Instant::now(),
        })
    }

    /// The next slot to fill; `None` if none came in that time, which is also so while the broker is
    /// away. A slot that is dropped without being submitted is the next one again. When the broker is
    /// back this publishes anew, for which it waits at most 10 seconds for each answer.
    pub fn slot(&mut self, timeout: Duration) -> Result<Option<SlotMut<'_>>, Error> {
        let granted = self.take(timeout)?;
        Ok(granted.and_then(|granted| self.fill(granted)))
    }

    /// As [`slot`](Publisher::slot), but it can be held beside others, as many as were asked for with
    /// [`slots`](PublisherBuilder::slots), and filled in any order by [`fill`](Publisher::fill). Dropped without that,
    /// it is lost to this publication.
    pub fn take(&mut self, timeout: Duration) -> Result<Option<Granted>, Error> {
        let deadline = Deadline::after(timeout);
        loop {
            if let Some(slot) = self.attempt(deadline)? {
                let hold = self.holds;
                return Ok(Some(Granted { slot, hold }));
            }
            if deadline.is_over() {
                return Ok(None);
            }
        }
    }

    /// A slot that was taken, to be filled and submitted; `None` if it is of memory from before the broker went away.
    pub fn fill(&mut self, granted: Granted) -> Option<SlotMut<'_>> {
        let is_current = granted.hold == self.holds && self.hold.is_some();
        is_current.then(|| SlotMut::of(self, granted.slot))
    }

    /// The bytes of a slot that was taken, as many as a frame has. Empty if the memory was brought, or is that of before.
    pub fn bytes_mut(&mut self, granted: &mut Granted) -> &mut [u8] {
        if granted.hold == self.holds {
            self.bytes_of(granted.slot)
        } else {
            &mut []
        }
    }

    fn bytes_of(&mut self, slot: Slot) -> &mut [u8] {
        let bytes = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let length = bytes(self.layout.bytes);
        match self
            .hold
            .as_ref()
            .and_then(|hold| Some((hold, hold.pool()?)))
        {
            Some((hold, pool)) => fill::bytes(pool, slot, bytes(hold.stream().slot_bytes), length),
            None => &mut [],
        }
    }

    /// Where a slot that was taken lies, for a device or a library that writes by address; `None` if the memory was
    /// brought, or the slot is of memory from before. Whoever writes there does so before the slot is submitted.
    #[must_use]
    pub fn memory(&self, granted: &Granted) -> Option<SlotMemory> {
        let hold = self.hold.as_ref().filter(|_| granted.hold == self.holds)?;
        SlotMemory::of(hold.pool()?, granted.slot, hold.stream().slot_bytes)
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
        let waited = match hold.end() {
            Some(end) => end,
            None => match self.kept.pop() {
                Some(slot) => Waited::Granted(slot),
                None => hold.wait_for_grant(deadline)?,
            },
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
        self.kept.clear();
        self.holds = next_hold();
        self.next_try = Instant::now();
    }

    /// Publishes anew, when it is time to.
    fn dial(&mut self, deadline: Deadline) -> Result<(), Error> {
        let Some(place) = &self.place else {
            return Err(Error::PublicationEnded {
                stream: self.request.stream.to_string(),
            });
        };
        sleep(deadline.slice(self.next_try.saturating_duration_since(Instant::now())));
        if self.next_try > Instant::now() {
            return Ok(());
        }
        let connection = Connection::open_at(place, deadline);
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

    fn keep(&mut self, slot: Slot) {
        self.kept.push(slot);
    }
}
