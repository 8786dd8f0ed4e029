//! Packed depth of a headset with anything in it.
//!
//! Owns unpacking its parts, for which it takes whatever lies behind the head, over and over.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamem_hl2ss::zdepth::Zdepth;

const HEAD: usize = 40;
/// Larger pictures only take longer.
const PIXELS_MAX: usize = 64 * 64;

fuzz_target!(|input: &[u8]| {
    let Ok(packed) = Zdepth::of(input) else {
        return;
    };
    let pixels = packed.width * packed.height;
    let frames: usize = packed.parts.iter().map(|part| part.frame.len()).sum();
    assert!(frames + HEAD <= input.len());
    if pixels > PIXELS_MAX {
        return;
    }
    let mut bytes = input.iter().skip(HEAD).copied().cycle();
    let parts = packed.parts.map(|part| -> Vec<u8> {
        assert!(part.unpacked <= pixels * 2);
        bytes.by_ref().take(part.unpacked).collect()
    });
    let mut depth = vec![0; pixels * 2];
    let parts = [&parts[0][..], &parts[1], &parts[2], &parts[3]];
    if packed.depth(parts, &mut depth).is_ok() {
        let depths = depth
            .as_chunks()
            .0
            .iter()
            .map(|two| u16::from_le_bytes(*two));
        assert!(depths.into_iter().all(|depth| depth < 11_841));
    }
});
