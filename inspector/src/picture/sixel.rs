//! Pictures as sixels, for terminals that have them.
//!
//! Owns the encoding and its fixed cube of 6x6x6 colours; dithers, since 216 colours are few.

use super::{Picture, Rgb};
use std::fmt::Write;

const STEPS: u8 = 6;
const BAND_ROWS: u32 = 6;
/// Ordered dither: how far into the next step a value must be to be rounded up, in 16ths.
const DITHER: [[u16; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];

fn register(pixel: Rgb, x: u32, y: u32) -> u8 {
    let threshold = DITHER[(y % 4) as usize][(x % 4) as usize] * 16 + 8;
    pixel.into_iter().fold(0, |register, value| {
        let scaled = u16::from(value) * u16::from(STEPS - 1);
        let (step, rest) = (scaled / 255, scaled % 255);
        let step = step + u16::from(rest > threshold);
        register * STEPS + u8::try_from(step).unwrap_or(STEPS - 1).min(STEPS - 1)
    })
}

fn palette(out: &mut String) {
    for register in 0..STEPS * STEPS * STEPS {
        let percent = |step: u8| u16::from(step) * 100 / u16::from(STEPS - 1);
        let (r, g, b) = (
            register / (STEPS * STEPS),
            register / STEPS % STEPS,
            register % STEPS,
        );
        let _ = write!(
            out,
            "#{register};2;{};{};{}",
            percent(r),
            percent(g),
            percent(b)
        );
    }
}

fn run(out: &mut String, sixel: u8, count: u32) {
    let letter = char::from(b'?' + sixel);
    match count {
        0..4 => out.extend(std::iter::repeat_n(letter, count as usize)),
        _ => {
            let _ = write!(out, "!{count}{letter}");
        }
    }
}

fn band(out: &mut String, picture: &Picture, top: u32) {
    let rows = BAND_ROWS.min(picture.height - top);
    let width = picture.width as usize;
    let mut masks: Vec<Vec<u8>> = vec![Vec::new(); usize::from(STEPS).pow(3)];
    for x in 0..picture.width {
        for row in 0..rows {
            let register = register(picture.at(x, top + row), x, top + row);
            let mask = &mut masks[usize::from(register)];
            mask.resize(width, 0);
            mask[x as usize] |= 1 << row;
        }
    }
    for (register, mask) in masks
        .iter()
        .enumerate()
        .filter(|(_, mask)| !mask.is_empty())
    {
        let _ = write!(out, "#{register}");
        let end = mask
            .iter()
            .rposition(|sixel| *sixel != 0)
            .map_or(0, |last| last + 1);
        for same in mask[..end].chunk_by(|a, b| a == b) {
            run(out, same[0], u32::try_from(same.len()).unwrap_or(0));
        }
        out.push('$');
    }
    out.push('-');
}

/// The picture where the cursor is.
pub fn encoded(picture: &Picture) -> Vec<u8> {
    let mut out = format!("\x1bP0;1;0q\"1;1;{};{}", picture.width, picture.height);
    palette(&mut out);
    let step = BAND_ROWS as usize;
    for top in (0..picture.height).step_by(step) {
        band(&mut out, picture, top);
    }
    out.push_str("\x1b\\");
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(picture: &Picture) -> String {
        let text = String::from_utf8(encoded(picture)).unwrap();
        let (_, after_palette) = text.split_once("#215;2;100;100;100").unwrap();
        after_palette.trim_end_matches("\x1b\\").to_owned()
    }

    #[test]
    fn one_colour_is_one_run() {
        let white = Picture::made(10, 6, |_, _| [255; 3]);
        assert_eq!(body(&white), "#215!10~$-");
    }

    #[test]
    fn rows_are_bits_and_bands_are_six_high() {
        let picture = Picture::made(1, 7, |_, y| if y % 2 == 0 { [0; 3] } else { [255; 3] });
        assert_eq!(body(&picture), "#0T$#215i$-#0@$-");
    }

    #[test]
    fn the_size_is_announced() {
        let text = String::from_utf8(encoded(&Picture::made(3, 2, |_, _| [0; 3]))).unwrap();
        assert!(
            text.starts_with("\x1bP0;1;0q\"1;1;3;2#0;2;0;0;0"),
            "{text:?}"
        );
        assert!(text.ends_with("\x1b\\"));
    }

    #[test]
    fn a_grey_between_two_steps_is_dithered_between_them() {
        let picture = Picture::made(4, 4, |_, _| [127; 3]);
        let used: std::collections::BTreeSet<u8> = (0..16)
            .map(|n| register(picture.at(n % 4, n / 4), n % 4, n / 4))
            .collect();
        assert_eq!(used.len(), 2, "{used:?}");
    }
}
