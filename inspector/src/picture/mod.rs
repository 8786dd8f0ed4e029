//! Pictures: read from a frame of any uncompressed format, scaled, and written for files and terminals.
//!
//! Owns the picture in the middle, eight bits each of red, green and blue; never talks to the broker.

pub mod blocks;
pub mod convert;
pub mod kitty;
mod matrix;
pub mod npy;
pub mod png;
pub mod scale;
pub mod sixel;

pub use convert::Pixels;

/// Red, green and blue.
pub type Rgb = [u8; 3];

/// A picture in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The pixels, row by row.
    pub pixels: Vec<Rgb>,
}

impl Picture {
    /// A picture made pixel by pixel.
    pub fn made(width: u32, height: u32, pixel: impl Fn(u32, u32) -> Rgb) -> Picture {
        let pixels = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| pixel(x, y))
            .collect();
        Picture {
            width,
            height,
            pixels,
        }
    }

    /// A pixel; black outside.
    pub fn at(&self, x: u32, y: u32) -> Rgb {
        if x >= self.width {
            return [0; 3];
        }
        let index = y as usize * self.width as usize + x as usize;
        self.pixels.get(index).copied().unwrap_or_default()
    }
}
