//! A publication as the loop knows it: whose it is, its page, and its memory until it begins.
//!
//! Owns the charge and what was made for it; never takes a submission, which is the intake's.

use super::memory::{StreamMemory, published_slot_bytes};
use super::pool::Pool;
use crate::pool::{Allocator, Memory, PoolError, Protection, Request};
use crate::quota::Charge;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use streamem_wire::message::{self, Counters, State};
use streamem_wire::submission::Rejection;
use streamem_wire::{
    Generation, Layout, PublicationId, SUBMISSION_PAGE_BYTES, Sequence, SessionId, StreamName,
    SubmissionPage,
};

/// Most slots a publisher can bring; they fit beside ring, lease page and eventfd into one message.
pub const BROUGHT_MAX: usize = 12;

/// Who publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// The session.
    pub session: SessionId,
    /// The process.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
}

/// The submission page, and what the intake counted for people to see.
#[derive(Debug)]
pub struct Desk {
    /// The page.
    pub page: Memory,
    /// Entries taken.
    pub taken: AtomicU64,
    /// Those of them that were rejected.
    pub rejected: AtomicU64,
    /// Why the last of those was, by its code.
    pub last_rejection: AtomicU64,
    /// How often the intake paused because of a flood.
    pub floods: AtomicU64,
    /// Slots in the publisher's hand.
    pub in_hand: AtomicU64,
    /// The newest frame.
    pub last_sequence: AtomicU64,
}

impl Desk {
    /// A fresh page.
    pub fn new(
        allocator: &dyn Allocator,
        id: PublicationId,
        generation: Generation,
    ) -> Result<Desk, PoolError> {
        let page = allocator.allocate(&Request::plain(
            format!("streamem-submission-{id}"),
            SUBMISSION_PAGE_BYTES,
            Protection::Shared,
        ))?;
        let desk = Desk {
            page,
            taken: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            last_rejection: AtomicU64::new(0),
            floods: AtomicU64::new(0),
            in_hand: AtomicU64::new(0),
            last_sequence: AtomicU64::new(0),
        };
        desk.view().write_header(id, generation);
        Ok(desk)
    }

    /// The page, to look into.
    #[must_use]
    pub fn view(&self) -> SubmissionPage<'_> {
        match SubmissionPage::new(self.page.map.words()) {
            Ok(page) => page,
            Err(error) => unreachable!("the page was made large enough: {error}"),
        }
    }
}

/// What a publication has before it begins.
#[derive(Debug)]
pub enum Prepared {
    /// It is to bring its memory.
    Awaited,
    /// Memory that is there.
    There(StreamMemory),
    /// It has begun: the stream has the memory. Its source has this number.
    Begun(u64),
}

/// A publication.
#[derive(Debug)]
pub struct Publication {
    /// Its number.
    pub id: PublicationId,
    /// Whose it is.
    pub publisher: Publisher,
    /// Which stream it fills.
    pub stream: StreamName,
    /// How its frames lie.
    pub layout: Layout,
    /// Which incarnation of the stream's memory it is.
    pub generation: Generation,
    /// Slots it may have in hand.
    pub slots: u32,
    /// The most slots the stream can have.
    pub slots_max: u32,
    /// Whether it brings its memory.
    pub own: bool,
    /// Its page.
    pub desk: Arc<Desk>,
    /// How far it has come.
    pub prepared: Prepared,
    /// What its user is charged for it.
    pub charge: Charge,
}

impl Publication {
    /// Whether it has still to bring its memory.
    #[must_use]
    pub fn awaits_memory(&self) -> bool {
        matches!(self.prepared, Prepared::Awaited)
    }

    /// Whether it fills its stream, and as which source.
    #[must_use]
    pub fn source(&self) -> Option<u64> {
        match self.prepared {
            Prepared::Begun(source) => Some(source),
            Prepared::Awaited | Prepared::There(_) => None,
        }
    }

    /// Takes slots the publisher brought.
    pub fn take_brought(
        &mut self,
        allocator: &dyn Allocator,
        slots: Vec<OwnedFd>,
    ) -> Result<(), PoolError> {
        let (name, layout) = (&self.stream, &self.layout);
        self.slots_max = u32::try_from(slots.len()).unwrap_or(u32::MAX);
        let memory = StreamMemory::bring(
            allocator,
            name,
            layout,
            Pool::Brought(slots),
            self.generation,
        )?;
        self.prepared = Prepared::There(memory);
        Ok(())
    }

    /// The stream as it will be.
    #[must_use]
    pub fn describe_stream(&self, source: &str, newest: Sequence) -> message::Stream {
        let word = if self.own { "brought" } else { "memfd" };
        let protection = if self.own { "brought" } else { "sealed" };
        message::Stream {
            name: self.stream.clone(),
            source: source.to_owned(),
            state: State::Lost,
            why: Some("its publisher has not begun yet".to_owned()),
            layout: self.layout.clone(),
            generation: self.generation,
            pool: word.to_owned(),
            protection: protection.to_owned(),
            slots: self.slots + 1,
            slots_max: self.slots_max,
            slot_bytes: published_slot_bytes(&self.layout) as u64,
            copies: 0,
            filled: None,
            network: None,
            newest,
            subscriptions: 0,
            counters: Counters::default(),
        }
    }

    /// The publication as the inspector sees it.
    #[must_use]
    pub fn describe(&self) -> message::Publication {
        let desk = &self.desk;
        let last = Rejection::from_code(desk.last_rejection.load(Relaxed));
        message::Publication {
            publication: self.id,
            session: self.publisher.session,
            pid: self.publisher.pid,
            stream: self.stream.clone(),
            begun: self.source().is_some(),
            own: self.own,
            slots: self.slots,
            in_hand: u32::try_from(desk.in_hand.load(Relaxed)).unwrap_or(u32::MAX),
            taken: desk.taken.load(Relaxed),
            rejected: desk.rejected.load(Relaxed),
            last_rejection: last.map(|why| why.to_string()),
            floods: desk.floods.load(Relaxed),
            last_sequence: Sequence(desk.last_sequence.load(Relaxed)),
        }
    }
}
