//! `watch` and `view`: frames as lines and as pictures of letters.
//!
//! Owns counting the lines; what a picture looks like is in the inspector's unit tests.

use super::{broker, streamem};

#[test]
fn watch_prints_a_line_for_each_frame() {
    let broker = broker();
    let text = streamem(&broker, &["watch", "cam", "--count", "5"]).ok();
    assert_eq!(
        text.lines().count(),
        1 + 5,
        "a head and five frames:\n{text}"
    );
    let frames = streamem(
        &broker,
        &["watch", "imu", "--every", "16", "-n", "5", "--json"],
    );
    let frames = frames.json_lines();
    let sequences: Vec<u64> = frames
        .iter()
        .filter_map(|frame| frame["sequence"].as_u64())
        .collect();
    assert_eq!(sequences.len(), 5, "{frames:?}");
    assert_eq!(
        sequences[4] - sequences[0],
        4,
        "every frame in order: {sequences:?}"
    );
}

#[test]
fn view_draws_pictures_sounds_and_numbers() {
    let broker = broker();
    for stream in ["cam", "mic", "imu"] {
        let words = ["view", stream, "--renderer", "blocks", "--count", "2"];
        let text = streamem(&broker, &words).ok();
        assert!(text.chars().count() > 20, "{stream}: {text:?}");
    }
}
