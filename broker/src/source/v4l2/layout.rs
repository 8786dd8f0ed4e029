//! How a camera's frames lie and what their colours mean, by what its driver says.
//!
//! Owns the translation; never asks a driver.

use streamem_v4l2::{Colour as DriverColour, Format as DriverFormat, Size};
use streamem_wire::{BadLayout, Colour, Format, Kind, Layout};

/// Planes that are buffers of their own begin at a page, as DMA-BUFs do.
pub(super) const PAGE_BYTES: u64 = 4096;

// As the kernel numbers them; 0 is what is usual.
const SPACE_REC709: u32 = 3;
const SPACE_JPEG: u32 = 7;
const SPACE_BT2020: u32 = 10;
const ENCODING_601: u32 = 1;
const ENCODING_709: u32 = 2;
const ENCODING_BT2020: u32 = 6;
const ENCODING_BT2020_CONSTANT: u32 = 7;
const RANGE_FULL: u32 = 1;
const RANGE_LIMITED: u32 = 2;

/// How frames lie, by what the driver says of its rows.
pub(super) fn layout_of(
    format: Format,
    set: &DriverFormat,
    rate: f64,
) -> Result<Layout, BadLayout> {
    let Size { width, height } = set.size;
    let bytes: u64 = set.planes.iter().map(|plane| u64::from(plane.bytes)).sum();
    if format.kind() == Kind::Packet {
        return Layout::packet(format, width, height, rate, bytes);
    }
    let tight = Layout::video(format, width, height, rate)?;
    let mut places = Vec::new();
    let (mut offset, mut end) = (0, bytes);
    for (index, plane) in tight.planes.iter().enumerate() {
        // The rows of further planes in the same buffer are as much further apart as those of the first.
        let own = if set.planes.len() > 1 {
            set.planes.get(index)
        } else {
            None
        };
        let of = own.or(set.planes.first()).ok_or(BadLayout::Empty)?;
        let stride = match own {
            Some(own) => u64::from(own.bytes_per_line),
            None => u64::from(of.bytes_per_line) * plane.stride / tight.planes[0].stride.max(1),
        };
        let stride = stride.max(plane.stride);
        places.push((offset, stride));
        offset += match own {
            Some(own) => u64::from(own.bytes)
                .max(stride * plane.rows)
                .next_multiple_of(PAGE_BYTES),
            None => stride * plane.rows,
        };
        end = end.max(offset);
    }
    let mut layout = tight.placed(&places, end)?;
    layout.colour = layout.colour.map(|_| colour_of(format, set.colour));
    Ok(layout)
}

fn colour_of(format: Format, said: DriverColour) -> Colour {
    let is_rgb = matches!(
        format,
        Format::Rgb24
            | Format::Bgr24
            | Format::Rgba
            | Format::Bgra
            | Format::Gray8
            | Format::Gray16
    );
    let space = match (said.encoding, said.space) {
        _ if is_rgb => "srgb",
        (ENCODING_601, _) => "bt601",
        (ENCODING_709, _) | (0, SPACE_REC709) => "bt709",
        (ENCODING_BT2020 | ENCODING_BT2020_CONSTANT, _) | (0, SPACE_BT2020) => "bt2020",
        _ => "bt601",
    };
    let range = match said.quantization {
        RANGE_FULL => "full",
        RANGE_LIMITED => "limited",
        _ if is_rgb || said.space == SPACE_JPEG => "full",
        _ => "limited",
    };
    Colour {
        space: space.to_owned(),
        range: range.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use streamem_v4l2::{Fourcc, PlaneFormat};

    fn set_to(code: [u8; 4], planes: &[(u32, u32)]) -> DriverFormat {
        let mut format = DriverFormat::wish(
            Fourcc::new(code),
            Size {
                width: 64,
                height: 48,
            },
        );
        format.planes = planes
            .iter()
            .map(|(bytes_per_line, bytes)| PlaneFormat {
                bytes_per_line: *bytes_per_line,
                bytes: *bytes,
            })
            .collect();
        format
    }

    #[test]
    fn rows_lie_as_the_driver_says() {
        let layout = layout_of(Format::Nv12, &set_to(*b"NV12", &[(128, 128 * 72)]), 30.0).unwrap();
        assert_eq!(
            (
                layout.planes[1].offset,
                layout.planes[1].stride,
                layout.bytes
            ),
            (128 * 48, 128, 128 * 72)
        );
        let layout = layout_of(Format::I420, &set_to(*b"YU12", &[(128, 128 * 72)]), 30.0).unwrap();
        assert_eq!(
            (layout.planes[2].offset, layout.planes[2].stride),
            (128 * 60, 64)
        );
        let padded = layout_of(Format::Gray8, &set_to(*b"GREY", &[(64, 8192)]), 30.0).unwrap();
        assert_eq!(padded.bytes, 8192);
    }

    #[test]
    fn planes_in_buffers_of_their_own_begin_at_pages() {
        let layout = layout_of(
            Format::Nv12,
            &set_to(*b"NM12", &[(64, 64 * 48), (64, 64 * 24)]),
            30.0,
        )
        .unwrap();
        assert_eq!(
            (layout.planes[1].offset, layout.bytes, layout.array),
            (4096, 8192, None)
        );
    }

    #[test]
    fn a_driver_that_says_nothing_of_its_rows_has_tight_ones() {
        let layout = layout_of(Format::Yuyv, &set_to(*b"YUYV", &[(0, 0)]), 0.0).unwrap();
        assert_eq!(layout, Layout::video(Format::Yuyv, 64, 48, 0.0).unwrap());
    }

    #[test]
    fn colours_are_what_the_driver_says_and_else_what_is_usual() {
        let colour = |format, space, encoding, quantization| {
            let said = DriverColour {
                space,
                encoding,
                quantization,
                transfer: 0,
            };
            let Colour { space, range } = colour_of(format, said);
            (space, range)
        };
        let named = |space: &str, range: &str| (space.to_owned(), range.to_owned());
        assert_eq!(
            colour(Format::Nv12, SPACE_REC709, 0, 0),
            named("bt709", "limited")
        );
        assert_eq!(colour(Format::Yuyv, 8, 0, 0), named("bt601", "limited"));
        assert_eq!(
            colour(Format::Yuyv, 8, ENCODING_709, RANGE_FULL),
            named("bt709", "full")
        );
        assert_eq!(
            colour(Format::Yuyv, SPACE_JPEG, 0, 0),
            named("bt601", "full")
        );
        assert_eq!(
            colour(Format::P010, SPACE_BT2020, 0, 0),
            named("bt2020", "limited")
        );
        assert_eq!(
            colour(Format::Bgr24, SPACE_REC709, 0, 0),
            named("srgb", "full")
        );
        assert_eq!(
            colour(Format::Bgr24, 0, 0, RANGE_LIMITED),
            named("srgb", "limited")
        );
    }
}
