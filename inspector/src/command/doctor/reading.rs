//! The way of frames, tried on a stream that is there, for users who may not add one.
//!
//! Owns choosing the stream; what is in the frames is only looked at where they are bars.

use super::super::Broker;
use super::super::ending::Ending;
use super::path::{FRAMES, judge};
use crate::failure::Failure;
use crate::output::units;
use std::time::{Duration, Instant};
use streamem::{Client, Error, Frame, Subscription};
use streamem_wire::Kind;
use streamem_wire::message::{State, Stream};

/// How long a stream that is said to be live may have no frames.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads the first stream that this user may read and that has frames, those with bars first.
/// `None` if there is none.
pub fn existing(
    broker: &Broker<'_>,
    client: &mut Client,
    ending: &Ending,
) -> Result<Option<String>, Failure> {
    let mut streams = client.list()?;
    streams.retain(|stream| stream.state == State::Live);
    streams.sort_by_key(|stream| !has_bars(stream));
    for stream in &streams {
        let name = stream.name.as_str();
        let mut subscription = match broker.subscription(name).latest().open() {
            Ok(subscription) => subscription,
            Err(Error::Refused(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        if has_bars(stream) {
            drop(subscription);
            return judge(broker, name, ending).map(Some);
        }
        let ages = taken(&mut subscription, ending)?;
        if !ages.is_empty() {
            return Ok(Some(told(name, ages)));
        }
    }
    Ok(None)
}

fn has_bars(stream: &Stream) -> bool {
    stream.source.starts_with("pattern://bars") && stream.layout.kind == Kind::Video
}

/// The ages of the frames that came, at least two or none.
fn taken(subscription: &mut Subscription, ending: &Ending) -> Result<Vec<Duration>, Failure> {
    let deadline = Instant::now() + PATIENCE;
    let (mut ages, mut before) = (Vec::new(), None);
    while ages.len() < FRAMES && Instant::now() < deadline {
        if ending.is_near() {
            return Err(Failure::Wrong("it was interrupted; let it run".to_owned()));
        }
        if let Some(frame) = subscription.next(Duration::from_millis(100))? {
            ages.push(frame.age());
            fits(&frame)?;
            goes_on(before.replace(frame.sequence()), &frame)?;
        }
    }
    Ok(if ages.len() < 2 { Vec::new() } else { ages })
}

fn fits(frame: &Frame) -> Result<(), Failure> {
    let (has, layout) = (frame.bytes().len() as u64, frame.layout());
    let whole = layout.kind == Kind::Video;
    if has > layout.bytes || (whole && has != layout.bytes) {
        return Err(Failure::Wrong(format!(
            "frame {} has {has} bytes where its layout has {}; memory and ring do not belong together, restart the broker and report this",
            frame.sequence(),
            layout.bytes
        )));
    }
    Ok(())
}

fn goes_on(before: Option<u64>, frame: &Frame) -> Result<(), Failure> {
    match before {
        Some(before) if frame.sequence() <= before => Err(Failure::Wrong(format!(
            "frame {} came after frame {before}; the ring is not the broker's, restart it and report this",
            frame.sequence()
        ))),
        _ => Ok(()),
    }
}

fn told(name: &str, mut ages: Vec<Duration>) -> String {
    ages.sort();
    let median = ages[ages.len() / 2];
    format!(
        "{} frames of {name} were leased in order and fit, {} after capture (median); not looked at is what they show: this user may add no test stream",
        ages.len(),
        units::age(median)
    )
}
