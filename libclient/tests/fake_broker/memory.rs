//! Ring, pool and lease pages as a broker makes them.
//!
//! Owns the writer's side of a stream; never asks who may read it.

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::{Relaxed, Release};
use streamem_sys::clock::monotonic_ns;
use streamem_sys::{Mapping, Writable, futex};
use streamem_wire::lease::{self, Stamp};
use streamem_wire::{
    Format, Generation, LEASE_PAGE_BYTES, Layout, LeasePage, Newest, Ring, RingShape, RingState,
    Sequence, SideData, Slot, SubscriptionId, header, page,
};

pub const SLOTS: usize = 6;
pub const SLOT_BYTES: usize = 4096;

/// A memfd that is sealed as the specification asks, and its maker's mapping.
pub fn sealed(bytes: usize, seal_writing: bool) -> (OwnedFd, Mapping<Writable>) {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = memfd_create("test", flags).unwrap();
    ftruncate(&file, bytes as u64).unwrap();
    fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW).unwrap();
    let mapping = Mapping::new(&file, bytes, Writable).unwrap();
    if seal_writing {
        fcntl_add_seals(&file, SealFlags::FUTURE_WRITE | SealFlags::SEAL).unwrap();
    }
    (file, mapping)
}

/// The lease page of a subscription, as its maker sees it.
pub struct Page {
    pub subscription: SubscriptionId,
    pub file: OwnedFd,
    pub mapping: Mapping<Writable>,
    pub leases: usize,
    pub eventfd: Option<OwnedFd>,
}

impl Page {
    pub fn new(subscription: SubscriptionId, leases: usize) -> Page {
        let (file, mapping) = sealed(LEASE_PAGE_BYTES, false);
        let page = Page {
            subscription,
            file,
            mapping,
            leases,
            eventfd: None,
        };
        page.view().write_header(subscription);
        page
    }

    pub fn view(&self) -> LeasePage<'_> {
        LeasePage::new(self.mapping.words(), self.leases).unwrap()
    }

    pub fn held(&self) -> usize {
        let words = self.view().leases();
        words.iter().filter(|word| word.load(Relaxed) != 0).count()
    }

    pub fn wake(&self) {
        if lease::must_wake(&self.view()) {
            futex::wake(self.view().word(page::WAKE), 1).unwrap();
        }
        if let Some(eventfd) = &self.eventfd {
            rustix::io::write(eventfd, &1u64.to_ne_bytes()).unwrap();
        }
    }
}

/// One incarnation of a stream's memory.
pub struct Memory {
    pub ring_file: OwnedFd,
    pub pool_file: OwnedFd,
    pub layout: Layout,
    shape: RingShape,
    ring: Mapping<Writable>,
    pool: Mapping<Writable>,
    next_slot: usize,
}

impl Memory {
    pub fn new(generation: Generation) -> Memory {
        let layout = Layout::video(Format::I420, 32, 16, 30.0).unwrap();
        let shape = RingShape::new(generation, SLOTS, SLOT_BYTES, layout.digest());
        let (ring_file, ring) = sealed(shape.words() * 8, true);
        let (pool_file, pool) = sealed(shape.pool_bytes(), true);
        shape.write_header(ring.words());
        Memory {
            ring_file,
            pool_file,
            layout,
            shape,
            ring,
            pool,
            next_slot: 0,
        }
    }

    pub fn ring(&self) -> Ring<'_> {
        Ring::new(self.ring.words(), self.shape).unwrap()
    }

    pub fn generation(&self) -> Generation {
        self.shape.generation
    }

    pub fn newest(&self) -> Sequence {
        lease::newest(&self.ring()).map_or(Sequence::NONE, |newest| newest.sequence)
    }

    pub fn set_state(&self, state: RingState) {
        let word = self.ring().header(header::STATE);
        word.store(state as u64, Release);
    }

    /// Writes a frame filled with its number's low byte into the next slot nobody holds.
    pub fn publish(&mut self, sequence: Sequence, pages: &[Page]) {
        let newest = lease::newest(&self.ring()).map(|newest| newest.slot);
        let slot = (0..SLOTS)
            .map(|step| Slot(((self.next_slot + step) % SLOTS).try_into().unwrap()))
            .filter(|slot| Some(*slot) != newest)
            .find(|slot| {
                let held = || {
                    let generation = self.generation();
                    let mut views = pages.iter().map(Page::view);
                    views.any(|view| lease::holds(&view, generation, *slot))
                };
                lease::reclaim(&self.ring(), *slot, held)
            })
            .expect("a slot that nobody holds");
        self.next_slot = slot.index() + 1;
        let fill = u64::from_ne_bytes([sequence.0.to_le_bytes()[0]; 8]);
        let words = SLOT_BYTES / 8;
        for word in &self.pool.words()[slot.index() * words..][..words] {
            word.store(fill, Relaxed);
        }
        let mut side = Vec::new();
        let exposure_ns = sequence.0;
        SideData::Exposure {
            exposure_ns,
            gain: 1.0,
        }
        .encode(&mut side);
        let now_ns = monotonic_ns();
        let stamp = Stamp {
            captured_ns: now_ns - 1000,
            published_ns: now_ns,
            source_clock: sequence.0 * 10,
            clock_domain: 3,
            flags: 2,
            used_bytes: self.layout.bytes,
            source_sequence: sequence.0 + 100,
        };
        lease::publish(&self.ring(), Newest { sequence, slot }, &stamp, &side);
        lease::before_wake();
        pages.iter().for_each(Page::wake);
    }
}
