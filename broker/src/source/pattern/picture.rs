//! What is to be seen on the `bars` picture, row by row.
//!
//! Owns the composition: scrolling bars over a ramp, the strip, the number and the time. Never knows
//! how colours become bytes.

use super::digits;
use super::paint::Rgb;
use std::ops::Range;
use streamem_wire::stamp_strip::{self, Strip};

const BARS: [Rgb; 8] = [
    Rgb(235, 235, 235),
    Rgb(235, 235, 16),
    Rgb(16, 235, 235),
    Rgb(16, 235, 16),
    Rgb(235, 16, 235),
    Rgb(235, 16, 16),
    Rgb(16, 16, 235),
    Rgb(16, 16, 16),
];
/// Pixels the picture moves from frame to frame: even, so that chroma moves with it.
const SCROLL: u64 = 2;
/// Most dots of the box with the number and the time, each of which has up to 21 characters.
const BOX_COLUMNS: u32 = 1 + 21 * digits::ADVANCE;
const BOX_ROWS: u32 = 1 + 2 * digits::LINE;

#[derive(Clone, Copy, Debug)]
struct TextBox {
    width: u32,
    top: u32,
    dot: u32,
}

/// The parts of a picture of a certain size.
#[derive(Clone, Debug)]
pub(super) struct Composition {
    width: u32,
    cell: u32,
    text: Option<TextBox>,
    ramp_top: u32,
    bands: Vec<Range<u32>>,
}

fn text_box(width: u32, height: u32, strip_rows: u32) -> Option<TextBox> {
    let below = height.saturating_sub(strip_rows);
    let dot = (width / (BOX_COLUMNS + 4)).min(below / (BOX_ROWS + 4));
    (dot > 0).then(|| TextBox {
        width,
        top: (strip_rows + (below - BOX_ROWS * dot) / 2) / 2 * 2,
        dot,
    })
}

impl Composition {
    /// The parts of a picture of this size; `None` where the strip has no room.
    pub(super) fn of(width: u32, height: u32) -> Option<Composition> {
        let cell = stamp_strip::cell_pixels(width, height)?;
        let text = text_box(width, height, cell * stamp_strip::ROWS);
        let ramp_top = height - height / 4;
        let mut edges = vec![0, ramp_top, height];
        edges.extend((1..=stamp_strip::ROWS).map(|row| row * cell));
        if let Some(TextBox { top, dot, .. }) = text {
            edges.extend((0..=BOX_ROWS).map(|row| top + row * dot));
        }
        edges.sort_unstable();
        edges.dedup();
        Some(Composition {
            width,
            cell,
            text,
            ramp_top,
            bands: edges.windows(2).map(|edge| edge[0]..edge[1]).collect(),
        })
    }

    /// The rows in groups; those of a group look the same.
    pub(super) fn bands(&self) -> &[Range<u32>] {
        &self.bands
    }

    /// Draws a row, in place of what `colours` had.
    pub(super) fn draw(&self, strip: Strip, row: u32, colours: &mut Vec<Rgb>) {
        self.draw_ground(strip.number, row, colours);
        if let Some(text) = self.text {
            text.draw(strip, row, colours);
        }
        if row < self.cell * stamp_strip::ROWS {
            let cells = colours.chunks_exact_mut(self.cell as usize);
            for (column, cell) in (0..stamp_strip::COLUMNS).zip(cells) {
                let white = strip.is_white(column, row / self.cell);
                cell.fill(if white { Rgb::WHITE } else { Rgb::BLACK });
            }
        }
    }

    fn draw_ground(&self, number: u64, row: u32, colours: &mut Vec<Rgb>) {
        let width = u64::from(self.width);
        let level = |place: u64| u8::try_from(place * 255 / (width - 1).max(1)).unwrap_or(u8::MAX);
        colours.clear();
        if row < self.ramp_top {
            let bars = BARS.iter().zip(0_u64..);
            let edge = |bar: u64| usize::try_from((bar * width).div_ceil(8)).unwrap_or(0);
            for (colour, bar) in bars {
                colours.resize(edge(bar + 1), *colour);
            }
        } else {
            colours.extend((0..width).map(|place| Rgb::grey(level(place))));
        }
        let shift = (number % width * SCROLL) % width;
        colours.rotate_left(usize::try_from(shift).unwrap_or(0));
    }
}

impl TextBox {
    fn draw(self, strip: Strip, row: u32, colours: &mut [Rgb]) {
        let dots_down = row.checked_sub(self.top).map(|rows| rows / self.dot);
        let Some(dots_down) = dots_down.filter(|dots| *dots < BOX_ROWS) else {
            return;
        };
        let lines = [
            format!("#{}", strip.number),
            format!(
                "{}.{:06}s",
                strip.made_ns / 1_000_000_000,
                strip.made_ns / 1000 % 1_000_000
            ),
        ];
        let longest = lines.iter().map(String::len).max().unwrap_or(0);
        let columns = 1 + u32::try_from(longest).unwrap_or(0) * digits::ADVANCE;
        let left = (self.width.saturating_sub(columns * self.dot) / 4 * 2) as usize;
        let glyph = dots_down
            .checked_sub(1)
            .map(|dots| (dots / digits::LINE, dots % digits::LINE));
        let dots = colours[left..].chunks_exact_mut(self.dot as usize);
        for (column, dot) in (0..columns).zip(dots) {
            let set = glyph
                .zip(column.checked_sub(1))
                .is_some_and(|((line, row), column)| {
                    digits::is_set(&lines[usize::from(line > 0)], column, row)
                });
            dot.fill(if set { Rgb::WHITE } else { Rgb::BLACK });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRIP: Strip = Strip {
        number: 42,
        made_ns: 1_234_567_890_123,
    };

    #[test]
    fn bands_cover_every_row_once_and_their_rows_are_alike() {
        for (width, height) in [
            (40, 4),
            (41, 5),
            (128, 97),
            (320, 240),
            (640, 64),
            (1920, 1080),
        ] {
            let composition = Composition::of(width, height).unwrap();
            let mut next = 0;
            let (mut first, mut other) = (Vec::new(), Vec::new());
            for band in composition.bands() {
                assert_eq!(band.start, next);
                next = band.end;
                composition.draw(STRIP, band.start, &mut first);
                assert_eq!(first.len(), width as usize);
                for row in band.clone().skip(1) {
                    composition.draw(STRIP, row, &mut other);
                    assert_eq!(first, other, "row {row} of {width}x{height}");
                }
            }
            assert_eq!(next, height);
        }
    }

    #[test]
    fn below_the_strip_every_row_changes_with_the_number() {
        let composition = Composition::of(640, 480).unwrap();
        let (mut now, mut then) = (Vec::new(), Vec::new());
        let next = Strip {
            number: STRIP.number + 1,
            ..STRIP
        };
        for row in 64..480 {
            composition.draw(STRIP, row, &mut now);
            composition.draw(next, row, &mut then);
            assert_ne!(now, then, "row {row}");
        }
    }

    #[test]
    fn a_picture_too_small_for_the_strip_is_none() {
        assert!(Composition::of(39, 100).is_none());
        assert!(Composition::of(100, 3).is_none());
        assert!(Composition::of(40, 4).unwrap().text.is_none());
        assert!(Composition::of(320, 240).unwrap().text.is_some());
    }
}
