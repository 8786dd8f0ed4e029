//! A layout in GStreamer's words: caps.
//!
//! Owns the table of formats; never says of a stream what its bytes are not.

use crate::failure::Failure;
use std::time::Duration;
use streamem_wire::{Format, Kind, Layout, Plane};

/// What GStreamer is told of the frames of one layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caps {
    /// The caps.
    pub text: String,
    /// How long a frame lasts.
    pub duration_ns: Option<u64>,
}

impl Caps {
    /// Of this layout; refused where GStreamer has no words for it.
    pub fn of(layout: &Layout) -> Result<Caps, Failure> {
        let duration = Duration::try_from_secs_f64(1.0 / layout.rate).ok();
        Ok(Caps {
            text: text(layout)?,
            duration_ns: duration.and_then(|duration| duration.as_nanos().try_into().ok()),
        })
    }
}

/// The name of a raw picture format.
fn raw(format: Format) -> Option<&'static str> {
    Some(match format {
        Format::I420 => "I420",
        Format::Yuyv => "YUY2",
        Format::Uyvy => "UYVY",
        Format::Rgba => "RGBA",
        Format::Bgra => "BGRA",
        Format::Rgb24 => "RGB",
        Format::Bgr24 => "BGR",
        Format::Nv12 => "NV12",
        Format::Gray8 => "GRAY8",
        Format::Gray16 => "GRAY16_LE",
        Format::P010 => "P010_10LE",
        _ => return None,
    })
}

fn text(layout: &Layout) -> Result<String, Failure> {
    let what = match layout.format {
        Format::Mjpeg => "image/jpeg".to_owned(),
        Format::H264 | Format::H265 => format!(
            "video/x-{}, stream-format=(string)byte-stream, alignment=(string)au",
            layout.format
        ),
        Format::F32 => return sound(layout, "F32LE"),
        Format::S16 => return sound(layout, "S16LE"),
        format => match raw(format) {
            Some(name) if has_usual_rows(layout) => format!("video/x-raw, format=(string){name}"),
            Some(_) => {
                return Err(Failure::Unfit(format!(
                    "the rows of {} do not begin at multiples of four bytes, as GStreamer wants them; use a width that is a multiple of 8, or another format",
                    layout.summary()
                )));
            }
            None => {
                return Err(Failure::Unfit(format!(
                    "GStreamer has no format for {format}; read this stream with 'streamem grab' or a client library"
                )));
            }
        },
    };
    let size = match (layout.width, layout.height) {
        (0, _) | (_, 0) => String::new(),
        (width, height) => format!(", width=(int){width}, height=(int){height}"),
    };
    let raw_only = if layout.kind == Kind::Video {
        ", interlace-mode=(string)progressive, pixel-aspect-ratio=(fraction)1/1"
    } else {
        ""
    };
    let rate = fraction(layout.rate);
    let colour = colorimetry(layout);
    Ok(format!(
        "{what}{size}, framerate=(fraction){rate}{raw_only}{colour}"
    ))
}

/// One channel only: planes that follow each other need a `GstAudioMeta`, which `unixfdsrc` cannot
/// be given, since it reads it before the memory it must fit into.
fn sound(layout: &Layout, format: &str) -> Result<String, Failure> {
    let channels = layout.planes.first().map_or(0, |plane| plane.rows);
    let rate = layout.sample_rate.unwrap_or(0);
    if channels != 1 {
        return Err(Failure::Unfit(format!(
            "sound of {channels} channels, one after the other, cannot be handed to unixfdsrc; use a stream of one channel, or a client library"
        )));
    }
    Ok(format!(
        "audio/x-raw, format=(string){format}, layout=(string)interleaved, rate=(int){rate}, channels=(int)1"
    ))
}

/// A rate as GStreamer writes it, with those of television exact.
fn fraction(rate: f64) -> String {
    if !(rate.is_finite() && rate > 0.0 && rate < 1e6) {
        return "0/1".to_owned();
    }
    for (denominator, factor) in [(1, 1.0), (1001, 1000.0)] {
        let parts = rate * f64::from(denominator) / factor;
        if (parts - parts.round()).abs() < 1e-4 * parts {
            return format!("{}/{denominator}", parts.round() * factor);
        }
    }
    format!("{}/1000", (rate * 1000.0).round())
}

fn colorimetry(layout: &Layout) -> String {
    let is_grey = matches!(layout.format, Format::Gray8 | Format::Gray16);
    let known = layout
        .colour
        .as_ref()
        .filter(|_| !is_grey)
        .and_then(
            |colour| match (colour.space.as_str(), colour.range.as_str()) {
                ("srgb", "full") => Some("sRGB"),
                ("bt601", "limited") => Some("bt601"),
                ("bt709", "limited") => Some("bt709"),
                ("bt2020", "limited") => Some("bt2020"),
                _ => None,
            },
        );
    known.map_or(String::new(), |name| {
        format!(", colorimetry=(string){name}")
    })
}

/// Whether the rows of a picture lie where GStreamer looks for them unless it is told otherwise: each
/// begins at a multiple of four bytes, and each plane where the one before ends.
///
/// It can be told otherwise, by a `GstVideoMeta`. But `unixfdsrc` only understands that once some
/// element after it has looked for one, and so takes the first picture for something it is not.
fn has_usual_rows(layout: &Layout) -> bool {
    let Ok(tight) = Layout::video(layout.format, layout.width, layout.height, layout.rate) else {
        return false;
    };
    let mut offset = 0;
    let usual = tight.planes.iter().map(|plane| {
        let plane = Plane {
            offset,
            stride: plane.stride.next_multiple_of(4),
            rows: plane.rows,
        };
        offset = plane.end();
        plane
    });
    layout.planes.iter().cloned().eq(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(format: Format, width: u32, height: u32, rate: f64) -> Layout {
        Layout::video(format, width, height, rate).unwrap()
    }

    #[test]
    fn caps_say_format_size_rate_and_colour() {
        let caps = Caps::of(&picture(Format::Nv12, 1920, 1080, 59.94)).unwrap();
        assert_eq!(
            caps.text,
            "video/x-raw, format=(string)NV12, width=(int)1920, height=(int)1080, \
             framerate=(fraction)60000/1001, interlace-mode=(string)progressive, \
             pixel-aspect-ratio=(fraction)1/1, colorimetry=(string)bt709"
        );
        assert_eq!(caps.duration_ns, Some(16_683_350));
    }

    #[test]
    fn every_picture_has_caps_but_for_distances() {
        let pictures = Format::ALL.iter().filter(|one| one.kind() == Kind::Video);
        for format in pictures {
            let caps = Caps::of(&picture(*format, 64, 48, 30.0));
            assert_eq!(caps.is_ok(), *format != Format::Depth16, "{format}");
        }
    }

    #[test]
    fn packets_are_whole_pictures() {
        let caps = Caps::of(&Layout::packet(Format::H264, 64, 48, 0.0, 999).unwrap()).unwrap();
        assert_eq!(
            caps.text,
            "video/x-h264, stream-format=(string)byte-stream, alignment=(string)au, \
             width=(int)64, height=(int)48, framerate=(fraction)0/1"
        );
        assert_eq!(caps.duration_ns, None);
    }

    #[test]
    fn what_cannot_be_said_is_refused_with_a_next_step() {
        let depth = picture(Format::Depth16, 64, 48, 30.0);
        let stereo = Layout::audio(Format::F32, 2, 1024, 48_000).unwrap();
        let batch = Layout::batch(&[("t", "<u8")], 8, 1000.0).unwrap();
        for layout in [depth, stereo, batch] {
            let refused = Caps::of(&layout).unwrap_err().to_string();
            assert!(refused.contains("; "), "{refused}");
        }
        let mono = Layout::audio(Format::S16, 1, 480, 48_000).unwrap();
        let caps = Caps::of(&mono).unwrap();
        assert!(caps.text.ends_with("rate=(int)48000, channels=(int)1"));
        assert_eq!(caps.duration_ns, Some(10_000_000));
    }

    #[test]
    fn rates_are_fractions() {
        for (rate, text) in [
            (30.0, "30/1"),
            (29.97, "30000/1001"),
            (12.5, "12500/1000"),
            (0.0, "0/1"),
            (f64::NAN, "0/1"),
        ] {
            assert_eq!(fraction(rate), text);
        }
    }

    #[test]
    fn rows_gstreamer_would_look_for_elsewhere_are_refused() {
        for (format, width, is_usual) in [
            (Format::Rgb24, 322, false),
            (Format::Rgb24, 324, true),
            (Format::I420, 324, false),
            (Format::I420, 328, true),
            (Format::Nv12, 322, false),
            (Format::Gray16, 322, true),
        ] {
            let caps = Caps::of(&picture(format, width, 48, 30.0));
            assert_eq!(caps.is_ok(), is_usual, "{format} {width}");
        }
        let mut padded = picture(Format::Rgba, 320, 240, 30.0);
        padded.planes[0].stride += 64;
        assert!(Caps::of(&padded).is_err());
    }
}
