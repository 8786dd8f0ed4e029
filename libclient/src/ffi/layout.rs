//! Layouts as a C struct.
//!
//! Owns the struct, which refers to nothing outside itself; never computes a layout.
//!
//! # Safety
//!
//! The struct is plain numbers without padding, so any bytes are a value of it.
#![allow(unsafe_code)]

use super::memory::Growing;
use std::ffi::c_char;
use std::mem::size_of;
use streamem_wire::{Kind, Layout};

/// A layout's `kind`: an uncompressed picture.
pub const STREAMEM_VIDEO: u32 = 1;
/// A layout's `kind`: compressed bytes of a picture.
pub const STREAMEM_PACKET: u32 = 2;
/// A layout's `kind`: a block of audio samples.
pub const STREAMEM_AUDIO: u32 = 3;
/// A layout's `kind`: a batch of records.
pub const STREAMEM_BATCH: u32 = 4;

/// Most planes a layout has.
pub const STREAMEM_PLANES_MAX: usize = 4;
/// Most dimensions a layout has.
pub const STREAMEM_DIMENSIONS_MAX: usize = 4;

/// Where the rows of one plane lie.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FramePlane {
    /// Bytes from the frame's first to the plane's.
    pub offset: u64,
    /// Bytes from one row to the next.
    pub stride: u64,
    /// Number of rows.
    pub rows: u64,
}

/// How the bytes of a frame are to be read.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FrameLayout {
    /// sizeof(streamem_layout), as the caller was compiled.
    pub struct_size: usize,
    /// STREAMEM_VIDEO and the numbers after it.
    pub kind: u32,
    /// The four-character code, first character in the lowest byte: DRM's where DRM has the format.
    pub fourcc: u32,
    /// DRM's format modifier; 0 is linear.
    pub modifier: u64,
    /// Pixels in a row; 0 where there are none.
    pub width: u32,
    /// Rows of pixels.
    pub height: u32,
    /// Frames in a second; 0 where unknown.
    pub rate: f64,
    /// Audio samples in a second.
    pub sample_rate: u32,
    /// How many of `planes` there are; none for packets.
    pub plane_count: u32,
    /// Where the rows lie.
    pub planes: [FramePlane; STREAMEM_PLANES_MAX],
    /// Bytes of a frame, or the most a packet has.
    pub bytes: u64,
    /// How many of `shape` and `strides` there are: the frame as an array; none where it is no array.
    pub dimensions: u32,
    /// Bytes of one number.
    pub element_bytes: u32,
    /// Length of each dimension.
    pub shape: [u64; STREAMEM_DIMENSIONS_MAX],
    /// Bytes from one element to the next in each dimension.
    pub strides: [u64; STREAMEM_DIMENSIONS_MAX],
    /// The format's name, such as `bgr24`.
    pub format: [c_char; 16],
    /// The array's elements as numpy names them, such as `|u1`.
    pub element: [c_char; 16],
    /// `srgb`, `bt601`, `bt709` or `bt2020`; empty where there is no colour.
    pub colour_space: [c_char; 16],
    /// `full` or `limited`.
    pub colour_range: [c_char; 16],
}

// SAFETY: a usize first; no padding, as the size below shows.
unsafe impl Growing for FrameLayout {
    const EMPTY: FrameLayout = FrameLayout {
        struct_size: size_of::<FrameLayout>(),
        kind: 0,
        fourcc: 0,
        modifier: 0,
        width: 0,
        height: 0,
        rate: 0.0,
        sample_rate: 0,
        plane_count: 0,
        planes: [FramePlane {
            offset: 0,
            stride: 0,
            rows: 0,
        }; STREAMEM_PLANES_MAX],
        bytes: 0,
        dimensions: 0,
        element_bytes: 0,
        shape: [0; STREAMEM_DIMENSIONS_MAX],
        strides: [0; STREAMEM_DIMENSIONS_MAX],
        format: [0; 16],
        element: [0; 16],
        colour_space: [0; 16],
        colour_range: [0; 16],
    };
}

const _: () = assert!(size_of::<FrameLayout>() == 4 * 8 + 8 * 4 + 4 * 24 + 8 * 8 + 4 * 16);

impl FrameLayout {
    pub(super) fn of(layout: &Layout) -> FrameLayout {
        let mut found = FrameLayout {
            kind: match layout.kind {
                Kind::Video => STREAMEM_VIDEO,
                Kind::Packet => STREAMEM_PACKET,
                Kind::Audio => STREAMEM_AUDIO,
                Kind::Batch => STREAMEM_BATCH,
            },
            fourcc: fourcc(&layout.fourcc),
            modifier: layout.modifier,
            width: layout.width,
            height: layout.height,
            rate: layout.rate,
            sample_rate: layout.sample_rate.unwrap_or(0),
            bytes: layout.bytes,
            format: characters(layout.format.name()),
            ..FrameLayout::EMPTY
        };
        let planes = layout.planes.iter().map(|plane| FramePlane {
            offset: plane.offset,
            stride: plane.stride,
            rows: plane.rows,
        });
        found.plane_count = fill(&mut found.planes, planes);
        if let Some(array) = &layout.array {
            found.dimensions = fill(&mut found.shape, array.shape.iter().copied());
            fill(&mut found.strides, array.strides.iter().copied());
            found.element = characters(&array.dtype);
            found.element_bytes = u32::try_from(layout.format.element_bytes()).unwrap_or(0);
        }
        if let Some(colour) = &layout.colour {
            found.colour_space = characters(&colour.space);
            found.colour_range = characters(&colour.range);
        }
        found
    }
}

fn fourcc(code: &str) -> u32 {
    let code: Option<[u8; 4]> = code.as_bytes().try_into().ok();
    code.map_or(0, u32::from_le_bytes)
}

/// How many there were; nothing is more than the specification has, and the rest would be left out.
fn fill<T>(places: &mut [T], values: impl Iterator<Item = T>) -> u32 {
    let filled = places
        .iter_mut()
        .zip(values)
        .map(|(place, value)| *place = value);
    u32::try_from(filled.count()).unwrap_or(0)
}

/// A text that ends with a NUL, cut where it would not fit.
fn characters<const N: usize>(text: &str) -> [c_char; N] {
    let mut characters = [0; N];
    for (place, byte) in characters.iter_mut().take(N - 1).zip(text.bytes()) {
        *place = c_char::from_ne_bytes([byte]);
    }
    characters
}

#[cfg(test)]
mod tests {
    use super::*;
    use streamem_wire::Format;

    #[test]
    fn a_picture_is_told_with_its_planes() {
        let layout = Layout::video(Format::Nv12, 64, 48, 30.0).unwrap();
        let told = FrameLayout::of(&layout);
        assert_eq!(
            (told.kind, told.width, told.height),
            (STREAMEM_VIDEO, 64, 48)
        );
        assert_eq!(told.fourcc, u32::from_le_bytes(*b"NV12"));
        assert_eq!(told.plane_count, 2);
        assert_eq!(told.planes[1].offset, 64 * 48);
        assert_eq!(told.format, characters("nv12"));
    }

    #[test]
    fn every_format_has_room_in_it() {
        for format in Format::ALL {
            assert!(format.name().len() < 16);
            if let Ok(layout) = Layout::video(*format, 64, 48, 30.0) {
                assert!(layout.planes.len() <= STREAMEM_PLANES_MAX);
                let array = layout.array.unwrap();
                assert!(array.shape.len() <= STREAMEM_DIMENSIONS_MAX);
                assert!(array.dtype.len() < 16);
            }
        }
    }
}
