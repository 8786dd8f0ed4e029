//! Microphones: every sample where it belongs, in blocks of whatever length.

use crate::reader::frames;
use crate::seen::{Seen, f32_at};
use crate::{add, broker, headset, remove};
use streamem::{Format, flags};
use streamem_headset::expected::{ARRAY_CHANNELS, sound};
use streamem_headset::{Fault, Port, When};

/// Of sound that was encoded, how far a sample may be off. The loudest is 0.25.
const OFF: f64 = 0.05;

/// The rows of a block, as numbers from -1 to 1.
fn rows(seen: &Seen) -> Vec<Vec<f64>> {
    let array = seen.layout.array.as_ref().expect("an array");
    let [channels, samples] = array.shape[..] else {
        panic!("{array:?}");
    };
    let [channels, samples] = [channels, samples].map(|count| usize::try_from(count).expect("few"));
    let number = |row: usize, sample: usize| match seen.layout.format {
        Format::F32 => f64::from(f32_at(seen.row(0, row, samples * 4), sample * 4)),
        _ => {
            let row = seen.row(0, row, samples * 2);
            f64::from(i16::from_le_bytes([row[sample * 2], row[sample * 2 + 1]])) / 32768.0
        }
    };
    (0..channels)
        .map(|row| (0..samples).map(|at| number(row, at)).collect())
        .collect()
}

/// The largest difference from what the device heard, if the block begins with this sample.
fn off(rows: &[Vec<f64>], first: u64) -> f64 {
    let of_row = |(channel, row): (usize, &Vec<f64>)| {
        let wanted = (first..).map(move |sample| sound(channel, sample));
        row.iter()
            .zip(wanted)
            .map(|(one, other)| (one - other).abs())
            .fold(0.0, f64::max)
    };
    rows.iter().enumerate().map(of_row).fold(0.0, f64::max)
}

/// Where a block begins: the lowest tone comes again after 128 samples.
fn phase(rows: &[Vec<f64>]) -> (u64, f64) {
    let all = (0..128).map(|first| (first, off(rows, first)));
    all.min_by(|one, other| one.1.total_cmp(&other.1))
        .expect("some phase")
}

fn are_right(seen: &[Seen], channels: usize, samples: u64, most: f64) {
    let (begins, at) = (seen[0].ticks, phase(&rows(&seen[0])).0);
    // What was encoded is too far off to tell one sample from the next.
    let slack = if most < OFF { 0 } else { 1 };
    for (index, seen) in seen.iter().enumerate() {
        let rows = rows(seen);
        assert_eq!((rows.len(), rows[0].len() as u64), (channels, samples));
        let (first, off) = phase(&rows);
        assert!(off <= most, "block {index} is off by {off}");
        // Blocks follow each other without a sample between them.
        let due = at + index as u64 * samples;
        let apart = (first + 128 - due % 128) % 128;
        assert!(
            apart.min(128 - apart) <= slack,
            "block {index} begins with {first}, not {due}"
        );
        let passed = (index as u64 * samples) * 10_000_000 / 48_000;
        let apart = (begins + passed).abs_diff(seen.ticks);
        assert!(
            apart < 1000,
            "block {index} is said to be {apart} ticks elsewhere"
        );
    }
}

#[test]
fn sound_is_what_was_heard_in_blocks_of_any_length() {
    let host = "127.80.60.1";
    let _device = headset(host);
    let broker = broker(host, &[("eyes", "eyes")]);
    let step = 1.0 / 32768.0;
    for (what, channels, samples, most) in [
        ("profile=raw&format=s16&samples=768", 2, 768, 1.5 * step),
        ("profile=raw&format=f32&samples=1000", 2, 1000, 1.5 * step),
        ("profile=raw&format=s16&samples=100", 2, 100, 1.5 * step),
        (
            "profile=array&format=f32&samples=4096",
            ARRAY_CHANNELS,
            4096,
            1e-6,
        ),
        ("profile=array&format=s16", ARRAY_CHANNELS, 1024, 1.5 * step),
    ] {
        eprintln!("{what}");
        add(&broker, host, "mc", &format!("microphone?{what}"));
        are_right(&frames(&broker, "mc", 8), channels, samples, most);
        remove(&broker, "mc");
    }
}

#[test]
fn encoded_sound_is_what_was_heard() {
    let host = "127.80.60.2";
    let _device = headset(host);
    let broker = broker(host, &[("eyes", "eyes")]);
    for (stream, what, samples) in [
        ("microphone", "format=f32", 1024),
        (
            "microphone",
            "profile=aac-16000&format=s16&samples=480",
            480,
        ),
        ("extended-audio", "mixer=both", 1024),
    ] {
        eprintln!("{stream} {what}");
        add(&broker, host, "mc", &format!("{stream}?{what}"));
        let seen = frames(&broker, "mc", 12);
        // An encoder begins with silence.
        are_right(&seen[seen.len() - 6..], 2, samples, OFF);
        remove(&broker, "mc");
    }
    add(
        &broker,
        host,
        "mc",
        "extended-audio?profile=raw&format=s16&samples=768",
    );
    are_right(&frames(&broker, "mc", 6), 2, 768, 1.5 / 32768.0);
}

#[test]
fn no_block_has_a_hole() {
    let host = "127.80.60.3";
    let device = headset(host);
    for packet in [5, 11, 12, 20] {
        device.fault(Port::Microphone, When::Packet(packet), Fault::Drop);
    }
    device.fault(Port::Microphone, When::Packet(30), Fault::Cut { byte: 500 });
    let broker = broker(
        host,
        &[("mc", "microphone?profile=raw&format=f32&samples=1000")],
    );
    let seen = frames(&broker, "mc", 40);
    for (index, block) in seen.iter().enumerate() {
        let (_, off) = phase(&rows(block));
        assert!(off < 1e-4, "block {index} is off by {off}");
    }
    let gaps = seen.iter().filter(|block| block.flags & flags::GAP != 0);
    assert!(gaps.count() >= 2, "what is missing is said");
}
