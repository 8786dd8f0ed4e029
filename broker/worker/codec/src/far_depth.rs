//! Far depth of a headset, which comes as a PNG.
//!
//! Owns the size it must have; never decodes another, and never makes memory for what comes beside the picture.

use crate::error::CodecError;
use png::{BitDepth, ColorType, Decoder, Limits, Transformations};
use std::io::Cursor;

/// Pixels in a row of the PNG.
pub const WIDTH: usize = 320;
/// Its rows.
pub const HEIGHT: usize = 288;
/// Bytes of it, unpacked: first depths, then brightnesses, each of 16 bits.
pub const BYTES: usize = WIDTH * HEIGHT * 4;
/// What the decoder may keep beside the picture.
const BESIDE_MAX: usize = 1 << 20;

fn fails(error: &png::DecodingError) -> CodecError {
    CodecError::Png(error.to_string())
}

/// Unpacks the picture: first all depths, in millimetres, then how bright it is there; each of 16 bits.
///
/// # Errors
///
/// It is no PNG, one of another size or kind, or there is another room than it takes.
pub fn unpack(png: &[u8], out: &mut [u8]) -> Result<(), CodecError> {
    if out.len() != BYTES {
        return Err(CodecError::Room {
            what: "far depth",
            wanted: BYTES,
            bytes: out.len(),
        });
    }
    let mut decoder = Decoder::new_with_limits(Cursor::new(png), Limits { bytes: BESIDE_MAX });
    decoder.set_transformations(Transformations::IDENTITY);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(|error| fails(&error))?;
    let info = reader.info();
    let size = [info.width, info.height].map(|side| usize::try_from(side).unwrap_or(usize::MAX));
    let kind = (info.color_type, info.bit_depth);
    if size != [WIDTH, HEIGHT] || kind != (ColorType::Rgba, BitDepth::Eight) || info.interlaced {
        let [width, height] = size;
        return Err(CodecError::Png(format!(
            "it is {width}x{height} of {:?}",
            info.color_type
        )));
    }
    reader.next_frame(out).map_err(|error| fails(&error))?;
    // The device takes its bytes for blue, green and red, and a PNG has red first.
    for pixel in out.as_chunks_mut::<4>().0 {
        pixel.swap(0, 2);
    }
    Ok(())
}
