//! What a camera says of itself, and what it makes of wishes.
//!
//! Owns the questions; nothing streams.

use crate::vivid::{HD, MULTI, SINGLE, control, fresh, hdmi, open};
use std::fs;
use streamem_v4l2::{
    Error, Format, Found, Fourcc, Fraction, Intervals, Kind, Queue, Rows, Size, Sizes,
};

const UNKNOWN: Fourcc = Fourcc::new(*b"?!?!");

/// What it looks at after loading.
const WEBCAM: u32 = 0;

#[test]
fn a_camera_says_what_it_is() {
    let single = fresh(SINGLE);
    let about = single.about();
    assert_eq!(about.driver, "vivid");
    assert!(about.bus.starts_with("platform:vivid"), "{about:?}");
    let (major, minor, _) = about.version;
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("a release");
    assert!(
        release.starts_with(&format!("{major}.{minor}.")),
        "{release}"
    );
    assert!(about.caps.streaming && !about.caps.output && !about.caps.m2m);
    assert_eq!(single.capture_queue(), Some(Queue::Capture));
    assert_eq!(single.output_queue(), None);
    let multi = open(MULTI);
    assert_eq!(multi.capture_queue(), Some(Queue::CaptureMulti));
    assert_ne!(multi.path(), single.path());
}

#[test]
fn a_camera_lists_formats_sizes_and_intervals() {
    let camera = fresh(SINGLE);
    let formats = camera.formats(Queue::Capture).expect("it has formats");
    for fourcc in [Fourcc::YUYV, Fourcc::NV12] {
        let format = formats.iter().find(|format| format.fourcc == fourcc);
        let format = format.unwrap_or_else(|| panic!("{fourcc}"));
        assert!(!format.compressed && !format.emulated && !format.description.is_empty());
    }
    assert!(formats.len() > 20, "{formats:?}");
    assert_eq!(camera.formats(Queue::Output).expect("there are none"), []);

    let sizes = camera.sizes(Fourcc::YUYV).expect("it has sizes");
    assert!(
        matches!(&sizes, Sizes::Discrete(all) if all.len() > 3),
        "{sizes:?}"
    );
    assert!(sizes.contains(HD) && !sizes.contains(Size::new(1920, 1081)));
    let none = camera.sizes(UNKNOWN).expect("there are none");
    assert_eq!(none, Sizes::Discrete(Vec::new()));

    let intervals = camera.intervals(Fourcc::YUYV, HD);
    let intervals = intervals.expect("it has intervals");
    let Intervals::Discrete(all) = &intervals else {
        panic!("{intervals:?}");
    };
    let nearest = intervals.nearest(Fraction::new(1, 1000));
    let fastest = all.iter().map(|one| one.rate()).fold(0.0, f64::max);
    assert!(fastest > 1.0 && nearest.is_some_and(|one| one.rate() >= fastest));
    let none = camera.intervals(UNKNOWN, HD).expect("there are none");
    assert_eq!(none, Intervals::Discrete(Vec::new()));
}

#[test]
fn a_wish_is_tried_and_then_set() {
    let camera = fresh(SINGLE);
    let now = || camera.format(Queue::Capture).expect("it has one");
    for (fourcc, line, bytes) in [
        (Fourcc::YUYV, 3840, 3840 * 1080),
        (Fourcc::NV12, 1920, 1920 * 1080 * 3 / 2),
    ] {
        let (before, wish) = (now(), Format::wish(fourcc, HD));
        let tried = camera.try_format(Queue::Capture, &wish);
        let tried = tried.expect("it is possible");
        assert_eq!(
            (tried.fourcc, tried.size, tried.rows),
            (fourcc, HD, Rows::Whole)
        );
        assert_eq!(
            (tried.planes[0].bytes_per_line, tried.planes[0].bytes),
            (line, bytes)
        );
        assert_ne!(tried.colour.space, 0);
        assert_ne!(tried, before);
        assert_eq!(now(), before, "trying changes nothing");
        let set = camera.set_format(Queue::Capture, &wish);
        assert_eq!(set.expect("it is possible"), tried);
        assert_eq!(now(), tried);
    }
    let odd = Format::wish(Fourcc::YUYV, Size::new(1919, 1079));
    let near = camera.try_format(Queue::Capture, &odd).expect("something");
    assert_ne!(near.size, odd.size, "this camera has no such size");
    let wrong = camera.format(Queue::Output);
    assert!(wrong.is_err(), "it has no such queue: {wrong:?}");
}

#[test]
fn a_plane_has_memory_of_its_own_where_it_may() {
    let camera = fresh(MULTI);
    let queue = camera.capture_queue().expect("it captures");
    let planes = |fourcc| {
        let set = camera.set_format(queue, &Format::wish(fourcc, HD));
        let set = set.expect("it has this format");
        assert_eq!(set.fourcc, fourcc);
        set.planes
            .iter()
            .map(|plane| plane.bytes)
            .collect::<Vec<_>>()
    };
    assert_eq!(planes(Fourcc::NV12M), [1920 * 1080, 1920 * 540]);
    assert_eq!(planes(Fourcc::NV12), [1920 * 1080 * 3 / 2]);
}

#[test]
fn an_interval_can_be_set() {
    let camera = fresh(SINGLE);
    let wish = Fraction::new(1, 10);
    let set = camera.set_interval(Queue::Capture, wish);
    let set = set.expect("a webcam has a choice");
    assert!((set.rate() - 10.0).abs() < 0.01, "{set:?}");
    assert_eq!(camera.interval(Queue::Capture).expect("it has one"), set);
}

#[test]
fn an_input_can_be_chosen_and_its_signal_found() {
    let camera = fresh(SINGLE);
    assert_eq!(camera.input().expect("it has inputs"), WEBCAM);
    let none = camera.detect_timings();
    assert!(matches!(none, Err(Error::NotSupported { .. })), "{none:?}");
    let hdmi = hdmi(&camera);
    camera.set_input(hdmi).expect("it has this input");
    assert_eq!(camera.input().expect("it has inputs"), hdmi);
    let found = camera.detect_timings().expect("it has timings");
    let Found::Signal(timings) = found else {
        panic!("there is a signal: {found:?}");
    };
    assert!(timings.size().height > 0 && timings.rate() > 20.0 && timings.rate() < 121.0);
    camera.set_timings(&timings).expect("those it has found");
    let format = camera.format(Queue::Capture).expect("it has one");
    assert_eq!(format.size.width, timings.size().width);

    let mode = control(&camera, "dv_timings_signal_mode");
    let Kind::Menu(items) = &mode.kind else {
        panic!("{mode:?}");
    };
    let found_with = |name: &str| {
        let (value, _) = items
            .iter()
            .find(|(_, item)| item == name)
            .unwrap_or_else(|| panic!("{items:?}"));
        let set = camera.set_control(mode.id, *value);
        assert_eq!(set.expect("it can be set"), *value);
        camera.detect_timings().expect("it has timings")
    };
    assert!(matches!(found_with("Out of Range"), Found::Beyond));
    assert!(matches!(found_with("No Lock"), Found::Unsteady));
    assert!(matches!(found_with("No Signal"), Found::Nothing));
    let inputs = camera.inputs().expect("it has inputs");
    let input = inputs.iter().find(|input| input.index == hdmi);
    assert!(input.is_some_and(|input| input.no_signal), "{inputs:?}");

    let beyond = camera.set_input(99);
    assert!(matches!(beyond, Err(Error::Refused { .. })), "{beyond:?}");
}
