//! Frames in the camera's own memory, mapped and exported.
//!
//! Owns what each frame must say and show.

use crate::vivid::{BUFFERS, HD, MULTI, SINGLE, Stream, fresh, open, whole};
use rustix::time::{ClockId, clock_gettime};
use std::os::fd::{AsFd, BorrowedFd};
use streamem_tests::attack::every_way_to_write;
use streamem_v4l2::{Error, Format, Fourcc, Fraction, Mapped, Memory, TimestampKind};

const FRAMES: usize = 30;

fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).expect("time goes on");
    seconds * 1_000_000_000 + u64::try_from(now.tv_nsec).expect("it is positive")
}

fn ns(interval: Fraction) -> u64 {
    u64::from(interval.numerator) * 1_000_000_000 / u64::from(interval.denominator)
}

/// Thirty frames, each looked at.
fn stream(camera: usize, fourcc: Fourcc) {
    let camera = fresh(camera);
    let begin = now();
    let stream = Stream::start(&camera, fourcc);
    let interval = camera.interval(stream.queue).expect("it has one");
    // The end of a frame is foretold when it begins.
    let latest = || now() + ns(interval);
    let (mut sequence, mut time) = (None, begin);
    for _ in 0..FRAMES {
        let frame = stream.next().expect("the camera is there");
        assert!(
            sequence.is_none_or(|last| frame.sequence > last),
            "{frame:?}"
        );
        assert!(
            frame.timestamp_ns > time && frame.timestamp_ns <= latest(),
            "{frame:?}"
        );
        (sequence, time) = (Some(frame.sequence), frame.timestamp_ns);
        assert_eq!(frame.clock, TimestampKind::Monotonic);
        assert!(!frame.broken && !frame.last && frame.index < BUFFERS);
        assert_eq!(frame.planes.len(), stream.format.planes.len());
        for (plane, format) in stream.format.planes.iter().enumerate() {
            assert_eq!(frame.planes[plane].bytes, format.bytes);
            let bytes = stream.bytes(&frame, plane);
            assert!(
                bytes.iter().any(|byte| *byte != bytes[0]),
                "nothing is to be seen"
            );
        }
        stream.give_back(&frame);
    }
    camera.stream_off(stream.queue).expect("it stops");
    let after = camera.dequeue(stream.queue, Memory::Mmap, stream.format.planes.len());
    assert!(matches!(after, Err(Error::Refused { .. })), "{after:?}");
}

#[test]
fn frames_of_one_plane_come_in_order() {
    stream(SINGLE, Fourcc::YUYV);
}

#[test]
fn frames_of_two_planes_in_one_memory_come_in_order() {
    stream(SINGLE, Fourcc::NV12);
}

#[test]
fn frames_of_two_planes_in_two_memories_come_in_order() {
    stream(MULTI, Fourcc::NV12M);
}

#[test]
fn nothing_comes_before_it_is_there() {
    let camera = fresh(SINGLE);
    let stream = Stream::start(&camera, Fourcc::YUYV);
    for _ in 0..BUFFERS {
        stream.next().expect("a frame comes");
    }
    let none = camera.dequeue(stream.queue, Memory::Mmap, 1);
    assert!(
        matches!(none, Ok(None)),
        "it has no buffer to fill: {none:?}"
    );
}

/// Whether the memory can be written in this way.
fn can(memory: BorrowedFd<'_>, how: &str) -> bool {
    let all = every_way_to_write(memory);
    let found = all.iter().find(|(name, _)| *name == how);
    found.expect("it is a way").1.is_none()
}

#[test]
fn what_is_exported_for_reading_is_the_same_memory_and_cannot_be_written() {
    for (camera, fourcc) in [(SINGLE, Fourcc::YUYV), (MULTI, Fourcc::NV12M)] {
        let camera = fresh(camera);
        let stream = Stream::start(&camera, fourcc);
        let frame = stream.next().expect("a frame comes");
        for (plane, used) in frame.planes.iter().enumerate() {
            let number = u32::try_from(plane).expect("a small number");
            let exported = camera.export(stream.queue, frame.index, number, false);
            let exported = exported.expect("it can be exported");
            let mapped = Mapped::exported(&exported, used.bytes).expect("it can be mapped");
            assert_eq!(whole(&mapped, used.bytes), stream.bytes(&frame, plane));
            for how in [
                "mmap for writing",
                "mprotect to writable",
                "pwrite",
                "write through a reopened descriptor",
            ] {
                assert!(!can(exported.as_fd(), how), "{how}");
            }
            let writable = camera.export(stream.queue, frame.index, number, true);
            let writable = writable.expect("it can be exported");
            assert!(can(writable.as_fd(), "mmap for writing"));
        }
        let beyond = camera.export(stream.queue, frame.index, 7, false);
        assert!(matches!(beyond, Err(Error::Refused { .. })), "{beyond:?}");
    }
}

#[test]
fn what_is_exported_outlives_the_buffers() {
    let camera = fresh(SINGLE);
    let stream = Stream::start(&camera, Fourcc::YUYV);
    let frame = stream.next().expect("a frame comes");
    let exported = camera.export(stream.queue, frame.index, 0, false);
    let exported = exported.expect("it can be exported");
    let bytes = frame.planes[0].bytes;
    let mapped = Mapped::exported(&exported, bytes).expect("it can be mapped");
    let before = stream.bytes(&frame, 0);
    camera.stream_off(stream.queue).expect("it stops");
    let freed = camera.request(stream.queue, Memory::Mmap, 0);
    freed.expect("buffers can be freed while they are mapped");
    assert_eq!(whole(&mapped, bytes), before);
    assert_eq!(stream.bytes(&frame, 0), before);
    let gone = camera.query(stream.queue, Memory::Mmap, 0, 1);
    assert!(gone.is_err(), "there is no buffer any more: {gone:?}");
}

#[test]
fn a_mapping_has_an_end() {
    let camera = fresh(SINGLE);
    let stream = Stream::start(&camera, Fourcc::YUYV);
    let memory = &stream.memory[0][0];
    let mut two = [0; 2];
    assert!(memory.copy_to(memory.len() - 2, &mut two));
    assert!(!memory.copy_to(memory.len() - 1, &mut two));
    assert!(!memory.copy_to(usize::MAX, &mut two));
}

#[test]
fn a_camera_belongs_to_one_at_a_time() {
    let camera = fresh(SINGLE);
    let stream = Stream::start(&camera, Fourcc::YUYV);
    let other = open(SINGLE);
    let queue = stream.queue;
    let set = other.set_format(queue, &Format::wish(Fourcc::NV12, HD));
    assert!(matches!(set, Err(Error::Busy { .. })), "{set:?}");
    let memory = other.request(queue, Memory::Mmap, BUFFERS);
    assert!(matches!(memory, Err(Error::Busy { .. })), "{memory:?}");
}
