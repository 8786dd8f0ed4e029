//! Access units of a headset with anything in them, decoded into slots.
//!
//! Owns the slots; each has nothing that belongs to it behind its end.
//!
//! # Safety
//!
//! A slot is memory of its own, which its targets keep, and which nobody looks at.
#![no_main]
#![allow(unsafe_code)]

use libfuzzer_sys::fuzz_target;
use std::cell::UnsafeCell;
use std::ptr::NonNull;
use std::sync::Arc;
use streamem_codec::{Codec, Need, Place, Planes, Target, VideoDecoder};
use streamem_orders::Placement;

/// More only take longer.
const UNITS_MAX: usize = 12;
const SIDE: u32 = 64;
const LENGTH_BYTES: usize = 2;

#[repr(C, align(64))]
struct Line(UnsafeCell<[u8; 64]>);

struct Slot(Box<[Line]>);

// SAFETY: nobody here looks at what is in it.
unsafe impl Sync for Slot {}

fn target() -> Target {
    let placement = Placement::of(SIDE, SIDE);
    let place = |(offset, stride): (u64, u64)| Place {
        offset: offset as usize,
        stride: stride as usize,
    };
    let planes = Planes::All(placement.planes.map(place));
    let bytes = placement.bytes as usize;
    let lines = bytes.div_ceil(64);
    let slot: Box<[Line]> = (0..lines).map(|_| Line(UnsafeCell::new([0; 64]))).collect();
    let slot = Arc::new(Slot(slot));
    let base = NonNull::from(&*slot.0).cast();
    // SAFETY: so many bytes lie there for as long as there is the slot.
    unsafe { Target::new(base, bytes, planes, slot) }
}

fuzz_target!(|input: &[u8]| {
    let Some((which, mut rest)) = input.split_first() else {
        return;
    };
    let codec = if which & 1 == 0 {
        Codec::H264
    } else {
        Codec::Hevc
    };
    let mut decoder = VideoDecoder::new(codec).expect("a decoder");
    let mut kept = Vec::new();
    let mut give = |_: Need| Some(target());
    for number in 0..UNITS_MAX {
        let Some((length, bytes)) = rest.split_at_checked(LENGTH_BYTES) else {
            return;
        };
        let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
        let (unit, behind) = bytes.split_at(length.min(bytes.len()));
        rest = behind;
        let Ok(Some(picture)) = decoder.decode(unit, number as u64, &mut give) else {
            continue;
        };
        let planes = picture.planes();
        assert!(planes.planes[0].bytes.len() >= planes.width);
        let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        assert!(
            planes
                .planes
                .iter()
                .all(|plane| sum(plane.bytes) < u64::MAX)
        );
        if which & 2 != 0 {
            kept.push(picture);
        }
    }
});
