//! How often a device gives frames, as fractions of a second.
//!
//! Owns asking for it and for what there is; never measures it.

use crate::abi;
use crate::device::{Device, Queue};
use crate::error::Error;
use crate::fourcc::Fourcc;
use crate::ioctl::{Plain, calls};
use crate::size::Size;

/// Seconds from one frame to the next, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fraction {
    /// Above.
    pub numerator: u32,
    /// Below.
    pub denominator: u32,
}

impl Fraction {
    /// Of both.
    #[must_use]
    pub const fn new(numerator: u32, denominator: u32) -> Fraction {
        Fraction {
            numerator,
            denominator,
        }
    }

    /// Frames in a second; 0 if the fraction means nothing.
    #[must_use]
    pub fn rate(self) -> f64 {
        match self.numerator {
            0 => 0.0,
            numerator => f64::from(self.denominator) / f64::from(numerator),
        }
    }

    fn seconds(self) -> f64 {
        match self.denominator {
            0 => f64::INFINITY,
            denominator => f64::from(self.numerator) / f64::from(denominator),
        }
    }

    fn of([numerator, denominator]: [u32; 2]) -> Fraction {
        Fraction::new(numerator, denominator)
    }
}

/// The intervals of a format and size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intervals {
    /// These; none if the driver does not list them.
    Discrete(Vec<Fraction>),
    /// From one to another.
    Range {
        /// The shortest.
        min: Fraction,
        /// The longest.
        max: Fraction,
    },
}

impl Intervals {
    /// The one whose rate differs least from that of the wish; of two such, the faster.
    #[must_use]
    pub fn nearest(&self, wish: Fraction) -> Option<Fraction> {
        let away = |one: &Fraction| (one.rate() - wish.rate()).abs();
        match self {
            Intervals::Discrete(all) => all.iter().copied().min_by(|one, other| {
                let faster = other.rate().total_cmp(&one.rate());
                away(one).total_cmp(&away(other)).then(faster)
            }),
            Intervals::Range { min, .. } if wish.seconds() < min.seconds() => Some(*min),
            Intervals::Range { max, .. } if wish.seconds() > max.seconds() => Some(*max),
            Intervals::Range { .. } => Some(wish),
        }
    }
}

const WHAT: &str = "frame rate one could choose";

impl Device {
    /// The intervals of a format and size.
    ///
    /// # Errors
    ///
    /// When the device is gone.
    pub fn intervals(&self, fourcc: Fourcc, size: Size) -> Result<Intervals, Error> {
        let at = |index| abi::IntervalEntry {
            index,
            pixels: fourcc.0,
            width: size.width,
            height: size.height,
            ..Plain::zeroed()
        };
        let entries = self.list(&calls::ENUM_FRAMEINTERVALS, at)?;
        Ok(match entries.first() {
            Some(range) if range.kind != abi::ENUM_DISCRETE => Intervals::Range {
                min: Fraction::of(range.fractions[0]),
                max: Fraction::of(range.fractions[1]),
            },
            _ => {
                let first = |entry: &abi::IntervalEntry| Fraction::of(entry.fractions[0]);
                Intervals::Discrete(entries.iter().map(first).collect())
            }
        })
    }

    /// The interval that is set.
    ///
    /// # Errors
    ///
    /// When the device has none, or is gone.
    pub fn interval(&self, queue: Queue) -> Result<Fraction, Error> {
        let mut parameters = asking(queue);
        self.call(&calls::G_PARM, &mut parameters)?;
        let interval = Fraction::of(parameters.interval);
        if interval.numerator == 0 || interval.denominator == 0 {
            return Err(self.lacks(calls::G_PARM.name, WHAT));
        }
        Ok(interval)
    }

    /// Sets an interval, and says which one it became.
    ///
    /// # Errors
    ///
    /// When the device has no choice, is streaming, or is gone.
    pub fn set_interval(&self, queue: Queue, wish: Fraction) -> Result<Fraction, Error> {
        let mut parameters = asking(queue);
        parameters.interval = [wish.numerator, wish.denominator];
        self.call(&calls::S_PARM, &mut parameters)?;
        if parameters.capability & abi::PARM_INTERVAL == 0 {
            return Err(self.lacks(calls::S_PARM.name, WHAT));
        }
        Ok(Fraction::of(parameters.interval))
    }
}

fn asking(queue: Queue) -> abi::Parameters {
    abi::Parameters {
        kind: queue.number(),
        ..Plain::zeroed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_the_interval_upside_down() {
        assert!((Fraction::new(1001, 30_000).rate() - 29.97).abs() < 0.001);
        assert!(Fraction::new(0, 30).rate().abs() < f64::EPSILON);
    }

    #[test]
    fn the_nearest_rate_is_taken_and_the_faster_of_two() {
        let all = [1, 10, 30, 60].map(|rate| Fraction::new(1, rate)).to_vec();
        let all = Intervals::Discrete(all);
        let nearest = |rate| all.nearest(Fraction::new(1, rate)).unwrap().denominator;
        assert_eq!(nearest(29), 30);
        assert_eq!(nearest(20), 30);
        assert_eq!(nearest(1000), 60);
        let none = Intervals::Discrete(Vec::new());
        assert_eq!(none.nearest(Fraction::new(1, 30)), None);
    }

    #[test]
    fn a_range_has_ends() {
        let (min, max) = (Fraction::new(1, 60), Fraction::new(1, 5));
        let range = Intervals::Range { min, max };
        assert_eq!(range.nearest(Fraction::new(1, 90)), Some(min));
        assert_eq!(range.nearest(Fraction::new(1, 1)), Some(max));
        assert_eq!(range.nearest(Fraction::new(1, 0)), Some(max));
        let within = Fraction::new(1001, 30_000);
        assert_eq!(range.nearest(within), Some(within));
    }
}
