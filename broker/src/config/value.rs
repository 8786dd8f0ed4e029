//! Values of the configuration by type: texts, numbers, amounts of memory.
//!
//! Owns the sentences that say what a value must be; never knows what it is for.

use super::document::Document;
use std::ops::RangeInclusive;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) type Value<'i> = Spanned<DeValue<'i>>;

const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

fn bytes_of(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start();
    let factor = match unit {
        "" => 1,
        unit => UNITS.iter().find(|(name, _)| *name == unit)?.1,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

impl Document<'_> {
    pub(super) fn wrong_value(&mut self, key: &str, value: &Value<'_>, must_be: &str) {
        let written = self.written(&value.span()).chars().take(80);
        let written: String = written.take_while(|c| *c != '\n').collect();
        let message = format!("{key} = {written} is not possible: {key} must be {must_be}");
        self.wrong(value.span(), message);
    }

    pub(super) fn text_value<'v>(&mut self, key: &str, value: &'v Value<'_>) -> Option<&'v str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_value(key, value, "a text in quotes");
        }
        text
    }

    pub(super) fn flag(&mut self, key: &str, value: &Value<'_>) -> Option<bool> {
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_value(key, value, "true or false");
        }
        flag
    }

    /// A number, a flag or a word, as it would be written on a command line.
    pub(super) fn plain(&mut self, key: &str, value: &Value<'_>) -> Option<String> {
        let plain = match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Boolean(flag) => Some(flag.to_string()),
            DeValue::Integer(number) => {
                let number = i64::from_str_radix(number.as_str(), number.radix());
                number.ok().map(|number| number.to_string())
            }
            _ => None,
        };
        if plain.is_none() {
            self.wrong_value(
                key,
                value,
                "a whole number, true, false, or a word in quotes",
            );
        }
        plain
    }

    pub(super) fn whole(
        &mut self,
        key: &str,
        value: &Value<'_>,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let integer = value.get_ref().as_integer();
        let number = integer
            .and_then(|integer| u64::from_str_radix(integer.as_str(), integer.radix()).ok())
            .filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = (range.start(), range.end());
            self.wrong_value(
                key,
                value,
                &format!("a whole number from {least} to {most}"),
            );
        }
        number
    }

    pub(super) fn bytes(
        &mut self,
        key: &str,
        value: &Value<'_>,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let bytes = match value.get_ref() {
            DeValue::Integer(integer) => {
                u64::from_str_radix(integer.as_str(), integer.radix()).ok()
            }
            DeValue::String(text) => bytes_of(text),
            _ => None,
        };
        let bytes = bytes.filter(|bytes| range.contains(bytes));
        if bytes.is_none() {
            let units = UNITS.map(|(name, _)| name).join(", ");
            let (least, most) = (range.start(), range.end());
            let must_be = format!(
                "a number of bytes from {least} to {most}, bare or with a unit as in \"2 GiB\" ({units})"
            );
            self.wrong_value(key, value, &must_be);
        }
        bytes
    }

    pub(super) fn table<'v, 'i>(
        &mut self,
        key: &str,
        value: &'v Value<'i>,
    ) -> Option<&'v DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let message = format!("{key} must be a table: write [{key}] and its settings below");
            self.wrong(value.span(), message);
        }
        table
    }

    pub(super) fn list<'v, 'i>(
        &mut self,
        key: &str,
        value: &'v Value<'i>,
    ) -> Option<&'v [Value<'i>]> {
        let list = value.get_ref().as_array();
        if list.is_none() {
            self.wrong_value(key, value, "a list, as in [\"everyone\"] or []");
        }
        list.map(|list| &**list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_memory_have_units() {
        assert_eq!(bytes_of("2 GiB"), Some(2 << 30));
        assert_eq!(bytes_of("16MiB"), Some(16 << 20));
        assert_eq!(bytes_of("5 MB"), Some(5_000_000));
        assert_eq!(bytes_of("7"), Some(7));
        for wrong in [
            "",
            "GiB",
            "2 gib",
            "-1 B",
            "1.5 GiB",
            "99999999 TiB",
            "2 GiB x",
            "２ GiB",
        ] {
            assert_eq!(bytes_of(wrong), None, "{wrong:?}");
        }
    }
}
