//! What drivers do that have trouble: broken frames, streaming that ends, a device that disconnects.
//!
//! Owns vivid's switches for that.

use crate::scene::{
    CAMERA, broker_with, is_live, next, plug_in, subscribed, turn, unplug, why_lost,
};
use streamem::flags;
use streamem_tests::eventually;

#[test]
fn a_broken_frame_says_so_and_those_after_it_are_whole() {
    let broker = broker_with(CAMERA);
    is_live(&broker);
    let mut subscription = subscribed(&broker);
    turn("inject_v4l2_buf_flag_error", 1);
    eventually("a frame is broken", || {
        let frame = next(&mut subscription);
        (frame.flags() & flags::BROKEN != 0).then_some(())
    });
    eventually("one is whole again", || {
        let frame = next(&mut subscription);
        (frame.flags() & flags::BROKEN == 0).then_some(())
    });
    assert_eq!(broker.stream("cam")["state"], "live");
}

#[test]
fn streaming_that_fails_is_begun_anew() {
    let broker = broker_with(CAMERA);
    is_live(&broker);
    let mut subscription = subscribed(&broker);
    let last = next(&mut subscription).sequence();
    turn("inject_fatal_streaming_error", 1);
    why_lost(&broker, |why| why.contains("/dev/video0"));
    is_live(&broker);
    assert!(next(&mut subscription).sequence() > last);
}

#[test]
fn a_driver_that_refuses_to_start_is_tried_again() {
    turn("inject_vidioc_streamon_error", 1);
    let broker = broker_with(CAMERA);
    is_live(&broker);
    assert!(next(&mut subscribed(&broker)).sequence() > 0);
}

#[test]
fn a_device_that_disconnects_is_waited_for() {
    let broker = broker_with(CAMERA);
    is_live(&broker);
    let mut subscription = subscribed(&broker);
    let last = next(&mut subscription).sequence();
    turn("disconnect", 1);
    why_lost(&broker, |why| why.contains("/dev/video0"));
    unplug();
    plug_in();
    assert!(next(&mut subscription).sequence() > last);
}
