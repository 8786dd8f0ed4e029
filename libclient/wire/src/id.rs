//! The numbers both sides speak of, each a type of its own.
//!
//! Owns nothing; never does arithmetic a reader would have to think about.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Number of a frame within its stream: 1 is the first, 0 means "no frame".
///
/// It never restarts while a stream lives, also not when its memory is renewed.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Sequence(pub u64);

impl Sequence {
    /// "No frame yet."
    pub const NONE: Sequence = Sequence(0);

    /// The frame after this one.
    #[must_use]
    pub fn next(self) -> Sequence {
        Sequence(self.0 + 1)
    }

    /// How many frames `self` is ahead of `earlier`; 0 when it is not.
    #[must_use]
    pub fn since(self, earlier: Sequence) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Which slot of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot(pub u16);

impl Slot {
    /// The slot as an index into a table of slots.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Which incarnation of a stream's memory; descriptors and slots of another one are stale.
///
/// Only the low 32 bits travel in lease words; a broker never gives out more than those.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Generation(pub u32);

/// One session's use of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubscriptionId(pub u64);

/// One publisher's hold on one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PublicationId(pub u64);

/// One connected client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId(pub u64);

macro_rules! displayed_as_number {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }
    )*};
}
displayed_as_number!(
    Sequence,
    Slot,
    Generation,
    SubscriptionId,
    PublicationId,
    SessionId
);
