//! What a URI asks of a camera: `v4l2:///dev/video0?size=1920x1080&rate=30&format=auto`.
//!
//! Owns the parameters and what they mean; never looks whether there is such a camera.

use super::device_memory::DeviceMemory;
use crate::source::uri::{BadSource, SourceUri, not_possible};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use streamem_wire::{Format, Kind, Layout, RATE_MAX};

/// The scheme of cameras.
pub const SCHEME: &str = "v4l2";
const KNOWN: [&str; 7] = ["size", "rate", "format", "fill", "memory", "input", "node"];
const INPUTS_MAX: u32 = 63;
const NODES_MAX: u32 = 255;
/// What is said of the frames of a camera that nobody has seen yet.
const GUESS: (u32, u32) = (640, 480);

/// Which camera is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Whatever has this place in the file system.
    Node(PathBuf),
    /// The one that bears this serial number.
    Serial(String),
    /// The one that is plugged in there: the place udev calls `ID_PATH`.
    Path(String),
    /// The one of that name.
    Name(String),
}

impl fmt::Display for Which {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Which::Node(path) => write!(out, "{}", path.display()),
            Which::Serial(serial) => write!(out, "a camera with the serial number {serial:?}"),
            Which::Path(path) => write!(out, "a camera at {path:?}"),
            Which::Name(name) => write!(out, "a camera named {name:?}"),
        }
    }
}

/// How frames come into their slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// The driver writes into the broker's memory.
    Import,
    /// The driver's own memory is handed out.
    Export,
    /// The broker copies from the driver's memory into its own.
    Copy,
}

impl Fill {
    /// All, the best first.
    pub const ALL: [Fill; 3] = [Fill::Import, Fill::Export, Fill::Copy];

    /// Its word in URIs and on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fill::Import => "import",
            Fill::Export => "export",
            Fill::Copy => "copy",
        }
    }

    /// How often the broker writes the pixels.
    #[must_use]
    pub fn copies(self) -> u32 {
        u32::from(self == Fill::Copy)
    }
}

impl FromStr for Fill {
    type Err = ();

    fn from_str(word: &str) -> Result<Fill, ()> {
        let found = Fill::ALL.into_iter().find(|fill| fill.name() == word);
        found.ok_or(())
    }
}

/// What is asked of a camera. What is not said is left to the driver.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// Which one.
    pub which: Which,
    /// Width and height.
    pub size: Option<(u32, u32)>,
    /// Frames per second.
    pub rate: Option<f64>,
    /// How pixels lie.
    pub format: Option<Format>,
    /// The only way in which slots may be filled.
    pub fill: Option<Fill>,
    /// The only memory of ours its driver may be given.
    pub memory: Option<DeviceMemory>,
    /// Which of its connectors, for those that have more than one.
    pub input: Option<u32>,
    /// Which of its nodes that give frames, counted from 0, for those that have more than one.
    pub node: u32,
}

fn which(uri: &SourceUri) -> Result<Which, BadSource> {
    let text = uri.kind();
    if text.starts_with('/') {
        return Ok(Which::Node(PathBuf::from(text)));
    }
    let (word, rest) = text.split_once(':').unwrap_or((text, ""));
    let rest = rest.to_owned();
    match word {
        _ if rest.is_empty() => {}
        "serial" => return Ok(Which::Serial(rest)),
        "path" => return Ok(Which::Path(rest)),
        "name" => return Ok(Which::Name(rest)),
        _ => {}
    }
    Err(uri.no_such_kind(&["/dev/video0", "serial:…", "path:…", "name:…"]))
}

fn memory(word: &str, fill: Option<Fill>) -> Result<DeviceMemory, BadSource> {
    let kinds = DeviceMemory::ALL.map(DeviceMemory::name).join(", ");
    let memory = word.parse();
    let memory = memory.map_err(|()| not_possible("memory", word, format!("auto, {kinds}")))?;
    match fill {
        None | Some(Fill::Import) => Ok(memory),
        Some(other) => Err(not_possible(
            "memory",
            word,
            format!("auto with fill={}, or this with fill=import", other.name()),
        )),
    }
}

fn is_a_cameras(format: &Format) -> bool {
    matches!(format.kind(), Kind::Video | Kind::Packet)
}

impl Wish {
    /// What a URI asks for.
    pub fn of(uri: &SourceUri) -> Result<Wish, BadSource> {
        let parameters = uri.parameters(&KNOWN)?;
        let formats: Vec<Format> = Format::ALL
            .iter()
            .filter(|format| is_a_cameras(format))
            .copied()
            .collect();
        let given = |name| parameters.text(name).filter(|value| *value != "auto");
        let format = match given("format") {
            Some(_) => Some(parameters.format(Format::Yuyv, &formats)?),
            None => None,
        };
        let size = match given("size") {
            Some(_) => Some(parameters.size(GUESS)?),
            None => None,
        };
        let rate = match given("rate") {
            Some(_) => Some(parameters.number("rate", 30.0, 0.01..=RATE_MAX, None)?),
            None => None,
        };
        let input = match given("input") {
            Some(_) => Some(parameters.whole("input", 0, 0..=INPUTS_MAX)?),
            None => None,
        };
        let fill = match given("fill") {
            Some(word) => {
                let ways = Fill::ALL.map(Fill::name).join(", ");
                let possible = || format!("auto, {ways}");
                Some(
                    word.parse()
                        .map_err(|()| not_possible("fill", word, possible()))?,
                )
            }
            None => None,
        };
        let memory = match given("memory") {
            Some(word) => Some(memory(word, fill)?),
            None => None,
        };
        let wish = Wish {
            which: which(uri)?,
            size,
            rate,
            format,
            fill,
            memory,
            input,
            node: parameters.whole("node", 0, 0..=NODES_MAX)?,
        };
        wish.guess().map_err(|why| uri.no_such_layout(why))?;
        Ok(wish)
    }

    /// Which camera a source is, if it is one.
    #[must_use]
    pub fn which(source: &SourceUri) -> Option<Which> {
        let is_camera = source.scheme() == SCHEME;
        is_camera.then(|| which(source).ok()).flatten()
    }

    /// Which of whose nodes a source is, if it is a camera.
    #[must_use]
    pub fn camera(source: &SourceUri) -> Option<(Which, u32)> {
        let which = Wish::which(source)?;
        let wish = Wish::of(source).ok()?;
        Some((which, wish.node))
    }

    /// How its frames would lie if it did exactly as asked, as far as that can be known without it.
    pub fn guess(&self) -> Result<Layout, streamem_wire::BadLayout> {
        let format = self.format.unwrap_or(Format::Bgr24);
        let (width, height) = self.size.unwrap_or(GUESS);
        let rate = self.rate.unwrap_or(0.0);
        match format.kind() {
            Kind::Packet => {
                Layout::packet(format, width, height, rate, packet_bytes(width, height))
            }
            _ => Layout::video(format, width, height, rate),
        }
    }
}

/// No compressed picture is larger than the same without compression.
fn packet_bytes(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height) * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(text: &str) -> Result<Wish, String> {
        let uri: SourceUri = text.parse().map_err(|error: BadSource| error.to_string())?;
        Wish::of(&uri).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_said_is_left_to_the_driver() {
        let wish = wish("v4l2:///dev/video0?format=auto").unwrap();
        assert_eq!(wish.which, Which::Node("/dev/video0".into()));
        assert_eq!(
            (wish.size, wish.rate, wish.format, wish.fill),
            (None, None, None, None)
        );
        assert_eq!(wish.guess().unwrap().summary(), "640x480 bgr24");
    }

    #[test]
    fn a_camera_is_named_by_what_stays() {
        let which = |text: &str| wish(text).unwrap().which;
        assert_eq!(
            which("v4l2://serial:46D0A1"),
            Which::Serial("46D0A1".into())
        );
        assert_eq!(
            which("v4l2://name:Big%20Eye"),
            Which::Name("Big Eye".into())
        );
        assert_eq!(
            which("v4l2://path:pci-0000:00:14.0-usb-0:1:1.0"),
            Which::Path("pci-0000:00:14.0-usb-0:1:1.0".into())
        );
    }

    #[test]
    fn everything_can_be_asked_for() {
        let wish = wish("v4l2:///dev/video2?size=1920x1080&rate=30&format=nv12&fill=copy&input=3")
            .unwrap();
        assert_eq!(wish.guess().unwrap().summary(), "1920x1080 nv12 30/s");
        assert_eq!((wish.fill, wish.input), (Some(Fill::Copy), Some(3)));
        let wish = super::tests::wish("v4l2:///dev/video2?fill=import&memory=dma_heap").unwrap();
        assert_eq!(wish.memory, Some(DeviceMemory::DmaHeap));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let refused = |text: &str| wish(text).unwrap_err();
        assert!(refused("v4l2://video0").contains("/dev/video0"));
        assert!(refused("v4l2://serial:").contains("serial:…"));
        assert!(refused("v4l2:///dev/video0?siez=1x1").contains("did you mean \"size\""));
        assert!(refused("v4l2:///dev/video0?fill=move").contains("import, export, copy"));
        assert!(refused("v4l2:///dev/video0?memory=memfd").contains("udmabuf, dma_heap, drm"));
        assert!(refused("v4l2:///dev/video0?memory=drm&fill=copy").contains("fill=import"));
        assert!(refused("v4l2:///dev/video0?format=s16").starts_with("format=s16"));
        assert!(refused("v4l2:///dev/video0?rate=0").starts_with("rate=0"));
        assert!(refused("v4l2:///dev/video0?size=3x3&format=nv12").contains("even sides"));
    }
}
