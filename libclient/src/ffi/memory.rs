//! The caller's memory: texts and structs that come in, results that go out.
//!
//! Owns every access to it, and the rule by which structs grow: the first field says how large the
//! caller's is. What it has more than this version knows must be zero when it is read, and is left
//! alone when it is written. Never keeps an address of the caller's.
//!
//! # Safety
//!
//! A function here that takes a pointer is unsafe: its caller, which is a function C calls, must have
//! been given a valid one. The header says so of each; what can be checked (NULL, the size a struct
//! claims) is.
#![allow(unsafe_code)]

use super::failure::Failure;
use rustix::io::Errno;
use std::ffi::{CStr, c_char, c_int};
use std::mem::size_of;
use std::ptr::NonNull;
use std::time::Duration;

/// A struct whose first field is its size in the caller's eyes.
///
/// # Safety
///
/// The type is `repr(C)`, begins with a `usize`, has no padding, and any bytes are a value of it.
pub(super) unsafe trait Growing: Copy {
    /// All zero but for its size.
    const EMPTY: Self;
}

/// Far more than any version will have; a larger number is no size.
const BYTES_MAX: usize = 4096;

/// How large the caller's struct is, if that can be.
unsafe fn size_of_callers<T: Growing>(place: *const T, what: &str) -> Result<usize, Failure> {
    if place.is_null() {
        return Err(Failure::argument(format!("the {what} is NULL")));
    }
    // SAFETY: the caller has a struct there, and each version begins with its size.
    let bytes = unsafe { place.cast::<usize>().read_unaligned() };
    if (size_of::<usize>()..=BYTES_MAX).contains(&bytes) {
        return Ok(bytes);
    }
    Err(Failure::argument(format!(
        "the struct_size of the {what} is {bytes}, which cannot be; set it to its sizeof"
    )))
}

/// Reads a struct of any version.
pub(super) unsafe fn read<T: Growing>(place: *const T, what: &str) -> Result<T, Failure> {
    // SAFETY: as this function's caller promises.
    let bytes = unsafe { size_of_callers(place, what) }?;
    let mut known = T::EMPTY;
    // SAFETY: both are that long; any bytes are a value of the type.
    unsafe {
        (&raw mut known)
            .cast::<u8>()
            .copy_from_nonoverlapping(place.cast(), bytes.min(size_of::<T>()));
    }
    for at in size_of::<T>()..bytes {
        let byte = place.cast::<u8>().wrapping_add(at);
        // SAFETY: the caller says that its struct is that long.
        let byte = unsafe { byte.read() };
        if byte != 0 {
            return Err(Failure::new(
                Errno::TOOBIG,
                format!(
                    "byte {at} of the {what} is of a newer version than this library knows; set it \
                     to zero, or use a newer libstreamem"
                ),
            ));
        }
    }
    Ok(known)
}

/// Writes as much of a struct as the caller's version has, except its size.
pub(super) unsafe fn write<T: Growing>(
    place: *mut T,
    value: &T,
    what: &str,
) -> Result<(), Failure> {
    // SAFETY: as this function's caller promises.
    let bytes = unsafe { size_of_callers(place, what) }?;
    let from = (&raw const *value)
        .cast::<u8>()
        .wrapping_add(size_of::<usize>());
    let to = place.cast::<u8>().wrapping_add(size_of::<usize>());
    let count = bytes.min(size_of::<T>()) - size_of::<usize>();
    // SAFETY: both are that long; the caller's struct is not the one made here.
    unsafe { to.copy_from_nonoverlapping(from, count) };
    Ok(())
}

/// The text there; NULL is none.
pub(super) unsafe fn text_if_any<'a>(
    text: *const c_char,
    what: &str,
) -> Result<Option<&'a str>, Failure> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller has a C string there.
    let text = unsafe { CStr::from_ptr(text) };
    let text = text.to_str();
    text.map(Some)
        .map_err(|_| Failure::argument(format!("the {what} is not UTF-8")))
}

/// The text there.
pub(super) unsafe fn text<'a>(text: *const c_char, what: &str) -> Result<&'a str, Failure> {
    // SAFETY: as this function's caller promises.
    let text = unsafe { text_if_any(text, what) }?;
    text.ok_or_else(|| Failure::argument(format!("the {what} is NULL")))
}

/// Where the caller wants a result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<T>(NonNull<T>);

impl<T> Place<T> {
    /// The caller promises that there is room for one, and for as long as the call takes.
    pub(super) unsafe fn new(place: *mut T, what: &str) -> Result<Place<T>, Failure> {
        let place = NonNull::new(place).map(Place);
        place.ok_or_else(|| Failure::argument(format!("the place for the {what} is NULL")))
    }

    pub(super) fn put(self, value: T) {
        // SAFETY: there is room for one, as was promised when this was made.
        unsafe { self.0.write_unaligned(value) };
    }
}

/// A time to wait.
pub(super) fn timeout(milliseconds: c_int) -> Result<Duration, Failure> {
    let time = u64::try_from(milliseconds).map(Duration::from_millis);
    time.map_err(|_| {
        Failure::argument(format!(
            "timeout_ms is {milliseconds}; name a time, or 0 to look without waiting"
        ))
    })
}

/// The bytes there.
pub(super) unsafe fn bytes<'a>(
    place: *const u8,
    count: usize,
    what: &str,
) -> Result<&'a [u8], Failure> {
    match (place.is_null(), count) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Failure::argument(format!("the {what} are NULL"))),
        // SAFETY: the caller has as many bytes there, and changes none during the call.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts(place, count) }),
    }
}

/// Copies as many bytes there as fit, and says how many there are.
pub(super) unsafe fn copy(bytes: &[u8], place: *mut u8, capacity: usize) -> usize {
    let count = if place.is_null() {
        0
    } else {
        bytes.len().min(capacity)
    };
    // SAFETY: the caller has that much room there, unless it said NULL; then nothing is copied.
    unsafe { place.copy_from_nonoverlapping(bytes.as_ptr(), count) };
    bytes.len()
}
