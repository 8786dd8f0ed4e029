//! How a device's pixels lie: which formats it has, which one is set, and setting another.
//!
//! Owns the way between one description of a format and the kernel's two; never chooses one.

use crate::abi::{self, PLANES_MAX};
use crate::device::{Device, Queue, text};
use crate::error::Error;
use crate::fourcc::Fourcc;
use crate::ioctl::{Plain, calls};
use crate::size::Size;

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

/// How the rows of a picture come together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rows {
    /// All are of one moment.
    #[default]
    Whole,
    /// Every other row is of another moment.
    Woven,
    /// The two halves come one after the other, each by itself or both in one buffer.
    Apart,
}

impl Rows {
    fn of(field: u32) -> Rows {
        match field {
            abi::FIELD_ANY | abi::FIELD_NONE => Rows::Whole,
            abi::FIELD_INTERLACED | abi::FIELD_INTERLACED_TB | abi::FIELD_INTERLACED_BT => {
                Rows::Woven
            }
            _ => Rows::Apart,
        }
    }

    fn field(self) -> u32 {
        match self {
            Rows::Whole => abi::FIELD_NONE,
            Rows::Woven => abi::FIELD_INTERLACED,
            Rows::Apart => abi::FIELD_ANY,
        }
    }
}

/// A format as a device has it, or is asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// The name of the format.
    pub fourcc: Fourcc,
    /// Columns and rows.
    pub size: Size,
    /// How rows come together. A wish for halves apart leaves to the driver how.
    pub rows: Rows,
    /// How colours are to be understood; devices that capture decide it themselves.
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
            rows: Rows::Whole,
            colour: Colour::default(),
            planes: Vec::new(),
        }
    }

    fn single(&self) -> abi::SinglePixels {
        let plane = self.planes.first().copied().unwrap_or_default();
        abi::SinglePixels {
            width: self.size.width,
            height: self.size.height,
            pixels: self.fourcc.0,
            field: self.rows.field(),
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
            field: self.rows.field(),
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
            rows: Rows::of(pixels.field),
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
            rows: Rows::of(pixels.field),
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

#[cfg(test)]
mod tests {
    use super::*;

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
        format.rows = Rows::Woven;
        format.planes.truncate(1);
        assert_eq!(Format::of_single(&format.single()), format);
    }
}
