//! The layout of the project itself: arrows between modules, where unsafe code may be, size and
//! style of files, and that every promise has its test.
//!
//! Owns the rules a compiler cannot hold; never looks at what the code does.

mod arrows;
mod files;
mod promises;
mod unsafety;

use std::path::{Path, PathBuf};
use streamem_tests::binaries::workspace;

/// A source file.
struct Source {
    /// Where, from the root of the workspace.
    path: String,
    text: String,
}

impl Source {
    /// The lines that are compiled into the product: before the unit tests.
    fn product_lines(&self) -> impl Iterator<Item = &str> {
        self.text
            .lines()
            .take_while(|line| !line.starts_with("#[cfg(test)]"))
    }

    /// The same without comments.
    fn code(&self) -> impl Iterator<Item = &str> {
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        self.product_lines().filter(is_code)
    }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            let is_ours = name != "target" && name != "corpus" && !name.starts_with(".git");
            if is_ours {
                walk(&path, found);
            }
        } else if name != ".git" {
            // In a second worktree that is a file, which says where the repository is.
            found.push(path);
        }
    }
}

/// Every text file of the project.
fn all_files() -> Vec<Source> {
    let root = workspace().canonicalize().expect("the workspace");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).ok()?;
        let path = path.strip_prefix(&root).ok()?.to_str()?.to_owned();
        Some(Source { path, text })
    };
    let files: Vec<Source> = paths.into_iter().filter_map(read).collect();
    assert!(files.len() > 100, "the project was not found");
    files
}

/// Every Rust file of the project.
fn rust_files() -> Vec<Source> {
    let mut files = all_files();
    files.retain(|file| file.path.ends_with(".rs"));
    files
}
