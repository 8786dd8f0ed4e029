//! The configuration: which streams there are, who may use them, and how much of everything.
//!
//! Owns the meaning and the defaults; never opens a device, and never changes anything it read.

mod document;
mod draft;
mod files;
mod headset;
mod parse;
mod problem;
mod value;

use crate::access::Access;
use crate::source::uri::SourceUri;
use draft::Draft;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use streamem_wire::{StreamName, message};

pub use problem::{ConfigError, Problem};

/// The variable that names a configuration file.
pub const CONFIG_VARIABLE: &str = "STREAMEM_CONFIG";
/// The folder of the system's configuration.
pub const SYSTEM_FOLDER: &str = "/etc/streamem";
/// The streams served where nothing is configured.
const DEFAULT_STREAMS: [(&str, &str); 2] = [
    (
        "randcam",
        "pattern://rand?size=1280x720&rate=30&format=bgr24",
    ),
    ("randmc", "pattern://randmic"),
];

/// Everything that can be configured.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where to listen, if not at the default place.
    pub socket: Option<PathBuf>,
    /// How frames are kept.
    pub pool: PoolConfig,
    /// What each user may use.
    pub quota: message::Quota,
    /// Who may do what, unless a stream says otherwise.
    pub access: Access,
    /// The streams.
    pub streams: BTreeMap<StreamName, StreamConfig>,
    /// Which cameras become streams by themselves.
    pub hotplug: Option<Hotplug>,
}

/// Cameras that become streams when they are plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hotplug {
    /// Which: `name:…`, `serial:…` or `path:…`, in which `*` is anything.
    pub matches: Vec<String>,
    /// What they are called, with `{serial}`, `{name}` and `{path}`.
    pub name: String,
    /// The parameters of their source.
    pub parameters: String,
}

impl Default for Hotplug {
    fn default() -> Hotplug {
        Hotplug {
            matches: vec!["*".to_owned()],
            name: "cam-{serial}".to_owned(),
            parameters: String::new(),
        }
    }
}

/// How frames are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// Most slots of one stream; address space is reserved for all of them.
    pub slots_max: u32,
    /// Slots of a stream that a device writes into by itself; all of them are there at once.
    pub device_slots: u32,
    /// Whether to ask for huge pages.
    pub huge_pages: bool,
    /// Whether slots are touched before the first frame needs them.
    pub pretouch: bool,
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamConfig {
    /// Where its frames come from.
    pub source: SourceUri,
    /// Who may do what, where it differs from the rest.
    pub access: Option<Access>,
    /// What is set on its camera, by name.
    pub controls: BTreeMap<String, String>,
}

impl StreamConfig {
    /// A stream of this source, with the rules of all others.
    #[must_use]
    pub fn of(source: SourceUri) -> StreamConfig {
        StreamConfig {
            source,
            access: None,
            controls: BTreeMap::new(),
        }
    }
}

impl Default for PoolConfig {
    fn default() -> PoolConfig {
        PoolConfig {
            slots_max: 512,
            device_slots: 24,
            huge_pages: false,
            pretouch: false,
        }
    }
}

impl Config {
    /// The defaults, without any stream.
    fn without_streams() -> Config {
        Config {
            socket: None,
            pool: PoolConfig::default(),
            quota: message::Quota {
                sessions: 256,
                subscriptions: 1024,
                leases: 4096,
                descriptors: 8192,
                bytes: 16 << 30,
            },
            access: Access::default(),
            streams: BTreeMap::new(),
            hotplug: None,
        }
    }

    /// What is served where nothing is configured: a random camera and a random microphone.
    #[must_use]
    pub fn embedded_default() -> Config {
        let stream = |(name, source): (&str, &str)| {
            let source = source.parse().ok()?;
            Some((StreamName::new(name).ok()?, StreamConfig::of(source)))
        };
        Config {
            streams: DEFAULT_STREAMS.into_iter().filter_map(stream).collect(),
            ..Config::without_streams()
        }
    }

    /// What a text says; problems are reported in a file called `name`.
    pub fn from_text(name: &Path, text: &str) -> Result<Config, ConfigError> {
        files::merge(&[(name.to_owned(), text.to_owned())])
    }

    /// Reads the file or folder named `explicit`, else the one named by [`CONFIG_VARIABLE`], else the
    /// system's files; without any of these, the embedded default.
    pub fn load(explicit: Option<&Path>) -> Result<Config, ConfigError> {
        if let Some(path) = explicit {
            return files::load_one(path);
        }
        match std::env::var_os(CONFIG_VARIABLE).filter(|path| !path.is_empty()) {
            Some(path) => files::load_one(Path::new(&path)).map_err(ConfigError::of_variable),
            None => files::load_folder(Path::new(SYSTEM_FOLDER)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT_FILE: &str = include_str!("../../systemd/streamem.toml");

    #[test]
    fn the_default_file_says_what_the_defaults_are() {
        let path = Path::new("streamem.toml");
        let config = Config::from_text(path, DEFAULT_FILE).unwrap();
        assert_eq!(config, Config::embedded_default());
        assert_eq!(config.streams.len(), DEFAULT_STREAMS.len());
    }

    #[test]
    fn the_default_file_has_every_key_and_its_examples_are_right() {
        let uncommented: Vec<&str> = DEFAULT_FILE
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(setting) if !setting.starts_with(' ') => setting,
                _ => line,
            })
            .collect();
        for key in parse::ALL_KEYS.iter().copied().flatten() {
            let is_there = |line: &&str| {
                line.starts_with(&format!("{key} = "))
                    || line.starts_with(&format!("[{key}"))
                    || line.ends_with(&format!(".{key}]"))
            };
            assert!(uncommented.iter().any(is_there), "{key} is not in the file");
        }
        let text = uncommented.join("\n");
        let config = Config::from_text(Path::new("streamem.toml"), &text).unwrap();
        assert!(config.socket.is_some());
        assert!(
            config
                .streams
                .values()
                .any(|stream| stream.access.is_some())
        );
    }
}
