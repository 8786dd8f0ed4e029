//! How a device's pixels lie: which formats and sizes it has, which one is set, and setting another.
//!
//! Owns the way between one description of a format and the kernel's two; never chooses one.

use crate::abi::{self, PLANES_MAX};
use crate::device::{Device, Queue, text};
use crate::error::Error;
use crate::fourcc::Fourcc;
use crate::ioctl::{Plain, calls};

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// Of both.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    fn distance(self, other: Size) -> u64 {
        let wide = u64::from(self.width.abs_diff(other.width));
        wide + u64::from(self.height.abs_diff(other.height))
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}x{}", self.width, self.height)
    }
}

/// One of a device's formats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatAbout {
    /// Its name.
    pub fourcc: Fourcc,
    /// Its name for people.
    pub description: String,
    /// Frames differ in length and must be decoded.
    pub compressed: bool,
    /// Made by software from another one.
    pub emulated: bool,
}

/// The sizes of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sizes {
    /// These; none if the driver does not list them.
    Discrete(Vec<Size>),
    /// From one size to another.
    Range {
        /// The smallest.
        min: Size,
        /// The largest.
        max: Size,
        /// Between two that follow one another.
        step: Size,
    },
}

impl Sizes {
    /// Whether this is one of them.
    #[must_use]
    pub fn contains(&self, size: Size) -> bool {
        self.nearest(size) == Some(size)
    }

    /// The one that differs least, in width and height together; of two such, the larger.
    #[must_use]
    pub fn nearest(&self, size: Size) -> Option<Size> {
        match self {
            Sizes::Discrete(sizes) => {
                let area = |size: &Size| u64::from(size.width) * u64::from(size.height);
                let order = |one: &Size| (one.distance(size), std::cmp::Reverse(area(one)));
                sizes.iter().copied().min_by_key(order)
            }
            Sizes::Range { min, max, step } => Some(Size {
                width: on_grid(size.width, min.width, max.width, step.width),
                height: on_grid(size.height, min.height, max.height, step.height),
            }),
        }
    }
}

fn on_grid(value: u32, min: u32, max: u32, step: u32) -> u32 {
    let (max, step) = (max.max(min), step.max(1));
    let above = value.clamp(min, max) - min;
    let down = above - above % step;
    let is_nearer_up = above % step >= step - above % step;
    let up = down.checked_add(step).filter(|up| *up <= max - min);
    min + up.filter(|_| is_nearer_up).unwrap_or(down)
}

/// How colours are to be understood, in the kernel's numbers; 0 leaves it to what is usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Colour {
    /// Which red, green and blue (`V4L2_COLORSPACE_*`).
    pub space: u32,
    /// From light to number (`V4L2_XFER_FUNC_*`).
    pub transfer: u32,
    /// From red, green and blue to brightness and difference (`V4L2_YCBCR_ENC_*`).
    pub encoding: u32,
    /// Whole or limited range (`V4L2_QUANTIZATION_*`).
    pub quantization: u32,
}

/// What lies in one piece of memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlaneFormat {
    /// From one row to the next.
    pub bytes_per_line: u32,
    /// At least this long.
    pub bytes: u32,
}

/// A format as a device has it, or is asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// The name of the format.
    pub fourcc: Fourcc,
    /// Columns and rows.
    pub size: Size,
    /// Rows come by halves. A wish for that leaves the order to the driver.
    pub interlaced: bool,
    /// How colours are to be understood.
    pub colour: Colour,
    /// The pieces of memory, at most [`crate::PLANES_MAX`]; one if the queue is not a multi one.
    pub planes: Vec<PlaneFormat>,
}

impl Format {
    /// To ask for, with all the rest as the driver likes it.
    #[must_use]
    pub fn wish(fourcc: Fourcc, size: Size) -> Format {
        Format {
            fourcc,
            size,
            interlaced: false,
            colour: Colour::default(),
            planes: Vec::new(),
        }
    }

    fn field(&self) -> u32 {
        if self.interlaced {
            abi::FIELD_ANY
        } else {
            abi::FIELD_NONE
        }
    }

    fn single(&self) -> abi::SinglePixels {
        let plane = self.planes.first().copied().unwrap_or_default();
        abi::SinglePixels {
            width: self.size.width,
            height: self.size.height,
            pixels: self.fourcc.0,
            field: self.field(),
            bytes_per_line: plane.bytes_per_line,
            bytes: plane.bytes,
            space: self.colour.space,
            magic: abi::PRIV_MAGIC,
            flags: 0,
            encoding: self.colour.encoding,
            quantization: self.colour.quantization,
            transfer: self.colour.transfer,
        }
    }

    fn multi(&self) -> abi::MultiPixels {
        let byte = |number: u32| u8::try_from(number).unwrap_or(0);
        let mut planes = [abi::PlanePixels::zeroed(); PLANES_MAX];
        for (theirs, ours) in planes.iter_mut().zip(&self.planes) {
            theirs.bytes = ours.bytes;
            theirs.bytes_per_line = ours.bytes_per_line;
        }
        abi::MultiPixels {
            width: self.size.width,
            height: self.size.height,
            pixels: self.fourcc.0,
            field: self.field(),
            space: self.colour.space,
            planes,
            count: u8::try_from(self.planes.len().min(PLANES_MAX)).unwrap_or(0),
            flags: 0,
            encoding: byte(self.colour.encoding),
            quantization: byte(self.colour.quantization),
            transfer: byte(self.colour.transfer),
            reserved: [0; 7],
        }
    }

    fn of_single(pixels: &abi::SinglePixels) -> Format {
        Format {
            fourcc: Fourcc(pixels.pixels),
            size: Size::new(pixels.width, pixels.height),
            interlaced: is_interlaced(pixels.field),
            colour: Colour {
                space: pixels.space,
                transfer: pixels.transfer,
                encoding: pixels.encoding,
                quantization: pixels.quantization,
            },
            planes: vec![PlaneFormat {
                bytes_per_line: pixels.bytes_per_line,
                bytes: pixels.bytes,
            }],
        }
    }

    fn of_multi(pixels: &abi::MultiPixels) -> Format {
        let planes = pixels.planes.iter().take(pixels.count.into());
        Format {
            fourcc: Fourcc(pixels.pixels),
            size: Size::new(pixels.width, pixels.height),
            interlaced: is_interlaced(pixels.field),
            colour: Colour {
                space: pixels.space,
                transfer: pixels.transfer.into(),
                encoding: pixels.encoding.into(),
                quantization: pixels.quantization.into(),
            },
            planes: planes
                .map(|plane| PlaneFormat {
                    bytes_per_line: plane.bytes_per_line,
                    bytes: plane.bytes,
                })
                .collect(),
        }
    }
}

fn is_interlaced(field: u32) -> bool {
    field != abi::FIELD_NONE && field != abi::FIELD_ANY
}

/// What is done with a format.
#[derive(Clone, Copy)]
enum Verb {
    Get,
    Try,
    Set,
}

impl Device {
    /// The formats of a queue.
    ///
    /// # Errors
    ///
    /// When the device is gone.
    pub fn formats(&self, queue: Queue) -> Result<Vec<FormatAbout>, Error> {
        let at = |index| abi::FormatEntry {
            index,
            kind: queue.number(),
            ..Plain::zeroed()
        };
        let about = |entry: &abi::FormatEntry| FormatAbout {
            fourcc: Fourcc(entry.pixels),
            description: text(&entry.description),
            compressed: entry.flags & abi::FORMAT_COMPRESSED != 0,
            emulated: entry.flags & abi::FORMAT_EMULATED != 0,
        };
        Ok(self.list(&calls::ENUM_FMT, at)?.iter().map(about).collect())
    }

    /// The sizes of a format.
    ///
    /// # Errors
    ///
    /// When the device is gone.
    pub fn sizes(&self, fourcc: Fourcc) -> Result<Sizes, Error> {
        let at = |index| abi::SizeEntry {
            index,
            pixels: fourcc.0,
            ..Plain::zeroed()
        };
        let entries = self.list(&calls::ENUM_FRAMESIZES, at)?;
        Ok(match entries.first() {
            Some(range) if range.kind != abi::ENUM_DISCRETE => size_range(range),
            _ => Sizes::Discrete(entries.iter().map(one_size).collect()),
        })
    }

    /// The format that is set.
    ///
    /// # Errors
    ///
    /// When the device has no such queue, or is gone.
    pub fn format(&self, queue: Queue) -> Result<Format, Error> {
        let any = Format::wish(Fourcc(0), Size::default());
        self.negotiate(queue, Verb::Get, &any)
    }

    /// What setting this would give. Nothing changes.
    ///
    /// # Errors
    ///
    /// When the device has no such queue, or is gone. Most drivers take the nearest they have rather
    /// than to refuse.
    pub fn try_format(&self, queue: Queue, wish: &Format) -> Result<Format, Error> {
        self.negotiate(queue, Verb::Try, wish)
    }

    /// Sets a format, and says which one it became.
    ///
    /// # Errors
    ///
    /// As [`Device::try_format`], and when the queue has buffers.
    pub fn set_format(&self, queue: Queue, wish: &Format) -> Result<Format, Error> {
        self.negotiate(queue, Verb::Set, wish)
    }

    fn negotiate(&self, queue: Queue, verb: Verb, wish: &Format) -> Result<Format, Error> {
        if queue.is_multi() {
            let call = match verb {
                Verb::Get => calls::G_FMT_MULTI,
                Verb::Try => calls::TRY_FMT_MULTI,
                Verb::Set => calls::S_FMT_MULTI,
            };
            let mut format = abi::MultiFormat {
                kind: queue.number(),
                padding: 0,
                pixels: wish.multi(),
                rest: 0,
            };
            self.call(&call, &mut format)?;
            return Ok(Format::of_multi(&format.pixels));
        }
        let call = match verb {
            Verb::Get => calls::G_FMT_SINGLE,
            Verb::Try => calls::TRY_FMT_SINGLE,
            Verb::Set => calls::S_FMT_SINGLE,
        };
        let mut format = abi::SingleFormat {
            kind: queue.number(),
            padding: 0,
            pixels: wish.single(),
            rest: [0; 19],
        };
        self.call(&call, &mut format)?;
        Ok(Format::of_single(&format.pixels))
    }
}

fn one_size(entry: &abi::SizeEntry) -> Size {
    Size::new(entry.numbers[0], entry.numbers[1])
}

fn size_range(entry: &abi::SizeEntry) -> Sizes {
    let [from_width, to_width, width, from_height, to_height, height] = entry.numbers;
    let is_continuous = entry.kind == abi::ENUM_CONTINUOUS;
    Sizes::Range {
        min: Size::new(from_width, from_height),
        max: Size::new(to_width, to_height),
        step: if is_continuous {
            Size::new(1, 1)
        } else {
            Size::new(width, height)
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_some_sizes() {
        let sizes = Sizes::Discrete(vec![
            Size::new(640, 480),
            Size::new(1920, 1080),
            Size::new(1280, 720),
        ]);
        let nearest = |width, height| sizes.nearest(Size::new(width, height)).unwrap();
        assert_eq!(nearest(1300, 700), Size::new(1280, 720));
        assert_eq!(nearest(1, 1), Size::new(640, 480));
        assert_eq!(nearest(u32::MAX, u32::MAX), Size::new(1920, 1080));
        // As far from 640x480 as from 1280x720.
        assert_eq!(nearest(960, 600), Size::new(1280, 720));
        assert!(sizes.contains(Size::new(640, 480)) && !sizes.contains(Size::new(640, 481)));
        assert_eq!(Sizes::Discrete(Vec::new()).nearest(Size::new(1, 1)), None);
    }

    #[test]
    fn the_nearest_in_a_range_is_on_its_grid() {
        let sizes = Sizes::Range {
            min: Size::new(16, 16),
            max: Size::new(1920, 1081),
            step: Size::new(16, 2),
        };
        let nearest = |width, height| sizes.nearest(Size::new(width, height)).unwrap();
        assert_eq!(nearest(0, 0), Size::new(16, 16));
        assert_eq!(nearest(23, 17), Size::new(16, 18));
        assert_eq!(nearest(24, 18), Size::new(32, 18));
        assert_eq!(nearest(u32::MAX, u32::MAX), Size::new(1920, 1080));
        assert!(sizes.contains(Size::new(640, 480)) && !sizes.contains(Size::new(640, 481)));
    }

    #[test]
    fn a_range_that_makes_no_sense_gives_something_anyway() {
        assert_eq!(on_grid(7, 5, 3, 0), 5);
        assert_eq!(on_grid(u32::MAX, 0, u32::MAX, u32::MAX), u32::MAX);
    }

    #[test]
    fn a_format_comes_back_as_it_went() {
        let mut format = Format::wish(Fourcc::NV12M, Size::new(1920, 1080));
        format.colour.space = 3;
        format.colour.quantization = 2;
        for bytes in [2_073_600, 1_036_800] {
            format.planes.push(PlaneFormat {
                bytes_per_line: 1920,
                bytes,
            });
        }
        assert_eq!(Format::of_multi(&format.multi()), format);
        format.planes.truncate(1);
        assert_eq!(Format::of_single(&format.single()), format);
    }
}
