//! Cameras that become streams when they are plugged in, as the configuration says.
//!
//! Owns which camera gets which name; never opens a device, and never adds a stream.

use crate::config::Hotplug;
use crate::source::SourceUri;
use crate::source::v4l2::{Node, Which};
use std::collections::BTreeSet;
use streamem_wire::StreamName;

const NAME_BYTES_MAX: usize = 64;
/// Most cameras that would have the same name.
const SAME_MAX: usize = 64;

/// Whether a text is as a pattern says, in which `*` is anything.
fn is_like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            rest.is_empty()
                || text
                    .char_indices()
                    .any(|(at, _)| is_like(rest, &text[at..]))
                || is_like(rest, "")
        }),
    }
}

fn is_matched(policy: &Hotplug, node: &Node) -> bool {
    let serial = node.serial.iter().map(|serial| format!("serial:{serial}"));
    let paths = node.paths.iter().map(|path| format!("path:{path}"));
    let known: Vec<String> = serial
        .chain(paths)
        .chain([format!("name:{}", node.name)])
        .collect();
    policy
        .matches
        .iter()
        .any(|pattern| known.iter().any(|text| is_like(pattern, text)))
}

/// What stays of a camera, however often it is plugged in: of its places the one that is known before udev
/// has written down others.
fn identity(node: &Node) -> Option<Which> {
    let serial = node.serial.clone().map(Which::Serial);
    serial.or_else(|| node.paths.last().cloned().map(Which::Path))
}

fn is_same(one: &Node, other: &Node) -> bool {
    identity(one).is_some() && identity(one) == identity(other)
}

/// What of a text can be in a stream's name.
fn plain(text: &str) -> String {
    let is_plain =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let plain: String = text
        .chars()
        .map(|letter| if is_plain(letter) { letter } else { '-' })
        .collect();
    let mut parts: Vec<&str> = plain.split('-').collect();
    parts.retain(|part| !part.is_empty());
    parts.join("-")
}

fn name(policy: &Hotplug, node: &Node, number: usize) -> Option<StreamName> {
    let path = node.paths.last().map_or("", String::as_str);
    let serial = node.serial.as_deref().unwrap_or(path);
    let mut text = policy
        .name
        .replace("{serial}", &plain(serial))
        .replace("{path}", &plain(path))
        .replace("{name}", &plain(&node.name));
    if number > 0 {
        text += &format!("-{}", number + 1);
    }
    // The end of a path tells cameras apart, and so does what was put behind it.
    let too_much = text.len().saturating_sub(NAME_BYTES_MAX);
    let text = text[too_much..].trim_start_matches(|letter: char| !letter.is_ascii_alphanumeric());
    StreamName::new(text).ok()
}

fn escaped(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/,".contains(&byte);
    text.bytes().fold(String::new(), |text, byte| {
        if is_plain(byte) {
            text + &char::from(byte).to_string()
        } else {
            text + &format!("%{byte:02X}")
        }
    })
}

/// The streams there are.
#[derive(Debug, Default)]
pub struct There {
    /// Their names.
    pub names: BTreeSet<StreamName>,
    /// The cameras among their sources, each with the number of its node.
    pub cameras: Vec<(Which, u32)>,
}

/// The streams there should be for these cameras, besides those that are `there` and those that are
/// `spoken_for` by the configuration.
#[must_use]
pub fn wanted(
    policy: &Hotplug,
    nodes: &[Node],
    spoken_for: &[Which],
    there: &There,
) -> Vec<(StreamName, SourceUri)> {
    let cameras: Vec<&Node> = nodes.iter().filter(|node| node.captures).collect();
    let mut taken = there.names.clone();
    let mut wanted = Vec::new();
    for (at, node) in cameras.iter().enumerate() {
        let is_spoken_for = spoken_for.iter().any(|which| node.is(which));
        let matched = identity(node).filter(|_| !is_spoken_for && is_matched(policy, node));
        let Some(which) = matched else {
            continue;
        };
        let earlier = cameras[..at].iter();
        let number = earlier.filter(|earlier| is_same(earlier, node)).count();
        let camera = (which, u32::try_from(number).unwrap_or(u32::MAX));
        if there.cameras.contains(&camera) {
            continue;
        }
        let (word, what) = match &camera.0 {
            Which::Serial(serial) => ("serial", serial),
            Which::Path(path) | Which::Name(path) => ("path", path),
            Which::Node(_) => continue,
        };
        let parameters = [policy.parameters.clone(), format!("node={number}")];
        let parameters: Vec<&str> = parameters
            .iter()
            .map(String::as_str)
            .filter(|text| !text.is_empty())
            .collect();
        let uri = format!("v4l2://{word}:{}?{}", escaped(what), parameters.join("&"));
        let mut names = (0..SAME_MAX).filter_map(|number| name(policy, node, number));
        let free = names.find(|name| !taken.contains(name));
        if let (Some(name), Ok(uri)) = (free, uri.parse()) {
            taken.insert(name.clone());
            wanted.push((name, uri));
        }
    }
    wanted
}

/// Whether a stream of this camera may stay: some node of it is to be one still, or it is plugged out.
#[must_use]
pub fn may_stay(
    policy: Option<&Hotplug>,
    nodes: &[Node],
    spoken_for: &[Which],
    camera: &Which,
) -> bool {
    let mut own = nodes.iter().filter(|node| node.is(camera)).peekable();
    let is_free = |node: &Node| !spoken_for.iter().any(|which| node.is(which));
    policy.is_some_and(|policy| {
        own.peek().is_none() || own.any(|node| is_free(node) && is_matched(policy, node))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::v4l2::Wish;

    fn policy(matches: &[&str], name: &str) -> Hotplug {
        Hotplug {
            matches: matches
                .iter()
                .map(|pattern| (*pattern).to_owned())
                .collect(),
            name: name.to_owned(),
            parameters: "rate=30".to_owned(),
        }
    }

    fn camera(number: u32, name: &str, serial: Option<&str>, path: &str) -> Node {
        Node::made_up(number, name, serial, path)
    }

    fn streams(policy: &Hotplug, nodes: &[Node], spoken_for: &[Which]) -> Vec<(String, String)> {
        let wanted = wanted(policy, nodes, spoken_for, &There::default()).into_iter();
        wanted
            .map(|(name, uri)| (name.to_string(), uri.to_string()))
            .collect()
    }

    #[test]
    fn a_stream_goes_when_its_camera_is_somebody_elses() {
        let nodes = [camera(0, "Big Eye", Some("A 1"), "usb1/1-2")];
        let (all, none) = (policy(&["*"], "cam"), policy(&["name:Other"], "cam"));
        let own = Which::Serial("A 1".to_owned());
        let stays = |policy, spoken_for: &[Which]| may_stay(policy, &nodes, spoken_for, &own);
        assert!(stays(Some(&all), &[]));
        assert!(stays(Some(&all), &[Which::Name("Small Eye".to_owned())]));
        assert!(!stays(Some(&all), &[Which::Name("Big Eye".to_owned())]));
        assert!(!stays(Some(&none), &[]));
        assert!(!stays(None, &[]));
        assert!(may_stay(Some(&all), &[], &[], &own), "it is plugged out");
    }

    #[test]
    fn a_camera_is_named_by_what_stays() {
        let nodes = [
            camera(0, "Big Eye", Some("A 1"), "usb1/1-2"),
            camera(2, "Small Eye", None, "usb1/1-3:1.0"),
        ];
        let found = streams(&policy(&["*"], "cam-{serial}"), &nodes, &[]);
        assert_eq!(
            found[0],
            (
                "cam-A-1".into(),
                "v4l2://serial:A%201?rate=30&node=0".into()
            )
        );
        assert_eq!(
            found[1],
            (
                "cam-usb1-1-3-1.0".into(),
                "v4l2://path:usb1/1-3:1.0?rate=30&node=0".into()
            )
        );
        for (_, uri) in &found {
            assert!(Wish::of(&uri.parse().unwrap()).is_ok(), "{uri}");
        }
    }

    #[test]
    fn two_of_one_device_have_two_streams() {
        let nodes = [
            camera(0, "Pair", Some("X"), "p"),
            camera(1, "Pair", Some("X"), "p"),
        ];
        let found = streams(&policy(&["name:Pa*"], "{name}"), &nodes, &[]);
        assert_eq!(
            found[0],
            ("Pair".into(), "v4l2://serial:X?rate=30&node=0".into())
        );
        assert_eq!(
            found[1],
            ("Pair-2".into(), "v4l2://serial:X?rate=30&node=1".into())
        );
    }

    #[test]
    fn what_is_configured_or_not_matched_is_left_alone() {
        let nodes = [
            camera(0, "Big Eye", Some("A"), "p"),
            camera(1, "Small Eye", Some("B"), "q"),
        ];
        let all = policy(&["*"], "cam-{serial}");
        assert_eq!(
            streams(&all, &nodes, &[Which::Serial("A".into())])[0].0,
            "cam-B"
        );
        assert_eq!(streams(&policy(&["serial:B"], "x"), &nodes, &[])[0].0, "x");
        assert!(streams(&policy(&["name:Huge*"], "x"), &nodes, &[]).is_empty());
        let cameras = vec![
            (Which::Serial("A".into()), 0),
            (Which::Serial("B".into()), 0),
        ];
        let there = There {
            cameras,
            ..There::default()
        };
        assert!(wanted(&all, &nodes, &[], &there).is_empty());
    }

    #[test]
    fn cameras_that_call_themselves_the_same_have_names_of_their_own() {
        let nodes = [
            camera(0, "Eye", Some("A"), "p"),
            camera(2, "Eye", Some("B"), "q"),
        ];
        let found = streams(&policy(&["*"], "cam-{name}"), &nodes, &[]);
        assert_eq!(
            (found[0].0.as_str(), found[1].0.as_str()),
            ("cam-Eye", "cam-Eye-2")
        );
        // The second is plugged in when the first has its stream.
        let there = There {
            names: BTreeSet::from([StreamName::new("cam-Eye").unwrap()]),
            cameras: vec![(Which::Serial("A".into()), 0)],
        };
        let later = wanted(&policy(&["*"], "cam-{name}"), &nodes, &[], &there);
        assert_eq!(later.len(), 1);
        assert_eq!(later[0].0.as_str(), "cam-Eye-2");
    }

    #[test]
    fn a_star_is_anything() {
        assert!(
            is_like("*", "") && is_like("*", "x") && is_like("a*c", "abc") && is_like("a*c", "ac")
        );
        assert!(
            is_like("name:*Eye*", "name:Big Eye 2")
                && !is_like("a*c", "abd")
                && !is_like("a", "ab")
        );
    }

    #[test]
    fn long_names_keep_their_end() {
        let long = "x/".repeat(60) + "1-3";
        let found = streams(
            &policy(&["*"], "cam-{path}"),
            &[camera(0, "n", None, &long)],
            &[],
        );
        assert!(
            found[0].0.len() <= 64 && found[0].0.ends_with("1-3"),
            "{found:?}"
        );
    }
}
