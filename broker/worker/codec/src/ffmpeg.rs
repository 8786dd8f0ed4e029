//! FFmpeg's decoders, as `shim/shim.h` has them.
//!
//! Owns every call into that library and what it calls back; never lets a pointer of it out.
//!
//! # Safety
//!
//! The structures here are those of `shim/shim.h`, word by word; FFmpeg's own are known to the compiler of C only. A
//! decoder is used by one thread at a time (`&mut`), and works on that thread alone. It asks for memory only while one
//! of its two functions runs, to which the closure is lent for that long. What it is given as memory is a [`Target`],
//! whose maker promised that it can be written; it is compared with what is needed first, and its owner is let go when
//! the library says that nothing refers to it. A frame keeps what it points to, is never written to once it came out
//! of the decoder, and may be freed on any thread, as FFmpeg counts references atomically.
#![allow(unsafe_code)]

use crate::error::Fault;
use crate::place::Place;
use crate::target::{Need, Target};
use std::any::Any;
use std::ffi::{CStr, c_char, c_void};
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;

/// Beyond that, a picture is a way to use up memory.
const PIXELS_MAX: i64 = 4096 * 2304;
const NOTHING: i32 = 1;
const ERROR_BYTES: usize = 128;

#[repr(C)]
#[derive(Default)]
struct RawNeed {
    width: i32,
    height: i32,
    stride: i32,
    align: i32,
}

#[repr(C)]
struct RawTarget {
    base: *mut u8,
    bytes: usize,
    plane: [*mut u8; 3],
    hold: *mut c_void,
}

#[repr(C)]
struct RawPicture {
    number: i64,
    width: i32,
    height: i32,
    is_420: i32,
    is_key: i32,
    is_damaged: i32,
    is_full_range: i32,
    matrix: i32,
    plane: [*const u8; 3],
    stride: [i32; 3],
    hold: *const c_void,
}

#[repr(C)]
#[derive(Default)]
struct RawSound {
    channels: i32,
    samples: i32,
    rate: i32,
    is_float_in_rows: i32,
}

#[repr(C)]
struct RawDecoder {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawFrame {
    _opaque: [u8; 0],
}

type Give = extern "C" fn(*mut c_void, *const RawNeed, *mut RawTarget) -> i32;
type Release = extern "C" fn(*mut c_void);

unsafe extern "C" {
    fn shim_open(
        codec: i32,
        pixels_max: i64,
        give: Give,
        release: Release,
        error: *mut i32,
    ) -> *mut RawDecoder;
    fn shim_close(decoder: *mut RawDecoder);
    fn shim_flush(decoder: *mut RawDecoder);
    fn shim_send(
        decoder: *mut RawDecoder,
        bytes: *const u8,
        length: usize,
        number: i64,
        asked: *mut c_void,
    ) -> i32;
    fn shim_receive(decoder: *mut RawDecoder, asked: *mut c_void, frame: *mut *mut RawFrame)
    -> i32;
    fn shim_describe(frame: *const RawFrame, picture: *mut RawPicture);
    fn shim_listen(frame: *const RawFrame, sound: *mut RawSound);
    fn shim_row(frame: *const RawFrame, channel: i32) -> *const f32;
    fn shim_free(frame: *mut RawFrame);
    fn shim_explain(error: i32, text: *mut c_char, bytes: usize);
    safe fn shim_version() -> u32;
}

/// Gives memory for a picture, or not.
pub(crate) type Memory<'a> = dyn FnMut(Need) -> Option<Target> + 'a;

/// What is kept for as long as the library refers to a target.
struct Held {
    base: usize,
    bytes: usize,
    owner: Arc<dyn Any + Send + Sync>,
}

extern "C" fn give(asked: *mut c_void, need: *const RawNeed, out: *mut RawTarget) -> i32 {
    // SAFETY: it is the place of the closure that was lent to the function which is running.
    let memory = unsafe { &mut *asked.cast::<&mut Memory<'_>>() };
    // SAFETY: the library has filled it in for this call.
    let need = unsafe { &*need };
    let of = |number: i32| usize::try_from(number).unwrap_or(usize::MAX);
    let need = Need {
        width: of(need.width),
        height: of(need.height),
        stride: of(need.stride),
        align: of(need.align),
    };
    let Some(target) = memory(need).filter(|target| target.fits(need)) else {
        return 0;
    };
    let plane = target.offsets().map(|offset| {
        let plane = offset.map(|offset| target.base.as_ptr().wrapping_add(offset));
        plane.unwrap_or(null_mut())
    });
    let (base, bytes) = (target.base, target.bytes);
    let hold = Box::new(Held {
        base: base.as_ptr().addr(),
        bytes,
        owner: target.owner,
    });
    let answer = RawTarget {
        base: base.as_ptr(),
        bytes,
        plane,
        hold: Box::into_raw(hold).cast(),
    };
    // SAFETY: the library waits for this answer there.
    unsafe { out.write(answer) };
    1
}

extern "C" fn release(hold: *mut c_void) {
    // SAFETY: it was made by `give`, and the library says this once.
    drop(unsafe { Box::from_raw(hold.cast::<Held>()) });
}

/// What is decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    H264 = 0,
    Hevc = 1,
    Aac = 2,
}

/// The version of libavcodec this runs with.
pub(crate) fn version() -> (u32, u32, u32) {
    let version = shim_version();
    (version >> 16, version >> 8 & 0xff, version & 0xff)
}

fn fault(error: i32) -> Fault {
    let mut text = [0; ERROR_BYTES];
    // SAFETY: it writes so many bytes at most, the last of which is 0.
    unsafe { shim_explain(error, text.as_mut_ptr().cast(), text.len()) };
    let text = CStr::from_bytes_until_nul(&text).map(CStr::to_string_lossy);
    Fault(text.unwrap_or_default().into_owned())
}

#[derive(Debug)]
pub(crate) struct Decoder(NonNull<RawDecoder>);

// SAFETY: nothing in it belongs to a thread; it is used through `&mut` only.
unsafe impl Send for Decoder {}

impl Decoder {
    pub(crate) fn open(which: Which) -> Result<Self, Fault> {
        let mut error = 0;
        // SAFETY: both functions may be called as `shim.h` says.
        let decoder = unsafe { shim_open(which as i32, PIXELS_MAX, give, release, &raw mut error) };
        NonNull::new(decoder).map(Self).ok_or_else(|| fault(error))
    }

    pub(crate) fn send(
        &mut self,
        unit: &[u8],
        number: u64,
        mut memory: &mut Memory<'_>,
    ) -> Result<(), Fault> {
        let asked = (&raw mut memory).cast();
        let (bytes, number) = (unit.as_ptr(), number.cast_signed());
        // SAFETY: the bytes are copied, and the closure is asked only during this call.
        let outcome = unsafe { shim_send(self.0.as_ptr(), bytes, unit.len(), number, asked) };
        if outcome < 0 {
            return Err(fault(outcome));
        }
        Ok(())
    }

    pub(crate) fn receive(&mut self, mut memory: &mut Memory<'_>) -> Result<Option<Frame>, Fault> {
        let asked = (&raw mut memory).cast();
        let mut frame = null_mut();
        // SAFETY: the closure is asked only during this call.
        match unsafe { shim_receive(self.0.as_ptr(), asked, &raw mut frame) } {
            NOTHING => Ok(None),
            0 => Ok(NonNull::new(frame).map(Frame)),
            error => Err(fault(error)),
        }
    }

    pub(crate) fn flush(&mut self) {
        // SAFETY: it is open.
        unsafe { shim_flush(self.0.as_ptr()) };
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more; frames of it do not need it.
        unsafe { shim_close(self.0.as_ptr()) };
    }
}

/// What came out of a decoder.
#[derive(Debug)]
pub(crate) struct Frame(NonNull<RawFrame>);

// SAFETY: nothing in it belongs to a thread, and it is only read.
unsafe impl Send for Frame {}

/// What is said about a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Described {
    pub(crate) number: u64,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) is_420: bool,
    pub(crate) is_key: bool,
    pub(crate) is_damaged: bool,
    pub(crate) is_full_range: bool,
    pub(crate) matrix: i32,
}

/// What is said about sound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    pub(crate) channels: usize,
    pub(crate) samples: usize,
    pub(crate) rate: u32,
    pub(crate) is_float_in_rows: bool,
}

fn at_least_none(number: i32) -> usize {
    usize::try_from(number).unwrap_or(0)
}

impl Frame {
    fn raw(&self) -> RawPicture {
        let mut picture = std::mem::MaybeUninit::uninit();
        // SAFETY: the frame is there, and all of the structure is written.
        unsafe { shim_describe(self.0.as_ptr(), picture.as_mut_ptr()) };
        // SAFETY: it was just written.
        unsafe { picture.assume_init() }
    }

    pub(crate) fn describe(&self) -> Described {
        let raw = self.raw();
        Described {
            number: raw.number.cast_unsigned(),
            width: at_least_none(raw.width),
            height: at_least_none(raw.height),
            is_420: raw.is_420 != 0,
            is_key: raw.is_key != 0,
            is_damaged: raw.is_damaged != 0,
            is_full_range: raw.is_full_range != 0,
            matrix: raw.matrix,
        }
    }

    /// A plane's visible bytes and its stride. Only of a picture whose colours are halved both ways.
    pub(crate) fn plane(&self, which: usize) -> (&[u8], usize) {
        let raw = self.raw();
        let (Some(start), Some(stride)) = (raw.plane.get(which), raw.stride.get(which)) else {
            return (&[], 0);
        };
        let [width, rows] = [raw.width, raw.height].map(|side| {
            let side = at_least_none(side);
            if which == 0 { side } else { side.div_ceil(2) }
        });
        let stride = at_least_none(*stride);
        if raw.is_420 == 0 || start.is_null() || stride < width || rows == 0 {
            return (&[], 0);
        }
        // SAFETY: so many rows of this plane lie there for as long as there is the frame, and nobody writes to them.
        let bytes = unsafe { std::slice::from_raw_parts(*start, stride * (rows - 1) + width) };
        (bytes, stride)
    }

    /// Where a plane lies in the target; none if it lies elsewhere.
    pub(crate) fn place(&self, which: usize) -> Option<Place> {
        let held = self.held()?;
        let raw = self.raw();
        let offset = raw.plane.get(which)?.addr().checked_sub(held.base)?;
        let stride = at_least_none(*raw.stride.get(which)?);
        (offset < held.bytes).then_some(Place { offset, stride })
    }

    fn held(&self) -> Option<&Held> {
        let hold: *const Held = self.raw().hold.cast();
        // SAFETY: it was made by `give`, and the library releases it after the frame.
        unsafe { hold.as_ref() }
    }

    /// The owner of the target it lies in.
    pub(crate) fn owner(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.held().map(|held| &*held.owner)
    }

    pub(crate) fn listen(&self) -> Heard {
        let mut sound = RawSound::default();
        // SAFETY: the frame is there.
        unsafe { shim_listen(self.0.as_ptr(), &raw mut sound) };
        Heard {
            channels: at_least_none(sound.channels),
            samples: at_least_none(sound.samples),
            rate: u32::try_from(sound.rate).unwrap_or(0),
            is_float_in_rows: sound.is_float_in_rows != 0,
        }
    }

    /// The samples of a channel.
    pub(crate) fn row(&self, channel: usize) -> &[f32] {
        let samples = self.listen().samples;
        let channel = i32::try_from(channel).unwrap_or(i32::MAX);
        // SAFETY: the frame is there; it says itself whether it has the channel.
        let row = unsafe { shim_row(self.0.as_ptr(), channel) };
        if row.is_null() {
            return &[];
        }
        // SAFETY: each channel has so many samples, which nobody writes to.
        unsafe { std::slice::from_raw_parts(row, samples) }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // SAFETY: it is this one's, and not used again.
        unsafe { shim_free(self.0.as_ptr()) };
    }
}
