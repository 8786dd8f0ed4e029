//! The Python client: its own tests and the examples, on every interpreter this machine has.
//!
//! Owns finding the interpreters and running them; what is to be true of a frame is said in
//! `libclient/python/tests`.

mod examples;
mod interpreters;
mod numbers;
mod packaging;

use interpreters::{Interpreter, interpreters, with_numpy};
use std::path::PathBuf;
use std::process::Output;
use streamem_tests::binaries;

fn folder() -> PathBuf {
    binaries::workspace().join("libclient/python")
}

/// The names of the test files; those that need numpy only if asked for.
fn tests(numpy: bool) -> Vec<String> {
    let entries = std::fs::read_dir(folder().join("tests")).expect("the tests");
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            numpy || !text.contains("\nimport numpy")
        })
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .filter_map(|name| Some(name.strip_suffix(".py")?.to_owned()))
        .filter(|name| name.starts_with("test_"))
        .collect();
    names.sort();
    names
}

/// What it printed, if it went well.
fn ok(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    said + &complained
}

fn run_tests(python: &Interpreter, fences: &str) {
    let mut command = python.command();
    command
        .args(["-W", "error", "-m", "unittest"])
        .args(tests(python.numpy))
        .current_dir(folder().join("tests"))
        .env("STREAMEM_TEST_FENCES", fences)
        .env("STREAMEM_BROKER", binaries::program("streamemd"));
    let said = ok(&command.output().expect("it runs"));
    let last = said.lines().rev().find(|line| !line.is_empty());
    assert_eq!(last, Some("OK"), "Python {}: {said}", python.version);
    assert!(!said.contains("Ran 0 tests"), "{said}");
    println!(
        "Python {}: {} files of tests",
        python.version,
        tests(python.numpy).len()
    );
}

#[test]
fn every_interpreter_passes_every_test() {
    let found = interpreters();
    assert!(with_numpy(&found).is_some(), "{}", interpreters::NO_NUMPY);
    for python in &found {
        run_tests(python, "its own");
    }
}

#[test]
fn the_fences_of_other_processors_pass_every_test() {
    let found = interpreters();
    run_tests(
        with_numpy(&found).expect(interpreters::NO_NUMPY),
        "membarrier",
    );
}
