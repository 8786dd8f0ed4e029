//! Imports point one way: between crates, and between the modules of the broker.
//!
//! Owns the two lists; a module may use those before it, never those after it.

use super::{all_files, rust_files};
use std::collections::BTreeSet;

const BROKER: [&str; 18] = [
    "logging",
    "activation",
    "manager",
    "engine",
    "source",
    "pool",
    "access",
    "peer",
    "listener",
    "quota",
    "config",
    "stream",
    "store",
    "streams",
    "workers",
    "hotplug",
    "session",
    "broker",
];

const CRATES: [(&str, &[&str]); 18] = [
    ("libclient/wire", &[]),
    ("libclient/sys", &[]),
    ("libclient", &["streamem-sys", "streamem-wire"]),
    ("broker/v4l2", &["streamem-sys"]),
    ("broker/ring", &["streamem-sys"]),
    (
        "broker/worker/codec",
        &["streamem-headset", "streamem-hl2ss", "streamem-orders"],
    ),
    ("broker/worker/hl2ss", &[]),
    // `streamem-sys` is for its tests: what a publisher does, done inside.
    ("broker/worker/sandbox", &["streamem-sys"]),
    (
        "broker/worker/orders",
        &["streamem-hl2ss", "streamem-sys", "streamem-wire"],
    ),
    (
        "broker/worker",
        &[
            "streamem",
            "streamem-codec",
            "streamem-hl2ss",
            "streamem-orders",
            "streamem-ring",
            "streamem-sandbox",
            "streamem-sys",
            "streamem-wire",
        ],
    ),
    (
        "broker",
        &[
            "streamem-hl2ss",
            "streamem-orders",
            "streamem-ring",
            "streamem-sys",
            "streamem-v4l2",
            "streamem-wire",
        ],
    ),
    ("inspector", &["streamem", "streamem-sys", "streamem-wire"]),
    ("examples/rust", &["streamem"]),
    (
        "tests",
        &[
            "streamem",
            "streamem-headset",
            "streamem-orders",
            "streamem-sys",
            "streamem-wire",
            "streamemd",
        ],
    ),
    ("tests/fixture/headset", &[]),
    ("tests/vm/init", &[]),
    (
        "tests/vm",
        &[
            "streamem",
            "streamem-sys",
            "streamem-tests",
            "streamem-v4l2",
            "streamem-vm-init",
            "streamem-wire",
            "streamemd",
        ],
    ),
    (
        "tests/fuzz",
        &[
            "streamem",
            "streamem-codec",
            "streamem-hl2ss",
            "streamem-orders",
            "streamem-wire",
            "streamemd",
        ],
    ),
];

fn words_after<'a>(line: &'a str, mark: &str) -> impl Iterator<Item = &'a str> {
    let ends = |c: char| !(c.is_ascii_lowercase() || c == '_');
    let parts: Vec<&str> = line.split(mark).skip(1).collect();
    parts
        .into_iter()
        .map(move |part| part.split(ends).next().unwrap_or_default())
}

#[test]
fn modules_of_the_broker_use_only_those_before_them() {
    let rank = |module: &str| BROKER.iter().position(|name| *name == module);
    let mut seen = BTreeSet::new();
    for file in rust_files() {
        let Some(inside) = file.path.strip_prefix("broker/src/") else {
            continue;
        };
        let module = inside.split(['/', '.']).next().unwrap_or_default();
        if module == "main" || module == "lib" {
            continue;
        }
        let own = rank(module);
        assert!(
            own.is_some(),
            "{} is in no order; put it into the list here",
            file.path
        );
        seen.insert(module.to_owned());
        for used in file.code().flat_map(|line| words_after(line, "crate::")) {
            assert!(
                rank(used) <= own,
                "{} uses crate::{used}, which comes after {module}",
                file.path
            );
        }
    }
    assert_eq!(seen, BROKER.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn crates_use_only_those_they_may() {
    for file in all_files() {
        let Some(folder) = file.path.strip_suffix("/Cargo.toml") else {
            continue;
        };
        if folder == "tests/bench" {
            continue;
        }
        let allowed = CRATES.iter().find(|(name, _)| *name == folder);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{folder} is a crate unknown here"));
        let names = file
            .text
            .lines()
            .filter_map(|line| line.split(['=', '.']).next());
        let ours = names
            .map(str::trim)
            .filter(|name| name.starts_with("streamem"));
        for used in ours {
            assert!(allowed.contains(&used), "{folder} uses {used}");
        }
    }
}
