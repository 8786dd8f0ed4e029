//! One publication at one broker: its connection, its page and its pool.
//!
//! Owns the checks the reply must pass before a word of it is used; never writes to a slot.

use crate::connection::{ANSWER_TIME, Connection, Descriptors};
use crate::deadline::Deadline;
use crate::error::{Error, Fault};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};
use streamem_sys::file::size_and_inode;
use streamem_sys::futex::{self, Woken};
use streamem_sys::{Mapping, Writable};
use streamem_wire::lease::Stamp;
use streamem_wire::message::{Bring, OfPublication, Permit, Publish, Stream, StreamInfo};
use streamem_wire::submission::{self, Outlet, Rejection};
use streamem_wire::{PublicationId, SUBMISSION_PAGE_BYTES, Slot, SubmissionPage, submission_words};

/// A broker that was killed cannot wake anybody, and leaves what it granted: so long at most a publisher
/// waits, or fills slots, before it looks whether there still is one.
const SLICE: Duration = Duration::from_millis(250);
const TAKEN_PAUSE: Duration = Duration::from_millis(1);

/// What came of waiting for a slot.
pub(super) enum Waited {
    Granted(Slot),
    Nothing,
    BrokerGone,
    Ended,
}

#[derive(Debug)]
pub(super) struct Hold {
    connection: Connection,
    id: PublicationId,
    page: Mapping<Writable>,
    pool: Option<Arc<Mapping<Writable>>>,
    outlet: Outlet,
    stream: Stream,
    looked: Instant,
}

impl Hold {
    /// Publishes and begins.
    pub(super) fn take(
        mut connection: Connection,
        request: &Publish,
        brought: &[OwnedFd],
    ) -> Result<Hold, Error> {
        let answer = connection.call::<Permit>("io.streamem.Publish", request)?;
        let (permit, mut descriptors) = (answer.results, answer.descriptors);
        let promised = 1 + usize::from(permit.pool.is_some());
        let mut taken = |place| take(&mut descriptors, place, promised);
        let page = taken(permit.page)?;
        let pool = permit.pool.map(taken).transpose()?;
        let page = Mapping::new(&page, SUBMISSION_PAGE_BYTES, Writable);
        let page = page.map_err(|cause| Error::memory("submission page", cause))?;
        SubmissionPage::read(page.words()).map_err(Error::page("submission page"))?;
        let stream = permit.stream;
        let slot_bytes = stream.slot_bytes;
        if !stream.layout.fits(slot_bytes) {
            let slot_bytes = usize::try_from(slot_bytes).unwrap_or(usize::MAX);
            return Err(Fault::Layout { slot_bytes }.into());
        }
        let pool = pool
            .map(|pool| map(&pool, &stream).map(Arc::new))
            .transpose()?;
        let publication = permit.publication;
        if request.own {
            bring(&mut connection, publication, brought)?;
        } else if pool.is_none() {
            return Err(Fault::Absent("pool").into());
        }
        let begun: StreamInfo = connection
            .call("io.streamem.Begin", &OfPublication { publication })?
            .results;
        Ok(Hold {
            connection,
            id: publication,
            page,
            pool,
            outlet: Outlet::default(),
            stream: Stream {
                slots_max: if request.own {
                    begun.stream.slots_max
                } else {
                    stream.slots_max
                },
                ..stream
            },
            looked: Instant::now(),
        })
    }

    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    pub(super) fn pool(&self) -> Option<&Arc<Mapping<Writable>>> {
        self.pool.as_ref()
    }

    fn page(&self) -> SubmissionPage<'_> {
        SubmissionPage::new(self.page.words()).expect("the page was checked when mapped")
    }

    pub(super) fn rejection(&mut self) -> Option<Rejection> {
        let page = SubmissionPage::new(self.page.words()).ok()?;
        self.outlet.rejection(&page)
    }

    /// How it ended, if it did. Asking the socket costs a system call, so that is done now and then.
    pub(super) fn end(&mut self) -> Option<Waited> {
        if submission::is_ended(&self.page()) {
            return Some(Waited::Ended);
        }
        if self.looked.elapsed() < SLICE {
            return None;
        }
        self.looked = Instant::now();
        self.connection.hung_up().then_some(Waited::BrokerGone)
    }

    /// The next slot, or what is there instead within a slice of the time.
    pub(super) fn wait_for_grant(&mut self, deadline: Deadline) -> Result<Waited, Error> {
        if let Some(slot) = self.granted() {
            return Ok(Waited::Granted(slot));
        }
        let page = self.page();
        let expected = self.outlet.announce_wait(&page);
        let woken = if self.outlet.has_news(&page) {
            Ok(Woken::Look)
        } else {
            let word = page.word(submission_words::GRANT_WAKE);
            futex::wait(word, expected, deadline.slice(SLICE))
        };
        self.outlet.end_wait(&page);
        let woken = woken.map_err(|error| Error::system("waiting for a slot", error))?;
        if let Some(slot) = self.granted() {
            return Ok(Waited::Granted(slot));
        }
        if woken == Woken::TimedOut && self.connection.hung_up() {
            return Ok(Waited::BrokerGone);
        }
        Ok(Waited::Nothing)
    }

    fn granted(&mut self) -> Option<Slot> {
        let page = SubmissionPage::new(self.page.words()).ok()?;
        let slots = usize::try_from(self.stream.slots_max).unwrap_or(0);
        self.outlet.take_grant(&page, slots)
    }

    pub(super) fn submit(&mut self, slot: Slot, stamp: &Stamp, side: &[u8]) -> Result<(), Error> {
        let page = SubmissionPage::new(self.page.words()).expect("checked when mapped");
        let generation = self.stream.generation;
        if self.outlet.submit(&page, generation, slot, stamp, side) {
            kick(&page)?;
        }
        Ok(())
    }

    /// Waits until everything is taken, and says that there is no more.
    pub(super) fn finish(&mut self, deadline: Deadline) -> Result<(), Error> {
        while !self.outlet.all_taken(&self.page()) && !submission::is_ended(&self.page()) {
            if deadline.is_over() || self.connection.hung_up() {
                break;
            }
            sleep(TAKEN_PAUSE);
        }
        let publication = self.id;
        let what = OfPublication { publication };
        self.connection
            .ask("io.streamem.Unpublish", &what, false, deadline)?;
        let done = self.connection.answer::<serde_json::Value>(deadline)?;
        done.map(|_| ()).ok_or_else(|| self.connection.no_answer())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let page = SubmissionPage::new(self.page.words()).expect("checked when mapped");
        if self.outlet.close(&page) {
            // The socket is closed next, which the broker hears too.
            let _woken = kick(&page);
        }
    }
}

fn kick(page: &SubmissionPage<'_>) -> Result<(), Error> {
    futex::wake(page.word(submission_words::KICK), 1)
        .map(|_| ())
        .map_err(|error| Error::system("waking the broker", error))
}

fn take(descriptors: &mut Descriptors, place: u32, promised: usize) -> Result<OwnedFd, Error> {
    let arrived = descriptors.arrived();
    descriptors
        .take(place)
        .ok_or(Error::DescriptorsLost { promised, arrived })
}

fn map(pool: &OwnedFd, stream: &Stream) -> Result<Mapping<Writable>, Error> {
    let (bytes, _) = size_and_inode(pool).map_err(|error| Error::system("fstat", error))?;
    let slots = u64::from(stream.slots_max);
    let fits = stream
        .slot_bytes
        .checked_mul(slots)
        .is_some_and(|all| all <= bytes);
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    if !fits {
        return Err(Fault::Layout { slot_bytes: bytes }.into());
    }
    Mapping::new(pool, bytes, Writable).map_err(|cause| Error::memory("pool", cause))
}

fn bring(
    connection: &mut Connection,
    publication: PublicationId,
    brought: &[OwnedFd],
) -> Result<(), Error> {
    let deadline = Deadline::after(ANSWER_TIME);
    let places = 0..u32::try_from(brought.len()).unwrap_or(u32::MAX);
    let call = Bring {
        publication,
        slots: places.collect(),
    };
    let fds: Vec<BorrowedFd<'_>> = brought.iter().map(AsFd::as_fd).collect();
    connection.ask_bringing("io.streamem.Bring", &call, false, &fds, deadline)?;
    let answer = connection.answer::<serde_json::Value>(deadline)?;
    answer.map(|_| ()).ok_or_else(|| connection.no_answer())
}
