//! The slots of a stream: in one memory, or each by itself.
//!
//! Owns what there is of them; never says how frames lie in them.

use crate::pool::{Allotted, Memory};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use streamem_sys::file::is_dma_buf;

/// The slots of a stream.
#[derive(Debug)]
pub enum Pool {
    /// Memory the broker made, all slots in one.
    Made(Arc<Memory>),
    /// Memory a publisher brought, a descriptor for each slot. The broker never maps it.
    Brought(Vec<OwnedFd>),
    /// Memory of a camera's driver, a descriptor for each slot that cannot be mapped for writing.
    Exported(Vec<OwnedFd>),
    /// Memory the broker had made for a camera's driver, likewise.
    Allotted(Allotted),
}

impl Pool {
    /// The memory, if the broker made it.
    #[must_use]
    pub fn made(&self) -> Option<&Arc<Memory>> {
        match self {
            Pool::Made(memory) => Some(memory),
            Pool::Brought(_) | Pool::Exported(_) | Pool::Allotted(_) => None,
        }
    }

    /// The slots, if each has a descriptor of its own.
    #[must_use]
    pub fn each(&self) -> &[OwnedFd] {
        match self {
            Pool::Made(_) => &[],
            Pool::Brought(slots) | Pool::Exported(slots) => slots,
            Pool::Allotted(allotted) => &allotted.slots,
        }
    }

    /// What a camera's driver is given to write into, slot after slot.
    #[must_use]
    pub fn for_drivers(&self) -> &[OwnedFd] {
        match self {
            Pool::Made(memory) => &memory.parts,
            Pool::Allotted(allotted) => &allotted.slots,
            Pool::Brought(_) | Pool::Exported(_) => &[],
        }
    }

    /// Its slots as DMA-BUFs beside the memory they are in, which readers are given only if they ask; none if
    /// there are none, or several for a slot.
    pub fn dma_bufs(&self, slots: usize) -> Option<&[OwnedFd]> {
        let parts = &self.made()?.parts;
        (parts.len() == slots).then_some(parts)
    }

    /// Whether devices of whoever has it can write to it.
    #[must_use]
    pub fn is_for_devices(&self) -> bool {
        match self {
            Pool::Made(_) | Pool::Exported(_) | Pool::Allotted(_) => false,
            Pool::Brought(slots) => slots.iter().any(is_dma_buf),
        }
    }

    /// What it is made of, by the name on the wire.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Pool::Made(memory) => memory.kind,
            Pool::Brought(_) => "brought",
            Pool::Exported(_) => "v4l2",
            Pool::Allotted(allotted) => allotted.kind,
        }
    }

    /// What keeps readers from writing, by the name on the wire.
    #[must_use]
    pub fn protection(&self) -> &'static str {
        match self {
            Pool::Made(memory) => memory.protection.name(),
            Pool::Brought(_) => "brought",
            Pool::Exported(_) | Pool::Allotted(_) => "exported",
        }
    }
}
