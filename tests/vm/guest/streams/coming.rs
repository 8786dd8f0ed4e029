//! Cameras that are found, not found, in other hands, unplugged and plugged in.
//!
//! Owns what readers see meanwhile.

use crate::filling::frames_are_whole;
use crate::scene::{CAMERA, broker_with, is_live, next, plug_in, subscribed, unplug, why_lost};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;
use streamem::{Frame, StreamState, Subscription};
use streamem_tests::{Broker, eventually};

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

/// What there is by the name of vivid's camera.
fn plugged(broker: &Broker) -> Option<Value> {
    let streams = broker.ask("List", json!({}));
    let mut streams = streams["streams"]
        .as_array()
        .expect("a list")
        .clone()
        .into_iter();
    streams.find(|stream| stream["name"] == "cam-vivid-000-vid-cap")
}

#[test]
fn cameras_become_streams_by_rule_and_go_when_nobody_reads_them() {
    unplug();
    let broker = Broker::with_config(
        "[hotplug]\nmatch = \"name:vivid-*\"\nname = \"cam-{name}\"\nparameters = \"size=640x360&format=yuyv\"\n",
    );
    assert!(plugged(&broker).is_none());
    plug_in();
    eventually("it is a stream", || {
        plugged(&broker).filter(|stream| stream["state"] == "live")
    });
    let builder = Subscription::builder("cam-vivid-000-vid-cap").socket(broker.socket());
    let mut reader = builder.leases(2).open().expect("it may be read");
    let last = next(&mut reader).sequence();
    unplug();
    eventually("it is lost", || {
        plugged(&broker).filter(|stream| stream["state"] == "lost")
    });
    std::thread::sleep(Duration::from_millis(2500));
    assert!(plugged(&broker).is_some(), "somebody reads it");
    plug_in();
    assert!(next(&mut reader).sequence() > last);
    drop(reader);
    unplug();
    eventually("it is no stream any more", || {
        plugged(&broker).is_none().then_some(())
    });
    plug_in();
}

fn goes_and_comes(times: u32) {
    let broker = broker_with(CAMERA);
    let filled = is_live(&broker)["filled"].clone();
    let mut readers: Vec<Subscription> = (0..2).map(|_| subscribed(&broker)).collect();
    let mut last: Vec<u64> = readers
        .iter_mut()
        .map(|reader| next(reader).sequence())
        .collect();
    for _ in 0..times {
        unplug();
        why_lost(&broker, |why| why.contains("/dev/video0"));
        for (reader, last) in readers.iter_mut().zip(&mut last) {
            eventually("the reader has all there was, and is told", || {
                let frame = reader
                    .next(Duration::from_millis(10))
                    .expect("the broker lives");
                *last = frame.as_ref().map_or(*last, Frame::sequence);
                (frame.is_none() && reader.state() == StreamState::Lost).then_some(())
            });
        }
        plug_in();
        for (reader, last) in readers.iter_mut().zip(&mut last) {
            let sequence = next(reader).sequence();
            assert!(sequence > *last, "{sequence} after {last}");
            *last = sequence;
        }
    }
    let stream = is_live(&broker);
    assert_eq!(
        (&stream["subscriptions"], &stream["filled"]),
        (&2.into(), &filled),
        "{stream}"
    );
}

#[test]
fn a_camera_that_is_unplugged_is_lost_and_goes_on_when_it_is_back() {
    goes_and_comes(3);
}

#[test]
fn a_hundred_times_unplugged() {
    goes_and_comes(100);
}
