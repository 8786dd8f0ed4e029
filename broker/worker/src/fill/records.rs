//! Batches of records: sensors of movement, eyes, head and hands.
//!
//! Owns how they become the fields readers see; never smooths or converts a value.

use super::scratch::Scratch;
use super::{Fill, FillError, Taken};
use crate::meter::Meter;
use crate::output::Output;
use streamem::{Format, Granted};
use streamem_hl2ss::payload::{Batch, Joint, SpatialInput};
use streamem_hl2ss::{Malformed, Sensor};

const SAMPLE_BYTES: usize = 32;
/// What the program that is replaced knew of a sample: all but the temperature.
const FORMER_BYTES: usize = 28;
const TICKS_AT: usize = 8;
const LOOK_BYTES: usize = 92;
const POINT_BYTES: usize = 40;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Samples(Sensor),
    Looks,
    Points,
}

/// Records of one port.
#[derive(Debug)]
pub(super) struct Records {
    kind: Kind,
    scratch: Scratch,
    /// The slot the payload goes straight into.
    straight: Option<Granted>,
}

impl Records {
    fn of(kind: Kind) -> Records {
        Records {
            kind,
            scratch: Scratch::default(),
            straight: None,
        }
    }

    pub(super) fn of_sensor(sensor: Sensor) -> Records {
        Records::of(Kind::Samples(sensor))
    }

    pub(super) fn of_eyes() -> Records {
        Records::of(Kind::Looks)
    }

    pub(super) fn of_hands() -> Records {
        Records::of(Kind::Points)
    }

    /// Whether a payload of so many bytes is a frame as it is.
    fn is_frame(&self, payload_bytes: usize, output: &Output) -> bool {
        let fits = payload_bytes as u64 <= output.layout.bytes;
        let record = match self.kind {
            Kind::Samples(_) => SAMPLE_BYTES,
            Kind::Looks => LOOK_BYTES,
            Kind::Points => return false,
        };
        fits && output.wish.format == Format::Batch && payload_bytes.is_multiple_of(record)
    }
}

impl Fill for Records {
    fn begin(&mut self, payload_bytes: usize, outputs: &mut [Output]) {
        self.scratch.begin(payload_bytes);
        if let [only] = outputs
            && self.is_frame(payload_bytes, only)
        {
            self.straight = only.take();
        }
    }

    fn place<'a>(&'a mut self, at: usize, outputs: &'a mut [Output]) -> &'a mut [u8] {
        match (&mut self.straight, outputs) {
            (Some(granted), [only]) => {
                let end = self.scratch.payload().len();
                only.bytes(granted).get_mut(at..end).unwrap_or_default()
            }
            _ => self.scratch.from(at),
        }
    }

    fn end(
        &mut self,
        taken: Taken,
        outputs: &mut [Output],
        meter: &mut Meter,
    ) -> Result<(), FillError> {
        let bytes = self.scratch.payload().len();
        if bytes == 0 {
            self.leave(outputs);
            meter.empty();
            return Ok(());
        }
        let mut said = taken.said();
        if let (Some(mut granted), [only]) = (self.straight.take(), &mut *outputs) {
            if let Kind::Samples(sensor) = self.kind
                && !only.wish.raw
            {
                let records = only.bytes(&mut granted).get_mut(..bytes);
                if let Err(why) = repair(sensor, records.unwrap_or_default()) {
                    only.give_back(granted);
                    return Err(why.into());
                }
            }
            said.used = Some(bytes);
            only.submit(granted, &said);
            return Ok(());
        }
        for output in outputs {
            let made = match (self.kind, output.wish.format) {
                (Kind::Points, _) => points(&SpatialInput::of(self.scratch.payload())?),
                (Kind::Samples(sensor), Format::Gray8) => {
                    Batch::of(sensor, self.scratch.payload())?;
                    former(self.scratch.payload())
                }
                (Kind::Samples(sensor), _) => {
                    let mut records = self.scratch.payload().to_vec();
                    if !output.wish.raw {
                        repair(sensor, &mut records)?;
                    }
                    records
                }
                (Kind::Looks, _) => self.scratch.payload().to_vec(),
            };
            let Some(mut granted) = output.take() else {
                continue;
            };
            let slot = output.bytes(&mut granted);
            let used = made.len().min(slot.len());
            slot[..used].copy_from_slice(&made[..used]);
            slot[used..].fill(0);
            let is_whole = output.wish.format == Format::Gray8;
            said.used = (!is_whole).then_some(used);
            said.is_damaged = made.len() > used;
            output.submit(granted, &said);
        }
        Ok(())
    }

    fn leave(&mut self, outputs: &mut [Output]) {
        if let (Some(granted), Some(first)) = (self.straight.take(), outputs.first_mut()) {
            first.give_back(granted);
        }
    }

    fn decoder(&self) -> Option<String> {
        None
    }
}

/// Gives each sample its own time where the device gave all the same.
fn repair(sensor: Sensor, records: &mut [u8]) -> Result<(), Malformed> {
    let batch = Batch::of(sensor, records)?;
    let times: Vec<u64> = batch.samples().map(|sample| sample.ticks.0).collect();
    for (record, ticks) in records
        .as_chunks_mut::<SAMPLE_BYTES>()
        .0
        .iter_mut()
        .zip(times)
    {
        record[TICKS_AT..TICKS_AT + 8].copy_from_slice(&ticks.to_le_bytes());
    }
    Ok(())
}

/// Samples without their temperature.
fn former(payload: &[u8]) -> Vec<u8> {
    let records = payload.as_chunks::<SAMPLE_BYTES>().0.iter();
    records
        .flat_map(|record| &record[..FORMER_BYTES])
        .copied()
        .collect()
}

fn points(input: &SpatialInput) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(57 * POINT_BYTES);
    let mut put = |position: Option<[f32; 3]>, joint: Option<&Joint>| {
        let [x, y, z] = position
            .or(joint.map(|joint| joint.position))
            .unwrap_or_default();
        let turned = joint.map(|joint| joint.orientation).unwrap_or_default();
        bytes.extend(u32::from(position.is_some() || joint.is_some()).to_le_bytes());
        for number in [x, y, z].into_iter().chain(turned) {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(joint.map_or(0.0, |joint| joint.radius).to_le_bytes());
        bytes.extend(joint.map_or(0, |joint| joint.accuracy).to_le_bytes());
    };
    put(input.head.map(|head| head.position), None);
    put(input.head.map(|head| head.forward), None);
    put(input.head.map(|head| head.up), None);
    put(input.eyes.map(|ray| ray.origin), None);
    put(input.eyes.map(|ray| ray.direction), None);
    for hand in [&input.left, &input.right] {
        for joint in 0..streamem_hl2ss::payload::HAND_JOINTS {
            put(None, hand.as_ref().and_then(|hand| hand.get(joint)));
        }
    }
    bytes
}
