//! `streamem add` and `streamem remove`.
//!
//! Owns nothing; whether it is allowed is the broker's to say.

use super::Broker;
use crate::cli::Add;
use crate::failure::Failure;
use crate::output::Output;
use serde::Serialize;
use streamem_wire::StreamName;

#[derive(Debug, Serialize)]
struct Removed<'a> {
    removed: &'a StreamName,
}

pub fn add(broker: &Broker<'_>, asked: &Add, output: &mut Output) -> Result<(), Failure> {
    let mut client = broker.connect()?;
    let stream = client.add_stream(asked.stream.as_str(), &asked.source)?;
    if output.json() {
        return Ok(output.document(&stream)?);
    }
    let said = format!("added {}: {}", stream.name, stream.layout.summary());
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
