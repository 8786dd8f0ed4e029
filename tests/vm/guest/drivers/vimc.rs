//! vimc: a camera whose sensor, converter and scaler are devices of their own, which somebody must set up.
//!
//! Owns what is expected of it before and after that.

use crate::scene::{broker_with, is_live, lacks, next, subscribed, why_lost};
use std::fs;
use std::path::Path;
use std::process::Command;
use streamem::{Subscription, flags};
use streamem_v4l2::{Device, Format, Fourcc, Queue, Size};

const CAMERA: &str = "v4l2://name:RGB%2FYUV%20Capture?size=640x480&format=rgb24";
const DRIVER: &str = "/sys/bus/platform/drivers/vimc";

/// As the sensor and what follows it are set up by whoever owns such a board.
fn set_up() {
    for pad in [
        "\"Sensor A\":0[fmt:SBGGR8_1X8/640x480]",
        "\"Debayer A\":0[fmt:SBGGR8_1X8/640x480]",
        "\"Scaler\":0[fmt:RGB888_1X24/640x480]",
        "\"Scaler\":1[fmt:RGB888_1X24/640x480]",
    ] {
        let set = Command::new("media-ctl")
            .args(["-d", "platform:vimc", "-V", pad])
            .output();
        let set = set.expect("media-ctl is there");
        assert!(set.status.success(), "{pad}: {set:?}");
    }
    set_up_the_other_node();
}

/// The other node that the sensor's pixels come to takes part in each check, used or not.
fn set_up_the_other_node() {
    let entries = fs::read_dir("/sys/class/video4linux")
        .expect("there are some")
        .flatten();
    let is_it = |entry: &fs::DirEntry| {
        let name = fs::read_to_string(entry.path().join("name")).unwrap_or_default();
        name.trim() == "Raw Capture 0"
    };
    let node = entries.into_iter().find(is_it).expect("it is there");
    let device = Device::open(&Path::new("/dev").join(node.file_name())).expect("it opens");
    let wish = Format::wish(Fourcc::new(*b"BA81"), Size::new(640, 480));
    let set = device
        .set_format(Queue::Capture, &wish)
        .expect("it takes it");
    assert_eq!(set.fourcc, wish.fourcc);
}

/// As it is after loading.
fn plug_in_anew() {
    for verb in ["unbind", "bind"] {
        fs::write(format!("{DRIVER}/{verb}"), "vimc.0").expect("the driver does");
    }
}

fn frames_are_whole(subscription: &mut Subscription, count: usize) {
    let mut before = (0, 0);
    for _ in 0..count {
        let frame = next(subscription);
        let row = &frame.plane(0).expect("a picture has a plane")[..640 * 3];
        let mut colours: Vec<&[u8]> = row.chunks(3).collect();
        colours.sort_unstable();
        colours.dedup();
        assert!(colours.len() >= 4, "{} colours", colours.len());
        assert_eq!(frame.bytes().len(), 640 * 480 * 3);
        assert!(frame.source_sequence() > before.0 && frame.captured_ns() > before.1);
        assert_eq!(frame.flags() & flags::BROKEN, 0);
        before = (frame.source_sequence(), frame.captured_ns());
    }
}

#[test]
fn vimc_that_nobody_set_up_is_refused_with_the_remedy() {
    plug_in_anew();
    let broker = broker_with(CAMERA);
    let why = why_lost(&broker, |why| why.contains("VIDIOC_STREAMON"));
    assert!(
        why.contains("media-ctl -V") && why.contains("not linked, or set to different"),
        "{why}"
    );
    set_up();
    is_live(&broker);
    frames_are_whole(&mut subscribed(&broker), 3);
}

#[test]
fn vimc_brings_whole_frames_in_every_way() {
    plug_in_anew();
    set_up();
    let mut ways = vec!["copy", "export", "import"];
    ways.retain(|way| *way != "import" || !lacks("udmabuf"));
    for fill in ways {
        let broker = broker_with(&format!("{CAMERA}&fill={fill}"));
        let stream = is_live(&broker);
        assert_eq!(stream["filled"], fill, "{stream}");
        frames_are_whole(&mut subscribed(&broker), 20);
    }
}

#[test]
fn vimc_goes_and_comes_and_is_set_up_again() {
    plug_in_anew();
    set_up();
    let broker = broker_with(CAMERA);
    is_live(&broker);
    let mut reader = subscribed(&broker);
    let last = next(&mut reader).sequence();
    plug_in_anew();
    why_lost(&broker, |why| why.contains("media-ctl"));
    set_up();
    is_live(&broker);
    let frame = loop {
        let frame = next(&mut reader);
        if frame.sequence() > last + 8 {
            break frame;
        }
    };
    assert!(frame.sequence() > last);
}
