//! A driver that can only write to adjacent pages, as those of many cameras on boards.
//!
//! Owns what is expected of vivid with `allocators=1`.

use crate::filling::{frames_are_whole, picture};
use crate::scene::{CAMERA, broker_with, is_live, subscribed, turn};

#[test]
fn strict_memory_of_ours_is_refused_and_the_drivers_own_is_taken() {
    let broker = broker_with(CAMERA);
    let stream = is_live(&broker);
    let filled = stream["filled"].as_str().unwrap_or_default();
    assert!(filled.starts_with("export (import: "), "{stream}");
    assert_eq!(stream["copies"], 0, "{stream}");
    frames_are_whole(&mut subscribed(&broker), 30);
}

#[test]
fn strict_memory_of_a_heap_is_refused_by_the_driver_and_that_is_said() {
    let broker = broker_with(&format!("{CAMERA}&memory=dma_heap"));
    let stream = is_live(&broker);
    let filled = stream["filled"].as_str().unwrap_or_default();
    let said = [
        "export (import: dma_heap: /dev/dma_heap/system: ",
        "VIDIOC_QBUF",
    ];
    assert!(said.iter().all(|it| filled.contains(it)), "{stream}");
    frames_are_whole(&mut subscribed(&broker), 10);
}

#[test]
fn strict_export_brings_the_same_picture_as_copy() {
    turn("osd_text_mode", 2);
    assert!(picture(CAMERA, "export") == picture(CAMERA, "copy"));
}
