//! The examples in C and C++, compiled as their readers would and run to the end.
//!
//! Owns their arguments; every example there is must be named here.

use std::collections::BTreeSet;
use std::process::Command;
use streamem_tests::c_library::{Build, Library, succeeded};
use streamem_tests::{Broker, binaries};

/// Each with the stream it is told, and one with which it cannot go on.
const EXAMPLES: [(&str, Build, [&str; 2]); 3] = [
    ("examples/c/consume.c", Build::C, ["randcam", "absent"]),
    ("examples/c/publish.c", Build::C, ["ramp", "randcam"]),
    (
        "examples/cpp/opencv.cpp",
        Build::OpenCv,
        ["randcam", "absent"],
    ),
];

#[test]
fn every_example_runs() {
    let broker = Broker::start();
    for (source, build, [stream, _]) in EXAMPLES {
        let program = Library::built().compile(&[source], build);
        let mut command = Command::new(program);
        command.env("STREAMEM_SOCKET", broker.socket());
        let output = command.args([stream, "5"]).output().expect("it runs");
        succeeded(source, &output);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(text.matches("frame ").count(), 5, "{source} prints {text}");
    }
}

#[test]
fn the_program_in_readme_is_one() {
    let readme = std::fs::read_to_string(binaries::workspace().join("README.md"));
    let readme = readme.expect("a README");
    let program = readme.split("```c\n").nth(1).expect("a program in C");
    let program = program.split("```").next().unwrap_or_default();
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("readme.c");
    std::fs::write(&source, program).expect("a file in it");
    Library::built().compile(&[source.to_str().expect("a text")], Build::C);
}

#[test]
fn an_example_that_cannot_go_on_says_why() {
    let broker = Broker::start();
    for (source, build, [_, stream]) in EXAMPLES {
        let program = Library::built().compile(&[source], build);
        let mut command = Command::new(program);
        command.env("STREAMEM_SOCKET", broker.socket());
        let output = command.arg(stream).output().expect("it runs");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{source}");
        assert!(complaint.contains(stream), "{source} says {complaint}");
    }
}

#[test]
fn every_example_is_run_here_and_short() {
    let mut found = BTreeSet::new();
    for folder in ["examples/c", "examples/cpp"] {
        let entries = std::fs::read_dir(binaries::workspace().join(folder)).expect("the examples");
        for entry in entries.flatten() {
            let text = std::fs::read_to_string(entry.path()).expect("a text");
            let lines = text.lines().count();
            assert!(lines <= 60, "{} has {lines} lines", entry.path().display());
            found.insert(format!("{folder}/{}", entry.file_name().to_string_lossy()));
        }
    }
    let run: BTreeSet<String> = EXAMPLES
        .iter()
        .map(|(name, ..)| (*name).to_owned())
        .collect();
    assert_eq!(found, run);
}
