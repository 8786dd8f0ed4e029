//! `grab`: a frame as png, npy and raw.
//!
//! Owns reading the files back; png's own checks are left to its reader in the unit tests.

use super::{broker, streamem};
use std::fs;
use streamem_wire::{Format, Layout};
use streamemd::source::pattern::bars;

#[test]
fn a_raw_file_is_the_frame_as_it_was() {
    let broker = broker();
    let file = broker.folder().join("frame.raw");
    streamem(
        &broker,
        &["grab", "cam", "-o", file.to_str().expect("plain letters")],
    )
    .ok();
    let bytes = fs::read(&file).expect("it was written");
    let format = broker.stream("cam")["layout"]["format"].clone();
    let format: Format = format.as_str().expect("a name").parse().expect("a format");
    let layout = Layout::video(format, 320, 240, 30.0).expect("a layout");
    bars::check(&layout, &bytes).expect("every byte is the pattern's");
}

#[test]
fn a_png_has_the_streams_size() {
    let broker = broker();
    let file = broker.folder().join("frame.png");
    streamem(
        &broker,
        &["grab", "cam", "-o", file.to_str().expect("plain letters")],
    )
    .ok();
    let bytes = fs::read(&file).expect("it was written");
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
    assert_eq!((number(16), number(20)), (320, 240));
}

#[test]
fn an_npy_has_the_streams_shape_and_a_clip_one_more_dimension() {
    let broker = broker();
    let file = broker.folder().join("frame.npy");
    let place = file.to_str().expect("plain letters");
    let cases: [(&[&str], &str, usize); 3] = [
        (&["grab", "mic", "-o", place], "(2, 1024)", 2 * 1024 * 4),
        (
            &["grab", "cam", "-o", place],
            "(240, 320, 3)",
            320 * 240 * 3,
        ),
        (
            &["grab", "cam", "-o", place, "--clip", "4"],
            "(4, 240, 320, 3)",
            4 * 320 * 240 * 3,
        ),
    ];
    for (words, shape, data) in cases {
        streamem(&broker, words).ok();
        let bytes = fs::read(&file).expect("it was written");
        assert_eq!(&bytes[..6], b"\x93NUMPY");
        let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let text = String::from_utf8_lossy(&bytes[10..10 + header]).into_owned();
        assert!(text.contains(shape), "{words:?}: {text}");
        assert_eq!(bytes.len() - 10 - header, data, "{words:?}");
        assert_eq!((10 + header) % 64, 0, "numpy wants the data aligned");
    }
}

#[test]
fn what_cannot_be_a_file_is_refused_and_nothing_is_written() {
    let broker = broker();
    let file = broker.folder().join("frame.png");
    let place = file.to_str().expect("plain letters");
    let sound = streamem(&broker, &["grab", "mic", "-o", place]);
    assert!(matches!(sound.code, Some(1 | 2)), "{sound:?}");
    let stream = streamem(&broker, &["grab", "none", "-o", place]);
    assert_eq!(stream.code, Some(1), "{stream:?}");
    assert!(!file.exists(), "a file was left behind");
}
