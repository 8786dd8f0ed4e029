//! `pattern://bars`: the test picture, in which every byte follows from frame number and time.
//!
//! Owns painting it and proving that a picture is whole; never depends on any earlier frame.

use super::paint::{Painter, Rgb, Rows};
use super::picture::Composition;
use super::{Filled, Pattern, options};
use crate::source::uri::{BadSource, SourceUri, not_possible};
use std::time::Duration;
use streamem_wire::stamp_strip::{COLUMNS, ROWS, Strip};
use streamem_wire::{Format, Layout, SideData, clock};

/// A camera that sees colour bars, and how it sees them.
#[derive(Debug)]
pub struct Bars {
    layout: Layout,
    period: Duration,
    canvas: Canvas,
}

/// Where the rows of a plane lie in a slot.
#[derive(Clone, Copy, Debug)]
struct Place {
    offset: usize,
    stride: usize,
    /// Rows of pixels for each row of this plane.
    pixel_rows: u32,
}

/// The picture and the bytes it becomes, with room to paint a row.
#[derive(Debug)]
struct Canvas {
    composition: Composition,
    painter: Painter,
    places: Vec<Place>,
    colours: Vec<Rgb>,
    rows: Rows,
}

/// Equal rows, one after the other.
struct Run<'a> {
    plane: usize,
    first_row: u32,
    offset: usize,
    stride: usize,
    rows: usize,
    bytes: &'a [u8],
}

impl Canvas {
    fn of(layout: &Layout) -> Option<Canvas> {
        let halves_chroma = matches!(layout.format, Format::Nv12 | Format::I420 | Format::P010);
        let place = |(index, plane): (usize, &streamem_wire::Plane)| {
            Some(Place {
                offset: usize::try_from(plane.offset).ok()?,
                stride: usize::try_from(plane.stride).ok()?,
                pixel_rows: if index > 0 && halves_chroma { 2 } else { 1 },
            })
        };
        let places = layout.planes.iter().enumerate().map(place);
        Some(Canvas {
            composition: Composition::of(layout.width, layout.height)?,
            painter: Painter::new(layout),
            places: places.collect::<Option<Vec<_>>>()?,
            colours: Vec::new(),
            rows: Rows::default(),
        })
    }

    /// Paints the picture, each run of equal rows once.
    fn paint<E>(
        &mut self,
        strip: Strip,
        mut each: impl FnMut(Run<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        for band in self.composition.bands() {
            self.composition.draw(strip, band.start, &mut self.colours);
            self.painter.paint(&self.colours, &mut self.rows);
            let planes = self.places.iter().zip(&self.rows).enumerate();
            for (plane, (place, bytes)) in planes {
                let first_row = band.start.div_ceil(place.pixel_rows);
                let end_row = band.end.div_ceil(place.pixel_rows);
                each(Run {
                    plane,
                    first_row,
                    offset: place.offset + first_row as usize * place.stride,
                    stride: place.stride,
                    rows: (end_row - first_row) as usize,
                    bytes,
                })?;
            }
        }
        Ok(())
    }
}

impl Bars {
    pub(super) fn open(uri: &SourceUri) -> Result<Bars, BadSource> {
        let (layout, period) = options::picture(uri)?;
        let canvas = Canvas::of(&layout).ok_or_else(|| {
            let size = format!("{}x{}", layout.width, layout.height);
            let possible =
                format!("the strip with the frame number needs at least {COLUMNS}x{ROWS}");
            not_possible("size", &size, possible)
        })?;
        Ok(Bars {
            layout,
            period,
            canvas,
        })
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "single precision is what the block has"
    )]
    fn describe(&self, side: &mut Vec<u8>) {
        let (width, height) = (f64::from(self.layout.width), f64::from(self.layout.height));
        let focal = width * 0.8;
        let intrinsics = [focal, focal, width / 2.0, height / 2.0].map(|number| number as f32);
        SideData::Intrinsics(intrinsics).encode(side);
        let exposure = match self.period {
            Duration::ZERO => Duration::from_millis(1),
            period => period / 2,
        };
        SideData::Exposure {
            exposure_ns: u64::try_from(exposure.as_nanos()).unwrap_or(u64::MAX),
            gain: 1.0,
        }
        .encode(side);
    }
}

impl Pattern for Bars {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn period(&self) -> Duration {
        self.period
    }

    fn fill(&mut self, slot: &mut [u8], number: u64, made_ns: u64, side: &mut Vec<u8>) -> Filled {
        let painted = self.canvas.paint(Strip { number, made_ns }, |run| {
            let rows = slot.get_mut(run.offset..).unwrap_or_default();
            for row in rows.chunks_mut(run.stride).take(run.rows) {
                let bytes = row.get_mut(..run.bytes.len());
                bytes
                    .into_iter()
                    .for_each(|row| row.copy_from_slice(run.bytes));
            }
            Ok::<(), std::convert::Infallible>(())
        });
        let Ok(()) = painted;
        self.describe(side);
        Filled {
            used_bytes: slot.len(),
            source_clock: made_ns,
            clock_domain: clock::MONOTONIC,
            flags: 0,
        }
    }
}

/// Reads frame number and time off a picture and compares every byte with what they make of it.
pub fn check(layout: &Layout, bytes: &[u8]) -> Result<Strip, String> {
    let canvas = Canvas::of(layout).filter(|_| layout.fits(layout.bytes));
    let mut canvas = canvas.ok_or("a frame of this layout is no picture with a strip")?;
    if u64::try_from(bytes.len()) != Ok(layout.bytes) {
        let (is, must_be) = (bytes.len(), layout.bytes);
        return Err(format!("the picture has {is} bytes, not {must_be}"));
    }
    let (first, painter) = (canvas.places.first().copied(), canvas.painter);
    let is_bright = |column: u32, row: u32| {
        first.is_some_and(|place| {
            let row = place.offset + row as usize * place.stride;
            let at = row + painter.brightness_at(column as usize);
            bytes
                .get(at..)
                .is_some_and(|bytes| painter.is_bright(bytes))
        })
    };
    let strip = Strip::read(layout.width, layout.height, is_bright);
    let strip = strip.ok_or("the strip with the frame number is missing or damaged")?;
    canvas.paint(strip, |run| compare(bytes, &run, strip))?;
    Ok(strip)
}

fn compare(bytes: &[u8], run: &Run<'_>, strip: Strip) -> Result<(), String> {
    let rows = bytes.get(run.offset..).unwrap_or_default();
    let mut rows = rows.chunks(run.stride.max(1));
    for index in 0..run.rows {
        let row = rows.next().unwrap_or_default();
        if row.get(..run.bytes.len()) == Some(run.bytes) {
            continue;
        }
        let column = row
            .iter()
            .zip(run.bytes)
            .position(|(is, must_be)| is != must_be);
        return Err(format!(
            "frame {}: row {} of plane {} differs from byte {} on",
            strip.number,
            run.first_row as usize + index,
            run.plane,
            column.unwrap_or(row.len())
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use streamem_wire::Kind;

    fn bars(format: Format, size: &str) -> Bars {
        let text = format!("pattern://bars?size={size}&format={format}");
        Bars::open(&text.parse().unwrap()).unwrap()
    }

    fn picture(bars: &mut Bars, number: u64, made_ns: u64) -> Vec<u8> {
        let mut slot = vec![0xaa; usize::try_from(bars.layout.bytes).unwrap()];
        bars.fill(&mut slot, number, made_ns, &mut Vec::new());
        slot
    }

    fn pictures() -> impl Iterator<Item = Format> {
        let all = Format::ALL.iter().copied();
        all.filter(|format| format.kind() == Kind::Video)
    }

    #[test]
    fn every_format_is_read_back_whole() {
        for format in pictures() {
            for size in ["40x4", "322x242", "1280x720"] {
                let mut bars = bars(format, size);
                let slot = picture(&mut bars, u64::MAX - 7, 123_456_789_012);
                let strip = check(&bars.layout, &slot);
                let expected = Strip {
                    number: u64::MAX - 7,
                    made_ns: 123_456_789_012,
                };
                assert_eq!(strip, Ok(expected), "{format} {size}");
            }
        }
    }

    #[test]
    fn any_changed_byte_is_found_in_every_format() {
        for format in pictures() {
            let mut bars = bars(format, "80x46");
            let slot = picture(&mut bars, 3, 4);
            for place in 0..slot.len() {
                let mut torn = slot.clone();
                torn[place] ^= 0x80;
                assert!(check(&bars.layout, &torn).is_err(), "{format} byte {place}");
            }
        }
    }

    #[test]
    fn a_picture_half_new_is_found_wherever_it_is_torn() {
        let mut bars = bars(Format::Rgb24, "320x180");
        let old = picture(&mut bars, 9, 1_000_000_000);
        let new = picture(&mut bars, 10, 1_033_333_333);
        let stride = 320 * 3;
        for row in 33..180 {
            let torn = [&new[..row * stride], &old[row * stride..]].concat();
            assert!(check(&bars.layout, &torn).is_err(), "torn before row {row}");
        }
    }

    #[test]
    fn a_frame_that_is_no_bars_is_refused() {
        let layout = Layout::video(Format::Nv12, 320, 180, 30.0).unwrap();
        let bytes = vec![0; usize::try_from(layout.bytes).unwrap()];
        assert!(check(&layout, &bytes).unwrap_err().contains("strip"));
        assert!(check(&layout, &bytes[1..]).unwrap_err().contains("bytes"));
        let sound = Layout::audio(Format::F32, 2, 1024, 48_000).unwrap();
        assert!(check(&sound, &[0; 8192]).is_err());
    }

    #[test]
    fn the_frame_says_how_it_was_taken() {
        let mut bars = bars(Format::Bgr24, "640x480");
        let (mut slot, mut side) = (vec![0; 640 * 480 * 3], Vec::new());
        let filled = bars.fill(&mut slot, 1, 77, &mut side);
        assert_eq!(
            (filled.source_clock, filled.clock_domain),
            (77, clock::MONOTONIC)
        );
        let blocks = SideData::decode_all(&side);
        assert_eq!(
            blocks[0],
            SideData::Intrinsics([512.0, 512.0, 320.0, 240.0])
        );
        assert!(matches!(
            blocks[1],
            SideData::Exposure {
                exposure_ns: 16_666_666,
                ..
            }
        ));
    }
}
