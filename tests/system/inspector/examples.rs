//! The examples, each run to its end.
//!
//! Owns their arguments; every example there is must be named here.

use super::Outcome;
use std::collections::BTreeSet;
use std::process::Command;
use streamem_tests::{Broker, binaries};

const EXAMPLES: [(&str, &[&str]); 5] = [
    ("watch", &["randcam", "5"]),
    ("every", &["randmc", "12"]),
    ("clip", &["randcam", "2"]),
    ("epoll", &["randcam", "5"]),
    ("publish", &["flipped", "randcam", "5"]),
];

#[test]
fn every_example_runs() {
    let broker = Broker::start();
    for (name, words) in EXAMPLES {
        let mut command = Command::new(binaries::program(name));
        command.args(words).env("STREAMEM_SOCKET", broker.socket());
        let text = Outcome::of(&command.output().expect("it runs")).ok();
        assert!(text.lines().count() >= 2, "{name} prints {text:?}");
    }
}

#[test]
fn every_example_is_run_here_and_short() {
    let folder = binaries::workspace().join("examples/rust");
    let entries = std::fs::read_dir(folder).expect("the examples");
    let files = entries.flatten().map(|entry| entry.path());
    let sources: Vec<_> = files
        .filter(|path| path.extension() == Some("rs".as_ref()))
        .collect();
    let found: BTreeSet<String> = sources
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    let run: BTreeSet<String> = EXAMPLES
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(found, run);
    for path in sources {
        let lines = std::fs::read_to_string(&path)
            .expect("a text")
            .lines()
            .count();
        assert!(lines <= 60, "{} has {lines} lines", path.display());
    }
}
