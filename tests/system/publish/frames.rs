//! What a publisher fills reaches its readers, whole and in order.
//!
//! Owns well-behaved publishers and readers, each a process of its own.

use super::{BARS, assert_honest, broker, publisher, reader, take};
use serde_json::json;
use std::time::Duration;
use streamem::{Format, LayoutWish, SideData, clock};
use streamem_tests::{Consumer, binaries, eventually};

#[test]
fn frames_of_another_process_reach_three_readers_whole() {
    let broker = broker();
    let publisher = publisher(&broker, "edges");
    let mut readers = [
        reader(
            &broker,
            "edges",
            &["mode=every", "depth=16", "hold=2", "leases=4"],
        ),
        reader(&broker, "edges", &["mode=every", "depth=8"]),
        reader(&broker, "edges", &["mode=latest", "slow_ms=30"]),
    ];
    readers.iter_mut().for_each(|reader| take(reader, 40));
    let reports = readers.map(Consumer::finish);
    reports.iter().for_each(assert_honest);
    assert_eq!(reports[0]["missed"], 0, "{}", reports[0]);
    let report = publisher.finish();
    assert_eq!(report["errors"], json!([]), "{report}");
}

#[test]
fn a_reader_can_wait_for_a_stream_that_is_published_later() {
    let broker = broker();
    let options = ["check=bars", "wait=1"];
    let mut command = Consumer::command(&broker.socket(), "edges", &options);
    let mut waiting = Consumer::spawn(&mut command);
    let _publisher = publisher(&broker, "edges");
    waiting.expect("opened");
    take(&mut waiting, 10);
    assert_honest(&waiting.finish());
}

#[test]
fn what_a_publisher_says_of_a_frame_comes_with_it() {
    let broker = broker();
    let layout = LayoutWish::video(Format::Gray8, 64, 48, 0.0);
    let mut publisher = streamem::publish("edges")
        .layout(layout)
        .socket(broker.socket())
        .open()
        .expect("it may publish");
    let mut sub = streamem::Subscription::builder("edges")
        .every(4)
        .socket(broker.socket())
        .open()
        .expect("it is there");
    let pose = SideData::Pose([0.5; 16]);
    for number in 1..=20_u8 {
        let slot = publisher.slot(Duration::from_secs(20)).expect("no error");
        let mut slot = slot.expect("a slot");
        slot.bytes_mut().fill(number);
        slot.captured_ns(u64::from(number));
        slot.source_sequence(1000 + u64::from(number));
        slot.source_clock(clock::SAMPLES, 77);
        slot.side_data(std::slice::from_ref(&pose));
        slot.submit().expect("it is taken");
        let frame = sub.next(Duration::from_secs(20)).expect("no error");
        let frame = frame.expect("a frame");
        assert_eq!(frame.sequence(), u64::from(number));
        assert!(frame.bytes().len() == 64 * 48 && frame.bytes().iter().all(|b| *b == number));
        assert_eq!(frame.captured_ns(), u64::from(number));
        assert_eq!(frame.source_sequence(), 1000 + u64::from(number));
        assert_eq!(frame.source_clock(), (clock::SAMPLES, 77));
        assert_eq!(frame.side_data().as_slice(), std::slice::from_ref(&pose));
    }
    publisher.finish().expect("the broker is there");
}

#[test]
fn a_slot_that_is_dropped_is_in_hand_again_and_time_cannot_run_ahead() {
    let broker = broker();
    let mut publisher = streamem::publish("edges")
        .like("cam")
        .slots(1)
        .socket(broker.socket())
        .open()
        .expect("it may publish");
    assert_eq!(publisher.layout().width, 160);
    let first = publisher.slot(Duration::from_secs(20)).expect("no error");
    let first = first.expect("a slot").index();
    let mut again = publisher
        .slot(Duration::from_secs(20))
        .expect("no error")
        .expect("a slot");
    assert_eq!(again.index(), first);
    again.captured_ns(u64::MAX);
    again.submit().expect("it is taken");
    let mut sub = streamem::Subscription::builder("edges")
        .socket(broker.socket())
        .open()
        .expect("it is there");
    let frame = sub.next(Duration::from_secs(20)).expect("no error");
    let frame = frame.expect("a frame");
    assert!(frame.captured_ns() <= frame.published_ns());
}

#[test]
fn every_look_of_the_inspector_shows_published_and_brought_streams() {
    let broker = broker();
    let _publisher = publisher(&broker, "edges");
    let _bringer = Consumer::start(&broker.socket(), "brought", &[BARS, "own=8"]);
    let _readers = ["edges", "brought"].map(|stream| {
        let mut reading = reader(&broker, stream, &[]);
        take(&mut reading, 3);
        reading
    });
    for words in [
        &["list"][..],
        &["fds"],
        &["top", "--once"],
        &["info", "edges"],
        &["info", "brought"],
        &["watch", "brought", "--count", "3"],
    ] {
        let mut command = std::process::Command::new(binaries::program("streamem"));
        command.arg("--socket").arg(broker.socket()).args(words);
        let output = command.output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{words:?}: {output:?}");
        assert!(text.lines().count() > 1, "{words:?}: {text}");
        assert!(!text.contains("MISMATCH"), "{words:?}: {text}");
    }
}

#[test]
fn publications_are_shown() {
    let broker = broker();
    let mut publisher = Consumer::start(&broker.socket(), "edges", &[BARS, "slots=3"]);
    let mut reader = reader(&broker, "edges", &[]);
    take(&mut reader, 5);
    let all = broker.inspect();
    let shown = &all["publications"][0];
    assert_eq!(shown["stream"], "edges", "{all}");
    assert_eq!(shown["pid"], publisher.pid());
    assert_eq!(
        (&shown["begun"], &shown["slots"]),
        (&json!(true), &json!(3))
    );
    assert_eq!(shown["rejected"], 0);
    let pool = all["pools"].as_array().expect("a list");
    let pool = pool.iter().find(|pool| pool["stream"] == "edges");
    let sum = &pool.expect("its pool")["sum"];
    assert_eq!(sum[0], json!({"reason": "being filled", "slots": 3}));
    let descriptors = all["descriptors"].as_array().expect("a list");
    let page = descriptors.iter().find(|held| held["role"] == "submission");
    let page = page.expect("the submission page");
    assert_eq!(page["handed_to"][0]["pid"], publisher.pid());
    assert_eq!(page["handed_to"][0]["access"], "write");
    eventually("frames are counted", || {
        let now = broker.inspect()["publications"][0]["taken"].as_u64()?;
        (now > 10).then_some(())
    });
    assert!(publisher.count("submitted") > 10);
}
