//! Streams that wait for a publisher: `publish://?format=bgr24&size=1280x720&rate=30`.
//!
//! Owns the layout such a URI promises; never fills a slot.

use crate::source::uri::{BadSource, SourceUri};
use streamem_wire::{
    BadWish, Format, Kind, Layout, LayoutWish, RATE_MAX, SAMPLE_RATE_MAX, SIDE_MAX,
};

/// The scheme of streams that are filled from outside the broker.
pub const SCHEME: &str = "publish";
const KNOWN: [&str; 7] = [
    "format",
    "size",
    "rate",
    "bytes_max",
    "sample_rate",
    "channels",
    "samples",
];
const FORMATS: fn(&&Format) -> bool = |format| format.kind() != Kind::Batch;

/// The layout a publisher has to bring.
pub fn layout(uri: &SourceUri) -> Result<Layout, BadSource> {
    if !uri.kind().is_empty() {
        return Err(uri.no_such_kind(&["publish://?format=…"]));
    }
    let parameters = uri.parameters(&KNOWN)?;
    let formats: Vec<Format> = Format::ALL.iter().filter(FORMATS).copied().collect();
    let format = parameters.format(Format::Bgr24, &formats)?;
    let whole = |name, default| parameters.whole(name, default, 1..=u32::MAX);
    let mut wish = LayoutWish::new(format);
    if format.kind() == Kind::Audio {
        wish.sample_rate = Some(parameters.whole("sample_rate", 48_000, 1..=SAMPLE_RATE_MAX)?);
        wish.channels = Some(whole("channels", 2)?);
        wish.samples = Some(whole("samples", 1024)?);
    } else {
        let (width, height) = parameters.size((1280, 720))?;
        let rate = parameters.number("rate", 0.0, 0.001..=RATE_MAX, Some("unknown"))?;
        (wish.width, wish.height, wish.rate) = (Some(width), Some(height), Some(rate));
    }
    if format.kind() == Kind::Packet {
        let bytes_max = whole("bytes_max", SIDE_MAX * 64)?;
        wish.bytes_max = Some(bytes_max.into());
    }
    wish.layout().map_err(|why| match why {
        BadWish::Layout(why) => uri.no_such_layout(why),
        why => BadSource::Wish {
            source_kind: uri.without_parameters(),
            why,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str) -> Result<Layout, BadSource> {
        layout(&text.parse().unwrap())
    }

    #[test]
    fn a_uri_promises_a_layout() {
        let layout = opened("publish://?format=gray8&size=64x48&rate=30").unwrap();
        assert_eq!(layout.summary(), "64x48 gray8 30/s");
        let layout = opened("publish://?format=f32&channels=1").unwrap();
        assert_eq!(layout.sample_rate, Some(48_000));
        assert!(opened("publish://?format=h264").unwrap().bytes > 0);
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let refused = |text: &str| opened(text).unwrap_err().to_string();
        assert!(refused("publish://?format=batch").contains("format=batch"));
        assert!(refused("publish://?siez=1x1").contains("size"));
        assert!(refused("publish://?size=3x3&format=nv12").contains("even sides"));
        assert!(refused("publish://?format=s16&channels=0").contains("channels=0"));
    }
}
