//! The package removed, and purged.
//!
//! Owns what may stay behind.

use crate::debian::{installed, live, property, run, said};
use std::fs;
use std::path::{Path, PathBuf};

fn files() -> Vec<PathBuf> {
    let list = said(&["dpkg", "--listfiles", "streamem"]);
    let files = list.lines().map(PathBuf::from);
    files.filter(|path| !path.is_dir()).collect()
}

#[test]
fn what_is_removed_is_gone() {
    installed();
    let files = files();
    for place in [
        "/usr/bin/streamemd",
        "/usr/bin/streamem",
        "/usr/include/streamem.h",
        "/usr/lib/systemd/user/streamemd.socket",
        "/usr/lib/udev/rules.d/70-streamem.rules",
        "/usr/lib/udev/rules.d/72-streamem-exclusive.rules",
        "/usr/share/bash-completion/completions/streamem",
        "/usr/share/doc/streamem/copyright",
        "/usr/share/doc/streamem/third-party.gz",
        "/usr/share/man/man1/streamem-watch.1.gz",
        "/usr/share/man/man5/streamem.toml.5.gz",
        "/usr/share/man/man8/streamemd.8.gz",
    ] {
        assert!(files.iter().any(|file| file == Path::new(place)), "{place}");
    }
    live("cam");
    said(&["dpkg", "--remove", "streamem"]);
    let stays = Path::new("/etc/streamem/streamem.toml");
    for file in files.iter().filter(|file| *file != stays) {
        assert!(!file.exists(), "{} is left", file.display());
    }
    assert!(stays.exists(), "the configuration is the administrator's");
    assert_eq!(property("streamemd.socket", "ActiveState"), "inactive");
    assert!(!Path::new("/run/streamem").exists());
    let running = run(&["pgrep", "-x", "streamemd"]);
    assert!(running.stdout.is_empty(), "it still runs");
    let cached = "/usr/lib/python3/dist-packages/streamem";
    assert!(!Path::new(cached).exists(), "{cached} is left");

    fs::remove_dir_all("/etc/streamem/streamem.d").expect("it was made here");
    said(&["dpkg", "--purge", "streamem"]);
    assert!(!Path::new("/etc/streamem").exists());
    let enabled = Path::new("/etc/systemd/system/sockets.target.wants/streamemd.socket");
    assert!(!enabled.is_symlink(), "{} is left", enabled.display());
    said(&["id", "streamem"]);
}
