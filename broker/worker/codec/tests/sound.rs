//! Sound is what FFmpeg itself makes of the same bytes, and the tones that went in.

mod support;

use std::f64::consts::TAU;
use std::sync::Arc;
use streamem_codec::{CodecError, Rows, Sample, SoundDecoder};
use streamem_headset::encode::{Loop, Recipe};
use support::piped;

/// Of a channel in a frame.
const SAMPLES: usize = 1024;
const TONE: f64 = 375.0;
const RATE: f64 = 48_000.0;

fn frames() -> Vec<Arc<[u8]>> {
    let all = Loop::of(Recipe::Sound { bitrate: 192_000 });
    let frame = |number| all.unit(number, || false).expect("an encoder");
    (0..16).map(frame).collect()
}

fn decoded(sample: Sample) -> Vec<Vec<u8>> {
    let mut decoder = SoundDecoder::aac().unwrap();
    let mut channels = vec![Vec::new(); 2];
    for (number, frame) in (100..).zip(frames()) {
        // Rows are longer than a block, and what lies between them is left alone.
        let stride = SAMPLES * sample.bytes() + 32;
        let mut bytes = vec![0xa5; 2 * stride];
        let rows = Rows {
            bytes: &mut bytes,
            stride,
            sample,
        };
        let samples = decoder
            .decode(&frame, number, rows)
            .unwrap()
            .expect("one in, one out");
        assert_eq!((samples.number, samples.is_damaged), (number, false));
        assert_eq!(
            (samples.channels, samples.samples, samples.rate),
            (2, SAMPLES, 48_000)
        );
        for (row, channel) in bytes.chunks(stride).zip(&mut channels) {
            let (samples, rest) = row.split_at(SAMPLES * sample.bytes());
            channel.extend_from_slice(samples);
            assert!(rest.iter().all(|byte| *byte == 0xa5));
        }
    }
    channels
}

fn by_ffmpeg() -> Vec<[f32; 2]> {
    let words = "-hide_banner -loglevel error -f aac -i - -f f32le -";
    let words: Vec<&str> = words.split_whitespace().collect();
    let bytes = piped("ffmpeg", &words, frames().concat());
    let float = |four: &[u8]| f32::from_le_bytes(four.try_into().unwrap());
    bytes
        .chunks_exact(8)
        .map(|both| [float(&both[..4]), float(&both[4..])])
        .collect()
}

#[test]
fn floats_are_those_of_ffmpeg_and_the_tones_that_went_in() {
    let wanted = by_ffmpeg();
    for (channel, bytes) in decoded(Sample::F32).into_iter().enumerate() {
        let floats: Vec<f32> = bytes
            .as_chunks()
            .0
            .iter()
            .map(|four| f32::from_le_bytes(*four))
            .collect();
        assert_eq!(floats.len(), wanted.len());
        assert!(
            floats
                .iter()
                .zip(&wanted)
                .all(|(float, wanted)| float.to_bits() == wanted[channel].to_bits())
        );
        // All but the first blocks: so much of that tone, and hardly anything else.
        let heard = &floats[4 * SAMPLES..12 * SAMPLES];
        let tone = TAU * TONE * (channel as f64 + 1.0) / RATE;
        let sum = |of: &dyn Fn(f64) -> f64| -> f64 {
            let products = (0..)
                .zip(heard)
                .map(|(at, float)| of(tone * f64::from(at)) * f64::from(*float));
            2.0 * products.sum::<f64>() / heard.len() as f64
        };
        let amplitude = sum(&f64::sin).hypot(sum(&f64::cos));
        assert!((amplitude - 0.25).abs() < 0.01, "{channel}: {amplitude}");
        let power = heard
            .iter()
            .map(|float| f64::from(*float).powi(2))
            .sum::<f64>()
            / heard.len() as f64;
        let rest = (power - amplitude * amplitude / 2.0).max(0.0).sqrt();
        assert!(rest < 0.01, "{channel}: {rest} is something else");
    }
}

#[test]
fn whole_numbers_are_the_floats_rounded() {
    let floats = decoded(Sample::F32);
    for (floats, numbers) in floats.iter().zip(decoded(Sample::S16)) {
        let numbers = numbers
            .as_chunks()
            .0
            .iter()
            .map(|two| i16::from_le_bytes(*two));
        let floats = floats
            .as_chunks()
            .0
            .iter()
            .map(|four| f32::from_le_bytes(*four));
        for (number, float) in numbers.zip(floats) {
            assert!(
                (f32::from(number) - float * 32768.0).abs() <= 0.5,
                "{number} {float}"
            );
        }
    }
}

#[test]
fn what_has_no_room_is_told_and_what_is_no_sound_is_an_error() {
    let frames = frames();
    let mut decoder = SoundDecoder::aac().unwrap();
    let mut decode = |frame: &[u8], bytes: usize, stride: usize| {
        let mut bytes = vec![0; bytes];
        let sample = Sample::F32;
        let rows = Rows {
            bytes: &mut bytes,
            stride,
            sample,
        };
        decoder.decode(frame, 3, rows)
    };
    for (bytes, stride) in [(0, 0), (8191, 4096), (8192, 4095), (4096, 4096)] {
        let error = decode(&frames[0], bytes, stride).expect_err("no room");
        let wanted = CodecError::Room {
            what: "a block of sound",
            wanted: 8192,
            bytes,
        };
        assert_eq!(error.to_string(), wanted.to_string());
    }
    assert!(matches!(decode(&[], 8192, 4096), Ok(None)));
    let error = decode(b"this is no sound at all", 8192, 4096).expect_err("garbage");
    assert!(
        error.to_string().starts_with("sound 3 cannot be decoded: "),
        "{error}"
    );
    for cut in 0..frames[1].len() {
        let _ = decode(&frames[1][..cut], 8192, 4096);
    }
    assert!(decode(&frames[2], 8192, 4096).unwrap().is_some());
}
