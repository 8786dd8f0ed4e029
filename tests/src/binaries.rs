//! Where the programs under test are: beside the test itself.
//!
//! Owns finding them; never builds anything.

use std::path::PathBuf;

/// The folder cargo puts programs into, for the profile this test was built with.
#[must_use]
pub fn folder() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_default();
    let folder = test.parent().unwrap_or(&test);
    if folder.ends_with("deps") {
        folder.parent().unwrap_or(folder).to_owned()
    } else {
        folder.to_owned()
    }
}

/// The program of this name.
///
/// # Panics
///
/// When it has not been built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let path = folder().join(name);
    assert!(
        path.exists(),
        "there is no {}: run `make test`, or `cargo build --workspace` before `cargo test`",
        path.display()
    );
    path
}

/// The root of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
