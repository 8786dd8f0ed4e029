//! Frames as PNG files.
//!
//! Owns the choice of a PNG type for each format; never loses depth: 16-bit brightness and distance
//! stay 16 bits, so that a depth map can be measured in the file.

use super::Pixels;
use crate::failure::Failure;
use ::png::{BitDepth, ColorType, Encoder};
use streamem_wire::{Format, Layout};

/// The frame as a PNG file.
pub fn encoded(layout: &Layout, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let pixels = Pixels::new(layout, bytes)?;
    let places = || (0..layout.height).flat_map(|y| (0..layout.width).map(move |x| (x, y)));
    let (colour, depth, data) = match layout.format {
        Format::Gray8 => {
            let data = places().map(|(x, y)| pixels.at(x, y)[0]).collect();
            (ColorType::Grayscale, BitDepth::Eight, data)
        }
        Format::Gray16 | Format::Depth16 => {
            let data = rows(layout, bytes).flat_map(swapped).collect();
            (ColorType::Grayscale, BitDepth::Sixteen, data)
        }
        Format::Rgba | Format::Bgra => {
            let alpha: Vec<u8> = rows(layout, bytes)
                .flat_map(|row| row.iter().skip(3).step_by(4).copied())
                .collect();
            let opaque = places().map(|(x, y)| pixels.at(x, y));
            let data = opaque.zip(alpha).flat_map(|([r, g, b], a)| [r, g, b, a]);
            (ColorType::Rgba, BitDepth::Eight, data.collect())
        }
        _ => {
            let data = pixels.picture().pixels.into_flattened();
            (ColorType::Rgb, BitDepth::Eight, data)
        }
    };
    written(layout, colour, depth, &data).map_err(|cause| {
        Failure::Unfit(format!(
            "the frame cannot be written as PNG: {cause}; write it to a .raw file"
        ))
    })
}

/// The pixels of each row, without padding.
fn rows<'a>(layout: &Layout, bytes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let pixel_bytes = match layout.format {
        Format::Rgba | Format::Bgra => 4,
        _ => 2,
    };
    let (start, stride) = layout
        .planes
        .first()
        .map_or((0, 0), |plane| (plane.offset, plane.stride));
    let row_bytes = u64::from(layout.width) * pixel_bytes;
    (0..u64::from(layout.height)).map(move |row| {
        let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let first = start.saturating_add(row.saturating_mul(stride));
        let end = first.saturating_add(row_bytes);
        bytes.get(at(first)..at(end)).unwrap_or_default()
    })
}

/// PNG has the high byte first.
fn swapped(row: &[u8]) -> impl Iterator<Item = u8> {
    row.chunks_exact(2).flat_map(|pair| [pair[1], pair[0]])
}

fn written(
    layout: &Layout,
    colour: ColorType,
    depth: BitDepth,
    data: &[u8],
) -> Result<Vec<u8>, ::png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, layout.width, layout.height);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder.set_compression(::png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(data)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn decoded(format: Format, bytes: &[u8]) -> (ColorType, BitDepth, Vec<u8>) {
        let layout = Layout::video(format, 2, 2, 30.0).unwrap();
        let file = encoded(&layout, bytes).unwrap();
        let mut reader = ::png::Decoder::new(Cursor::new(file)).read_info().unwrap();
        let mut data = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut data).unwrap();
        assert_eq!((info.width, info.height), (2, 2));
        (info.color_type, info.bit_depth, data)
    }

    #[test]
    fn colours_come_back_as_they_were() {
        let bytes: Vec<u8> = (0..12).collect();
        let (colour, depth, data) = decoded(Format::Rgb24, &bytes);
        assert_eq!((colour, depth), (ColorType::Rgb, BitDepth::Eight));
        assert_eq!(data, bytes);
        let (_, _, data) = decoded(Format::Bgr24, &bytes);
        assert_eq!(data[..3], [2, 1, 0]);
    }

    #[test]
    fn transparency_is_kept() {
        let bytes: Vec<u8> = (0..16).collect();
        let (colour, _, data) = decoded(Format::Bgra, &bytes);
        assert_eq!(colour, ColorType::Rgba);
        assert_eq!(data[..4], [2, 1, 0, 3]);
    }

    #[test]
    fn distances_keep_their_sixteen_bits() {
        let distances = [1u16, 500, 4000, 65_535];
        let bytes: Vec<u8> = distances.iter().flat_map(|d| d.to_le_bytes()).collect();
        let (colour, depth, data) = decoded(Format::Depth16, &bytes);
        assert_eq!((colour, depth), (ColorType::Grayscale, BitDepth::Sixteen));
        let back: Vec<u16> = data
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        assert_eq!(back, distances);
    }

    #[test]
    fn chroma_becomes_colour() {
        let (_, _, data) = decoded(Format::Nv12, &[235, 16, 16, 16, 128, 128]);
        assert_eq!(data, [255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
