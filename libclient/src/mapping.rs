//! What a subscription was granted, mapped: ring, pool and lease page of one stream.
//!
//! Owns the checks every grant must pass before a word of it is used; never writes to ring or pool,
//! and never believes a size it has not compared with the memory there is.

use crate::connection::{Answer, Descriptors};
use crate::error::{Error, Fault};
use crate::lease::LeaseMemory;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use streamem_sys::file::size_and_inode;
use streamem_sys::{Mapping, ReadOnly};
use streamem_wire::message::{Grant, Stream};
use streamem_wire::{HEADER_WORDS, Layout, RECORD_WORDS, Ring, RingShape, SLOTS_MAX};

const RING_WORDS_MAX: usize = HEADER_WORDS + SLOTS_MAX * RECORD_WORDS + 4 * SLOTS_MAX;

/// Ring and pool of one incarnation of a stream.
#[derive(Debug)]
pub(crate) struct Memory {
    ring: Mapping<ReadOnly>,
    ring_inode: u64,
    pool: Mapping<ReadOnly>,
    pool_file: OwnedFd,
    shape: RingShape,
    layout: Layout,
}

impl Memory {
    /// Maps what was handed over, if it is what the reply says.
    pub(crate) fn map(
        ring: &OwnedFd,
        pool_file: OwnedFd,
        stream: &Stream,
    ) -> Result<Memory, Error> {
        let stat = |file| size_and_inode(file).map_err(|e| Error::system("fstat", e));
        let (ring_bytes, ring_inode) = stat(ring)?;
        let (pool_bytes, _) = stat(&pool_file)?;
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
        // The whole file, because memory of huge pages can only be unmapped in whole pages.
        let pool = Mapping::new(&pool_file, whole(pool_bytes), ReadOnly);
        let pool = pool.map_err(|cause| Error::memory("pool", cause))?;
        Ok(Memory {
            ring,
            ring_inode,
            pool,
            pool_file,
            shape,
            layout: stream.layout.clone(),
        })
    }

    pub(crate) fn ring(&self) -> Ring<'_> {
        Ring::new(self.ring.words(), self.shape).expect("the shape was read from these very words")
    }

    pub(crate) fn pool(&self) -> &Mapping<ReadOnly> {
        &self.pool
    }

    /// What the pool was mapped from, to be handed on.
    pub(crate) fn pool_file(&self) -> BorrowedFd<'_> {
        self.pool_file.as_fd()
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether this is the same ring, so that its sequences go on.
    pub(crate) fn continues(&self, earlier: &Memory) -> bool {
        self.ring_inode == earlier.ring_inode
    }
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
    let memory = match (ring, pool, memory_before) {
        (Some(ring), Some(pool), _) => Arc::new(Memory::map(&ring, pool, &grant.stream)?),
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
