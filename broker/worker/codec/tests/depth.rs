//! Depth is what was packed, and what is none is told.

#![allow(clippy::cast_possible_truncation, reason = "depths are made here")]

mod support;

use streamem_codec::{CodecError, DepthDecoder, far_depth};
use streamem_headset::encode::zdepth;
use streamem_headset::expected;
use support::piped;

fn words(bytes: &[u8]) -> Vec<u16> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|two| u16::from_le_bytes(*two))
        .collect()
}

fn png(width: usize, height: usize, color: png::ColorType, bytes: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_filter(png::Filter::Paeth);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(bytes)
        .unwrap();
    file
}

/// Depths and then brightnesses, as the device has them in memory and puts them into a file.
fn far(number: u64) -> (Vec<u8>, Vec<u8>) {
    let places = || {
        (0..far_depth::HEIGHT)
            .flat_map(|row| (0..far_depth::WIDTH).map(move |column| (column, row)))
    };
    let depths = places().map(|(column, row)| expected::long_throw_depth(number, column, row));
    let bright = places().map(|(column, row)| expected::long_throw_brightness(number, column, row));
    let memory: Vec<u8> = depths.chain(bright).flat_map(u16::to_le_bytes).collect();
    let mut pixels = memory.clone();
    pixels
        .as_chunks_mut::<4>()
        .0
        .iter_mut()
        .for_each(|pixel| pixel.swap(0, 2));
    (memory, pixels)
}

#[test]
fn far_depth_is_what_the_device_had_in_memory() {
    let mut out = vec![0; far_depth::BYTES];
    for number in 0..3 {
        let (memory, pixels) = far(number);
        let file = png(
            far_depth::WIDTH,
            far_depth::HEIGHT,
            png::ColorType::Rgba,
            &pixels,
        );
        far_depth::unpack(&file, &mut out).unwrap();
        assert!(out == memory);
    }
}

#[test]
fn what_is_no_far_depth_is_told() {
    let mut out = vec![0; far_depth::BYTES];
    let (_, pixels) = far(0);
    let file = png(
        far_depth::WIDTH,
        far_depth::HEIGHT,
        png::ColorType::Rgba,
        &pixels,
    );
    let tell = |file: &[u8], out: &mut [u8]| {
        far_depth::unpack(file, out)
            .expect_err("it is none")
            .to_string()
    };
    let other = png(640, 144, png::ColorType::Rgba, &pixels);
    assert!(tell(&other, &mut out).contains("it is 640x144 of Rgba"));
    let other = png(
        far_depth::WIDTH,
        far_depth::HEIGHT,
        png::ColorType::Rgb,
        &pixels[..320 * 288 * 3],
    );
    assert!(tell(&other, &mut out).contains("320x288 of Rgb"));
    let huge = png(40_000, 1, png::ColorType::Rgba, &vec![0; 160_000]);
    assert!(tell(&huge, &mut out).contains("it is 40000x1"));
    for cut in (0..file.len()).step_by(101) {
        assert!(far_depth::unpack(&file[..cut], &mut out).is_err(), "{cut}");
    }
    assert!(tell(&file, &mut out[1..]).contains("takes 368640 bytes"));
}

fn depths(width: usize, height: usize) -> Vec<u16> {
    let places = (0..height).flat_map(|row| (0..width).map(move |column| (column, row)));
    places
        .map(|(column, row)| {
            if column < 9 && row < 9 {
                0
            } else {
                (300 + column % 100 + row % 100) as u16
            }
        })
        .collect()
}

/// The same with frames as an encoder makes them, and not only with blocks of what they become.
fn packed_by_zstd(blob: &[u8]) -> Vec<u8> {
    let length = |at: usize| u32::from_le_bytes(blob[at..at + 4].try_into().unwrap()) as usize;
    let mut head = blob[..40].to_vec();
    let (mut at, mut frames) = (40, Vec::new());
    for part in 0..4 {
        let frame = &blob[at..at + length(12 + 8 * part)];
        at += frame.len();
        let unpacked = piped("zstd", &["-d", "-c", "-q"], frame.to_vec());
        let packed = piped("zstd", &["-c", "-q", "--no-check"], unpacked);
        head[12 + 8 * part..16 + 8 * part].copy_from_slice(&(packed.len() as u32).to_le_bytes());
        frames.extend(packed);
    }
    [head, frames].concat()
}

#[test]
fn packed_depth_is_what_was_packed() {
    let mut decoder = DepthDecoder::new();
    // One after the other, smaller and larger.
    for (width, height) in [(512, 512), (424, 240), (16, 8), (640, 480)] {
        let depths = depths(width, height);
        let blob = zdepth(7, &depths, width, height);
        for blob in [packed_by_zstd(&blob), blob] {
            let mut out = vec![0; width * height * 2];
            decoder.decode(&blob, [width, height], &mut out).unwrap();
            assert!(words(&out) == depths, "{width}x{height}");
        }
    }
}

#[test]
fn what_is_no_packed_depth_is_told() {
    let mut decoder = DepthDecoder::new();
    let depths = depths(64, 32);
    let blob = packed_by_zstd(&zdepth(7, &depths, 64, 32));
    let mut out = vec![0; 64 * 32 * 2];
    let outcome = decoder.decode(&blob, [32, 64], &mut out);
    assert!(
        matches!(outcome, Err(CodecError::Room { .. })),
        "{outcome:?}"
    );
    assert!(decoder.decode(&blob, [64, 32], &mut out[2..]).is_err());
    for cut in 0..blob.len() {
        assert!(
            decoder.decode(&blob[..cut], [64, 32], &mut out).is_err(),
            "{cut}"
        );
    }
    for at in 0..blob.len() {
        let mut blob = blob.clone();
        blob[at] ^= 0x55;
        // It may be other depths.
        let _ = decoder.decode(&blob, [64, 32], &mut out);
    }
    decoder.decode(&blob, [64, 32], &mut out).unwrap();
    assert!(words(&out) == depths);
}

#[test]
fn a_frame_that_becomes_longer_than_was_said_is_refused() {
    let blob = zdepth(7, &depths(64, 32), 64, 32);
    let first = u32::from_le_bytes(blob[12..16].try_into().unwrap()) as usize;
    let bomb = piped("zstd", &["-c", "-q", "--no-check"], vec![0; 1 << 24]);
    let mut swapped = blob[..40].to_vec();
    swapped[12..16].copy_from_slice(&(bomb.len() as u32).to_le_bytes());
    swapped.extend(bomb);
    swapped.extend(&blob[40 + first..]);
    let mut out = vec![0; 64 * 32 * 2];
    let error = DepthDecoder::new()
        .decode(&swapped, [64, 32], &mut out)
        .expect_err("a bomb");
    assert!(
        error.to_string().contains("a part of packed depth"),
        "{error}"
    );
}
