//! Where something was when a frame was taken.
//!
//! Owns the matrix and the rule when it says nothing; never turns it into other conventions.

use crate::bytes::Reader;

/// A matrix by rows, for points as rows: `[x y z 1]` times it is the point in the world. Metres, right-handed,
/// y upwards, looking along -z. Of what it is the pose is a fact of the stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose(pub [f32; 16]);

impl Pose {
    /// How long one is on the wire.
    pub const BYTES: usize = 64;

    /// Whether the device knew where it was. When it did not, all numbers are 0; a matrix with something in it
    /// that is no number says as little.
    #[must_use]
    pub fn is_located(&self) -> bool {
        self.0[15] != 0.0 && self.0.iter().all(|number| number.is_finite())
    }

    /// Where its origin lies in the world.
    #[must_use]
    pub fn translation(&self) -> [f32; 3] {
        [self.0[12], self.0[13], self.0[14]]
    }

    /// One as it lies on the wire.
    #[must_use]
    pub fn of(bytes: &[u8; Self::BYTES]) -> Self {
        let mut numbers = [0.0; 16];
        for (number, four) in numbers.iter_mut().zip(bytes.as_chunks().0) {
            *number = f32::from_le_bytes(*four);
        }
        Self(numbers)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.f32s().map(Self)
    }
}
