//! Movement, eyes, head and hands: every number as the device sent it.

use crate::reader::Reader;
use crate::seen::{Seen, f32_at, u32_at};
use crate::{broker, checks, headset};
use streamem_headset::expected::{self, HANDS, JOINTS};
use streamem_headset::payload;

const SENSORS: [(&str, &str, usize); 3] = [
    ("acc", "accelerometer", 93),
    ("gyr", "gyroscope", 315),
    ("mag", "magnetometer", 11),
];
const POINT: usize = 40;

#[test]
fn every_sample_of_movement_is_exact() {
    let host = "127.80.50.1";
    let _device = headset(host);
    let broker = broker(host, &SENSORS.map(|(name, what, _)| (name, what)));
    let readers = SENSORS.map(|(name, _, count)| {
        let place = SENSORS
            .iter()
            .position(|it| it.0 == name)
            .expect("it is there");
        let kind = expected::inertial(place);
        Reader::start(&broker, name, move |seen| {
            checks::samples(seen, kind, count)
        })
    });
    readers.iter().for_each(|reader| reader.goes_on(6));
    for reader in readers {
        assert_eq!(reader.finish().1, 0);
    }
}

#[test]
fn movement_as_those_know_it_who_had_the_original() {
    let host = "127.80.50.2";
    let _device = headset(host);
    let wanted = SENSORS.map(|(name, what, _)| (name, format!("{what}?format=gray8")));
    let wanted = wanted.each_ref().map(|(name, what)| (*name, &**what));
    let broker = broker(host, &wanted);
    let readers = SENSORS.map(|(name, _, count)| {
        let place = SENSORS
            .iter()
            .position(|it| it.0 == name)
            .expect("it is there");
        let kind = expected::inertial(place);
        Reader::start(&broker, name, move |seen: &Seen| {
            let number = seen.number();
            assert_eq!(
                seen.layout.array.as_ref().expect("an array").shape,
                [28, count as u64]
            );
            let first = kind.batch * number;
            let first_ticks = seen.ticks - expected::sample(kind, first, 0).ticks;
            let samples = (first..).take(count);
            let samples = samples.map(|sample| expected::sample(kind, sample, first_ticks));
            let whole = payload::samples(samples);
            let known = whole
                .as_chunks::<32>()
                .0
                .iter()
                .flat_map(|record| &record[..28]);
            assert!(known.eq(&seen.bytes), "packet {number}");
            number
        })
    });
    readers.iter().for_each(|reader| reader.goes_on(4));
    readers.into_iter().for_each(|reader| drop(reader.finish()));
}

#[test]
fn eyes_are_where_they_look() {
    let host = "127.80.50.3";
    let _device = headset(host);
    let broker = broker(host, &[("eyes", "eyes?rate=60")]);
    let reader = Reader::start(&broker, "eyes", checks::eyes);
    reader.goes_on(40);
    assert_eq!(reader.finish().1, 0);
}

/// The packet's number is in the head's place, the eye's and each joint's; what is not valid is all zero.
fn is_input(seen: &Seen) -> u64 {
    assert_eq!(seen.pose, None, "it is told by itself");
    assert_eq!(seen.bytes.len(), (5 + HANDS * JOINTS) * POINT);
    let at = |point: usize| &seen.bytes[point * POINT..][..POINT];
    let vector = |point: usize| [4, 8, 12].map(|axis| f32_at(at(point), axis));
    let is_valid = |point: usize| u32_at(at(point), 0) == 1;
    let said = [0, 3, 5, 5 + JOINTS].map(is_valid);
    let number = if said[0] {
        vector(0)[0]
    } else if said[1] {
        vector(3)[0]
    } else if said[2] || said[3] {
        vector(if said[2] { 5 } else { 5 + JOINTS })[2] * -4.0
    } else {
        assert!(seen.bytes.iter().all(|byte| *byte == 0));
        return u64::MAX;
    };
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count"
    )]
    let number = number as u64;
    let wanted = expected::input(number);
    let bits = [0, 1, 2, 3].map(|bit| wanted.valid >> bit & 1 == 1);
    assert_eq!(said, bits, "packet {number}");
    if said[0] {
        let head = [wanted.head_position, wanted.head_forward, wanted.head_up];
        assert_eq!([0, 1, 2].map(vector), head);
    }
    if said[1] {
        assert_eq!([3, 4].map(vector), wanted.eye);
    }
    for (hand, joints) in wanted.hands.iter().enumerate() {
        for (index, joint) in joints.iter().enumerate() {
            let point = 5 + hand * JOINTS + index;
            if !said[2 + hand] {
                assert!(at(point).iter().all(|byte| *byte == 0));
                continue;
            }
            assert_eq!(vector(point), joint.position, "packet {number}");
            let turned = [16, 20, 24, 28].map(|axis| f32_at(at(point), axis));
            assert_eq!(turned, joint.orientation);
            assert_eq!(f32_at(at(point), 32).to_bits(), joint.radius.to_bits());
            assert_eq!(u32_at(at(point), 36).cast_signed(), joint.accuracy);
        }
    }
    number
}

#[test]
fn head_and_hands_are_where_they_are() {
    let host = "127.80.50.4";
    let _device = headset(host);
    let broker = broker(host, &[("spatial", "spatial")]);
    let reader = Reader::start(&broker, "spatial", is_input);
    reader.goes_on(40);
    let (marks, missed) = reader.finish();
    assert_eq!(missed, 0);
    let told = |two: &[crate::reader::Mark]| two.iter().all(|mark| mark.number != u64::MAX);
    let is_next = |two: &[crate::reader::Mark]| !told(two) || two[1].number == two[0].number + 1;
    assert!(marks.windows(2).all(is_next), "{marks:?}");
}
