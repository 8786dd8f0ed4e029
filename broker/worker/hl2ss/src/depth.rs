//! Depth and brightness out of the pictures they were sent in, once those are decoded.
//!
//! Owns how the numbers were put into pictures; never decodes one, and never makes the memory they are written to.

use crate::error::WrongSize;

/// Pixels of depth for hands, to either side.
pub const AHAT_SIDE: usize = 512;
/// Pixels of depth of the room.
pub const LONG_THROW_PIXELS: usize = 320 * 288;

const AHAT_PIXELS: usize = AHAT_SIDE * AHAT_SIDE;
/// Depth was cut to 8 bits, after two bits were left out.
const DEPTH_STEP: u16 = 4;

/// A plane of a decoded picture.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// Its bytes, row by row.
    pub bytes: &'a [u8],
    /// From row to row.
    pub stride: usize,
}

impl<'a> Plane<'a> {
    /// Its rows, cut to their width.
    fn rows(
        self,
        what: &'static str,
        width: usize,
        height: usize,
    ) -> Result<impl Iterator<Item = &'a [u8]>, WrongSize> {
        let wanted = self
            .stride
            .saturating_mul(height.saturating_sub(1))
            .saturating_add(width);
        if self.stride < width || self.bytes.len() < wanted {
            let bytes = self.bytes.len();
            return Err(WrongSize {
                what,
                bytes,
                wanted: wanted.max(width.saturating_mul(height)),
            });
        }
        let rows = self.bytes.chunks(self.stride).take(height);
        Ok(rows.map(move |row| &row[..width.min(row.len())]))
    }
}

/// Depth for hands in millimetres and its brightness, 16 bits each, from the luma and the two chroma planes of one
/// picture. What was lost in it (two bits of depth, half of the brightness' pixels) does not come back.
///
/// # Errors
///
/// A plane is too small, or what is written to is not 512x512 numbers of 16 bits.
pub fn ahat(
    [luma, u, v]: [Plane<'_>; 3],
    depth: &mut [u8],
    brightness: &mut [u8],
) -> Result<(), WrongSize> {
    let half = AHAT_SIDE / 2;
    let depth = numbers("depth", depth, AHAT_PIXELS)?;
    let brightness = numbers("brightness", brightness, AHAT_PIXELS)?;
    let luma = luma.rows("luma", AHAT_SIDE, AHAT_SIDE)?;
    let u = u.rows("chroma", half, half)?;
    let v = v.rows("chroma", half, half)?;
    for (number, luma) in depth.iter_mut().zip(luma.flatten()) {
        *number = (u16::from(*luma) * DEPTH_STEP).to_le_bytes();
    }
    let (fours, _) = brightness.as_chunks_mut::<4>();
    for (four, (u, v)) in fours.iter_mut().zip(u.flatten().zip(v.flatten())) {
        *four = [*u, *u, *v, *v].map(square);
    }
    Ok(())
}

/// Brightness of depth for hands from the luma of a picture, where depth is sent by itself.
///
/// # Errors
///
/// The plane is too small, or what is written to is not 512x512 numbers of 16 bits.
pub fn ahat_brightness(luma: Plane<'_>, brightness: &mut [u8]) -> Result<(), WrongSize> {
    let brightness = numbers("brightness", brightness, AHAT_PIXELS)?;
    let luma = luma.rows("luma", AHAT_SIDE, AHAT_SIDE)?;
    for (number, luma) in brightness.iter_mut().zip(luma.flatten()) {
        *number = square(*luma);
    }
    Ok(())
}

/// Depth of the room in millimetres, then its brightness, 288 rows of 320 each: the pixels of the PNG (red, green,
/// blue, alpha), changed where they are.
///
/// # Errors
///
/// They are not 320x288.
pub fn long_throw(pixels: &mut [u8]) -> Result<(), WrongSize> {
    for [red, _, blue, _] in numbers("picture", pixels, LONG_THROW_PIXELS)? {
        std::mem::swap(red, blue);
    }
    Ok(())
}

fn square(root: u8) -> [u8; 2] {
    (u16::from(root) * u16::from(root)).to_le_bytes()
}

/// Exactly so many numbers of `N` bytes.
fn numbers<'a, const N: usize>(
    what: &'static str,
    bytes: &'a mut [u8],
    count: usize,
) -> Result<&'a mut [[u8; N]], WrongSize> {
    let (is, wanted) = (bytes.len(), count * N);
    if is != wanted {
        return Err(WrongSize {
            what,
            bytes: is,
            wanted,
        });
    }
    Ok(bytes.as_chunks_mut().0)
}
