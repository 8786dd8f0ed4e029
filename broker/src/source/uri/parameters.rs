//! The parameters of a URI, taken out by name and type.
//!
//! Owns the errors that say what a value could have been; never decides which parameters there are.

use super::{BadSource, hint};
use std::ops::RangeInclusive;
use streamem_wire::Format;

/// The parameters of a URI, to be taken out by type.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    pairs: &'a [(String, String)],
}

/// The error for a value a parameter cannot have.
pub(crate) fn not_possible(parameter: &str, value: &str, possible: String) -> BadSource {
    BadSource::Value {
        parameter: parameter.to_owned(),
        value: value.chars().take(80).collect(),
        possible,
    }
}

impl Parameters<'_> {
    pub(super) fn new(pairs: &[(String, String)]) -> Parameters<'_> {
        Parameters { pairs }
    }

    /// A parameter as it was written.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn taken<T>(
        &self,
        name: &str,
        default: T,
        possible: impl FnOnce() -> String,
        take: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, BadSource> {
        match self.text(name) {
            None => Ok(default),
            Some(value) => take(value).ok_or_else(|| not_possible(name, value, possible())),
        }
    }

    /// A whole number.
    pub fn whole(
        &self,
        name: &str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> Result<u32, BadSource> {
        let possible = || format!("a whole number from {} to {}", range.start(), range.end());
        self.taken(name, default, possible, |value| {
            value.parse().ok().filter(|number| range.contains(number))
        })
    }

    /// A number with a fraction; zero only if `zero_means` something.
    pub fn number(
        &self,
        name: &str,
        default: f64,
        range: RangeInclusive<f64>,
        zero_means: Option<&str>,
    ) -> Result<f64, BadSource> {
        let possible = || {
            let zero = zero_means.map_or(String::new(), |meaning| format!(", or 0 for {meaning}"));
            format!("a number from {} to {}{zero}", range.start(), range.end())
        };
        self.taken(name, default, possible, |value| {
            let number: f64 = value.parse().ok()?;
            match zero_means {
                Some(_) if number == 0.0 => Some(0.0),
                _ => range.contains(&number).then_some(number),
            }
        })
    }

    /// Width and height in pixels.
    pub fn size(&self, default: (u32, u32)) -> Result<(u32, u32), BadSource> {
        let possible = || "width and height as in size=1280x720".to_owned();
        self.taken("size", default, possible, |value| {
            let (width, height) = value.split_once(['x', 'X'])?;
            Some((width.parse().ok()?, height.parse().ok()?))
        })
    }

    /// A whole number, if one is given.
    pub fn optional(
        &self,
        name: &str,
        range: RangeInclusive<u32>,
    ) -> Result<Option<u32>, BadSource> {
        match self.text(name) {
            None => Ok(None),
            Some(_) => self.whole(name, *range.start(), range).map(Some),
        }
    }

    /// One of a few words, each of which means something.
    pub fn one_of<T: Copy>(
        &self,
        name: &str,
        default: T,
        words: &[(&str, T)],
    ) -> Result<T, BadSource> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let written = self.text(name).unwrap_or_default();
        let possible = || hint(written, &names);
        self.taken(name, default, possible, |value| {
            let found = words.iter().find(|(word, _)| *word == value);
            found.map(|(_, meant)| *meant)
        })
    }

    /// Yes or no.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, BadSource> {
        self.one_of(name, default, &[("yes", true), ("no", false)])
    }

    /// One of a few formats.
    pub fn format(&self, default: Format, possible: &[Format]) -> Result<Format, BadSource> {
        let names: Vec<&str> = possible.iter().map(|format| format.name()).collect();
        let hints = |value: &str| hint(value, &names);
        match self.text("format") {
            None => Ok(default),
            Some(value) => possible
                .iter()
                .find(|format| format.name() == value)
                .copied()
                .ok_or_else(|| not_possible("format", value, hints(value))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::uri::SourceUri;

    #[test]
    fn a_value_out_of_range_is_refused_with_what_is_possible() {
        let odd: SourceUri = "pattern://x?n=7&f=nan&size=3&format=rgb25&z=0"
            .parse()
            .unwrap();
        let parameters = odd.parameters(&["n", "f", "size", "format", "z"]).unwrap();
        let text = |error: BadSource| error.to_string();
        assert_eq!(
            text(parameters.whole("n", 1, 1..=6).unwrap_err()),
            "n=7 is not possible: a whole number from 1 to 6"
        );
        assert_eq!(
            text(
                parameters
                    .number("f", 1.0, 0.5..=2.0, Some("never"))
                    .unwrap_err()
            ),
            "f=nan is not possible: a number from 0.5 to 2, or 0 for never"
        );
        assert!(text(parameters.size((1, 1)).unwrap_err()).contains("size=3"));
        let formats = [Format::Rgb24, Format::Nv12];
        assert!(text(parameters.format(Format::Nv12, &formats).unwrap_err()).contains("\"rgb24\""));
        assert_eq!(
            parameters
                .number("z", 1.0, 0.5..=2.0, Some("never"))
                .unwrap(),
            0.0
        );
        assert!(parameters.number("z", 1.0, 0.5..=2.0, None).is_err());
    }
}
