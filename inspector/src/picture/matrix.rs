//! From luma and chroma to red, green and blue.
//!
//! Owns the coefficients of the colour spaces and ranges; never touches a frame.

use super::Rgb;
use streamem_wire::{Colour, Layout};

/// Luma's shares of red and blue.
fn shares(space: &str) -> (f32, f32) {
    match space {
        "bt601" => (0.299, 0.114),
        "bt2020" => (0.2627, 0.0593),
        _ => (0.2126, 0.0722),
    }
}

/// How numbers of one colour space and range become red, green and blue.
#[derive(Clone, Copy, Debug)]
pub struct Matrix {
    luma_black: f32,
    luma_scale: f32,
    chroma_middle: f32,
    chroma_scale: f32,
    red_of_v: f32,
    green_of_u: f32,
    green_of_v: f32,
    blue_of_u: f32,
}

impl Matrix {
    /// For samples of `bits` bits of a stream; where it does not say, as video of its size usually is.
    pub fn new(layout: &Layout, bits: u8) -> Matrix {
        let usual = Colour {
            space: if layout.height < 720 {
                "bt601"
            } else {
                "bt709"
            }
            .to_owned(),
            range: "limited".to_owned(),
        };
        let colour = layout.colour.as_ref().unwrap_or(&usual);
        let (red, blue) = shares(&colour.space);
        let green = 1.0 - red - blue;
        let unit = f32::from(1u16 << (bits - 8));
        let (black, luma_span, chroma_span) = match colour.range.as_str() {
            "full" => (0.0, 256.0 * unit - 1.0, 256.0 * unit - 1.0),
            _ => (16.0 * unit, 219.0 * unit, 224.0 * unit),
        };
        Matrix {
            luma_black: black,
            luma_scale: 255.0 / luma_span,
            chroma_middle: 128.0 * unit,
            chroma_scale: 255.0 / chroma_span,
            red_of_v: 2.0 * (1.0 - red),
            green_of_u: -2.0 * blue * (1.0 - blue) / green,
            green_of_v: -2.0 * red * (1.0 - red) / green,
            blue_of_u: 2.0 * (1.0 - blue),
        }
    }

    /// One pixel.
    pub fn rgb(&self, y: u16, u: u16, v: u16) -> Rgb {
        let luma = (f32::from(y) - self.luma_black) * self.luma_scale;
        let u = (f32::from(u) - self.chroma_middle) * self.chroma_scale;
        let v = (f32::from(v) - self.chroma_middle) * self.chroma_scale;
        [
            byte(luma + self.red_of_v * v),
            byte(luma + self.green_of_u * u + self.green_of_v * v),
            byte(luma + self.blue_of_u * u),
        ]
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float saturates, which is what is wanted"
)]
fn byte(value: f32) -> u8 {
    value.round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use streamem_wire::Format;

    fn matrix(height: u32, range: &str, bits: u8) -> Matrix {
        let mut layout = Layout::video(Format::Nv12, 2, height, 30.0).unwrap();
        layout.colour.as_mut().unwrap().range = range.to_owned();
        Matrix::new(&layout, bits)
    }

    #[test]
    fn black_white_and_grey_have_no_colour_in_any_space() {
        for height in [480, 720] {
            let limited = matrix(height, "limited", 8);
            assert_eq!(limited.rgb(16, 128, 128), [0, 0, 0]);
            assert_eq!(limited.rgb(235, 128, 128), [255, 255, 255]);
            assert_eq!(limited.rgb(126, 128, 128), [128, 128, 128]);
            let full = matrix(height, "full", 8);
            assert_eq!(full.rgb(0, 128, 128), [0, 0, 0]);
            assert_eq!(full.rgb(255, 128, 128), [255, 255, 255]);
        }
    }

    #[test]
    fn the_primaries_come_back_from_their_published_codes() {
        let near = |a: Rgb, b: Rgb| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 2);
        let old = matrix(480, "limited", 8);
        for (yuv, rgb) in [
            ([82, 90, 240], [255, 0, 0]),
            ([145, 54, 34], [0, 255, 0]),
            ([41, 240, 110], [0, 0, 255]),
        ] {
            let [y, u, v] = yuv;
            assert!(near(old.rgb(y, u, v), rgb), "{:?}", old.rgb(y, u, v));
        }
        let new = matrix(720, "limited", 8);
        for (yuv, rgb) in [
            ([63, 102, 240], [255, 0, 0]),
            ([173, 42, 26], [0, 255, 0]),
            ([32, 240, 118], [0, 0, 255]),
        ] {
            let [y, u, v] = yuv;
            assert!(near(new.rgb(y, u, v), rgb), "{:?}", new.rgb(y, u, v));
        }
    }

    #[test]
    fn ten_bits_span_the_same_colours() {
        let ten = matrix(720, "limited", 10);
        assert_eq!(ten.rgb(64, 512, 512), [0, 0, 0]);
        assert_eq!(ten.rgb(940, 512, 512), [255, 255, 255]);
    }
}
