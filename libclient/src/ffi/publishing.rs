//! What a C program says before it publishes, and of each frame.
//!
//! Owns the structs and their translation; never opens anything.
//!
//! # Safety
//!
//! The structs are plain numbers and addresses without padding, so any bytes are a value of them; that
//! the addresses lead to what they should is what the header asks of the caller.
#![allow(unsafe_code)]

use super::failure::Failure;
use super::memory::{self, Growing};
use crate::publisher::{PublisherBuilder, SlotMut};
use std::ffi::{c_char, c_void};
use std::mem::size_of;
use std::ptr::null;
use streamem_wire::{Format, LayoutWish, NoSuchFormat, SideData};

/// What is asked of a publication. Begin with streamem_publish_options_init(), then set either `like`
/// or `format` and what belongs to it; 0 and NULL mean the usual, or "there is none".
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PublishOptions {
    /// sizeof(streamem_publish_options), as the caller was compiled.
    pub struct_size: usize,
    /// Path of the broker's socket; NULL looks at $STREAMEM_SOCKET and the usual places.
    pub socket: *const c_char,
    /// The name of a stream whose frames lie as these shall.
    pub like: *const c_char,
    /// The name of a format, such as `bgr24`.
    pub format: *const c_char,
    /// Frames in a second.
    pub rate: f64,
    /// Pixels in a row.
    pub width: u32,
    /// Rows of pixels.
    pub height: u32,
    /// The most bytes of a packet.
    pub bytes_max: u32,
    /// Audio samples in a second.
    pub sample_rate: u32,
    /// Audio channels.
    pub channels: u32,
    /// Samples of a channel in a block.
    pub samples: u32,
    /// How many slots are in hand at a time; 0 is 2.
    pub slots: u32,
    /// The most slots the stream can have; 0 is 32.
    pub slots_max: u32,
}

// SAFETY: a usize first, three addresses, a number of 8 bytes and eight of 4: no padding.
unsafe impl Growing for PublishOptions {
    const EMPTY: PublishOptions = PublishOptions {
        struct_size: size_of::<PublishOptions>(),
        socket: null(),
        like: null(),
        format: null(),
        rate: 0.0,
        width: 0,
        height: 0,
        bytes_max: 0,
        sample_rate: 0,
        channels: 0,
        samples: 0,
        slots: 0,
        slots_max: 0,
    };
}

const _: () = assert!(size_of::<PublishOptions>() == 4 * 8 + 8 + 8 * 4);

/// One block of side-data that goes with a frame.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SideBlock {
    /// STREAMEM_SIDE_POSE and the numbers after it, or a kind of your own.
    pub kind: u32,
    /// How many bytes.
    pub size: u32,
    /// The bytes.
    pub data: *const c_void,
}

/// What is said of a frame that is submitted. Begin with streamem_stamp_init(); 0 means the usual.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FrameStamp {
    /// sizeof(streamem_stamp), as the caller was compiled.
    pub struct_size: usize,
    /// When it was captured: CLOCK_MONOTONIC, in nanoseconds; 0 is when it is published.
    pub captured_ns: u64,
    /// How many bytes it has; 0 is all of them.
    pub bytes: usize,
    /// What the source's own clock says.
    pub source_clock: u64,
    /// The source's own number for the frame.
    pub source_sequence: u64,
    /// What the source's own clock counts: STREAMEM_CLOCK_NONE and the numbers after it.
    pub clock_domain: u32,
    /// STREAMEM_BROKEN, STREAMEM_GAP, STREAMEM_KEY, each a bit.
    pub flags: u32,
    /// Side-data, as many blocks as `side_count` says.
    pub side: *const SideBlock,
    /// How many blocks of side-data there are.
    pub side_count: usize,
}

// SAFETY: a usize first, and each group of fields fills 8 bytes: no padding.
unsafe impl Growing for FrameStamp {
    const EMPTY: FrameStamp = FrameStamp {
        struct_size: size_of::<FrameStamp>(),
        captured_ns: 0,
        bytes: 0,
        source_clock: 0,
        source_sequence: 0,
        clock_domain: 0,
        flags: 0,
        side: null(),
        side_count: 0,
    };
}

const _: () = assert!(size_of::<FrameStamp>() == 5 * 8 + 2 * 4 + 2 * 8);

/// More blocks than fit beside a frame; a larger number is none.
const SIDE_COUNT_MAX: usize = 64;

impl PublishOptions {
    /// The publication they ask for.
    pub(super) unsafe fn builder(&self, stream: &str) -> Result<PublisherBuilder, Failure> {
        let mut builder = PublisherBuilder::new(stream);
        // SAFETY: the header asks for a C string or NULL.
        if let Some(socket) = unsafe { memory::text_if_any(self.socket, "path of the socket") }? {
            builder = builder.socket(socket);
        }
        // SAFETY: the header asks for a C string or NULL.
        let like = unsafe { memory::text_if_any(self.like, "name of the stream to be like") }?;
        // SAFETY: the header asks for a C string or NULL.
        let format = unsafe { memory::text_if_any(self.format, "name of the format") }?;
        builder = match (like, format) {
            (Some(like), None) => builder.like(like),
            (None, Some(format)) => builder.layout(self.wish(format)?),
            _ => {
                return Err(Failure::argument(
                    "say how the frames lie: set either `like` or `format`, and not both",
                ));
            }
        };
        if self.slots > 0 {
            builder = builder.slots(self.slots);
        }
        if self.slots_max > 0 {
            builder = builder.slots_max(self.slots_max);
        }
        Ok(builder)
    }

    fn wish(&self, format: &str) -> Result<LayoutWish, Failure> {
        let said = |number: u32| Some(number).filter(|number| *number > 0);
        let format: Result<Format, NoSuchFormat> = format.parse();
        Ok(LayoutWish {
            format: format.map_err(|error| Failure::argument(error.to_string()))?,
            width: said(self.width),
            height: said(self.height),
            rate: Some(self.rate).filter(|rate| *rate != 0.0),
            bytes_max: said(self.bytes_max).map(u64::from),
            sample_rate: said(self.sample_rate),
            channels: said(self.channels),
            samples: said(self.samples),
            records: None,
            fields: None,
        })
    }
}

impl FrameStamp {
    /// Says it of the frame in a slot.
    pub(super) unsafe fn put(&self, slot: &mut SlotMut<'_>) -> Result<(), Failure> {
        if self.bytes > 0 {
            slot.used_bytes(self.bytes);
        }
        slot.captured_ns(self.captured_ns);
        slot.source_clock(self.clock_domain, self.source_clock);
        slot.source_sequence(self.source_sequence);
        slot.flags(self.flags);
        if self.side_count > SIDE_COUNT_MAX || (self.side.is_null() && self.side_count > 0) {
            return Err(Failure::argument(format!(
                "side is NULL, or side_count more than {SIDE_COUNT_MAX}"
            )));
        }
        let mut blocks = Vec::new();
        for at in 0..self.side_count {
            // SAFETY: the header asks for as many blocks.
            let SideBlock { kind, size, data } = unsafe { self.side.wrapping_add(at).read() };
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            // SAFETY: the header asks for as many bytes.
            let bytes = unsafe { memory::bytes(data.cast(), size, "bytes of side-data") }?;
            let bytes = bytes.to_vec();
            blocks.push(SideData::Other { kind, bytes });
        }
        slot.side_data(&blocks);
        Ok(())
    }
}
