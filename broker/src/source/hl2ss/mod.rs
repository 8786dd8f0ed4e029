//! What a HoloLens sees, hears and measures: `hl2ss://HOST/STREAM?…`.
//!
//! Owns which host, and what is asked of the device for each stream; never connects, and never decodes.

mod host;
mod pictures;
mod sensing;
mod sound;

pub use host::Host;

use crate::source::uri::{BadSource, SourceUri, hint};
use streamem_hl2ss::{GreyCamera, Sensor};
use streamem_orders::{Part, Wish};
use streamem_wire::{Format, Layout};

/// The scheme of what a HoloLens sends.
pub const SCHEME: &str = "hl2ss";

/// A stream of a device, and how it is to be filled.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Where the device is.
    pub host: Host,
    /// How the stream is to be filled.
    pub wish: Wish,
}

/// How the wish of a stream is made of a URI.
type Make = fn(&SourceUri) -> Result<Wish, BadSource>;

const STREAMS: [(&str, Make); 18] = [
    ("pv", pictures::video),
    ("vlc-left-front", |uri| {
        pictures::grey(uri, GreyCamera::LeftFront)
    }),
    ("vlc-left-left", |uri| {
        pictures::grey(uri, GreyCamera::LeftLeft)
    }),
    ("vlc-right-front", |uri| {
        pictures::grey(uri, GreyCamera::RightFront)
    }),
    ("vlc-right-right", |uri| {
        pictures::grey(uri, GreyCamera::RightRight)
    }),
    ("ahat-depth", |uri| sensing::ahat(uri, Part::Depth)),
    ("ahat-ab", |uri| sensing::ahat(uri, Part::Brightness)),
    ("longthrow-depth", |uri| {
        sensing::long_throw(uri, Part::Depth)
    }),
    ("longthrow-ab", |uri| {
        sensing::long_throw(uri, Part::Brightness)
    }),
    ("accelerometer", |uri| {
        sensing::movement(uri, Sensor::Accelerometer)
    }),
    ("gyroscope", |uri| sensing::movement(uri, Sensor::Gyroscope)),
    ("magnetometer", |uri| {
        sensing::movement(uri, Sensor::Magnetometer)
    }),
    ("microphone", sound::microphone),
    ("spatial", sensing::spatial),
    ("eyes", sensing::eyes),
    ("extended-audio", sound::extended),
    ("extended-video", pictures::extended),
    ("extended-depth", sensing::extended),
];

/// Whether a URI names a stream of such a device.
#[must_use]
pub fn is_device(uri: &SourceUri) -> bool {
    uri.scheme() == SCHEME
}

impl Device {
    /// What a URI asks for; the device would take it.
    pub fn of(uri: &SourceUri) -> Result<Device, BadSource> {
        let names = STREAMS.map(|(name, _)| name);
        let wrong = |word: &str| BadSource::Kind {
            scheme: SCHEME.to_owned(),
            kind: uri.kind().chars().take(80).collect(),
            hint: format!(
                "write {SCHEME}://HOST/STREAM, where the stream is one of the headset's; {}",
                hint(word, &names)
            ),
        };
        let (host, stream) = uri.kind().split_once('/').ok_or_else(|| wrong(""))?;
        let host = Host::new(host).map_err(|why| BadSource::Kind {
            scheme: SCHEME.to_owned(),
            kind: uri.kind().chars().take(80).collect(),
            hint: why.to_string(),
        })?;
        let make = STREAMS.iter().find(|(name, _)| *name == stream);
        let (_, make) = make.ok_or_else(|| wrong(stream))?;
        let wish = make(uri)?;
        let refused = |why| BadSource::Refused {
            source_kind: uri.without_parameters(),
            why,
        };
        wish.ask.request().map_err(refused)?;
        wish.layout().map_err(|why| uri.no_such_layout(why))?;
        Ok(Device { host, wish })
    }

    /// Whether another wish of the same device can be had too: it has one connection for each of its ports.
    pub fn check_beside(&self, other: &Wish, its_name: &str) -> Result<(), BadSource> {
        let stream = self.wish.ask.stream();
        if stream != other.ask.stream() || self.wish.ask == other.ask {
            return Ok(());
        }
        Err(BadSource::Beside {
            host: self.host.to_string(),
            what: stream.to_string(),
            other: its_name.to_owned(),
        })
    }
}

/// How the frames lie that such a URI promises.
pub fn layout(uri: &SourceUri) -> Result<Layout, BadSource> {
    let wish = Device::of(uri)?.wish;
    wish.layout().map_err(|why| uri.no_such_layout(why))
}

/// A stream as it comes, before anything is made of it.
fn wish(ask: streamem_orders::Ask, part: Part, format: Format, calibration: bool) -> Wish {
    Wish {
        ask,
        part,
        format,
        samples: 0,
        calibration,
        damaged: false,
        raw: false,
    }
}

/// Parameters several streams have.
const POSES: (&str, bool) = ("poses", true);
const CALIBRATION: (&str, bool) = ("calibration", true);
const DAMAGED: (&str, bool) = ("damaged", false);
const RAW: (&str, bool) = ("raw", false);

#[cfg(test)]
mod tests;
