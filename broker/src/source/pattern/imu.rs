//! `pattern://imu`: batches of accelerometer samples taken at 1 kHz.
//!
//! Owns the sampling grid, which is every whole millisecond of CLOCK_MONOTONIC; never gives a sample
//! twice, and says so when it left some out.

use super::options::{self, RATE_MAX};
use super::{Filled, Pattern};
use crate::source::uri::{BadSource, SourceUri};
use std::f64::consts::TAU;
use std::time::Duration;
use streamem_wire::{Layout, clock, flags};

const FIELDS: &[(&str, &str)] = &[
    ("t_ns", "<u8"),
    ("x", "<f4"),
    ("y", "<f4"),
    ("z", "<f4"),
    ("temperature", "<f4"),
];
const RECORD_BYTES: usize = 24;
const SAMPLE_NS: u64 = 1_000_000;
const BEHIND_MAX: u64 = 10;
const GRAVITY: f64 = 9.806_65;

/// A device that leans 10 degrees to one side and turns round once in 10 seconds.
#[derive(Debug)]
pub(super) struct Imu {
    layout: Layout,
    period: Duration,
    records_max: u32,
    next: Option<u64>,
}

impl Imu {
    pub(super) fn open(uri: &SourceUri) -> Result<Imu, BadSource> {
        let parameters = uri.parameters(&["rate"])?;
        let rate = parameters.number("rate", 50.0, 1.0..=f64::from(RATE_MAX), None)?;
        let period = options::period(rate);
        let records_max = u32::try_from(period.as_nanos().div_ceil(u128::from(SAMPLE_NS)));
        let records_max = records_max.unwrap_or(RATE_MAX).max(1);
        let layout = Layout::batch(FIELDS, records_max, rate);
        Ok(Imu {
            layout: layout.map_err(|why| uri.no_such_layout(why))?,
            period,
            records_max,
            next: None,
        })
    }

    /// The samples due at `now_ns`, at least one, and whether some before them were left out.
    fn due(&mut self, now_ns: u64) -> (std::ops::Range<u64>, bool) {
        let (now, batch) = (now_ns / SAMPLE_NS, u64::from(self.records_max));
        let fresh = (now + 1).saturating_sub(batch);
        let oldest = fresh.saturating_sub(batch.max(BEHIND_MAX));
        let first = self.next.unwrap_or(fresh);
        let late = first < oldest;
        let first = if late { fresh } else { first };
        let count = (now + 1).saturating_sub(first).clamp(1, batch);
        self.next = Some(first + count);
        (first..first + count, late)
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "single precision is what the record has"
)]
fn record(sample: u64) -> [u8; RECORD_BYTES] {
    let seconds = sample as f64 / 1e3;
    let (lean, turn) = (TAU / 36.0, TAU * (seconds / 10.0).fract());
    let tremor = 0.02 * (TAU * (seconds * 11.3).fract()).sin();
    let values = [
        GRAVITY * lean.sin() * turn.cos() + tremor,
        GRAVITY * lean.sin() * turn.sin() - tremor,
        GRAVITY * lean.cos() + tremor,
        30.0 + 2.0 * (TAU * (seconds / 600.0).fract()).sin(),
    ];
    let mut bytes = [0; RECORD_BYTES];
    bytes[..8].copy_from_slice(&sample.saturating_mul(SAMPLE_NS).to_le_bytes());
    for (field, value) in bytes[8..].chunks_exact_mut(4).zip(values) {
        field.copy_from_slice(&(value as f32).to_le_bytes());
    }
    bytes
}

impl Pattern for Imu {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn period(&self) -> Duration {
        self.period
    }

    fn fill(&mut self, slot: &mut [u8], _: u64, made_ns: u64, _: &mut Vec<u8>) -> Filled {
        let (samples, late) = self.due(made_ns);
        let last_ns = (samples.end - 1).saturating_mul(SAMPLE_NS);
        let mut used_bytes = 0;
        for (sample, bytes) in samples.zip(slot.chunks_exact_mut(RECORD_BYTES)) {
            bytes.copy_from_slice(&record(sample));
            used_bytes += RECORD_BYTES;
        }
        Filled {
            used_bytes,
            source_clock: last_ns,
            clock_domain: clock::MONOTONIC,
            flags: if late { flags::GAP } else { 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imu(text: &str) -> Imu {
        Imu::open(&text.parse().unwrap()).unwrap()
    }

    fn batch(imu: &mut Imu, made_ns: u64) -> (Vec<(u64, [f32; 4])>, Filled) {
        let mut slot = vec![0; usize::try_from(imu.layout.bytes).unwrap()];
        let filled = imu.fill(&mut slot, 0, made_ns, &mut Vec::new());
        let records = slot[..filled.used_bytes].chunks_exact(RECORD_BYTES);
        let number = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
        let records = records.map(|record| {
            let t_ns = u64::from_le_bytes(record[..8].try_into().unwrap());
            let values = std::array::from_fn(|i| number(&record[8 + i * 4..12 + i * 4]));
            (t_ns, values)
        });
        (records.collect(), filled)
    }

    #[test]
    fn samples_are_a_millisecond_apart_whatever_the_jitter() {
        let mut imu = imu("pattern://imu");
        assert_eq!(imu.layout.array.as_ref().unwrap().shape, [20]);
        let mut times = Vec::new();
        for number in 0..200_u64 {
            let jitter_ns = number * 7_919_317 % 1_500_000;
            let made_ns = 5_000_000_000 + number * 20_000_000 + jitter_ns;
            let (records, filled) = batch(&mut imu, made_ns);
            assert_eq!(filled.flags, 0);
            assert_eq!(filled.source_clock, records.last().unwrap().0);
            assert!(filled.source_clock <= made_ns && made_ns - filled.source_clock < 22_000_000);
            times.extend(records.into_iter().map(|(t_ns, _)| t_ns));
        }
        assert!(times.len() > 3900);
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == SAMPLE_NS));
    }

    #[test]
    fn a_device_at_rest_feels_gravity() {
        let (records, _) = batch(&mut imu("pattern://imu?rate=1"), 60_000_000_000);
        assert_eq!(records.len(), 1000);
        for (t_ns, [x, y, z, temperature]) in records {
            let length = (x * x + y * y + z * z).sqrt();
            assert!((9.7..9.9).contains(&length), "{length} at {t_ns}");
            assert!((20.0..40.0).contains(&temperature));
        }
    }

    #[test]
    fn after_a_stall_the_gap_is_flagged_and_the_samples_are_new() {
        let mut imu = imu("pattern://imu?rate=60");
        batch(&mut imu, 1_000_000_000);
        let (records, filled) = batch(&mut imu, 3_000_000_000);
        assert_eq!(filled.flags, flags::GAP);
        assert_eq!(records.last().unwrap().0, 3_000_000_000);
    }

    #[test]
    fn any_time_is_survived() {
        for made_ns in [0, 1, u64::MAX, 5] {
            let mut imu = imu("pattern://imu?rate=1000");
            assert_eq!(batch(&mut imu, made_ns).0.len(), 1);
            batch(&mut imu, u64::MAX - made_ns);
        }
    }
}
