//! The examples in Python, each run to its end.
//!
//! Owns their arguments; every example there is must be named here.

use super::interpreters::{Interpreter, NO_NUMPY, interpreters, with_numpy};
use super::{folder, ok};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use streamem_tests::{Broker, binaries};

const EXAMPLES: [(&str, [&str; 2]); 7] = [
    ("watch", ["randcam", "5"]),
    ("brightness", ["randcam", "5"]),
    ("clip", ["randcam", "4"]),
    ("asynchronous", ["randcam", "5"]),
    ("original", ["randcam", "5"]),
    ("publish", ["randcam", "5"]),
    ("stage", ["randcam", "5"]),
];

fn examples() -> PathBuf {
    binaries::workspace().join("examples/python")
}

fn command(python: &Interpreter, broker: &Broker, name: &str, words: [&str; 2]) -> Command {
    let mut command = python.command();
    command
        .args(["-W", "error"])
        .arg(examples().join(name).with_extension("py"))
        .args(words)
        .env("PYTHONPATH", folder())
        .env("STREAMEM_SOCKET", broker.socket());
    command
}

#[test]
fn every_example_runs() {
    let found = interpreters();
    let python = with_numpy(&found).expect(NO_NUMPY);
    let broker = Broker::start();
    for (name, words) in EXAMPLES {
        let output = command(python, &broker, name, words).output();
        let said = ok(&output.expect("it runs"));
        assert!(said.lines().count() >= 2, "{name} prints {said:?}");
    }
}

#[test]
fn every_example_is_run_here_and_short() {
    let entries = std::fs::read_dir(examples()).expect("the examples");
    let files = entries.flatten().map(|entry| entry.path());
    let sources: Vec<PathBuf> = files
        .filter(|path| path.extension() == Some("py".as_ref()))
        .collect();
    let found: BTreeSet<&str> = sources
        .iter()
        .filter_map(|path| path.file_stem()?.to_str())
        .collect();
    assert_eq!(found, EXAMPLES.iter().map(|(name, _)| *name).collect());
    for path in &sources {
        let text = std::fs::read_to_string(path).expect("a text");
        let lines = text.lines().count();
        assert!(lines <= 60, "{} has {lines} lines", path.display());
    }
}

/// Runs what it reads, in which a loop over frames ends after three.
const BRIEFLY: &str = "
import sys, streamem
asked = []
after = streamem.Subscription.__next__
def few(subscription):
    asked.append(subscription.id)
    if len(asked) > 3:
        raise StopIteration
    return after(subscription)
streamem.Subscription.__next__ = few
exec(compile(sys.stdin.read(), 'README.md', 'exec'))
assert len(asked) == 4, asked
";

#[test]
fn the_programs_in_readme_run() {
    let readme = std::fs::read_to_string(binaries::workspace().join("README.md"));
    let readme = readme.expect("a README");
    let programs: Vec<&str> = readme
        .split("```python\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(programs.len(), 2);
    let found = interpreters();
    let python = with_numpy(&found).expect(NO_NUMPY);
    let broker = Broker::start();
    for program in programs {
        let mut command = python.command();
        let mut child = command
            .args(["-W", "error", "-c", BRIEFLY])
            .env("PYTHONPATH", folder())
            .env("STREAMEM_SOCKET", broker.socket())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut stdin = child.stdin.take().expect("it is piped");
        let whole = format!("import streamem\n{program}");
        stdin.write_all(whole.as_bytes()).expect("it reads");
        drop(stdin);
        ok(&child.wait_with_output().expect("it ends"));
    }
}
