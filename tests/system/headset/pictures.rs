//! Pictures of the colour camera, of grey cameras and of one that was plugged in: every codec, size and format.

use crate::colours::Shown;
use crate::reader::{Mark, Reader, frames};
use crate::seen::Seen;
use crate::{add, becomes, broker, checks, headset, remove};
use streamem::{Format, flags};
use streamem_headset::expected::{self, Scene};
use streamem_headset::{Fault, Port, When};

/// Pictures from one key frame to the next, unless said.
const GROUP: u64 = 30;

fn shown(scene: Scene, number: u64, (width, height): (u16, u16), is_exact: bool) -> Shown {
    Shown {
        scene,
        shown: expected::shown(number, GROUP),
        width: width.into(),
        height: height.into(),
        is_exact,
    }
}

/// A colour picture: what it shows and what is said of it belong together. Its number.
fn is_video(seen: &Seen, size: (u16, u16), is_exact: bool) -> u64 {
    let number = checks::camera(seen, size.0, size.1);
    shown(Scene::Colour, number, size, is_exact).is_seen(seen);
    assert_eq!(seen.flags & flags::BROKEN, 0);
    number
}

/// A reader that looks at every pixel may come too late for a frame, but never sees one twice.
fn rise(marks: &[Mark]) {
    let rises = |two: &[Mark]| two[1].number > two[0].number && two[1].ticks > two[0].ticks;
    assert!(marks.windows(2).all(rises), "{marks:?}");
}

#[test]
fn one_connection_gives_every_format_of_a_picture() {
    let host = "127.80.10.1";
    let _device = headset(host);
    let formats = [
        "i420", "nv12", "bgr24", "rgb24", "bgra", "rgba", "gray8", "h265",
    ];
    let wanted = formats.map(|format| (format, format!("pv?size=640x360&format={format}")));
    let wanted: Vec<(&str, &str)> = wanted.iter().map(|(name, what)| (*name, &**what)).collect();
    let broker = broker(host, &wanted);
    let readers: Vec<Reader> = formats[..7]
        .iter()
        .map(|format| Reader::start(&broker, format, |seen| is_video(seen, (640, 360), false)))
        .collect();
    let packets = Reader::start(&broker, "h265", |seen| {
        let number = checks::camera(seen, 640, 360);
        let is_key = seen.flags & flags::KEY != 0;
        assert_eq!(is_key, number.is_multiple_of(GROUP), "packet {number}");
        assert_eq!(seen.bytes[..4], [0, 0, 0, 1], "an access unit as it came");
        number
    });
    readers.iter().for_each(|reader| reader.goes_on(40));
    let (marks, _) = packets.finish();
    for (seen, _) in readers.into_iter().map(Reader::finish) {
        rise(&seen);
        // The device's time of a picture is the same in each of its formats.
        for mark in &seen {
            let packet = marks.iter().find(|packet| packet.number == mark.number);
            let ticks = packet.is_none_or(|packet| packet.ticks == mark.ticks);
            assert!(ticks, "{mark:?}");
        }
    }
}

#[test]
fn every_size_and_codec_of_the_colour_camera_is_right() {
    let host = "127.80.10.2";
    let _device = headset(host);
    let broker = broker(host, &[("eyes", "eyes")]);
    for ((width, height), profile, format) in [
        ((424, 240), "h264-base", "i420"),
        ((500, 282), "h264-main", "i420"),
        ((760, 428), "h264-high", "nv12"),
        ((640, 360), "h264-high", "h264"),
        ((1128, 636), "hevc", "bgr24"),
        ((1504, 846), "hevc", "i420"),
        ((1952, 1100), "h264-main", "i420"),
        ((1280, 720), "h264-base", "rgba"),
        ((760, 428), "raw", "nv12"),
        ((1952, 1100), "raw", "nv12"),
        ((500, 282), "raw", "bgr24"),
        ((424, 240), "raw", "gray8"),
    ] {
        let what = format!("pv?size={width}x{height}&profile={profile}&format={format}");
        eprintln!("{what}");
        add(&broker, host, "pv", &what);
        let seen = frames(&broker, "pv", 5);
        let size = (width, height);
        let numbers: Vec<u64> = match seen[0].layout.format {
            Format::H264 => seen
                .iter()
                .map(|seen| checks::camera(seen, width, height))
                .collect(),
            _ => seen
                .iter()
                .map(|seen| is_video(seen, size, profile == "raw"))
                .collect(),
        };
        assert!(numbers.windows(2).all(|two| two[1] > two[0]), "{numbers:?}");
        let key = seen.iter().zip(&numbers).find(|(_, number)| **number == 0);
        assert!(key.is_none_or(|(seen, _)| profile == "raw" || seen.flags & flags::KEY != 0));
        remove(&broker, "pv");
    }
}

#[test]
fn grey_cameras_give_what_they_see() {
    let host = "127.80.10.3";
    let device = headset(host);
    let broker = broker(
        host,
        &[
            ("lf", "vlc-left-front"),
            ("ll", "vlc-left-left?profile=h264-main&format=bgr24"),
            ("rf", "vlc-right-front?profile=raw"),
            ("rf-colours", "vlc-right-front?profile=raw&format=rgb24"),
            ("rr", "vlc-right-right?profile=hevc&format=h265&poses=no"),
        ],
    );
    let look = |is_exact| {
        move |seen: &Seen| {
            let number = checks::grey(seen);
            if seen.layout.format != Format::H265 {
                shown(Scene::Grey, number, (640, 480), is_exact).is_seen(seen);
            }
            number
        }
    };
    let of = |name, is_exact| Reader::start(&broker, name, look(is_exact));
    let readers = [
        of("lf", false),
        of("ll", false),
        of("rf", true),
        of("rf-colours", true),
        of("rr", false),
    ];
    readers.iter().for_each(|reader| reader.goes_on(35));
    for reader in readers {
        rise(&reader.finish().0);
    }
    drop(device);
}

#[test]
fn a_camera_that_was_plugged_in_gives_what_it_sees() {
    let host = "127.80.10.4";
    let _device = headset(host);
    let broker = broker(host, &[("eyes", "eyes")]);
    for (profile, format) in [("hevc", "i420"), ("h264-main", "bgr24"), ("raw", "nv12")] {
        let what = format!("extended-video?size=640x480&profile={profile}&format={format}");
        add(&broker, host, "other", &what);
        for seen in frames(&broker, "other", 5) {
            let size = (640, 480);
            shown(Scene::Colour, seen.number(), size, profile == "raw").is_seen(&seen);
            assert_eq!(
                (seen.intrinsics, seen.exposure, &seen.optics),
                (None, None, &None)
            );
        }
        remove(&broker, "other");
    }
}

#[test]
fn what_befalls_one_packet_is_said_of_its_own_frame() {
    let host = "127.80.10.5";
    let device = headset(host);
    const ODD: u64 = 11;
    const BACK: u64 = 7_777_777;
    for port in [Port::PersonalVideo, Port::LeftFront] {
        device.fault(port, When::Packet(ODD), Fault::Unlocated);
        device.fault(port, When::Packet(ODD), Fault::Back { ticks: BACK });
    }
    let broker = broker(
        host,
        &[
            ("pv", "pv?size=640x360"),
            ("lf", "vlc-left-front?profile=h264-main"),
        ],
    );
    let no_pose = |seen: &Seen, number: u64| assert_eq!(seen.pose.is_none(), number == ODD);
    let pv = Reader::start(&broker, "pv", move |seen| {
        let number = is_video(seen, (640, 360), false);
        no_pose(seen, number);
        number
    });
    let lf = Reader::start(&broker, "lf", move |seen| {
        let number = checks::grey(seen);
        no_pose(seen, number);
        number
    });
    for reader in [pv, lf] {
        reader.goes_on(20);
        let (marks, _) = reader.finish();
        let ticks = |number: u64| {
            let mark = marks.iter().find(|mark| mark.number == number);
            mark.unwrap_or_else(|| panic!("frame {number} was published: {marks:?}"))
                .ticks
        };
        assert!(ticks(ODD) < ticks(ODD - 1) && ticks(ODD - 1) < ticks(ODD + 1));
        let between = (ticks(ODD - 1)..ticks(ODD + 1)).contains(&(ticks(ODD) + BACK));
        assert!(
            between,
            "its time is earlier by as much as was said: {marks:?}"
        );
    }
    becomes(&broker, "pv", "live", "");
}
