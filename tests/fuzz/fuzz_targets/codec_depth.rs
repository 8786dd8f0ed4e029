//! Depth of a headset with anything in it: packed, or as a PNG.
//!
//! Owns nothing; no more is written than there is room for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamem_codec::{DepthDecoder, far_depth};
use streamem_hl2ss::zdepth::Zdepth;

/// Larger pictures only take longer.
const PIXELS_MAX: usize = 64 * 64;

fuzz_target!(|input: &[u8]| {
    if input.first() == Some(&0x89) {
        let mut out = vec![0; far_depth::BYTES];
        let _ = far_depth::unpack(input, &mut out);
        return;
    }
    let Ok(packed) = Zdepth::of(input) else {
        return;
    };
    let size = [packed.width, packed.height];
    let pixels = size[0] * size[1];
    if pixels > PIXELS_MAX {
        return;
    }
    let mut out = vec![0; pixels * 2];
    let mut decoder = DepthDecoder::new();
    // What was there before has no part in it.
    let first = decoder.decode(input, size, &mut out);
    let before = out.clone();
    let second = decoder.decode(input, size, &mut out);
    assert_eq!(first, second);
    assert!(first.is_err() || before == out);
});
