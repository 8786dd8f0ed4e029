//! Four letters that name how pixels lie in memory, as the kernel writes them into one number.
//!
//! Owns the way from text to number and back; never says what the letters mean.

use std::fmt;
use std::str::FromStr;

const BIG_ENDIAN: u32 = 1 << 31;
const BIG_ENDIAN_MARK: &str = "-BE";

/// The name of a pixel format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fourcc(pub u32);

impl Fourcc {
    /// 4:2:2, one plane: Y U Y V.
    pub const YUYV: Fourcc = Fourcc::new(*b"YUYV");
    /// 4:2:2, one plane: U Y V Y.
    pub const UYVY: Fourcc = Fourcc::new(*b"UYVY");
    /// 4:2:0, a plane of Y and one of U and V, in one piece of memory.
    pub const NV12: Fourcc = Fourcc::new(*b"NV12");
    /// As [`Fourcc::NV12`], but each plane has a piece of memory of its own.
    pub const NV12M: Fourcc = Fourcc::new(*b"NM12");
    /// Three bytes: red, green, blue.
    pub const RGB24: Fourcc = Fourcc::new(*b"RGB3");
    /// Three bytes: blue, green, red.
    pub const BGR24: Fourcc = Fourcc::new(*b"BGR3");
    /// One byte of brightness.
    pub const GREY: Fourcc = Fourcc::new(*b"GREY");
    /// A JPEG picture for each frame.
    pub const MJPEG: Fourcc = Fourcc::new(*b"MJPG");

    /// Of its letters.
    #[must_use]
    pub const fn new(letters: [u8; 4]) -> Fourcc {
        Fourcc(u32::from_le_bytes(letters))
    }
}

/// As people write it: without spaces at the end, and with `-BE` where words are big-endian.
impl fmt::Display for Fourcc {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = (self.0 & !BIG_ENDIAN).to_le_bytes();
        let end = letters.iter().rposition(|letter| *letter != b' ');
        for letter in &letters[..end.map_or(0, |last| last + 1)] {
            write!(out, "{}", letter.escape_ascii())?;
        }
        if self.0 & BIG_ENDIAN != 0 {
            out.write_str(BIG_ENDIAN_MARK)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fourcc {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Fourcc({self})")
    }
}

/// The text is not one to four printable letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pixel format is one to four letters of ASCII, with -BE behind them if it is big-endian")]
pub struct NotAFourcc;

impl FromStr for Fourcc {
    type Err = NotAFourcc;

    fn from_str(text: &str) -> Result<Fourcc, NotAFourcc> {
        let (text, mark) = match text.strip_suffix(BIG_ENDIAN_MARK) {
            Some(text) => (text, BIG_ENDIAN),
            None => (text, 0),
        };
        let is_wrong = |byte: u8| !(byte.is_ascii_graphic() || byte == b' ');
        if text.is_empty() || text.len() > 4 || text.bytes().any(is_wrong) {
            return Err(NotAFourcc);
        }
        let mut letters = [b' '; 4];
        letters[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Fourcc(Fourcc::new(letters).0 | mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_written_as_they_are_said() {
        assert_eq!(Fourcc::YUYV.to_string(), "YUYV");
        assert_eq!(Fourcc::new(*b"Y16 ").to_string(), "Y16");
        assert_eq!(
            Fourcc(Fourcc::new(*b"Y16 ").0 | 1 << 31).to_string(),
            "Y16-BE"
        );
        assert_eq!(Fourcc(0).to_string(), r"\x00\x00\x00\x00");
        assert_eq!(format!("{:?}", Fourcc::NV12), "Fourcc(NV12)");
        assert_eq!(Fourcc::YUYV.0, 0x5659_5559);
    }

    #[test]
    fn what_is_written_can_be_read() {
        for text in ["YUYV", "Y16", "Y16-BE", "NM12", "Y"] {
            assert_eq!(text.parse::<Fourcc>().unwrap().to_string(), text);
        }
        for text in ["", "-BE", "YUYV2", "Ä1", "a\nb"] {
            assert_eq!(text.parse::<Fourcc>(), Err(NotAFourcc), "{text:?}");
        }
    }
}
