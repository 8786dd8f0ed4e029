//! JPEG, as libjpeg-turbo decodes it: straight into a slot.
//!
//! Owns every call into that library; never lets a type of it out, and never has it write more than the
//! layout has room for.
//!
//! # Safety
//!
//! The library is given a buffer with its length, and places in a slot whose ends were compared with the
//! slot's beforehand. It writes only a picture of the size it is told; that the picture in the buffer has this
//! size was asked of it before. The buffer is borrowed for both calls, so nobody changes it between them. A
//! handle lives as long as the [`Library`] around it, which is not shared.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_uchar, c_ulong, c_void};
use std::ptr::NonNull;
use streamem_wire::{Format, Layout, Plane};

/// What the library calls the colours of a picture that has not all of them for each pixel.
const SAMPLING: [&str; 6] = ["4:4:4", "4:2:2", "4:2:0", "grey", "4:4:0", "4:1:1"];
const HALF_BOTH_WAYS: c_int = 2;
const GREY_SAMPLING: c_int = 3;
/// Colours as brightness and two differences, and as brightness alone.
const YCBCR: c_int = 1;
const GREY: c_int = 2;
/// Not one of the errors after which there is no picture.
const WARNING: c_int = 0;
/// A picture in a thousand scans is work for a thousand pictures.
const LIMIT_SCANS: c_int = 32768;
/// What is put where nothing was decoded.
const NOTHING: u8 = 128;
/// Cameras fill up the end of a picture. A complaint ends so that begins with how many bytes that are.
const FILLED_UP: &str = " extraneous bytes before marker 0xd9";
/// What ends a picture, and what says that it is made of parts which can be decoded without the others.
const END: [u8; 2] = [0xff, 0xd9];
const PARTS: [u8; 2] = [0xff, 0xdd];
/// The library reads on a few bytes, and does not count them every time.
const LOOKS_MAX: usize = 3;

#[link(name = "turbojpeg")]
unsafe extern "C" {
    fn tjInitDecompress() -> *mut c_void;
    fn tjDestroy(handle: *mut c_void) -> c_int;
    fn tjGetErrorCode(handle: *mut c_void) -> c_int;
    fn tjGetErrorStr2(handle: *mut c_void) -> *mut c_char;
    fn tjDecompressHeader3(
        handle: *mut c_void,
        jpeg: *const c_uchar,
        jpeg_bytes: c_ulong,
        width: *mut c_int,
        height: *mut c_int,
        sampling: *mut c_int,
        colours: *mut c_int,
    ) -> c_int;
    fn tjDecompress2(
        handle: *mut c_void,
        jpeg: *const c_uchar,
        jpeg_bytes: c_ulong,
        picture: *mut c_uchar,
        width: c_int,
        stride: c_int,
        height: c_int,
        pixels: c_int,
        flags: c_int,
    ) -> c_int;
    fn tjDecompressToYUVPlanes(
        handle: *mut c_void,
        jpeg: *const c_uchar,
        jpeg_bytes: c_ulong,
        planes: *mut *mut c_uchar,
        width: c_int,
        strides: *mut c_int,
        height: c_int,
        flags: c_int,
    ) -> c_int;
}

/// Why there is no picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// There is no picture in it.
    #[error("there is no picture in it")]
    Empty,
    /// It is no JPEG, or one the library does not decode.
    #[error("{0}")]
    Jpeg(String),
    /// It is another picture than was promised.
    #[error("it is {has_width}x{has_height} where the stream has {width}x{height}")]
    Size {
        /// Pixels in a row of it.
        has_width: i64,
        /// Its rows.
        has_height: i64,
        /// Pixels in a row of the others.
        width: u32,
        /// Their rows.
        height: u32,
    },
    /// It would have to be computed anew.
    #[error("its colours are {0} and those of i420 are 4:2:0: ask for format=bgr24")]
    Sampling(&'static str),
}

/// Whether a decoded picture is all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// It is.
    Whole,
    /// Part of it could not be decoded, and is grey or wrong.
    Broken,
}

/// The library at work on one picture. It keeps tables of one for the next, which those without tables then
/// use, so that one bad picture would spoil many: each has a new one.
struct Library {
    handle: NonNull<c_void>,
}

struct Header {
    sampling: c_int,
    colours: c_int,
}

fn length(bytes: usize) -> c_int {
    c_int::try_from(bytes).unwrap_or(c_int::MAX)
}

/// The library's number for pixels that lie as in this format.
fn pixels(format: Format) -> Option<c_int> {
    match format {
        Format::Rgb24 => Some(0),
        Format::Bgr24 => Some(1),
        Format::Gray8 => Some(6),
        Format::Rgba => Some(7),
        Format::Bgra => Some(8),
        _ => None,
    }
}

/// A plane in the slot; none if it does not lie there whole.
fn place<'a>(slot: &'a mut [u8], plane: &Plane) -> Option<&'a mut [u8]> {
    let from = usize::try_from(plane.offset).ok()?;
    let end = usize::try_from(plane.end()).ok()?;
    slot.get_mut(from..end)
}

fn stride(plane: &Plane) -> c_int {
    c_int::try_from(plane.stride).unwrap_or(c_int::MAX)
}

/// Decodes a picture of exactly this layout into a slot. What could not be decoded of it is grey, and never
/// what was in the slot before.
pub fn decode(jpeg: &[u8], layout: &Layout, slot: &mut [u8]) -> Result<Decoded, Undecodable> {
    let Some(complaint) = try_decode(jpeg, layout, slot)? else {
        return Ok(Decoded::Whole);
    };
    if is_only_filled_up(jpeg, complaint, layout, slot) {
        return Ok(Decoded::Whole);
    }
    // The library may have given up without saying how far it came.
    slot.fill(NOTHING);
    let _the_same = try_decode(jpeg, layout, slot)?;
    Ok(Decoded::Broken)
}

/// Decodes it, and returns what the library complains of if there is a picture for all that.
fn try_decode(
    jpeg: &[u8],
    layout: &Layout,
    slot: &mut [u8],
) -> Result<Option<String>, Undecodable> {
    let mut library = Library::new().map_err(Undecodable::Jpeg)?;
    let header = library.header(jpeg, layout)?;
    if layout.format == Format::I420 {
        check_i420(&header)?;
    }
    match library.write(jpeg, layout, &header, slot) {
        Ok(()) => Ok(None),
        Err(complaint) if library.was_warning() => Ok(Some(complaint)),
        Err(complaint) => Err(Undecodable::Jpeg(complaint)),
    }
}

/// Whether all that is wrong are bytes between the picture and its end. The library tells its first complaint
/// only, and where some of the parts of a picture are missing it is the same; so of those it is asked again without
/// these bytes.
fn is_only_filled_up(jpeg: &[u8], complaint: String, layout: &Layout, slot: &mut [u8]) -> bool {
    let has_parts = jpeg.windows(2).any(|two| two == PARTS);
    if !has_parts {
        return complaint.ends_with(FILLED_UP);
    }
    let (mut bare, mut complaint) = (jpeg.to_vec(), complaint);
    for _ in 0..LOOKS_MAX {
        if empty(&mut bare, &complaint).is_none() {
            return false;
        }
        match try_decode(&bare, layout, slot) {
            Ok(Some(next)) => complaint = next,
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
    false
}

/// Takes out of a picture what it was filled up with, if that is the complaint.
fn empty(jpeg: &mut Vec<u8>, complaint: &str) -> Option<()> {
    let bytes = complaint.strip_suffix(FILLED_UP)?.rsplit(' ').next()?;
    let end = jpeg.windows(2).rposition(|two| two == END)?;
    let from = end.checked_sub(bytes.parse().ok()?)?;
    jpeg.drain(from..end);
    Some(())
}

impl Library {
    fn new() -> Result<Library, String> {
        // SAFETY: the call takes nothing.
        let handle = unsafe { tjInitDecompress() };
        let handle = NonNull::new(handle).ok_or("there is no memory for a decoder of JPEG")?;
        Ok(Library { handle })
    }

    fn header(&mut self, jpeg: &[u8], layout: &Layout) -> Result<Header, Undecodable> {
        if jpeg.is_empty() {
            return Err(Undecodable::Empty);
        }
        let (mut width, mut height, mut sampling, mut colours) = (0, 0, -1, -1);
        // SAFETY: the buffer is as long as is said, and the numbers outlive the call.
        let result = unsafe {
            tjDecompressHeader3(
                self.handle.as_ptr(),
                jpeg.as_ptr(),
                jpeg.len() as c_ulong,
                &raw mut width,
                &raw mut height,
                &raw mut sampling,
                &raw mut colours,
            )
        };
        if width <= 0 || height <= 0 {
            return Err(match result {
                0 => Undecodable::Empty,
                _ => Undecodable::Jpeg(self.complaint()),
            });
        }
        let (has_width, has_height) = (i64::from(width), i64::from(height));
        if (has_width, has_height) != (layout.width.into(), layout.height.into()) {
            return Err(Undecodable::Size {
                has_width,
                has_height,
                width: layout.width,
                height: layout.height,
            });
        }
        Ok(Header { sampling, colours })
    }

    fn write(
        &mut self,
        jpeg: &[u8],
        layout: &Layout,
        header: &Header,
        slot: &mut [u8],
    ) -> Result<(), String> {
        let (width, height) = (layout.width as usize, layout.height as usize);
        let result = match (pixels(layout.format), &layout.planes[..]) {
            (Some(pixels), [plane]) => {
                let picture = place(slot, plane).ok_or("the slot is too small")?;
                // SAFETY: the buffer is as long as is said; the plane has `height` rows of `stride` bytes,
                // which is what a row of these pixels takes.
                unsafe {
                    tjDecompress2(
                        self.handle.as_ptr(),
                        jpeg.as_ptr(),
                        jpeg.len() as c_ulong,
                        picture.as_mut_ptr(),
                        length(width),
                        stride(plane),
                        length(height),
                        pixels,
                        LIMIT_SCANS,
                    )
                }
            }
            (None, [y, u, v]) => {
                if header.sampling == GREY_SAMPLING {
                    for plane in [u, v] {
                        place(slot, plane)
                            .ok_or("the slot is too small")?
                            .fill(NOTHING);
                    }
                }
                let mut strides = [y, u, v].map(stride);
                let mut planes = [std::ptr::null_mut(); 3];
                for (start, plane) in planes.iter_mut().zip([y, u, v]) {
                    *start = place(slot, plane)
                        .ok_or("the slot is too small")?
                        .as_mut_ptr();
                }
                // SAFETY: as above; the planes of i420 are as large as those of a picture whose colours are
                // halved both ways, or of one that has none, which is what was found in the buffer.
                unsafe {
                    tjDecompressToYUVPlanes(
                        self.handle.as_ptr(),
                        jpeg.as_ptr(),
                        jpeg.len() as c_ulong,
                        planes.as_mut_ptr(),
                        length(width),
                        strides.as_mut_ptr(),
                        length(height),
                        LIMIT_SCANS,
                    )
                }
            }
            _ => return Err(format!("JPEG is not decoded into {}", layout.format)),
        };
        if result == 0 {
            Ok(())
        } else {
            Err(self.complaint())
        }
    }

    /// Whether there is a picture for all it complains of.
    fn was_warning(&self) -> bool {
        // SAFETY: the handle is a decoder's, and the call reads a number in it.
        unsafe { tjGetErrorCode(self.handle.as_ptr()) == WARNING }
    }

    /// What it says of the last call.
    fn complaint(&mut self) -> String {
        // SAFETY: the handle is a decoder's; the text is in it.
        let text = unsafe { tjGetErrorStr2(self.handle.as_ptr()) };
        if text.is_null() {
            return String::new();
        }
        // SAFETY: the library ends the text with a zero, and changes it at its next call only.
        let text = unsafe { CStr::from_ptr(text) };
        text.to_string_lossy().into_owned()
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: the handle is a decoder's, and nobody has it after this.
        let _nothing_to_do_about_it = unsafe { tjDestroy(self.handle.as_ptr()) };
    }
}

/// A picture of other colours would have to be computed anew.
fn check_i420(header: &Header) -> Result<(), Undecodable> {
    let is_as_i420 = matches!(
        (header.colours, header.sampling),
        (YCBCR, HALF_BOTH_WAYS) | (GREY, GREY_SAMPLING)
    );
    if is_as_i420 {
        return Ok(());
    }
    let found = usize::try_from(header.sampling).ok();
    let found = found.and_then(|sampling| SAMPLING.get(sampling));
    let is_ours = matches!(header.colours, YCBCR | GREY);
    Err(Undecodable::Sampling(match found {
        Some(name) if is_ours => name,
        _ => "of another kind",
    }))
}

#[cfg(test)]
mod tests;
