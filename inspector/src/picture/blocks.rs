//! Pictures as half blocks: two pixels above each other in one character, in any terminal.
//!
//! Owns the colours a terminal can show; never moves the cursor other than by ending lines.

use super::{Picture, Rgb};
use std::fmt::Write;

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    /// All of them.
    True,
    /// The 256 of xterm.
    Indexed,
    /// None are wanted: brightness as characters.
    Characters,
}

const RAMP: &[u8] = b" .:-=+*#%@";
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn nearest_step(value: u8) -> u8 {
    let distance = |step: &u8| CUBE[usize::from(*step)].abs_diff(value);
    (0..6).min_by_key(distance).unwrap_or(0)
}

/// The nearest of xterm's colours.
fn indexed(pixel: Rgb) -> u8 {
    let [r, g, b] = pixel;
    let steps = pixel.map(nearest_step);
    let cube = steps.map(|step| CUBE[usize::from(step)]);
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let grey_step = u8::try_from(mean.saturating_sub(3) / 10)
        .unwrap_or(23)
        .min(23);
    let grey = [8 + 10 * grey_step; 3];
    let error = |colour: Rgb| -> u32 {
        let parts = colour.iter().zip(pixel);
        parts.map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
    };
    if error(grey) < error(cube) {
        232 + grey_step
    } else {
        16 + 36 * steps[0] + 6 * steps[1] + steps[2]
    }
}

fn character(pixel: Rgb) -> char {
    let [r, g, b] = pixel.map(usize::from);
    let brightness = (r * 3 + g * 6 + b) / 10;
    char::from(RAMP[brightness * (RAMP.len() - 1) / 255])
}

/// The rows of characters, each ended by a reset of colour and without a line end.
pub fn lines(picture: &Picture, palette: Palette) -> Vec<String> {
    let rows = (0..picture.height).step_by(2);
    rows.map(|y| line(picture, palette, y)).collect()
}

fn line(picture: &Picture, palette: Palette, y: u32) -> String {
    let mut text = String::new();
    let mut last = None;
    for x in 0..picture.width {
        let (above, below) = (picture.at(x, y), picture.at(x, y + 1));
        match palette {
            Palette::Characters => {
                let mean = |a: u8, b: u8| a.midpoint(b);
                let [a, b] = [above, below];
                text.push(character([
                    mean(a[0], b[0]),
                    mean(a[1], b[1]),
                    mean(a[2], b[2]),
                ]));
                continue;
            }
            _ if last == Some((above, below)) => {}
            Palette::True => {
                let ([r, g, b], [s, h, c]) = (above, below);
                let _ = write!(text, "\x1b[38;2;{r};{g};{b};48;2;{s};{h};{c}m");
            }
            Palette::Indexed => {
                let _ = write!(
                    text,
                    "\x1b[38;5;{};48;5;{}m",
                    indexed(above),
                    indexed(below)
                );
            }
        }
        last = Some((above, below));
        text.push('▀');
    }
    if palette != Palette::Characters {
        text.push_str("\x1b[0m");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pixels_are_one_character() {
        let picture = Picture::made(1, 2, |_, y| if y == 0 { [1, 2, 3] } else { [4, 5, 6] });
        assert_eq!(
            lines(&picture, Palette::True),
            ["\x1b[38;2;1;2;3;48;2;4;5;6m▀\x1b[0m"]
        );
    }

    #[test]
    fn a_colour_is_said_once_for_a_run() {
        let picture = Picture::made(3, 2, |_, _| [9; 3]);
        let text = &lines(&picture, Palette::True)[0];
        assert_eq!(
            (text.matches("38;2").count(), text.matches('▀').count()),
            (1, 3)
        );
    }

    #[test]
    fn the_nearest_indexed_colour_is_taken() {
        assert_eq!(indexed([255, 0, 0]), 196);
        assert_eq!(indexed([255, 255, 255]), 231);
        assert_eq!(indexed([0, 0, 0]), 16);
        assert_eq!(indexed([128, 128, 128]), 244);
    }

    #[test]
    fn without_colour_brightness_becomes_characters() {
        let picture = Picture::made(2, 2, |x, _| if x == 0 { [0; 3] } else { [255; 3] });
        assert_eq!(lines(&picture, Palette::Characters), [" @"]);
    }
}
