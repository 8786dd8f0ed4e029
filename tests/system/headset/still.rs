//! No copies, and no frame that changes while somebody has it, although a decoder goes on looking at it.

use crate::colours::Shown;
use crate::reader::subscription;
use crate::seen::Seen;
use crate::{becomes, checks, headset, network, stream};
use std::time::{Duration, Instant};
use streamem::{Frame, Subscription};
use streamem_headset::expected::{self, Scene};
use streamem_tests::{Broker, eventually};

const HELD: usize = 24;

fn held(broker: &Broker, stream: &str) -> (Subscription, Vec<(Frame, Vec<u8>)>) {
    let asked = Subscription::builder(stream).socket(broker.socket());
    let asked = asked
        .every(8)
        .leases(u32::try_from(HELD).expect("few"))
        .wait(true);
    let mut reader = asked.open().expect("it may be read");
    let mut held = Vec::new();
    let end = Instant::now() + Duration::from_secs(60);
    while held.len() < HELD {
        assert!(
            Instant::now() < end,
            "no {HELD} frames: {}",
            broker.stream(stream)
        );
        if let Some(frame) = reader.next(Duration::from_secs(1)).expect("a broker") {
            let bytes = frame.bytes().to_vec();
            held.push((frame, bytes));
        }
    }
    (reader, held)
}

fn packets(broker: &Broker, stream: &str) -> u64 {
    network(broker, stream)["packets"].as_u64().unwrap_or(0)
}

/// Readers hold as many frames as they may, some of which the decoder made others from, while more than twice as many
/// come and are right.
fn stands_still(host: &str, name: &str, what: &str, look: impl Fn(&Seen)) {
    let _device = headset(host);
    let config = "[pool]\nslots_max = 128\n".to_owned() + &stream(host, name, what);
    let broker = Broker::with_config(&config);
    becomes(&broker, name, "live", "");
    let readers = [held(&broker, name), held(&broker, name)];
    let mut other = subscription(&broker, name);
    let before = packets(&broker, name);
    let mut looked = 0;
    eventually("many more frames come", || {
        if let Some(frame) = other.next(Duration::from_millis(200)).expect("a broker") {
            look(&Seen::of(&frame));
            looked += 1;
        }
        (packets(&broker, name) > before + 3 * HELD as u64 && looked > HELD).then_some(())
    });
    for (_, held) in &readers {
        for (frame, bytes) in held {
            assert!(
                frame.bytes() == bytes,
                "frame {} has changed",
                frame.sequence()
            );
            look(&Seen::of(frame));
        }
    }
    let told = network(&broker, name);
    assert_eq!(
        (&told["copied"], &told["dropped"]),
        (&0.into(), &0.into()),
        "{told}"
    );
    assert_eq!(told["damaged"], 0);
}

fn is_video(seen: &Seen) {
    let number = checks::camera(seen, 640, 360);
    let shown = Shown {
        scene: Scene::Colour,
        shown: expected::shown(number, 30),
        width: 640,
        height: 360,
        is_exact: false,
    };
    shown.is_seen(seen);
}

fn is_grey(seen: &Seen) {
    let number = checks::grey(seen);
    let shown = Shown {
        scene: Scene::Grey,
        shown: expected::shown(number, 30),
        width: 640,
        height: 480,
        is_exact: false,
    };
    shown.is_seen(seen);
}

#[test]
fn colour_pictures_decoded_in_place_stand_still() {
    stands_still(
        "127.80.73.1",
        "pv",
        "pv?size=640x360&calibration=no",
        is_video,
    );
}

#[test]
fn colour_pictures_of_the_other_codec_stand_still() {
    let what = "pv?size=640x360&profile=h264-main&calibration=no";
    stands_still("127.80.73.2", "pv", what, is_video);
}

#[test]
fn grey_pictures_decoded_in_place_stand_still() {
    stands_still(
        "127.80.73.3",
        "lf",
        "vlc-left-front?calibration=no",
        is_grey,
    );
}

/// Pictures are made from twelve before them, and there are fewer slots than that: what the decoder looks at is left
/// alone, and where no other slot is left pictures are decoded elsewhere and copied.
#[test]
fn a_slot_the_decoder_looks_at_is_not_written() {
    let host = "127.80.73.4";
    let _device = headset(host);
    let what = "pv?size=640x360&profile=h264-high&calibration=no";
    let broker = Broker::with_config(&stream(host, "pv", what));
    let asked = Subscription::builder("pv").socket(broker.socket());
    let mut reader = asked.latest().wait(true).open().expect("it may be read");
    let mut looked = 0;
    eventually("three key frames have passed", || {
        if let Some(frame) = reader.next(Duration::from_millis(200)).expect("a broker") {
            is_video(&Seen::of(&frame));
            looked += 1;
        }
        (packets(&broker, "pv") > 100 && looked > 30).then_some(())
    });
    let told = network(&broker, "pv");
    assert!(
        told["copied"].as_u64() > Some(0),
        "the decoder holds all slots: {told}"
    );
    assert_eq!(
        (&told["dropped"], &told["damaged"]),
        (&0.into(), &0.into()),
        "{told}"
    );
}
