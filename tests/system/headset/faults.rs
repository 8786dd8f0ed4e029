//! What a device or the network between may do, one thing at a time: the stream says so, comes back by itself, its
//! neighbours miss nothing, and no frame is published that was not sent.

use crate::reader::{Mark, Reader};
use crate::seen::Seen;
use crate::{becomes, broker, checks, headset, network, worker_of};
use std::time::Duration;
use streamem::flags;
use streamem_headset::request::Size;
use streamem_headset::{Fault, Headset, Port, When, expected};
use streamem_tests::{Broker, eventually, proc};

const GREY: (&str, &str) = ("lf", "vlc-left-front?profile=raw&calibration=no");
const EYES: (&str, &str) = ("eyes", "eyes?rate=30");

fn look_grey(seen: &Seen) -> u64 {
    let number = checks::grey(seen);
    let shown = expected::shown(number, 30);
    let wanted = expected::nv12(expected::Scene::Grey, shown, 640, 480, 640);
    assert!(
        seen.bytes[..] == wanted[..640 * 480],
        "picture {number} is as it was sent"
    );
    number
}

/// A device whose grey camera has this done to it, and a neighbour nobody touches.
fn tried(host: &str, faults: &[(When, Fault)]) -> (Headset, Broker, Reader, Reader) {
    let device = headset(host);
    for (when, fault) in faults {
        device.fault(Port::LeftFront, *when, *fault);
    }
    let broker = broker(host, &[GREY, EYES]);
    let eyes = Reader::start(&broker, "eyes", checks::eyes);
    let grey = Reader::start(&broker, "lf", look_grey);
    (device, broker, grey, eyes)
}

/// The neighbour saw one after the other, from a single connection.
fn is_untouched(broker: &Broker, reader: Reader) {
    reader.goes_on(20);
    let (marks, missed) = reader.finish();
    assert_eq!(missed, 0);
    is_first(broker, "eyes");
    let is_next = |two: &[Mark]| two[1].packet == two[0].packet + 1;
    assert!(marks.windows(2).all(is_next), "{marks:?}");
}

/// It still has the connection it had at first.
fn is_first(broker: &Broker, stream: &str) {
    let reconnects = eventually("its connection is told of", || {
        network(broker, stream)["reconnects"].as_u64()
    });
    assert_eq!(reconnects, 0);
}

fn has_reconnected(broker: &Broker, stream: &str) {
    eventually("it is connected to again", || {
        (network(broker, stream)["reconnects"].as_u64()? >= 1).then_some(())
    });
    becomes(broker, stream, "live", "");
}

#[test]
fn a_size_that_cannot_be_ends_the_connection_and_nothing_else() {
    for (place, value) in [u32::MAX, 0, 23, (1 << 20) + 1].into_iter().enumerate() {
        let fault = Fault::Size { value };
        let host = format!("127.80.20.{}", place + 1);
        let (_device, broker, grey, eyes) = tried(&host, &[(When::Packet(3), fault)]);
        becomes(&broker, "lf", "lost", "announces a payload");
        has_reconnected(&broker, "lf");
        grey.goes_on(5);
        grey.finish();
        is_untouched(&broker, eyes);
    }
}

#[test]
fn a_size_that_is_not_true_is_found_out() {
    for (place, difference) in [-8, 8, 4096].into_iter().enumerate() {
        let fault = Fault::SizeBy { difference };
        let host = format!("127.80.21.{}", place + 1);
        let (_device, broker, grey, eyes) = tried(&host, &[(When::Packet(3), fault)]);
        has_reconnected(&broker, "lf");
        grey.goes_on(5);
        let (marks, _) = grey.finish();
        assert!(marks.iter().any(|mark| mark.number <= 2), "{marks:?}");
        is_untouched(&broker, eyes);
    }
}

#[test]
fn bytes_that_do_not_belong_there_are_found_out() {
    let (_device, broker, grey, eyes) = tried(
        "127.80.22.1",
        &[(When::Packet(3), Fault::Insert { byte: 0, count: 5 })],
    );
    has_reconnected(&broker, "lf");
    grey.goes_on(5);
    grey.finish();
    is_untouched(&broker, eyes);
}

#[test]
fn what_is_slow_or_in_pieces_arrives_all_the_same() {
    let (device, broker, grey, eyes) = tried(
        "127.80.23.1",
        &[
            (When::Packet(2), Fault::Delay { milliseconds: 1500 }),
            (
                When::Packet(4),
                Fault::Slow {
                    per_second: 100_000,
                },
            ),
            (When::Packet(6), Fault::Empty),
        ],
    );
    device.fault(Port::Accelerometer, When::Always, Fault::Split { bytes: 1 });
    grey.goes_on(20);
    let (marks, _) = grey.finish();
    let numbers: Vec<u64> = marks.iter().map(|mark| mark.number).collect();
    for number in [2, 4] {
        assert!(numbers.contains(&number), "{numbers:?}");
    }
    assert!(
        !numbers.contains(&6),
        "there was nothing in packet 6: {numbers:?}"
    );
    is_first(&broker, "lf");
    crate::add(&broker, "127.80.23.1", "acc", "accelerometer");
    let acc = Reader::start(&broker, "acc", |seen| {
        checks::samples(seen, expected::inertial(0), 93)
    });
    acc.goes_on(5);
    acc.finish();
    is_untouched(&broker, eyes);
}

#[test]
fn a_picture_of_another_length_is_no_frame() {
    let (_device, broker, grey, eyes) = tried(
        "127.80.24.1",
        &[
            (When::Packet(3), Fault::Body { bytes: 1000 }),
            (
                When::Packet(5),
                Fault::Body {
                    bytes: 640 * 480 + 640,
                },
            ),
            (When::Packet(7), Fault::Bare),
        ],
    );
    // Without its trailer the last bytes of a picture would be taken for it, and those say no such thing.
    eventually("those packets are counted", || {
        (network(&broker, "lf")["damaged"].as_u64()? >= 3).then_some(())
    });
    grey.goes_on(5);
    let (marks, _) = grey.finish();
    assert!(
        marks.iter().all(|mark| ![3, 5, 7].contains(&mark.number)),
        "{marks:?}"
    );
    for number in [4, 6, 8] {
        if let Some(mark) = marks.iter().find(|mark| mark.number == number) {
            assert_ne!(
                mark.flags & flags::GAP,
                0,
                "a frame is missing before {number}"
            );
        }
    }
    is_untouched(&broker, eyes);
}

#[test]
fn a_device_that_says_nothing_is_lost_until_it_does() {
    let (_device, broker, grey, eyes) = tried(
        "127.80.25.1",
        &[(When::Packet(3), Fault::Silence { byte: 0 })],
    );
    becomes(&broker, "lf", "lost", "is connected and sends nothing");
    becomes(
        &broker,
        "lf",
        "lost",
        "nothing has come from the device for 10 s",
    );
    has_reconnected(&broker, "lf");
    grey.goes_on(5);
    grey.finish();
    is_untouched(&broker, eyes);
}

#[test]
fn a_device_that_falls_silent_within_a_picture_is_lost() {
    let byte = 5000;
    let (_device, broker, grey, eyes) =
        tried("127.80.26.1", &[(When::Packet(3), Fault::Silence { byte })]);
    becomes(
        &broker,
        "lf",
        "lost",
        "nothing has come from the device for 10 s",
    );
    has_reconnected(&broker, "lf");
    grey.goes_on(5);
    grey.finish();
    is_untouched(&broker, eyes);
}

#[test]
fn a_port_that_is_taken_refused_or_busy_is_tried_again() {
    let host = "127.80.27.1";
    let device = headset(host);
    device.fault(Port::LeftFront, When::Packet(0), Fault::Refuse);
    device.fault(Port::PersonalVideo, When::Packet(0), Fault::Busy);
    // Another client is served on this port; whoever comes next waits without a word.
    let mut taken = std::net::TcpStream::connect(device.address(Port::EyeTracker)).expect("a port");
    std::io::Write::write_all(&mut taken, &[30]).expect("it is served");
    let pv = (
        "pv",
        "pv?size=424x240&profile=raw&format=gray8&calibration=no",
    );
    let broker = broker(host, &[GREY, ("eyes", "eyes"), pv]);
    becomes(&broker, "lf", "lost", "closed the connection");
    becomes(&broker, "eyes", "lost", "is connected and sends nothing");
    drop(taken);
    for name in ["lf", "eyes", "pv"] {
        becomes(&broker, name, "live", "");
    }
}

#[test]
fn a_remote_port_somebody_else_has_keeps_from_nothing() {
    let host = "127.80.27.2";
    let device = headset(host);
    let taken = std::net::TcpStream::connect(device.address(Port::Remote)).expect("a port");
    let broker = broker(host, &[GREY]);
    becomes(&broker, "lf", "live", "");
    drop(taken);
    eventually("the device's clock becomes known", || {
        network(&broker, "lf")["clock_error_ns"].as_u64()
    });
}

#[test]
fn time_that_goes_backwards_is_told_as_it_is() {
    let back = Fault::Back { ticks: 50_000_000 };
    let (_device, broker, grey, eyes) = tried("127.80.28.1", &[(When::Packet(5), back)]);
    grey.goes_on(20);
    let (marks, _) = grey.finish();
    if let Some(at) = marks
        .iter()
        .position(|mark| mark.number == 5)
        .filter(|at| *at > 0)
    {
        assert!(marks[at].ticks < marks[at - 1].ticks);
        assert!(marks[at].captured_ns < marks[at - 1].captured_ns);
        assert!(marks[at + 1].captured_ns > marks[at - 1].captured_ns);
    }
    is_untouched(&broker, eyes);
}

#[test]
fn another_size_in_a_shared_camera_is_said_with_what_to_configure() {
    let host = "127.80.29.1";
    let device = headset(host);
    let size = |width, height| Size {
        width,
        height,
        fps: 30,
    };
    let what = "pv?size=640x360&shared=yes&profile=raw&calibration=no";
    device.share(size(640, 360));
    let broker = broker(host, &[("pv", what), EYES]);
    let eyes = Reader::start(&broker, "eyes", checks::eyes);
    let pv = Reader::start(&broker, "pv", |seen| checks::camera(seen, 640, 360));
    pv.goes_on(5);
    device.share(size(424, 240));
    becomes(&broker, "pv", "lost", "set size=424x240");
    device.share(size(640, 360));
    becomes(&broker, "pv", "live", "");
    pv.goes_on(5);
    pv.finish();
    is_untouched(&broker, eyes);
}

#[test]
fn a_key_frame_comes_first_whenever_it_is_connected_to() {
    let host = "127.80.30.1";
    let device = headset(host);
    device.fault(
        Port::PersonalVideo,
        When::Packet(40),
        Fault::Cut { byte: 100 },
    );
    device.fault(
        Port::LeftFront,
        When::Packet(40),
        Fault::Reset { byte: 100 },
    );
    let broker = broker(
        host,
        &[
            ("pv", "pv?size=424x240"),
            ("lf", "vlc-left-front?profile=h264-base"),
        ],
    );
    let pv = Reader::start(&broker, "pv", |seen| checks::camera(seen, 424, 240));
    let lf = Reader::start(&broker, "lf", checks::grey);
    for (name, reader) in [("pv", pv), ("lf", lf)] {
        has_reconnected(&broker, name);
        reader.goes_on(5);
        let (marks, _) = reader.finish();
        let again = marks
            .windows(2)
            .position(|two| two[1].number < two[0].number);
        let again = marks[again.expect("a second connection") + 1];
        assert_eq!(again.number, 0, "{marks:?}");
        assert_ne!(again.flags & flags::KEY, 0, "{marks:?}");
    }
}

#[test]
fn damaged_pictures_are_published_only_to_who_wants_them() {
    let host = "127.80.31.1";
    let device = headset(host);
    let broken = Fault::Garbage {
        byte: 60,
        count: 300,
    };
    device.fault(Port::LeftFront, When::Packet(35), broken);
    device.fault(Port::LeftLeft, When::Packet(35), broken);
    let what = |camera: &str, more: &str| format!("vlc-{camera}?profile=h264-main{more}");
    let (whole, all) = (what("left-front", ""), what("left-left", "&damaged=yes"));
    let broker = broker(host, &[("whole", &whole), ("all", &all)]);
    let whole = Reader::start(&broker, "whole", |seen| {
        assert_eq!(seen.flags & flags::BROKEN, 0);
        checks::grey(seen)
    });
    let all = Reader::start(&broker, "all", checks::grey);
    eventually("both are behind the next key frame", || {
        let is_behind = |reader: &Reader| reader.marks().last().is_some_and(|it| it.number > 62);
        (is_behind(&whole) && is_behind(&all)).then_some(())
    });
    let (marks, _) = whole.finish();
    assert!(
        marks.iter().all(|mark| !(35..60).contains(&mark.number)),
        "{marks:?}"
    );
    let next = marks
        .iter()
        .find(|mark| mark.number >= 60)
        .expect("the next key frame");
    assert_eq!((next.number, next.flags), (60, flags::KEY | flags::GAP));
    let (marks, _) = all.finish();
    let broken = marks.iter().filter(|mark| mark.flags & flags::BROKEN != 0);
    assert!(broken.clone().count() > 10, "{marks:?}");
    assert!(
        broken.clone().all(|mark| (35..60).contains(&mark.number)),
        "{marks:?}"
    );
}

#[test]
fn a_device_that_was_away_and_starts_again_is_read_again() {
    let host = "127.80.32.1";
    let mut device = headset(host);
    device.switch_off();
    let broker = broker(host, &[GREY, EYES]);
    becomes(&broker, "lf", "lost", "application running");
    device.restart(Duration::ZERO).expect("its ports are free");
    let grey = Reader::start(&broker, "lf", look_grey);
    becomes(&broker, "lf", "live", "");
    grey.goes_on(5);
    let before = proc::memory(worker_of(&broker, "lf"), "Anonymous");
    for _ in 0..2 {
        device
            .restart(Duration::from_millis(300))
            .expect("its ports are free");
        becomes(&broker, "lf", "lost", "");
        becomes(&broker, "lf", "live", "");
        becomes(&broker, "eyes", "live", "");
        grey.goes_on(5);
    }
    grey.finish();
    let after = proc::memory(worker_of(&broker, "lf"), "Anonymous");
    assert!(
        after < before + (8 << 20),
        "{before} bytes before, {after} after"
    );
}
