//! Cameras that fail, refuse, and go away.
//!
//! Owns which error each of these is.

use crate::vivid::{
    BUFFERS, MULTI, SINGLE, Stream, control, fresh, node, open, plug, unplug, whole,
};
use streamem_tests::eventually;
use streamem_v4l2::{Device, Error, Fourcc, Mapped, Memory};

fn press(camera: &Device, button: &str) {
    let button = control(camera, button).id;
    camera.set_control(button, 1).expect("it can be pressed");
}

/// The error in place of the frame after those that were done before.
fn end(stream: &Stream<'_>) -> Error {
    eventually("there are no more frames", || stream.next().err())
}

#[test]
fn a_frame_that_went_wrong_says_so() {
    for (camera, fourcc) in [(SINGLE, Fourcc::YUYV), (MULTI, Fourcc::NV12M)] {
        let camera = fresh(camera);
        let stream = Stream::start(&camera, fourcc);
        let take = || {
            let frame = stream.next().expect("the camera is there");
            stream.give_back(&frame);
            frame.broken
        };
        assert!(!take());
        press(&camera, "inject_v4l2_buf_flag_error");
        eventually("one is broken", || take().then_some(()));
        eventually("those after it are whole", || (!take()).then_some(()));
    }
}

#[test]
fn a_driver_that_refuses_says_why() {
    let camera = fresh(SINGLE);
    let queue = camera.capture_queue().expect("it captures");
    press(&camera, "inject_vidioc_reqbufs_error");
    let refused = camera.request(queue, Memory::Mmap, 2);
    let Err(error @ Error::Refused { .. }) = refused else {
        panic!("{refused:?}");
    };
    let text = error.to_string();
    assert!(text.starts_with(&format!("{}: VIDIOC_REQBUFS: ", camera.path().display())));
    assert_eq!(
        camera
            .request(queue, Memory::Mmap, 2)
            .expect("that was once"),
        2
    );
}

#[test]
fn a_stream_that_fails_is_no_camera_that_went() {
    let camera = fresh(SINGLE);
    let stream = Stream::start(&camera, Fourcc::YUYV);
    stream.next().expect("a frame comes");
    press(&camera, "inject_fatal_streaming_error");
    let error = end(&stream);
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    camera.stream_off(stream.queue).expect("it stops");
    let queue = |index| camera.queue_mmap(stream.queue, index, 1);
    (0..BUFFERS).for_each(|index| queue(index).expect("it takes the buffer"));
    camera.stream_on(stream.queue).expect("it starts again");
    stream.next().expect("a frame comes");
}

#[test]
fn a_camera_that_disconnects_is_gone() {
    let camera = fresh(SINGLE);
    let stream = Stream::start(&camera, Fourcc::YUYV);
    stream.next().expect("a frame comes");
    press(&camera, "disconnect");
    let error = end(&stream);
    assert!(error.is_gone(), "{error}");
    assert!(camera.controls().is_err_and(|error| error.is_gone()));
    assert!(camera.inputs().is_err_and(|error| error.is_gone()));
    assert!(camera.next_event().is_err_and(|error| error.is_gone()));
}

#[test]
fn a_camera_that_is_unplugged_is_gone_and_its_memory_stays() {
    for (camera, fourcc) in [(SINGLE, Fourcc::YUYV), (MULTI, Fourcc::NV12M)] {
        let device = fresh(camera);
        let path = node(camera).expect("it is there");
        let stream = Stream::start(&device, fourcc);
        let frame = stream.next().expect("a frame comes");
        let bytes = frame.planes[0].bytes;
        let exported = device.export(stream.queue, frame.index, 0, false);
        let exported = exported.expect("it can be exported");
        let before = stream.bytes(&frame, 0);
        unplug().expect("the driver lets it go");
        let error = end(&stream);
        assert!(error.is_gone(), "{error}");
        let again = device.queue_mmap(stream.queue, frame.index, stream.format.planes.len());
        assert!(again.is_err_and(|error| error.is_gone()));
        assert!(
            device
                .stream_off(stream.queue)
                .is_err_and(|error| error.is_gone())
        );
        let anew = Device::open(&path);
        assert!(anew.is_err_and(|error| error.is_gone()));
        assert_eq!(stream.bytes(&frame, 0), before);
        let mapped = Mapped::exported(&exported, bytes).expect("it can be mapped");
        assert_eq!(whole(&mapped, bytes), before);
        drop(stream);
        drop(device);
        plug().expect("the driver takes it");
        assert_eq!(open(camera).path(), path, "nothing held the number");
    }
}
