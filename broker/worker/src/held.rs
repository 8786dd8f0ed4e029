//! Slots that a decoder holds: it writes a picture there, and looks at it for those that follow.
//!
//! Owns what keeps such a slot's memory mapped, and shows by its end that the decoder has let go; never writes there.
//!
//! # Safety
//!
//! A decoder is given the slot by address. The slot is in this publisher's hand and taken out of it (`Output::take`), so
//! nobody else fills it. After it was published it is only read, here and by readers, until the broker grants it again;
//! and then it is put aside for as long as this is held (`Output::find`). The memory stays mapped as long.
#![allow(unsafe_code)]

use std::any::Any;
use std::sync::Arc;
use streamem::SlotMemory;
use streamem_codec::{Planes, Target};

/// A slot that a decoder may still look at after it was published.
#[derive(Debug)]
pub struct Held {
    /// Which slot it is.
    pub index: usize,
    _mapped: Arc<dyn Any + Send + Sync>,
}

impl Held {
    /// The slot with this number, which lies there.
    pub fn new(index: usize, memory: &SlotMemory) -> Held {
        let _mapped = memory.keeper();
        Held { index, _mapped }
    }

    /// A place for a picture in that memory.
    pub fn target(self: &Arc<Self>, memory: &SlotMemory, planes: Planes) -> Target {
        let owner = Arc::clone(self) as Arc<dyn Any + Send + Sync>;
        // SAFETY: the memory is mapped for writing as long as this is held, shared memory is initialised, and nobody
        // else writes there, see the module's safety section.
        unsafe { Target::new(memory.start(), memory.len(), planes, owner) }
    }
}
