//! Samples and records as numbers: what is heard and measured, taken out of a frame's bytes.
//!
//! Owns reading by numpy names of types; never fails on a frame shorter than its layout says, which has
//! fewer numbers then.

use serde::Serialize;
use streamem_wire::{Format, Layout};

/// The numbers of one field of the records of a batch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// The field's name.
    pub name: String,
    /// Whether its numbers are whole.
    pub whole: bool,
    /// Its value in each record.
    pub values: Vec<f64>,
}

#[allow(
    clippy::cast_precision_loss,
    reason = "numbers are shown, not calculated with"
)]
fn number(dtype: &str, bytes: &[u8]) -> Option<f64> {
    let kind = dtype.trim_start_matches(['<', '|', '=']);
    Some(match kind {
        "f4" => f64::from(f32::from_le_bytes(bytes.try_into().ok()?)),
        "f8" => f64::from_le_bytes(bytes.try_into().ok()?),
        "u1" => f64::from(*bytes.first()?),
        "i1" => f64::from(i8::from_le_bytes(bytes.try_into().ok()?)),
        "u2" => f64::from(u16::from_le_bytes(bytes.try_into().ok()?)),
        "i2" => f64::from(i16::from_le_bytes(bytes.try_into().ok()?)),
        "u4" => f64::from(u32::from_le_bytes(bytes.try_into().ok()?)),
        "i4" => f64::from(i32::from_le_bytes(bytes.try_into().ok()?)),
        "u8" => u64::from_le_bytes(bytes.try_into().ok()?) as f64,
        "i8" => i64::from_le_bytes(bytes.try_into().ok()?) as f64,
        _ => return None,
    })
}

fn width(dtype: &str) -> usize {
    let digits = dtype.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.parse().unwrap_or(0)
}

/// The fields of a batch, each with its numbers; fields of unknown types are left out.
pub fn columns(layout: &Layout, bytes: &[u8]) -> Vec<Column> {
    let Some(array) = &layout.array else {
        return Vec::new();
    };
    let record_bytes = array.strides.first().copied().unwrap_or(0);
    let record_bytes = usize::try_from(record_bytes).unwrap_or(0).max(1);
    let mut offset = 0;
    let mut columns = Vec::new();
    for field in &array.fields {
        let (first, end) = (offset, offset + width(&field.dtype));
        offset = end;
        let values: Vec<f64> = bytes
            .chunks_exact(record_bytes)
            .filter_map(|record| number(&field.dtype, record.get(first..end)?))
            .collect();
        if !values.is_empty() {
            columns.push(Column {
                name: field.name.clone(),
                whole: !field.dtype.contains('f'),
                values,
            });
        }
    }
    columns
}

/// The samples of each channel, between -1 and 1.
pub fn channels(layout: &Layout, bytes: &[u8]) -> Vec<Vec<f32>> {
    let Some(plane) = layout.planes.first() else {
        return Vec::new();
    };
    let at = |n: u64| usize::try_from(n).unwrap_or(0);
    let rows = bytes.get(at(plane.offset)..).unwrap_or_default();
    let channels = rows.chunks(at(plane.stride).max(1)).take(at(plane.rows));
    channels.map(|row| samples(layout.format, row)).collect()
}

fn samples(format: Format, row: &[u8]) -> Vec<f32> {
    match format {
        Format::S16 => {
            let words = row.chunks_exact(2);
            words
                .map(|word| f32::from(i16::from_le_bytes([word[0], word[1]])) / 32_768.0)
                .collect()
        }
        _ => {
            let words = row.chunks_exact(4);
            words
                .map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]]))
                .collect()
        }
    }
}

/// How loud a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Level {
    /// The largest sample, 1 is full scale.
    pub peak: f32,
    /// The root of the mean square.
    pub rms: f32,
}

impl Level {
    /// Of these samples; what is not a number counts as silence.
    #[allow(clippy::cast_precision_loss, reason = "a block has few samples")]
    pub fn of(samples: &[f32]) -> Level {
        let sound = samples.iter().copied().filter(|sample| sample.is_finite());
        let (peak, squares) = sound.fold((0.0f32, 0.0f32), |(peak, squares), sample| {
            (peak.max(sample.abs()), squares + sample * sample)
        });
        let rms = (squares / samples.len().max(1) as f32).sqrt();
        Level { peak, rms }
    }
}

/// An amplitude in decibels below full scale, at least -99.
pub fn decibels(amplitude: f32) -> f32 {
    (20.0 * amplitude.log10()).max(-99.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_become_columns() {
        let layout = Layout::batch(&[("t", "<u8"), ("x", "<f4"), ("n", "<i2")], 2, 1.0).unwrap();
        let mut bytes = Vec::new();
        for (t, x, n) in [(7u64, 0.5f32, -3i16), (8, 1.5, 4)] {
            bytes.extend(t.to_le_bytes());
            bytes.extend(x.to_le_bytes());
            bytes.extend(n.to_le_bytes());
        }
        let values: Vec<(String, Vec<f64>)> = columns(&layout, &bytes)
            .into_iter()
            .map(|column| (column.name, column.values))
            .collect();
        let expected = [
            ("t".to_owned(), vec![7.0, 8.0]),
            ("x".to_owned(), vec![0.5, 1.5]),
            ("n".to_owned(), vec![-3.0, 4.0]),
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn channels_are_rows_of_the_block() {
        let layout = Layout::audio(Format::S16, 2, 2, 48_000).unwrap();
        let bytes: Vec<u8> = [16_384i16, 0, -32_768, 0]
            .into_iter()
            .flat_map(i16::to_le_bytes)
            .collect();
        assert_eq!(channels(&layout, &bytes), [[0.5, 0.0], [-1.0, 0.0]]);
    }

    #[test]
    fn levels_are_peak_and_root_of_mean_square() {
        let level = Level::of(&[1.0, -1.0, 1.0, -1.0]);
        assert_eq!((level.peak, level.rms), (1.0, 1.0));
        assert_eq!(Level::of(&[]).rms, 0.0);
        assert_eq!(Level::of(&[f32::NAN, 0.0]).peak, 0.0);
    }

    #[test]
    fn half_of_full_scale_is_six_decibels_down() {
        assert!((decibels(0.5) + 6.02).abs() < 0.01);
        assert_eq!(decibels(0.0), -99.0);
    }
}
