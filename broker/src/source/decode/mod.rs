//! Streams decoded from another stream of this broker: `decode://cam?format=bgr24`.
//!
//! Owns what such a URI asks for and which streams can be decoded; never reads a stream.

mod jpeg;

pub use jpeg::{Decoded, Undecodable, decode};

use crate::source::uri::{BadSource, SourceUri};
use streamem_wire::{BadLayout, Colour, Format, Layout, StreamName};

/// The scheme of streams that are decoded from others.
pub const SCHEME: &str = "decode";
const KNOWN: [&str; 1] = ["format"];
/// What is written into slots without another pass over the picture.
const FORMATS: [Format; 6] = [
    Format::Bgr24,
    Format::Rgb24,
    Format::Bgra,
    Format::Rgba,
    Format::Gray8,
    Format::I420,
];
/// What is said of the pictures of a stream that is not there yet.
const GUESS: (u32, u32) = (640, 480);

/// What a stream is decoded from, and into what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The stream whose frames are decoded.
    pub parent: StreamName,
    /// How the pixels are to lie.
    pub format: Format,
}

impl Wish {
    /// What a URI asks for.
    pub fn of(uri: &SourceUri) -> Result<Wish, BadSource> {
        let parameters = uri.parameters(&KNOWN)?;
        let parent = StreamName::new(uri.kind()).map_err(|why| BadSource::Parent {
            parent: uri.kind().chars().take(80).collect(),
            why: why.to_string(),
        })?;
        let format = parameters.format(Format::Bgr24, &FORMATS)?;
        Ok(Wish { parent, format })
    }

    /// The same, where a URI asks for any.
    #[must_use]
    pub fn of_decoded(uri: &SourceUri) -> Option<Wish> {
        (uri.scheme() == SCHEME)
            .then(|| Wish::of(uri).ok())
            .flatten()
    }

    /// How pictures lie that are decoded from frames of this layout.
    pub fn picture(&self, parent: &Layout) -> Result<Layout, BadLayout> {
        let mut picture = Layout::video(self.format, parent.width, parent.height, parent.rate)?;
        if self.format == Format::I420 {
            // JPEG knows no other.
            picture.colour = Some(Colour {
                space: "bt601".to_owned(),
                range: "full".to_owned(),
            });
        }
        Ok(picture)
    }

    /// The same while nothing is known of the parent.
    pub fn guess(&self) -> Result<Layout, BadLayout> {
        let (width, height) = GUESS;
        Layout::video(self.format, width, height, 0.0)
    }

    /// Whether a stream of this name can be decoded so: not from itself.
    pub fn check_name(&self, name: &StreamName) -> Result<(), BadSource> {
        if self.parent != *name {
            return Ok(());
        }
        Err(BadSource::Parent {
            parent: name.to_string(),
            why: "that is the stream itself: name the one that has the JPEG pictures".to_owned(),
        })
    }

    /// Whether it can be decoded from a parent of this source, as far as a source says what it gives.
    pub fn check_parent(&self, parent: &SourceUri) -> Result<(), BadSource> {
        match super::promised_format(parent) {
            Some(format) if format != Format::Mjpeg => Err(BadSource::Parent {
                parent: self.parent.to_string(),
                why: format!(
                    "its source {parent} gives {format}, and only mjpeg can be decoded: name a stream of JPEG \
                     pictures, or give that source format=mjpeg"
                ),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(text: &str) -> Result<Wish, String> {
        let uri: SourceUri = text.parse().unwrap();
        Wish::of(&uri).map_err(|why| why.to_string())
    }

    #[test]
    fn a_uri_names_a_stream_and_how_pixels_are_to_lie() {
        let wished = wish("decode://cam?format=gray8").unwrap();
        assert_eq!(
            (wished.parent.as_str(), wished.format),
            ("cam", Format::Gray8)
        );
        assert_eq!(wish("decode://cam").unwrap().format, Format::Bgr24);
        assert!(
            wish("decode://cam?format=yuyv")
                .unwrap_err()
                .contains("bgr24")
        );
        assert!(wish("decode://cam?size=1x1").unwrap_err().contains("size"));
        assert!(wish("decode://a%20b").unwrap_err().contains("a b"));
    }

    #[test]
    fn pictures_are_as_large_as_the_frames_they_are_made_of() {
        let parent = Layout::packet(Format::Mjpeg, 64, 48, 25.0, 9999).unwrap();
        let picture = wish("decode://cam").unwrap().picture(&parent).unwrap();
        assert_eq!(picture.summary(), "64x48 bgr24 25/s");
        let planar = wish("decode://cam?format=i420").unwrap();
        let colour = planar.picture(&parent).unwrap().colour.unwrap();
        assert_eq!((&colour.space[..], &colour.range[..]), ("bt601", "full"));
        let odd = Layout::packet(Format::Mjpeg, 63, 48, 25.0, 9999).unwrap();
        assert!(planar.picture(&odd).is_err());
        let unknown = Layout::packet(Format::Mjpeg, 0, 0, 25.0, 9999).unwrap();
        assert!(planar.picture(&unknown).is_err());
    }

    #[test]
    fn only_what_may_be_jpeg_is_a_parent() {
        let wished = wish("decode://cam").unwrap();
        let check = |source: &str| wished.check_parent(&source.parse().unwrap());
        for possible in [
            "publish://?format=mjpeg",
            "v4l2:///dev/video0",
            "v4l2:///dev/video0?format=mjpeg",
        ] {
            assert_eq!(check(possible), Ok(()), "{possible}");
        }
        for (impossible, format) in [
            ("pattern://bars?format=nv12", "nv12"),
            ("publish://?format=gray8", "gray8"),
            ("v4l2:///dev/video0?format=yuyv", "yuyv"),
            ("decode://other", "bgr24"),
        ] {
            let why = check(impossible).unwrap_err().to_string();
            assert!(why.contains(format) && why.contains("cam"), "{why}");
        }
    }
}
