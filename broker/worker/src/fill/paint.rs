//! A picture as the format a stream has, written once.
//!
//! Owns the choice of how; never makes memory.

use crate::output::Output;
use streamem::{Format, Granted};
use streamem_codec::colour::{Colours, Matrix, Nv12, Order, Pixels, Plane, paint_grey};
use streamem_codec::{CodecError, Picture};

/// Rows of raw pictures begin at multiples of this.
pub(super) const RAW_ALIGNED: usize = 64;

fn order(format: Format) -> Option<Order> {
    match format {
        Format::Bgr24 => Some(Order::Bgr),
        Format::Rgb24 => Some(Order::Rgb),
        Format::Bgra => Some(Order::Bgra),
        Format::Rgba => Some(Order::Rgba),
        _ => None,
    }
}

/// Where the planes of the stream lie in a slot.
fn places(output: &Output) -> Vec<(usize, usize)> {
    let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
    let planes = output.layout.planes.iter();
    planes
        .map(|plane| (number(plane.offset), number(plane.stride)))
        .collect()
}

/// A decoded picture.
pub(super) fn picture(
    picture: &Picture,
    is_grey: bool,
    output: &mut Output,
    granted: &mut Granted,
) -> Result<(), CodecError> {
    let (planes, colours) = (picture.planes(), picture.colours);
    let (format, places) = (output.wish.format, places(output));
    let slot = output.bytes(granted);
    let size = [planes.width, planes.height];
    match (order(format), format) {
        (Some(order), _) if is_grey => grey(planes.planes[0], size, order, slot, &places),
        (Some(order), _) => planes.paint(colours, pixels(order, slot, &places)),
        (None, Format::I420) => {
            for (plane, (offset, stride)) in planes.planes.iter().zip(&places) {
                let half = if *offset == 0 { 1 } else { 2 };
                let [width, height] = size.map(|side| side.div_ceil(half));
                rows(*plane, [width, height], slot.get_mut(*offset..), *stride)?;
            }
            Ok(())
        }
        (None, Format::Nv12) => {
            let [luma, chroma] = two(&places);
            rows(planes.planes[0], size, slot.get_mut(luma.0..), luma.1)?;
            planes.interleave(slot.get_mut(chroma.0..).unwrap_or_default(), chroma.1)
        }
        (None, _) => rows(planes.planes[0], size, Some(slot), two(&places)[0].1),
    }
}

/// A raw one: NV12, or grey.
pub(super) fn raw(
    bytes: &[u8],
    size: [usize; 2],
    is_grey: bool,
    output: &mut Output,
    granted: &mut Granted,
) -> Result<(), CodecError> {
    let (format, places) = (output.wish.format, places(output));
    let slot = output.bytes(granted);
    let [width, height] = size;
    let stride = if is_grey {
        width
    } else {
        width.next_multiple_of(RAW_ALIGNED)
    };
    let whole_rows = if is_grey { height } else { height * 3 / 2 };
    if bytes.len() != stride * whole_rows {
        return Err(CodecError::Room {
            what: "a raw picture",
            wanted: bytes.len(),
            bytes: stride * whole_rows,
        });
    }
    let (luma, chroma) = bytes.split_at(stride * height);
    let luma = Plane {
        bytes: luma,
        stride,
    };
    let chroma = Plane {
        bytes: chroma,
        stride,
    };
    match (order(format), is_grey) {
        (Some(order), true) => grey(luma, size, order, slot, &places),
        (Some(order), false) => {
            let matrix = if height < 720 {
                Matrix::Bt601
            } else {
                Matrix::Bt709
            };
            let colours = Colours {
                matrix,
                is_full_range: false,
            };
            let picture = Nv12 {
                width,
                height,
                planes: [luma, chroma],
            };
            picture.paint(colours, pixels(order, slot, &places))
        }
        (None, _) => {
            let [first, second] = two(&places);
            rows(luma, size, slot.get_mut(first.0..), first.1)?;
            if format == Format::Nv12 {
                rows(
                    chroma,
                    [width, height / 2],
                    slot.get_mut(second.0..),
                    second.1,
                )?;
            }
            Ok(())
        }
    }
}

/// The bytes as they are.
pub(super) fn bytes(
    bytes: &[u8],
    output: &mut Output,
    granted: &mut Granted,
) -> Result<(), CodecError> {
    let slot = output.bytes(granted);
    let room = slot.len();
    match slot.get_mut(..bytes.len()) {
        Some(place) => place.copy_from_slice(bytes),
        None => {
            return Err(CodecError::Room {
                what: "an access unit",
                wanted: bytes.len(),
                bytes: room,
            });
        }
    }
    Ok(())
}

fn pixels<'a>(order: Order, bytes: &'a mut [u8], places: &[(usize, usize)]) -> Pixels<'a> {
    let stride = two(places)[0].1;
    Pixels {
        bytes,
        stride,
        order,
    }
}

fn grey(
    luma: Plane<'_>,
    size: [usize; 2],
    order: Order,
    slot: &mut [u8],
    places: &[(usize, usize)],
) -> Result<(), CodecError> {
    paint_grey(luma, size, pixels(order, slot, places))
}

fn two(places: &[(usize, usize)]) -> [(usize, usize); 2] {
    let place = |index| places.get(index).copied().unwrap_or_default();
    [place(0), place(1)]
}

fn rows(
    plane: Plane<'_>,
    [width, height]: [usize; 2],
    to: Option<&mut [u8]>,
    stride: usize,
) -> Result<(), CodecError> {
    let to = to.unwrap_or_default();
    for (stride, bytes) in [(stride, to.len()), (plane.stride, plane.bytes.len())] {
        let wanted = stride * height.saturating_sub(1) + width;
        if bytes < wanted || stride < width {
            return Err(CodecError::Room {
                what: "a plane of a picture",
                wanted,
                bytes,
            });
        }
    }
    let from = plane.bytes.chunks(plane.stride.max(1)).take(height);
    for (to, from) in to.chunks_mut(stride.max(1)).zip(from) {
        let (to, from) = (to.get_mut(..width), from.get(..width));
        if let (Some(to), Some(from)) = (to, from) {
            to.copy_from_slice(from);
        }
    }
    Ok(())
}
