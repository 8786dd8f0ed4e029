//! `streamem add` and `streamem remove`.
//!
//! Owns nothing; whether it is allowed is the broker's to say.

use super::Broker;
use crate::cli::Add;
use crate::failure::Failure;
use crate::output::Output;
use serde::Serialize;
use std::thread::sleep;
use std::time::{Duration, Instant};
use streamem_wire::StreamName;

/// How long a camera that is still being opened is waited for.
const OPENING_MAX: Duration = Duration::from_secs(3);
const GLANCE: Duration = Duration::from_millis(50);

#[derive(Debug, Serialize)]
struct Removed<'a> {
    removed: &'a StreamName,
}

pub fn add(broker: &Broker<'_>, asked: &Add, output: &mut Output) -> Result<(), Failure> {
    let mut client = broker.connect()?;
    let mut stream = client.add_stream(asked.stream.as_str(), &asked.source)?;
    let (begun, opening) = (Instant::now(), stream.why.clone());
    let is_opening = |why: &Option<String>| why.is_some() && *why == opening;
    let is_camera = asked.source.starts_with("v4l2://");
    while is_camera && is_opening(&stream.why) && begun.elapsed() < OPENING_MAX {
        sleep(GLANCE);
        stream = client.info(asked.stream.as_str())?;
    }
    if output.json() {
        return Ok(output.document(&stream)?);
    }
    let said = match &stream.why {
        None => format!("added {}: {}", stream.name, stream.layout.summary()),
        Some(why) => format!("added {}, which is lost: {why}", stream.name),
    };
    Ok(output.line(&said)?)
}

pub fn remove(
    broker: &Broker<'_>,
    stream: &StreamName,
    output: &mut Output,
) -> Result<(), Failure> {
    broker.connect()?.remove_stream(stream.as_str())?;
    if output.json() {
        return Ok(output.document(&Removed { removed: stream })?);
    }
    Ok(output.line(&format!("removed {stream}"))?)
}
