//! A decoded stream runs while somebody reads it, and follows its parent.
//!
//! Owns the comings and goings of readers and of the streams it is decoded from.

use super::{
    CONFIG, Camera, assert_picture, decoders, decoding_slots, next, read, state_becomes, why,
};
use streamem_tests::{Broker, Consumer, eventually};

fn published(broker: &Broker, stream: &str) -> u64 {
    let counters = &broker.stream(stream)["counters"];
    counters["published"].as_u64().expect("a number")
}

fn rests(broker: &Broker) {
    eventually("nothing is decoded", || {
        (decoders(broker) == 0 && decoding_slots(broker, "cam") == 0).then_some(())
    });
}

#[test]
fn nothing_is_decoded_while_nobody_reads() {
    let broker = Broker::with_config(CONFIG);
    let mut camera = Camera::open(&broker);
    state_becomes(&broker, "picture", "live");
    let mut of_parent = read(&broker, "cam");
    for _ in 0..20 {
        camera.shoot();
        let _seen = next(&mut of_parent);
    }
    assert_eq!((decoders(&broker), published(&broker, "picture")), (0, 0));
    assert_eq!(decoding_slots(&broker, "cam"), 0);

    let mut first = read(&broker, "picture");
    // No other frame comes: it is the newest there was.
    assert_eq!(assert_picture(&next(&mut first)), 20);
    assert_eq!((decoders(&broker), decoding_slots(&broker, "cam")), (1, 1));
    let mut second = read(&broker, "picture");
    assert_eq!(assert_picture(&next(&mut second)), 20);
    assert_eq!((decoders(&broker), decoding_slots(&broker, "cam")), (1, 1));
    drop(first);
    assert_eq!(camera.shoot(), assert_picture(&next(&mut second)));
    let _seen = next(&mut of_parent);
    drop(second);
    rests(&broker);

    let before = published(&broker, "picture");
    for _ in 0..20 {
        camera.shoot();
        let _seen = next(&mut of_parent);
    }
    assert_eq!(published(&broker, "picture"), before);
    assert_eq!(broker.stream("picture")["state"], "live");
    let mut third = read(&broker, "picture");
    // Not the one that was decoded last.
    assert_eq!(assert_picture(&next(&mut third)), 41);
    assert_eq!(published(&broker, "picture"), before + 1);
}

#[test]
fn readers_that_come_and_go_quickly_have_one_seat_at_the_parent() {
    let broker = Broker::with_config(CONFIG);
    // Two in hand, the newest, and one lease.
    let mut camera = Camera::with_slots(&broker, 4);
    state_becomes(&broker, "picture", "live");
    camera.shoot();
    for _ in 0..20 {
        drop(read(&broker, "picture"));
        let slots = decoding_slots(&broker, "cam");
        assert!(slots <= 1, "{slots} slots for one decoder");
        let now = broker.stream("picture");
        assert_eq!(now["state"], "live", "{now}");
    }
    let mut sub = read(&broker, "picture");
    assert_eq!(assert_picture(&next(&mut sub)), 1);
}

#[test]
fn readers_that_come_and_go_never_see_a_torn_or_an_old_picture() {
    let broker = Broker::with_config(CONFIG);
    let mut camera = Camera::open(&broker);
    let mut of_parent = read(&broker, "cam");
    for _ in 0..40 {
        let number = camera.shoot();
        while next(&mut of_parent).sequence() < number {}
        let mut sub = read(&broker, "picture");
        let _next_one_is_on_its_way = camera.shoot();
        let frame = next(&mut sub);
        let seen = assert_picture(&frame);
        assert!(seen == number || seen == number + 1, "{seen} for {number}");
    }
    rests(&broker);
}

#[test]
fn a_stopped_reader_holds_up_neither_others_nor_the_parent() {
    let broker = Broker::with_config(
        "[stream.picture]\nsource = \"decode://cam\"\n[access]\nread = [\"everyone\"]\n",
    );
    assert!(why(&broker.stream("picture")).contains("\"cam\""));
    let bars = "publish=pattern://bars?size=320x240&rate=60&format=rgb24";
    let camera = Consumer::start(&broker.socket(), "cam", &[bars, "jpeg=1"]);
    state_becomes(&broker, "picture", "live");
    let options = ["mode=every", "depth=4", "leases=2", "hold=1"];
    let mut readers = [(); 3].map(|()| Consumer::start(&broker.socket(), "picture", &options));
    let mut of_parent = Consumer::start(&broker.socket(), "cam", &options);
    let stopped = Consumer::start(&broker.socket(), "picture", &options);
    stopped.stop();
    for reader in readers.iter_mut().chain([&mut of_parent]) {
        let before = reader.count("frames");
        eventually("it has taken more frames", || {
            (reader.count("frames") >= before + 60).then_some(())
        });
    }
    assert_eq!(decoders(&broker), 1, "one for all of them");
    for stream in ["cam", "picture"] {
        let counters = &broker.stream(stream)["counters"];
        assert_eq!(counters["dropped_no_slot"], 0, "{stream}: {counters}");
    }
    stopped.resume();
    for reader in readers.into_iter().chain([of_parent, stopped]) {
        let report = reader.finish();
        for fault in ["changed", "backwards", "miscounted", "timeless"] {
            assert_eq!(report[fault], 0, "{fault} in {report}");
        }
    }
    let report = camera.finish();
    assert_eq!(report["errors"], serde_json::json!([]), "{report}");
}

#[test]
fn it_is_lost_with_its_parent_and_goes_on_with_it() {
    let broker = Broker::with_config(CONFIG);
    let first = state_becomes(&broker, "picture", "lost");
    assert!(
        why(&first).contains("\"cam\"") && why(&first).contains("waits"),
        "{first}"
    );
    let mut camera = Camera::open(&broker);
    let mut sub = read(&broker, "picture");
    camera.shoot();
    let before = next(&mut sub);
    camera.publisher.finish().expect("the broker is there");
    let lost = state_becomes(&broker, "picture", "lost");
    assert!(
        why(&lost).contains("\"cam\"") && why(&lost).contains("is done"),
        "{lost}"
    );
    rests(&broker);
    assert_eq!(assert_picture(&before), 1, "what is held stays");

    let mut camera = Camera::open(&broker);
    camera.number = 10;
    state_becomes(&broker, "picture", "live");
    camera.shoot();
    let after = next(&mut sub);
    assert_eq!(assert_picture(&after), 11);
    assert!(after.sequence() > before.sequence());
}

#[test]
fn what_was_decoded_before_the_parent_was_lost_is_not_given_to_who_comes_after() {
    let broker = Broker::with_config(CONFIG);
    let mut camera = Camera::open(&broker);
    let mut sub = read(&broker, "picture");
    camera.shoot();
    drop(next(&mut sub));
    camera.publisher.finish().expect("the broker is there");
    state_becomes(&broker, "picture", "lost");
    drop(sub);
    eventually("nobody reads it", || {
        (broker.stream("picture")["subscriptions"] == 0).then_some(())
    });
    let mut camera = Camera::open(&broker);
    state_becomes(&broker, "picture", "live");
    let mut sub = read(&broker, "picture");
    assert!(sub.try_next().expect("no error").is_none());
    camera.number = 7;
    camera.shoot();
    let frame = next(&mut sub);
    assert_eq!((assert_picture(&frame), frame.missed()), (8, 0));
}

#[test]
fn a_publisher_that_is_killed_is_not_missed_for_long() {
    let broker = Broker::with_config(CONFIG);
    let options = [
        "publish=pattern://bars?size=320x240&rate=0&format=rgb24",
        "jpeg=1",
    ];
    let mut reader = Consumer::start(&broker.socket(), "picture", &["mode=every"]);
    for _ in 0..3 {
        let mut camera = Consumer::start(&broker.socket(), "cam", &options);
        let before = reader.count("frames");
        eventually("the reader has taken more frames", || {
            (reader.count("frames") >= before + 10).then_some(())
        });
        camera.kill9();
        let lost = state_becomes(&broker, "picture", "lost");
        assert!(why(&lost).contains("has gone"), "{lost}");
    }
    let report = reader.finish();
    for fault in ["changed", "backwards", "miscounted"] {
        assert_eq!(report[fault], 0, "{fault} in {report}");
    }
}

#[test]
fn a_parent_of_another_size_renews_it() {
    let broker = Broker::with_config(
        "[stream.picture]\nsource = \"decode://cam?format=rgb24\"\n[access]\nread = [\"everyone\"]\n",
    );
    let mut camera = Camera::of(&broker, "cam", 320, 240);
    state_becomes(&broker, "picture", "live");
    let mut sub = read(&broker, "picture");
    camera.shoot();
    assert_eq!(assert_picture(&next(&mut sub)), 1);
    let generation = broker.stream("picture")["generation"].as_u64();
    let mut of_parent = read(&broker, "cam");
    let _keeps_the_stream_there = of_parent.try_next();
    camera.publisher.finish().expect("the broker is there");
    state_becomes(&broker, "picture", "lost");

    let mut camera = Camera::of(&broker, "cam", 400, 304);
    state_becomes(&broker, "picture", "live");
    camera.shoot();
    let frame = next(&mut sub);
    assert_eq!((frame.layout().width, frame.layout().height), (400, 304));
    assert_eq!(assert_picture(&frame), 1);
    let renewed = broker.stream("picture")["generation"].as_u64();
    assert!(renewed > generation, "{renewed:?}");
}

#[test]
fn a_parent_that_is_removed_is_waited_for() {
    let broker = Broker::with_config(CONFIG);
    let mut camera = Camera::open(&broker);
    let mut sub = read(&broker, "picture");
    camera.shoot();
    let _seen = next(&mut sub);
    let removed = serde_json::json!({"stream": "cam"});
    broker.ask("RemoveStream", removed);
    let lost = state_becomes(&broker, "picture", "lost");
    assert!(why(&lost).contains("there is no stream \"cam\""), "{lost}");
    drop(camera);
    let mut camera = Camera::open(&broker);
    camera.number = 5;
    state_becomes(&broker, "picture", "live");
    camera.shoot();
    assert_eq!(assert_picture(&next(&mut sub)), 6);
}

#[test]
fn one_that_is_removed_leaves_nothing_at_its_parent() {
    let broker = Broker::with_config(CONFIG);
    let mut camera = Camera::open(&broker);
    let mut sub = read(&broker, "picture");
    camera.shoot();
    let _seen = next(&mut sub);
    let threads = decoders(&broker);
    assert_eq!(threads, 1);
    broker.ask("RemoveStream", serde_json::json!({"stream": "picture"}));
    rests(&broker);
    camera.shoot();
    eventually("it is published", || {
        (published(&broker, "cam") == 2).then_some(())
    });
    let added = serde_json::json!({"stream": "again", "source": "decode://cam"});
    let added = broker.ask("AddStream", added);
    assert_eq!(added["stream"]["state"], "live", "{added}");
    assert_eq!(next(&mut read(&broker, "again")).source_sequence(), 2);
}

#[test]
fn a_parent_without_a_slot_to_spare_is_asked_again() {
    let broker = Broker::with_config(CONFIG);
    // Two in hand, the newest, and two leases.
    let mut camera = Camera::with_slots(&broker, 5);
    state_becomes(&broker, "picture", "live");
    let builder = streamem::Subscription::builder("cam").leases(2);
    let of_parent = builder.socket(broker.socket()).open().expect("it fits");
    let mut sub = read(&broker, "picture");
    let lost = state_becomes(&broker, "picture", "lost");
    assert!(why(&lost).contains("\"cam\" has 5 slots"), "{lost}");
    assert_eq!(decoders(&broker), 0);
    drop(of_parent);
    camera.shoot();
    assert_eq!(assert_picture(&next(&mut sub)), 1);
    state_becomes(&broker, "picture", "live");
}

#[test]
fn readers_go_on_when_the_broker_is_started_anew() {
    let manager = streamem_tests::notify::NotifySocket::open();
    for keeps_memory in [false, true] {
        let mut plan = Broker::plan().config(CONFIG);
        if keeps_memory {
            plan = plan.notify(&manager).argument("--fd-store");
        }
        let mut broker = plan.start();
        let options = [
            "publish=pattern://bars?size=320x240&rate=30&format=rgb24",
            "jpeg=1",
        ];
        let _camera = Consumer::start(&broker.socket(), "cam", &options);
        let mut reader = Consumer::start(&broker.socket(), "picture", &["mode=every"]);
        for _ in 0..3 {
            let before = reader.count("frames");
            eventually("the reader has taken more frames", || {
                (reader.count("frames") >= before + 10).then_some(())
            });
            broker.restart();
        }
        let before = reader.count("frames");
        eventually("the reader goes on", || {
            (reader.count("frames") >= before + 10).then_some(())
        });
        assert_eq!(decoding_slots(&broker, "cam"), 1);
        let report = reader.finish();
        assert_eq!(
            (&report["changed"], &report["timeless"]),
            (&0.into(), &0.into()),
            "{report}"
        );
    }
}
