//! An HDMI input: the camera is set to the signal that is there, and follows it.
//!
//! Owns vivid's knobs for signals.

use crate::scene::{broker_with, is_live, next, subscribed, turn, why_lost};
use std::path::Path;
use streamem::Frame;
use streamem_tests::eventually;
use streamem_v4l2::{Device, Kind, Queue};

pub const CAMERA: &str = "v4l2:///dev/video0?input=3&format=yuyv";

/// Has vivid look at its HDMI input, where an ordinary signal is.
pub fn look_at_hdmi() {
    let device = Device::open(Path::new("/dev/video0")).expect("it can be opened by many");
    device.set_input(3).expect("nobody streams");
    let input = &device.inputs().expect("it has inputs")[3];
    assert!(input.has_timings, "{input:?}");
    signal("1280x720p50");
}

/// Sets a knob to the choice of this name, or of the first that begins with it.
pub fn choose(knob: &str, item: &str) {
    let device = Device::open(Path::new("/dev/video0")).expect("it can be opened by many");
    let controls = device.controls().expect("it has some");
    let found = controls.iter().find(|control| control.name == knob);
    let found = found.unwrap_or_else(|| panic!("no {knob} among {controls:?}"));
    let Kind::Menu(items) = &found.kind else {
        panic!("{found:?}");
    };
    let value = items.iter().find(|(_, name)| name.starts_with(item));
    let (value, _) = value.unwrap_or_else(|| panic!("no {item} among {items:?}"));
    device.set_control(found.id, *value).expect("it can be set");
}

/// Has the signal that comes in be this one.
pub fn signal(timings: &str) {
    choose("dv_timings", timings);
    choose("dv_timings_signal_mode", "Selected DV Timings");
}

fn size(frame: &Frame) -> (u32, u32) {
    (frame.layout().width, frame.layout().height)
}

#[test]
fn hdmi_is_opened_with_the_signal_and_follows_it() {
    look_at_hdmi();
    let broker = broker_with(CAMERA);
    let stream = is_live(&broker);
    assert!(stream["layout"].to_string().contains("1280"), "{stream}");
    let before = stream["generation"].as_u64().expect("a number");
    let mut reader = subscribed(&broker);
    assert_eq!(size(&next(&mut reader)), (1280, 720));
    for (timings, expected) in [("720x576p50", (720, 576)), ("1920x1080p24", (1920, 1080))] {
        signal(timings);
        eventually("frames have the size of the signal", || {
            let frame = next(&mut reader);
            (size(&frame) == expected && !frame.bytes().is_empty()).then_some(())
        });
    }
    let stream = is_live(&broker);
    assert!(
        stream["generation"].as_u64() >= Some(before + 2),
        "{stream}"
    );
    let rate = next(&mut reader).layout().rate;
    assert!((rate - 24.0).abs() < 0.1, "{rate}");
}

#[test]
fn hdmi_without_a_signal_is_said_and_goes_on_when_there_is_one() {
    look_at_hdmi();
    let broker = broker_with(CAMERA);
    is_live(&broker);
    let mut reader = subscribed(&broker);
    let last = next(&mut reader).sequence();
    for (mode, said) in [
        ("No Signal", "there is no signal"),
        ("No Lock", "cannot follow"),
        ("Out of Range", "cannot take"),
    ] {
        choose("dv_timings_signal_mode", mode);
        let why = why_lost(&broker, |why| why.contains(said));
        assert!(why.contains("HDMI"), "{why}");
    }
    signal("1280x720p50");
    is_live(&broker);
    assert!(next(&mut reader).sequence() > last);
}

#[test]
fn hdmi_whose_pictures_come_by_halves_is_refused_and_woven_ones_are_said_to_be() {
    look_at_hdmi();
    signal("1920x1080i25");
    let broker = broker_with(CAMERA);
    let why = why_lost(&broker, |why| why.contains("halves"));
    assert!(why.contains("progressive"), "{why}");
    drop(broker);
    // The television's input.
    let broker = broker_with("v4l2:///dev/video0?input=1&format=yuyv");
    let stream = is_live(&broker);
    assert!(
        stream["filled"].to_string().contains("interlaced"),
        "{stream}"
    );
    next(&mut subscribed(&broker));
}

#[test]
fn hdmi_of_another_size_than_is_asked_for_is_refused_with_its_own() {
    look_at_hdmi();
    let knobs = ["cropping", "composing", "scaler"].map(|what| format!("enable_capture_{what}"));
    knobs.iter().for_each(|knob| turn(knob, 0));
    let broker = broker_with(&format!("{CAMERA}&size=640x480"));
    let why = why_lost(&broker, |why| why.contains("640x480"));
    drop(broker);
    knobs.iter().for_each(|knob| turn(knob, 1));
    assert!(
        why.contains("gives 1280x720") && why.contains("size=auto"),
        "{why}"
    );
    let device = Device::open(Path::new("/dev/video0")).expect("it is there");
    let set = device.format(Queue::Capture).expect("it has one").size;
    assert_eq!((set.width, set.height), (1280, 720));
}
