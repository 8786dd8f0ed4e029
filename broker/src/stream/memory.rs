//! The memory of one generation of a stream: its ring and its pool.
//!
//! Owns making both fit each other and a layout; never knows who reads.

use crate::config::PoolConfig;
use crate::pool::{
    Allocator, Claimed, Memory, PoolError, Protection, Request, Unsealed, adopt, seal,
};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use streamem_wire::{BadPage, Generation, Layout, Ring, RingShape, StreamName};

const PAGE_BYTES: u64 = 4096;
const HUGE_PAGE_BYTES: u64 = 2 << 20;

/// Why memory a former broker left cannot be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// It cannot be mapped.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// It is no ring.
    #[error(transparent)]
    Page(#[from] BadPage),
    /// Frames lie differently now.
    #[error("the stream's layout or pool size has changed")]
    Changed,
}

/// The slots of a stream.
#[derive(Debug)]
pub enum Pool {
    /// Memory the broker made, all slots in one.
    Made(Arc<Memory>),
    /// Memory a publisher brought, a descriptor for each slot. The broker never maps it.
    Brought(Vec<OwnedFd>),
}

impl Pool {
    /// The memory, if the broker made it.
    #[must_use]
    pub fn made(&self) -> Option<&Arc<Memory>> {
        match self {
            Pool::Made(memory) => Some(memory),
            Pool::Brought(_) => None,
        }
    }

    /// What it is made of, by the name on the wire.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.made().map_or("brought", |memory| memory.kind)
    }

    /// What keeps readers from writing, by the name on the wire.
    #[must_use]
    pub fn protection(&self) -> &'static str {
        self.made()
            .map_or("brought", |memory| memory.protection.name())
    }
}

/// A ring and the pool it describes.
#[derive(Debug)]
pub struct StreamMemory {
    shape: RingShape,
    frame_bytes: usize,
    /// The control page.
    pub ring: Memory,
    /// The slots.
    pub pool: Pool,
}

fn frame_bytes(layout: &Layout) -> usize {
    usize::try_from(layout.bytes).unwrap_or(usize::MAX)
}

fn slot_bytes(layout: &Layout, config: &PoolConfig) -> usize {
    let page_bytes = if config.huge_pages {
        HUGE_PAGE_BYTES
    } else {
        PAGE_BYTES
    };
    usize::try_from(layout.bytes.next_multiple_of(page_bytes)).unwrap_or(usize::MAX)
}

/// Bytes of a slot that is filled from outside; huge pages are not lent.
#[must_use]
pub fn published_slot_bytes(layout: &Layout) -> usize {
    usize::try_from(layout.bytes.next_multiple_of(PAGE_BYTES)).unwrap_or(usize::MAX)
}

impl StreamMemory {
    /// Fresh memory for frames of this layout.
    pub fn make(
        allocator: &dyn Allocator,
        name: &StreamName,
        layout: &Layout,
        config: &PoolConfig,
        generation: Generation,
        protection: Protection,
    ) -> Result<StreamMemory, PoolError> {
        let slots_max = usize::try_from(config.slots_max).unwrap_or(usize::MAX);
        let shape = RingShape::new(
            generation,
            slots_max,
            slot_bytes(layout, config),
            layout.digest(),
        );
        let allocate = |what: &str, bytes, huge| {
            allocator.allocate(&Request {
                name: format!("streamem-{what}-{name}"),
                bytes,
                protection,
                huge,
            })
        };
        let ring = allocate("ring", shape.words() * 8, false)?;
        let pool = Arc::new(allocate("pool", shape.pool_bytes(), config.huge_pages)?);
        shape.write_header(ring.map.words());
        Ok(StreamMemory {
            shape,
            frame_bytes: frame_bytes(layout),
            ring,
            pool: Pool::Made(pool),
        })
    }

    /// Fresh memory whose pool a publisher is to map before it is sealed.
    pub fn lend(
        allocator: &dyn Allocator,
        name: &StreamName,
        layout: &Layout,
        slots_max: u32,
        generation: Generation,
    ) -> Result<StreamMemory, PoolError> {
        let slots_max = usize::try_from(slots_max).unwrap_or(usize::MAX);
        let slot_bytes = published_slot_bytes(layout);
        let shape = RingShape::new(generation, slots_max, slot_bytes, layout.digest());
        let pool = allocator.allocate(&Request {
            name: format!("streamem-pool-{name}"),
            bytes: shape.pool_bytes(),
            protection: Protection::Lent,
            huge: false,
        })?;
        StreamMemory::around(allocator, name, layout, shape, Pool::Made(Arc::new(pool)))
    }

    /// A fresh ring for slots a publisher brought.
    pub fn bring(
        allocator: &dyn Allocator,
        name: &StreamName,
        layout: &Layout,
        slots: Vec<OwnedFd>,
        generation: Generation,
    ) -> Result<StreamMemory, PoolError> {
        let slot_bytes = published_slot_bytes(layout);
        let shape = RingShape::new(generation, slots.len(), slot_bytes, layout.digest());
        StreamMemory::around(allocator, name, layout, shape, Pool::Brought(slots))
    }

    fn around(
        allocator: &dyn Allocator,
        name: &StreamName,
        layout: &Layout,
        shape: RingShape,
        pool: Pool,
    ) -> Result<StreamMemory, PoolError> {
        let ring = allocator.allocate(&Request {
            name: format!("streamem-ring-{name}"),
            bytes: shape.words() * 8,
            protection: Protection::Sealed,
            huge: false,
        })?;
        shape.write_header(ring.map.words());
        Ok(StreamMemory {
            shape,
            frame_bytes: frame_bytes(layout),
            ring,
            pool,
        })
    }

    /// Takes the right to map it for writing from everybody, for ever; brought memory is not the
    /// broker's to seal.
    pub fn seal(&mut self) -> Result<(), Unsealed> {
        match &mut self.pool {
            Pool::Brought(_) => Ok(()),
            Pool::Made(memory) => Arc::get_mut(memory).map_or(Ok(()), seal),
        }
    }

    /// Goes on with the memory a former broker made, if it still fits.
    pub fn restore(
        ring: OwnedFd,
        pool: OwnedFd,
        name: &StreamName,
        layout: &Layout,
        config: &PoolConfig,
    ) -> Result<StreamMemory, Unfit> {
        let ring = adopt(ring, name.as_str(), Protection::Guarded)?;
        let pool = adopt(pool, name.as_str(), Protection::Guarded)?;
        let shape = RingShape::read(ring.map.words(), pool.map.len() as u64)?;
        let fits = shape.layout_digest == layout.digest()
            && shape.slots == usize::try_from(config.slots_max).unwrap_or(0)
            && shape.slot_bytes == slot_bytes(layout, config);
        if !fits {
            return Err(Unfit::Changed);
        }
        Ok(StreamMemory {
            shape,
            frame_bytes: frame_bytes(layout),
            ring,
            pool: Pool::Made(Arc::new(pool)),
        })
    }

    /// The control page, to look into.
    #[must_use]
    pub fn view(&self) -> Ring<'_> {
        match Ring::new(self.ring.map.words(), self.shape) {
            Ok(ring) => ring,
            Err(error) => unreachable!("the ring was made for its shape: {error}"),
        }
    }

    /// How large everything is.
    #[must_use]
    pub fn shape(&self) -> RingShape {
        self.shape
    }

    /// The right to write a slot that was just reclaimed.
    #[must_use]
    pub fn claimed(&self, slot: streamem_wire::Slot) -> Claimed {
        let from = slot.index() * self.shape.slot_bytes;
        Claimed::new(
            self.pool.made().cloned(),
            slot,
            self.shape.generation,
            from,
            self.frame_bytes,
        )
    }

    /// Bytes of the pool that are really there, as far as the broker made it.
    #[must_use]
    pub fn committed_bytes(&self) -> u64 {
        let committed = |memory: &Arc<Memory>| {
            let stat = rustix::fs::fstat(memory.owned()).ok()?;
            Some(u64::try_from(stat.st_blocks).unwrap_or(0) * 512)
        };
        self.pool.made().and_then(committed).unwrap_or(0)
    }
}
