//! What a camera offers, and which of it comes nearest to what is asked.
//!
//! Owns the choice and the table shown when there is none; never talks to a device.

use super::wish::Wish;
use std::fmt::{self, Write as _};
use streamem_v4l2::{Fourcc, Fraction, Intervals, Size, Sizes};
use streamem_wire::{Format, Kind};

/// Rates are rounded by drivers: 29.97 is taken for 30.
const RATE_TOLERANCE: f64 = 0.02;
const LINES_MAX: usize = 12;

/// One way in which a camera can give its frames.
#[derive(Clone, Debug)]
pub struct Offer {
    /// As the driver calls it.
    pub fourcc: Fourcc,
    /// As we call it.
    pub format: Format,
    /// The sizes there are, each with its rates.
    pub sizes: Sizes,
    /// The rates of each size that was asked about.
    pub rates: Vec<(Size, Intervals)>,
}

/// What is to be set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// As the driver calls it.
    pub fourcc: Fourcc,
    /// As we call it.
    pub format: Format,
    /// Width and height.
    pub size: Size,
    /// The time from one frame to the next, if it is to be set.
    pub interval: Option<Fraction>,
}

/// The V4L2 code of what we have a format for. Codes of pictures whose planes are buffers of their own
/// come after those whose planes are not.
pub const FORMATS: [(&[u8; 4], Format); 20] = [
    (b"RGB3", Format::Rgb24),
    (b"BGR3", Format::Bgr24),
    (b"AB24", Format::Rgba),
    (b"XB24", Format::Rgba),
    (b"AR24", Format::Bgra),
    (b"XR24", Format::Bgra),
    (b"GREY", Format::Gray8),
    (b"Y16 ", Format::Gray16),
    (b"Z16 ", Format::Depth16),
    (b"YUYV", Format::Yuyv),
    (b"UYVY", Format::Uyvy),
    (b"NV12", Format::Nv12),
    (b"NM12", Format::Nv12),
    (b"YU12", Format::I420),
    (b"YM12", Format::I420),
    (b"P010", Format::P010),
    (b"MJPG", Format::Mjpeg),
    (b"JPEG", Format::Mjpeg),
    (b"H264", Format::H264),
    (b"HEVC", Format::H265),
];

/// What we call a format of the driver.
#[must_use]
pub fn format_of(fourcc: Fourcc) -> Option<Format> {
    let known = FORMATS
        .iter()
        .find(|(code, _)| Fourcc::new(**code) == fourcc);
    known.map(|(_, format)| *format)
}

/// Nothing a camera offers is what is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchOffer {
    asked: String,
    offered: String,
}

impl fmt::Display for NoSuchOffer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "it does not offer {}; it has\n{}",
            self.asked, self.offered
        )
    }
}

fn size_of((width, height): (u32, u32)) -> Size {
    Size::new(width, height)
}

/// From one frame to the next, to a thousandth of a frame per second.
fn interval_of(rate: f64) -> Fraction {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is at most 10000"
    )]
    let per_1000_s = (rate * 1000.0).round().max(1.0) as u32;
    let divisor = greatest_common_divisor(1000, per_1000_s);
    Fraction::new(1000 / divisor, per_1000_s / divisor)
}

fn greatest_common_divisor(one: u32, other: u32) -> u32 {
    if other == 0 {
        one
    } else {
        greatest_common_divisor(other, one % other)
    }
}

fn is_near(interval: Fraction, rate: f64) -> bool {
    (interval.rate() - rate).abs() <= rate * RATE_TOLERANCE
}

/// The interval to set for this rate; `None` if there is none such.
fn interval_for(intervals: &Intervals, rate: f64) -> Option<Fraction> {
    match intervals {
        Intervals::Discrete(all) => all
            .iter()
            .copied()
            .find(|interval| is_near(*interval, rate)),
        Intervals::Range { min, max } => {
            let wanted = interval_of(rate);
            let lies_within = wanted.rate() <= min.rate() * (1.0 + RATE_TOLERANCE)
                && wanted.rate() >= max.rate() * (1.0 - RATE_TOLERANCE);
            lies_within.then_some(wanted)
        }
    }
}

impl Offer {
    fn intervals(&self, size: Size) -> Option<&Intervals> {
        self.rates
            .iter()
            .find(|(known, _)| *known == size)
            .map(|(_, rates)| rates)
    }

    fn meets(&self, wish: &Wish, preset: Size) -> Option<Choice> {
        if wish.format.is_some_and(|format| format != self.format) {
            return None;
        }
        let size = match wish.size.map(size_of) {
            Some(size) => self.sizes.contains(size).then_some(size)?,
            None if self.sizes.contains(preset) => preset,
            None => self.sizes.nearest(preset)?,
        };
        let interval = match (wish.rate, self.intervals(size)) {
            (Some(rate), Some(intervals)) => Some(interval_for(intervals, rate)?),
            // Some drivers do not tell which rates there are; what they make of it is seen then.
            (Some(rate), None) => Some(interval_of(rate)),
            (None, _) => None,
        };
        Some(Choice {
            fourcc: self.fourcc,
            format: self.format,
            size,
            interval,
        })
    }

    fn describe(&self) -> String {
        let mut line = format!("  {:<8}", self.format.name());
        let sizes = match &self.sizes {
            Sizes::Discrete(sizes) => sizes.clone(),
            Sizes::Range { min, max, .. } => {
                let _infallible = write!(line, " {min} to {max}");
                Vec::new()
            }
        };
        for size in sizes {
            let _infallible = write!(line, " {size}");
            if let Some(Intervals::Discrete(intervals)) = self.intervals(size) {
                let rates: Vec<String> = intervals
                    .iter()
                    .map(|interval| format!("{:.4}", interval.rate()))
                    .collect();
                let short = rates
                    .iter()
                    .map(|rate| rate.trim_end_matches('0').trim_end_matches('.'));
                let _infallible = write!(line, " ({}/s)", short.collect::<Vec<_>>().join(" "));
            }
        }
        line
    }
}

/// What of these offers to take. Where it is left to us: the size the driver is set to, and what needs
/// no decoding before what does.
pub fn choose(
    wish: &Wish,
    offers: &[Offer],
    preset: (Fourcc, Size),
) -> Result<Choice, NoSuchOffer> {
    let is_preset = |choice: &Choice| choice.fourcc == preset.0;
    let met: Vec<Choice> = offers
        .iter()
        .filter_map(|offer| offer.meets(wish, preset.1))
        .collect();
    let raw = met
        .iter()
        .filter(|choice| choice.format.kind() != Kind::Packet);
    let best = raw
        .clone()
        .find(|choice| is_preset(choice))
        .or_else(|| raw.clone().next());
    if let Some(best) = best
        .or_else(|| met.iter().find(|choice| is_preset(choice)))
        .or(met.first())
    {
        return Ok(*best);
    }
    let mut offered: Vec<String> = offers.iter().map(Offer::describe).collect();
    if offered.len() > LINES_MAX {
        let more = offered.split_off(LINES_MAX).len();
        offered.push(format!("  and {more} more"));
    }
    if offered.is_empty() {
        offered.push("  nothing in a format that is known".to_owned());
    }
    let asked = [
        wish.format.map(|format| format!("format={format}")),
        wish.size
            .map(|(width, height)| format!("size={width}x{height}")),
        wish.rate.map(|rate| format!("rate={rate}")),
    ];
    let asked: Vec<String> = asked.into_iter().flatten().collect();
    Err(NoSuchOffer {
        asked: asked.join("&"),
        offered: offered.join("\n"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceUri;

    fn per_second(rates: &[u32]) -> Intervals {
        Intervals::Discrete(rates.iter().map(|rate| Fraction::new(1, *rate)).collect())
    }

    /// As most webcams are: little without compression.
    fn webcam() -> Vec<Offer> {
        let offer = |code: &[u8; 4], sizes: &[(Size, Intervals)]| Offer {
            fourcc: Fourcc::new(*code),
            format: format_of(Fourcc::new(*code)).unwrap(),
            sizes: Sizes::Discrete(sizes.iter().map(|(size, _)| *size).collect()),
            rates: sizes.to_vec(),
        };
        vec![
            offer(
                b"MJPG",
                &[
                    (Size::new(640, 480), per_second(&[30])),
                    (Size::new(1920, 1080), per_second(&[30, 15])),
                ],
            ),
            offer(
                b"YUYV",
                &[
                    (Size::new(640, 480), per_second(&[30])),
                    (Size::new(1920, 1080), per_second(&[5])),
                ],
            ),
        ]
    }

    fn chosen(parameters: &str) -> Result<(Format, Size, Option<f64>), String> {
        let uri: SourceUri = format!("v4l2:///dev/video0?{parameters}").parse().unwrap();
        let preset = (Fourcc::new(*b"MJPG"), Size::new(640, 480));
        let choice =
            choose(&Wish::of(&uri).unwrap(), &webcam(), preset).map_err(|why| why.to_string())?;
        Ok((
            choice.format,
            choice.size,
            choice.interval.map(Fraction::rate),
        ))
    }

    #[test]
    fn what_needs_no_decoding_is_preferred_where_it_is_fast_enough() {
        assert_eq!(chosen(""), Ok((Format::Yuyv, Size::new(640, 480), None)));
        assert_eq!(
            chosen("size=1920x1080"),
            Ok((Format::Yuyv, Size::new(1920, 1080), None))
        );
        assert_eq!(
            chosen("size=1920x1080&rate=30"),
            Ok((Format::Mjpeg, Size::new(1920, 1080), Some(30.0)))
        );
        assert_eq!(
            chosen("rate=29.97"),
            Ok((Format::Yuyv, Size::new(640, 480), Some(30.0)))
        );
    }

    #[test]
    fn a_rate_is_an_interval() {
        let parts = |rate| (interval_of(rate).numerator, interval_of(rate).denominator);
        assert_eq!(
            (parts(30.0), parts(7.5), parts(29.97)),
            ((1, 30), (2, 15), (100, 2997))
        );
    }

    #[test]
    fn what_is_not_offered_is_answered_with_what_is() {
        let refused = chosen("size=1920x1080&rate=60&format=yuyv").unwrap_err();
        assert!(
            refused.starts_with("it does not offer format=yuyv&size=1920x1080&rate=60"),
            "{refused}"
        );
        assert!(
            refused.contains("mjpeg    640x480 (30/s) 1920x1080 (30 15/s)"),
            "{refused}"
        );
        assert!(chosen("format=nv12").unwrap_err().contains("yuyv"));
    }
}
