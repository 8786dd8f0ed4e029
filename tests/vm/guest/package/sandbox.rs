//! What the service does inside its sandbox, beside reading one camera in the best way.
//!
//! Owns the configurations that ask for it.

use crate::debian::{
    ANNA, broker, by, configure, configured, info, installed, live, property, run, said,
};
use std::fs;
use std::time::Duration;
use streamem::{Format, Layout, Publisher};
use streamem_tests::{eventually, jpeg};

const SERVICE: &str = "streamemd.service";

fn lacks(feature: &str) -> bool {
    let lacks = fs::read_to_string("/vm/lacks").unwrap_or_default();
    lacks.lines().any(|line| line == feature)
}

/// The configuration of before, which comes back whatever becomes of the test.
struct Before(String);

impl Drop for Before {
    fn drop(&mut self) {
        configure(&self.0);
        run(&[
            "systemctl",
            "set-property",
            "--runtime",
            SERVICE,
            "MemoryMax=infinity",
        ]);
        run(&["systemctl", "reload", SERVICE]);
    }
}

/// Runs with this configuration, and then with that of before.
fn with(configuration: &str, check: impl FnOnce()) {
    installed();
    let _before = Before(configured());
    configure(configuration);
    said(&["systemctl", "reload", SERVICE]);
    check();
}

fn camera(memory: &str) -> String {
    format!(
        "[stream.other]\nsource = \"v4l2:///dev/video0?size=640x360&rate=30&format=yuyv&memory={memory}\"\n"
    )
}

#[test]
fn a_graphics_card_makes_memory_for_a_camera() {
    with(&camera("drm"), || {
        assert_eq!(live("other")["pool"], "drm");
        said(&by(ANNA, &["streamem", "watch", "other", "--count", "3"]));
    });
}

/// A pool that is there at once, where the service may not have so much: the camera goes another way, and nobody
/// is killed.
#[test]
fn a_limit_of_memory_is_met_and_named() {
    with(&camera("auto"), || {
        let pid = broker();
        let used: u64 = property(SERVICE, "MemoryCurrent")
            .parse()
            .expect("it is counted");
        let limit = format!("MemoryMax={}", used + (8 << 20));
        said(&["systemctl", "set-property", "--runtime", SERVICE, &limit]);
        let wide = camera("udmabuf").replace("640x360", "1280x720");
        configure(&format!(
            "{wide}[stream.bars]\nsource = \"pattern://bars?size=320x240&rate=30\"\n"
        ));
        said(&["systemctl", "reload", SERVICE]);
        eventually("it goes another way and says why", || {
            let filled = live("other")["filled"].to_string();
            filled.contains("MemoryMax=").then_some(())
        });
        said(&by(ANNA, &["streamem", "watch", "bars", "--count", "3"]));
        assert_eq!(broker(), pid);
    });
}

#[test]
fn a_heap_makes_memory_for_a_camera() {
    let kind = if lacks("dma_heap") {
        "v4l2"
    } else {
        "dma_heap"
    };
    with(&camera("dma_heap"), || {
        assert_eq!(live("other")["pool"], kind);
        said(&by(ANNA, &["streamem", "watch", "other", "--count", "3"]));
    });
}

#[test]
fn a_camera_nobody_configured_becomes_a_stream() {
    with("", || {
        let found = eventually("it is listed", || {
            let list = said(&["streamem", "list", "--json"]);
            let list: serde_json::Value = serde_json::from_str(&list).ok()?;
            let names = list["streams"].as_array()?.iter();
            let mut names = names.filter_map(|stream| stream["name"].as_str());
            names
                .find(|name| name.starts_with("cam-"))
                .map(str::to_owned)
        });
        live(&found);
        said(&by(ANNA, &["streamem", "watch", &found, "--count", "3"]));
    });
}

#[test]
fn jpeg_is_decoded() {
    let streams = "[stream.packed]\nsource = \"publish://?format=mjpeg&size=64x48&rate=5\"\n\
                   [stream.pictures]\nsource = \"decode://packed?format=rgb24\"\n";
    with(streams, || {
        let layout = Layout::video(Format::Rgb24, 64, 48, 5.0).expect("a picture");
        let jpeg = jpeg::encode(&layout, &[90; 64 * 48 * 3], jpeg::Sampling::Quarter);
        let mut publisher = publisher();
        let mut reader = streamem::Subscription::builder("pictures")
            .open()
            .expect("it may be read");
        let frame = eventually("a picture is decoded", || {
            let slot = publisher
                .slot(Duration::from_secs(5))
                .expect("the broker lives");
            let mut slot = slot?;
            jpeg::put(&mut slot, &jpeg);
            slot.submit().expect("it is a frame");
            reader
                .next(Duration::from_millis(500))
                .expect("the broker lives")
        });
        let pixels = frame.plane(0).expect("a picture has a plane");
        assert!(pixels.iter().all(|part| part.abs_diff(90) < 8));
        drop(frame);
        assert_eq!(info("pictures")["copies"], 1);
    });
}

fn publisher() -> Publisher {
    let builder = streamem::publish("packed").layout(jpeg::wish(64, 48, 5.0));
    builder.open().expect("root may publish")
}
