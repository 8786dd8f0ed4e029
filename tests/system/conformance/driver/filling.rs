//! Publishers and their slots.
//!
//! Owns what is said of a frame; never makes a picture of its own.

use super::failure::Failure;
use super::words::Words;
use super::{Driver, done, reading};
use serde_json::{Value, json};
use std::time::Duration;
use streamem::{Format, LayoutWish, Optics, Publisher, SideData, SlotMut, clock};

/// What goes with a frame if asked for, in every driver the same.
fn side_data() -> [SideData; 4] {
    let mut pose = [0.0; 16];
    let mut next = 0.0;
    for number in &mut pose {
        *number = next;
        next += 0.5;
    }
    [
        SideData::Pose(pose),
        SideData::Intrinsics([1.5, 2.5, 3.5, 4.5]),
        SideData::Exposure {
            exposure_ns: 12_345,
            gain: 0.5,
        },
        SideData::Optics(Optics {
            iso_speed: 400,
            white_balance_kelvin: 4000,
            lens_position: 550,
            focus: 3,
            white_balance_gains: [1.0, 1.125, 1.75],
            iso_gains: [1.5, 1.25],
        }),
    ]
}

fn wish(format: &str, words: &Words<'_>) -> Result<LayoutWish, Failure> {
    let format = format.parse::<Format>();
    let format = format.map_err(|_| Failure::test("no such format"))?;
    Ok(LayoutWish {
        width: words.number("width")?,
        height: words.number("height")?,
        rate: words.number("rate")?,
        ..LayoutWish::new(format)
    })
}

impl Driver {
    pub(super) fn publish(&mut self, words: &Words<'_>) -> Result<Value, Failure> {
        let mut builder = streamem::publish(words.at(2)?).socket(&self.socket);
        if let Some(like) = words.text("like") {
            builder = builder.like(like);
        }
        if let Some(format) = words.text("format") {
            builder = builder.layout(wish(format, words)?);
        }
        if let Some(slots) = words.number("slots")? {
            builder = builder.slots(slots);
        }
        let publisher = builder.open()?;
        let layout = reading::layout(publisher.layout());
        self.publishers.insert(words.at(1)?.to_owned(), publisher);
        Ok(json!({ "layout": layout }))
    }

    fn publisher(&mut self, name: &str) -> Result<&mut Publisher, Failure> {
        let found = self.publishers.get_mut(name);
        found.ok_or_else(|| Failure::test(format!("no publisher {name}")))
    }

    /// A slot that was dropped without being submitted is given again, with the bytes it has.
    fn in_hand(&mut self, name: &str) -> Result<SlotMut<'_>, Failure> {
        let slot = self.publisher(name)?.slot(Duration::ZERO)?;
        slot.ok_or_else(|| Failure::test(format!("{name} has no slot in hand")))
    }

    pub(super) fn slot(&mut self, words: &Words<'_>) -> Result<Value, Failure> {
        let time = words.milliseconds(2)?;
        let slot = self.publisher(words.at(1)?)?.slot(time)?;
        Ok(json!({"size": slot.map(|mut slot| slot.bytes_mut().len())}))
    }

    pub(super) fn fill(&mut self, words: &Words<'_>) -> Result<Value, Failure> {
        let bytes = std::fs::read(words.at(2)?);
        let bytes = bytes.map_err(|error| Failure::test(error.to_string()))?;
        let mut slot = self.in_hand(words.at(1)?)?;
        slot.bytes_mut().copy_from_slice(&bytes);
        Ok(done())
    }

    pub(super) fn submit(&mut self, words: &Words<'_>) -> Result<Value, Failure> {
        let mut slot = self.in_hand(words.at(1)?)?;
        if let Some(bytes) = words.number("bytes")? {
            slot.used_bytes(bytes);
        }
        if let Some(captured_ns) = words.number("captured_ns")? {
            slot.captured_ns(captured_ns);
        }
        if let Some(number) = words.number("source_sequence")? {
            slot.source_sequence(number);
        }
        if let Some(value) = words.number("source_clock")? {
            let name = words.text("clock").unwrap_or_default();
            let domain = (0..5).find(|domain| clock::name(*domain) == name);
            slot.source_clock(domain.unwrap_or(0), value);
        }
        if let Some(flags) = words.number("flags")? {
            slot.flags(flags);
        }
        if words.text("side").is_some() {
            slot.side_data(&side_data());
        }
        slot.submit()?;
        Ok(done())
    }

    pub(super) fn unpublish(&mut self, words: &Words<'_>) -> Result<Value, Failure> {
        let name = words.at(1)?;
        let publisher = self.publishers.remove(name);
        let publisher = publisher.ok_or_else(|| Failure::test(format!("no publisher {name}")))?;
        publisher.finish()?;
        Ok(done())
    }
}
