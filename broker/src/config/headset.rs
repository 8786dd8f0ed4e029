//! `[hololens]`: the usual streams of a headset under their usual names.
//!
//! Owns which those are and what they are made of; a source made here is one that could be written by hand.

use super::document::Place;
use super::{Draft, StreamConfig};
use crate::source::hl2ss::{Device, SCHEME};
use crate::source::{self, BadSource, SourceUri};
use std::collections::BTreeMap;
use streamem_wire::StreamName;

/// A stream: its key, which is its name unless another is given; which of the headset's; its parameters; and
/// whether it is there unless switched off.
struct Usual(&'static str, &'static str, &'static str, bool);

const RGB: &str = "size=1280x720&rate=30&bitrate=5242880&format=bgr24";
const GREY: &str = "bitrate=1048576&format=bgr24";
const RAW: &str = "format=gray8";
const USUAL: [Usual; 15] = [
    Usual("rgb", "pv", RGB, true),
    Usual("grayscale-0", "vlc-left-front", GREY, true),
    Usual("grayscale-1", "vlc-left-left", GREY, true),
    Usual("grayscale-2", "vlc-right-front", GREY, true),
    Usual("grayscale-3", "vlc-right-right", GREY, true),
    Usual("depth", "longthrow-depth", "", true),
    Usual("ab", "longthrow-ab", "", true),
    Usual("acc", "accelerometer", RAW, true),
    Usual("gyro", "gyroscope", RAW, true),
    Usual("mag", "magnetometer", RAW, true),
    Usual("audio", "microphone", "format=s16", true),
    Usual("ahat-depth", "ahat-depth", "", false),
    Usual("ahat-ab", "ahat-ab", "", false),
    Usual("spatial", "spatial", "", false),
    Usual("eyes", "eyes", "", false),
];

/// Every key of the table.
pub(super) const KEYS: &[&str] = &[
    "host",
    "rgb",
    "grayscale-0",
    "grayscale-1",
    "grayscale-2",
    "grayscale-3",
    "depth",
    "ab",
    "acc",
    "gyro",
    "mag",
    "audio",
    "ahat-depth",
    "ahat-ab",
    "spatial",
    "eyes",
];

/// What a file says of one of the streams.
#[derive(Clone, Debug, Default)]
pub(super) struct Choice {
    /// Whether it is to be there.
    pub is_on: bool,
    /// What it is called, if not as usual.
    pub name: Option<StreamName>,
    /// Parameters, over the usual ones, each with the place of its key.
    pub parameters: BTreeMap<String, (String, Place)>,
}

/// What the files say of the headset.
#[derive(Clone, Debug)]
pub(super) struct HeadsetDraft {
    /// Where the table begins.
    pub at: Place,
    /// Where the headset is.
    pub host: Option<String>,
    /// What is said of streams, by key.
    pub choices: BTreeMap<String, (Choice, Place)>,
}

fn escaped(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    text.bytes().fold(String::new(), |text, byte| {
        if is_plain(byte) {
            text + &char::from(byte).to_string()
        } else {
            text + &format!("%{byte:02X}")
        }
    })
}

impl Usual {
    fn uri(&self, host: &str, choice: &Choice) -> String {
        let own = choice.parameters.iter();
        let own = own.map(|(name, (value, _))| format!("{}={}", escaped(name), escaped(value)));
        let usual = self.2.split('&').filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && !choice.parameters.contains_key(name)
        });
        let parameters: Vec<String> = usual.map(str::to_owned).chain(own).collect();
        let start = format!("{SCHEME}://{host}/{}", self.1);
        match parameters.join("&") {
            none if none.is_empty() => start,
            some => format!("{start}?{some}"),
        }
    }
}

/// A stream that the table makes.
struct Made {
    key: &'static str,
    name: StreamName,
    source: SourceUri,
    at: Place,
}

impl Choice {
    /// The key of the parameter that is wrong, if it was written.
    fn place_of(&self, why: &BadSource) -> Option<Place> {
        let part = why.offending();
        let name = part.split('=').next().unwrap_or_default();
        self.parameters.get(name).map(|(_, at)| at.clone())
    }
}

impl HeadsetDraft {
    /// A table that begins there.
    pub(super) fn new(at: Place) -> HeadsetDraft {
        HeadsetDraft {
            at,
            host: None,
            choices: BTreeMap::new(),
        }
    }

    /// The streams, each with the place that speaks of it, and what is wrong.
    fn streams(&self) -> (Vec<Made>, Vec<(Place, String)>) {
        let (mut streams, mut wrong) = (Vec::new(), Vec::new());
        let Some(host) = &self.host else {
            let message = "the headset has no host: write for example host = \"192.168.1.80\"";
            return (streams, vec![(self.at.clone(), message.to_owned())]);
        };
        for usual in &USUAL {
            let said = self.choices.get(usual.0);
            let (choice, at) = said.cloned().unwrap_or_else(|| {
                let choice = Choice {
                    is_on: usual.3,
                    ..Choice::default()
                };
                (choice, self.at.clone())
            });
            if !choice.is_on {
                continue;
            }
            let uri = usual.uri(host, &choice).parse();
            let checked = uri.and_then(|uri| source::check(&uri).map(|()| uri));
            let key = usual.0;
            let name = choice
                .name
                .clone()
                .map_or_else(|| StreamName::new(usual.0), Ok);
            match (checked, name) {
                (Ok(source), Ok(name)) => streams.push(Made {
                    key,
                    name,
                    source,
                    at,
                }),
                (Err(why), _) => wrong.push((choice.place_of(&why).unwrap_or(at), why.to_string())),
                (_, Err(why)) => wrong.push((at, why.to_string())),
            }
        }
        (streams, wrong)
    }
}

impl Draft {
    /// Adds the streams of the headset to those that are written one by one. Returns what is wrong with them.
    ///
    /// What is written of one of them without a source is for it: its rights, say.
    pub(super) fn add_headset(&mut self) -> Vec<(Place, String)> {
        let Some(headset) = self.headset.take() else {
            return Vec::new();
        };
        let (streams, mut wrong) = headset.streams();
        let mut keys: BTreeMap<StreamName, &str> = BTreeMap::new();
        for made in streams {
            let Made {
                key,
                name,
                source,
                at,
            } = made;
            if let Some(other) = keys.insert(name.clone(), key) {
                let message = format!(
                    "[hololens] calls two streams {name}: those of the keys {other} and {key}; give one of them \
                     another name"
                );
                wrong.push((at, message));
                continue;
            }
            match self.streams.get_mut(&name) {
                Some(written) if written.has_source => {
                    let message = format!(
                        "[hololens] has a stream {name} already, that of its key {key}: switch that one off there \
                         (`{key} = false`), or give one of them another name"
                    );
                    wrong.push((written.at.clone(), message));
                    wrong.push((
                        at,
                        format!("{key} makes a stream {name}, and [stream.{name}] is one as well"),
                    ));
                }
                Some(written) => {
                    written.source = Some(source);
                    written.has_source = true;
                }
                None => {
                    let stream = super::draft::StreamDraft::of(source, at);
                    self.streams.insert(name, stream);
                }
            }
        }
        wrong
    }
}

/// What cannot be asked of a device beside what other streams ask of it, at the place of the later stream.
pub(super) fn check_devices(
    streams: &BTreeMap<StreamName, StreamConfig>,
    places: &BTreeMap<StreamName, Place>,
) -> Vec<(Place, String)> {
    let devices = streams.iter().filter_map(|(name, stream)| {
        let is_device = source::hl2ss::is_device(&stream.source);
        let device = is_device.then(|| Device::of(&stream.source).ok())??;
        Some((name, device, places.get(name)?))
    });
    let mut devices: Vec<_> = devices.collect();
    devices.sort_by_key(|(_, _, at)| (at.document, at.span.start));
    let mut wrong = Vec::new();
    for (index, (name, device, at)) in devices.iter().enumerate() {
        let beside = devices[..index].iter().find_map(|(other, earlier, _)| {
            let is_same = earlier.host == device.host;
            is_same.then(|| device.check_beside(&earlier.wish, other.as_str()).err())?
        });
        if let Some(why) = beside {
            wrong.push(((*at).clone(), format!("stream {name}: {why}")));
        }
    }
    wrong
}

#[cfg(test)]
mod tests;
