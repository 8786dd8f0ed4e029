//! What is decoded is what was encoded, and what was said of it stays with it.
//!
//! Owns the formats; each is compared with the picture before it became a JPEG.

use super::{CONFIG, Camera, HEIGHT, WIDTH, assert_picture, next, number_in, original, read};
use streamem::{Format, SideData, clock, flags};
use streamem_tests::jpeg::Sampling;
use streamem_tests::{Broker, binaries};

const FORMATS: [&str; 5] = ["rgb24", "bgr24", "rgba", "bgra", "gray8"];

fn all_formats() -> Broker {
    let streams: String = FORMATS
        .iter()
        .chain(&["i420"])
        .map(|format| format!("[stream.{format}]\nsource = \"decode://cam?format={format}\"\n"))
        .collect();
    Broker::with_config(&format!("{CONFIG}{streams}"))
}

#[test]
fn every_format_has_the_picture_that_was_encoded() {
    let broker = all_formats();
    let mut camera = Camera::open(&broker);
    let mut subs = FORMATS.map(|format| read(&broker, format));
    for _ in 0..5 {
        let number = camera.shoot();
        for sub in &mut subs {
            let frame = next(sub);
            assert_eq!(assert_picture(&frame), number);
            assert_eq!(frame.missed(), 0);
        }
    }
    assert_eq!(broker.stream("rgb24")["layout"]["format"], "rgb24");
}

#[test]
fn planes_are_those_of_the_picture() {
    let broker = all_formats();
    let mut camera = Camera::open(&broker);
    let mut sub = read(&broker, "i420");
    let jpeg = camera.encoded(Sampling::Quarter);
    camera.put(&jpeg, |_| ());
    let frame = next(&mut sub);
    assert_eq!(number_in(&frame), camera.number);
    let brightness = original(Format::Gray8, WIDTH, HEIGHT, camera.number);
    let plane = frame.plane(0).expect("it has three");
    let errors = plane
        .iter()
        .zip(&brightness)
        .map(|(a, b)| u32::from(a.abs_diff(*b)));
    assert!(errors.sum::<u32>() < 2 * WIDTH * HEIGHT);
    let colour = frame
        .layout()
        .colour
        .clone()
        .expect("a picture has colours");
    assert_eq!((&colour.space[..], &colour.range[..]), ("bt601", "full"));
}

#[test]
fn the_kinds_of_jpeg_that_cameras_make_are_decoded() {
    let broker = Broker::with_config(CONFIG);
    let mut camera = Camera::open(&broker);
    let mut sub = read(&broker, "picture");
    for sampling in [Sampling::Full, Sampling::Half, Sampling::Quarter] {
        let jpeg = camera.encoded(sampling);
        camera.put(&jpeg, |_| ());
        assert_eq!(number_in(&next(&mut sub)), camera.number);
    }
}

#[test]
fn what_is_said_of_a_frame_stays_with_it() {
    let broker = Broker::with_config(CONFIG);
    let mut camera = Camera::open(&broker);
    let mut sub = read(&broker, "picture");
    let pose = SideData::Pose([0.5; 16]);
    for said in [0, flags::BROKEN, flags::GAP, flags::KEY] {
        let jpeg = camera.encoded(Sampling::Full);
        let captured_ns = 1000 + camera.number;
        camera.put(&jpeg, |slot| {
            slot.captured_ns(captured_ns);
            slot.source_clock(clock::SAMPLES, 77);
            slot.source_sequence(5000);
            slot.flags(said);
            slot.side_data(std::slice::from_ref(&pose));
        });
        let frame = next(&mut sub);
        assert_eq!(frame.captured_ns(), captured_ns);
        assert_eq!(frame.source_clock(), (clock::SAMPLES, 77));
        assert_eq!(frame.side_data().as_slice(), std::slice::from_ref(&pose));
        // Every picture can be looked at without those before it, so that is not said.
        assert_eq!(frame.flags(), said & !flags::KEY);
        // The source of a decoded stream is the other stream, and this is its number there.
        assert_eq!(frame.source_sequence(), camera.number);
        assert!(frame.captured_ns() <= frame.published_ns());
    }
}

#[test]
fn frames_that_were_passed_over_are_counted() {
    let broker = Broker::with_config(CONFIG);
    let mut camera = Camera::open(&broker);
    let mut sub = read(&broker, "picture");
    let first = camera.shoot();
    let mut last = next(&mut sub).source_sequence();
    assert_eq!(last, first);
    let jpegs: Vec<Vec<u8>> = (0..100).map(|_| camera.encoded(Sampling::Full)).collect();
    for jpeg in &jpegs {
        camera.put(jpeg, |_| ());
    }
    let (mut passed_over, mut missed) = (0, 0);
    while last < camera.number {
        let frame = next(&mut sub);
        let skipped = frame.source_sequence() - last - 1;
        missed += frame.missed();
        if frame.missed() == 0 {
            assert_eq!(frame.flags() & flags::GAP != 0, skipped > 0);
        }
        passed_over += skipped;
        last = frame.source_sequence();
        assert_eq!(number_in(&frame), last);
    }
    let counters = &broker.stream("picture")["counters"];
    let by_source = counters["dropped_by_source"].as_u64().expect("a number");
    assert_eq!(by_source + missed, passed_over, "{counters}");
    let published = counters["published"].as_u64().expect("a number");
    assert_eq!(published + by_source, camera.number, "{counters}");
    assert_eq!(counters["dropped_no_slot"], 0);
    let of_parent = &broker.stream("cam")["counters"];
    assert_eq!(of_parent["dropped_no_slot"], 0);
}

#[test]
fn every_look_of_the_inspector_shows_a_decoded_stream() {
    let broker = Broker::with_config(CONFIG);
    let mut camera = Camera::open(&broker);
    let mut sub = read(&broker, "picture");
    camera.shoot();
    let _held = next(&mut sub);
    let look = |words: &[&str]| {
        let mut command = std::process::Command::new(binaries::program("streamem"));
        command.arg("--socket").arg(broker.socket()).args(words);
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let grabbed = broker.folder().join("x.png");
    let grabbed = grabbed.to_str().expect("text");
    for words in [
        &["list"][..],
        &["fds"],
        &["top", "--once"],
        &["info", "cam"],
        &["watch", "picture", "--count", "1"],
        &["grab", "picture", "-o", grabbed],
    ] {
        assert!(!look(words).contains("MISMATCH"), "{words:?}");
    }
    let shown = look(&["info", "picture"]);
    for part in [
        "decode://cam?format=rgb24",
        "decoding cam (",
        " ms for a frame",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(broker.stream("picture")["copies"], 1);
    assert_eq!(broker.stream("cam")["copies"], 0);
}
