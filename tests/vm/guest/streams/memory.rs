//! Slots of each kind of memory a driver can be given, and what is taken where one is missing.
//!
//! Owns what is expected of memory whose slots are a descriptor each; how the pictures look is judged beside.

use crate::filling::{descriptors, descriptors_are_verified, frames_are_whole, memory, picture};
use crate::read_only::{cannot_be_changed, cannot_be_opened_for_writing};
use crate::scene::{CAMERA, broker_with, is_live, lacks, next, subscribed, turn, why_lost};
use std::fs;
use streamem::Subscription;
use streamem_tests::{Consumer, eventually};

/// What each of the broker's slots can be by itself, as far as this kernel has it.
fn kinds() -> impl Iterator<Item = &'static str> {
    ["dma_heap", "drm"].into_iter().filter(|kind| !lacks(kind))
}

fn camera_in(kind: &str) -> String {
    format!("{CAMERA}&memory={kind}")
}

#[test]
fn memory_that_is_asked_for_is_taken_and_said() {
    for kind in kinds() {
        let broker = broker_with(&camera_in(kind));
        let stream = is_live(&broker);
        assert_eq!(
            (&stream["filled"], &stream["copies"]),
            (&"import".into(), &0.into()),
            "{stream}"
        );
        assert_eq!(
            (&stream["pool"], &stream["protection"]),
            (&kind.into(), &"exported".into())
        );
        let mut subscription = subscribed(&broker);
        frames_are_whole(&mut subscription, 30);
        let slots = descriptors(&broker, "slot");
        assert_eq!(slots.len(), 12);
        assert!(slots.iter().all(|slot| slot["kind"] == kind), "{slots:?}");
        let pools = broker.inspect()["pools"].clone();
        let bytes: u64 = slots.iter().filter_map(|slot| slot["bytes"].as_u64()).sum();
        assert_eq!(pools[0]["committed_bytes"], bytes, "{pools}");
        let (inode, link, writes) = memory(&next(&mut subscription));
        assert!(link.starts_with("/dmabuf:") && !writes, "{link}");
        assert!(slots.iter().any(|slot| slot["inode"] == inode));
        descriptors_are_verified(&broker);
    }
}

#[test]
fn memory_of_every_kind_has_the_same_picture() {
    turn("osd_text_mode", 2);
    let copied = picture(CAMERA, "copy");
    for kind in kinds() {
        assert!(
            picture(&camera_in(kind), "import") == copied,
            "{kind} has another picture than copy"
        );
    }
}

#[test]
fn memory_of_every_kind_is_for_reading_only() {
    for kind in kinds() {
        let broker = broker_with(&camera_in(kind));
        is_live(&broker);
        let frame = next(&mut subscribed(&broker));
        cannot_be_changed(&frame);
        cannot_be_opened_for_writing(&frame);
    }
}

#[test]
fn memory_with_too_few_slots_for_its_readers_is_given_up_for_copies() {
    for kind in kinds() {
        let broker = broker_with(&camera_in(kind));
        is_live(&broker);
        let mut first = subscribed(&broker);
        let last = next(&mut first).sequence();
        let others: Vec<Subscription> = (0..6).map(|_| subscribed(&broker)).collect();
        eventually("it copies", || {
            let stream = broker.stream("cam");
            (stream["state"] == "live" && stream["copies"] == 1).then_some(())
        });
        for mut reader in others.into_iter().chain([first]) {
            assert!(next(&mut reader).sequence() >= last);
        }
    }
}

#[test]
fn memory_whose_slots_are_all_taken_says_what_has_more() {
    for kind in kinds() {
        let broker = broker_with(&format!("{}&fill=import", camera_in(kind)));
        is_live(&broker);
        let greedy = ["leases=12"];
        let mut greedy = Consumer::spawn(&mut Consumer::command(&broker.socket(), "cam", &greedy));
        let refused = greedy.line().expect("it says why").to_string();
        assert!(
            refused.contains("memory=udmabuf") && refused.contains("fill=copy"),
            "{refused}"
        );
    }
}

/// Has a device out of the way for a while.
struct Hidden(&'static str, String);

impl Hidden {
    fn new(device: &'static str) -> Hidden {
        let aside = format!("{device}.aside");
        fs::rename(device, &aside).expect("root may");
        Hidden(device, aside)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        fs::rename(&self.1, self.0).expect("root may");
    }
}

#[test]
fn without_udmabuf_a_heap_is_taken_and_the_reason_said() {
    if lacks("dma_heap") {
        return;
    }
    let _hidden = Hidden::new("/dev/udmabuf");
    let broker = broker_with(CAMERA);
    let stream = is_live(&broker);
    let filled = stream["filled"].as_str().unwrap_or_default();
    assert!(
        filled.starts_with("import (udmabuf: /dev/udmabuf: ") && filled.contains("modprobe"),
        "{stream}"
    );
    assert_eq!(stream["pool"], "dma_heap", "{stream}");
    frames_are_whole(&mut subscribed(&broker), 10);
}

#[test]
fn without_what_is_asked_for_another_way_is_taken_or_the_reason_said() {
    for (kind, folder) in [("dma_heap", "/dev/dma_heap"), ("drm", "/dev/dri")] {
        let _hidden = (!lacks(kind)).then(|| Hidden::new(folder));
        let broker = broker_with(&camera_in(kind));
        let filled = is_live(&broker)["filled"].to_string();
        assert!(
            filled.contains("export (import: ") && filled.contains(folder),
            "{filled}"
        );
        drop(broker);
        let broker = broker_with(&format!("{}&fill=import", camera_in(kind)));
        let why = why_lost(&broker, |why| why.contains(folder));
        assert!(why.contains("cannot come into slots by import"), "{why}");
    }
}

#[test]
fn without_being_asked_no_graphics_card_is_opened() {
    let _heaps = (!lacks("dma_heap")).then(|| Hidden::new("/dev/dma_heap"));
    let _udmabuf = (!lacks("udmabuf")).then(|| Hidden::new("/dev/udmabuf"));
    let broker = broker_with(CAMERA);
    let filled = is_live(&broker)["filled"].to_string();
    assert!(
        filled.contains("export (import: ") && !filled.contains("dri"),
        "{filled}"
    );
}
