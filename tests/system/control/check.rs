//! `streamemd --check`: every mistake is named with file, line and what was meant.
//!
//! Owns the mistakes; no broker is started.

use std::process::{Command, Output};
use streamem_tests::binaries::program;
use tempfile::TempDir;

fn check(config: &str) -> (Output, String) {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, config).expect("a file in it");
    let output = Command::new(program("streamemd"))
        .arg("--check")
        .arg("--config")
        .arg(&file)
        .output()
        .expect("streamemd runs");
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    (output, String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_good_configuration_passes() {
    let (output, said) = check(
        "[pool]\nslots_max = 64\npretouch = true\n\
         [quota]\nsessions = 10\n\
         [access]\nread = [\"everyone\"]\nadmin = [\"user:root\", \"group:root\", \"user:1000\"]\n\
         [stream.cam]\nsource = \"pattern://bars?size=1920x1080&rate=60&format=bgr24\"\n",
    );
    assert!(output.status.success(), "{said}");
}

#[test]
fn every_mistake_is_told_with_file_line_and_remedy() {
    let mistakes = [
        ("[stream.cam]\nsauce = \"pattern://bars\"\n", 2, "source"),
        ("[stream.cam]\n\n", 1, "source"),
        ("[broker]\nsocket = 7\n", 2, "text"),
        ("[pool]\nslots_max = -1\n", 2, "slots_max"),
        ("[pool]\n\nslots_max = 5000\n", 3, "4096"),
        ("[stream.cam]\nsource = \"gopher://bars\"\n", 2, "pattern"),
        ("[stream.cam]\nsource = \"pattern://bras\"\n", 2, "bars"),
        (
            "[stream.cam]\nsource = \"pattern://bars?size=0x10\"\n",
            2,
            "size",
        ),
        (
            "[stream.cam]\nsource = \"pattern://bars?size=99999x10\"\n",
            2,
            "size",
        ),
        (
            "[stream.cam]\nsource = \"pattern://bars?format=rgb25\"\n",
            2,
            "rgb24",
        ),
        (
            "[stream.cam]\nsource = \"pattern://bars?colour=red\"\n",
            2,
            "colour",
        ),
        (
            "[stream.\"a/b\"]\nsource = \"pattern://bars\"\n",
            1,
            "letters",
        ),
        ("[access]\nread = [\"somebody\"]\n", 2, "everyone"),
        (
            "[access]\nread = [\"user:no-such-user-here\"]\n",
            2,
            "no-such-user-here",
        ),
        ("[acess]\nread = []\n", 1, "access"),
        ("[quota]\nsession = 1\n", 2, "sessions"),
        ("[stream.cam\n", 1, ""),
    ];
    for (config, line, remedy) in mistakes {
        let (output, said) = check(config);
        assert!(!output.status.success(), "passed: {config}");
        let place = format!("mine.toml:{line}");
        assert!(
            said.contains(&place),
            "{place} is not in: {said}\nfor: {config}"
        );
        assert!(
            said.contains(remedy),
            "{remedy:?} is not in: {said}\nfor: {config}"
        );
    }
}

#[test]
fn a_file_that_only_the_environment_names_is_told_with_the_variable() {
    let output = Command::new(program("streamemd"))
        .arg("--check")
        .env("STREAMEM_CONFIG", "/nowhere/streamem.toml")
        .output()
        .expect("streamemd runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    for words in ["STREAMEM_CONFIG", "/nowhere/streamem.toml"] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_broker_does_not_start_with_a_mistake() {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, "[stream.cam]\nsource = \"gopher://x\"\n").expect("a file in it");
    let output = Command::new(program("streamemd"))
        .arg("--socket")
        .arg(folder.path().join("socket"))
        .arg("--config")
        .arg(&file)
        .output()
        .expect("streamemd runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("mine.toml:2"), "{said}");
    assert!(
        !folder.path().join("socket").exists(),
        "a socket was left behind"
    );
}
