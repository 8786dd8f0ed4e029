//! What every file must have, and must not.
//!
//! Owns the limits; an exception is named here with its reason.

use super::{Source, all_files, rust_files};

const LINES_MAX: usize = 400;
const MEDIAN_LINES_MAX: usize = 200;
/// Mirrors `io.streamem.varlink` word by word, and is as long as that.
const AS_LONG_AS_THE_SPECIFICATION: &str = "libclient/wire/src/message.rs";

fn is_exempt(path: &str) -> bool {
    path.starts_with("tests/bench/")
}

#[test]
fn every_file_begins_by_saying_what_it_owns() {
    for file in rust_files() {
        assert!(
            file.text.starts_with("//! "),
            "{} has no module doc",
            file.path
        );
    }
}

#[test]
fn files_are_small() {
    let mut lengths = Vec::new();
    for file in rust_files().iter().filter(|file| !is_exempt(&file.path)) {
        let lines = file.product_lines().count();
        let may_be_long = file.path == AS_LONG_AS_THE_SPECIFICATION;
        assert!(
            lines <= LINES_MAX || may_be_long,
            "{} has {lines} lines",
            file.path
        );
        lengths.push(lines);
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= MEDIAN_LINES_MAX, "the median is {median} lines");
}

#[test]
fn only_the_inspectors_output_and_programs_of_a_page_print() {
    let may_print = |path: &str| {
        let may = [
            "inspector/src/output/",
            "examples/",
            "tests/",
            "broker/src/main.rs",
            "broker/worker/src/main.rs",
            // That is how it talks to Cargo.
            "broker/worker/codec/build.rs",
        ];
        may.iter().any(|prefix| path.starts_with(prefix))
    };
    for file in rust_files().iter().filter(|file| !may_print(&file.path)) {
        for line in file.code() {
            assert!(
                !line.contains("print!(") && !line.contains("println!("),
                "{}: {line}",
                file.path
            );
        }
    }
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("todo", "!("),
        concat!("unimpl", "emented!("),
        concat!("dbg", "!("),
        concat!("#[ig", "nore"),
    ];
    for file in all_files() {
        for mark in marks {
            assert!(!file.text.contains(mark), "{} has {mark}", file.path);
        }
    }
}

#[test]
fn no_machine_and_no_folder_beside_the_project_is_mentioned() {
    let words = [
        concat!("/wo", "rk/"),
        concat!("../sha", "red"),
        concat!("/ro", "ot/."),
        concat!("/usr/loc", "al/cargo"),
    ];
    let is_generated = |file: &Source| file.path.ends_with(".lock") || file.path.ends_with(".svg");
    for file in all_files().iter().filter(|file| !is_generated(file)) {
        for word in words {
            assert!(!file.text.contains(word), "{} mentions {word}", file.path);
        }
    }
}
