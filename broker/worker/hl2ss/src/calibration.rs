//! What is known of cameras and sensors once and for all.
//!
//! Owns lengths and order of the numbers; never applies them to a picture.

use crate::bytes::Reader;
use crate::error::Malformed;

const GREY_SIZE: [usize; 2] = [640, 480];
const AHAT_SIZE: [usize; 2] = [512, 512];
const LONG_THROW_SIZE: [usize; 2] = [320, 288];
const MATRIX: usize = 16;
const NUMBER: usize = 4;

/// Four tables, extrinsics and intrinsics.
const fn camera_bytes(size: [usize; 2], more: usize) -> usize {
    (4 * size[0] * size[1] + MATRIX + more + 4) * NUMBER
}

/// How long the calibration of a grey camera is.
pub const GREY_BYTES: usize = camera_bytes(GREY_SIZE, 0);
/// That of depth for hands.
pub const AHAT_BYTES: usize = camera_bytes(AHAT_SIZE, 2);
/// That of depth of the room.
pub const LONG_THROW_BYTES: usize = camera_bytes(LONG_THROW_SIZE, 1);
/// That of a sensor of movement.
pub const IMU_BYTES: usize = MATRIX * NUMBER;
/// That of the colour camera.
pub const VIDEO_BYTES: usize = 208;

/// A matrix by rows, for points as rows.
pub type Matrix = [f32; MATRIX];

/// A number for each pixel, by rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table<'a>(&'a [[u8; NUMBER]]);

impl<'a> Table<'a> {
    fn read(reader: &mut Reader<'a>, [width, height]: [usize; 2]) -> Option<Self> {
        let bytes = reader.bytes(width * height * NUMBER)?;
        Some(Self(bytes.as_chunks().0))
    }

    /// The number of this pixel, counted by rows.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<f32> {
        self.0.get(index).copied().map(f32::from_le_bytes)
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = f32> + use<'a> {
        self.0.iter().copied().map(f32::from_le_bytes)
    }
}

/// A grey or depth camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera<'a> {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// For each pixel x on a plane at distance 1.
    pub unit_x: Table<'a>,
    /// For each pixel y on it.
    pub unit_y: Table<'a>,
    /// From rig to camera.
    pub extrinsics: Matrix,
    /// Of depth cameras: how much one metre is.
    pub scale: Option<f32>,
    /// Of depth for hands: at which depth it begins again.
    pub alias: Option<f32>,
    /// For each pixel of the undistorted picture, x where it lies in the distorted one.
    pub map_x: Table<'a>,
    /// And y.
    pub map_y: Table<'a>,
    /// Of the undistorted picture: focal length in x and y, principal point.
    pub intrinsics: [f32; 4],
}

impl<'a> Camera<'a> {
    /// A grey camera.
    ///
    /// # Errors
    ///
    /// It has another length.
    pub fn grey(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let wanted = "4915280";
        Self::read(bytes, GREY_SIZE, [false, false], GREY_BYTES, wanted)
    }

    /// Depth for hands.
    ///
    /// # Errors
    ///
    /// It has another length.
    pub fn ahat(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let wanted = "4194392";
        Self::read(bytes, AHAT_SIZE, [true, true], AHAT_BYTES, wanted)
    }

    /// Depth of the room.
    ///
    /// # Errors
    ///
    /// It has another length.
    pub fn long_throw(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (has, wanted) = ([true, false], "1474644");
        Self::read(bytes, LONG_THROW_SIZE, has, LONG_THROW_BYTES, wanted)
    }

    fn read(
        bytes: &'a [u8],
        size: [usize; 2],
        [has_scale, has_alias]: [bool; 2],
        length: usize,
        wanted: &'static str,
    ) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let mut read = || {
            Some(Self {
                width: size[0],
                height: size[1],
                unit_x: Table::read(&mut reader, size)?,
                unit_y: Table::read(&mut reader, size)?,
                extrinsics: reader.f32s()?,
                scale: if has_scale { Some(reader.f32()?) } else { None },
                alias: if has_alias { Some(reader.f32()?) } else { None },
                map_x: Table::read(&mut reader, size)?,
                map_y: Table::read(&mut reader, size)?,
                intrinsics: reader.f32s()?,
            })
        };
        let read = read();
        exactly("calibration of a camera", wanted, length, bytes, read)
    }
}

/// Accelerometer or gyroscope: from rig to sensor.
///
/// # Errors
///
/// It has another length.
pub fn imu(bytes: &[u8]) -> Result<Matrix, Malformed> {
    let read = Reader::new(bytes).f32s();
    exactly("calibration of a sensor", "64", IMU_BYTES, bytes, read)
}

/// The colour camera, in one of its formats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Video {
    /// In pixels.
    pub focal_length: [f32; 2],
    /// In pixels.
    pub principal_point: [f32; 2],
    /// Distortion along the radius.
    pub radial: [f32; 3],
    /// And across.
    pub tangential: [f32; 2],
    /// From camera to picture.
    pub projection: Matrix,
    /// From rig to camera.
    pub extrinsics: Matrix,
    /// Focal length and principal point as the camera's driver has them.
    pub driver_intrinsics: [f32; 4],
    /// Position (x, y, z) and orientation (x, y, z, w) as the camera's driver has them.
    pub driver_extrinsics: [f32; 7],
}

impl Video {
    /// Takes one apart.
    ///
    /// # Errors
    ///
    /// It has another length.
    pub fn of(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let mut read = || {
            Some(Self {
                focal_length: reader.f32s()?,
                principal_point: reader.f32s()?,
                radial: reader.f32s()?,
                tangential: reader.f32s()?,
                projection: reader.f32s()?,
                extrinsics: reader.f32s()?,
                driver_intrinsics: reader.f32s()?,
                driver_extrinsics: reader.f32s()?,
            })
        };
        let read = read();
        let what = "calibration of the colour camera";
        exactly(what, "208", VIDEO_BYTES, bytes, read)
    }
}

fn exactly<T>(
    what: &'static str,
    wanted: &'static str,
    length: usize,
    bytes: &[u8],
    read: Option<T>,
) -> Result<T, Malformed> {
    let bytes = bytes.len();
    read.filter(|_| bytes == length).ok_or(Malformed::Size {
        what,
        bytes,
        wanted,
    })
}
