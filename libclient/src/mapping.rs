//! What a subscription was granted, mapped: ring, pool and lease page of one stream.
//!
//! Owns the checks every grant must pass before a word of it is used; never writes to ring or pool,
//! and never believes a size it has not compared with the memory there is.

use crate::connection::{Answer, Descriptors};
use crate::error::{Error, Fault};
use crate::lease::LeaseMemory;
use crate::pool::{Pool, Slots};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use streamem_sys::file::size_and_inode;
use streamem_sys::{Mapping, ReadOnly};
use streamem_wire::message::{Grant, Stream};
use streamem_wire::{HEADER_WORDS, Layout, RECORD_WORDS, Ring, RingShape, SLOTS_MAX, Slot};

const RING_WORDS_MAX: usize = HEADER_WORDS + SLOTS_MAX * RECORD_WORDS + 4 * SLOTS_MAX;

/// Ring and pool of one incarnation of a stream.
#[derive(Debug)]
pub(crate) struct Memory {
    ring: Mapping<ReadOnly>,
    ring_inode: u64,
    pool: Pool,
    shape: RingShape,
    layout: Layout,
}

impl Memory {
    /// Maps what was handed over, if it is what the reply says.
    pub(crate) fn map(ring: &OwnedFd, slots: Slots, stream: &Stream) -> Result<Memory, Error> {
        let (ring_bytes, ring_inode) = stat(ring)?;
        let pool_bytes = match &slots {
            Slots::InOne(pool, _) => stat(pool)?.0,
            Slots::Each(slots) => stream.slot_bytes.saturating_mul(slots.len() as u64),
        };
        let ring_bytes = whole(ring_bytes).min(RING_WORDS_MAX * 8);
        let ring = Mapping::new(ring, ring_bytes, ReadOnly);
        let ring = ring.map_err(|cause| Error::memory("ring", cause))?;
        let shape =
            RingShape::read(ring.words(), pool_bytes).map_err(Error::page("header of the ring"))?;
        if shape.generation != stream.generation {
            let (said, found) = (stream.generation.0, shape.generation.0);
            return Err(Fault::Generation { said, found }.into());
        }
        let slot_bytes = shape.slot_bytes;
        if !stream.layout.fits(slot_bytes as u64) {
            return Err(Fault::Layout { slot_bytes }.into());
        }
        let pool = Pool::of(slots, pool_bytes)?;
        Ok(Memory {
            ring,
            ring_inode,
            pool,
            shape,
            layout: stream.layout.clone(),
        })
    }

    pub(crate) fn ring(&self) -> Ring<'_> {
        Ring::new(self.ring.words(), self.shape).expect("the shape was read from these very words")
    }

    /// Makes sure that the slot is mapped.
    pub(crate) fn map_slot(&self, slot: Slot) -> Result<(), Error> {
        self.pool.map_slot(slot, self.shape.slot_bytes)
    }

    /// The mapping a slot is in, and where it begins there.
    pub(crate) fn place(&self, slot: Slot) -> Option<(&Mapping<ReadOnly>, usize)> {
        self.pool.place(slot, self.shape.slot_bytes)
    }

    /// What a slot was mapped from, to be handed on, and where it begins there.
    pub(crate) fn file(&self, slot: Slot) -> Option<(BorrowedFd<'_>, u64)> {
        self.pool.file(slot, self.shape.slot_bytes)
    }

    /// The DMA-BUF a slot is, if it is one.
    pub(crate) fn dma_buf(&self, slot: Slot) -> Option<BorrowedFd<'_>> {
        self.pool.dma_buf(slot)
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether this is the same ring, so that its sequences go on.
    pub(crate) fn continues(&self, earlier: &Memory) -> bool {
        self.ring_inode == earlier.ring_inode
    }
}

fn stat(file: &OwnedFd) -> Result<(u64, u64), Error> {
    size_and_inode(file).map_err(|e| Error::system("fstat", e))
}

fn whole(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// What one subscription reads and where it says what it holds.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) memory: Arc<Memory>,
    pub(crate) leases: Arc<LeaseMemory>,
}

/// A grant with all it brought, ready for use.
#[derive(Debug)]
pub(crate) struct Adopted {
    pub(crate) granted: Arc<Granted>,
    pub(crate) eventfd: Option<OwnedFd>,
    /// Whether it is the subscription there was before.
    pub(crate) goes_on: bool,
    pub(crate) grant: Grant,
}

/// Takes what a reply brought, and `before` for what it need not bring.
///
/// `session` is the socket that keeps the subscription alive.
pub(crate) fn adopt(
    answer: Answer<Grant>,
    before: Before<'_>,
    session: &Arc<OwnedFd>,
) -> Result<Adopted, Error> {
    let Answer {
        results: grant,
        mut descriptors,
        ..
    } = answer;
    let places = [grant.ring, grant.pool, grant.lease, grant.eventfd];
    let [ring, pool, lease, eventfd] = take_all(&mut descriptors, places)?;
    let (memory_before, leases_before) = match before {
        Before::Subscribed(before) if grant.resumed => (Some(&before.memory), Some(&before.leases)),
        Before::Renewed(before) => (None, Some(&before.leases)),
        Before::Subscribed(_) | Before::Nothing => (None, None),
    };
    let dma_bufs = grant.dma_bufs.as_deref().unwrap_or_default();
    let dma_bufs = take_each(&mut descriptors, dma_bufs)?;
    let slots = match &grant.slots {
        Some(places) => Some(Slots::Each(take_each(&mut descriptors, places)?)),
        None => pool.map(|pool| Slots::InOne(pool, dma_bufs)),
    };
    let memory = match (ring, slots, memory_before) {
        (Some(ring), Some(slots), _) => Arc::new(Memory::map(&ring, slots, &grant.stream)?),
        (None, None, Some(memory)) => Arc::clone(memory),
        (None, ..) => return Err(Fault::Absent("ring").into()),
        (_, None, _) => return Err(Fault::Absent("pool").into()),
    };
    let leases = match (lease, leases_before) {
        (Some(lease), _) => Arc::new(LeaseMemory::map(&lease, session)?),
        (None, Some(leases)) => {
            leases.keep_alive(session);
            Arc::clone(leases)
        }
        (None, None) => return Err(Fault::Absent("lease page").into()),
    };
    Ok(Adopted {
        granted: Arc::new(Granted { memory, leases }),
        eventfd,
        goes_on: leases_before.is_some(),
        grant,
    })
}

/// What there was before a grant, by what was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Before<'a> {
    /// The first subscription of this reader.
    Nothing,
    /// A subscription, which may be resumed.
    Subscribed(&'a Granted),
    /// A subscription whose memory is renewed.
    Renewed(&'a Granted),
}

fn take_each(descriptors: &mut Descriptors, places: &[u32]) -> Result<Vec<OwnedFd>, Error> {
    let (promised, arrived) = (places.len(), descriptors.arrived());
    let taken = places.iter().map(|place| descriptors.take(*place));
    let taken: Option<Vec<OwnedFd>> = taken.collect();
    taken.ok_or(Error::DescriptorsLost { promised, arrived })
}

fn take_all<const N: usize>(
    descriptors: &mut Descriptors,
    places: [Option<u32>; N],
) -> Result<[Option<OwnedFd>; N], Error> {
    let promised = places.iter().flatten().count();
    let arrived = descriptors.arrived();
    let taken = places.map(|place| place.map(|place| descriptors.take(place)));
    if taken.iter().any(|taken| matches!(taken, Some(None))) {
        return Err(Error::DescriptorsLost { promised, arrived });
    }
    Ok(taken.map(Option::flatten))
}
