//! The configuration while files are still being read, one over the other.
//!
//! Owns how a later file overrides an earlier one, and what must be there in the end; never reads.

use super::document::Place;
use super::headset::{HeadsetDraft, check_devices};
use super::{Config, StreamConfig};
use crate::access::{Access, Principal, Right};
use crate::source::{Source, SourceUri};
use std::collections::BTreeMap;
use streamem_wire::StreamName;

/// The rights a table speaks of.
#[derive(Clone, Debug, Default)]
pub(super) struct AccessDraft {
    given: Vec<(Right, Vec<Principal>, Place)>,
}

/// A stream some file speaks of.
#[derive(Clone, Debug)]
pub(super) struct StreamDraft {
    pub at: Place,
    pub source: Option<SourceUri>,
    /// A source was written, if perhaps not a good one.
    pub has_source: bool,
    pub access: AccessDraft,
    pub controls: BTreeMap<String, String>,
}

/// What has been read so far.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// Everything but rights and streams.
    pub config: Config,
    pub access: AccessDraft,
    pub streams: BTreeMap<StreamName, StreamDraft>,
    pub headset: Option<HeadsetDraft>,
}

impl StreamDraft {
    /// One of which only the source is said.
    pub(super) fn of(source: SourceUri, at: Place) -> StreamDraft {
        StreamDraft {
            at,
            source: Some(source),
            has_source: true,
            access: AccessDraft::default(),
            controls: BTreeMap::new(),
        }
    }
}

impl AccessDraft {
    pub(super) fn give(&mut self, right: Right, principals: Vec<Principal>, at: Place) {
        self.given.retain(|(given, ..)| *given != right);
        self.given.push((right, principals, at));
    }

    /// These rights over those of `access`. A table that hides what all may read is a mistake.
    fn over(&self, mut access: Access, wrong: &mut Vec<(Place, String)>) -> Access {
        for (right, principals, _) in &self.given {
            access.give(*right, principals.clone());
        }
        let open = |right| access.principals(right).contains(&Principal::Everyone);
        let see = self.given.iter().find(|(right, ..)| *right == Right::See);
        if let Some((_, _, at)) = see
            && open(Right::Read)
            && !open(Right::See)
        {
            let message = "this hides nothing: who may read may see, and everyone may read; \
                           restrict read as well";
            wrong.push((at.clone(), message.to_owned()));
        }
        access
    }
}

impl Draft {
    pub(super) fn new() -> Draft {
        Draft {
            config: Config::without_streams(),
            access: AccessDraft::default(),
            streams: BTreeMap::new(),
            headset: None,
        }
    }

    /// The configuration, and what is wrong with it as a whole.
    pub(super) fn finish(mut self) -> (Config, Vec<(Place, String)>) {
        let mut wrong = self.add_headset();
        let mut config = self.config;
        config.access = self.access.over(config.access, &mut wrong);
        let places = self.streams.iter();
        let places = places.map(|(name, draft)| (name.clone(), draft.at.clone()));
        let places: BTreeMap<StreamName, Place> = places.collect();
        for (name, draft) in self.streams {
            let own = !draft.access.given.is_empty();
            let access = own.then(|| draft.access.over(config.access.clone(), &mut wrong));
            match draft.source {
                Some(source) => {
                    let controls = draft.controls;
                    config.streams.insert(
                        name,
                        StreamConfig {
                            source,
                            access,
                            controls,
                        },
                    );
                }
                None if draft.has_source => {}
                None => {
                    let message = format!(
                        "the stream {name} has no source: write for example source = \"pattern://bars\""
                    );
                    wrong.push((draft.at, message));
                }
            }
        }
        wrong.extend(check_parents(&config, &places));
        wrong.extend(check_devices(&config.streams, &places));
        (config, wrong)
    }
}

/// What cannot be decoded from the stream it names. One that is not configured may come later.
fn check_parents(config: &Config, places: &BTreeMap<StreamName, Place>) -> Vec<(Place, String)> {
    let check = |(name, stream): (&StreamName, &StreamConfig)| {
        let Ok(Source::Decoded(wish)) = Source::of(&stream.source) else {
            return None;
        };
        let parent = config.streams.get(&wish.parent);
        let checked = wish
            .check_name(name)
            .and_then(|()| parent.map_or(Ok(()), |parent| wish.check_parent(&parent.source)));
        let message = checked.err()?.to_string();
        Some((places.get(name)?.clone(), message))
    };
    config.streams.iter().filter_map(check).collect()
}
