//! Sources: what fills slots.
//!
//! Owns opening them by URI; never publishes, and never sees a reader.

mod awaited;
pub mod pattern;
pub mod uri;

pub use awaited::layout as awaited_layout;
pub use pattern::{Filled, Pattern};
pub use uri::{BadSource, SourceUri};

/// Opens what a URI names, if it is a source the broker runs.
pub fn open(uri: &SourceUri) -> Result<Box<dyn Pattern>, BadSource> {
    if is_published(uri) {
        return Err(uri.no_such_kind(&["pattern"]));
    }
    pattern::open(uri)
}

/// Whether frames come from outside the broker.
#[must_use]
pub fn is_published(uri: &SourceUri) -> bool {
    uri.scheme() == awaited::SCHEME
}

/// Checks that there is such a source.
pub fn check(uri: &SourceUri) -> Result<(), BadSource> {
    if is_published(uri) {
        awaited_layout(uri).map(drop)
    } else {
        open(uri).map(drop)
    }
}

/// The URI of frames that come from this process, which was not expected.
#[must_use]
pub fn from_process(pid: u32) -> SourceUri {
    SourceUri::bare(awaited::SCHEME, &format!("pid-{pid}"))
}
