//! Frames as C functions.
//!
//! Owns the handles of frames; never copies a frame's bytes.
//!
//! # Safety
//!
//! The addresses a function is called with are only handed on to `memory`, under the conditions the
//! header names. The address of a frame's bytes that is handed out is good while the frame is held,
//! which is the caller's to see to.
#![allow(unsafe_code)]

use super::failure::{Failure, status, value};
use super::handle::Table;
use super::layout::FrameLayout;
use super::memory::{self, Place};
use crate::frame::Frame;
use rustix::io::Errno;
use std::ffi::{c_int, c_void};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::ptr::null;
use streamem_wire::{clock, flags, side_kind};

/// One frame, held until streamem_frame_release.
///
/// It may be used and released by any thread, and outlive its subscription. Its bytes do not change
/// while it is held, and are gone afterwards: no address of them may be used then. A function that
/// is called with a frame that was released fails, and touches nothing.
pub struct FrameHandle(());

static FRAMES: Table<Frame> = Table::new("frame");

/// streamem_frame_flags: the source says that this frame is damaged.
pub const STREAMEM_BROKEN: u32 = 1;
/// streamem_frame_flags: the source lost frames before this one.
pub const STREAMEM_GAP: u32 = 2;
/// streamem_frame_flags: a packet that can be decoded without those before it.
pub const STREAMEM_KEY: u32 = 4;
const _: () = assert!(STREAMEM_BROKEN == flags::BROKEN && STREAMEM_GAP == flags::GAP);
const _: () = assert!(STREAMEM_KEY == flags::KEY);

/// streamem_frame_clock_domain: the source has no clock.
pub const STREAMEM_CLOCK_NONE: u32 = 0;
/// streamem_frame_clock_domain: nanoseconds of CLOCK_MONOTONIC.
pub const STREAMEM_CLOCK_MONOTONIC: u32 = 1;
/// streamem_frame_clock_domain: ticks of 100 ns of a HoloLens.
pub const STREAMEM_CLOCK_HOLOLENS: u32 = 2;
/// streamem_frame_clock_domain: ticks of 100 ns of NDI.
pub const STREAMEM_CLOCK_NDI: u32 = 3;
/// streamem_frame_clock_domain: the index of the first audio sample.
pub const STREAMEM_CLOCK_SAMPLES: u32 = 4;
const _: () = assert!(STREAMEM_CLOCK_NONE == clock::NONE && STREAMEM_CLOCK_NDI == clock::NDI);
const _: () = assert!(STREAMEM_CLOCK_MONOTONIC == clock::MONOTONIC);
const _: () = assert!(STREAMEM_CLOCK_HOLOLENS == clock::HOLOLENS);
const _: () = assert!(STREAMEM_CLOCK_SAMPLES == clock::SAMPLES);

/// streamem_frame_side_data: where the camera was, 16 floats, a matrix of 4 rows.
pub const STREAMEM_SIDE_POSE: u32 = 1;
/// streamem_frame_side_data: 4 floats: focal lengths x and y, principal point x and y, in pixels.
pub const STREAMEM_SIDE_INTRINSICS: u32 = 2;
/// streamem_frame_side_data: 12 bytes: a uint64_t, nanoseconds of exposure; a float, the gain.
pub const STREAMEM_SIDE_EXPOSURE: u32 = 3;
/// streamem_frame_side_data: 36 bytes: four uint32_t, sensitivity (ISO), white balance in kelvin, lens position, focus (0
/// not set, 1 lost, 2 being looked for, 3 found, 4 not found); five floats, the gains of red, green and blue, and two of
/// the sensor.
pub const STREAMEM_SIDE_OPTICS: u32 = 4;
const _: () = assert!(STREAMEM_SIDE_POSE == side_kind::POSE);
const _: () = assert!(STREAMEM_SIDE_INTRINSICS == side_kind::INTRINSICS);
const _: () = assert!(STREAMEM_SIDE_EXPOSURE == side_kind::EXPOSURE);
const _: () = assert!(STREAMEM_SIDE_OPTICS == side_kind::OPTICS);

pub(super) fn hand_out(frame: Frame) -> *mut FrameHandle {
    FRAMES.insert(frame)
}

fn of<T>(none: T, frame: *const FrameHandle, ask: impl FnOnce(&Frame) -> T) -> T {
    value(none, || Ok(ask(&*FRAMES.get(frame)?)))
}

/// Gives a frame back; the handle stands for nothing from then on. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_frame_release(frame: *mut FrameHandle) -> c_int {
    status(|| FRAMES.remove(frame).map(|()| 0))
}

/// The frame's bytes, in the broker's own memory: read-only, and good until the frame is released.
/// NULL if that is no frame.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_frame_data(frame: *const FrameHandle) -> *const c_void {
    of(null(), frame, |frame| frame.bytes().as_ptr().cast())
}

/// How many bytes the frame has.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_frame_size(frame: *const FrameHandle) -> usize {
    of(0, frame, |frame| frame.bytes().len())
}

/// The frame's number within its stream, beginning with 1. 0 if that is no frame.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_frame_sequence(frame: *const FrameHandle) -> u64 {
    of(0, frame, Frame::sequence)
}

/// How many frames there were between the one taken before and this one.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_frame_missed(frame: *const FrameHandle) -> u64 {
    of(0, frame, Frame::missed)
}

/// When it was captured: CLOCK_MONOTONIC, in nanoseconds.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_frame_captured_ns(frame: *const FrameHandle) -> u64 {
    of(0, frame, Frame::captured_ns)
}

/// When the broker made it visible: CLOCK_MONOTONIC, in nanoseconds.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_frame_published_ns(frame: *const FrameHandle) -> u64 {
    of(0, frame, Frame::published_ns)
}

/// What is special about it: STREAMEM_BROKEN, STREAMEM_GAP, STREAMEM_KEY, each a bit.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_frame_flags(frame: *const FrameHandle) -> u32 {
    of(0, frame, Frame::flags)
}

/// What the source's own clock said; what that counts is said by streamem_frame_clock_domain.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_frame_source_clock(frame: *const FrameHandle) -> u64 {
    of(0, frame, |frame| frame.source_clock().1)
}

/// What the source's own clock counts: STREAMEM_CLOCK_NONE and the numbers after it.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_frame_clock_domain(frame: *const FrameHandle) -> u32 {
    of(0, frame, |frame| frame.source_clock().0)
}

/// The source's own number for the frame, where it has one.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_frame_source_sequence(frame: *const FrameHandle) -> u64 {
    of(0, frame, Frame::source_sequence)
}

/// Writes how the frame's bytes are to be read. `layout` is the caller's, with its `struct_size` set
/// (streamem_layout_init); nothing in it refers to the frame.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamem_frame_layout(
    frame: *const FrameHandle,
    layout: *mut FrameLayout,
) -> c_int {
    status(|| {
        let found = FrameLayout::of(FRAMES.get(frame)?.layout());
        // SAFETY: the header asks for a struct.
        unsafe { memory::write(layout, &found, "layout") }?;
        Ok(0)
    })
}

/// Copies the frame's side-data of one kind (STREAMEM_SIDE_POSE and the numbers after it) into
/// `buffer`, as much as fits into `capacity` bytes, and returns how many bytes it has.
///
/// `buffer` may be NULL if `capacity` is 0. -ENODATA: the frame has none of that kind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamem_frame_side_data(
    frame: *const FrameHandle,
    kind: u32,
    buffer: *mut c_void,
    capacity: usize,
) -> c_int {
    status(|| {
        let frame = FRAMES.get(frame)?;
        if buffer.is_null() && capacity > 0 {
            return Err(Failure::argument(
                "the buffer is NULL and its capacity is not 0",
            ));
        }
        let blocks = frame.side_data();
        let block = blocks.iter().find(|block| block.kind() == kind);
        let block = block.ok_or_else(|| {
            Failure::new(
                Errno::NODATA,
                format!("this frame has no side-data of kind {kind}"),
            )
        })?;
        let body = block.body();
        // SAFETY: there is room for `capacity` bytes, or it is NULL and the capacity 0.
        let length = unsafe { memory::copy(&body, buffer.cast(), capacity) };
        Ok(c_int::try_from(length).unwrap_or(c_int::MAX))
    })
}

/// The descriptor of the memory the frame lies in, and where in it the frame begins: to hand it on to
/// another process, or to import it.
///
/// It belongs to the library: do not close it; dup it to keep it longer than the frame. Whoever maps
/// it sees other frames there as well, and this one only while it is held. `offset` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamem_frame_memory(
    frame: *const FrameHandle,
    offset: *mut u64,
) -> c_int {
    status(|| {
        let frame = FRAMES.get(frame)?;
        let (memory, place) = frame.memory();
        if !offset.is_null() {
            // SAFETY: the header asks for a place, or NULL.
            unsafe { Place::new(offset, "offset") }?.put(place.start);
        }
        Ok(memory.as_raw_fd())
    })
}

/// The descriptor of the DMA-BUF the frame lies in from its start on, for a device to import. Options with
/// `dma_buf` may be needed for it.
///
/// It belongs to the library: do not close it; dup it to keep it longer than the frame. A device that has
/// imported it is to read the frame only while it is held, and to write none. -ENODATA: it is in none.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_frame_dma_buf(frame: *const FrameHandle) -> c_int {
    status(|| {
        let frame = FRAMES.get(frame)?;
        let (file, _) = frame
            .dma_buf()
            .ok_or_else(|| Failure::new(Errno::NODATA, "this frame is in no DMA-BUF"))?;
        Ok(file.as_raw_fd())
    })
}

/// A new descriptor that becomes readable when the device that writes the frame is done, as Vulkan and
/// EGL take it (a sync_file). A program that reads with the processor needs none.
///
/// It belongs to the caller, who closes it. -ENODATA: this reader has no DMA-BUF of the frame, as
/// where no device writes it.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_frame_sync_file(frame: *const FrameHandle) -> c_int {
    status(|| {
        let file = FRAMES.get(frame)?.sync_file();
        let file = file.ok_or_else(|| {
            Failure::new(Errno::NODATA, "this reader has no DMA-BUF of the frame")
        })?;
        let file = file.map_err(|why| {
            let errno = Errno::from_io_error(&why).unwrap_or(Errno::IO);
            Failure::new(
                errno,
                format!("the driver cannot say when a frame is done: {why}"),
            )
        })?;
        Ok(file.into_raw_fd())
    })
}
