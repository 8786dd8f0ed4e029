//! Scenarios of what changes under a reader: writers that go round, brokers and sources that die, streams
//! that go and come again. What is held stays as it is throughout.
//!
//! Owns nothing; the same for publishers is in `filling`.

use crate::cell::{Cell, STREAMS, takes_until};
use crate::client::Driver;
use serde_json::json;
use streamem_tests::{Consumer, eventually};

fn add(cell: &Cell, stream: &str, source: &str) {
    let source = format!("pattern://bars?{source}");
    cell.broker
        .ask("AddStream", json!({"stream": stream, "source": source}));
}

/// Takes a frame, to be held as `f` until the end; its bytes.
fn hold(cell: &Cell, driver: &mut Driver) -> Vec<u8> {
    driver.sequence("next s 25000 f").expect("a frame");
    cell.whole(driver, "f");
    cell.bytes(driver, "f")
}

fn is_still(cell: &Cell, driver: &mut Driver, held: &[u8]) {
    assert!(cell.bytes(driver, "f") == held, "what is held has changed");
    cell.whole(driver, "f");
}

pub fn a_held_frame_stays_as_it_is_while_the_writer_goes_round(cell: &mut Cell) {
    add(cell, "fast", "size=160x120&format=gray8&rate=0");
    let mut driver = cell.driver();
    driver.ask("open s fast leases=3");
    let held = hold(cell, &mut driver);
    for _ in 0..5 {
        let before = cell.broker.stream("fast")["newest"].as_u64();
        eventually("the writer has gone round many times", || {
            let newest = cell.broker.stream("fast")["newest"].as_u64();
            (newest > before.map(|before| before + 500)).then_some(())
        });
        is_still(cell, &mut driver, &held);
        driver.sequence("next s 25000 g").expect("a frame");
        cell.whole(&mut driver, "g");
        driver.ask("release g");
    }
    let counters = cell.broker.stream("fast")["counters"].clone();
    assert_ne!(
        counters["held_at_reuse"], 0,
        "the writer met no lease: {counters}"
    );
    assert_eq!(counters["dropped_no_slot"], 0, "{counters}");
}

pub fn what_a_killed_client_held_is_free_again(cell: &mut Cell) {
    let mut feed = cell.feed();
    let mut driver = cell.driver();
    driver.ask("open s fed mode=every depth=4 leases=3");
    feed.publish(3);
    for (frame, sequence) in [("f", 1), ("g", 2), ("h", 3)] {
        driver.takes(&format!("next s 25000 {frame}"), sequence, 0);
    }
    let subscriptions = cell.broker.inspect()["subscriptions"].clone();
    assert_eq!(subscriptions[0]["held"], 3, "{subscriptions}");
    let slots = || cell.broker.stream("fed")["slots"].as_u64();
    let held = slots();
    driver.process().kill9();
    eventually("the broker has forgotten it", || {
        let left = cell.broker.inspect();
        (left["subscriptions"] == json!([])).then_some(())
    });
    let mut next = cell.driver();
    next.ask("open s fed mode=every depth=4 leases=3");
    for sequence in 4..30 {
        feed.publish(1);
        next.takes(
            "next s 25000 f",
            if sequence == 4 { 3 } else { sequence - 1 },
            0,
        );
        cell.whole(&mut next, "f");
        next.ask("release f");
    }
    assert_eq!(slots(), held, "the same reader takes the same place again");
}

pub fn the_broker_is_restarted(cell: &mut Cell) {
    let mut driver = cell.driver();
    driver.ask("open s cam mode=every depth=50 leases=3");
    let held = hold(cell, &mut driver);
    for _ in 0..2 {
        cell.broker.kill9();
        eventually("it knows that the broker is away", || {
            if driver.sequence("next s 100 g").is_some() {
                driver.ask("release g");
            }
            (driver.ask("state s")["state"] == "disconnected").then_some(())
        });
        assert_eq!(driver.sequence("try s g"), None);
        is_still(cell, &mut driver, &held);
        cell.broker.restart();
        takes_until(cell, &mut driver, |_| true);
        takes_until(cell, &mut driver, |_| true);
        assert_eq!(driver.ask("state s"), json!({"state": "live"}));
        is_still(cell, &mut driver, &held);
    }
}

pub fn the_stream_is_removed(cell: &mut Cell) {
    let mut driver = cell.driver();
    driver.ask("open s cam leases=3");
    let held = hold(cell, &mut driver);
    cell.broker.ask("RemoveStream", json!({"stream": "cam"}));
    let end = eventually("it is told", || {
        let answer = driver.attempt("next s 100 g");
        if answer["sequence"].is_u64() {
            driver.ask("release g");
        }
        answer["error"].is_string().then_some(answer)
    });
    assert_eq!(end["error"], "ended", "{end}");
    driver.is_refused("try s g", "ended");
    assert_eq!(driver.ask("state s"), json!({"state": "ended"}));
    is_still(cell, &mut driver, &held);
    driver.is_refused("open t cam", "no-such-stream");
}

pub fn the_stream_is_removed_and_comes_again(cell: &mut Cell) {
    add(cell, "extra", "size=160x120&rate=50");
    let mut driver = cell.driver();
    driver.ask("open s extra wait=25000 leases=3");
    let held = hold(cell, &mut driver);
    cell.broker.ask("RemoveStream", json!({"stream": "extra"}));
    eventually("no more frames come", || {
        match driver.sequence("next s 100 g") {
            Some(_) => {
                driver.ask("release g");
                None
            }
            None => Some(()),
        }
    });
    add(cell, "extra", "size=320x240&rate=50&format=nv12");
    takes_until(cell, &mut driver, |told| told["layout"]["format"] == "nv12");
    is_still(cell, &mut driver, &held);
}

pub fn the_layout_is_changed(cell: &mut Cell) {
    let mut driver = cell.driver();
    driver.ask("open s cam leases=3");
    let held = hold(cell, &mut driver);
    let changed = STREAMS.replace("160x120&rate=50", "320x240&rate=40&format=gray16");
    cell.broker.rewrite_config(&changed);
    cell.broker.hangup();
    takes_until(cell, &mut driver, |told| {
        told["layout"]["format"] == "gray16"
    });
    let layout = driver.ask("layout s")["layout"].clone();
    assert_eq!(layout["shape"], json!([240, 320]), "{layout}");
    assert_eq!(layout["strides"], json!([640, 2]), "{layout}");
    assert_eq!(
        (&layout["dtype"], &layout["millihertz"]),
        (&json!("<u2"), &json!(40_000))
    );
    is_still(cell, &mut driver, &held);
}

pub fn its_source_is_killed_and_another_comes(cell: &mut Cell) {
    let options = ["publish=pattern://bars?size=160x120&rate=50"];
    let publisher = || Consumer::start(&cell.broker.socket(), "made", &options);
    let mut first = publisher();
    let mut driver = cell.driver();
    driver.ask("open s made leases=3");
    let held = hold(cell, &mut driver);
    first.kill9();
    eventually("it is lost", || {
        (driver.ask("state s")["state"] == "lost").then_some(())
    });
    is_still(cell, &mut driver, &held);
    let _second = publisher();
    takes_until(cell, &mut driver, |told| told["source_sequence"] == 5);
    assert_eq!(driver.ask("state s"), json!({"state": "live"}));
    is_still(cell, &mut driver, &held);
}
