//! Colours of pictures: from brightness and two differences to red, green and blue, in one pass.
//!
//! Owns what the numbers of a picture mean, and that all rows have room; never makes memory.

use crate::error::CodecError;
use yuv::{
    YuvBiPlanarImage, YuvConversionMode, YuvError, YuvGrayImage, YuvPlanarImage, YuvRange,
    YuvStandardMatrix,
};

/// Rows of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plane<'a> {
    /// From the first row to the last, which need not be as long as the stride.
    pub bytes: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
}

/// A picture in planes of brightness and two colours, which are halved both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct I420<'a> {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Brightness, u and v.
    pub planes: [Plane<'a>; 3],
}

/// The same, with the colours in one plane by turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nv12<'a> {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Brightness, and u and v.
    pub planes: [Plane<'a>; 2],
}

/// How brightness and colours were made of red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrix {
    /// Of small pictures.
    Bt601,
    /// Of large ones.
    Bt709,
    /// Of very large ones.
    Bt2020,
}

/// What the numbers of a picture mean. What a stream does not say is taken for BT.709 from 720 rows on and for BT.601
/// below, and for limited range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colours {
    /// How they were made.
    pub matrix: Matrix,
    /// Whether all numbers are used, or only those from 16 on.
    pub is_full_range: bool,
}

impl Colours {
    fn parts(self) -> (YuvRange, YuvStandardMatrix) {
        let range = if self.is_full_range {
            YuvRange::Full
        } else {
            YuvRange::Limited
        };
        let matrix = match self.matrix {
            Matrix::Bt601 => YuvStandardMatrix::Bt601,
            Matrix::Bt709 => YuvStandardMatrix::Bt709,
            Matrix::Bt2020 => YuvStandardMatrix::Bt2020,
        };
        (range, matrix)
    }
}

/// In which order a pixel has its colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Blue, green, red.
    Bgr,
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red, and 255.
    Bgra,
    /// Red, green, blue, and 255.
    Rgba,
}

impl Order {
    /// Bytes of a pixel.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Bgr | Self::Rgb => 3,
            Self::Bgra | Self::Rgba => 4,
        }
    }
}

/// Where pixels are put.
#[derive(Debug)]
pub struct Pixels<'a> {
    /// All rows.
    pub bytes: &'a mut [u8],
    /// Bytes from one to the next.
    pub stride: usize,
    /// What is in them.
    pub order: Order,
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn no_room(wanted: usize, bytes: usize) -> CodecError {
    CodecError::Room {
        what: "a picture in colours",
        wanted,
        bytes,
    }
}

/// How long rows are altogether.
fn extent(width: usize, height: usize, stride: usize) -> usize {
    stride
        .saturating_mul(height.saturating_sub(1))
        .saturating_add(width)
}

impl Pixels<'_> {
    /// What a picture of this size takes.
    fn fails(&self, width: usize, height: usize) -> impl FnOnce(YuvError) -> CodecError + use<> {
        let row = width.saturating_mul(self.order.bytes());
        let error = no_room(extent(row, height, self.stride.max(row)), self.bytes.len());
        move |_| error
    }
}

impl I420<'_> {
    fn image(&self) -> YuvPlanarImage<'_, u8> {
        let [y, u, v] = self.planes;
        YuvPlanarImage {
            y_plane: y.bytes,
            y_stride: narrow(y.stride),
            u_plane: u.bytes,
            u_stride: narrow(u.stride),
            v_plane: v.bytes,
            v_stride: narrow(v.stride),
            width: narrow(self.width),
            height: narrow(self.height),
        }
    }

    /// Writes it as red, green and blue.
    ///
    /// # Errors
    ///
    /// There is no room for it, or the planes are shorter than it is.
    pub fn paint(&self, colours: Colours, out: Pixels<'_>) -> Result<(), CodecError> {
        let paint = match out.order {
            Order::Bgr => yuv::yuv420_to_bgr,
            Order::Rgb => yuv::yuv420_to_rgb,
            Order::Bgra => yuv::yuv420_to_bgra,
            Order::Rgba => yuv::yuv420_to_rgba,
        };
        let fails = out.fails(self.width, self.height);
        let (range, matrix) = colours.parts();
        paint(&self.image(), out.bytes, narrow(out.stride), range, matrix).map_err(fails)
    }

    /// Writes both colours by turns, as NV12 has them.
    ///
    /// # Errors
    ///
    /// There is no room for it, or the planes are shorter than it is.
    pub fn interleave(&self, out: &mut [u8], stride: usize) -> Result<(), CodecError> {
        let [_, u, v] = self.planes;
        let (width, rows) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let wanted = extent(2 * width, rows, stride.max(2 * width));
        let is_short = |plane: Plane<'_>| {
            plane.stride < width || plane.bytes.len() < extent(width, rows, plane.stride)
        };
        if stride < 2 * width || out.len() < wanted || is_short(u) || is_short(v) {
            return Err(no_room(wanted, out.len()));
        }
        let colours = u
            .bytes
            .chunks(u.stride.max(1))
            .zip(v.bytes.chunks(v.stride.max(1)));
        for (row, (u, v)) in out.chunks_mut(stride.max(1)).zip(colours).take(rows) {
            let pairs = row.as_chunks_mut().0.iter_mut();
            for (pair, (u, v)) in pairs.take(width).zip(u.iter().zip(v)) {
                *pair = [*u, *v];
            }
        }
        Ok(())
    }
}

impl Nv12<'_> {
    /// Writes it as red, green and blue.
    ///
    /// # Errors
    ///
    /// There is no room for it, or the planes are shorter than it is.
    pub fn paint(&self, colours: Colours, out: Pixels<'_>) -> Result<(), CodecError> {
        let [y, uv] = self.planes;
        let image = YuvBiPlanarImage {
            y_plane: y.bytes,
            y_stride: narrow(y.stride),
            uv_plane: uv.bytes,
            uv_stride: narrow(uv.stride),
            width: narrow(self.width),
            height: narrow(self.height),
        };
        let paint = match out.order {
            Order::Bgr => yuv::yuv_nv12_to_bgr,
            Order::Rgb => yuv::yuv_nv12_to_rgb,
            Order::Bgra => yuv::yuv_nv12_to_bgra,
            Order::Rgba => yuv::yuv_nv12_to_rgba,
        };
        let fails = out.fails(self.width, self.height);
        let (range, matrix) = colours.parts();
        let stride = narrow(out.stride);
        paint(
            &image,
            out.bytes,
            stride,
            range,
            matrix,
            YuvConversionMode::Balanced,
        )
        .map_err(fails)
    }
}

/// Writes brightness as red, green and blue, which are all as bright.
///
/// # Errors
///
/// There is no room for it, or the plane is shorter than it is.
pub fn paint_grey(
    grey: Plane<'_>,
    [width, height]: [usize; 2],
    out: Pixels<'_>,
) -> Result<(), CodecError> {
    let image = YuvGrayImage {
        y_plane: grey.bytes,
        y_stride: narrow(grey.stride),
        width: narrow(width),
        height: narrow(height),
    };
    let paint = match out.order {
        Order::Bgr => yuv::yuv400_to_bgr,
        Order::Rgb => yuv::yuv400_to_rgb,
        Order::Bgra => yuv::yuv400_to_bgra,
        Order::Rgba => yuv::yuv400_to_rgba,
    };
    let fails = out.fails(width, height);
    let stride = narrow(out.stride);
    // All numbers are used: what is 7 in grey is 7 in each colour.
    paint(
        &image,
        out.bytes,
        stride,
        YuvRange::Full,
        YuvStandardMatrix::Bt601,
    )
    .map_err(fails)
}
