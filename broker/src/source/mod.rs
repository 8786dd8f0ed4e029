//! Sources: what fills slots.
//!
//! Owns opening them by URI; never publishes, and never sees a reader.

pub mod pattern;
pub mod uri;

pub use pattern::{Filled, Pattern};
pub use uri::{BadSource, SourceUri};

/// Opens what a URI names.
pub fn open(uri: &SourceUri) -> Result<Box<dyn Pattern>, BadSource> {
    pattern::open(uri)
}
