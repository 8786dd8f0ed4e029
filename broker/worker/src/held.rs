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
use std::sync::{Arc, Weak};
use streamem::{Granted, Publisher};
use streamem_codec::{Planes, Target};

/// A slot that a decoder may still look at after it was published.
#[derive(Debug)]
pub struct Held {
    /// Which slot it is.
    pub index: usize,
    _mapped: Arc<dyn Any + Send + Sync>,
}

impl Held {
    /// A slot in hand as a place for a picture, and what shows when it is let go.
    pub fn target(
        publisher: &Publisher,
        granted: &Granted,
        planes: Planes,
    ) -> Option<(Target, Weak<Held>)> {
        let memory = publisher.memory(granted)?;
        let held = Arc::new(Held {
            index: granted.index(),
            _mapped: memory.keeper(),
        });
        let shown = Arc::downgrade(&held);
        // SAFETY: the memory is mapped for writing as long as this is held, shared memory is initialised, and nobody
        // else writes there, see the module's safety section.
        let target = unsafe { Target::new(memory.start(), memory.len(), planes, held) };
        Some((target, shown))
    }
}
