//! The memory of one generation of a stream: its ring and its pool.
//!
//! Owns making both fit each other and a layout; never knows who reads.

use super::pool::Pool;
use crate::config::PoolConfig;
use crate::pool::{
    Allocator, Claimed, Memfd, Memory, PoolError, Protection, Request, Unsealed, adopt, seal,
};
use crate::source::v4l2::Fill;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use streamem_wire::{BadPage, Generation, Layout, Ring, RingShape, StreamName, header};
use tracing::info;

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
    /// Somebody may hold slots without our seeing it.
    #[error(
        "{readers} read it and {pages} of their lease pages were kept (raise FileDescriptorStoreMax= of the service)"
    )]
    Unseen {
        /// Subscriptions there were.
        readers: u64,
        /// Lease pages there are.
        pages: u64,
    },
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

/// A slot smaller than a huge page would waste most of one.
fn fits_huge_pages(layout: &Layout) -> bool {
    layout.bytes >= HUGE_PAGE_BYTES
}

fn slot_bytes(layout: &Layout, config: &PoolConfig) -> usize {
    let page_bytes = if config.huge_pages && fits_huge_pages(layout) {
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

fn sealed_ring(name: &StreamName, shape: RingShape) -> Request {
    Request::plain(
        format!("streamem-ring-{name}"),
        shape.words() * 8,
        Protection::Sealed,
    )
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
                parts: Vec::new(),
            })
        };
        let huge = config.huge_pages && fits_huge_pages(layout);
        if config.huge_pages && !huge {
            info!(stream = %name, "a frame is smaller than a huge page; its pool has ordinary pages");
        }
        let ring = allocate("ring", shape.words() * 8, false)?;
        let pool = Arc::new(allocate("pool", shape.pool_bytes(), huge)?);
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
        let pool = allocator.allocate(&Request::plain(
            format!("streamem-pool-{name}"),
            shape.pool_bytes(),
            Protection::Lent,
        ))?;
        let ring = sealed_ring(name, shape);
        StreamMemory::around(allocator, &ring, layout, shape, Pool::Made(Arc::new(pool)))
    }

    /// A fresh ring for a pool of so many slots that devices write, all in one memory.
    pub fn of_devices(
        pool: Arc<Memory>,
        name: &StreamName,
        layout: &Layout,
        slots: u32,
        generation: Generation,
    ) -> Result<StreamMemory, PoolError> {
        let slots = usize::try_from(slots).unwrap_or(usize::MAX);
        let slot_bytes = published_slot_bytes(layout);
        let shape = RingShape::new(generation, slots, slot_bytes, layout.digest());
        let protection = pool.protection;
        let ring = Request::plain(
            format!("streamem-ring-{name}"),
            shape.words() * 8,
            protection,
        );
        StreamMemory::around(&Memfd, &ring, layout, shape, Pool::Made(pool))
    }

    /// A fresh ring for slots that are files of their own.
    pub fn bring(
        allocator: &dyn Allocator,
        name: &StreamName,
        layout: &Layout,
        pool: Pool,
        generation: Generation,
    ) -> Result<StreamMemory, PoolError> {
        let slot_bytes = published_slot_bytes(layout);
        let shape = RingShape::new(generation, pool.each().len(), slot_bytes, layout.digest());
        let ring = sealed_ring(name, shape);
        StreamMemory::around(allocator, &ring, layout, shape, pool)
    }

    fn around(
        allocator: &dyn Allocator,
        ring: &Request,
        layout: &Layout,
        shape: RingShape,
        pool: Pool,
    ) -> Result<StreamMemory, PoolError> {
        let ring = allocator.allocate(ring)?;
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
            Pool::Brought(_) | Pool::Exported(_) | Pool::Allotted(_) => Ok(()),
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
        pages: usize,
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
        let memory = StreamMemory {
            shape,
            frame_bytes: frame_bytes(layout),
            ring,
            pool: Pool::Made(Arc::new(pool)),
        };
        let readers = memory.view().header(header::READERS).load(Relaxed);
        let pages = pages as u64;
        if pages < readers {
            return Err(Unfit::Unseen { readers, pages });
        }
        Ok(memory)
    }

    /// How a camera's frames would come into its slots.
    #[must_use]
    pub fn is_filled_by(&self) -> Fill {
        match &self.pool {
            Pool::Exported(_) => Fill::Export,
            pool if pool.for_drivers().is_empty() => Fill::Copy,
            _ => Fill::Import,
        }
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

    /// Bytes of the pool that are really there, as far as the broker had it made.
    #[must_use]
    pub fn committed_bytes(&self) -> u64 {
        let committed = |memory: &Arc<Memory>| {
            let stat = rustix::fs::fstat(memory.owned()).ok()?;
            Some(u64::try_from(stat.st_blocks).unwrap_or(0) * 512)
        };
        match &self.pool {
            Pool::Made(memory) => committed(memory).unwrap_or(0),
            Pool::Allotted(allotted) => allotted.bytes(),
            Pool::Brought(_) | Pool::Exported(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::Memfd;
    use crate::source::SourceUri;
    use crate::source::pattern::open;

    fn slot_bytes_of(source: &str) -> usize {
        let uri: SourceUri = source.parse().unwrap();
        let config = PoolConfig {
            slots_max: 4,
            huge_pages: true,
            ..PoolConfig::default()
        };
        let name = StreamName::new("cam").unwrap();
        let layout = open(&uri).unwrap().layout().clone();
        let first = Generation(1);
        let made =
            StreamMemory::make(&Memfd, &name, &layout, &config, first, Protection::Sealed).unwrap();
        made.shape().slot_bytes
    }

    #[test]
    fn only_frames_of_a_huge_page_and_more_get_huge_pages() {
        assert_eq!(slot_bytes_of("pattern://imu"), 4096);
        assert_eq!(
            slot_bytes_of("pattern://bars?size=160x120&rate=30&format=bgr24"),
            61_440
        );
        assert_eq!(
            slot_bytes_of("pattern://bars?size=1920x1080&rate=30&format=bgr24"),
            6 << 20
        );
    }
}
