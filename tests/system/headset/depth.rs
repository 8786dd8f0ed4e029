//! Depth and the brightness it was measured by: every way they are packed.

use crate::reader::{Mark, Reader, frames};
use crate::seen::Seen;
use crate::{add, broker, headset, remove};
use streamem_headset::expected::{
    self, AHAT_SIDE, EXTENDED_HEIGHT, EXTENDED_WIDTH, LONG_THROW_HEIGHT, LONG_THROW_WIDTH,
};

/// Pictures from one key frame to the next; of what is not encoded each stands for itself.
fn group(is_raw: bool) -> u64 {
    if is_raw { 1 } else { 45 }
}

/// Millimetres that depth may be off as a mean when it went through a picture codec: its steps are 4.
const DEPTH_MEAN: f64 = 8.0;
/// Brightness is squared after decoding; relative to what it was.
const BRIGHTNESS_MEAN: f64 = 0.06;

fn wanted(value: impl Fn(usize, usize) -> u16, width: usize, height: usize) -> Vec<u16> {
    let places = (0..height).flat_map(|row| (0..width).map(move |column| (column, row)));
    places.map(|(column, row)| value(column, row)).collect()
}

fn mean(one: &[u16], other: &[u16], of: impl Fn(f64, f64) -> f64) -> f64 {
    assert_eq!(one.len(), other.len());
    let pairs = one.iter().zip(other);
    let sum: f64 = pairs
        .map(|(one, other)| of((*one).into(), (*other).into()))
        .sum();
    #[allow(clippy::cast_precision_loss, reason = "a mean")]
    let count = one.len() as f64;
    sum / count
}

/// What is packed like this gives up to so much of it back.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Packed {
    Not,
    /// Zdepth: exact below 750, then in steps of 2 and 4.
    Blob,
    Picture,
}

/// From where on what is left of far values is only as exact as this.
fn step(depth: u16) -> u16 {
    match depth {
        0..=749 => 1,
        750..=1499 => 2,
        1500..=2999 => 4,
        _ => 8,
    }
}

fn is_depth(seen: &[u16], wanted: &[u16], packed: Packed, what: u64) {
    match packed {
        Packed::Not => assert!(seen == wanted, "packet {what}"),
        Packed::Blob => {
            for (seen, wanted) in seen.iter().zip(wanted) {
                let below = wanted.checked_sub(*seen);
                assert!(
                    below.is_some_and(|below| below < step(*wanted)),
                    "{seen} for {wanted}"
                );
            }
        }
        Packed::Picture => {
            let off = mean(seen, wanted, |one, other| (one - other).abs());
            assert!(off < DEPTH_MEAN, "packet {what}: depth is off by {off}");
        }
    }
}

fn near_depth(packed: Packed, is_raw: bool) -> impl Fn(&Seen) -> u64 {
    move |seen| {
        let number = seen.number();
        let shown = expected::shown(number, group(is_raw));
        let wanted = wanted(
            |x, y| expected::ahat_depth(shown, x, y),
            AHAT_SIDE,
            AHAT_SIDE,
        );
        is_depth(&seen.shorts(AHAT_SIDE, AHAT_SIDE), &wanted, packed, number);
        number
    }
}

fn near_brightness(is_raw: bool) -> impl Fn(&Seen) -> u64 {
    move |seen| {
        let number = seen.number();
        let shown = expected::shown(number, group(is_raw));
        let wanted = wanted(
            |x, y| expected::ahat_brightness(shown, x, y),
            AHAT_SIDE,
            AHAT_SIDE,
        );
        let seen = seen.shorts(AHAT_SIDE, AHAT_SIDE);
        if is_raw {
            assert!(seen == wanted, "packet {number}");
        } else {
            let off = mean(&seen, &wanted, |one, other| (one - other).abs() / other);
            assert!(
                off < BRIGHTNESS_MEAN,
                "packet {number}: brightness is off by {off}"
            );
        }
        number
    }
}

/// Both streams of a port say the same of the same packet.
fn agree(one: &[Mark], other: &[Mark]) {
    let mut shared = 0;
    for mark in one {
        if let Some(same) = other.iter().find(|same| same.packet == mark.packet) {
            let both = [mark, same].map(|it| (it.number, it.ticks, it.captured_ns));
            assert_eq!(both[0], both[1]);
            shared += 1;
        }
    }
    assert!(shared > 3, "they saw {shared} packets in common");
}

#[test]
fn depth_for_hands_is_right_however_it_is_packed() {
    let host = "127.80.40.1";
    let _device = headset(host);
    let broker = broker(host, &[("eyes", "eyes")]);
    for (more, packed, is_raw) in [
        ("depth=zdepth&profile=hevc", Packed::Blob, false),
        ("depth=same&profile=hevc", Packed::Picture, false),
        ("depth=same&profile=h264-main", Packed::Picture, false),
        ("depth=same&profile=raw", Packed::Not, true),
        ("depth=zdepth&profile=raw", Packed::Blob, true),
    ] {
        eprintln!("{more}");
        add(
            &broker,
            host,
            "depth",
            &format!("ahat-depth?{more}&calibration=no"),
        );
        add(
            &broker,
            host,
            "ab",
            &format!("ahat-ab?{more}&calibration=no"),
        );
        let depth = Reader::start(&broker, "depth", near_depth(packed, is_raw));
        let ab = Reader::start(&broker, "ab", near_brightness(is_raw));
        depth.goes_on(15);
        ab.goes_on(15);
        agree(&depth.finish().0, &ab.finish().0);
        remove(&broker, "depth");
        remove(&broker, "ab");
    }
}

#[test]
fn depth_of_the_room_is_exact() {
    let host = "127.80.40.2";
    let _device = headset(host);
    let broker = broker(
        host,
        &[("depth", "longthrow-depth"), ("ab", "longthrow-ab")],
    );
    let (width, height) = (LONG_THROW_WIDTH, LONG_THROW_HEIGHT);
    let of = |name: &str, value: fn(u64, usize, usize) -> u16| {
        Reader::start(&broker, name, move |seen| {
            let number = seen.number();
            let wanted = wanted(|x, y| value(number, x, y), width, height);
            assert!(seen.shorts(width, height) == wanted, "packet {number}");
            number
        })
    };
    let depth = of("depth", expected::long_throw_depth);
    let ab = of("ab", expected::long_throw_brightness);
    depth.goes_on(6);
    ab.goes_on(6);
    agree(&depth.finish().0, &ab.finish().0);
}

#[test]
fn depth_of_a_camera_that_was_plugged_in_is_right() {
    let host = "127.80.40.3";
    let _device = headset(host);
    let broker = broker(host, &[("eyes", "eyes")]);
    let width = expected::stride(EXTENDED_WIDTH, 63);
    for (profile, packed) in [("same", Packed::Not), ("zdepth", Packed::Blob)] {
        let what = format!("extended-depth?size={width}x{EXTENDED_HEIGHT}&depth={profile}");
        add(&broker, host, "other", &what);
        for seen in frames(&broker, "other", 5) {
            let number = seen.number();
            let wanted = wanted(
                |x, y| expected::extended_depth(number, x, y),
                width,
                EXTENDED_HEIGHT,
            );
            is_depth(
                &seen.shorts(width, EXTENDED_HEIGHT),
                &wanted,
                packed,
                number,
            );
        }
        remove(&broker, "other");
    }
}
