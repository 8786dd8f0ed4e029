//! The slots of a stream as this process has them: in one mapping, or each in its own.
//!
//! Owns the mappings; a slot that was brought by its publisher is mapped at its first use, never before.

use crate::error::{Error, Fault};
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use streamem_sys::{Mapping, ReadOnly};
use streamem_wire::Slot;

/// The descriptors of slots, as they were handed over.
#[derive(Debug)]
pub(crate) enum Slots {
    InOne(OwnedFd),
    Each(Vec<OwnedFd>),
}

/// The slots of a stream.
#[derive(Debug)]
pub(crate) enum Pool {
    InOne(Mapping<ReadOnly>),
    Each(Vec<Brought>),
}

/// A slot its publisher brought.
#[derive(Debug)]
pub(crate) struct Brought {
    file: OwnedFd,
    map: OnceLock<Mapping<ReadOnly>>,
}

impl Pool {
    /// Maps all slots, if they are in one.
    pub(crate) fn of(slots: Slots, bytes: u64) -> Result<Pool, Error> {
        match slots {
            // The whole file, because memory of huge pages can only be unmapped in whole pages.
            Slots::InOne(file) => {
                let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
                let map = Mapping::new(file, bytes, ReadOnly);
                map.map(Pool::InOne)
                    .map_err(|cause| Error::memory("pool", cause))
            }
            Slots::Each(files) => {
                let brought = files.into_iter().map(|file| Brought {
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
            Pool::InOne(map) => Some((map, slot.index() * slot_bytes)),
            Pool::Each(slots) => Some((slots.get(slot.index())?.map.get()?, 0)),
        }
    }
}
