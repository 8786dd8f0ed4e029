//! Every pattern in every format it has, through the client crate.
//!
//! Owns a stream of each; what the bytes must be is the pattern's own business.

use serde_json::json;
use std::time::Duration;
use streamem::{Frame, Subscription};
use streamem_tests::Broker;
use streamem_wire::{Format, Kind};
use streamemd::source::pattern::bars;

fn two_frames(broker: &Broker, name: &str, source: &str) -> [Frame; 2] {
    let answer = broker
        .connect()
        .call("AddStream", json!({"stream": name, "source": source}));
    assert!(answer.error.is_none(), "{source}: {answer:?}");
    let builder = Subscription::builder(name).socket(broker.socket());
    let mut subscription = builder.every(8).leases(4).open().expect("a subscription");
    [(); 2].map(|()| {
        let frame = subscription.next(Duration::from_secs(20));
        frame
            .expect("no error")
            .unwrap_or_else(|| panic!("no frame of {source}"))
    })
}

#[test]
fn every_picture_format_arrives_whole() {
    let broker = Broker::start();
    for format in Format::ALL
        .iter()
        .filter(|format| format.kind() == Kind::Video)
    {
        let source = format!("pattern://bars?size=160x120&rate=60&format={format}");
        for frame in two_frames(&broker, format.name(), &source) {
            let layout = frame.layout();
            assert_eq!(layout.format, *format);
            assert_eq!(frame.bytes().len() as u64, layout.bytes, "{format}");
            let strip =
                bars::check(layout, frame.bytes()).unwrap_or_else(|e| panic!("{format}: {e}"));
            assert!(strip.number > 0, "{format}");
            let planes: usize = (0..layout.planes.len())
                .map(|plane| frame.plane(plane).expect("it is in the layout").len())
                .sum();
            assert_eq!(
                planes,
                frame.bytes().len(),
                "{format}: planes fill the frame"
            );
            assert!(frame.plane(layout.planes.len()).is_none());
        }
        broker.ask("RemoveStream", json!({"stream": format.name()}));
    }
}

#[test]
fn random_pictures_differ_from_frame_to_frame() {
    let broker = Broker::start();
    for format in ["bgr24", "gray8", "nv12"] {
        let source = format!("pattern://rand?size=160x120&rate=60&format={format}");
        let [one, other] = two_frames(&broker, format, &source);
        assert_ne!(one.bytes(), other.bytes(), "{format}");
        assert!(
            one.bytes().iter().any(|byte| *byte != one.bytes()[0]),
            "{format} is flat"
        );
    }
}

#[test]
fn sounds_are_samples_in_range() {
    let broker = Broker::start();
    for (name, source) in [("a", "pattern://sine"), ("b", "pattern://randmic")] {
        let [one, other] = two_frames(&broker, name, source);
        let samples = |frame: &Frame| -> Vec<f32> {
            let words = frame.bytes().chunks_exact(4);
            words
                .map(|word| f32::from_le_bytes(word.try_into().expect("4 bytes")))
                .collect()
        };
        assert_eq!(samples(&one).len(), 2 * 1024, "{source}");
        assert!(
            samples(&one).iter().all(|sample| sample.abs() <= 1.0),
            "{source}"
        );
        assert!(
            samples(&one).iter().any(|sample| *sample != 0.0),
            "{source} is silent"
        );
        assert_ne!(one.bytes(), other.bytes(), "{source}");
    }
}

#[test]
fn inertial_samples_come_in_batches_with_named_fields() {
    let broker = Broker::start();
    let [one, other] = two_frames(&broker, "imu", "pattern://imu");
    assert_eq!(one.layout().kind, Kind::Batch);
    let array = one.layout().array.as_ref().expect("an array of records");
    assert!(
        array.fields.len() >= 4,
        "time and three axes at least: {array:?}"
    );
    let record = usize::try_from(array.strides[0]).expect("small");
    assert_eq!(one.bytes().len() % record, 0, "whole records");
    let time_of = |bytes: &[u8]| u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes"));
    let times: Vec<u64> = [&one, &other]
        .iter()
        .flat_map(|frame| {
            frame
                .bytes()
                .chunks_exact(record)
                .map(time_of)
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(
        times.len() >= 2 && times.is_sorted(),
        "time goes on: {times:?}"
    );
}
