//! Every promise of README names a test, and that test exists.
//!
//! Owns reading the table; that a promise is kept is the test's own business.

use super::{all_files, rust_files};

const PROMISES: [&str; 11] = [
    "one_write",
    "fds_once",
    "flat_publish",
    "no_tearing",
    "isolation",
    "read_only",
    "untrusted_page",
    "clean_death",
    "generation",
    "honest_time",
    "latest_or_every",
];

/// The names in the last column of the table.
fn promised() -> Vec<String> {
    let files = all_files();
    let readme = files
        .iter()
        .find(|file| file.path == "README.md")
        .expect("a README");
    let section = readme
        .text
        .split("## What it promises")
        .nth(1)
        .expect("the section");
    let table = section.lines().skip_while(|line| !line.starts_with("|---"));
    let rows = table.skip(1).take_while(|line| line.starts_with('|'));
    let names = rows.filter_map(|row| row.trim_end_matches([' ', '|']).rsplit('|').next());
    names
        .map(|name| name.trim().trim_matches('`').to_owned())
        .collect()
}

#[test]
fn every_promise_names_its_test() {
    let promised = promised();
    for promise in PROMISES {
        assert!(
            promised.iter().any(|name| name == promise),
            "{promise} is not in README"
        );
    }
    let tests: String = rust_files()
        .into_iter()
        .filter(|file| file.path.starts_with("tests/system/"))
        .map(|file| file.text)
        .collect();
    for name in promised {
        let whole = format!("fn {name}()");
        let part = format!("fn {name}_");
        assert!(
            tests.contains(&whole) || tests.contains(&part),
            "there is no test {name}"
        );
    }
}

/// The lines of a program behind this fence, counted from 1, without what makes a comment of them, and
/// without those that are not shown.
fn program(path: &str, fence: &str, which: usize) -> Vec<String> {
    let files = all_files();
    let file = files.iter().find(|file| file.path == path);
    let rest = file.and_then(|file| file.text.split(fence).nth(which));
    let program = rest.and_then(|rest| rest.split("```").next());
    let lines = program.expect("a program").lines();
    let bare = lines.map(|line| line.trim_start_matches(['/', '!']).trim().to_owned());
    bare.filter(|line| !line.is_empty() && !line.starts_with("# "))
        .collect()
}

#[test]
fn the_programs_in_rust_are_some_that_are_compiled() {
    for which in [1, 2] {
        let shown = program("README.md", "```rust\n", which);
        assert!(shown.len() > 5);
        assert_eq!(shown, program("libclient/src/lib.rs", "```no_run\n", which));
    }
}
