//! Scenarios of reading: what comes, in which order, and what is said of it.
//!
//! Owns nothing; every pixel of what comes is looked at.

use crate::cell::Cell;
use serde_json::{Value, json};
use streamem_tests::eventually;

pub fn the_newest_frame_is_whole(cell: &mut Cell) {
    let mut driver = cell.driver();
    driver.ask("open s cam leases=2");
    let mut last = 0;
    for _ in 0..5 {
        let sequence = driver.sequence("next s 25000 f").expect("a frame");
        assert!(sequence > last, "{sequence} after {last}");
        last = sequence;
        assert_eq!(cell.whole(&mut driver, "f")["sequence"], sequence);
        driver.ask("release f");
    }
    assert_eq!(driver.ask("state s"), json!({"state": "live"}));
}

pub fn every_frame_comes_in_order_without_a_gap(cell: &mut Cell) {
    let mut feed = cell.feed();
    let mut driver = cell.driver();
    feed.publish(2);
    driver.ask("open s fed mode=every depth=8 leases=2");
    feed.publish(6);
    for sequence in 2..=8 {
        driver.takes("next s 25000 f", sequence, 0);
        assert_eq!(cell.whole(&mut driver, "f")["source_sequence"], sequence);
        driver.ask("release f");
    }
    assert_eq!(driver.sequence("next s 20 f"), None);
    assert_eq!(driver.ask("missed s"), json!({"missed": 0}));
}

pub fn what_is_skipped_is_counted(cell: &mut Cell) {
    let mut feed = cell.feed();
    let mut driver = cell.driver();
    feed.publish(3);
    driver.ask("open s fed leases=2");
    driver.ask("open e fed mode=every depth=2 leases=2");
    for name in ["s", "e"] {
        driver.takes(&format!("next {name} 25000 f"), 3, 0);
        driver.ask("release f");
    }
    feed.publish(40);
    driver.takes("next s 25000 f", 43, 39);
    driver.ask("release f");
    assert_eq!(driver.ask("missed s"), json!({"missed": 39}));

    // Which of the old ones are still there is the broker's business; the depth it promises.
    let mut last = 3;
    while last < 43 {
        let taken = driver.ask("next e 25000 f");
        let sequence = taken["sequence"].as_u64().expect("a frame");
        assert_eq!(taken["missed"], sequence - last - 1, "{taken}");
        assert!(last == 3 || sequence == last + 1, "{taken} after {last}");
        assert!(last > 3 || (5..=42).contains(&sequence), "{taken}");
        assert_eq!(cell.whole(&mut driver, "f")["source_sequence"], sequence);
        driver.ask("release f");
        last = sequence;
    }
}

pub fn a_clip_is_the_last_frames_in_order(cell: &mut Cell) {
    let mut feed = cell.feed();
    let mut driver = cell.driver();
    driver.ask("open s fed history=4 leases=5");
    assert_eq!(driver.ask("clip s 4 f"), json!({"clip": []}));
    feed.publish(2);
    assert_eq!(driver.ask("clip s 4 f"), json!({"clip": [1, 2]}));
    for frame in ["f0", "f1"] {
        driver.ask(&format!("release {frame}"));
    }
    feed.publish(5);
    assert_eq!(driver.ask("clip s 4 f"), json!({"clip": [4, 5, 6, 7]}));
    for (frame, sequence) in ["f0", "f1", "f2", "f3"].into_iter().zip(4..) {
        assert_eq!(cell.whole(&mut driver, frame)["source_sequence"], sequence);
    }
    driver.takes("next s 25000 g", 7, 0);
}

pub fn the_newest_is_given_again(cell: &mut Cell) {
    let mut feed = cell.feed();
    let mut driver = cell.driver();
    driver.ask("open s fed leases=3");
    assert_eq!(driver.sequence("latest s f"), None);
    feed.publish(2);
    driver.ask("open e fed mode=every depth=8 leases=3");
    for frame in ["f", "g"] {
        driver.takes(&format!("latest s {frame}"), 2, 0);
        assert_eq!(cell.whole(&mut driver, frame)["sequence"], 2);
        driver.ask(&format!("release {frame}"));
    }
    assert_eq!(driver.sequence("next s 20 f"), None);
    feed.publish(2);
    driver.takes("latest s f", 4, 1);
    driver.takes("latest e g", 4, 0);
    // Who reads every frame goes on where it was.
    driver.takes("next e 25000 h", 2, 0);
    driver.takes("next e 25000 i", 3, 0);
}

pub fn without_a_frame_the_time_runs_out(cell: &mut Cell) {
    let mut feed = cell.feed();
    let mut driver = cell.driver();
    driver.ask("open s fed leases=2");
    for command in ["next s 0 f", "next s 50 f", "try s f", "latest s f"] {
        assert_eq!(driver.sequence(command), None, "{command}");
    }
    feed.publish(1);
    driver.takes("next s 25000 f", 1, 0);
    driver.ask("release f");
    for command in ["next s 0 f", "next s 50 f", "try s f"] {
        assert_eq!(driver.sequence(command), None, "{command}");
    }
    driver.tell("next s 25000 f");
    eventually("it waits", || {
        let subscriptions = cell.broker.inspect()["subscriptions"].clone();
        (subscriptions[0]["waiting"] == true).then_some(())
    });
    feed.publish(1);
    assert_eq!(driver.answer(), json!({"sequence": 2, "missed": 0}));
}

pub fn the_descriptor_is_readable_when_there_is_a_frame(cell: &mut Cell) {
    let mut feed = cell.feed();
    let mut driver = cell.driver();
    driver.ask("open s fed leases=2 eventfd=1");
    for sequence in 1..=3 {
        driver.tell("poll s 25000");
        feed.publish(1);
        assert_eq!(driver.answer(), json!({"readable": true}));
        driver.takes("try s f", sequence, 0);
        driver.ask("release f");
        assert_eq!(driver.sequence("try s f"), None);
        assert_eq!(driver.ask("poll s 0"), json!({"readable": false}));
    }
}

pub fn a_stream_that_comes_later_is_waited_for(cell: &mut Cell) {
    let mut driver = cell.driver();
    driver.is_refused("open s later wait=50", "timeout");
    driver.tell("open s later wait=25000 leases=2");
    eventually("it is connected", || {
        let sessions = cell.broker.inspect()["sessions"].clone();
        (sessions.as_array().map(Vec::len) >= Some(2)).then_some(())
    });
    let source = "pattern://bars?size=160x120&rate=50";
    cell.broker
        .ask("AddStream", json!({"stream": "later", "source": source}));
    assert_eq!(driver.answer(), json!({"done": true}));
    driver.sequence("next s 25000 f").expect("a frame");
    cell.whole(&mut driver, "f");
}

pub fn two_subscriptions_in_one_process(cell: &mut Cell) {
    let mut feed = cell.feed();
    let mut driver = cell.driver();
    feed.publish(1);
    driver.ask("open a cam leases=2");
    driver.ask("open b fed leases=2");
    driver.ask("open c fed mode=every depth=4 leases=2");
    driver.sequence("next a 25000 fa").expect("a frame");
    driver.takes("next b 25000 fb", 1, 0);
    driver.takes("next c 25000 fc", 1, 0);
    let before = cell.bytes(&mut driver, "fa");
    driver.ask("close a");
    feed.publish(2);
    driver.takes("next b 25000 gb", 3, 1);
    driver.takes("next c 25000 gc", 2, 0);
    for frame in ["fa", "fb", "fc", "gb", "gc"] {
        cell.whole(&mut driver, frame);
    }
    assert_eq!(cell.bytes(&mut driver, "fa"), before);
    driver.ask("release fa");
    eventually("the first subscription has gone", || {
        (cell.broker.stream("cam")["subscriptions"] == 0).then_some(())
    });
    assert_eq!(cell.broker.stream("fed")["subscriptions"], 2);
}

pub fn the_streams_are_told_as_the_broker_tells_them(cell: &mut Cell) {
    let mut driver = cell.driver();
    let constant = |told: &Value| {
        let streams = told["streams"].as_array().cloned().unwrap_or_default();
        let names = [
            "name",
            "source",
            "layout",
            "generation",
            "slot_bytes",
            "protection",
        ];
        let only = |stream: Value| names.map(|name| stream[name].clone());
        streams.into_iter().map(only).collect::<Vec<_>>()
    };
    let told = constant(&driver.ask("streams"));
    assert_eq!(told.len(), 2);
    assert_eq!(told, constant(&cell.broker.ask("List", json!({}))));
}
