//! Width and height, and which of them a device has.
//!
//! Owns finding the nearest; never sets one.

use crate::abi;
use crate::device::Device;
use crate::error::Error;
use crate::fourcc::Fourcc;
use crate::ioctl::{Plain, calls};

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// Of both.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    fn distance(self, other: Size) -> u64 {
        let wide = u64::from(self.width.abs_diff(other.width));
        wide + u64::from(self.height.abs_diff(other.height))
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}x{}", self.width, self.height)
    }
}

/// The sizes of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sizes {
    /// These; none if the driver does not list them.
    Discrete(Vec<Size>),
    /// From one size to another.
    Range {
        /// The smallest.
        min: Size,
        /// The largest.
        max: Size,
        /// Between two that follow one another.
        step: Size,
    },
}

impl Sizes {
    /// Whether this is one of them.
    #[must_use]
    pub fn contains(&self, size: Size) -> bool {
        self.nearest(size) == Some(size)
    }

    /// The one that differs least, in width and height together; of two such, the larger.
    #[must_use]
    pub fn nearest(&self, size: Size) -> Option<Size> {
        match self {
            Sizes::Discrete(sizes) => {
                let area = |size: &Size| u64::from(size.width) * u64::from(size.height);
                let order = |one: &Size| (one.distance(size), std::cmp::Reverse(area(one)));
                sizes.iter().copied().min_by_key(order)
            }
            Sizes::Range { min, max, step } => Some(Size {
                width: on_grid(size.width, min.width, max.width, step.width),
                height: on_grid(size.height, min.height, max.height, step.height),
            }),
        }
    }
}

fn on_grid(value: u32, min: u32, max: u32, step: u32) -> u32 {
    let (max, step) = (max.max(min), step.max(1));
    let above = value.clamp(min, max) - min;
    let down = above - above % step;
    let is_nearer_up = above % step >= step - above % step;
    let up = down.checked_add(step).filter(|up| *up <= max - min);
    min + up.filter(|_| is_nearer_up).unwrap_or(down)
}

impl Device {
    /// The sizes of a format.
    ///
    /// # Errors
    ///
    /// When the device is gone.
    pub fn sizes(&self, fourcc: Fourcc) -> Result<Sizes, Error> {
        let at = |index| abi::SizeEntry {
            index,
            pixels: fourcc.0,
            ..Plain::zeroed()
        };
        let entries = self.list(&calls::ENUM_FRAMESIZES, at)?;
        Ok(match entries.first() {
            Some(range) if range.kind != abi::ENUM_DISCRETE => size_range(range),
            _ => Sizes::Discrete(entries.iter().map(one_size).collect()),
        })
    }
}

fn one_size(entry: &abi::SizeEntry) -> Size {
    Size::new(entry.numbers[0], entry.numbers[1])
}

fn size_range(entry: &abi::SizeEntry) -> Sizes {
    let [from_width, to_width, width, from_height, to_height, height] = entry.numbers;
    let is_continuous = entry.kind == abi::ENUM_CONTINUOUS;
    Sizes::Range {
        min: Size::new(from_width, from_height),
        max: Size::new(to_width, to_height),
        step: if is_continuous {
            Size::new(1, 1)
        } else {
            Size::new(width, height)
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_some_sizes() {
        let sizes = Sizes::Discrete(vec![
            Size::new(640, 480),
            Size::new(1920, 1080),
            Size::new(1280, 720),
        ]);
        let nearest = |width, height| sizes.nearest(Size::new(width, height)).unwrap();
        assert_eq!(nearest(1300, 700), Size::new(1280, 720));
        assert_eq!(nearest(1, 1), Size::new(640, 480));
        assert_eq!(nearest(u32::MAX, u32::MAX), Size::new(1920, 1080));
        // As far from 640x480 as from 1280x720.
        assert_eq!(nearest(960, 600), Size::new(1280, 720));
        assert!(sizes.contains(Size::new(640, 480)) && !sizes.contains(Size::new(640, 481)));
        assert_eq!(Sizes::Discrete(Vec::new()).nearest(Size::new(1, 1)), None);
    }

    #[test]
    fn the_nearest_in_a_range_is_on_its_grid() {
        let sizes = Sizes::Range {
            min: Size::new(16, 16),
            max: Size::new(1920, 1081),
            step: Size::new(16, 2),
        };
        let nearest = |width, height| sizes.nearest(Size::new(width, height)).unwrap();
        assert_eq!(nearest(0, 0), Size::new(16, 16));
        assert_eq!(nearest(23, 17), Size::new(16, 18));
        assert_eq!(nearest(24, 18), Size::new(32, 18));
        assert_eq!(nearest(u32::MAX, u32::MAX), Size::new(1920, 1080));
        assert!(sizes.contains(Size::new(640, 480)) && !sizes.contains(Size::new(640, 481)));
    }

    #[test]
    fn a_range_that_makes_no_sense_gives_something_anyway() {
        assert_eq!(on_grid(7, 5, 3, 0), 5);
        assert_eq!(on_grid(u32::MAX, 0, u32::MAX, u32::MAX), u32::MAX);
    }
}
