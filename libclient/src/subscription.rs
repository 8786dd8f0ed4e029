//! One reader of one stream: what comes next, waiting for it, and going on when the broker comes back.
//!
//! Owns the cursor, the link and the statistics; makes no system call while there are frames, and
//! never waits longer than it is told to.

use crate::builder::Builder;
use crate::cursor::{Cursor, Taken, take_clip};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::frame::Frame;
use crate::lease::Lease;
use crate::link::Link;
use crate::mapping::{Adopted, Granted};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::time::Duration;
use streamem_sys::clock::monotonic_ns;
use streamem_sys::futex::{self, Woken};
use streamem_wire::message::{Mode, Stream};
use streamem_wire::{Layout, RingState, SubscriptionId, header, lease, page};

/// A broker that was killed cannot wake anybody: so long at most a reader waits before it looks
/// whether there still is one.
const SLICE: Duration = Duration::from_millis(250);

/// What has become of a stream, as far as a reader can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamState {
    /// Frames come.
    Live,
    /// Its source is gone for now.
    Lost,
    /// Its memory is being renewed.
    Renewed,
    /// It was removed.
    Ended,
    /// The broker is gone; it is called again and again.
    Disconnected,
}

/// One reader of one stream.
///
/// Has a connection of its own. Dropping it ends the subscription, once no frame of it is held.
#[derive(Debug)]
pub struct Subscription {
    mode: Mode,
    cursor: Cursor,
    granted: Arc<Granted>,
    link: Link,
    id: SubscriptionId,
    stream: Stream,
    counts: Counts,
    looked_at: Looked,
}

/// What a reader tells the inspector in its lease page.
#[derive(Debug, Default)]
struct Counts {
    taken: u64,
    missed: u64,
    newest: u64,
    checked_ns: u64,
}

/// The words of a ring that tell of something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Looked {
    head: u64,
    state: RingState,
}

impl Looked {
    fn at(granted: &Granted) -> Looked {
        let ring = granted.memory.ring();
        let state = ring.state();
        let head = ring.header(header::HEAD).load(Acquire);
        Looked { head, state }
    }
}

impl Subscription {
    /// A subscription to be, with choices to make.
    #[must_use]
    pub fn builder(stream: &str) -> Builder {
        Builder::new(stream)
    }

    pub(crate) fn new(mode: Mode, link: Link, adopted: Adopted) -> Subscription {
        let Adopted { granted, grant, .. } = adopted;
        let ring = granted.memory.ring();
        Subscription {
            mode,
            cursor: Cursor::beginning(mode, &ring, grant.stream.newest),
            looked_at: Looked::at(&granted),
            granted,
            link,
            id: grant.subscription,
            stream: grant.stream,
            counts: Counts::default(),
        }
    }

    /// The next frame; `None` if none came in that time.
    ///
    /// While the broker is away, or the source is, that is a time in which no frame comes; see
    /// [`state`](Subscription::state).
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Frame>, Error> {
        let mut deadline = None;
        loop {
            if let Some(frame) = self.look()? {
                return Ok(Some(frame));
            }
            let deadline = *deadline.get_or_insert_with(|| Deadline::after(timeout));
            if self.settle(deadline)? {
                continue;
            }
            let slice = deadline.slice(SLICE);
            if slice.is_zero() {
                return Ok(None);
            }
            self.wait(slice)?;
        }
    }

    /// The next frame, if it is there.
    pub fn try_next(&mut self) -> Result<Option<Frame>, Error> {
        // Before the look: what is rung after it must stay.
        self.link.drain();
        if let Some(frame) = self.look()? {
            return Ok(Some(frame));
        }
        self.link.check()?;
        if self.settle(Deadline::now())? {
            return self.look();
        }
        Ok(None)
    }

    /// The newest frame there is, taken before or not; `None` if there is none yet.
    ///
    /// A subscription to the latest frames moves on with it; one to every frame does not.
    pub fn latest(&mut self) -> Result<Option<Frame>, Error> {
        let now_ns = monotonic_ns();
        self.refresh(now_ns)?;
        let granted = &self.granted;
        let ring = granted.memory.ring();
        let taken = self
            .cursor
            .take_newest(&ring, |wanted| Lease::take(granted, wanted))?;
        Ok(taken.map(|taken| self.hand_out(taken, now_ns)))
    }

    /// The newest `count` frames, oldest first; fewer if there are not as many yet.
    ///
    /// Ask for them to be kept with [`history`](Builder::history). The order in which
    /// [`next`](Subscription::next) goes on is not changed.
    pub fn clip(&mut self, count: usize) -> Result<Vec<Frame>, Error> {
        let now_ns = monotonic_ns();
        self.refresh(now_ns)?;
        let granted = &self.granted;
        if !granted.leases.has_free(count) {
            return Err(granted.leases.exhausted(count));
        }
        let ring = granted.memory.ring();
        let clip = take_clip(&ring, count, |wanted| Lease::take(granted, wanted))?;
        let frames = clip.into_iter().map(|(found, lease)| Taken {
            lease,
            found,
            missed: 0,
        });
        let frames: Vec<Taken<Lease>> = frames.collect();
        Ok(frames
            .into_iter()
            .map(|taken| self.hand_out(taken, now_ns))
            .collect())
    }

    /// How the frames lie, as of the newest grant; a frame knows its own.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        self.granted.memory.layout()
    }

    /// What the broker said of the stream when it granted the subscription.
    #[must_use]
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The broker's number for this subscription.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id.0
    }

    /// Frames that were published and not taken, all in all.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.counts.missed
    }

    /// What has become of the stream.
    #[must_use]
    pub fn state(&self) -> StreamState {
        if !self.link.is_connected() {
            return StreamState::Disconnected;
        }
        match self.granted.memory.ring().state() {
            RingState::Live => StreamState::Live,
            RingState::Lost => StreamState::Lost,
            RingState::Retired => StreamState::Renewed,
            RingState::Ended => StreamState::Ended,
        }
    }

    /// Takes the next frame, if there is one. What the ring said is read first: what was published
    /// before it was retired is then seen before it is left, and a wait can tell what came since.
    fn look(&mut self) -> Result<Option<Frame>, Error> {
        let now_ns = monotonic_ns();
        self.check(now_ns)?;
        self.looked_at = Looked::at(&self.granted);
        let granted = &self.granted;
        let ring = granted.memory.ring();
        let taken = self
            .cursor
            .take(&ring, |wanted| Lease::take(granted, wanted))?;
        Ok(taken.map(|taken| self.hand_out(taken, now_ns)))
    }

    /// Does what the state that was looked at asks for. Whether a new grant came.
    fn settle(&mut self, deadline: Deadline) -> Result<bool, Error> {
        match self.looked_at.state {
            RingState::Live | RingState::Lost => {}
            RingState::Retired => self.link.renew(self.id)?,
            RingState::Ended if self.link.waits() => self.link.start_over()?,
            RingState::Ended => {
                let stream = self.stream.name.to_string();
                return Err(Error::StreamEnded { stream });
            }
        }
        if self.link.is_up() {
            return Ok(false);
        }
        let adopted = self.link.advance(deadline, &self.granted)?;
        Ok(adopted.map(|adopted| self.go_on_with(adopted)).is_some())
    }

    fn go_on_with(&mut self, adopted: Adopted) {
        let Adopted {
            granted,
            grant,
            goes_on,
            ..
        } = adopted;
        // Not the number of the subscription: a broker that was started anew counts from 1 again.
        if !goes_on && !granted.memory.continues(&self.granted.memory) {
            let newest = grant.stream.newest;
            self.cursor = Cursor::beginning(self.mode, &granted.memory.ring(), newest);
        }
        self.granted = granted;
        self.id = grant.subscription;
        self.stream = grant.stream;
    }

    /// Sees to renewals and to a broker that went away, without waiting; now and then, since asking
    /// the socket costs a system call.
    fn refresh(&mut self, now_ns: u64) -> Result<(), Error> {
        self.check(now_ns)?;
        self.looked_at = Looked::at(&self.granted);
        self.settle(Deadline::now()).map(|_| ())
    }

    /// Looks whether the broker is still there, though frames may come: after a quick restart they
    /// do, in the same memory, and nobody honours this reader's leases until it has resumed.
    fn check(&mut self, now_ns: u64) -> Result<(), Error> {
        self.check_after(SLICE, now_ns)?;
        if !self.link.is_up() {
            self.looked_at = Looked::at(&self.granted);
            self.settle(Deadline::now())?;
        }
        Ok(())
    }

    /// Asks the socket, which costs a system call, if that was last done so long ago.
    fn check_after(&mut self, rest: Duration, now_ns: u64) -> Result<(), Error> {
        if Duration::from_nanos(now_ns.saturating_sub(self.counts.checked_ns)) > rest {
            self.counts.checked_ns = now_ns;
            self.link.check()?;
        }
        Ok(())
    }

    fn wait(&mut self, slice: Duration) -> Result<(), Error> {
        // Early, so that it is not due when a frame has come, where it would make that frame late.
        self.check_after(SLICE / 2, monotonic_ns())?;
        if !self.link.is_up() {
            return Ok(());
        }
        let page = self.granted.leases.page();
        let expected = lease::announce_wait(&page);
        let woken = if Looked::at(&self.granted) == self.looked_at {
            futex::wait(page.word(page::WAKE), expected, slice)
        } else {
            Ok(Woken::Look)
        };
        lease::end_wait(&page);
        match woken.map_err(|e| Error::system("waiting for a frame", e))? {
            Woken::Look => Ok(()),
            Woken::TimedOut => self.link.check(),
        }
    }

    fn hand_out(&mut self, taken: Taken<Lease>, now_ns: u64) -> Frame {
        let counts = &mut self.counts;
        counts.taken += 1;
        counts.missed += taken.missed;
        counts.newest = counts.newest.max(taken.found.sequence.0);
        let page = self.granted.leases.page();
        let put = |at: usize, value: u64| page.word(at).store(value, Relaxed);
        put(page::TAKEN, counts.taken);
        put(page::LAST_SEQUENCE, counts.newest);
        put(page::LAST_TAKEN_NS, now_ns);
        put(page::MISSED, counts.missed);
        Frame::new(taken.lease, taken.found, taken.missed)
    }
}

impl AsFd for Subscription {
    /// The descriptor to watch in a foreign event loop: readable when [`try_next`] may have
    /// something new, for which the subscription must have been opened with [`eventfd`], or when
    /// the broker went away or is to be called again. It stays the same while the subscription lives.
    ///
    /// [`try_next`]: Subscription::try_next
    /// [`eventfd`]: Builder::eventfd
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.link.as_fd()
    }
}
