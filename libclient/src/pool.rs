//! The slots of a stream as this process has them: in one mapping, or each in its own.
//!
//! Owns the mappings; a slot that was brought by its publisher is mapped at its first use, never before.

use crate::error::{Error, Fault};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use streamem_sys::file::is_dma_buf;
use streamem_sys::{Mapping, ReadOnly};
use streamem_wire::Slot;

/// The descriptors of slots, as they were handed over.
#[derive(Debug)]
pub(crate) enum Slots {
    /// One file, and each slot as a DMA-BUF too, or none.
    InOne(OwnedFd, Vec<OwnedFd>),
    Each(Vec<OwnedFd>),
}

/// The slots of a stream.
#[derive(Debug)]
pub(crate) enum Pool {
    InOne {
        file: OwnedFd,
        map: Mapping<ReadOnly>,
        dma_bufs: Vec<OwnedFd>,
    },
    Each(Vec<Brought>),
}

/// A slot its publisher brought.
#[derive(Debug)]
pub(crate) struct Brought {
    file: OwnedFd,
    is_dma_buf: bool,
    map: OnceLock<Mapping<ReadOnly>>,
}

impl Pool {
    /// Maps all slots, if they are in one.
    pub(crate) fn of(slots: Slots, bytes: u64) -> Result<Pool, Error> {
        match slots {
            // The whole file, because memory of huge pages can only be unmapped in whole pages.
            Slots::InOne(file, dma_bufs) => {
                let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
                let map = Mapping::new(&file, bytes, ReadOnly);
                let map = map.map_err(|cause| Error::memory("pool", cause))?;
                Ok(Pool::InOne {
                    file,
                    map,
                    dma_bufs,
                })
            }
            Slots::Each(files) => {
                let brought = files.into_iter().map(|file| Brought {
                    is_dma_buf: is_dma_buf(&file),
                    file,
                    map: OnceLock::new(),
                });
                Ok(Pool::Each(brought.collect()))
            }
        }
    }

    /// Makes sure that a slot is mapped.
    pub(crate) fn map_slot(&self, slot: Slot, slot_bytes: usize) -> Result<(), Error> {
        let Pool::Each(slots) = self else {
            return Ok(());
        };
        let brought = slots.get(slot.index()).ok_or(Fault::NoSuchSlot)?;
        if brought.map.get().is_none() {
            let map = Mapping::new(&brought.file, slot_bytes, ReadOnly);
            let map = map.map_err(|cause| Error::memory("slot", cause))?;
            let _first_one_counts = brought.map.set(map);
        }
        Ok(())
    }

    /// The mapping a slot is in, and where it begins there.
    pub(crate) fn place(
        &self,
        slot: Slot,
        slot_bytes: usize,
    ) -> Option<(&Mapping<ReadOnly>, usize)> {
        match self {
            Pool::InOne { map, .. } => Some((map, slot.index() * slot_bytes)),
            Pool::Each(slots) => Some((slots.get(slot.index())?.map.get()?, 0)),
        }
    }

    /// The DMA-BUF a slot is, if it is one.
    pub(crate) fn dma_buf(&self, slot: Slot) -> Option<BorrowedFd<'_>> {
        let file = match self {
            Pool::InOne { dma_bufs, .. } => dma_bufs.get(slot.index())?,
            Pool::Each(slots) => &slots.get(slot.index()).filter(|slot| slot.is_dma_buf)?.file,
        };
        Some(file.as_fd())
    }

    /// The file a slot is in, and where it begins there.
    pub(crate) fn file(&self, slot: Slot, slot_bytes: usize) -> Option<(BorrowedFd<'_>, u64)> {
        match self {
            Pool::InOne { file, .. } => {
                Some((file.as_fd(), slot.index() as u64 * slot_bytes as u64))
            }
            Pool::Each(slots) => Some((slots.get(slot.index())?.file.as_fd(), 0)),
        }
    }
}
