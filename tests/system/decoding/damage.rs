//! Frames that are damaged, or no pictures at all.
//!
//! Owns the damage; whatever is published, the next good frame is decoded.

use super::{
    CONFIG, Camera, assert_picture, lost_by_ten, next, number_in, read, state_becomes, why,
};
use streamem::flags;
use streamem_tests::Broker;
use streamem_tests::jpeg::Sampling;

#[test]
fn a_picture_that_was_cut_is_said_to_be_broken() {
    let broker = Broker::with_config(CONFIG);
    let mut camera = Camera::open(&broker);
    let mut sub = read(&broker, "picture");
    let jpeg = camera.encoded(Sampling::Full);
    camera.put(&jpeg[..jpeg.len() * 3 / 4], |_| ());
    let frame = next(&mut sub);
    assert_eq!(frame.flags(), flags::BROKEN);
    // The number is at the top.
    assert_eq!(number_in(&frame), 1);
    camera.shoot();
    let frame = next(&mut sub);
    assert_eq!((assert_picture(&frame), frame.flags()), (2, 0));
}

#[test]
fn what_is_no_picture_is_passed_over_and_counted() {
    let broker = Broker::with_config(CONFIG);
    let mut camera = Camera::open(&broker);
    let mut sub = read(&broker, "picture");
    camera.shoot();
    let _first = next(&mut sub);
    let jpeg = camera.encoded(Sampling::Full);
    let mut too_large = jpeg.clone();
    let header = jpeg.windows(2).position(|two| two == [0xff, 0xc0]);
    let size = header.expect("a header") + 5;
    too_large[size..size + 4].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    let mut of_parent = read(&broker, "cam");
    for (lost, bytes) in [&b""[..], b"garbage", &[0; 5000], &jpeg[..200], &too_large]
        .into_iter()
        .enumerate()
    {
        camera.put(bytes, |_| ());
        let _published = next(&mut of_parent);
        streamem_tests::eventually("it is counted", || {
            let counters = broker.stream("picture")["counters"].clone();
            (counters["dropped_by_source"] == lost as u64 + 1).then_some(())
        });
    }
    camera.put(&jpeg, |_| ());
    let frame = next(&mut sub);
    assert_eq!((assert_picture(&frame), frame.flags()), (2, flags::GAP));
    assert_eq!(frame.source_sequence(), 7);
    assert_eq!(broker.stream("picture")["counters"]["published"], 2);
    assert_eq!(broker.stream("picture")["state"], "live");
}

#[test]
fn a_stream_of_garbage_is_lost_until_there_is_a_picture() {
    let broker = Broker::with_config(CONFIG);
    let mut camera = Camera::open(&broker);
    let mut sub = read(&broker, "picture");
    let mut of_parent = read(&broker, "cam");
    let lost = lost_by_ten(&broker, &mut camera, &mut of_parent, b"garbage");
    assert!(
        why(&lost).contains("\"cam\"") && why(&lost).contains("decoded"),
        "{lost}"
    );
    camera.shoot();
    assert_eq!(assert_picture(&next(&mut sub)), 1);
    state_becomes(&broker, "picture", "live");
    let _good = next(&mut of_parent);

    for _ in 0..10 {
        camera.put(b"garbage", |_| ());
        let seen = next(&mut of_parent).sequence();
        streamem_tests::eventually("it is counted", || {
            let counters = broker.stream("picture")["counters"].clone();
            (counters["dropped_by_source"] == seen - 1).then_some(())
        });
    }
    state_becomes(&broker, "picture", "lost");
    drop(sub);
    // Nothing is known of a stream that nobody has decoded.
    state_becomes(&broker, "picture", "live");
}
