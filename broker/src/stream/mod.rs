//! A stream: one source in one format, its memory, and those who read it.
//!
//! Owns what the loop knows of a stream; never touches a socket. What its source's thread does is in
//! `worker`, what both share in `core`.

mod admission;
mod bell;
mod camera;
mod cameras;
mod core;
mod decoded;
mod decoding;
mod device;
mod figures;
mod intake;
mod memory;
mod pool;
mod publication;
mod published;
mod reader;
mod seat;
mod silence;
mod worker;

pub use bell::Bell;
pub use camera::{Ready, Way};
pub use core::{Core, Frame, ONE_IN_HAND};
pub use decoded::Parent;
pub use figures::Figures;
pub use memory::{StreamMemory, Unfit, published_slot_bytes};
pub use pool::Pool;
pub use publication::{BROUGHT_MAX, Desk, Prepared, Publication, Publisher};
pub use reader::{Owner, Reader};
pub use seat::{Seat, Seats, Terms};
pub use worker::{Mailbox, Report, Reports, Turn, Worker, lock};

use decoded::Decoding;
use device::FromDevice;

use crate::access::Access;
use crate::config::{PoolConfig, StreamConfig};
use crate::pool::Protection;
use crate::source::v4l2::{Camera, Fill};
use crate::source::{Pattern, Source};
use std::io;
use std::sync::{Arc, Mutex, Weak};
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
    /// Tells the stream from others of its name, where it waits for somebody to fill it.
    pub made: u64,
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
    attached_ns: Option<u64>,
    filling: Filling,
    decoding: Decoding,
    device: FromDevice,
    device_slots: u32,
    protection: Protection,
}

/// How a camera's frames come into their slots.
#[derive(Debug, Default)]
struct Filling {
    /// In which way; none where it is no camera, or not open yet.
    by: Option<Fill>,
    /// Why in no better one.
    note: String,
    /// The camera, while it is open.
    camera: Weak<Camera>,
    /// The ways in which it does not work, each with what went wrong.
    avoid: Vec<(Fill, String)>,
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
        let protection = memory.ring.protection;
        Stream {
            name,
            source: 0,
            made: 0,
            config,
            access,
            layout,
            core: Arc::new(Mutex::new(Core::new(memory, pool.pretouch))),
            readers: Vec::new(),
            worker: None,
            lost: None,
            losses: 0,
            attached_ns: None,
            filling: Filling::default(),
            decoding: Decoding::default(),
            device: FromDevice::default(),
            device_slots: pool.device_slots,
            protection,
        }
    }

    /// Takes leave of whoever filled it; what a new source goes on with.
    fn begin(&mut self, source: u64, in_hand: u32) -> Arc<Mutex<Core>> {
        self.worker = None;
        self.source = source;
        let mut core = lock(&self.core);
        core.begin(source, in_hand);
        core.set_state(RingState::Live);
        drop(core);
        Arc::clone(&self.core)
    }

    /// Lets a source fill it from now on, or as soon as it can.
    pub fn attach(&mut self, source: Source, number: u64, reports: &Reports) -> io::Result<()> {
        match source {
            Source::Pattern(pattern) => self.attach_pattern(pattern, number, reports),
            Source::Camera(wish) => self.open_camera(*wish, number, reports),
            Source::Decoded(_) => {
                self.await_parent();
                Ok(())
            }
        }
    }

    fn attach_pattern(
        &mut self,
        pattern: Box<dyn Pattern>,
        source: u64,
        reports: &Reports,
    ) -> io::Result<()> {
        self.filling = Filling::default();
        let core = self.begin(source, ONE_IN_HAND);
        let name = self.name.as_str();
        self.worker = Some(Worker::start(pattern, source, name, core, reports)?);
        self.lost = None;
        self.attached_ns = Some(monotonic_ns());
        self.wake();
        Ok(())
    }

    /// The source is gone; readers stay. It is to be tried again after a while, which doubles as long
    /// as the stream does not stay up.
    pub fn lose(&mut self, why: String) {
        self.worker = None;
        self.filling.camera = Weak::new();
        let now_ns = monotonic_ns();
        // Opening a camera in vain does not count as having run.
        if self
            .attached_ns
            .take()
            .is_some_and(|since_ns| now_ns - since_ns > STAYED_UP_NS)
        {
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
        self.filling.camera = Weak::new();
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
        seats.wake();
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

    /// Its memory; looking at it holds up nobody.
    #[must_use]
    pub fn memory(&self) -> Arc<StreamMemory> {
        Arc::clone(lock(&self.core).memory())
    }

    /// Bytes of a slot.
    #[must_use]
    pub fn slot_bytes(&self) -> u64 {
        self.memory().shape().slot_bytes as u64
    }

    /// Which incarnation of its memory is current.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.memory().shape().generation
    }

    fn figures(&self) -> Figures {
        lock(&self.core).figures()
    }

    /// Readers as the inspector sees them.
    pub fn describe_readers(&self, of: impl Fn(&Reader) -> bool) -> Vec<message::Subscription> {
        let newest = self.figures().newest;
        self.readers
            .iter()
            .filter(|reader| of(reader))
            .map(|reader| reader.describe(&self.name, newest))
            .collect()
    }

    /// The stream as clients see it.
    #[must_use]
    pub fn describe(&self) -> message::Stream {
        let figures = self.figures();
        let refused_leases = figures.refused();
        lock(&self.core).put_refused(refused_leases);
        let memory = &figures.memory;
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
            slots: figures.slots_needed(),
            slots_max: figures.slots_max(),
            slot_bytes: memory.shape().slot_bytes as u64,
            copies: self.copies(),
            filled: self.describe_filling(),
            network: self.device.network.clone(),
            newest: figures.newest,
            subscriptions: u32::try_from(self.readers.len()).unwrap_or(u32::MAX),
            counters: message::Counters {
                refused_leases,
                ..figures.counters
            },
        }
    }

    /// The pool as the inspector sees it.
    #[must_use]
    pub fn describe_pool(&self) -> message::Pool {
        let figures = self.figures();
        let memory = &figures.memory;
        message::Pool {
            stream: self.name.clone(),
            generation: memory.shape().generation,
            kind: memory.pool.kind().to_owned(),
            protection: memory.pool.protection().to_owned(),
            huge: memory.pool.made().is_some_and(|pool| pool.huge),
            slots: figures.slots_needed(),
            slots_max: figures.slots_max(),
            slot_bytes: memory.shape().slot_bytes as u64,
            reserved_bytes: memory.shape().pool_bytes() as u64,
            committed_bytes: memory.committed_bytes(),
            sum: figures.sum(),
        }
    }
}
