//! The ways in which frames come into slots, and what is in them then.
//!
//! Owns what is expected of vivid's colour bars.

use crate::scene::{CAMERA, broker_with, is_live, lacks, next, subscribed, turn};
use serde_json::Value;
use std::fs;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::time::Duration;
use streamem::{Frame, Subscription, clock, flags};
use streamem_tests::{Broker, Consumer, binaries};

/// No text is drawn over the picture, so that all are the same.
const NO_TEXT: (&str, i64) = ("osd_text_mode", 2);

/// How many different pairs of pixels a row has: bars have a few, and never one.
fn colours(frame: &Frame) -> usize {
    let row = &frame.plane(0).expect("a picture has a plane")[..640 * 2];
    let mut pairs: Vec<&[u8]> = row.chunks(4).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs.len()
}

pub fn frames_are_whole(subscription: &mut Subscription, count: usize) {
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

/// A picture that came in this way.
pub fn picture(source: &str, fill: &str) -> Vec<u8> {
    let broker = broker_with(&format!("{source}&fill={fill}"));
    let stream = is_live(&broker);
    assert_eq!(stream["filled"], fill, "{stream}");
    assert_eq!(stream["copies"], u32::from(fill == "copy"), "{stream}");
    let frame = next(&mut subscribed(&broker));
    let planes = frame.layout().planes.len();
    (0..planes)
        .flat_map(|plane| frame.plane(plane).expect("it is in the frame").to_vec())
        .collect()
}

/// The ways this kernel allows.
pub fn ways() -> impl Iterator<Item = &'static str> {
    let ways = ["copy", "export", "import"].into_iter();
    ways.filter(|way| *way != "import" || !lacks("udmabuf"))
}

#[test]
fn every_way_brings_whole_frames_in_order() {
    for fill in ways() {
        let broker = broker_with(&format!("{CAMERA}&fill={fill}"));
        is_live(&broker);
        frames_are_whole(&mut subscribed(&broker), 45);
    }
}

#[test]
fn every_way_brings_the_same_picture() {
    turn(NO_TEXT.0, NO_TEXT.1);
    let copied = picture(CAMERA, "copy");
    for fill in ways() {
        assert!(
            picture(CAMERA, fill) == copied,
            "{fill} brings another picture than copy"
        );
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
    }
    frames_are_whole(&mut subscribed(&broker), 10);
}

pub fn descriptors(broker: &Broker, role: &str) -> Vec<Value> {
    let all = broker.inspect()["descriptors"].as_array().cloned();
    let of_role = all.expect("there are some").into_iter();
    of_role
        .filter(|descriptor| descriptor["role"] == role)
        .collect()
}

/// Inode of the memory the frame is in, of which kind it is, and whether it can be mapped for writing.
pub fn memory(frame: &Frame) -> (u64, String, bool) {
    let (file, _) = frame.memory();
    let inode = rustix::fs::fstat(file).expect("fstat").st_ino;
    let link = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).expect("it is open");
    let flags = rustix::fs::fcntl_getfl(file).expect("fcntl");
    let writes = flags & rustix::fs::OFlags::RWMODE != rustix::fs::OFlags::RDONLY;
    (inode, link.display().to_string(), writes)
}

/// Every descriptor is in the processes it should be in, and is what the broker says.
pub fn descriptors_are_verified(broker: &Broker) {
    let mut fds = Command::new(binaries::program("streamem"));
    let said = fds
        .arg("--socket")
        .arg(broker.socket())
        .arg("fds")
        .output()
        .expect("it runs");
    let table = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(
        said.status.success() && table.contains("verified"),
        "{table}"
    );
}

#[test]
fn what_a_driver_writes_into_is_the_pool_that_readers_have() {
    if lacks("udmabuf") {
        return;
    }
    let broker = broker_with(&format!("{CAMERA}&fill=import"));
    let stream = is_live(&broker);
    assert_eq!(
        (&stream["pool"], &stream["protection"]),
        (&"udmabuf".into(), &"sealed".into())
    );
    let mut subscription = subscribed(&broker);
    let (inode, link, writes) = memory(&next(&mut subscription));
    assert!(link.starts_with("/memfd:") && !writes, "{link}");
    let pool = &descriptors(&broker, "pool")[0];
    assert_eq!(pool["inode"], inode);
    assert!(
        pool["seals"]
            .as_array()
            .is_some_and(|seals| seals.contains(&"future-write".into()))
    );
    descriptors_are_verified(&broker);
    // Each slot is a DMA-BUF too, and nobody but the broker has one.
    let parts = descriptors(&broker, "part");
    assert_eq!(
        parts.len() as u64,
        stream["slots_max"].as_u64().unwrap_or(0)
    );
    assert!(
        parts
            .iter()
            .all(|part| part["handed_to"] == Value::Array(Vec::new()))
    );
}

#[test]
fn a_drivers_own_buffers_are_the_slots_that_readers_have() {
    let broker = broker_with(&format!("{CAMERA}&fill=export"));
    let stream = is_live(&broker);
    assert_eq!(
        (&stream["pool"], &stream["protection"]),
        (&"v4l2".into(), &"exported".into())
    );
    let mut subscription = subscribed(&broker);
    let slots = descriptors(&broker, "slot");
    for _ in 0..5 {
        let (inode, link, writes) = memory(&next(&mut subscription));
        assert!(link.starts_with("/dmabuf:") && !writes, "{link}");
        assert!(
            slots.iter().any(|slot| slot["inode"] == inode),
            "{inode} in {slots:?}"
        );
    }
    descriptors_are_verified(&broker);
    let mut greedy = Consumer::spawn(&mut Consumer::command(
        &broker.socket(),
        "cam",
        &["leases=12"],
    ));
    let refused = greedy.line().expect("it says why");
    assert!(refused.to_string().contains("fill=copy"), "{refused}");
}
