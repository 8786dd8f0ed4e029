//! The table `[hololens]`: where the headset is, and a key for each stream.
//!
//! Owns how a key is written; what it stands for is the headset's.

use super::{Reader, Value};
use crate::config::headset::{self, Choice, HeadsetDraft};
use crate::source::hl2ss::Host;
use streamem_wire::StreamName;
use toml::de::DeTable;

impl Reader<'_, '_> {
    pub(super) fn headset(&mut self, table: &DeTable<'_>, headset: &mut HeadsetDraft) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            if name == "host" {
                headset.host = self.host(value).or(headset.host.take());
            } else if headset::KEYS.contains(&name) {
                let before = headset.choices.get(name);
                let before = before.map(|(choice, _)| choice.clone());
                if let Some(choice) = self.choice(name, value, before.unwrap_or_default()) {
                    let at = self.place(key.span());
                    headset.choices.insert(name.to_owned(), (choice, at));
                }
            } else {
                self.unknown(key, "under [hololens]", headset::KEYS);
            }
        }
    }

    fn host(&mut self, value: &Value<'_>) -> Option<String> {
        let text = self.document.text_value("host", value)?;
        match Host::new(text) {
            Ok(host) => Some(host.to_string()),
            Err(error) => {
                self.document.wrong(value.span(), error.to_string());
                // Nothing more is said about a host that is there, if not a good one.
                Some("host".to_owned())
            }
        }
    }

    /// What is said of a stream of the headset, over what an earlier file said.
    fn choice(&mut self, key: &str, value: &Value<'_>, before: Choice) -> Option<Choice> {
        if let Some(is_on) = value.get_ref().as_bool() {
            return Some(Choice { is_on, ..before });
        }
        let Some(table) = value.get_ref().as_table() else {
            let must_be = "true, false or a table of its parameters";
            self.document.wrong_value(key, value, must_be);
            return None;
        };
        let mut choice = Choice {
            is_on: true,
            ..before
        };
        for (parameter, value) in table {
            // As a source has them.
            let flag = value.get_ref().as_bool();
            let flag = flag.map(|is_on| if is_on { "yes" } else { "no" }.to_owned());
            let plain = flag.or_else(|| self.document.plain(parameter.get_ref(), value));
            let Some(plain) = plain else {
                continue;
            };
            if parameter.get_ref() != "name" {
                let name = parameter.get_ref().to_string();
                let at = self.place(parameter.span());
                choice.parameters.insert(name, (plain, at));
                continue;
            }
            match StreamName::new(&plain) {
                Ok(name) => choice.name = Some(name),
                Err(error) => self.document.wrong(value.span(), error.to_string()),
            }
        }
        Some(choice)
    }
}
