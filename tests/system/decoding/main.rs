//! Streams decoded from streams of JPEG pictures, published by this process and by others.
//!
//! Owns the publisher of test pictures and the comparison with what was decoded; what the decoder makes of
//! bytes that are no picture is tested beside it.

mod damage;
mod hostile;
mod life;
mod pictures;
#[path = "../publish/raw.rs"]
#[allow(dead_code, reason = "misdeeds of other tests")]
mod raw;
mod refusals;

use serde_json::Value;
use std::time::Duration;
use streamem::{Format, Frame, Layout, Publisher, SlotMut, Subscription};
use streamem_tests::jpeg::{self, Sampling};
use streamem_tests::patience::PATIENCE;
use streamem_tests::{Broker, eventually};
use streamem_wire::stamp_strip::Strip;
use streamemd::source::{Pattern, pattern};

const WIDTH: u32 = 320;
const HEIGHT: u32 = 240;
/// What a picture may differ by from the one that was encoded, for each byte, at the mean.
const MEAN_ERROR_MAX: f64 = 2.0;

/// A stream for JPEG pictures, and one decoded from it.
const CONFIG: &str = "[stream.cam]\nsource = \"publish://?format=mjpeg&size=320x240&bytes_max=1048576\"\n\
     [stream.picture]\nsource = \"decode://cam?format=rgb24\"\n\
     [access]\nread = [\"everyone\"]\npublish = [\"everyone\"]\n";

fn bars(width: u32, height: u32) -> Box<dyn Pattern> {
    let uri = format!("pattern://bars?size={width}x{height}&format=rgb24");
    pattern::open(&uri.parse().expect("a URI")).expect("a pattern")
}

fn painted(width: u32, height: u32, strip: Strip) -> Vec<u8> {
    let mut bars = bars(width, height);
    let mut pixels = vec![0; usize::try_from(bars.layout().bytes).expect("it is small")];
    bars.fill(&mut pixels, strip.number, strip.made_ns, &mut Vec::new());
    pixels
}

/// A publisher of test pictures as JPEG.
struct Camera {
    publisher: Publisher,
    width: u32,
    height: u32,
    number: u64,
}

impl Camera {
    fn open(broker: &Broker) -> Camera {
        Camera::of(broker, "cam", WIDTH, HEIGHT)
    }

    fn of(broker: &Broker, stream: &str, width: u32, height: u32) -> Camera {
        let publisher = streamem::publish(stream)
            .layout(jpeg::wish(width, height, 0.0))
            .socket(broker.socket())
            .open()
            .expect("it may publish");
        Camera::with(publisher)
    }

    fn with_slots(broker: &Broker, slots_max: u32) -> Camera {
        let publisher = streamem::publish("cam")
            .layout(jpeg::wish(WIDTH, HEIGHT, 0.0))
            .slots_max(slots_max)
            .socket(broker.socket())
            .open();
        Camera::with(publisher.expect("it may publish"))
    }

    fn with(publisher: Publisher) -> Camera {
        let (width, height) = (publisher.layout().width, publisher.layout().height);
        Camera {
            publisher,
            width,
            height,
            number: 0,
        }
    }

    /// The next picture, encoded.
    fn encoded(&mut self, sampling: Sampling) -> Vec<u8> {
        self.number += 1;
        let strip = Strip {
            number: self.number,
            made_ns: 1_000_000 + self.number,
        };
        let pixels = painted(self.width, self.height, strip);
        jpeg::encode(bars(self.width, self.height).layout(), &pixels, sampling)
    }

    fn put(&mut self, bytes: &[u8], say: impl FnOnce(&mut SlotMut<'_>)) {
        let slot = self.publisher.slot(PATIENCE).expect("no error");
        let mut slot = slot.expect("a slot");
        jpeg::put(&mut slot, bytes);
        say(&mut slot);
        slot.submit().expect("it is taken");
    }

    /// Publishes the next picture. Its number.
    fn shoot(&mut self) -> u64 {
        let jpeg = self.encoded(Sampling::Full);
        self.put(&jpeg, |_| ());
        self.number
    }
}

fn read(broker: &Broker, stream: &str) -> Subscription {
    let builder = Subscription::builder(stream)
        .every(8)
        .socket(broker.socket());
    builder.open().expect("it may be read")
}

fn next(sub: &mut Subscription) -> Frame {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let frame = sub.next(Duration::from_secs(1)).expect("no error");
        if let Some(frame) = frame {
            return frame;
        }
        assert!(std::time::Instant::now() < deadline, "no frame came");
    }
}

/// How bright a pixel is, of 255.
fn brightness(layout: &Layout, bytes: &[u8], x: u32, y: u32) -> u32 {
    let plane = &layout.planes[0];
    let pixel = plane.stride / u64::from(layout.width);
    let at = plane.offset + plane.stride * u64::from(y) + pixel * u64::from(x);
    let at = usize::try_from(at).expect("it is small");
    let colours = if pixel == 1 { 1 } else { 3 };
    let sum: u32 = bytes[at..at + colours]
        .iter()
        .map(|byte| u32::from(*byte))
        .sum();
    sum / u32::try_from(colours).expect("it is small")
}

/// The number in a picture.
fn number_in(frame: &Frame) -> u64 {
    let (layout, bytes) = (frame.layout(), frame.bytes());
    let is_bright = |x, y| brightness(layout, bytes, x, y) > 127;
    let strip = Strip::read(layout.width, layout.height, is_bright);
    strip.expect("a strip that can be read").number
}

/// What the picture with this number is in this format, before it was encoded.
fn original(format: Format, width: u32, height: u32, number: u64) -> Vec<u8> {
    let made_ns = 1_000_000 + number;
    let rgb = painted(width, height, Strip { number, made_ns });
    let luma = |rgb: &[u8]| {
        let weighed = 299 * u32::from(rgb[0]) + 587 * u32::from(rgb[1]) + 114 * u32::from(rgb[2]);
        u8::try_from(weighed / 1000).expect("a byte")
    };
    let pixels = rgb.chunks(3);
    match format {
        Format::Rgb24 => rgb,
        Format::Bgr24 => pixels.flat_map(|p| [p[2], p[1], p[0]]).collect(),
        Format::Rgba => pixels.flat_map(|p| [p[0], p[1], p[2], 255]).collect(),
        Format::Bgra => pixels.flat_map(|p| [p[2], p[1], p[0], 255]).collect(),
        _ => pixels.map(luma).collect(),
    }
}

/// Compares a decoded picture with the one that was encoded. Its number.
fn assert_picture(frame: &Frame) -> u64 {
    let layout = frame.layout();
    let number = number_in(frame);
    let wanted = original(layout.format, layout.width, layout.height, number);
    let found = &frame.bytes()[..wanted.len()];
    let error: u64 = found
        .iter()
        .zip(&wanted)
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    #[allow(clippy::cast_precision_loss, reason = "a few million at most")]
    let mean = error as f64 / wanted.len() as f64;
    assert!(mean < MEAN_ERROR_MAX, "{} {number}: {mean}", layout.format);
    number
}

fn state_becomes(broker: &Broker, stream: &str, state: &str) -> Value {
    eventually("the stream is in that state", || {
        let now = broker.stream(stream);
        (now["state"] == state).then_some(now)
    })
}

fn why(stream: &Value) -> &str {
    stream["why"].as_str().unwrap_or_default()
}

/// Slots of a stream that are promised for being decoded.
fn decoding_slots(broker: &Broker, stream: &str) -> u64 {
    let all = broker.inspect();
    let pools = all["pools"].as_array().expect("a list");
    let pool = pools.iter().find(|pool| pool["stream"] == stream);
    let sum = pool.expect("its pool")["sum"].as_array().expect("a list");
    let terms = sum.iter().filter(|term| {
        let reason = term["reason"].as_str().unwrap_or_default();
        reason == "being decoded into other streams"
    });
    terms.filter_map(|term| term["slots"].as_u64()).sum()
}

/// Threads of the broker that decode.
fn decoders(broker: &Broker) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", broker.pid())).expect("it lives");
    let names = tasks.flatten().filter_map(|task| {
        let name = std::fs::read_to_string(task.path().join("comm"));
        name.ok()
    });
    names.filter(|name| name.starts_with("dec-")).count()
}

/// What is said of the pictures after ten frames in a row that cannot be decoded, each of which is counted.
fn lost_by_ten(
    broker: &Broker,
    camera: &mut Camera,
    of_parent: &mut Subscription,
    frame: &[u8],
) -> Value {
    for _ in 0..10 {
        camera.put(frame, |_| ());
        let seen = next(of_parent).sequence();
        eventually("it is counted", || {
            let counters = broker.stream("picture")["counters"].clone();
            (counters["dropped_by_source"] == seen).then_some(())
        });
    }
    state_becomes(broker, "picture", "lost")
}
