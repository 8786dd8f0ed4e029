//! Where a decoder wants the rows of a picture.
//!
//! Owns these numbers; never the memory. A decoder writes whole blocks, so beyond the right and lower edge of what is
//! seen, reads a little further, and wants rows to begin where its instructions can load them at once.

/// Rows begin at multiples of this, planes too.
const ALIGNED: u64 = 64;
/// An H.264 decoder looks so many rows further.
const ROWS_BEYOND: u64 = 2;
/// Read, and not used, behind the last plane.
const TAIL: u64 = 128;

/// A 4:2:0 picture in one piece of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Offset and stride of the planes Y, U and V.
    pub planes: [(u64, u64); 3],
    /// Rows of the first plane there is room for; half as many of the others.
    pub rows: u64,
    /// Bytes in all.
    pub bytes: u64,
    /// Bytes the first plane alone needs.
    pub luma_bytes: u64,
}

impl Placement {
    /// For pictures of this size.
    #[must_use]
    pub fn of(width: u32, height: u32) -> Placement {
        let stride = u64::from(width).next_multiple_of(ALIGNED * 2);
        let rows = u64::from(height).next_multiple_of(ALIGNED) + ROWS_BEYOND;
        let (luma, chroma) = (stride * rows, stride / 2 * (rows / 2));
        let chroma = chroma.next_multiple_of(ALIGNED);
        Placement {
            planes: [(0, stride), (luma, stride / 2), (luma + chroma, stride / 2)],
            rows,
            bytes: luma + 2 * chroma + TAIL,
            luma_bytes: luma + TAIL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_aligned_and_nothing_overlaps() {
        for (width, height) in [
            (1920, 1080),
            (1952, 1100),
            (760, 428),
            (500, 282),
            (640, 480),
        ] {
            let Placement {
                planes,
                rows,
                bytes,
                ..
            } = Placement::of(width, height);
            let mut end = 0;
            for (place, (offset, stride)) in planes.into_iter().enumerate() {
                assert!(offset >= end && offset % ALIGNED == 0 && stride % ALIGNED == 0);
                end = offset + stride * if place == 0 { rows } else { rows / 2 };
            }
            assert!(end + TAIL == bytes && planes[1].1 * 2 == planes[0].1);
            assert!(
                planes[0].1 >= u64::from(width.next_multiple_of(16))
                    && rows >= u64::from(height.next_multiple_of(32) + 2)
            );
        }
    }
}
