//! Head, eyes and hands.
//!
//! Owns which of them are known at that moment; never what a gesture means.

use crate::bytes::Reader;
use crate::error::Malformed;

/// Joints of a hand: palm, wrist, thumb (metacarpal, proximal, distal, tip), then index, middle, ring and little
/// finger (metacarpal, proximal, intermediate, distal, tip).
pub const HAND_JOINTS: usize = 26;

/// Where something looks from, and where to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ray {
    /// From.
    pub origin: [f32; 3],
    /// To.
    pub direction: [f32; 3],
}

/// Where the head is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Head {
    /// In the world.
    pub position: [f32; 3],
    /// Where its face points.
    pub forward: [f32; 3],
    /// Where its crown points.
    pub up: [f32; 3],
}

/// Where a joint is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Joint {
    /// x, y, z, w.
    pub orientation: [f32; 4],
    /// In the world.
    pub position: [f32; 3],
    /// How thick it is, in metres.
    pub radius: f32,
    /// Whether it was seen (0) or guessed.
    pub accuracy: i32,
}

/// What is known of the wearer. What is not known now is `None`, though the device sends its last values.
#[derive(Debug, Clone, PartialEq)]
pub struct SpatialInput {
    /// The head.
    pub head: Option<Head>,
    /// Both eyes together.
    pub eyes: Option<Ray>,
    /// The left hand.
    pub left: Option<[Joint; HAND_JOINTS]>,
    /// The right hand.
    pub right: Option<[Joint; HAND_JOINTS]>,
}

impl SpatialInput {
    /// How long the payload is.
    pub const BYTES: usize = 1936;

    /// Takes a payload apart.
    ///
    /// # Errors
    ///
    /// It has another length.
    pub fn of(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        let mut read = || {
            let known = reader.u32()?;
            let is_known = |bit: u32| known & (1 << bit) != 0;
            let head = Head::read(&mut reader)?;
            let eyes = Ray::read(&mut reader)?;
            let left = hand(&mut reader)?;
            let right = hand(&mut reader)?;
            Some(Self {
                head: is_known(0).then_some(head),
                eyes: is_known(1).then_some(eyes),
                left: is_known(2).then_some(left),
                right: is_known(3).then_some(right),
            })
        };
        exactly("spatial input", "1936", Self::BYTES, payload, read())
    }
}

/// One eye, or both together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eye {
    /// Where it looks, seen from the eye tracker.
    pub ray: Option<Ray>,
    /// How far it is open.
    pub openness: Option<f32>,
}

/// What is known of the eyes. Of a moment without a reading nothing is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eyes {
    /// Whether the device knows these eyes.
    pub is_calibrated: bool,
    /// Where both look together.
    pub combined: Option<Ray>,
    /// The left eye.
    pub left: Eye,
    /// The right eye.
    pub right: Eye,
    /// How far away both meet.
    pub vergence: Option<f32>,
}

impl Eyes {
    /// How long the payload is.
    pub const BYTES: usize = 92;

    /// Takes a payload apart.
    ///
    /// # Errors
    ///
    /// It has another length.
    pub fn of(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        let mut read = || {
            let _reserved = reader.u32()?;
            let combined = Ray::read(&mut reader)?;
            let left = Ray::read(&mut reader)?;
            let right = Ray::read(&mut reader)?;
            let [left_open, right_open, vergence] = reader.f32s()?;
            let known = reader.u32()?;
            let is_known = |bit: u32| known & (1 << bit) != 0;
            Some(Self {
                is_calibrated: is_known(0),
                combined: is_known(1).then_some(combined),
                left: Eye {
                    ray: is_known(2).then_some(left),
                    openness: is_known(4).then_some(left_open),
                },
                right: Eye {
                    ray: is_known(3).then_some(right),
                    openness: is_known(5).then_some(right_open),
                },
                vergence: is_known(6).then_some(vergence),
            })
        };
        exactly("reading of the eyes", "92", Self::BYTES, payload, read())
    }
}

fn exactly<T>(
    what: &'static str,
    wanted: &'static str,
    length: usize,
    payload: &[u8],
    read: Option<T>,
) -> Result<T, Malformed> {
    let bytes = payload.len();
    read.filter(|_| bytes == length).ok_or(Malformed::Size {
        what,
        bytes,
        wanted,
    })
}

impl Ray {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            origin: reader.f32s()?,
            direction: reader.f32s()?,
        })
    }
}

impl Head {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            position: reader.f32s()?,
            forward: reader.f32s()?,
            up: reader.f32s()?,
        })
    }
}

impl Joint {
    const NOWHERE: Self = Self {
        orientation: [0.0; 4],
        position: [0.0; 3],
        radius: 0.0,
        accuracy: 0,
    };

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            orientation: reader.f32s()?,
            position: reader.f32s()?,
            radius: reader.f32()?,
            accuracy: reader.i32()?,
        })
    }
}

fn hand(reader: &mut Reader<'_>) -> Option<[Joint; HAND_JOINTS]> {
    let mut joints = [Joint::NOWHERE; HAND_JOINTS];
    for joint in &mut joints {
        *joint = Joint::read(reader)?;
    }
    Some(joints)
}
