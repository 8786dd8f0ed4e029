//! Scenarios of publishing: what a client fills is read by another process of the same client.
//!
//! Owns nothing; other readers of the same frames are in `crossing`.

use crate::cell::{Cell, Picture, Pictures, takes_until};
use crate::client::Driver;
use serde_json::{Value, json};
use streamem_tests::eventually;

/// Fills the slot that the publisher is given next.
pub fn fill(cell: &Cell, driver: &mut Driver, picture: &Picture) {
    let size = driver.ask("slot p 25000")["size"].as_u64();
    assert_eq!(size, u64::try_from(picture.bytes.len()).ok(), "a slot");
    let path = cell.file("picture");
    std::fs::write(&path, &picture.bytes).expect("a file");
    driver.ask(&format!("fill p {}", path.display()));
}

/// Hands the slot in, with the stamps of this picture and these words.
pub fn submit(driver: &mut Driver, picture: &Picture, words: &str) {
    let (number, made_ns) = (picture.number, picture.made_ns);
    driver.ask(&format!(
        "submit p source_sequence={number} captured_ns={made_ns} {words}"
    ));
}

fn pair(cell: &Cell) -> (Driver, Driver) {
    let (mut writer, mut reader) = (cell.driver(), cell.driver());
    writer.ask("publish p made like=fed");
    reader.ask("open s made mode=every depth=8 leases=3");
    (writer, reader)
}

pub fn what_is_published_arrives_with_all_that_is_said_of_it(cell: &mut Cell) {
    let (mut writer, mut reader) = pair(cell);
    let mut pictures = Pictures::gray();
    for (sequence, words) in (1..).zip([
        "source_clock=77 clock=hololens flags=5 side=1",
        "source_clock=18446744073709551615 clock=ndi",
        "",
    ]) {
        let picture = pictures.next();
        fill(cell, &mut writer, &picture);
        submit(&mut writer, &picture, words);
        reader.takes("next s 25000 f", sequence, 0);
        assert!(cell.bytes(&mut reader, "f") == picture.bytes);
        let told = cell.whole(&mut reader, "f");
        let (clock, count, flags) = match sequence {
            1 => ("hololens", 77, 5),
            2 => ("ndi", u64::MAX, 0),
            _ => ("none", 0, 0),
        };
        assert_eq!(
            [&told["clock"], &told["source_clock"], &told["flags"]],
            [&json!(clock), &json!(count), &json!(flags)]
        );
        assert_eq!(
            told["side"],
            if sequence == 1 {
                side_data()
            } else {
                json!({})
            }
        );
        assert!(told["published_ns"].as_u64() >= told["captured_ns"].as_u64());
        reader.ask("release f");
    }
    writer.ask("unpublish p");
    eventually("it is lost", || {
        (reader.ask("state s")["state"] == "lost").then_some(())
    });
}

/// What every driver sends, in the order of its bytes.
fn side_data() -> Value {
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let floats = |numbers: &[f32]| -> String {
        numbers
            .iter()
            .map(|number| hex(&number.to_le_bytes()))
            .collect()
    };
    let settings: String = [400_u32, 4000, 550, 3]
        .iter()
        .map(|number| hex(&number.to_le_bytes()))
        .collect();
    let pose: Vec<f32> = (0..16_u8).map(|number| f32::from(number) / 2.0).collect();
    json!({
        "pose": floats(&pose),
        "intrinsics": floats(&[1.5, 2.5, 3.5, 4.5]),
        "exposure": hex(&12_345_u64.to_le_bytes()) + &floats(&[0.5]),
        "optics": settings + &floats(&[1.0, 1.125, 1.75, 1.5, 1.25]),
    })
}

pub fn frames_that_cannot_lie_so_are_refused(cell: &mut Cell) {
    let mut driver = cell.driver();
    for wish in [
        "fed format=bgr24 width=160 height=120 rate=0.1",
        "fed format=gray8 width=120 height=160 rate=0.1",
        "fed like=cam",
        "new format=gray8 width=100000 height=100000 rate=1",
        "new format=gray8 height=100 rate=1",
        "new format=nv12 width=7 height=7 rate=1",
    ] {
        driver.is_refused(&format!("publish p {wish}"), "bad-layout");
    }
    driver.ask("publish p fed format=gray8 width=160 height=120 rate=0.1");
    let told = driver.ask("publish q new format=yuyv width=64 height=48 rate=12.5");
    assert_eq!(told["layout"]["millihertz"], 12_500, "{told}");
    assert_eq!(told["layout"]["planes"], json!([[0, 128, 48]]), "{told}");
}

pub fn a_name_that_is_taken_is_refused(cell: &mut Cell) {
    let (mut writer, _reader) = pair(cell);
    writer.is_refused("publish q made like=fed", "exists");
    let mut other = cell.driver();
    other.is_refused("publish p made like=fed", "exists");
    other.is_refused("publish p cam like=fed", "exists");
    writer.ask("unpublish p");
    eventually("the name is free", || {
        other.attempt("publish p made like=fed")["error"]
            .is_null()
            .then_some(())
    });
}

pub fn a_frame_that_is_too_long_is_refused_and_its_slot_stays_in_hand(cell: &mut Cell) {
    let (mut writer, mut reader) = pair(cell);
    let mut pictures = Pictures::gray();
    for sequence in 1..=3 {
        let picture = pictures.next();
        fill(cell, &mut writer, &picture);
        let bytes = picture.bytes.len() + 1;
        let says = writer.is_refused(&format!("submit p bytes={bytes}"), "bad-argument");
        assert!(
            says.contains(&format!("said to have {bytes} bytes")),
            "{says}"
        );
        submit(&mut writer, &picture, "");
        reader.takes("next s 25000 f", sequence, 0);
        assert!(cell.bytes(&mut reader, "f") == picture.bytes);
        reader.ask("release f");
    }
    let publications = cell.broker.inspect()["publications"].clone();
    let counted = (&publications[0]["taken"], &publications[0]["rejected"]);
    assert_eq!(counted, (&json!(3), &json!(0)), "{publications}");
}

pub fn a_slot_that_is_not_submitted_is_given_again(cell: &mut Cell) {
    let (mut writer, mut reader) = pair(cell);
    let mut pictures = Pictures::gray();
    for sequence in 1..=3 {
        let picture = pictures.next();
        for _ in 0..20 {
            let size = writer.ask("slot p 25000")["size"].clone();
            assert_eq!(size, picture.bytes.len());
        }
        fill(cell, &mut writer, &picture);
        submit(&mut writer, &picture, "");
        reader.takes("next s 25000 f", sequence, 0);
        assert!(cell.bytes(&mut reader, "f") == picture.bytes);
        reader.ask("release f");
    }
    assert_eq!(reader.sequence("next s 20 f"), None);
}

pub fn its_publisher_is_killed_in_the_middle(cell: &mut Cell) {
    let (mut writer, mut reader) = pair(cell);
    let mut pictures = Pictures::gray();
    let picture = pictures.next();
    fill(cell, &mut writer, &picture);
    submit(&mut writer, &picture, "");
    reader.takes("next s 25000 f", 1, 0);
    fill(cell, &mut writer, &pictures.next());
    writer.process().kill9();
    eventually("it is lost", || {
        (reader.ask("state s")["state"] == "lost").then_some(())
    });
    assert_eq!(reader.sequence("next s 50 g"), None, "half a frame");
    assert!(cell.bytes(&mut reader, "f") == picture.bytes);

    let mut next = cell.driver();
    next.ask("publish p made like=fed");
    let third = pictures.next();
    fill(cell, &mut next, &third);
    submit(&mut next, &third, "");
    takes_until(cell, &mut reader, |told| {
        told["source_sequence"] == third.number
    });
    assert_eq!(reader.ask("state s"), json!({"state": "live"}));
    assert!(cell.bytes(&mut reader, "f") == picture.bytes);
}

pub fn its_publisher_goes_on_when_the_broker_is_back(cell: &mut Cell) {
    let mut writer = cell.driver();
    writer.ask("publish p made like=fed");
    let mut pictures = Pictures::gray();
    cell.broker.kill9();
    eventually("no slot is to be had", || {
        writer.ask("slot p 400")["size"].is_null().then_some(())
    });
    cell.broker.restart();
    eventually("a slot is to be had", || {
        writer.ask("slot p 400")["size"].is_u64().then_some(())
    });
    let mut reader = cell.driver();
    reader.ask("open s made mode=every depth=8 leases=3");
    for sequence in 1..=3 {
        let picture = pictures.next();
        fill(cell, &mut writer, &picture);
        submit(&mut writer, &picture, "");
        reader.takes("next s 25000 f", sequence, 0);
        assert!(cell.bytes(&mut reader, "f") == picture.bytes);
        reader.ask("release f");
    }
}
