//! Pictures made to fit.
//!
//! Owns sizes and averaging; never changes the proportions of a picture.

use super::{Picture, Pixels, Rgb};

/// Most samples averaged for one pixel, in each direction.
const SAMPLES_MAX: u32 = 4;

/// The largest size with these proportions inside a box, where a pixel of the box is `pixel_aspect`
/// times as high as wide.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 1 and the box, which is u32"
)]
pub fn fitting(
    width: u32,
    height: u32,
    box_width: u32,
    box_height: u32,
    pixel_aspect: f64,
) -> (u32, u32) {
    let proportion = f64::from(width.max(1)) / f64::from(height.max(1)) * pixel_aspect;
    let (most_wide, most_high) = (f64::from(box_width.max(1)), f64::from(box_height.max(1)));
    let wide = most_wide.min(most_high * proportion);
    let high = (wide / proportion).round().clamp(1.0, most_high);
    (wide.round().clamp(1.0, most_wide) as u32, high as u32)
}

/// The picture in this size: averaged where it shrinks, repeated where it grows.
pub fn scaled(pixels: &Pixels<'_>, width: u32, height: u32) -> Picture {
    let (width, height) = (width.max(1), height.max(1));
    let columns: Vec<Vec<u32>> = (0..width)
        .map(|x| samples(x, width, pixels.width()))
        .collect();
    let rows: Vec<Vec<u32>> = (0..height)
        .map(|y| samples(y, height, pixels.height()))
        .collect();
    Picture::made(width, height, |x, y| {
        average(pixels, &columns[x as usize], &rows[y as usize])
    })
}

/// Which of `from` places are averaged for place `at` of `to`.
fn samples(at: u32, to: u32, from: u32) -> Vec<u32> {
    let place = |n: u64| u32::try_from(n / u64::from(to)).unwrap_or(0);
    let first = place(u64::from(at) * u64::from(from)).min(from.saturating_sub(1));
    let end = place((u64::from(at) + 1) * u64::from(from)).max(first + 1);
    let count = (end - first).min(SAMPLES_MAX);
    (0..count)
        .map(|n| first + (end - first) * n / count)
        .collect()
}

fn average(pixels: &Pixels<'_>, columns: &[u32], rows: &[u32]) -> Rgb {
    let mut sums = [0u32; 3];
    for y in rows {
        for x in columns {
            let pixel = pixels.at(*x, *y);
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += u32::from(value);
            }
        }
    }
    let count = u32::try_from(rows.len() * columns.len())
        .unwrap_or(1)
        .max(1);
    sums.map(|sum| u8::try_from(sum / count).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use streamem_wire::{Format, Layout};

    fn grey(width: u32, height: u32, bytes: &[u8], to: (u32, u32)) -> Vec<u8> {
        let layout = Layout::video(Format::Gray8, width, height, 30.0).unwrap();
        let pixels = Pixels::new(&layout, bytes).unwrap();
        let picture = scaled(&pixels, to.0, to.1);
        picture.pixels.iter().map(|pixel| pixel[0]).collect()
    }

    #[test]
    fn shrinking_averages() {
        assert_eq!(grey(2, 2, &[0, 100, 100, 200], (1, 1)), [100]);
        assert_eq!(grey(4, 1, &[10, 20, 30, 40], (2, 1)), [15, 35]);
    }

    #[test]
    fn growing_repeats() {
        assert_eq!(grey(2, 1, &[1, 2], (4, 2)), [1, 1, 2, 2, 1, 1, 2, 2]);
    }

    #[test]
    fn a_picture_fits_in_a_box_without_being_bent() {
        assert_eq!(fitting(1280, 720, 160, 200, 1.0), (160, 90));
        assert_eq!(fitting(1280, 720, 400, 90, 1.0), (160, 90));
        assert_eq!(fitting(100, 100, 80, 24, 2.0), (48, 24));
        assert_eq!(fitting(16_384, 1, 80, 24, 1.0), (80, 1));
    }
}
