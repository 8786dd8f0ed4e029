//! A frame as something to look at: lines for the terminal, or a few words of JSON.
//!
//! Owns the choice by kind of stream and way of drawing; never writes to the terminal.

use super::gauge;
use super::terminal::Size;
use crate::cli::Renderer;
use crate::failure::Failure;
use crate::picture::blocks::{self, Palette};
use crate::picture::scale::{fitting, scaled};
use crate::picture::{Pixels, Rgb, kitty, sixel};
use crate::record::{self, Column, Level};
use serde::Serialize;
use std::collections::BTreeMap;
use std::env;
use streamem::Frame;
use streamem_wire::{Format, Kind, Layout};

/// Widest and highest picture sent as pixels; a terminal is slower than a camera.
const PIXELS_MAX: (u32, u32) = (960, 720);

/// What is said of frames that would have to be decoded first, which nothing here does.
fn compressed(format: Format) -> Failure {
    let grab = match format {
        Format::Mjpeg => "-o frame.jpg".to_owned(),
        format => format!("--clip 300 -o clip.{format}"),
    };
    Failure::Usage(format!(
        "{format} frames are compressed, and view draws only what is not; write them to a file for a program \
         that decodes them: streamem grab STREAM {grab}"
    ))
}

/// Refuses what no canvas can draw, before the terminal is taken.
pub fn refuse_compressed(layout: &Layout) -> Result<(), Failure> {
    match layout.kind {
        Kind::Packet => Err(compressed(layout.format)),
        Kind::Video | Kind::Audio | Kind::Batch => Ok(()),
    }
}

/// How frames are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Canvas {
    renderer: Renderer,
    palette: Palette,
}

/// A frame ready for the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// Lines of characters.
    Lines(Vec<String>),
    /// One sequence of a graphics protocol.
    Graphic(Vec<u8>),
}

/// What a frame shows, in a few words.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// The mean colour of a picture.
    MeanRgb(Rgb),
    /// How loud each channel is.
    Levels(Vec<Level>),
    /// The last record of a batch.
    Last(BTreeMap<String, f64>),
}

impl Content {
    /// Of this frame.
    pub fn of(frame: &Frame) -> Result<Content, Failure> {
        let layout = frame.layout();
        Ok(match layout.kind {
            Kind::Video => {
                let pixels = Pixels::new(layout, frame.bytes())?;
                let small = scaled(&pixels, 64, 64);
                Content::MeanRgb(mean(&small.pixels))
            }
            Kind::Audio => {
                let channels = record::channels(layout, frame.bytes());
                Content::Levels(channels.iter().map(|samples| Level::of(samples)).collect())
            }
            Kind::Batch => {
                let last = |column: Column| Some((column.name, *column.values.last()?));
                let columns = record::columns(layout, frame.bytes());
                Content::Last(columns.into_iter().filter_map(last).collect())
            }
            Kind::Packet => return Err(compressed(layout.format)),
        })
    }
}

fn mean(pixels: &[Rgb]) -> Rgb {
    let count = pixels.len().max(1);
    let sum = |channel: usize| {
        pixels
            .iter()
            .map(|pixel| usize::from(pixel[channel]))
            .sum::<usize>()
    };
    [0, 1, 2].map(|channel| u8::try_from(sum(channel) / count).unwrap_or(u8::MAX))
}

fn palette(variable: impl Fn(&str) -> Option<String>) -> Palette {
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let term = variable("TERM").unwrap_or_default();
    let colours = variable("COLORTERM").unwrap_or_default();
    if is_set("NO_COLOR") || term == "dumb" {
        Palette::Characters
    } else if colours == "truecolor"
        || colours == "24bit"
        || term.contains("direct")
        || term == "xterm-kitty"
    {
        Palette::True
    } else {
        Palette::Indexed
    }
}

impl Canvas {
    /// Draws this way.
    pub fn new(renderer: Renderer) -> Canvas {
        let palette = palette(|name| env::var(name).ok());
        Canvas { renderer, palette }
    }

    /// The frame, with the last line of the terminal left free.
    pub fn drawn(&self, frame: &Frame, size: Size) -> Result<Drawn, Failure> {
        let layout = frame.layout();
        let rows = size.rows.saturating_sub(1).max(1);
        let lines = match layout.kind {
            Kind::Video => {
                let pixels = Pixels::new(layout, frame.bytes())?;
                return Ok(self.picture(&pixels, Size { rows, ..size }));
            }
            Kind::Audio => gauge::sound(&record::channels(layout, frame.bytes()), size.columns),
            Kind::Batch => gauge::numbers(&record::columns(layout, frame.bytes()), size.columns),
            Kind::Packet => return Err(compressed(layout.format)),
        };
        Ok(Drawn::Lines(
            lines.into_iter().take(rows as usize).collect(),
        ))
    }

    fn picture(&self, pixels: &Pixels<'_>, size: Size) -> Drawn {
        let (width, height) = (pixels.width(), pixels.height());
        let (most_wide, most_high) = (size.columns * size.cell_width, size.rows * size.cell_height);
        match self.renderer {
            Renderer::Kitty => {
                let (wide, high) = fitting(width, height, most_wide, most_high, 1.0);
                let columns = wide.div_ceil(size.cell_width).min(size.columns);
                let rows = high.div_ceil(size.cell_height).min(size.rows);
                let (wide, high) = sent(width, height, wide, high);
                Drawn::Graphic(kitty::encoded(&scaled(pixels, wide, high), columns, rows))
            }
            Renderer::Sixel => {
                let (wide, high) = fitting(width, height, most_wide, most_high, 1.0);
                let (wide, high) = sent(u32::MAX, u32::MAX, wide, high);
                Drawn::Graphic(sixel::encoded(&scaled(pixels, wide, high)))
            }
            Renderer::Blocks | Renderer::Auto => {
                let aspect = f64::from(size.cell_height) / f64::from(size.cell_width) / 2.0;
                let (wide, high) = fitting(width, height, size.columns, size.rows * 2, aspect);
                let picture = scaled(pixels, wide, high);
                Drawn::Lines(blocks::lines(&picture, self.palette))
            }
        }
    }
}

/// The size in which a picture is sent: no more than it has, than is shown, and than is fast enough.
fn sent(width: u32, height: u32, shown_wide: u32, shown_high: u32) -> (u32, u32) {
    let most_wide = width.min(shown_wide).min(PIXELS_MAX.0);
    let most_high = height.min(shown_high).min(PIXELS_MAX.1);
    fitting(shown_wide, shown_high, most_wide, most_high, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        columns: 20,
        rows: 10,
        cell_width: 8,
        cell_height: 16,
    };

    fn drawn(renderer: Renderer) -> Drawn {
        let layout = Layout::video(Format::Gray8, 64, 32, 30.0).unwrap();
        let bytes = vec![200; 64 * 32];
        let pixels = Pixels::new(&layout, &bytes).unwrap();
        let palette = Palette::Characters;
        Canvas { renderer, palette }.picture(&pixels, SIZE)
    }

    #[test]
    fn half_blocks_fill_the_width_and_keep_the_proportion() {
        assert_eq!(
            drawn(Renderer::Blocks),
            Drawn::Lines(vec!["#".repeat(20); 5])
        );
    }

    fn graphic(renderer: Renderer) -> String {
        match drawn(renderer) {
            Drawn::Graphic(bytes) => String::from_utf8(bytes).unwrap(),
            Drawn::Lines(lines) => panic!("lines: {lines:?}"),
        }
    }

    #[test]
    fn kitty_is_told_how_many_cells_to_fill_and_scales_up_itself() {
        let text = graphic(Renderer::Kitty);
        assert!(
            text.contains("s=64,v=32") && text.contains("c=20,r=5"),
            "{text}"
        );
    }

    #[test]
    fn sixels_have_the_size_shown() {
        let text = graphic(Renderer::Sixel);
        assert!(text.contains("\"1;1;160;80"), "{text}");
    }

    #[test]
    fn colours_are_those_the_surroundings_allow() {
        let with = |pairs: &'static [(&str, &str)]| {
            palette(move |name| {
                let found = pairs.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(with(&[("COLORTERM", "truecolor")]), Palette::True);
        assert_eq!(with(&[("TERM", "xterm-256color")]), Palette::Indexed);
        assert_eq!(
            with(&[("COLORTERM", "truecolor"), ("NO_COLOR", "1")]),
            Palette::Characters
        );
    }

    #[test]
    fn compressed_frames_are_refused_with_the_file_to_write_instead() {
        for (format, file) in [
            (Format::Mjpeg, "frame.jpg"),
            (Format::H264, "clip.h264"),
            (Format::H265, "clip.h265"),
        ] {
            let layout = Layout::packet(format, 64, 32, 30.0, 1000).unwrap();
            let refused = refuse_compressed(&layout).unwrap_err();
            let said = refused.to_string();
            assert_eq!(refused.exit_code(), 2, "{said}");
            for expected in [format.name(), "compressed", "streamem grab", file] {
                assert!(said.contains(expected), "{expected} is not in: {said}");
            }
        }
        let picture = Layout::video(Format::Gray8, 64, 32, 30.0).unwrap();
        assert!(refuse_compressed(&picture).is_ok());
    }
}
