//! v4l2loopback: what one program writes comes out as a camera's frames.
//!
//! Owns the program that writes, and that each frame is the one it wrote.

use crate::scene::{broker_with, is_live, next, subscribed, why_lost};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use streamem::flags;
use streamem_v4l2::{Device, Format, Fourcc, Size};

const CAMERA: &str = "v4l2:///dev/video0";
const SIZE: Size = Size::new(320, 240);
const BYTES: usize = 320 * 240 * 2;
const PERIOD: Duration = Duration::from_millis(40);

/// The frame of this number: each byte follows from number and place.
fn picture(number: u32) -> Vec<u8> {
    let mut picture: Vec<u8> = (0..BYTES)
        .map(|at| at.to_le_bytes()[0] ^ number.to_le_bytes()[0])
        .collect();
    picture[..4].copy_from_slice(&number.to_le_bytes());
    picture
}

fn number(picture: &[u8]) -> u32 {
    u32::from_le_bytes([picture[0], picture[1], picture[2], picture[3]])
}

/// Writes one frame after the other until it is dropped.
struct Feeder {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Feeder {
    /// Returns when the first frame is written, since the driver has no camera before.
    fn start(place: &str) -> Feeder {
        let device = Device::open(Path::new(place)).expect("it can be opened");
        let queue = device.output_queue().expect("nobody feeds it");
        let set = device
            .set_format(queue, &Format::wish(Fourcc::YUYV, SIZE))
            .expect("it has this format");
        assert_eq!((set.fourcc, set.size), (Fourcc::YUYV, SIZE));
        let ended = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ended);
        let write = move |frame: u32| {
            let written = rustix::io::write(&device, &picture(frame)).expect("it takes the frame");
            assert_eq!(written, BYTES);
        };
        write(0);
        let feed = move || {
            for frame in 1.. {
                if until.load(Relaxed) {
                    break;
                }
                write(frame);
                thread::sleep(PERIOD);
            }
        };
        Feeder {
            ended,
            thread: Some(thread::spawn(feed)),
        }
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.ended.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("every frame was written");
        }
    }
}

#[test]
fn loopback_gives_exactly_what_was_written() {
    let _feeder = Feeder::start("/dev/video0");
    let broker = broker_with(CAMERA);
    let stream = is_live(&broker);
    let filled = stream["filled"].as_str().unwrap_or_default();
    assert!(
        filled.starts_with("copy (import: ") && filled.contains("export: "),
        "{stream}"
    );
    let mut reader = subscribed(&broker);
    let mut before: Option<(u32, u64)> = None;
    for _ in 0..100 {
        let frame = next(&mut reader);
        let shown = number(frame.bytes());
        assert!(
            frame.bytes() == picture(shown),
            "frame {shown} is not as it was written"
        );
        if let Some((shown_before, counted_before)) = before {
            let steps = frame.source_sequence() - counted_before;
            assert_eq!(u64::from(shown - shown_before), steps, "frame {shown}");
            assert_eq!(
                frame.flags() & flags::GAP == 0,
                steps == frame.missed() + 1,
                "frame {shown}"
            );
        }
        before = Some((shown, frame.source_sequence()));
    }
}

/// Begins when it is fed, is lost when that ends, and goes on.
fn follows_who_feeds_it(place: &str, unfed: &str) {
    let broker = broker_with(&format!("v4l2://{place}"));
    why_lost(&broker, |why| why.contains(unfed));
    let feeder = Feeder::start(place);
    is_live(&broker);
    let mut reader = subscribed(&broker);
    next(&mut reader);
    drop(feeder);
    why_lost(&broker, |why| why.contains("sends no frames"));
    let _again = Feeder::start(place);
    is_live(&broker);
    next(&mut reader);
}

#[test]
fn loopback_that_nobody_feeds_is_waited_for() {
    follows_who_feeds_it("/dev/video0", "a loop that nobody feeds");
}

#[test]
fn loopback_that_says_it_is_a_camera_all_the_same_is_waited_for() {
    follows_who_feeds_it("/dev/video1", "feed it if it is a loop");
}
