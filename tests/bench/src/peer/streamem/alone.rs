//! Streamem's ring, slots, leases and wakes without its socket: the publish call as the broker makes it, timed.
//!
//! It owns a stream's shared part of the `streamemd` library in this process; consumers use the specification crate
//! directly. Not a way anybody would use Streamem: it shows what the parts cost.
//!
//! # Safety
//!
//! The pixels of a leased slot are looked at as a slice.
#![allow(unsafe_code)]

use crate::clock::now_ns;
use crate::harness::picture::{FRAME_BYTES, read_stamp};
use crate::peer::handover::{Handover, take};
use crate::peer::{Consumer, Held, Peer, Producer, Stage};
use std::io;
use std::sync::atomic::Ordering::Acquire;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use streamem_sys::{Mapping, ReadOnly, Writable, file, futex};
use streamem_wire::message::Mode;
use streamem_wire::{
    Format, Generation, LEASE_PAGE_BYTES, Layout, LeasePage, Ring, RingShape, StreamName,
    SubscriptionId, clock, header, lease, page,
};
use streamemd::config::PoolConfig;
use streamemd::pool::{Claimed, Memfd, Protection};
use streamemd::source::Filled;
use streamemd::stream::{Core, Frame, Seat, StreamMemory, Terms, lock};

/// The parts that a frame passes through.
#[derive(Debug)]
pub struct StreamemAlone;

impl Peer for StreamemAlone {
    fn name(&self) -> &'static str {
        "streamem-ring"
    }

    fn about(&self) -> &'static str {
        "Streamem's ring without its socket"
    }

    fn bears_hundred(&self) -> bool {
        true
    }

    fn producer(&self, stage: &Stage) -> io::Result<Box<dyn Producer>> {
        let handover = Handover::open(&stage.folder)?;
        Ok(Box::new(AloneProducer {
            stream: CoreStream::new()?,
            admission: Some((handover, stage.consumers)),
        }))
    }

    fn consumer(&self, stage: &Stage) -> io::Result<Box<dyn Consumer>> {
        Ok(Box::new(AloneConsumer::join(stage)?))
    }
}

/// A stream's shared part with nobody around it.
#[derive(Debug)]
pub struct CoreStream {
    core: Mutex<Core>,
    claimed: Option<Claimed>,
    number: u64,
}

impl CoreStream {
    /// A stream of 1080p rgb24 without readers.
    pub fn new() -> io::Result<Self> {
        let name = StreamName::new("bench").map_err(io::Error::other)?;
        let layout = Layout::video(Format::Rgb24, 1920, 1080, 30.0).map_err(io::Error::other)?;
        let pool = PoolConfig::default();
        let memory = StreamMemory::make(
            &Memfd,
            &name,
            &layout,
            &pool,
            Generation(1),
            Protection::Sealed,
        )
        .map_err(io::Error::other)?;
        Ok(Self {
            core: Mutex::new(Core::new(memory, false)),
            claimed: None,
            number: 0,
        })
    }

    /// Lets a reader join.
    pub fn join(&self, id: u64) -> io::Result<Arc<Seat>> {
        let terms = Terms {
            mode: Mode::Latest,
            depth: 1,
            leases: 2,
        };
        let seat =
            Arc::new(Seat::new(&Memfd, SubscriptionId(id), terms, None).map_err(io::Error::other)?);
        lock(&self.core).join(Arc::clone(&seat));
        Ok(seat)
    }

    /// Claims a slot; its bytes.
    pub fn slot(&mut self) -> Option<&mut [u8]> {
        if self.claimed.is_none() {
            self.claimed = lock(&self.core).claim(0);
        }
        self.claimed.as_mut().map(|claimed| claimed.bytes())
    }

    /// Publishes the claimed slot and wakes, as the thread of a source does.
    pub fn publish(&mut self) {
        let Some(claimed) = self.claimed.take() else {
            return;
        };
        self.number += 1;
        let filled = Filled {
            used_bytes: FRAME_BYTES,
            source_clock: 0,
            clock_domain: clock::MONOTONIC,
            flags: 0,
        };
        let frame = Frame {
            claimed,
            filled,
            number: self.number,
            captured_ns: now_ns(),
            by_source: 0,
        };
        let seats = lock(&self.core).publish(0, &frame, &[]);
        if let Some(seats) = seats {
            seats.wake();
        }
    }
}

struct AloneProducer {
    stream: CoreStream,
    admission: Option<(Handover, usize)>,
}

impl Producer for AloneProducer {
    fn admit(&mut self) -> io::Result<()> {
        let Some((handover, consumers)) = self.admission.take() else {
            return Ok(());
        };
        for number in 0..consumers {
            let seat = self.stream.join(number as u64 + 1)?;
            let core = lock(&self.stream.core);
            let memory = core.memory();
            let pool = memory.pool.made();
            let pool = pool.ok_or_else(|| io::Error::other("the pool is not the broker's"))?;
            handover.give(&[memory.ring.given(), pool.given(), seat.page.given()])?;
        }
        Ok(())
    }

    fn publish(&mut self, fill: &mut dyn FnMut(&mut [u8])) -> io::Result<bool> {
        let Some(slot) = self.stream.slot() else {
            return Ok(false);
        };
        fill(slot);
        self.stream.publish();
        Ok(true)
    }
}

struct AloneConsumer {
    ring: Mapping<ReadOnly>,
    pool: Mapping<ReadOnly>,
    page: Mapping<Writable>,
    shape: RingShape,
    seen: u64,
}

impl AloneConsumer {
    fn join(stage: &Stage) -> io::Result<Self> {
        let descriptors = take(&stage.folder, 3)?;
        let [ring, pool, page] = &descriptors[..] else {
            return Err(io::Error::other("another number of descriptors"));
        };
        let bytes_of = |fd| file::size_and_inode(fd).map(|(bytes, _)| bytes as usize);
        let ring = Mapping::new(ring, bytes_of(ring)?, ReadOnly).map_err(io::Error::other)?;
        let pool = Mapping::new(pool, bytes_of(pool)?, ReadOnly).map_err(io::Error::other)?;
        let page = Mapping::new(page, LEASE_PAGE_BYTES, Writable).map_err(io::Error::other)?;
        let shape = RingShape::read(ring.words(), pool.len() as u64).map_err(io::Error::other)?;
        Ok(Self {
            ring,
            pool,
            page,
            shape,
            seen: 0,
        })
    }

    fn look(&mut self, awake_ns: u64, look: &mut dyn FnMut(&Held<'_>)) -> io::Result<bool> {
        let ring = Ring::new(self.ring.words(), self.shape).map_err(io::Error::other)?;
        let Some(newest) = lease::newest(&ring).filter(|newest| newest.sequence.0 > self.seen)
        else {
            return Ok(false);
        };
        let word = &self.page.words()[page::LEASES];
        if lease::lease(&ring, word, newest).is_err() {
            return Ok(true);
        }
        self.seen = newest.sequence.0;
        let from = newest.slot.index() * self.shape.slot_bytes;
        // SAFETY: the lease was granted and is given back below, after the last use.
        let bytes = unsafe { self.pool.leased(from, FRAME_BYTES) };
        if let Some((bytes, stamp)) = bytes.and_then(|bytes| Some((bytes, read_stamp(bytes)?))) {
            look(&Held {
                bytes,
                sequence: newest.sequence.0,
                published_ns: stamp.published_ns,
                awake_ns: Some(awake_ns),
            });
        }
        lease::release(word);
        Ok(true)
    }
}

impl Consumer for AloneConsumer {
    fn next(&mut self, timeout: Duration, look: &mut dyn FnMut(&Held<'_>)) -> io::Result<()> {
        if self.look(now_ns(), look)? {
            return Ok(());
        }
        {
            let words = LeasePage::read(self.page.words()).map_err(io::Error::other)?;
            let ring = Ring::new(self.ring.words(), self.shape).map_err(io::Error::other)?;
            let expected = lease::announce_wait(&words);
            if ring.header(header::HEAD).load(Acquire) >> 16 <= self.seen {
                futex::wait(words.word(page::WAKE), expected, timeout)?;
            }
            lease::end_wait(&words);
        }
        self.look(now_ns(), look).map(drop)
    }
}
