//! Subscriptions and frames.
//!
//! Owns how they are told; never looks at a pixel.

use super::failure::Failure;
use super::words::{Words, number};
use super::{Driver, done};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};
use std::path::Path;
use streamem::{Builder, Frame, Layout, SideData, StreamState, Subscription, clock};

/// A subscription as the words ask for it.
pub fn builder(socket: &Path, stream: &str, words: &Words<'_>) -> Result<Builder, Failure> {
    let mut builder = Subscription::builder(stream).socket(socket);
    if words.text("mode") == Some("every") {
        builder = builder.every(words.number("depth")?.unwrap_or(1));
    }
    if let Some(history) = words.number("history")? {
        builder = builder.history(history);
    }
    if let Some(leases) = words.number("leases")? {
        builder = builder.leases(leases);
    }
    if let Some(wait) = words.text("wait") {
        let patience = std::time::Duration::from_millis(number(wait)?);
        builder = builder.wait(true).patience(patience);
    }
    Ok(builder.eventfd(words.text("eventfd").is_some()))
}

impl Driver {
    pub(super) fn open(&mut self, words: &Words<'_>) -> Result<Value, Failure> {
        let opened = builder(&self.socket, words.at(2)?, words)?.open()?;
        self.subscriptions.insert(words.at(1)?.to_owned(), opened);
        Ok(done())
    }

    fn subscription(&mut self, name: &str) -> Result<&mut Subscription, Failure> {
        let found = self.subscriptions.get_mut(name);
        found.ok_or_else(|| Failure::test(format!("no subscription {name}")))
    }

    pub(super) fn frame(&self, name: &str) -> Result<&Frame, Failure> {
        match self.frames.get(name) {
            Some(Some(frame)) => Ok(frame),
            Some(None) => Err(Failure::released()),
            None => Err(Failure::test(format!("no frame {name}"))),
        }
    }

    pub(super) fn take(&mut self, words: &Words<'_>) -> Result<Value, Failure> {
        let subscription = self.subscription(words.at(1)?)?;
        let (taken, name) = match words.at(0)? {
            "next" => (subscription.next(words.milliseconds(2)?)?, words.at(3)?),
            "try" => (subscription.try_next()?, words.at(2)?),
            _ => (subscription.latest()?, words.at(2)?),
        };
        let Some(frame) = taken else {
            return Ok(json!({ "sequence": null }));
        };
        let told = json!({"sequence": frame.sequence(), "missed": frame.missed()});
        self.frames.insert(name.to_owned(), Some(frame));
        Ok(told)
    }

    pub(super) fn clip(&mut self, words: &Words<'_>) -> Result<Value, Failure> {
        let count = number(words.at(2)?)?;
        let clip = self.subscription(words.at(1)?)?.clip(count)?;
        let sequences: Vec<u64> = clip.iter().map(Frame::sequence).collect();
        for (at, frame) in clip.into_iter().enumerate() {
            let name = format!("{}{at}", words.at(3)?);
            self.frames.insert(name, Some(frame));
        }
        Ok(json!({ "clip": sequences }))
    }

    pub(super) fn poll(&mut self, words: &Words<'_>) -> Result<Value, Failure> {
        let time = Timespec::try_from(words.milliseconds(2)?);
        let time = time.map_err(|error| Failure::test(error.to_string()))?;
        let subscription = self.subscription(words.at(1)?)?;
        let mut watched = [PollFd::new(subscription, PollFlags::IN)];
        let readable = poll(&mut watched, Some(&time));
        let readable = readable.map_err(|error| Failure::test(error.to_string()))?;
        Ok(json!({"readable": readable > 0}))
    }

    pub(super) fn ask(&mut self, words: &Words<'_>) -> Result<Value, Failure> {
        let subscription = self.subscription(words.at(1)?)?;
        Ok(match words.at(0)? {
            "missed" => json!({"missed": subscription.missed()}),
            "layout" => json!({"layout": layout(subscription.layout())}),
            _ => json!({"state": match subscription.state() {
                StreamState::Live => "live",
                StreamState::Lost => "lost",
                StreamState::Renewed => "renewed",
                StreamState::Ended => "ended",
                StreamState::Disconnected => "disconnected",
            }}),
        })
    }

    pub(super) fn dump(&mut self, words: &Words<'_>) -> Result<Value, Failure> {
        let bytes = self.frame(words.at(1)?)?.bytes();
        let written = std::fs::write(words.at(2)?, bytes);
        written.map_err(|error| Failure::test(error.to_string()))?;
        Ok(json!({"bytes": bytes.len()}))
    }
}

/// All that is said of a frame.
pub fn tell(frame: &Frame) -> Value {
    let (domain, source_clock) = frame.source_clock();
    let mut side = json!({});
    for block in frame.side_data() {
        match block {
            SideData::Pose(pose) => side["pose"] = hex(&floats(&pose)),
            SideData::Intrinsics(numbers) => side["intrinsics"] = hex(&floats(&numbers)),
            SideData::Exposure { exposure_ns, gain } => {
                let bytes = [&exposure_ns.to_le_bytes()[..], &gain.to_le_bytes()].concat();
                side["exposure"] = hex(&bytes);
            }
            optics @ SideData::Optics(_) => side["optics"] = hex(&optics.body()),
            SideData::Other { .. } => {}
        }
    }
    json!({
        "sequence": frame.sequence(),
        "captured_ns": frame.captured_ns(),
        "published_ns": frame.published_ns(),
        "source_clock": source_clock,
        "clock": clock::name(domain),
        "source_sequence": frame.source_sequence(),
        "flags": frame.flags(),
        "bytes": frame.bytes().len(),
        "layout": layout(frame.layout()),
        "side": side,
    })
}

fn floats(numbers: &[f32]) -> Vec<u8> {
    let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
    bytes.collect()
}

fn hex(bytes: &[u8]) -> Value {
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Value::String(text)
}

/// How frames lie, whatever is absent as nothing.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are at most thousands"
)]
pub fn layout(layout: &Layout) -> Value {
    let planes = layout.planes.iter();
    let planes: Vec<Value> = planes
        .map(|plane| json!([plane.offset, plane.stride, plane.rows]))
        .collect();
    let array = layout.array.as_ref();
    let colour = layout.colour.as_ref();
    json!({
        "kind": layout.kind,
        "format": layout.format.name(),
        "fourcc": layout.fourcc,
        "modifier": layout.modifier,
        "width": layout.width,
        "height": layout.height,
        "millihertz": (layout.rate * 1000.0).round() as u64,
        "sample_rate": layout.sample_rate.unwrap_or(0),
        "planes": planes,
        "bytes": layout.bytes,
        "shape": array.map_or(&[][..], |array| &array.shape),
        "strides": array.map_or(&[][..], |array| &array.strides),
        "dtype": array.map_or("", |array| &array.dtype),
        "space": colour.map_or("", |colour| &colour.space),
        "range": colour.map_or("", |colour| &colour.range),
    })
}
