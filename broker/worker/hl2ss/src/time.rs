//! Points in the device's time, and what they are in everybody's.
//!
//! Owns the units; never asks a clock.

use crate::bytes::Reader;

/// From 1601, where the device's calendar begins, to 1970.
const UNIX_EPOCH_TICKS: i128 = 116_444_736_000_000_000;

/// A point in time: 100 ns each, since the device was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticks(pub u64);

impl Ticks {
    /// How long one is.
    pub const NS: u64 = 100;

    /// The same in nanoseconds.
    #[must_use]
    pub fn ns(self) -> u128 {
        u128::from(self.0) * u128::from(Self::NS)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.u64().map(Self)
    }
}

/// What must be added to the device's time to have its calendar's. Made once when the program on it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UtcOffset(pub u64);

impl UtcOffset {
    /// Nanoseconds since 1970 at this point in time; `None` where the two together are no date.
    #[must_use]
    pub fn unix_ns(self, at: Ticks) -> Option<i64> {
        let filetime = i128::from(at.0) + i128::from(self.0);
        let ns = (filetime - UNIX_EPOCH_TICKS) * i128::from(Ticks::NS);
        i64::try_from(ns).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_one() {
        let midnight = 133_801_632_000_000_000 - 5;
        assert_eq!(
            UtcOffset(midnight).unix_ns(Ticks(5)),
            Some(1_735_689_600_000_000_000)
        );
        assert_eq!(UtcOffset(u64::MAX).unix_ns(Ticks(u64::MAX)), None);
    }
}
