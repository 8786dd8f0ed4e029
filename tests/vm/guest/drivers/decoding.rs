//! A camera that gives JPEG, and the stream that is decoded from it.
//!
//! Owns the program that writes pictures into v4l2loopback; what is decoded has the number of one of them.

use crate::scene::{is_live, next};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use streamem::{Format, Frame, Subscription};
use streamem_tests::jpeg::{Sampling, encode};
use streamem_tests::{Broker, eventually};
use streamem_v4l2::{Device, Format as Pixels, Fourcc, Size};
use streamem_wire::stamp_strip::Strip;
use streamemd::source::{SourceUri, pattern};

const PICTURES: u64 = 8;
const PERIOD: Duration = Duration::from_millis(50);
const CONFIG: &str = "[stream.cam]\nsource = \"v4l2:///dev/video0\"\n\
     [stream.picture]\nsource = \"decode://cam?format=rgb24\"\n";

/// Pictures with the numbers from 1 on, as webcams encode them.
fn pictures() -> Vec<Vec<u8>> {
    let uri: Result<SourceUri, _> = "pattern://bars?size=320x240&format=rgb24".parse();
    let mut bars = pattern::open(&uri.expect("a URI")).expect("a pattern");
    let mut pixels = vec![0; 320 * 240 * 3];
    let mut picture = |number| {
        bars.fill(&mut pixels, number, number, &mut Vec::new());
        encode(bars.layout(), &pixels, Sampling::Half)
    };
    (1..=PICTURES).map(&mut picture).collect()
}

/// Writes one picture after the other until it is dropped.
struct Webcam {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Webcam {
    fn start() -> Webcam {
        let device = Device::open(Path::new("/dev/video0")).expect("it can be opened");
        let queue = device.output_queue().expect("nobody feeds it");
        let wish = Pixels::wish(Fourcc::new(*b"MJPG"), Size::new(320, 240));
        let set = device.set_format(queue, &wish).expect("it has this format");
        assert_eq!(set.fourcc, wish.fourcc);
        let pictures = pictures();
        let ended = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ended);
        let write = move |picture: &[u8]| {
            let written = rustix::io::write(&device, picture).expect("it takes the frame");
            assert_eq!(written, picture.len());
        };
        write(&pictures[0]);
        let feed = move || {
            for picture in pictures.iter().cycle().take_while(|_| !until.load(Relaxed)) {
                write(picture);
                thread::sleep(PERIOD);
            }
        };
        Webcam {
            ended,
            thread: Some(thread::spawn(feed)),
        }
    }
}

impl Drop for Webcam {
    fn drop(&mut self) {
        self.ended.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("every frame was written");
        }
    }
}

fn read(broker: &Broker, stream: &str) -> Subscription {
    let builder = Subscription::builder(stream).socket(broker.socket());
    builder.every(4).open().expect("it may be read")
}

fn number(frame: &Frame) -> u64 {
    assert_eq!(frame.layout().format, Format::Rgb24);
    let is_bright = |x: u32, y: u32| frame.bytes()[(y as usize * 320 + x as usize) * 3 + 1] > 127;
    let strip = Strip::read(320, 240, is_bright);
    strip.expect("a strip that can be read").number
}

fn picture_is(broker: &Broker, state: &str) {
    eventually("it is in that state", || {
        (broker.stream("picture")["state"] == state).then_some(())
    });
}

#[test]
fn decoding_what_a_camera_gives() {
    let _webcam = Webcam::start();
    let broker = Broker::with_config(CONFIG);
    assert_eq!(is_live(&broker)["layout"]["format"], "mjpeg");
    picture_is(&broker, "live");
    let mut readers = [(); 3].map(|()| read(&broker, "picture"));
    let mut last = 0;
    for _ in 0..30 {
        let frames = readers.each_mut().map(next);
        for frame in &frames {
            assert!((1..=PICTURES).contains(&number(frame)));
            assert_eq!(frame.flags() & streamem::flags::BROKEN, 0);
            assert!(frame.captured_ns() > 0 && frame.captured_ns() <= frame.published_ns());
        }
        assert!(frames[0].source_sequence() > last);
        last = frames[0].source_sequence();
    }
    let cam = broker.stream("cam");
    assert_eq!(cam["counters"]["dropped_no_slot"], 0, "{cam}");
    assert_eq!(
        cam["subscriptions"], 0,
        "nobody but the broker reads it: {cam}"
    );
}

#[test]
fn decoding_goes_on_when_a_camera_comes_back() {
    let webcam = Webcam::start();
    let broker = Broker::with_config(CONFIG);
    is_live(&broker);
    let mut reader = read(&broker, "picture");
    let before = next(&mut reader);
    drop(webcam);
    eventually("it says what is lost", || {
        let now = broker.stream("picture");
        let why = now["why"].as_str().unwrap_or_default();
        why.contains("stream \"cam\"").then_some(())
    });
    let _again = Webcam::start();
    picture_is(&broker, "live");
    let after = next(&mut reader);
    assert!(after.sequence() > before.sequence());
    assert!(after.captured_ns() > before.captured_ns());
    assert!((1..=PICTURES).contains(&number(&after)));
}
