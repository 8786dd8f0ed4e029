//! The header that is checked in is the one the code makes, and nothing is exported that it lacks.
//!
//! Owns the order in which the sources are read; never changes the file that is checked in.

use std::collections::BTreeSet;
use std::fs::read_to_string;
use std::process::Command;
use streamem_tests::binaries::workspace;
use streamem_tests::c_library::{Library, succeeded};

const SOURCES: [&str; 8] = [
    "options",
    "subscription",
    "frame",
    "layout",
    "streams",
    "publishing",
    "publisher",
    "failure",
];

fn made_of_the_code() -> String {
    let client = workspace().join("libclient");
    let config = cbindgen::Config::from_file(client.join("cbindgen.toml")).expect("its rules");
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in SOURCES {
        builder = builder.with_src(client.join(format!("src/ffi/{source}.rs")));
    }
    let mut text = Vec::new();
    builder.generate().expect("a header").write(&mut text);
    String::from_utf8(text).expect("a text")
}

fn checked_in() -> String {
    read_to_string(workspace().join("libclient/include/streamem.h")).unwrap_or_default()
}

/// The names of the functions a text declares: what stands before a bracket.
fn functions(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.starts_with([' ', '/']));
    let declared = code.filter(|line| !line.contains("inline"));
    let names = declared.filter_map(|line| {
        let before = line.split_once('(')?.0;
        let name = before.rsplit([' ', '*']).next()?;
        name.starts_with("streamem_").then(|| name.to_owned())
    });
    names.collect()
}

#[test]
fn the_header_is_what_the_code_says() {
    let made = made_of_the_code();
    if made != checked_in() {
        let place = workspace().join("target/streamem.h");
        std::fs::write(&place, made).expect("a file in target");
        panic!(
            "libclient/include/streamem.h is not what libclient/src/ffi says; look at {} and copy it there",
            place.display()
        );
    }
}

#[test]
fn every_source_of_functions_is_in_the_header() {
    let folder = workspace().join("libclient/src/ffi");
    for entry in std::fs::read_dir(folder).expect("the sources").flatten() {
        let text = read_to_string(entry.path()).expect("a text");
        let name = entry.path().file_stem().map(ToOwned::to_owned);
        let exports = text.contains("#[unsafe(no_mangle)]");
        let is_read = SOURCES.iter().any(|source| name == Some((*source).into()));
        assert!(is_read || !exports, "{name:?} is not in SOURCES");
    }
}

/// The dialects it must be good in; of clang only where there is one.
#[test]
fn c_and_cpp_take_the_header_without_a_warning_and_twice() {
    let mut dialects = vec![
        "gcc -xc -std=c99",
        "gcc -xc -std=c17",
        "g++ -xc++ -std=c++11",
    ];
    if Command::new("clang").arg("--version").output().is_ok() {
        dialects.extend(["clang -xc -std=c99", "clang -xc++ -std=c++11"]);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("twice");
    let text = "#include <streamem.h>\n#include <streamem.h>\nint main(void) { return 0; }\n";
    std::fs::write(&source, text).expect("a file in it");
    for dialect in dialects {
        let mut command = Library::built().compiler(dialect);
        let output = command.arg("-fsyntax-only").arg(&source).output();
        succeeded(dialect, &output.expect("scripts/setup.sh test"));
    }
}

#[test]
fn what_is_exported_is_what_the_header_declares_each_with_its_version() {
    let declared = functions(&checked_in());
    assert!(declared.contains("streamem_next"), "{declared:?}");
    let library = Library::built();
    let output = Command::new("nm")
        .args(["--dynamic", "--defined-only", "--with-symbol-versions"])
        .arg(library.shared())
        .output()
        .expect("nm, which comes with gcc: scripts/setup.sh build");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut exported = BTreeSet::new();
    for name in text.lines().filter_map(|line| line.split(' ').nth(2)) {
        match name.split_once("@@") {
            Some((name, "STREAMEM_0")) => assert!(exported.insert(name.to_owned())),
            _ => assert_eq!(name, "STREAMEM_0", "a name without a version of ours"),
        }
    }
    assert_eq!(exported, declared);
}
