//! From the text of a file to settings: every table and key there is.
//!
//! Owns the names of the keys; never stops at the first mistake, and never guesses a value.

mod headset_table;

use super::document::{Document, Place};
use super::draft::{AccessDraft, Draft, StreamDraft};
use super::headset::HeadsetDraft;
use super::value::Value;
use crate::access::{Principal, Right};
use crate::source::uri::{BadSource, SourceUri, hint};
use crate::source::{self, v4l2};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use streamem_wire::{SLOTS_MAX, StreamName, message};
use toml::Spanned;
use toml::de::{DeString, DeTable};

const TABLES: &[&str] = &[
    "broker", "pool", "quota", "access", "hotplug", "hololens", "stream",
];
const BROKER: &[&str] = &["socket"];
const POOL: &[&str] = &["slots_max", "device_slots", "huge_pages", "pretouch"];
const QUOTA: &[&str] = &[
    "sessions",
    "subscriptions",
    "leases",
    "descriptors",
    "bytes",
];
const ACCESS: &[&str] = &["see", "read", "import", "publish", "admin"];
const HOTPLUG: &[&str] = &["match", "name", "parameters"];
const STREAM: &[&str] = &["source", "access", "controls"];
/// Every key of every table.
#[cfg(test)]
pub(super) const ALL_KEYS: &[&[&str]] = &[
    TABLES,
    BROKER,
    POOL,
    QUOTA,
    ACCESS,
    HOTPLUG,
    super::headset::KEYS,
    STREAM,
];

const SLOTS_MIN: u64 = 4;
/// A driver has four in hand, and somebody is to read.
const DEVICE_SLOTS_MIN: u64 = 8;
/// Each is a descriptor of the broker too.
const DEVICE_SLOTS_MAX: u64 = 256;
const AMOUNT_MAX: u64 = 1 << 20;
/// Longest path a Unix socket can have.
const SOCKET_BYTES_MAX: usize = 107;

type Key<'i> = Spanned<DeString<'i>>;

/// Reads a file over what earlier ones said.
pub(super) fn read(document: &mut Document<'_>, index: usize, draft: &mut Draft) {
    let (table, errors) = DeTable::parse_recoverable(document.text());
    let mut reader = Reader { document, index };
    reader.syntax(errors);
    reader.root(table.get_ref(), draft);
}

struct Reader<'d, 'a> {
    document: &'d mut Document<'a>,
    index: usize,
}

impl Reader<'_, '_> {
    fn place(&self, span: Range<usize>) -> Place {
        let document = self.index;
        Place { document, span }
    }

    fn syntax(&mut self, errors: Vec<toml::de::Error>) {
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            let written = self
                .document
                .written(&span)
                .lines()
                .next()
                .unwrap_or_default();
            let message = match written {
                "" => format!("this is not TOML: {}", error.message()),
                written => format!("this is not TOML: {} at {written:?}", error.message()),
            };
            self.document.wrong(span, message);
        }
    }

    fn unknown(&mut self, key: &Key<'_>, table: &str, known: &[&str]) {
        let name: &str = key.get_ref();
        let owner = [
            ("broker", BROKER),
            ("pool", POOL),
            ("quota", QUOTA),
            ("access", ACCESS),
        ];
        let owner = owner.iter().find(|(_, keys)| keys.contains(&name));
        let hint = match owner {
            Some((owner, _)) => format!("it belongs under [{owner}]"),
            None => hint(name, known),
        };
        let table = if table.is_empty() {
            "at the top"
        } else {
            table
        };
        let message = format!("there is no setting {name:?} {table}: {hint}");
        self.document.wrong(key.span(), message);
    }

    fn root(&mut self, root: &DeTable<'_>, draft: &mut Draft) {
        for (key, value) in root {
            let name: &str = key.get_ref();
            if !TABLES.contains(&name) {
                self.unknown(key, "", TABLES);
                continue;
            }
            let Some(table) = self.document.table(name, value) else {
                continue;
            };
            match name {
                "broker" => self.broker(table, draft),
                "pool" => self.pool(table, draft),
                "quota" => self.quota(table, &mut draft.config.quota),
                "access" => self.access(table, "under [access]", &mut draft.access),
                "hotplug" => self.hotplug(table, draft),
                "hololens" => {
                    let at = self.place(key.span());
                    let headset = draft.headset.get_or_insert_with(|| HeadsetDraft::new(at));
                    self.headset(table, headset);
                }
                _ => self.streams(table, draft),
            }
        }
    }

    fn broker(&mut self, table: &DeTable<'_>, draft: &mut Draft) {
        for (key, value) in table {
            match &**key.get_ref() {
                "socket" => {
                    if let Some(path) = self.socket(value) {
                        draft.config.socket = Some(path);
                    }
                }
                _ => self.unknown(key, "under [broker]", BROKER),
            }
        }
    }

    fn socket(&mut self, value: &Value<'_>) -> Option<PathBuf> {
        let text = self.document.text_value("socket", value)?;
        if text.starts_with('/') && text.len() <= SOCKET_BYTES_MAX && !text.contains('\0') {
            return Some(PathBuf::from(text));
        }
        let message = format!(
            "socket = {text:?} is not possible: socket must be a path from the root of at most \
             {SOCKET_BYTES_MAX} bytes, as in \"/run/streamem/streamem.sock\""
        );
        self.document.wrong(value.span(), message);
        None
    }

    fn pool(&mut self, table: &DeTable<'_>, draft: &mut Draft) {
        let pool = &mut draft.config.pool;
        for (key, value) in table {
            match &**key.get_ref() {
                name @ ("slots_max" | "device_slots") => {
                    let (amount, range) = match name {
                        "slots_max" => (&mut pool.slots_max, SLOTS_MIN..=SLOTS_MAX as u64),
                        _ => (&mut pool.device_slots, DEVICE_SLOTS_MIN..=DEVICE_SLOTS_MAX),
                    };
                    let slots = self.document.whole(name, value, range);
                    let slots = slots.and_then(|slots| u32::try_from(slots).ok());
                    *amount = slots.unwrap_or(*amount);
                }
                name @ "huge_pages" => {
                    let flag = self.document.flag(name, value);
                    pool.huge_pages = flag.unwrap_or(pool.huge_pages);
                }
                name @ "pretouch" => {
                    let flag = self.document.flag(name, value);
                    pool.pretouch = flag.unwrap_or(pool.pretouch);
                }
                _ => self.unknown(key, "under [pool]", POOL),
            }
        }
    }

    fn hotplug(&mut self, table: &DeTable<'_>, draft: &mut Draft) {
        let policy = draft.config.hotplug.get_or_insert_default();
        for (key, value) in table {
            match &**key.get_ref() {
                name @ "match" => {
                    let patterns = match value.get_ref().as_str() {
                        Some(one) => Some(vec![one.to_owned()]),
                        None => self.document.list(name, value).map(|list| {
                            let texts = list
                                .iter()
                                .filter_map(|text| self.document.text_value(name, text));
                            texts.map(str::to_owned).collect()
                        }),
                    };
                    policy.matches = patterns.unwrap_or_default();
                }
                name @ "name" => {
                    let Some(text) = self.document.text_value(name, value) else {
                        continue;
                    };
                    let places = ["{serial}", "{name}", "{path}"];
                    let example = places
                        .iter()
                        .fold(text.to_owned(), |text, place| text.replace(place, "x"));
                    match StreamName::new(&example) {
                        Ok(_) => policy.name = text.to_owned(),
                        Err(error) => self.document.wrong(
                            value.span(),
                            format!(
                                "{error}; {} stand for what tells a camera",
                                places.join(", ")
                            ),
                        ),
                    }
                }
                name @ "parameters" => {
                    let text = self.document.text_value(name, value).unwrap_or_default();
                    let example = format!("{}:///dev/video0?{text}", v4l2::SCHEME);
                    let tried = example.parse().and_then(|uri| source::check(&uri));
                    match tried {
                        Ok(()) => policy.parameters = text.to_owned(),
                        Err(error) => {
                            let part = error.offending();
                            self.document
                                .wrong_part(value.span(), &part, error.to_string());
                        }
                    }
                }
                _ => self.unknown(key, "under [hotplug]", HOTPLUG),
            }
        }
    }

    fn quota(&mut self, table: &DeTable<'_>, quota: &mut message::Quota) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            let amount = match name {
                "sessions" => &mut quota.sessions,
                "subscriptions" => &mut quota.subscriptions,
                "leases" => &mut quota.leases,
                "descriptors" => &mut quota.descriptors,
                "bytes" => &mut quota.bytes,
                _ => {
                    self.unknown(key, "under [quota]", QUOTA);
                    continue;
                }
            };
            let read = match name {
                "bytes" => self.document.bytes(name, value, 1..=1 << 62),
                _ => self.document.whole(name, value, 1..=AMOUNT_MAX),
            };
            *amount = read.unwrap_or(*amount);
        }
    }

    fn access(&mut self, table: &DeTable<'_>, place: &str, access: &mut AccessDraft) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            let Some(right) = Right::ALL.into_iter().find(|right| right.name() == name) else {
                self.unknown(key, place, ACCESS);
                continue;
            };
            let Some(list) = self.document.list(name, value) else {
                continue;
            };
            let principals: Vec<Principal> = list
                .iter()
                .filter_map(|item| self.principal(name, item))
                .collect();
            access.give(right, principals, self.place(key.span()));
        }
    }

    fn principal(&mut self, right: &str, item: &Value<'_>) -> Option<Principal> {
        let text = self.document.text_value(right, item)?;
        match text.parse() {
            Ok(principal) => Some(principal),
            Err(error) => {
                self.document
                    .wrong(item.span(), format!("{right}: {error}"));
                None
            }
        }
    }

    fn streams(&mut self, table: &DeTable<'_>, draft: &mut Draft) {
        for (key, value) in table {
            let name = match StreamName::new(key.get_ref()) {
                Ok(name) => name,
                Err(error) => {
                    self.document.wrong(key.span(), error.to_string());
                    continue;
                }
            };
            let Some(table) = self.document.table(&format!("stream.{name}"), value) else {
                continue;
            };
            let at = self.place(key.span());
            let stream = draft.streams.entry(name).or_insert_with(|| StreamDraft {
                at,
                source: None,
                has_source: false,
                access: AccessDraft::default(),
                controls: BTreeMap::new(),
            });
            self.stream(table, stream);
        }
    }

    fn stream(&mut self, table: &DeTable<'_>, stream: &mut StreamDraft) {
        for (key, value) in table {
            match &**key.get_ref() {
                "source" => {
                    stream.has_source = true;
                    stream.source = self.source(value);
                }
                name @ "access" => {
                    if let Some(table) = self.document.table(name, value) {
                        self.access(table, "in the access of a stream", &mut stream.access);
                    }
                }
                name @ "controls" => {
                    if let Some(table) = self.document.table(name, value) {
                        self.controls(table, stream);
                    }
                }
                _ => self.unknown(key, "of a stream", STREAM),
            }
        }
    }

    /// Which there are only the camera knows.
    fn controls(&mut self, table: &DeTable<'_>, stream: &mut StreamDraft) {
        for (key, value) in table {
            if let Some(plain) = self.document.plain(key.get_ref(), value) {
                stream.controls.insert(key.get_ref().to_string(), plain);
            }
        }
    }

    /// A source that can be opened.
    fn source(&mut self, value: &Value<'_>) -> Option<SourceUri> {
        let text = self.document.text_value("source", value)?;
        let opened = |text: &str| -> Result<SourceUri, BadSource> {
            let uri: SourceUri = text.parse()?;
            source::check(&uri)?;
            Ok(uri)
        };
        match opened(text) {
            Ok(uri) => Some(uri),
            Err(error) => {
                let part = error.offending();
                self.document
                    .wrong_part(value.span(), &part, error.to_string());
                None
            }
        }
    }
}
