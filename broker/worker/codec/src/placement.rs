//! Where in a slot the planes of a picture lie, so that decoders can write there.
//!
//! Owns the arithmetic; never looks at a picture, and needs nothing but the numbers.

/// What rows of colours and planes are aligned to.
const ALIGN: usize = 64;
/// Decoders write pictures in blocks of so many rows.
const BLOCK: usize = 64;
/// H.264 reads a row of colours below the last block.
const ROWS_BELOW: usize = 2;
/// How far beyond the last plane is written.
const TAIL: usize = 128;

/// Where a plane begins, and how far its rows are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Bytes before it.
    pub offset: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
}

/// Room for a picture, and for what decoders write around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Rows there is room for.
    pub rows: usize,
    /// Brightness and the two colours, which are halved both ways.
    pub planes: [Place; 3],
    /// How long the slot must be.
    pub bytes: usize,
}

impl Placement {
    /// Of a picture of this size, as it is seen.
    #[must_use]
    pub fn of(width: usize, height: usize) -> Self {
        let (stride, rows, luma) = brightness(width, height);
        let colour = luma / 4;
        let halved = |offset| Place {
            offset,
            stride: stride / 2,
        };
        let planes = [
            Place { offset: 0, stride },
            halved(luma),
            halved(luma + colour),
        ];
        let bytes = luma + 2 * colour + TAIL;
        Self {
            rows,
            planes,
            bytes,
        }
    }

    /// How long the slot must be if it has only the brightness.
    #[must_use]
    pub fn bytes_of_brightness(width: usize, height: usize) -> usize {
        brightness(width, height).2 + TAIL
    }
}

fn brightness(width: usize, height: usize) -> (usize, usize, usize) {
    // Half of it, which rows of colours have, is aligned as well.
    let stride = width.next_multiple_of(2 * ALIGN);
    let rows = height.next_multiple_of(BLOCK) + ROWS_BELOW;
    (stride, rows, stride * rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_begin_where_they_may_and_do_not_overlap() {
        for (width, height) in [(1952, 1100), (1920, 1080), (424, 240), (500, 282), (2, 2)] {
            let placement = Placement::of(width, height);
            let [luma, u, v] = placement.planes;
            assert!(luma.stride >= width && placement.rows > height);
            assert_eq!([u.stride, v.stride], [luma.stride / 2; 2]);
            for place in placement.planes {
                assert_eq!((place.offset % 64, place.stride % 64), (0, 0), "{width}");
            }
            assert_eq!(luma.stride * placement.rows, u.offset);
            assert!(u.offset + u.stride * placement.rows / 2 <= v.offset);
            assert!(v.offset + v.stride * placement.rows / 2 < placement.bytes);
        }
    }

    #[test]
    fn full_hd_has_the_numbers_that_are_told() {
        let placement = Placement::of(1920, 1080);
        assert_eq!((placement.rows, placement.bytes), (1090, 3_139_328));
        assert_eq!(Placement::bytes_of_brightness(640, 480), 640 * 514 + 128);
    }
}
