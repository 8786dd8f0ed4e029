//! Rows of colours as the bytes of any uncompressed format.
//!
//! Owns the conversion, which takes chroma from every other pixel; never knows what is painted.

use streamem_wire::{Format, Layout};

/// A colour, red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    pub(super) const BLACK: Rgb = Rgb::grey(0);
    pub(super) const WHITE: Rgb = Rgb::grey(255);

    pub(super) const fn grey(level: u8) -> Rgb {
        Rgb(level, level, level)
    }
}

/// Depth in millimetres of black, and of each level above it.
const DEPTH_NEAR: u16 = 500;
const DEPTH_STEP: u16 = 30;

/// Weights of red and blue in brightness, in 65536ths.
const BT601: (i64, i64) = (19_595, 7_471);
const BT709: (i64, i64) = (13_933, 4_732);
const ONE: i64 = 65_536;

/// One row in each plane of a picture; planes at half height have it for two rows of pixels.
pub(super) type Rows = [Vec<u8>; 3];

/// Turns colours into bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Painter {
    format: Format,
    weights: (i64, i64),
}

fn rounded(above: i64, below: i64) -> i64 {
    (2 * above + below).div_euclid(2 * below)
}

fn byte(number: i64) -> u8 {
    u8::try_from(number.clamp(0, 255)).unwrap_or(u8::MAX)
}

fn grey_of(Rgb(red, green, blue): Rgb) -> u8 {
    byte((77 * i64::from(red) + 150 * i64::from(green) + 29 * i64::from(blue)) / 256)
}

impl Painter {
    pub(super) fn new(layout: &Layout) -> Painter {
        let space = layout.colour.as_ref().map(|colour| colour.space.as_str());
        Painter {
            format: layout.format,
            weights: if space == Some("bt709") { BT709 } else { BT601 },
        }
    }

    /// Brightness times 255 * `ONE`.
    fn brightness(self, Rgb(red, green, blue): Rgb) -> i64 {
        let (of_red, of_blue) = self.weights;
        let of_green = ONE - of_red - of_blue;
        of_red * i64::from(red) + of_green * i64::from(green) + of_blue * i64::from(blue)
    }

    /// Luma with `unit` 1 for eight bits, 4 for ten.
    fn luma(self, colour: Rgb, unit: i64) -> i64 {
        16 * unit + rounded(219 * unit * self.brightness(colour), 255 * ONE)
    }

    fn chroma(self, colour: Rgb, unit: i64) -> (i64, i64) {
        let brightness = self.brightness(colour);
        let difference = |level: u8, weight: i64| {
            let above = 112 * unit * (i64::from(level) * ONE - brightness);
            128 * unit + rounded(above, 255 * (ONE - weight))
        };
        (
            difference(colour.2, self.weights.1),
            difference(colour.0, self.weights.0),
        )
    }

    fn luma_byte(self, colour: Rgb) -> u8 {
        byte(self.luma(colour, 1))
    }

    fn chroma_bytes(self, colour: Rgb) -> [u8; 2] {
        let (blue, red) = self.chroma(colour, 1);
        [byte(blue), byte(red)]
    }

    /// Paints a row of colours, in place of what `rows` had.
    pub(super) fn paint(self, colours: &[Rgb], rows: &mut Rows) {
        rows.iter_mut().for_each(Vec::clear);
        let [first, second, third] = rows;
        let each = colours.iter().copied();
        let pairs = || colours.chunks_exact(2).map(|pair| (pair[0], pair[1]));
        let ten_bits = |sample: i64| (u16::try_from(sample).unwrap_or(0) << 6).to_le_bytes();
        match self.format {
            Format::Rgb24 => first.extend(each.flat_map(|Rgb(r, g, b)| [r, g, b])),
            Format::Rgba => first.extend(each.flat_map(|Rgb(r, g, b)| [r, g, b, 255])),
            Format::Bgra => first.extend(each.flat_map(|Rgb(r, g, b)| [b, g, r, 255])),
            Format::Gray8 => first.extend(each.map(grey_of)),
            Format::Gray16 => first.extend(each.flat_map(|colour| [grey_of(colour); 2])),
            Format::Depth16 => first.extend(each.flat_map(|colour| {
                (DEPTH_NEAR + DEPTH_STEP * u16::from(grey_of(colour))).to_le_bytes()
            })),
            Format::Yuyv => first.extend(pairs().flat_map(|(left, right)| {
                let [u, v] = self.chroma_bytes(left);
                [self.luma_byte(left), u, self.luma_byte(right), v]
            })),
            Format::Uyvy => first.extend(pairs().flat_map(|(left, right)| {
                let [u, v] = self.chroma_bytes(left);
                [u, self.luma_byte(left), v, self.luma_byte(right)]
            })),
            Format::Nv12 => {
                first.extend(each.map(|colour| self.luma_byte(colour)));
                second.extend(pairs().flat_map(|(left, _)| self.chroma_bytes(left)));
            }
            Format::I420 => {
                first.extend(each.map(|colour| self.luma_byte(colour)));
                second.extend(pairs().map(|(left, _)| self.chroma_bytes(left)[0]));
                third.extend(pairs().map(|(left, _)| self.chroma_bytes(left)[1]));
            }
            Format::P010 => {
                first.extend(each.flat_map(|colour| ten_bits(self.luma(colour, 4))));
                second.extend(pairs().flat_map(|(left, _)| {
                    let (u, v) = self.chroma(left, 4);
                    let ([a, b], [c, d]) = (ten_bits(u), ten_bits(v));
                    [a, b, c, d]
                }));
            }
            _ => first.extend(each.flat_map(|Rgb(r, g, b)| [b, g, r])),
        }
    }

    /// Where in a row of the first plane the brightness of a pixel lies: bytes from the start.
    pub(super) fn brightness_at(self, column: usize) -> usize {
        match self.format {
            Format::Rgb24 | Format::Bgr24 => column * 3,
            Format::Rgba | Format::Bgra => column * 4,
            Format::Yuyv => column * 2,
            Format::Uyvy => column * 2 + 1,
            Format::Gray16 | Format::Depth16 | Format::P010 => column * 2,
            _ => column,
        }
    }

    /// Whether a pixel, of which the bytes from there on are given, is nearer to white than to black.
    pub(super) fn is_bright(self, bytes: &[u8]) -> bool {
        match (self.format, bytes) {
            (Format::Depth16, [low, high, ..]) => {
                u16::from_le_bytes([*low, *high]) > DEPTH_NEAR + DEPTH_STEP * 128
            }
            (Format::Gray16 | Format::P010, [_, high, ..]) => *high > 127,
            (_, [level, ..]) => *level > 127,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Rgb = Rgb(255, 0, 0);

    fn painted(format: Format, height: u32, colours: &[Rgb]) -> Rows {
        let layout = Layout::video(format, 2, height, 1.0).unwrap();
        let mut rows = Rows::default();
        Painter::new(&layout).paint(colours, &mut rows);
        rows
    }

    #[test]
    fn colours_have_the_bytes_the_standards_say() {
        let small = |format| painted(format, 2, &[RED, RED]);
        assert_eq!(small(Format::Rgb24)[0], [255, 0, 0, 255, 0, 0]);
        assert_eq!(small(Format::Bgr24)[0], [0, 0, 255, 0, 0, 255]);
        assert_eq!(small(Format::Rgba)[0][..4], [255, 0, 0, 255]);
        assert_eq!(small(Format::Bgra)[0][..4], [0, 0, 255, 255]);
        assert_eq!(small(Format::Yuyv)[0], [81, 90, 81, 240]);
        assert_eq!(small(Format::Uyvy)[0], [90, 81, 240, 81]);
        assert_eq!(small(Format::Nv12), [vec![81, 81], vec![90, 240], vec![]]);
        assert_eq!(small(Format::I420), [vec![81, 81], vec![90], vec![240]]);
        assert_eq!(painted(Format::Nv12, 720, &[RED, RED])[0], [63, 63]);
        assert_eq!(painted(Format::Nv12, 720, &[RED, RED])[1], [102, 240]);
        let ten = painted(Format::P010, 720, &[RED, RED]);
        assert_eq!(u16::from_le_bytes([ten[0][0], ten[0][1]]) >> 6, 250);
        assert_eq!(u16::from_le_bytes([ten[1][2], ten[1][3]]) >> 6, 960);
    }

    #[test]
    fn black_and_white_use_the_whole_range() {
        let both = [Rgb::BLACK, Rgb::WHITE];
        assert_eq!(painted(Format::Gray8, 2, &both)[0], [0, 255]);
        assert_eq!(painted(Format::Gray16, 2, &both)[0], [0, 0, 255, 255]);
        assert_eq!(painted(Format::Nv12, 2, &both)[0], [16, 235]);
        assert_eq!(painted(Format::Nv12, 2, &both)[1], [128, 128]);
        let depth = painted(Format::Depth16, 2, &both);
        assert_eq!(
            depth[0],
            [500_u16.to_le_bytes(), 8150_u16.to_le_bytes()].concat()
        );
    }

    #[test]
    fn brightness_is_found_in_every_format() {
        let pictures = Format::ALL
            .iter()
            .filter_map(|format| Layout::video(*format, 2, 2, 1.0).ok());
        for layout in pictures {
            let painter = Painter::new(&layout);
            let mut rows = Rows::default();
            painter.paint(&[Rgb::BLACK, Rgb::WHITE], &mut rows);
            let bright = |x| painter.is_bright(&rows[0][painter.brightness_at(x)..]);
            assert!(!bright(0) && bright(1), "{}", layout.format);
        }
    }
}
