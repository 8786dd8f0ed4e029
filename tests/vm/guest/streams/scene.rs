//! What all tests of camera streams need: a broker with one camera, readers, and vivid's own knobs.
//!
//! Owns the configuration; never judges a frame.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;
use streamem::{Frame, Subscription};
use streamem_tests::{Broker, eventually};
use streamem_v4l2::{Device, Fourcc, Size};

pub const PATIENCE: Duration = Duration::from_secs(30);
pub const CAMERA: &str = "v4l2:///dev/video0?size=640x360&rate=30&format=yuyv";
const NODE: &str = "/dev/video0";
const DRIVER: &str = "/sys/bus/platform/drivers/vivid";
const DEVICE: &str = "vivid.0";

pub fn lacks(feature: &str) -> bool {
    let lacks = fs::read_to_string("/vm/lacks").unwrap_or_default();
    lacks.lines().any(|line| line == feature)
}

pub fn broker_with(source: &str) -> Broker {
    Broker::with_config(&format!("[stream.cam]\nsource = {source:?}\n"))
}

/// A reader of every frame who fits beside one more where the driver has few buffers.
pub fn subscribed(broker: &Broker) -> Subscription {
    let builder = Subscription::builder("cam").socket(broker.socket());
    builder.every(4).leases(2).open().expect("it may be read")
}

pub fn next(subscription: &mut Subscription) -> Frame {
    let frame = subscription.next(PATIENCE).expect("the broker lives");
    frame.expect("frames come")
}

pub fn is_live(broker: &Broker) -> Value {
    eventually("the camera is open", || {
        let stream = broker.stream("cam");
        (stream["state"] == "live").then_some(stream)
    })
}

pub fn why_lost(broker: &Broker, is_it: impl Fn(&str) -> bool) -> String {
    eventually("it is said why it is lost", || {
        let stream = broker.stream("cam");
        let why = stream["why"].as_str().unwrap_or_default();
        is_it(why).then(|| why.to_owned())
    })
}

/// Turns one of the driver's own knobs, by its name in `v4l2-ctl`.
pub fn turn(knob: &str, value: i64) {
    let device = Device::open(Path::new(NODE)).expect("it can be opened by many");
    let controls = device.controls().expect("it has some");
    let found = controls.iter().find(|control| control.name == knob);
    let found = found.unwrap_or_else(|| panic!("no {knob:?} among {controls:?}"));
    device.set_control(found.id, value).expect("it can be set");
}

/// Leaves the driver set to this format, as a program that used it before would.
pub fn preset(fourcc: [u8; 4]) {
    let device = Device::open(Path::new(NODE)).expect("it can be opened by many");
    let queue = device.capture_queue().expect("it captures");
    let wish = streamem_v4l2::Format::wish(Fourcc::new(fourcc), Size::new(640, 360));
    let set = device.set_format(queue, &wish).expect("nobody streams");
    assert_eq!(set.fourcc, wish.fourcc);
}

pub fn unplug() {
    fs::write(format!("{DRIVER}/unbind"), DEVICE).expect("the driver lets it go");
}

pub fn plug_in() {
    fs::write(format!("{DRIVER}/bind"), DEVICE).expect("the driver takes it");
    eventually("it has its number again", || {
        Path::new(NODE).exists().then_some(())
    });
}
