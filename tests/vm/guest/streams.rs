//! A real driver's frames in the slots of a real broker: in every way, and when the camera goes and comes.
//!
//! Owns what is expected of vivid: colour bars, every frame in order, and its times.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;
use streamem::{Frame, StreamState, Subscription, clock, flags};
use streamem_tests::{Broker, Consumer, eventually};

const PATIENCE: Duration = Duration::from_secs(30);
const DRIVER: &str = "/sys/bus/platform/drivers/vivid";
const DEVICE: &str = "vivid.0";
const CAMERA: &str = "v4l2:///dev/video0?size=640x360&rate=30&format=yuyv";

fn lacks(feature: &str) -> bool {
    let lacks = fs::read_to_string("/vm/lacks").unwrap_or_default();
    lacks.lines().any(|line| line == feature)
}

fn broker_with(source: &str) -> Broker {
    Broker::with_config(&format!("[stream.cam]\nsource = {source:?}\n"))
}

fn subscribed(broker: &Broker) -> Subscription {
    let builder = Subscription::builder("cam").socket(broker.socket());
    builder.every(8).leases(3).open().expect("it may be read")
}

fn next(subscription: &mut Subscription) -> Frame {
    let frame = subscription.next(PATIENCE).expect("the broker lives");
    frame.expect("frames come")
}

fn is_live(broker: &Broker) -> Value {
    eventually("the camera is open", || {
        let stream = broker.stream("cam");
        (stream["state"] == "live").then_some(stream)
    })
}

fn why_lost(broker: &Broker, is_it: impl Fn(&str) -> bool) -> String {
    eventually("it is said why it is lost", || {
        let stream = broker.stream("cam");
        let why = stream["why"].as_str().unwrap_or_default();
        is_it(why).then(|| why.to_owned())
    })
}

/// How many different pairs of pixels a row has: bars have a few, and never one.
fn colours(frame: &Frame) -> usize {
    let row = &frame.plane(0).expect("a picture has a plane")[..640 * 2];
    let mut pairs: Vec<&[u8]> = row.chunks(4).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs.len()
}

fn frames_are_whole(subscription: &mut Subscription, count: usize) {
    let mut before = (0, 0);
    for _ in 0..count {
        let frame = next(subscription);
        let now = Duration::try_from(rustix::time::clock_gettime(
            rustix::time::ClockId::Monotonic,
        ))
        .expect("it has begun");
        assert_eq!(frame.bytes().len(), 640 * 360 * 2);
        assert!(
            (4..60).contains(&colours(&frame)),
            "{} colours",
            colours(&frame)
        );
        assert!(frame.sequence() > before.0 && frame.captured_ns() > before.1);
        assert!(
            frame.captured_ns() <= frame.published_ns()
                && u128::from(frame.published_ns()) <= now.as_nanos()
        );
        // vivid says when a frame should have ended, and is done a little before.
        let (domain, driver_ns) = frame.source_clock();
        assert!(domain == clock::MONOTONIC && driver_ns >= frame.captured_ns());
        assert_eq!(frame.flags() & flags::BROKEN, 0);
        before = (frame.sequence(), frame.captured_ns());
    }
}

#[test]
fn every_way_brings_the_same_frames() {
    for fill in ["import", "copy"] {
        if fill == "import" && lacks("udmabuf") {
            continue;
        }
        let broker = broker_with(&format!("{CAMERA}&fill={fill}"));
        let stream = is_live(&broker);
        assert_eq!(stream["filled"], fill, "{stream}");
        assert_eq!(stream["copies"], u32::from(fill == "copy"), "{stream}");
        frames_are_whole(&mut subscribed(&broker), 45);
    }
}

#[test]
fn the_best_way_there_is_is_taken_and_said() {
    let broker = broker_with(CAMERA);
    let stream = is_live(&broker);
    let filled = stream["filled"].as_str().unwrap_or_default();
    if lacks("udmabuf") {
        assert!(filled.contains("/dev/udmabuf"), "{stream}");
    } else {
        assert_eq!(filled, "import", "{stream}");
        assert_eq!(stream["pool"], "udmabuf", "{stream}");
        assert_eq!(stream["protection"], "sealed", "{stream}");
    }
    frames_are_whole(&mut subscribed(&broker), 10);
}

#[test]
fn a_camera_is_found_by_its_name_and_by_its_place() {
    let name = fs::read_to_string("/sys/class/video4linux/video0/name").expect("it has a name");
    for which in [
        format!("name:{}", name.trim()),
        "path:platform/vivid.0".to_owned(),
    ] {
        let broker = broker_with(&format!("v4l2://{which}?size=640x360&format=yuyv"));
        is_live(&broker);
        frames_are_whole(&mut subscribed(&broker), 3);
    }
}

#[test]
fn what_the_camera_does_not_have_is_answered_with_what_it_has() {
    let broker = broker_with("v4l2:///dev/video0?size=641x361");
    let why = why_lost(&broker, |why| why.contains("does not offer"));
    assert!(
        why.contains("size=641x361") && why.contains("640x360"),
        "{why}"
    );
}

#[test]
fn a_camera_that_is_not_there_is_waited_for_and_other_streams_go_on() {
    let broker = Broker::with_config(
        "[stream.cam]\nsource = \"v4l2:///dev/video77\"\n[stream.other]\nsource = \"pattern://bars?size=160x120\"\n",
    );
    let why = why_lost(&broker, |why| why.contains("/dev/video77"));
    assert!(why.contains("plug it in"), "{why}");
    let mut other = Subscription::builder("other")
        .socket(broker.socket())
        .open()
        .expect("it is there");
    assert!(next(&mut other).sequence() > 0);
}

#[test]
fn a_camera_in_other_hands_is_waited_for() {
    let first = broker_with(CAMERA);
    is_live(&first);
    let second = broker_with(CAMERA);
    why_lost(&second, |why| {
        why.contains("/dev/video0") && why.contains("in use")
    });
    drop(first);
    is_live(&second);
    frames_are_whole(&mut subscribed(&second), 3);
}

#[test]
fn a_camera_that_is_unplugged_is_lost_and_goes_on_when_it_is_back() {
    let broker = broker_with(CAMERA);
    is_live(&broker);
    let mut subscription = subscribed(&broker);
    let mut last = next(&mut subscription).sequence();
    for _ in 0..3 {
        fs::write(format!("{DRIVER}/unbind"), DEVICE).expect("the driver lets it go");
        why_lost(&broker, |why| why.contains("/dev/video0"));
        eventually("the reader is told", || {
            let _none = subscription
                .next(Duration::from_millis(10))
                .expect("the broker lives");
            (subscription.state() == StreamState::Lost).then_some(())
        });
        fs::write(format!("{DRIVER}/bind"), DEVICE).expect("the driver takes it");
        eventually("it has its number again", || {
            Path::new("/dev/video0").exists().then_some(())
        });
        let sequence = next(&mut subscription).sequence();
        assert!(sequence > last, "{sequence} after {last}");
        last = sequence;
    }
}

#[test]
fn a_reader_that_stands_still_costs_the_others_nothing() {
    let broker = broker_with(CAMERA);
    is_live(&broker);
    let options = ["mode=every", "depth=4", "leases=2"];
    let mut readers: Vec<Consumer> = (0..4)
        .map(|_| Consumer::start(&broker.socket(), "cam", &options))
        .collect();
    for reader in &mut readers {
        eventually("it reads", || (reader.count("frames") >= 5).then_some(()));
    }
    let still = readers.pop().expect("there are four");
    still.stop();
    for reader in &mut readers {
        let before = reader.report();
        eventually("it goes on", || {
            (reader.count("frames") >= before["frames"].as_u64()? + 40).then_some(())
        });
    }
    let dropped = broker.stream("cam")["counters"]["dropped_no_slot"].clone();
    still.resume();
    assert_eq!(dropped, 0, "the driver always had slots");
}
