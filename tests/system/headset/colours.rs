//! Pictures compared with what the device was shown, in every format.
//!
//! Owns how the colours of the device's picture look in each; the arithmetic is its own, and no copy of the worker's.

use crate::checks::is_like;
use crate::seen::Seen;
use streamem::Format;
use streamem_headset::expected::{self, Scene};

/// What is on the picture with this number.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    pub scene: Scene,
    pub shown: u32,
    pub width: usize,
    pub height: usize,
    /// It was never encoded.
    pub is_exact: bool,
}

impl Shown {
    fn luma(self) -> impl Iterator<Item = u8> {
        let rows = 0..self.height;
        rows.flat_map(move |row| {
            let columns = 0..self.width;
            columns.map(move |column| self.at(column, row))
        })
    }

    fn at(self, column: usize, row: usize) -> u8 {
        expected::luma(self.shown, self.width, column, row)
    }

    fn agrees(self, what: &str, one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) {
        if self.is_exact {
            let different = one.zip(other).position(|(one, other)| one != other);
            assert_eq!(different, None, "{what}: {self:?}");
        } else {
            is_like(what, one, other);
        }
    }

    /// Compares every pixel of a frame, whatever its format.
    pub fn is_seen(self, seen: &Seen) {
        let layout = &seen.layout;
        let size = [layout.width as usize, layout.height as usize];
        assert_eq!(size, [self.width, self.height]);
        let plane = |plane: usize, rows: usize, bytes: usize| {
            (0..rows).flat_map(move |row| seen.row(plane, row, bytes).iter().copied())
        };
        let (width, height) = (self.width, self.height);
        let chroma = expected::chroma(self.scene, self.shown);
        match layout.format {
            Format::Gray8 => self.agrees("grey", plane(0, height, width), self.luma()),
            Format::I420 => {
                self.agrees("brightness", plane(0, height, width), self.luma());
                for which in [0, 1] {
                    let colour = plane(1 + which, height / 2, width / 2);
                    self.agrees("colour", colour, std::iter::repeat(chroma[which]));
                }
            }
            Format::Nv12 => {
                self.agrees("brightness", plane(0, height, width), self.luma());
                let pairs = chroma.into_iter().cycle();
                self.agrees("colours", plane(1, height / 2, width / 2 * 2), pairs);
            }
            format => self.is_painted(seen, format),
        }
        let luma: Vec<u8> = match layout.format {
            Format::Gray8 | Format::I420 | Format::Nv12 => plane(0, height, width).collect(),
            _ => return,
        };
        assert_eq!(expected::read_strip(&luma, width, width), self.shown);
    }

    fn is_painted(self, seen: &Seen, format: Format) {
        let (size, order): (usize, [usize; 3]) = match format {
            Format::Bgr24 => (3, [2, 1, 0]),
            Format::Rgb24 => (3, [0, 1, 2]),
            Format::Bgra => (4, [2, 1, 0]),
            Format::Rgba => (4, [0, 1, 2]),
            other => panic!("{other:?} is no picture"),
        };
        let is_grey = self.scene == Scene::Grey;
        let chroma = expected::chroma(self.scene, self.shown);
        let painted = (0..self.height).flat_map(|row| {
            let bytes = seen.row(0, row, self.width * size);
            assert!(
                size == 3 || bytes.chunks(4).all(|pixel| pixel[3] == 255),
                "opaque"
            );
            bytes
                .chunks(size)
                .flat_map(move |pixel| order.map(|at| pixel[at]))
        });
        let wanted = self.luma().flat_map(|luma| {
            if is_grey {
                [luma; 3]
            } else {
                painted_as(luma, chroma, self.height)
            }
        });
        is_like("colours", painted, wanted);
    }
}

/// Red, green and blue of a pixel in limited range.
fn painted_as(luma: u8, [u, v]: [u8; 2], height: usize) -> [u8; 3] {
    let (red, blue) = if height < 720 {
        (0.299, 0.114)
    } else {
        (0.2126, 0.0722)
    };
    let green = 1.0 - red - blue;
    let y = (f64::from(luma) - 16.0) / 219.0;
    let [u, v] = [u, v].map(|colour| (f64::from(colour) - 128.0) / 112.0);
    let r = y + (1.0 - red) * v;
    let b = y + (1.0 - blue) * u;
    let g = (y - red * r - blue * b) / green;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is clamped"
    )]
    [r, g, b].map(|colour| (colour * 255.0).round().clamp(0.0, 255.0) as u8)
}
