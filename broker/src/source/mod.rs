//! Sources: what fills slots.
//!
//! Owns opening them by URI; never publishes, and never sees a reader.

mod awaited;
pub mod decode;
pub mod hl2ss;
pub mod pattern;
pub mod uri;
pub mod v4l2;

pub use pattern::{Filled, Pattern};
pub use uri::{BadSource, SourceUri};

use streamem_wire::{Format, Layout};

/// A source the broker runs.
#[derive(Debug)]
pub enum Source {
    /// One that makes its frames up; it is there as soon as it is asked for.
    Pattern(Box<dyn Pattern>),
    /// A camera, which is still to be opened, and may not be there.
    Camera(Box<v4l2::Wish>),
    /// What another stream's frames are when they are decoded; that stream may not be there.
    Decoded(decode::Wish),
}

impl Source {
    /// What a URI names.
    pub fn of(uri: &SourceUri) -> Result<Source, BadSource> {
        match uri.scheme() {
            awaited::SCHEME | hl2ss::SCHEME => Err(uri.no_such_kind(&["pattern"])),
            v4l2::SCHEME => Ok(Source::Camera(Box::new(v4l2::Wish::of(uri)?))),
            decode::SCHEME => Ok(Source::Decoded(decode::Wish::of(uri)?)),
            _ => Ok(Source::Pattern(pattern::open(uri)?)),
        }
    }

    /// How its frames lie; of a camera or a parent, as far as it is known before that is there.
    pub fn layout(&self) -> Result<Layout, BadSource> {
        let (scheme, guess) = match self {
            Source::Pattern(pattern) => return Ok(pattern.layout().clone()),
            Source::Camera(wish) => (v4l2::SCHEME, wish.guess()),
            Source::Decoded(wish) => (decode::SCHEME, wish.guess()),
        };
        guess.map_err(|why| BadSource::Layout {
            source_kind: format!("{scheme}://"),
            why,
        })
    }
}

/// Whether frames come from outside the broker.
#[must_use]
pub fn is_published(uri: &SourceUri) -> bool {
    uri.scheme() == awaited::SCHEME || hl2ss::is_device(uri)
}

/// The layout of what comes from outside, where the URI says it.
pub fn awaited_layout(uri: &SourceUri) -> Result<Layout, BadSource> {
    match uri.scheme() {
        hl2ss::SCHEME => hl2ss::layout(uri),
        _ => awaited::layout(uri),
    }
}

/// The format of a source's frames, where the URI alone says it.
#[must_use]
pub fn promised_format(uri: &SourceUri) -> Option<Format> {
    if is_published(uri) {
        return awaited_layout(uri).ok().map(|layout| layout.format);
    }
    match Source::of(uri).ok()? {
        Source::Pattern(pattern) => Some(pattern.layout().format),
        Source::Camera(wish) => wish.format,
        Source::Decoded(wish) => Some(wish.format),
    }
}

/// Checks that there is such a source.
pub fn check(uri: &SourceUri) -> Result<(), BadSource> {
    if is_published(uri) {
        awaited_layout(uri).map(drop)
    } else {
        Source::of(uri).map(drop)
    }
}

/// The URI of frames that come from this process, which was not expected.
#[must_use]
pub fn from_process(pid: u32) -> SourceUri {
    SourceUri::bare(awaited::SCHEME, &format!("pid-{pid}"))
}
