//! Calibrations of a headset with anything in them.
//!
//! Owns their length, which no input has by chance: what it says stands at both ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamem_hl2ss::calibration::{
    AHAT_BYTES, Camera, GREY_BYTES, IMU_BYTES, LONG_THROW_BYTES, VIDEO_BYTES, Video, imu,
};

fuzz_target!(|input: &[u8]| {
    let [which, change, bytes @ ..] = input else {
        return;
    };
    let length = match which % 5 {
        0 => GREY_BYTES,
        1 => AHAT_BYTES,
        2 => LONG_THROW_BYTES,
        3 => IMU_BYTES,
        _ => VIDEO_BYTES,
    };
    // The right length, one too few or one too many.
    let wanted = length + usize::from(*change % 3) - 1;
    let mut whole = vec![0; wanted];
    let taken = bytes.len().min(wanted);
    whole[..taken].copy_from_slice(&bytes[..taken]);
    whole[wanted - taken..].copy_from_slice(&bytes[..taken]);
    let read = match which % 5 {
        0 => Camera::grey(&whole),
        1 => Camera::ahat(&whole),
        2 => Camera::long_throw(&whole),
        3 => {
            assert_eq!(imu(&whole).is_ok(), whole.len() == length);
            return;
        }
        _ => {
            assert_eq!(Video::of(&whole).is_ok(), whole.len() == length);
            return;
        }
    };
    assert_eq!(read.is_ok(), whole.len() == length);
    if let Ok(camera) = read {
        let pixels = camera.width * camera.height;
        assert!(camera.map_y.get(pixels - 1).is_some() && camera.unit_x.get(pixels).is_none());
    }
});
