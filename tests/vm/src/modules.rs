//! Modules of a kernel, and those they need.
//!
//! Owns reading `modules.dep` and unpacking a module; never loads one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The files to load for this module, in order; none if it is built in.
///
/// # Errors
///
/// When the kernel has no such module.
pub fn needed(folder: &Path, module: &str) -> Result<Vec<PathBuf>, String> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let named = |path: &str| stem(path) == module.replace('-', "_");
    for line in read("modules.dep").lines() {
        let Some((file, needs)) = line.split_once(':').filter(|(file, _)| named(file)) else {
            continue;
        };
        let mut files: Vec<PathBuf> = needs.split_whitespace().map(PathBuf::from).collect();
        files.reverse();
        files.push(file.into());
        return Ok(files);
    }
    if read("modules.builtin").lines().any(named) {
        return Ok(Vec::new());
    }
    Err(format!(
        "there is no module {module} in {}",
        folder.display()
    ))
}

fn stem(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('.').next().unwrap_or(file).replace('-', "_")
}

/// A module as the kernel takes it.
///
/// # Errors
///
/// When it cannot be read or unpacked.
pub fn unpacked(file: &Path) -> io::Result<Vec<u8>> {
    if file.extension().is_none_or(|extension| extension != "xz") {
        return fs::read(file);
    }
    let output = Command::new("xz").arg("-dc").arg(file).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!(
            "xz cannot unpack {}",
            file.display()
        )));
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_needs_comes_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let list = "k/a-b.ko.xz: k/c.ko.xz k/d.ko.xz\nk/c.ko.xz: k/d.ko.xz\nk/d.ko.xz:\n";
        fs::write(folder.path().join("modules.dep"), list).unwrap();
        fs::write(folder.path().join("modules.builtin"), "k/e.ko\n").unwrap();
        let files = |module| needed(folder.path(), module).map(|files| files.len());
        assert_eq!(
            needed(folder.path(), "a_b").unwrap(),
            ["k/d.ko.xz", "k/c.ko.xz", "k/a-b.ko.xz"].map(PathBuf::from)
        );
        assert_eq!(files("e"), Ok(0));
        assert!(files("f").is_err());
    }
}
