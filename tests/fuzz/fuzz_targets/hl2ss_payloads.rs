//! Payloads of a headset with anything in them.
//!
//! Owns nothing; parts lie inside the payload, and what repeats is counted as often as it is there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamem_hl2ss::Sensor;
use streamem_hl2ss::access_unit::{Codec, is_key};
use streamem_hl2ss::payload::{
    Adts, Ahat, Batch, ExtendedDepth, Eyes, Grey, LongThrow, SpatialInput, Video, array, stereo,
};

fuzz_target!(|input: &[u8]| {
    let Some((which, payload)) = input.split_first() else {
        return;
    };
    let length = payload.len();
    match which % 10 {
        0 => {
            if let Ok(grey) = Grey::of(payload) {
                assert_eq!(grey.picture.len() + Grey::TRAILER, length);
                let _ = is_key(Codec::H264, grey.picture);
            }
        }
        1 => {
            if let Ok(ahat) = Ahat::of(payload) {
                assert_eq!(ahat.depth.len() + ahat.picture.len() + 16, length);
                let _ = is_key(Codec::Hevc, ahat.picture);
            }
        }
        2 => {
            if let Ok(room) = LongThrow::of(payload) {
                assert_eq!(room.png.len() + LongThrow::TRAILER, length);
            }
        }
        3 => {
            if let Ok(batch) = Batch::of(Sensor::Magnetometer, payload) {
                assert_eq!(batch.samples().count() * 32, length);
            }
        }
        4 => {
            if let Ok(video) = Video::of(payload) {
                let rows = usize::from(video.height) * 3;
                if let Some(stride) = video.raw_stride() {
                    assert_eq!(stride * rows / 2, video.picture.len());
                }
            }
        }
        5 => {
            if let Ok(depth) = ExtendedDepth::of(payload) {
                assert!(depth.raw().is_none_or(|raw| raw.len() <= length));
            }
        }
        6 => assert_eq!(
            SpatialInput::of(payload).is_ok(),
            length == SpatialInput::BYTES
        ),
        7 => assert_eq!(Eyes::of(payload).is_ok(), length == Eyes::BYTES),
        8 => {
            if let Ok(frame) = Adts::of(payload) {
                assert!(frame.rate >= 7350 && frame.channels < 8 && frame.frame.len() == length);
            }
        }
        _ => {
            assert_eq!(
                stereo(payload).is_ok_and(|samples| samples.count() * 4 == length),
                length % 4 == 0
            );
            assert_eq!(
                array(payload).is_ok_and(|samples| samples.count() * 20 == length),
                length % 20 == 0
            );
        }
    }
});
