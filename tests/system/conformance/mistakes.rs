//! Scenarios of what cannot be: each client says the same of it, with a sentence.
//!
//! Owns nothing; what a broker does with hostile clients is in the test `hostile`.

use crate::cell::Cell;
use crate::client::Driver;
use crate::stranger;
use serde_json::json;

pub fn there_is_no_such_stream(cell: &mut Cell) {
    let mut driver = cell.driver();
    let says = driver.is_refused("open s absent leases=2", "no-such-stream");
    assert!(says.contains("absent"), "{says}");
    driver.is_refused("publish p new like=absent", "no-such-stream");
    driver.ask("open s cam leases=2");
}

pub fn there_is_no_broker(cell: &mut Cell) {
    let nowhere = cell.file("nowhere.sock");
    let mut driver = Driver::start(cell.client, &nowhere);
    for command in [
        "open s cam",
        "open s cam wait=50",
        "streams",
        "publish p new like=cam",
    ] {
        let says = driver.is_refused(command, "no-broker");
        let place = nowhere.display().to_string();
        assert!(
            says.contains(&place) && says.contains("streamemd"),
            "{says}"
        );
    }
}

pub fn what_cannot_be_is_refused(cell: &mut Cell) {
    let mut driver = cell.driver();
    driver.is_refused("open s ../cam", "bad-argument");
    driver.is_refused("open s cam leases=100000", "bad-argument");
    driver.is_refused("publish p ../cam like=cam", "bad-argument");
    driver.is_refused("publish p new like=../cam", "bad-argument");
}

pub fn a_broker_of_another_version_is_refused(cell: &mut Cell) {
    let place = stranger::of_another_version(&cell.broker);
    let mut driver = Driver::start(cell.client, &place);
    let says = driver.is_refused("open s cam leases=2", "other-version");
    for words in ["version 2", "version 1", "update the older"] {
        assert!(says.contains(words), "{says}");
    }
}

pub fn more_frames_than_may_be_held(cell: &mut Cell) {
    let mut feed = cell.feed();
    let mut driver = cell.driver();
    driver.ask("open s fed mode=every depth=4 leases=2");
    feed.publish(3);
    driver.takes("next s 25000 f", 1, 0);
    driver.takes("next s 25000 g", 2, 0);
    for command in ["next s 25000 h", "try s h", "latest s h", "clip s 1 h"] {
        let says = driver.is_refused(command, "too-many-held");
        assert!(says.contains("2 of the 2 frames"), "{command}: {says}");
    }
    driver.ask("release f");
    driver.takes("next s 25000 h", 3, 0);
    for (frame, sequence) in [("g", 2), ("h", 3)] {
        assert_eq!(cell.whole(&mut driver, frame)["source_sequence"], sequence);
    }
}

pub fn a_clip_of_more_than_may_be_held(cell: &mut Cell) {
    let mut feed = cell.feed();
    let mut driver = cell.driver();
    driver.ask("open s fed history=4 leases=4");
    // However few there are yet: else a program would work at first, and fail later.
    for published in [1, 1, 8] {
        feed.publish(published);
        driver.is_refused("clip s 5 f", "too-many-held");
    }
    assert_eq!(driver.ask("clip s 4 f"), json!({"clip": [7, 8, 9, 10]}));
}

pub fn a_frame_after_its_release(cell: &mut Cell) {
    let mut driver = cell.driver();
    driver.ask("open s cam leases=2");
    driver.sequence("next s 25000 f").expect("a frame");
    driver.ask("release f");
    let dump = format!("dump f {}", cell.file("dump").display());
    for command in ["tell f", &dump, "release f"] {
        driver.is_refused(command, "released");
    }
    driver.sequence("next s 25000 g").expect("a frame");
    cell.whole(&mut driver, "g");
}
