//! A publisher that writes what it must not: it is told, and nobody else notices.
//!
//! Owns the misdeeds on the submission page.

use super::raw::{FRAME_BYTES, Raw};
use super::{assert_honest, broker, reader, take};
use std::process::Command;
use std::sync::atomic::Ordering::Relaxed;
use streamem_tests::{Broker, Consumer, binaries, eventually};
use streamem_wire::submission::Rejection;
use streamem_wire::{Generation, Slot, lease_word, record};

/// A broker, a reader of another stream, and a raw publisher.
fn scene() -> (Broker, Consumer, Raw) {
    let broker = broker();
    let witness = reader(&broker, "cam", &["mode=every", "depth=200"]);
    let raw = Raw::begin(&broker, "edges");
    (broker, witness, raw)
}

fn assert_nothing_happened(broker: &Broker, mut witness: Consumer) {
    assert!(broker.is_alive());
    take(&mut witness, 10);
    let report = witness.finish();
    assert_honest(&report);
    assert_eq!(report["missed"], 0, "{report}");
}

#[test]
fn slots_that_were_not_granted_are_rejected() {
    let (broker, witness, mut raw) = scene();
    let granted = [raw.slot(), raw.slot()];
    let mut rejected = 0;
    for slot in [Slot(7), Slot(8), Slot(4095), Slot(u16::MAX - 1)] {
        assert!(!granted.contains(&slot));
        raw.frame(slot);
        rejected += 1;
        raw.is_rejected(rejected, Rejection::NotGranted);
    }
    let word = u64::from(raw.generation.0) << 32;
    for named in [word, word | 0xffff_ffff, word | 0x1_0001] {
        raw.submit(&[(record::SEQUENCE, named)]);
        rejected += 1;
        raw.is_rejected(rejected, Rejection::NotGranted);
    }
    raw.goes_on(granted[0]);
    raw.frame(granted[0]);
    raw.is_rejected(rejected + 1, Rejection::NotGranted);
    raw.goes_on(granted[1]);
    assert_nothing_happened(&broker, witness);
}

#[test]
fn slots_of_other_memory_are_rejected() {
    let (broker, witness, mut raw) = scene();
    let slot = raw.slot();
    for (count, generation) in [(1, 0), (2, raw.generation.0 + 1), (3, u32::MAX)] {
        let named = lease_word(Generation(generation), slot);
        raw.submit(&[(record::SEQUENCE, named)]);
        raw.is_rejected(count, Rejection::Stale);
    }
    raw.goes_on(slot);
    assert_nothing_happened(&broker, witness);
}

#[test]
fn lengths_beyond_the_frame_are_rejected_and_the_slot_comes_back() {
    let (broker, witness, mut raw) = scene();
    let slot = raw.slot();
    let _other = raw.slot();
    let named = (record::SEQUENCE, lease_word(raw.generation, slot));
    let cases = [
        (record::USED_BYTES, FRAME_BYTES + 1, Rejection::TooLong),
        (record::USED_BYTES, u64::MAX, Rejection::TooLong),
        (record::SIDE_BYTES, 449, Rejection::SideTooLong),
        (record::SIDE_BYTES, u64::MAX, Rejection::SideTooLong),
    ];
    for (count, (at, value, why)) in (1..).zip(cases) {
        raw.submit(&[named, (at, value)]);
        raw.is_rejected(count, why);
        assert_eq!(raw.slot(), slot, "it is granted again");
    }
    raw.goes_on(slot);
    assert_nothing_happened(&broker, witness);
}

#[test]
fn counters_that_jump_are_survived() {
    let (broker, witness, mut raw) = scene();
    let slots = [raw.slot(), raw.slot()];
    for (count, to) in [(1, 17), (2, 1), (3, u64::MAX), (4, 1 << 40)] {
        raw.jump(to);
        raw.is_rejected(count, Rejection::Overrun);
    }
    raw.goes_on(slots[0]);
    raw.goes_on(slots[1]);
    let shown = broker.inspect()["publications"][0].clone();
    assert_eq!(
        (&shown["taken"], &shown["rejected"]),
        (&6.into(), &4.into()),
        "{shown}"
    );
    assert_nothing_happened(&broker, witness);
}

#[test]
fn a_flood_of_submissions_and_of_kicks_costs_the_publishers_own_thread() {
    let (broker, mut witness, mut raw) = scene();
    let before = witness.count("frames");
    eventually("the witness goes on beside the flood", || {
        for _ in 0..200 {
            raw.submit(&[(record::SEQUENCE, 1)]);
            raw.kick();
        }
        (witness.count("frames") > before + 100).then_some(())
    });
    let shown = broker.inspect()["publications"][0].clone();
    assert!(shown["floods"].as_u64() > Some(0), "{shown}");
    assert_eq!(broker.log().matches("a publisher floods").count(), 1);
    let mut command = Command::new(binaries::program("streamem"));
    command
        .arg("--socket")
        .arg(broker.socket())
        .args(["info", "edges"]);
    let told = command.output().expect("it runs").stdout;
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(
        told.contains("rejected (the last because") && told.contains("made to pause"),
        "{told}"
    );
    assert_nothing_happened(&broker, witness);
}

#[test]
fn nonsense_all_over_the_page_hurts_nobody_else() {
    let (broker, mut witness, raw) = scene();
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    let before = witness.count("frames");
    eventually("the witness goes on beside the nonsense", || {
        for _ in 0..50 {
            for word in raw.page.words() {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                word.store(noise >> (noise % 64), Relaxed);
            }
            raw.kick();
        }
        (witness.count("frames") > before + 100).then_some(())
    });
    drop(raw);
    eventually("its stream is gone", || {
        let listed = broker.ask("List", serde_json::json!({}));
        (!listed.to_string().contains("edges")).then_some(())
    });
    assert_nothing_happened(&broker, witness);
}
