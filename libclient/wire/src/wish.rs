//! The layout a publisher wishes for, said as briefly as a source's URI says it.
//!
//! Owns what must be said for which format; never trusts a number: what it returns is a frame that
//! can be.

use crate::format::{Format, Kind};
use crate::layout::{BadLayout, FRAME_BYTES_MAX, Field, Layout, SIDE_MAX};
use serde::{Deserialize, Serialize};

/// Most frames per second.
pub const RATE_MAX: f64 = 10_000.0;
/// Most samples per second.
pub const SAMPLE_RATE_MAX: u32 = 768_000;
const CHANNELS_MAX: u32 = 256;
const SAMPLES_MAX: u32 = 1 << 20;
const RECORDS_MAX: u32 = 1 << 20;
const FIELDS_MAX: usize = 64;
const FIELD_NAME_BYTES_MAX: usize = 64;
const DTYPES: [&str; 10] = [
    "|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f4", "<f8",
];

/// What a publisher says of its frames; the broker works out the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayoutWish {
    /// How the bytes are to be read.
    pub format: Format,
    /// Pixels in a row: pictures and packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Rows of pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Frames per second; absent where unknown. Audio has one from its samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// The most bytes of a packet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_max: Option<u64>,
    /// Audio samples per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_rate: Option<u32>,
    /// Audio channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u32>,
    /// Samples of a channel in a block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<u32>,
    /// Most records of a batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u32>,
    /// The fields of a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<Field>>,
}

/// Why there is no such layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadWish {
    /// Something was not said.
    #[error("{0} needs {1}: add it to the layout")]
    Missing(Format, &'static str),
    /// Something was said that the format does not have.
    #[error("{0} has no {1}: leave it out of the layout")]
    Needless(Format, &'static str),
    /// A number out of its range.
    #[error("{0} must be {1}")]
    Range(&'static str, String),
    /// A field that is none.
    #[error(
        "the field {0:?} cannot be: a name has 1 to {FIELD_NAME_BYTES_MAX} letters, digits or _, a dtype is one of {list}",
        list = DTYPES.join(", ")
    )]
    Field(String),
    /// No such frame.
    #[error(transparent)]
    Layout(#[from] BadLayout),
}

impl LayoutWish {
    /// Nothing but a format yet.
    #[must_use]
    pub fn new(format: Format) -> LayoutWish {
        LayoutWish {
            format,
            width: None,
            height: None,
            rate: None,
            bytes_max: None,
            sample_rate: None,
            channels: None,
            samples: None,
            records: None,
            fields: None,
        }
    }

    /// Pictures of this size and rate.
    #[must_use]
    pub fn video(format: Format, width: u32, height: u32, rate: f64) -> LayoutWish {
        LayoutWish {
            width: Some(width),
            height: Some(height),
            rate: Some(rate),
            ..LayoutWish::new(format)
        }
    }

    fn need<T: Copy>(&self, value: Option<T>, name: &'static str) -> Result<T, BadWish> {
        value.ok_or(BadWish::Missing(self.format, name))
    }

    fn whole(&self, value: Option<u32>, name: &'static str, most: u32) -> Result<u32, BadWish> {
        let value = self.need(value, name)?;
        if (1..=most).contains(&value) {
            return Ok(value);
        }
        Err(BadWish::Range(name, format!("1 to {most}, not {value}")))
    }

    fn checked_rate(&self) -> Result<f64, BadWish> {
        let rate = self.rate.unwrap_or(0.0);
        if rate == 0.0 || (0.001..=RATE_MAX).contains(&rate) {
            return Ok(rate);
        }
        let range = format!("0.001 to {RATE_MAX}, or 0 for unknown, not {rate}");
        Err(BadWish::Range("rate", range))
    }

    fn has_nothing_but(&self, known: &[&str]) -> Result<(), BadWish> {
        let said = [
            ("width", self.width.is_some()),
            ("height", self.height.is_some()),
            ("rate", self.rate.is_some()),
            ("bytes_max", self.bytes_max.is_some()),
            ("sample_rate", self.sample_rate.is_some()),
            ("channels", self.channels.is_some()),
            ("samples", self.samples.is_some()),
            ("records", self.records.is_some()),
            ("fields", self.fields.is_some()),
        ];
        let needless = said
            .iter()
            .find(|(name, said)| *said && !known.contains(name));
        match needless {
            Some((name, _)) => Err(BadWish::Needless(self.format, name)),
            None => Ok(()),
        }
    }

    /// The layout this comes to.
    pub fn layout(&self) -> Result<Layout, BadWish> {
        let format = self.format;
        match format.kind() {
            Kind::Video => {
                self.has_nothing_but(&["width", "height", "rate"])?;
                let width = self.whole(self.width, "width", SIDE_MAX)?;
                let height = self.whole(self.height, "height", SIDE_MAX)?;
                Ok(Layout::video(format, width, height, self.checked_rate()?)?)
            }
            Kind::Packet => {
                self.has_nothing_but(&["width", "height", "rate", "bytes_max"])?;
                let width = self.whole(self.width, "width", SIDE_MAX)?;
                let height = self.whole(self.height, "height", SIDE_MAX)?;
                let bytes_max = self.need(self.bytes_max, "bytes_max")?;
                let rate = self.checked_rate()?;
                Ok(Layout::packet(format, width, height, rate, bytes_max)?)
            }
            Kind::Audio => {
                self.has_nothing_but(&["sample_rate", "channels", "samples"])?;
                let channels = self.whole(self.channels, "channels", CHANNELS_MAX)?;
                let samples = self.whole(self.samples, "samples", SAMPLES_MAX)?;
                let sample_rate = self.whole(self.sample_rate, "sample_rate", SAMPLE_RATE_MAX)?;
                Ok(Layout::audio(format, channels, samples, sample_rate)?)
            }
            Kind::Batch => {
                self.has_nothing_but(&["rate", "records", "fields"])?;
                let records = self.whole(self.records, "records", RECORDS_MAX)?;
                let fields = self.checked_fields()?;
                Ok(Layout::batch(&fields, records, self.checked_rate()?)?)
            }
        }
    }

    fn checked_fields(&self) -> Result<Vec<(&str, &str)>, BadWish> {
        let fields = self.fields.as_deref().unwrap_or_default();
        if fields.is_empty() {
            return Err(BadWish::Missing(self.format, "fields"));
        }
        if fields.len() > FIELDS_MAX {
            let range = format!("at most {FIELDS_MAX}, not {}", fields.len());
            return Err(BadWish::Range("fields", range));
        }
        let is_name = |name: &str| {
            (1..=FIELD_NAME_BYTES_MAX).contains(&name.len())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let checked = |field: &'_ Field| -> bool {
            is_name(&field.name) && DTYPES.contains(&field.dtype.as_str())
        };
        if let Some(bad) = fields.iter().find(|field| !checked(field)) {
            let shown = bad.name.chars().take(FIELD_NAME_BYTES_MAX).collect();
            return Err(BadWish::Field(shown));
        }
        Ok(fields
            .iter()
            .map(|field| (field.name.as_str(), field.dtype.as_str()))
            .collect())
    }
}

const _: () = assert!((CHANNELS_MAX as u64) * (SAMPLES_MAX as u64) * 8 <= FRAME_BYTES_MAX * 2);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_wish_becomes_the_layout_the_patterns_have() {
        let wish = LayoutWish::video(Format::Bgr24, 64, 48, 30.0);
        let layout = Layout::video(Format::Bgr24, 64, 48, 30.0).unwrap();
        assert_eq!(wish.layout(), Ok(layout));
    }

    #[test]
    fn what_is_missing_or_needless_is_named() {
        let refused = |wish: &LayoutWish| wish.layout().unwrap_err().to_string();
        let mut wish = LayoutWish::new(Format::H264);
        (wish.width, wish.height) = (Some(64), Some(48));
        assert!(refused(&wish).contains("bytes_max"));
        wish.bytes_max = Some(u64::MAX);
        assert!(refused(&wish).contains("the most is"));
        let mut wish = LayoutWish::video(Format::Gray8, 8, 8, -1.0);
        assert!(refused(&wish).contains("rate"));
        wish.samples = Some(7);
        assert!(refused(&wish).contains("samples"));
    }

    #[test]
    fn a_batch_has_known_fields_only() {
        let field = |name: &str, dtype: &str| Field {
            name: name.to_owned(),
            dtype: dtype.to_owned(),
        };
        let wish = |fields| LayoutWish {
            records: Some(4),
            fields: Some(fields),
            ..LayoutWish::new(Format::Batch)
        };
        let good = wish(vec![field("t", "<u8"), field("x", "<f4")]);
        assert_eq!(good.layout().unwrap().bytes, 48);
        for bad in [field("t", "<u9"), field("a b", "<u8"), field("", "<u8")] {
            assert!(matches!(wish(vec![bad]).layout(), Err(BadWish::Field(_))));
        }
    }

    proptest! {
        #[test]
        fn any_wish_is_survived(
            format in proptest::sample::select(Format::ALL),
            numbers in proptest::array::uniform6(proptest::option::of(any::<u32>())),
            rate in proptest::option::of(any::<f64>()),
            bytes_max in proptest::option::of(any::<u64>()),
        ) {
            let [width, height, sample_rate, channels, samples, records] = numbers;
            let wish = LayoutWish {
                format, width, height, rate, bytes_max, sample_rate, channels, samples, records,
                fields: None,
            };
            if let Ok(layout) = wish.layout() {
                prop_assert!(layout.fits(layout.bytes));
                prop_assert!(layout.bytes <= FRAME_BYTES_MAX);
            }
        }
    }
}
