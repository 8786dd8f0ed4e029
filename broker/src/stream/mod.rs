//! A stream: one source in one format, its memory, and those who read it.
//!
//! Owns what the loop knows of a stream; never touches a socket. What its source's thread does is in
//! `worker`, what both share in `core`.

mod bell;
mod core;
mod intake;
mod memory;
mod publication;
mod published;
mod reader;
mod seat;
mod worker;

pub use bell::Bell;
pub use core::{Core, Frame, ONE_IN_HAND, Seats};
pub use memory::{Pool, StreamMemory, Unfit, published_slot_bytes};
pub use publication::{BROUGHT_MAX, Desk, Prepared, Publication, Publisher};
pub use reader::{Owner, Reader};
pub use seat::{Seat, Terms};
pub use worker::{Loss, Losses, Turn, Worker, lock};

use crate::access::Access;
use crate::config::{PoolConfig, StreamConfig};
use crate::source::Pattern;
use std::io;
use std::sync::{Arc, Mutex};
use streamem_sys::clock::monotonic_ns;
use streamem_wire::message::{self, State};
use streamem_wire::{Generation, Layout, RingState, SessionId, StreamName, SubscriptionId};

/// A lost source is tried again after 1, 2, 4, … seconds, at most this often doubled.
const RETRY_DOUBLINGS_MAX: u32 = 5;
/// A source that ran this long is forgiven its former losses.
const STAYED_UP_NS: u64 = 60_000_000_000;

#[derive(Debug)]
struct Lost {
    why: String,
    retry_ns: u64,
}

/// A stream.
#[derive(Debug)]
pub struct Stream {
    /// What clients ask for.
    pub name: StreamName,
    /// Tells its source from those before it.
    pub source: u64,
    /// What the configuration says.
    pub config: StreamConfig,
    /// Who may what with it.
    pub access: Access,
    layout: Layout,
    core: Arc<Mutex<Core>>,
    readers: Vec<Reader>,
    worker: Option<Worker>,
    lost: Option<Lost>,
    losses: u32,
    attached_ns: u64,
}

impl Stream {
    /// A stream with memory of its own and no source yet.
    #[must_use]
    pub fn new(
        name: StreamName,
        config: StreamConfig,
        access: Access,
        layout: Layout,
        memory: StreamMemory,
        pool: &PoolConfig,
    ) -> Stream {
        Stream {
            name,
            source: 0,
            config,
            access,
            layout,
            core: Arc::new(Mutex::new(Core::new(memory, pool.pretouch))),
            readers: Vec::new(),
            worker: None,
            lost: None,
            losses: 0,
            attached_ns: 0,
        }
    }

    /// Lets a source fill it from now on.
    pub fn attach(
        &mut self,
        pattern: Box<dyn Pattern>,
        source: u64,
        losses: &Losses,
    ) -> io::Result<()> {
        self.worker = None;
        self.source = source;
        let mut core = lock(&self.core);
        core.begin(source, ONE_IN_HAND);
        core.set_state(RingState::Live);
        drop(core);
        let core = Arc::clone(&self.core);
        let name = self.name.as_str();
        self.worker = Some(Worker::start(pattern, source, name, core, losses)?);
        self.lost = None;
        self.attached_ns = monotonic_ns();
        self.wake();
        Ok(())
    }

    /// The source is gone; readers stay. It is to be tried again after a while, which doubles as long
    /// as the stream does not stay up.
    pub fn lose(&mut self, why: String) {
        self.worker = None;
        let now_ns = monotonic_ns();
        if now_ns - self.attached_ns > STAYED_UP_NS {
            self.losses = 0;
        }
        let wait_s = 1 << self.losses.min(RETRY_DOUBLINGS_MAX);
        self.losses += 1;
        self.lost = Some(Lost {
            why,
            retry_ns: now_ns + wait_s * 1_000_000_000,
        });
        self.say(RingState::Lost);
    }

    /// Whether it has a source.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.worker.is_some()
    }

    /// Whether it is time to try the source again.
    #[must_use]
    pub fn must_retry(&self, now_ns: u64) -> bool {
        self.lost
            .as_ref()
            .is_some_and(|lost| lost.retry_ns <= now_ns)
    }

    /// Ends the source and has readers look at their socket, where they will find the end too.
    pub fn suspend(&mut self) {
        self.worker = None;
        self.say(RingState::Lost);
    }

    /// Ends the source and tells readers that the stream is no more.
    pub fn end(&mut self) {
        self.worker = None;
        self.say(RingState::Ended);
    }

    /// Goes on with other memory; readers are told to ask for it.
    pub fn renew(&mut self, layout: Layout, memory: StreamMemory, pool: &PoolConfig) {
        self.worker = None;
        lock(&self.core).renew(memory, pool.pretouch);
        self.layout = layout;
        self.wake();
    }

    fn say(&self, state: RingState) {
        lock(&self.core).set_state(state);
        self.wake();
    }

    fn wake(&self) {
        let seats = lock(&self.core).seats();
        seats.iter().for_each(|seat| seat.wake());
    }

    /// Whether one more reader with these terms would keep every promise. A user who is `limited` may
    /// have half of the slots promised, so that nobody can take a stream from all others.
    pub fn admit(&self, terms: Terms, limited: Option<u32>) -> Result<(), String> {
        let own = |reader: &&Reader| Some(reader.owner.uid) == limited;
        let promised = |terms: Terms| terms.leases + terms.depth.saturating_sub(1);
        let has: u32 = self
            .readers
            .iter()
            .filter(own)
            .map(|reader| promised(reader.seat.terms))
            .sum();
        let half = slots_max(&lock(&self.core)) / 2;
        if let Some(uid) = limited
            && has + promised(terms) > half
        {
            return Err(format!(
                "user {uid} has {has} slots of stream {:?} promised and may have {half}, half of what there \
                 is; {} leases and a depth of {} would be more: ask for fewer, or raise `slots_max` under \
                 [pool] in the configuration",
                self.name.as_str(),
                terms.leases,
                terms.depth,
            ));
        }
        let core = lock(&self.core);
        let (has, needed) = (core.slots_needed(), core.slots_needed_with(terms));
        let most = slots_max(&core);
        if needed <= most {
            return Ok(());
        }
        Err(format!(
            "stream {:?} has {most} slots, of which {has} are promised; with {} leases and a depth of {} it would \
             need {needed}: ask for fewer, or raise `slots_max` under [pool] in the configuration",
            self.name.as_str(),
            terms.leases,
            terms.depth,
        ))
    }

    /// Adds a reader that was admitted; from now on its leases count.
    pub fn join(&mut self, reader: Reader) {
        lock(&self.core).join(Arc::clone(&reader.seat));
        self.readers.push(reader);
    }

    /// Ends a reader; its leases are free.
    pub fn leave(&mut self, id: SubscriptionId) -> Option<Reader> {
        let index = self
            .readers
            .iter()
            .position(|reader| reader.seat.id == id)?;
        lock(&self.core).leave(id);
        let reader = self.readers.swap_remove(index);
        Some(reader)
    }

    /// The reader with this number.
    #[must_use]
    pub fn reader(&self, id: SubscriptionId) -> Option<&Reader> {
        self.readers.iter().find(|reader| reader.seat.id == id)
    }

    /// The same, to be changed.
    pub fn reader_mut(&mut self, id: SubscriptionId) -> Option<&mut Reader> {
        self.readers.iter_mut().find(|reader| reader.seat.id == id)
    }

    /// All readers.
    #[must_use]
    pub fn readers(&self) -> &[Reader] {
        &self.readers
    }

    /// The subscriptions of a session.
    #[must_use]
    pub fn readers_of(&self, session: SessionId) -> Vec<SubscriptionId> {
        let own = self
            .readers
            .iter()
            .filter(|reader| reader.owner.session == Some(session));
        own.map(|reader| reader.seat.id).collect()
    }

    /// Looks at its memory.
    pub fn with_memory<T>(&self, look: impl FnOnce(&StreamMemory) -> T) -> T {
        look(lock(&self.core).memory())
    }

    /// Bytes of a slot.
    #[must_use]
    pub fn slot_bytes(&self) -> u64 {
        self.with_memory(|memory| memory.shape().slot_bytes as u64)
    }

    /// Which incarnation of its memory is current.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.with_memory(|memory| memory.shape().generation)
    }

    /// Readers as the inspector sees them.
    pub fn describe_readers(&self, of: impl Fn(&Reader) -> bool) -> Vec<message::Subscription> {
        let newest = lock(&self.core).newest();
        self.readers
            .iter()
            .filter(|reader| of(reader))
            .map(|reader| reader.describe(&self.name, newest))
            .collect()
    }

    /// The stream as clients see it.
    #[must_use]
    pub fn describe(&self) -> message::Stream {
        let mut core = lock(&self.core);
        core.count_refused();
        let memory = core.memory();
        message::Stream {
            name: self.name.clone(),
            source: self.config.source.to_string(),
            state: if self.lost.is_some() {
                State::Lost
            } else {
                State::Live
            },
            why: self.lost.as_ref().map(|lost| lost.why.clone()),
            layout: self.layout.clone(),
            generation: memory.shape().generation,
            pool: memory.pool.kind().to_owned(),
            protection: memory.pool.protection().to_owned(),
            slots: core.slots_needed(),
            slots_max: slots_max(&core),
            slot_bytes: memory.shape().slot_bytes as u64,
            copies: 0,
            newest: core.newest(),
            subscriptions: u32::try_from(self.readers.len()).unwrap_or(u32::MAX),
            counters: core.counters(),
        }
    }

    /// The pool as the inspector sees it.
    #[must_use]
    pub fn describe_pool(&self) -> message::Pool {
        let core = lock(&self.core);
        let memory = core.memory();
        message::Pool {
            stream: self.name.clone(),
            generation: memory.shape().generation,
            kind: memory.pool.kind().to_owned(),
            protection: memory.pool.protection().to_owned(),
            huge: memory.pool.made().is_some_and(|pool| pool.huge),
            slots: core.slots_needed(),
            slots_max: slots_max(&core),
            slot_bytes: memory.shape().slot_bytes as u64,
            reserved_bytes: memory.shape().pool_bytes() as u64,
            committed_bytes: memory.committed_bytes(),
            sum: core.sum(),
        }
    }
}

fn slots_max(core: &Core) -> u32 {
    u32::try_from(core.memory().shape().slots).unwrap_or(u32::MAX)
}
