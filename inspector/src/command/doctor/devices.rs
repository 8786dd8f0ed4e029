//! Which devices there are, and who may open them.
//!
//! Owns the list of devices worth knowing; opens none, so that no camera is disturbed.

use super::check::Check;
use rustix::fs::{Access, access};
use std::fs;
use std::path::{Path, PathBuf};

const AREA: &str = "devices";

pub fn checks() -> Vec<Check> {
    vec![
        of(
            Path::new("/dev"),
            "video",
            "cameras",
            "without one there are patterns: streamem add bars pattern://bars",
        ),
        of(
            Path::new("/dev/dri"),
            "renderD",
            "GPUs",
            "frames are read by the CPU; a GPU's driver is needed for more",
        ),
        udmabuf(),
        of(
            Path::new("/dev/dma_heap"),
            "",
            "dma-heap (5.6)",
            "the kernel has no CONFIG_DMABUF_HEAPS; pools are memfds",
        ),
    ]
}

fn found(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let named = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(prefix))
    };
    let mut paths: Vec<PathBuf> = paths.filter(named).collect();
    paths.sort();
    paths
}

fn described(path: &Path) -> String {
    let mine = access(path, Access::READ_OK | Access::WRITE_OK).is_ok();
    let rights = if mine {
        "may be opened"
    } else {
        "not by this user"
    };
    format!("{} ({rights})", path.display())
}

fn of(folder: &Path, prefix: &str, name: &'static str, otherwise: &str) -> Check {
    let paths = found(folder, prefix);
    if paths.is_empty() {
        return Check::note(AREA, name, "none", otherwise);
    }
    let all: Vec<String> = paths.iter().map(|path| described(path)).collect();
    Check::good(AREA, name, all.join(", "))
}

/// Whoever may open it and holds a memfd of ours can make a writable buffer of it.
fn udmabuf() -> Check {
    let (name, path) = ("udmabuf (4.20)", Path::new("/dev/udmabuf"));
    if !path.exists() {
        return Check::note(
            AREA,
            name,
            "none",
            "cameras cannot write into the broker's memory by themselves; modprobe udmabuf",
        );
    }
    let is_root = rustix::process::geteuid().is_root();
    if !is_root && access(path, Access::READ_OK | Access::WRITE_OK).is_ok() {
        return Check::note(
            AREA,
            name,
            described(path),
            "programs that may open it can write to frames they were given for reading; leave it to the broker, as udev/70-streamem.rules does, or chmod 0600 /dev/udmabuf",
        );
    }
    Check::good(AREA, name, described(path))
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome;
    use super::*;

    #[test]
    fn only_devices_of_that_name_are_listed_in_order() {
        let names: Vec<PathBuf> = found(Path::new("/dev"), "nul");
        assert_eq!(names, [PathBuf::from("/dev/null")]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_noted_with_what_follows() {
        let check = of(Path::new("/nowhere"), "", "x", "then this");
        assert_eq!(check.state, Outcome::Note);
        assert_eq!(check.remedy.as_deref(), Some("then this"));
    }
}
