//! Which version of the protocol a device speaks.
//!
//! Owns the oldest that is understood; never asks the device.

use crate::bytes::Reader;
use crate::error::TooOld;
use std::fmt;

/// The version of the program on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Grows when everything changes.
    pub major: u16,
    /// Grows when much changes.
    pub minor: u16,
    /// Grows with each release.
    pub build: u16,
    /// Grows with each repair.
    pub revision: u16,
}

impl Version {
    /// Before this one, encoded pictures came with what is said of the picture before.
    pub const OLDEST: Self = Self {
        major: 1,
        minor: 0,
        build: 35,
        revision: 0,
    };

    /// Whether packets are as they are read here.
    ///
    /// # Errors
    ///
    /// The device must be brought up to date.
    pub fn check(self) -> Result<(), TooOld> {
        if self < Self::OLDEST {
            return Err(TooOld(self));
        }
        Ok(())
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            major: reader.u16()?,
            minor: reader.u16()?,
            build: reader.u16()?,
            revision: reader.u16()?,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}.{}",
            self.major, self.minor, self.build, self.revision
        )
    }
}
