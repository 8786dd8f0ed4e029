//! What is no picture, as lines of text: sound as levels and a curve, batches as numbers.
//!
//! Owns these lines; each fits the width it is given.

use crate::output::{Align, Table};
use crate::record::{Column, Level, decibels};

const STEPS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// What the meter's left end means.
const SILENCE_DB: f32 = -60.0;

fn cut(text: String, columns: u32) -> String {
    text.chars().take(columns as usize).collect()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the share is clamped, and the cast saturates"
)]
fn part(share: f32, of: usize) -> usize {
    (share.clamp(0.0, 1.0) * of as f32).round() as usize
}

/// Each channel as its level in decibels, a bar and a curve.
pub fn sound(channels: &[Vec<f32>], columns: u32) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, samples) in channels.iter().enumerate() {
        let level = Level::of(samples);
        let head = format!(
            "channel {index}  rms {:>6.1} dB  peak {:>6.1} dB",
            decibels(level.rms),
            decibels(level.peak)
        );
        lines.push(cut(head, columns));
        lines.push(meter(level, columns as usize));
        lines.push(curve(samples, columns as usize));
        lines.push(String::new());
    }
    lines
}

fn meter(level: Level, columns: usize) -> String {
    let place = |amplitude| part(1.0 - decibels(amplitude) / SILENCE_DB, columns);
    let (filled, peak) = (place(level.rms), place(level.peak));
    (0..columns)
        .map(|column| match column {
            _ if column < filled => '█',
            _ if column + 1 == peak => '|',
            _ => '·',
        })
        .collect()
}

fn curve(samples: &[f32], columns: usize) -> String {
    let loudest = |column: usize| {
        let first = column * samples.len() / columns.max(1);
        let end = ((column + 1) * samples.len() / columns.max(1)).max(first + 1);
        let heard = samples.get(first..end).unwrap_or_default().iter();
        heard.fold(0.0f32, |loudest, sample| loudest.max(sample.abs()))
    };
    (0..columns)
        .map(|column| STEPS[part(loudest(column), STEPS.len() - 1)])
        .collect()
}

/// Each field with its last value and what it did within the batch.
pub fn numbers(fields: &[Column], columns: u32) -> Vec<String> {
    let mut table = Table::new(&[
        ("FIELD", Align::Left),
        ("LAST", Align::Right),
        ("LOWEST", Align::Right),
        ("HIGHEST", Align::Right),
        ("RECORDS", Align::Right),
    ]);
    for field in fields {
        let (last, low, high) = spread(&field.values);
        let shown = |value: f64| match field.whole {
            true => format!("{value:.0}"),
            false => format!("{value:.4}"),
        };
        table.row(vec![
            (&field.name).into(),
            shown(last).into(),
            shown(low).into(),
            shown(high).into(),
            field.values.len().into(),
        ]);
    }
    let text = table.render(false);
    text.lines()
        .map(|line| cut(line.to_owned(), columns))
        .collect()
}

fn spread(values: &[f64]) -> (f64, f64, f64) {
    let last = values.last().copied().unwrap_or(0.0);
    values
        .iter()
        .fold((last, last, last), |(last, low, high), value| {
            (last, low.min(*value), high.max(*value))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_scale_fills_the_meter_and_silence_leaves_it_empty() {
        let loud = sound(&[vec![1.0, -1.0]], 10);
        assert_eq!(loud[1], "█".repeat(10));
        assert_eq!(loud[2], "█".repeat(10));
        let quiet = sound(&[vec![0.0; 4]], 10);
        assert_eq!(quiet[1], "·".repeat(10));
        assert_eq!(quiet[2], " ".repeat(10));
    }

    #[test]
    fn the_curve_rises_where_the_sound_does() {
        assert_eq!(curve(&[0.0, 0.5, 1.0, -1.0], 4), " ▄██");
    }

    fn column(name: &str, whole: bool, values: &[f64]) -> Column {
        Column {
            name: name.to_owned(),
            whole,
            values: values.to_vec(),
        }
    }

    #[test]
    fn numbers_show_the_last_value_and_the_spread() {
        let fields = [
            column("x", false, &[3.0, -1.0, 2.0]),
            column("n", true, &[7.0]),
        ];
        let lines = numbers(&fields, 200);
        let words = |line: &str| {
            line.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(&lines[1]), ["x", "2.0000", "-1.0000", "3.0000", "3"]);
        assert_eq!(words(&lines[2]), ["n", "7", "7", "7", "1"]);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let field = column("a long name", false, &[1e12]);
        let lines = [numbers(&[field], 20), sound(&[vec![0.3; 100]], 20)].concat();
        assert!(
            lines.iter().all(|line| line.chars().count() <= 20),
            "{lines:?}"
        );
    }
}
