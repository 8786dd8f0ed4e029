//! Pictures whose planes the driver keeps apart.
//!
//! Owns what is expected of vivid with `multiplanar=2`.

use crate::filling::picture;
use crate::scene::{broker_with, is_live, lacks, next, preset, subscribed, turn};

const CAMERA: &str = "v4l2:///dev/video0?size=640x360&format=nv12";

/// Whether the planes come in buffers of their own.
fn set(fourcc: [u8; 4]) {
    turn("osd_text_mode", 2);
    preset(fourcc);
}

#[test]
fn planes_in_one_buffer_and_in_two_make_the_same_picture() {
    let ways: &[&str] = if lacks("udmabuf") {
        &["copy"]
    } else {
        &["copy", "import"]
    };
    set(*b"NV12");
    let whole = picture(CAMERA, "copy");
    for fill in ways {
        set(*b"NM12");
        assert!(
            picture(CAMERA, fill) == whole,
            "{fill} of planes brings another picture"
        );
        set(*b"NV12");
        assert!(
            picture(CAMERA, fill) == whole,
            "{fill} brings another picture"
        );
    }
}

#[test]
fn planes_that_lie_apart_do_not_go_into_one_buffer_of_a_heap() {
    if lacks("dma_heap") {
        return;
    }
    set(*b"NM12");
    let broker = broker_with(&format!("{CAMERA}&memory=dma_heap"));
    let filled = is_live(&broker)["filled"].to_string();
    assert!(
        filled.contains("copy (import: dma_heap: a frame lies in more than one buffer"),
        "{filled}"
    );
}

#[test]
fn planes_that_lie_apart_are_told_as_they_lie() {
    set(*b"NM12");
    let broker = broker_with(CAMERA);
    let stream = is_live(&broker);
    let filled = stream["filled"].as_str().unwrap_or_default();
    assert!(
        !filled.starts_with("export"),
        "a frame in two buffers cannot be exported: {stream}"
    );
    let frame = next(&mut subscribed(&broker));
    let planes = &frame.layout().planes;
    assert_eq!((planes.len(), planes[1].offset % 4096), (2, 0));
    assert!(
        frame
            .plane(1)
            .is_some_and(|plane| plane.iter().any(|byte| *byte != 0))
    );
}
