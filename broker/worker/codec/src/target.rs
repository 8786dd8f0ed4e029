//! Memory a picture is decoded into.
//!
//! Owns what a caller says about such memory, and whether a picture fits; never touches the bytes.
//!
//! # Safety
//!
//! Nothing is read or written here. That memory can be written is promised by whoever makes a [`Target`], and that
//! planes lie in it with the room decoders take is looked at in [`Target::fits`] before one is given it.
#![allow(unsafe_code)]

use crate::place::Place;
use std::any::Any;
use std::ptr::NonNull;
use std::sync::Arc;

/// How far beyond the last row decoders write: what FFmpeg leaves behind a plane of its own.
const SLACK: usize = 16 + 64 - 1;

/// What a decoder wants for a picture: planes of 8 bits, colours halved both ways. It is larger than what will be
/// seen of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Bytes of a row that are written.
    pub width: usize,
    /// Rows that are written.
    pub height: usize,
    /// How far rows of brightness are apart; those of colours are half as far.
    pub stride: usize,
    /// What the address of a plane is a multiple of.
    pub align: usize,
}

/// Which planes have a place in a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planes {
    /// All: brightness and both colours.
    All([Place; 3]),
    /// Brightness only. The decoder has other memory for the colours.
    Brightness(Place),
}

/// Memory for one picture.
#[derive(Debug)]
pub struct Target {
    pub(crate) base: NonNull<u8>,
    pub(crate) bytes: usize,
    planes: Planes,
    pub(crate) owner: Arc<dyn Any + Send + Sync>,
}

impl Target {
    /// Memory of so many bytes, which belongs to `owner`. A decoder keeps that until neither it nor a
    /// [`Picture`](crate::Picture) refers to the memory, which is longer than until the picture is there: following
    /// pictures are made from it.
    ///
    /// # Safety
    ///
    /// For as long as `owner` is kept, these bytes are initialised, can be read and written from any thread, and are
    /// written by nobody else; whoever reads them while [`decode`](crate::VideoDecoder::decode) runs expects that
    /// they change.
    #[must_use]
    pub unsafe fn new(
        base: NonNull<u8>,
        bytes: usize,
        planes: Planes,
        owner: Arc<dyn Any + Send + Sync>,
    ) -> Self {
        Self {
            base,
            bytes,
            planes,
            owner,
        }
    }

    pub(crate) fn offsets(&self) -> [Option<usize>; 3] {
        match self.planes {
            Planes::All(places) => places.map(|place| Some(place.offset)),
            Planes::Brightness(place) => [Some(place.offset), None, None],
        }
    }

    /// Whether a picture has all the room it needs here.
    #[must_use]
    pub fn fits(&self, need: Need) -> bool {
        let has_room = |place: Place, stride: usize, rows: usize| {
            let end = stride
                .checked_mul(rows)
                .and_then(|plane| plane.checked_add(place.offset)?.checked_add(SLACK));
            let address = self.base.as_ptr().addr().wrapping_add(place.offset);
            place.stride == stride
                && address.is_multiple_of(need.align.max(1))
                && end.is_some_and(|end| end <= self.bytes)
        };
        let [half, rows] = [need.stride / 2, need.height.div_ceil(2)];
        match self.planes {
            Planes::All([luma, u, v]) => {
                has_room(luma, need.stride, need.height)
                    && has_room(u, half, rows)
                    && has_room(v, half, rows)
            }
            Planes::Brightness(luma) => has_room(luma, need.stride, need.height),
        }
    }
}
