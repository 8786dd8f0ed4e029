//! What every way of filling slots can do.
//!
//! Owns nothing; never decides which way is taken.

use crate::pool::Claimed;
use streamem_v4l2::{Dequeued, Error};
use streamem_wire::Layout;

/// A way in which the frames of a camera come into slots.
pub(super) trait Filler: Send {
    /// Whether it could do with one more slot.
    fn wants(&self) -> bool;

    /// Takes a slot to be filled.
    fn give(&mut self, claimed: Claimed) -> Result<(), Error>;

    /// The next frame there is.
    fn take(&mut self, layout: &Layout) -> Result<Option<Taken>, Error>;
}

/// A frame the driver is done with.
#[derive(Debug)]
pub(super) struct Taken {
    /// Its slot; none if there was no slot for it.
    pub(super) claimed: Option<Claimed>,
    /// Bytes from the start of the slot that count.
    pub(super) used_bytes: usize,
    /// What the driver says of it.
    pub(super) said: Dequeued,
}
