//! Batches of the sensors of movement.
//!
//! Owns the records and the repair of their times; never the units of a sensor.

use crate::bytes::Reader;
use crate::error::Malformed;
use crate::stream::Sensor;
use crate::time::Ticks;

const RECORD: usize = 32;
const NS_IN_A_TICK: u64 = Ticks::NS;

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// By the sensor's own clock, in nanoseconds.
    pub sensor_ns: u64,
    /// By the device's clock.
    pub ticks: Ticks,
    /// Along x, y and z.
    pub value: [f32; 3],
    /// The sensor's own. The magnetometer tells none.
    pub temperature: Option<f32>,
}

/// Measurements that came together.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    records: &'a [[u8; RECORD]],
    sensor: Sensor,
    /// Where one batch has one time, each sample's is counted from the first, by the sensor's own clock.
    counted_from: Option<u64>,
}

impl<'a> Batch<'a> {
    /// Takes a payload apart.
    ///
    /// # Errors
    ///
    /// It is no whole number of measurements.
    pub fn of(sensor: Sensor, payload: &'a [u8]) -> Result<Self, Malformed> {
        let (records, rest) = payload.as_chunks();
        if !rest.is_empty() {
            return Err(Malformed::Size {
                what: "batch of a sensor",
                bytes: payload.len(),
                wanted: "a multiple of 32",
            });
        }
        let mut batch = Self {
            records,
            sensor,
            counted_from: None,
        };
        let ends = batch.get(0).zip(batch.get(batch.len().saturating_sub(1)));
        batch.counted_from = ends
            .filter(|(first, last)| first.ticks == last.ticks)
            .map(|(first, _)| first.sensor_ns);
        Ok(batch)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Sample> {
        let mut reader = Reader::new(self.records.get(index)?);
        let sensor_ns = reader.u64()?;
        let ticks = reader.u64()?;
        let since = self
            .counted_from
            .map_or(0, |first| sensor_ns.saturating_sub(first) / NS_IN_A_TICK);
        let value = reader.f32s()?;
        let temperature = reader.f32()?;
        Some(Sample {
            sensor_ns,
            ticks: Ticks(ticks.saturating_add(since)),
            value,
            temperature: (self.sensor != Sensor::Magnetometer).then_some(temperature),
        })
    }

    /// All of them, in order.
    pub fn samples(&self) -> impl Iterator<Item = Sample> + use<'a> {
        let batch = *self;
        (0..batch.len()).filter_map(move |index| batch.get(index))
    }
}
