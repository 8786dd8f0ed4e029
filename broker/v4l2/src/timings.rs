//! The timings of a signal, as HDMI has them: what comes in, and telling the device to take it.
//!
//! Owns reading them; never sets what was not detected.

use crate::abi;
use crate::device::Device;
use crate::error::Error;
use crate::ioctl::{self, Plain, calls};
use crate::size::Size;
use rustix::io::Errno;
use std::fmt;
use std::os::fd::AsFd;

/// The timings of a signal.
#[derive(Clone, Copy)]
pub struct Timings(abi::Signal);

/// What a device finds at an input whose signal has timings.
#[derive(Clone, Copy, Debug)]
pub enum Found {
    /// A signal with these.
    Signal(Timings),
    /// Nothing is connected, or it is silent.
    Nothing,
    /// A signal the device cannot follow.
    Unsteady,
    /// A signal that is beyond what the device can take.
    Beyond,
}

impl Timings {
    /// What is to be seen of it.
    #[must_use]
    pub fn size(&self) -> Size {
        Size::new(self.0.width, self.0.height)
    }

    /// Rows come by halves.
    #[must_use]
    pub fn interlaced(&self) -> bool {
        self.0.interlaced != 0
    }

    /// Whole pictures in a second; 0 if the signal has no clock.
    #[must_use]
    pub fn rate(&self) -> f64 {
        let sum = |parts: &[u32]| parts.iter().map(|part| f64::from(*part)).sum::<f64>();
        let columns = f64::from(self.0.width) + sum(&self.0.horizontal);
        // Both halves together: the height is that of the whole picture.
        let mut rows = f64::from(self.0.height) + sum(&self.0.vertical);
        if self.interlaced() {
            rows += sum(&self.0.vertical_second);
        }
        let [low, high] = self.0.pixel_clock;
        let clock = f64::from(high) * 4_294_967_296.0 + f64::from(low);
        if columns * rows > 0.0 {
            clock / (columns * rows)
        } else {
            0.0
        }
    }
}

impl fmt::Debug for Timings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.interlaced() { "i" } else { "p" };
        write!(out, "Timings({}{kind}{:.2})", self.size(), self.rate())
    }
}

impl Device {
    /// The signal at the chosen input.
    ///
    /// # Errors
    ///
    /// When the input has no timings, or the device is gone.
    pub fn detect_timings(&self) -> Result<Found, Error> {
        let call = &calls::QUERY_DV_TIMINGS;
        let mut signal = abi::Signal::zeroed();
        match ioctl::call(self.as_fd(), call, &mut signal) {
            Ok(()) => Ok(Found::Signal(Timings(signal))),
            Err(Errno::NOLINK) => Ok(Found::Nothing),
            Err(Errno::NOLCK) => Ok(Found::Unsteady),
            Err(Errno::RANGE) => Ok(Found::Beyond),
            Err(errno) => Err(self.error(call.name, errno)),
        }
    }

    /// Makes the device take a signal with these timings.
    ///
    /// # Errors
    ///
    /// When the input has no timings or not these, or buffers are there for others.
    pub fn set_timings(&self, timings: &Timings) -> Result<(), Error> {
        let mut signal = timings.0;
        self.call(&calls::S_DV_TIMINGS, &mut signal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hd(clock: u32, height: u32) -> abi::Signal {
        abi::Signal {
            width: 1920,
            height,
            pixel_clock: [clock, 0],
            horizontal: [88, 44, 148],
            vertical: [4, 5, 36],
            ..Plain::zeroed()
        }
    }

    #[test]
    fn the_rate_counts_what_is_not_seen() {
        let timings = Timings(hd(148_500_000, 1080));
        assert!((timings.rate() - 60.0).abs() < 0.001);
        assert_eq!(format!("{timings:?}"), "Timings(1920x1080p60.00)");
    }

    #[test]
    fn halves_make_a_whole() {
        let mut signal = hd(74_250_000, 1080);
        signal.interlaced = 1;
        signal.vertical = [2, 5, 15];
        signal.vertical_second = [2, 5, 16];
        assert!((Timings(signal).rate() - 30.0).abs() < 0.001);
    }

    #[test]
    fn a_signal_of_nothing_has_no_rate() {
        assert!(Timings(abi::Signal::zeroed()).rate().abs() < f64::EPSILON);
    }
}
