//! A publisher that goes on writing into what it has published.
//!
//! Owns the scribbling; neither the broker nor the readers of what is decoded come to harm.

use super::raw::Raw;
use super::{CONFIG, HEIGHT, WIDTH, number_in, painted, read, state_becomes};
use serde_json::json;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;
use streamem_tests::jpeg::{Sampling, encode};
use streamem_tests::{Broker, eventually};
use streamem_wire::Slot;
use streamem_wire::stamp_strip::Strip;

const SLOT_BYTES: usize = 1 << 20;
const FRAMES: u64 = 300;

fn jpeg(number: u64) -> Vec<u8> {
    let pixels = painted(
        WIDTH,
        HEIGHT,
        Strip {
            number,
            made_ns: 1_000_000 + number,
        },
    );
    encode(super::bars(WIDTH, HEIGHT).layout(), &pixels, Sampling::Half)
}

fn put(words: &[AtomicU64], slot: Slot, bytes: &[u8]) {
    let words = &words[slot.index() * SLOT_BYTES / 8..];
    for (word, chunk) in words.iter().zip(bytes.chunks(8)) {
        let mut eight = [0; 8];
        eight[..chunk.len()].copy_from_slice(chunk);
        word.store(u64::from_le_bytes(eight), Relaxed);
    }
}

#[test]
fn what_changes_while_it_is_decoded_harms_nobody() {
    let broker = Broker::with_config(CONFIG);
    let layout =
        json!({"format": "mjpeg", "width": WIDTH, "height": HEIGHT, "bytes_max": SLOT_BYTES});
    let mut raw = Raw::begin_with(&broker, "cam", &layout, SLOT_BYTES);
    state_becomes(&broker, "picture", "live");
    let mut sub = read(&broker, "picture");
    let picture = jpeg(1);
    let mut was_decoded = 0_u64;
    for frame in 0..FRAMES {
        let slot = raw.slot();
        put(raw.pool.words(), slot, &picture);
        raw.frame_of(slot, picture.len() as u64);
        // Somewhere in the picture, the header too, and everywhere in turn.
        for step in 0..200 {
            let at = (frame * 7919 + step * 104_729) % (picture.len() as u64 / 8);
            let at = usize::try_from(at).expect("it is small");
            let word = &raw.pool.words()[slot.index() * SLOT_BYTES / 8 + at];
            word.store(word.load(Relaxed) ^ step << (step % 57), Relaxed);
        }
        while sub.try_next().expect("no error").is_some() {
            was_decoded += 1;
        }
    }
    assert!(broker.is_alive());
    let last = jpeg(2);
    eventually("a picture nobody scribbles on is decoded", || {
        let slot = raw.slot();
        put(raw.pool.words(), slot, &last);
        raw.frame_of(slot, last.len() as u64);
        thread::sleep(Duration::from_millis(20));
        let frame = sub.latest().expect("no error")?;
        (frame.flags() == 0 && number_in(&frame) == 2).then_some(())
    });
    let counters = &broker.stream("picture")["counters"];
    let spoilt = counters["dropped_by_source"].as_u64().expect("a number");
    assert!(
        was_decoded + spoilt > 10,
        "hardly anything was tried: {counters}"
    );
}
