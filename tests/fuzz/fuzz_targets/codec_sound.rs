//! Frames of AAC with anything in them.
//!
//! Owns nothing; what is written has room, and its samples are of a number there can be.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamem_codec::{Rows, Sample, SoundDecoder};

const FRAMES_MAX: usize = 16;
const LENGTH_BYTES: usize = 2;

fuzz_target!(|input: &[u8]| {
    let Some((which, mut rest)) = input.split_first() else {
        return;
    };
    let sample = if which & 1 == 0 {
        Sample::F32
    } else {
        Sample::S16
    };
    let mut decoder = SoundDecoder::aac().expect("a decoder");
    let mut bytes = vec![0; 2 * 2048 * 4];
    for number in 0..FRAMES_MAX {
        let Some((length, behind)) = rest.split_at_checked(LENGTH_BYTES) else {
            return;
        };
        let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
        let (frame, behind) = behind.split_at(length.min(behind.len()));
        rest = behind;
        let stride = bytes.len() / 2;
        let rows = Rows {
            bytes: &mut bytes,
            stride,
            sample,
        };
        if let Ok(Some(samples)) = decoder.decode(frame, number as u64, rows) {
            assert!(samples.channels <= 2 && samples.samples <= 4096);
        }
    }
});
