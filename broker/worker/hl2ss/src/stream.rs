//! The streams of a device: which there are, and what is known of each beforehand.
//!
//! Owns ports and lengths; never what is in a packet.

use crate::calibration;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;

/// One of the four grey cameras which look around.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GreyCamera {
    /// Left, looking ahead.
    LeftFront,
    /// Left, looking to the left.
    LeftLeft,
    /// Right, looking ahead.
    RightFront,
    /// Right, looking to the right.
    RightRight,
}

/// One of the three sensors of movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Sensor {
    /// Metres per second squared.
    Accelerometer,
    /// Degrees per second.
    Gyroscope,
    /// The magnetic field.
    Magnetometer,
}

/// What a device sends, each on a port of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// A grey camera, 640x480 at 30/s.
    Grey(GreyCamera),
    /// Depth for hands (AHAT), 512x512 at 45/s.
    Ahat,
    /// Depth of the room, 320x288 at 1 to 5/s.
    LongThrow,
    /// A sensor of movement, in batches.
    Imu(Sensor),
    /// The colour camera in front.
    Video,
    /// The microphones.
    Microphone,
    /// Head, eyes and hands.
    SpatialInput,
    /// The eyes, at a rate that is asked for.
    Eyes,
    /// Other microphones, and what the device plays.
    ExtendedAudio,
    /// Other cameras.
    ExtendedVideo,
    /// A depth camera that was plugged in.
    ExtendedDepth,
}

/// What a pose is the pose of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PoseOf {
    /// The frame to which the sensors are fixed.
    Rig,
    /// The camera itself.
    Camera,
    /// The eye tracker.
    EyeTracker,
}

impl Stream {
    /// All there are, by port.
    pub const ALL: [Self; 16] = [
        Self::Grey(GreyCamera::LeftFront),
        Self::Grey(GreyCamera::LeftLeft),
        Self::Grey(GreyCamera::RightFront),
        Self::Grey(GreyCamera::RightRight),
        Self::Ahat,
        Self::LongThrow,
        Self::Imu(Sensor::Accelerometer),
        Self::Imu(Sensor::Gyroscope),
        Self::Imu(Sensor::Magnetometer),
        Self::Video,
        Self::Microphone,
        Self::SpatialInput,
        Self::Eyes,
        Self::ExtendedAudio,
        Self::ExtendedVideo,
        Self::ExtendedDepth,
    ];

    /// The TCP port it is served on, to one client at a time.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Grey(GreyCamera::LeftFront) => 3800,
            Self::Grey(GreyCamera::LeftLeft) => 3801,
            Self::Grey(GreyCamera::RightFront) => 3802,
            Self::Grey(GreyCamera::RightRight) => 3803,
            Self::Ahat => 3804,
            Self::LongThrow => 3805,
            Self::Imu(Sensor::Accelerometer) => 3806,
            Self::Imu(Sensor::Gyroscope) => 3807,
            Self::Imu(Sensor::Magnetometer) => 3808,
            Self::Video => 3810,
            Self::Microphone => 3811,
            Self::SpatialInput => 3812,
            Self::Eyes => 3817,
            Self::ExtendedAudio => 3818,
            Self::ExtendedVideo => 3819,
            Self::ExtendedDepth => 3821,
        }
    }

    /// Of what its pose is, if its packets can have one. The eyes always do; others if asked.
    #[must_use]
    pub const fn pose_of(self) -> Option<PoseOf> {
        match self {
            Self::Grey(_) | Self::Ahat | Self::LongThrow | Self::Imu(_) => Some(PoseOf::Rig),
            Self::ExtendedVideo | Self::ExtendedDepth => Some(PoseOf::Rig),
            Self::Video => Some(PoseOf::Camera),
            Self::Eyes => Some(PoseOf::EyeTracker),
            Self::Microphone | Self::SpatialInput | Self::ExtendedAudio => None,
        }
    }

    /// Whether it must be started before it can be asked for.
    #[must_use]
    pub const fn needs_start(self) -> bool {
        matches!(
            self,
            Self::Video | Self::ExtendedVideo | Self::ExtendedDepth
        )
    }

    /// Whether it can tell which devices there are.
    #[must_use]
    pub const fn has_devices(self) -> bool {
        matches!(self, Self::ExtendedAudio | Self::ExtendedVideo)
    }

    /// How long its calibration is, if it has one.
    #[must_use]
    pub const fn calibration_bytes(self) -> Option<usize> {
        match self {
            Self::Grey(_) => Some(calibration::GREY_BYTES),
            Self::Ahat => Some(calibration::AHAT_BYTES),
            Self::LongThrow => Some(calibration::LONG_THROW_BYTES),
            Self::Imu(Sensor::Accelerometer | Sensor::Gyroscope) => Some(calibration::IMU_BYTES),
            Self::Video => Some(calibration::VIDEO_BYTES),
            _ => None,
        }
    }

    /// How long a payload may be. The most is well above the largest raw picture, since a picture may be encoded
    /// badly, and a shared camera has the size another program chose; it is what nobody has to allocate beyond.
    #[must_use]
    pub const fn payload_bytes(self) -> RangeInclusive<u32> {
        match self {
            Self::Grey(_) => 24..=1 << 20,
            Self::Ahat => 16..=2 << 20,
            Self::LongThrow => 8..=1 << 20,
            Self::Imu(_) => 0..=1 << 17,
            Self::Video => 80..=8 << 20,
            Self::Microphone => 0..=1 << 18,
            Self::SpatialInput => 1936..=1936,
            Self::Eyes => 92..=92,
            Self::ExtendedAudio => 0..=1 << 20,
            Self::ExtendedVideo => 80..=32 << 20,
            Self::ExtendedDepth => 4..=32 << 20,
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grey(GreyCamera::LeftFront) => "left front camera",
            Self::Grey(GreyCamera::LeftLeft) => "left side camera",
            Self::Grey(GreyCamera::RightFront) => "right front camera",
            Self::Grey(GreyCamera::RightRight) => "right side camera",
            Self::Ahat => "depth for hands",
            Self::LongThrow => "depth of the room",
            Self::Imu(Sensor::Accelerometer) => "accelerometer",
            Self::Imu(Sensor::Gyroscope) => "gyroscope",
            Self::Imu(Sensor::Magnetometer) => "magnetometer",
            Self::Video => "personal video",
            Self::Microphone => "microphone",
            Self::SpatialInput => "spatial input",
            Self::Eyes => "extended eye tracker",
            Self::ExtendedAudio => "extended audio",
            Self::ExtendedVideo => "extended video",
            Self::ExtendedDepth => "extended depth",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_all_different_and_in_order() {
        assert!(
            Stream::ALL
                .windows(2)
                .all(|two| two[0].port() < two[1].port())
        );
    }

    #[test]
    fn the_largest_raw_pictures_are_within_bounds() {
        let most = |stream: Stream| *stream.payload_bytes().end();
        assert!(most(Stream::Video) >= 3_273_600 + 80);
        assert!(most(Stream::Ahat) >= 1_048_592);
        assert!(most(Stream::Grey(GreyCamera::LeftFront)) >= 307_224);
        assert!(most(Stream::LongThrow) >= 400_000);
    }

    #[test]
    fn calibrations_have_the_lengths_of_the_protocol() {
        let lengths = Stream::ALL.map(|stream| stream.calibration_bytes().unwrap_or(0));
        let grey = 4_915_280;
        assert_eq!(lengths[..4], [grey; 4]);
        assert_eq!(
            lengths[4..],
            [4_194_392, 1_474_644, 64, 64, 0, 208, 0, 0, 0, 0, 0, 0]
        );
    }
}
