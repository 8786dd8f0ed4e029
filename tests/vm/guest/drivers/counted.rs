//! The number vivid draws into each of its frames, and the one readers are told.
//!
//! Owns reading it: by what each digit looks like, which is learned from the frames themselves.

use crate::scene::{broker_with, is_live, next, subscribed, turn};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use streamem::{Frame, Subscription, flags};
use streamem_tests::{Broker, Consumer, eventually};

const CAMERA: &str = "v4l2:///dev/video0?size=640x360&rate=30&format=yuyv";
const LARGE: &str = "v4l2:///dev/video0?size=1920x1080&rate=2&format=yuyv";
const STRIDE: usize = 640 * 2;
/// Where the number stands: behind the time, in letters of 8 by 16 pixels.
const FIRST_LETTER: usize = 14;
const LETTERS: usize = 4;
/// So many frames in a row have every digit in them.
const WELL_COUNTED: usize = 25;
const LEFT: usize = 16;
const TOP: usize = 16;

/// What the letters look like where the number stands.
fn letters(frame: &Frame) -> Vec<Vec<u8>> {
    let picture = frame.plane(0).expect("it has a plane");
    let letter = |letter: usize| {
        let left = LEFT + 8 * (FIRST_LETTER + letter);
        let row = |row: usize| {
            let from = (TOP + row) * STRIDE + left * 2;
            picture[from..from + 16].iter().step_by(2).copied()
        };
        (0..16).flat_map(row).collect()
    };
    (0..LETTERS).map(letter).collect()
}

/// What was seen of a frame: the number told, and the letters drawn.
type Seen = (u64, Vec<Vec<u8>>);

/// Which digit looks like what.
type Digits = BTreeMap<Vec<u8>, u8>;

/// The digits, if the driver drew one more into each frame, and its number of the first was `from`. Each
/// must always look the same, and like no other.
fn digits(seen: &[Seen], from: u64) -> Option<Digits> {
    let mut looks: BTreeMap<u8, &Vec<u8>> = BTreeMap::new();
    for (told, letters) in seen {
        let number = told - seen[0].0 + from;
        for (digit, look) in number.to_string().bytes().zip(letters) {
            if *looks.entry(digit).or_insert(look) != look {
                return None;
            }
        }
    }
    let digits: Digits = looks
        .into_iter()
        .map(|(digit, look)| (look.clone(), digit))
        .collect();
    (digits.len() == 10).then_some(digits)
}

/// Learns them from a stretch in which the driver counted well.
fn learned(seen: &[Seen]) -> Digits {
    let some = seen.windows(WELL_COUNTED);
    let found = some.flat_map(|some| (0..1000).map(move |from| (some, from)));
    let mut digits = found.filter_map(|(some, from)| digits(some, from));
    digits.next().expect("some frames follow one another")
}

/// The number drawn into a frame.
fn drawn(letters: &[Vec<u8>], digits: &Digits) -> u64 {
    let drawn: Vec<u8> = letters
        .iter()
        .map_while(|look| digits.get(look).copied())
        .collect();
    let drawn = String::from_utf8(drawn).expect("digits");
    drawn.parse().expect("a number is drawn")
}

/// Takes frames for so long. Each that is missing is told, by the broker or by the driver.
fn watch(reader: &mut Subscription, time: Duration, takes_all: bool) -> Vec<Seen> {
    let (begun, mut seen): (_, Vec<Seen>) = (Instant::now(), Vec::new());
    while begun.elapsed() < time {
        let frame = next(reader);
        let told = frame.source_sequence();
        if let Some((before, _)) = seen.last() {
            assert!(told > *before);
            let is_next = told == before + 1;
            let is_told = frame.flags() & flags::GAP != 0 || frame.missed() > 0;
            assert!(is_next || is_told, "{told} after {before}");
            assert!(!takes_all || !is_next || !is_told, "{told} after {before}");
        }
        seen.push((told, letters(&frame)));
        if !takes_all {
            drop(frame);
            std::thread::sleep(Duration::from_millis(70));
        }
    }
    seen
}

fn counts(broker: &Broker, time: Duration) {
    let slow = Subscription::builder("cam")
        .socket(broker.socket())
        .leases(2)
        .open();
    let mut slow = slow.expect("it may be read");
    let newest = std::thread::spawn(move || watch(&mut slow, time, false));
    let each = watch(&mut subscribed(broker), time, true);
    let newest = newest.join().expect("it watched");
    let digits = learned(&each);
    let each: Vec<(u64, u64)> = each
        .iter()
        .map(|(told, letters)| (*told, drawn(letters, &digits)))
        .collect();
    for two in each.windows(2) {
        let [(told_before, before), (told, number)] = two else {
            unreachable!("two are two");
        };
        // vivid that is late gives one number to two frames, which are two all the same.
        let is_again = number == before && *told == told_before + 1;
        assert!(is_again || number - before == told - told_before, "{two:?}");
    }
    let each: BTreeMap<u64, u64> = each.into_iter().collect();
    let shared = newest
        .iter()
        .filter_map(|(told, letters)| Some((each.get(told)?, letters)));
    let shared: Vec<_> = shared.collect();
    for (number, letters) in &shared {
        assert_eq!(
            drawn(letters, &digits),
            **number,
            "who takes the newest sees another frame"
        );
    }
    assert!(
        each.len() > 60 && shared.len() > 20,
        "{} and {}",
        each.len(),
        shared.len()
    );
}

#[test]
fn counted_frames_are_those_that_are_told_in_every_way() {
    turn("osd_text_mode", 1);
    for fill in ["copy", "export", "import"] {
        let broker = broker_with(&format!("{CAMERA}&fill={fill}"));
        is_live(&broker);
        counts(&broker, Duration::from_secs(20));
    }
}

#[test]
fn counted_large_frames_are_missed_by_nobody_but_who_stands_still() {
    for fill in ["export", "import"] {
        let broker = broker_with(&format!("{LARGE}&fill={fill}"));
        is_live(&broker);
        let options = ["mode=every", "depth=4", "leases=1"];
        let mut still = Consumer::start(&broker.socket(), "cam", &options);
        eventually("it reads", || (still.count("frames") >= 1).then_some(()));
        // They only take frames, since to look at so many bytes takes an emulated machine too long.
        let take = |mut reader: Subscription, frames: u32| {
            let missed = (0..frames).map(|_| next(&mut reader).missed()).sum::<u64>();
            (reader, missed)
        };
        let others = (0..3).map(|_| {
            let builder = Subscription::builder("cam").socket(broker.socket());
            let reader = builder.every(4).leases(1).open().expect("it may be read");
            take(reader, 1).0
        });
        let others: Vec<Subscription> = others.collect();
        still.stop();
        let taking = others
            .into_iter()
            .map(|reader| std::thread::spawn(move || take(reader, 12).1));
        for other in taking.collect::<Vec<_>>() {
            assert_eq!(
                other.join().expect("frames come"),
                0,
                "missed beside one that stands still"
            );
        }
        let dropped = broker.stream("cam")["counters"]["dropped_no_slot"].clone();
        still.resume();
        assert_eq!(dropped, 0, "the driver always had slots");
    }
}
