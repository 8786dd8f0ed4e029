//! The machine-readable strip of the `bars` picture: frame number and time as black and white cells.
//!
//! Owns where the cells lie and what they say; never draws anything else of the picture.
//!
//! 160 bits, most significant first, in 4 rows of 40 cells at the top left: 16 bits mark `0x5A3C`,
//! 64 bits frame number, 64 bits time in nanoseconds, 16 bits checksum. A cell is a square of
//! `width / 40` pixels, at most 16, so that it survives a video codec.

/// Cells in a row.
pub const COLUMNS: u32 = 40;
/// Rows of cells.
pub const ROWS: u32 = 4;

const MARK: u16 = 0x5a3c;

/// What a strip says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strip {
    /// The source's frame counter.
    pub number: u64,
    /// When the picture was made, CLOCK_MONOTONIC.
    pub made_ns: u64,
}

/// The side of a cell in a picture of this size; `None` where the strip does not fit.
#[must_use]
pub fn cell_pixels(width: u32, height: u32) -> Option<u32> {
    let cell = (width / COLUMNS).min(height / ROWS).min(16);
    (cell > 0).then_some(cell)
}

fn checksum(number: u64, made_ns: u64) -> u16 {
    let mut sum = 0xffff_u16;
    for byte in number
        .to_be_bytes()
        .into_iter()
        .chain(made_ns.to_be_bytes())
    {
        sum ^= u16::from(byte) << 8;
        for _ in 0..8 {
            sum = if sum & 0x8000 == 0 {
                sum << 1
            } else {
                sum << 1 ^ 0x1021
            };
        }
    }
    sum
}

impl Strip {
    /// Whether the cell in this column and row is white.
    #[must_use]
    pub fn is_white(&self, column: u32, row: u32) -> bool {
        let bit = row * COLUMNS + column;
        let of = |value: u64, width: u32, first: u32| value >> (width - 1 - (bit - first)) & 1 == 1;
        match bit {
            0..16 => of(u64::from(MARK), 16, 0),
            16..80 => of(self.number, 64, 16),
            80..144 => of(self.made_ns, 64, 80),
            _ => of(u64::from(checksum(self.number, self.made_ns)), 16, 144),
        }
    }

    /// Reads the strip of a picture, given a way to tell whether a pixel is bright; `None` if there
    /// is none or it is damaged.
    #[must_use]
    pub fn read(width: u32, height: u32, is_bright: impl Fn(u32, u32) -> bool) -> Option<Strip> {
        let cell = cell_pixels(width, height)?;
        let mut bits = (0..ROWS * COLUMNS)
            .map(|bit| {
                (
                    bit % COLUMNS * cell + cell / 2,
                    bit / COLUMNS * cell + cell / 2,
                )
            })
            .map(|(x, y)| u64::from(is_bright(x, y)));
        let mut take = |count: usize| {
            bits.by_ref()
                .take(count)
                .fold(0, |word, bit| word << 1 | bit)
        };
        let (mark, number, made_ns, sum) = (take(16), take(64), take(64), take(16));
        let sound = mark == u64::from(MARK) && sum == u64::from(checksum(number, made_ns));
        sound.then_some(Strip { number, made_ns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_is_read_back_and_damage_is_seen() {
        let strip = Strip {
            number: 0x0123_4567_89ab_cdef,
            made_ns: 987_654_321,
        };
        let white = |x: u32, y: u32| strip.is_white(x / 16, y / 16);
        assert_eq!(Strip::read(640, 480, white), Some(strip));
        for bit in 0..ROWS * COLUMNS {
            let flipped = |x: u32, y: u32| white(x, y) ^ (y / 16 * COLUMNS + x / 16 == bit);
            assert_eq!(Strip::read(640, 480, flipped), None, "bit {bit}");
        }
        assert_eq!(Strip::read(39, 480, white), None);
    }
}
