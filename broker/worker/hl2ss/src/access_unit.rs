//! Whether a decoder can begin with a picture: nothing on the wire says so but the picture itself.
//!
//! Owns finding the units in an encoded picture (Annex B) and their types; never decodes one.

/// What a picture is encoded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// H.264.
    H264,
    /// HEVC.
    Hevc,
}

/// Whether this picture needs none before it. Its parameters lie in front of it, so only its beginning is looked
/// at: what comes before the first unit with a part of the picture, and that.
#[must_use]
pub fn is_key(codec: Codec, picture: &[u8]) -> bool {
    let mut rest = picture;
    while let Some(at) = find_start(rest) {
        rest = rest.get(at..).unwrap_or_default();
        let Some(first) = rest.first() else {
            return false;
        };
        match codec {
            Codec::H264 => match first & 0x1f {
                5 => return true,
                1..=4 => return false,
                _ => {}
            },
            Codec::Hevc => match first >> 1 & 0x3f {
                16..=23 => return true,
                0..=15 | 24..=31 => return false,
                _ => {}
            },
        }
    }
    false
}

/// Where the unit behind the next start code begins.
fn find_start(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(3).position(|three| three == [0, 0, 1])?;
    Some(at + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_picture_is_one_whatever_stands_before() {
        let h264 = [
            0, 0, 0, 1, 9, 16, 0, 0, 1, 0x67, 0, 0, 1, 0x68, 0, 0, 1, 0x65,
        ];
        assert!(is_key(Codec::H264, &h264));
        assert!(!is_key(Codec::H264, &h264[..13]));
        assert!(!is_key(
            Codec::H264,
            &[0, 0, 1, 9, 16, 0, 0, 1, 0x41, 0, 0, 1, 0x65]
        ));
        assert!(is_key(Codec::Hevc, &[0, 0, 1, 0x40, 1, 0, 0, 1, 0x26, 1]));
        assert!(!is_key(Codec::Hevc, &[0, 0, 1, 0x02, 1]));
        assert!(!is_key(Codec::H264, &[]));
    }
}
