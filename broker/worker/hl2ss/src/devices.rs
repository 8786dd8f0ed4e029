//! The list of devices that extended audio and video tell.
//!
//! Owns its framing and its letters; what it says is JSON, which is not read here.

use crate::error::Malformed;

/// How long the length is that it begins with.
pub const HEAD: usize = 4;
/// The most one may have.
const BYTES_MAX: u32 = 1 << 20;

/// How many bytes follow these.
///
/// # Errors
///
/// More than a list may have.
pub fn length(head: [u8; HEAD]) -> Result<usize, Malformed> {
    let bytes = u32::from_le_bytes(head);
    let too_long = Malformed::LongList {
        bytes,
        most: BYTES_MAX,
    };
    if bytes > BYTES_MAX {
        return Err(too_long);
    }
    usize::try_from(bytes).map_err(|_| too_long)
}

/// The JSON in the bytes that followed.
///
/// # Errors
///
/// They are not UTF-16.
pub fn text(bytes: &[u8]) -> Result<String, Malformed> {
    let (pairs, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(Malformed::NotText);
    }
    let units = pairs.iter().copied().map(u16::from_le_bytes);
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.map_err(|_| Malformed::NotText)
}
