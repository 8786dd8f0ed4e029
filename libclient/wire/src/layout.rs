//! How the bytes of every frame of a stream lie: what is constant, said once at subscription.
//!
//! Owns sizes, planes and the array view; never says anything that changes from frame to frame.

use crate::format::{Format, Kind};
use serde::{Deserialize, Serialize};

mod placed;

/// Widest and highest picture.
pub const SIDE_MAX: u32 = 16_384;
/// Largest frame.
pub const FRAME_BYTES_MAX: u64 = 1 << 30;

/// A run of equally long rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plane {
    /// Where in the slot it begins.
    pub offset: u64,
    /// Distance between rows, in bytes.
    pub stride: u64,
    /// Number of rows.
    pub rows: u64,
}

impl Plane {
    /// First byte after the plane.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset
            .saturating_add(self.stride.saturating_mul(self.rows))
    }
}

/// A field of a record in a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// What it is called.
    pub name: String,
    /// The numpy name of its type.
    pub dtype: String,
}

/// A numpy-style look at the slot: what `ndarray` needs and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Array {
    /// Length of each dimension.
    pub shape: Vec<u64>,
    /// Bytes from one element to the next in each dimension.
    pub strides: Vec<u64>,
    /// The element, unless `fields` says more.
    pub dtype: String,
    /// The fields of one element, for batches of records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

impl Array {
    /// First byte after the last element; `None` where there is none, or no such number.
    #[must_use]
    pub fn end(&self) -> Option<u64> {
        if self.shape.len() != self.strides.len() {
            return None;
        }
        let mut steps = self.shape.iter().zip(&self.strides);
        steps.try_fold(self.element_bytes()?, |end, (length, stride)| {
            end.checked_add(length.checked_sub(1)?.checked_mul(*stride)?)
        })
    }

    /// Bytes of an element: what its type says, or its fields where they are more.
    fn element_bytes(&self) -> Option<u64> {
        let fields = self.fields.iter();
        let fields = fields.map(|field| dtype_bytes(&field.dtype));
        let of_fields = fields.sum::<Option<u64>>()?;
        Some(dtype_bytes(&self.dtype)?.max(of_fields))
    }
}

/// The number numpy writes at the end of a type's name: `<u2`, `|V24`. Short, so that sums of a few
/// thousand cannot overflow.
fn dtype_bytes(dtype: &str) -> Option<u64> {
    let digits = dtype.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    digits.parse::<u32>().ok().map(u64::from)
}

/// Which numbers stand for which colours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colour {
    /// `srgb`, `bt601`, `bt709` or `bt2020`.
    pub space: String,
    /// `full` or `limited`.
    pub range: String,
}

/// How every frame of a stream lies in its slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// What sort of thing a frame is.
    pub kind: Kind,
    /// How the bytes are to be read.
    pub format: Format,
    /// The four-character code of the format.
    pub fourcc: String,
    /// DRM's format modifier; 0 is linear.
    pub modifier: u64,
    /// Pixels in a row; 0 where there are none.
    pub width: u32,
    /// Rows of pixels.
    pub height: u32,
    /// Frames per second, nominal; 0 where unknown.
    pub rate: f64,
    /// Audio samples per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_rate: Option<u32>,
    /// Where the rows lie. Empty for packets.
    pub planes: Vec<Plane>,
    /// Bytes of a frame, or the most a packet may have.
    pub bytes: u64,
    /// The frame as an array, where it can be seen as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<Array>,
    /// For pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<Colour>,
}

/// Why there is no such layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLayout {
    /// Sizes outside what is allowed.
    #[error("a picture of {0}x{1} is not possible: each side must be 1 to {SIDE_MAX}")]
    Size(u32, u32),
    /// Chroma needs even sides.
    #[error(
        "{2} pictures need even sides, {0}x{1} has an odd one: make it even, or choose another format"
    )]
    Odd(u32, u32, Format),
    /// The format has no pixels, or no samples.
    #[error("{0} is not a format for {1}")]
    Kind(Format, &'static str),
    /// Rows are too close.
    #[error("rows of {1} bytes do not fit {0} bytes apart")]
    Stride(u64, u64),
    /// Another number of planes than the format has.
    #[error("a picture in {0} does not have {1} planes")]
    Planes(Format, usize),
    /// Too many bytes.
    #[error("a frame would take {0} bytes, the most is {FRAME_BYTES_MAX}")]
    TooLarge(u64),
    /// Nothing at all.
    #[error("a frame would be empty: ask for one byte, sample or record at least")]
    Empty,
}

fn array(format: Format, shape: &[u64]) -> Array {
    let mut step = format.element_bytes() as u64;
    let mut strides = vec![0; shape.len()];
    for (stride, length) in strides.iter_mut().zip(shape).rev() {
        *stride = step;
        step *= length;
    }
    Array {
        shape: shape.to_vec(),
        strides,
        dtype: format.dtype().to_owned(),
        fields: Vec::new(),
    }
}

fn sized(bytes: u64) -> Result<u64, BadLayout> {
    match bytes {
        0 => Err(BadLayout::Empty),
        too_many if too_many > FRAME_BYTES_MAX => Err(BadLayout::TooLarge(too_many)),
        bytes => Ok(bytes),
    }
}

impl Layout {
    /// An uncompressed picture with rows as tight as they can be.
    pub fn video(format: Format, width: u32, height: u32, rate: f64) -> Result<Layout, BadLayout> {
        if format.kind() != Kind::Video {
            return Err(BadLayout::Kind(format, "pictures"));
        }
        if !(1..=SIDE_MAX).contains(&width) || !(1..=SIDE_MAX).contains(&height) {
            return Err(BadLayout::Size(width, height));
        }
        let (odd_width, odd_height) = (width % 2 == 1, height % 2 == 1);
        let needs_even = match format {
            Format::Yuyv | Format::Uyvy => odd_width,
            Format::Nv12 | Format::I420 | Format::P010 => odd_width || odd_height,
            _ => false,
        };
        if needs_even {
            return Err(BadLayout::Odd(width, height, format));
        }
        let (columns, rows) = (u64::from(width), u64::from(height));
        let row = columns * format.element_bytes() as u64;
        let (planes, shape): (Vec<(u64, u64)>, Vec<u64>) = match format {
            Format::Rgb24 | Format::Bgr24 => (vec![(row * 3, rows)], vec![rows, columns, 3]),
            Format::Rgba | Format::Bgra => (vec![(row * 4, rows)], vec![rows, columns, 4]),
            Format::Yuyv | Format::Uyvy => (vec![(row * 2, rows)], vec![rows, columns, 2]),
            Format::Nv12 | Format::P010 => (
                vec![(row, rows), (row, rows / 2)],
                vec![rows * 3 / 2, columns],
            ),
            Format::I420 => (
                vec![(row, rows), (row / 2, rows / 2), (row / 2, rows / 2)],
                vec![rows * 3 / 2, columns],
            ),
            _ => (vec![(row, rows)], vec![rows, columns]),
        };
        let mut offset = 0;
        let planes: Vec<Plane> = planes
            .into_iter()
            .map(|(stride, rows)| {
                let plane = Plane {
                    offset,
                    stride,
                    rows,
                };
                offset = plane.end();
                plane
            })
            .collect();
        let (space, range) = match format {
            Format::Rgb24 | Format::Bgr24 | Format::Rgba | Format::Bgra => ("srgb", "full"),
            Format::Gray8 | Format::Gray16 | Format::Depth16 => ("srgb", "full"),
            _ if height < 720 => ("bt601", "limited"),
            _ => ("bt709", "limited"),
        };
        let colour = Colour {
            space: space.to_owned(),
            range: range.to_owned(),
        };
        Ok(Layout {
            width,
            height,
            rate,
            planes,
            array: Some(array(format, &shape)),
            colour: (format != Format::Depth16).then_some(colour),
            ..Layout::bare(format, sized(offset)?)
        })
    }

    /// Compressed pictures of at most `bytes_max`.
    pub fn packet(
        format: Format,
        width: u32,
        height: u32,
        rate: f64,
        bytes_max: u64,
    ) -> Result<Layout, BadLayout> {
        if format.kind() != Kind::Packet {
            return Err(BadLayout::Kind(format, "packets"));
        }
        Ok(Layout {
            width,
            height,
            rate,
            ..Layout::bare(format, sized(bytes_max)?)
        })
    }

    /// Blocks of audio, one row for each channel.
    pub fn audio(
        format: Format,
        channels: u32,
        samples: u32,
        sample_rate: u32,
    ) -> Result<Layout, BadLayout> {
        if format.kind() != Kind::Audio {
            return Err(BadLayout::Kind(format, "audio"));
        }
        let shape = [u64::from(channels), u64::from(samples)];
        let stride = shape[1] * format.element_bytes() as u64;
        let plane = Plane {
            offset: 0,
            stride,
            rows: shape[0],
        };
        Ok(Layout {
            rate: if samples == 0 {
                0.0
            } else {
                f64::from(sample_rate) / f64::from(samples)
            },
            sample_rate: Some(sample_rate),
            array: Some(array(format, &shape)),
            ..Layout::bare(format, sized(plane.end())?)
        }
        .with_planes(vec![plane]))
    }

    /// Batches of `records` records made of 8-, 4-, 2- or 1-byte fields; a batch may be shorter.
    pub fn batch(fields: &[(&str, &str)], records: u32, rate: f64) -> Result<Layout, BadLayout> {
        let width = |dtype| dtype_bytes(dtype).unwrap_or(0);
        let record_bytes: u64 = fields.iter().map(|(_, dtype)| width(dtype)).sum();
        let fields = fields
            .iter()
            .map(|(name, dtype)| Field {
                name: (*name).to_owned(),
                dtype: (*dtype).to_owned(),
            })
            .collect();
        let array = Array {
            shape: vec![u64::from(records)],
            strides: vec![record_bytes],
            dtype: format!("|V{record_bytes}"),
            fields,
        };
        let bytes = sized(record_bytes * u64::from(records))?;
        let plane = Plane {
            offset: 0,
            stride: record_bytes,
            rows: u64::from(records),
        };
        Ok(Layout {
            rate,
            array: Some(array),
            ..Layout::bare(Format::Batch, bytes)
        }
        .with_planes(vec![plane]))
    }

    fn bare(format: Format, bytes: u64) -> Layout {
        Layout {
            kind: format.kind(),
            format,
            fourcc: format.fourcc().to_owned(),
            modifier: 0,
            width: 0,
            height: 0,
            rate: 0.0,
            sample_rate: None,
            planes: Vec::new(),
            bytes,
            array: None,
            colour: None,
        }
    }

    fn with_planes(mut self, planes: Vec<Plane>) -> Layout {
        self.planes = planes;
        self
    }

    /// Whether planes and array stay inside the frame, and the frame inside a slot of
    /// `slot_bytes`: what a client asks before it believes a layout it was sent.
    #[must_use]
    pub fn fits(&self, slot_bytes: u64) -> bool {
        let array_fits = |array: &Array| array.end().is_some_and(|end| end <= self.bytes);
        self.bytes <= slot_bytes
            && self.planes.iter().all(|plane| plane.end() <= self.bytes)
            && self.array.as_ref().is_none_or(array_fits)
    }

    /// A digest of everything in the layout, equal for equal layouts of this version.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let text = serde_json::to_string(self).unwrap_or_default();
        text.bytes().fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// A few words for people: `1280x720 bgr24 30/s`.
    #[must_use]
    pub fn summary(&self) -> String {
        let size = match self.kind {
            Kind::Video | Kind::Packet => format!("{}x{} {}", self.width, self.height, self.format),
            Kind::Audio | Kind::Batch => {
                let shape = self
                    .array
                    .iter()
                    .flat_map(|array| array.shape.iter().map(u64::to_string));
                format!("{} {}", shape.collect::<Vec<_>>().join("x"), self.format)
            }
        };
        let rate = (self.rate * 100.0).round() / 100.0;
        if rate > 0.0 {
            format!("{size} {rate}/s")
        } else {
            size
        }
    }
}

#[cfg(test)]
mod tests;
