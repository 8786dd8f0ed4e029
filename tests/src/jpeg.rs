//! JPEG pictures, from an encoder that shares nothing with the broker's decoder.
//!
//! Owns encoding; never decodes.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use streamem::{Format, Layout, LayoutWish, SlotMut};

/// Bytes a compressed frame may have.
const BYTES_MAX: u64 = 1 << 20;

/// How many colours there are for the pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// One each: 4:4:4.
    Full,
    /// One for two beside each other: 4:2:2.
    Half,
    /// One for four: 4:2:0.
    Quarter,
}

/// Frames of JPEG pictures of this size.
#[must_use]
pub fn wish(width: u32, height: u32, rate: f64) -> LayoutWish {
    LayoutWish {
        bytes_max: Some(BYTES_MAX),
        ..LayoutWish::video(Format::Mjpeg, width, height, rate)
    }
}

/// Encodes a picture in `rgb24`.
///
/// # Panics
///
/// When it is none.
#[must_use]
pub fn encode(layout: &Layout, pixels: &[u8], sampling: Sampling) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 95);
    encoder.set_sampling_factor(match sampling {
        Sampling::Full => SamplingFactor::R_4_4_4,
        Sampling::Half => SamplingFactor::R_4_2_2,
        Sampling::Quarter => SamplingFactor::R_4_2_0,
    });
    let side = |pixels: u32| u16::try_from(pixels).expect("a side JPEG can have");
    encoder
        .encode(
            pixels,
            side(layout.width),
            side(layout.height),
            ColorType::Rgb,
        )
        .expect("a picture");
    jpeg
}

/// Puts a compressed frame into a slot.
pub fn put(slot: &mut SlotMut<'_>, jpeg: &[u8]) {
    slot.bytes_mut()[..jpeg.len()].copy_from_slice(jpeg);
    slot.used_bytes(jpeg.len());
}
