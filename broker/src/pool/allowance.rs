//! How much memory this process may still take: the limits of the control groups it is in.
//!
//! Owns reading them; never sets one. Whoever goes beyond such a limit is not refused, but killed.

use std::fs;
use std::io;
use std::path::Path;

const GROUPS: &str = "/sys/fs/cgroup";
const OWN: &str = "/proc/self/cgroup";

/// Fails where so many bytes more would go beyond a limit; goes on where limits cannot be read.
pub fn check(bytes: usize) -> io::Result<()> {
    let own = fs::read_to_string(OWN).unwrap_or_default();
    check_in(Path::new(GROUPS), &own, bytes as u64)
}

fn check_in(groups: &Path, own: &str, bytes: u64) -> io::Result<()> {
    let Some(place) = own.lines().find_map(|line| line.strip_prefix("0::/")) else {
        return Ok(());
    };
    let read = |folder: &Path, name: &str| -> Option<u64> {
        let text = fs::read_to_string(folder.join(name)).ok()?;
        text.trim().parse().ok()
    };
    let folder = groups.join(place);
    for folder in folder.ancestors().take_while(|folder| *folder != groups) {
        // Without a limit it says `max`.
        let Some(most) = read(folder, "memory.max") else {
            continue;
        };
        let left = most.saturating_sub(read(folder, "memory.current").unwrap_or(0));
        if bytes > left {
            return Err(io::Error::other(format!(
                "of the {most} bytes that {} may have (MemoryMax= of the service) {left} are left",
                folder.display()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(folder: &Path, most: &str, current: &str) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("memory.max"), most).unwrap();
        fs::write(folder.join("memory.current"), current).unwrap();
    }

    #[test]
    fn the_tightest_limit_counts_and_is_named() {
        let groups = tempfile::tempdir().unwrap();
        let slice = groups.path().join("system.slice");
        let service = slice.join("streamemd.service");
        group(&slice, "5000\n", "4000\n");
        group(&service, "max\n", "4000\n");
        let own = "0::/system.slice/streamemd.service\n";
        check_in(groups.path(), own, 1000).unwrap();
        let why = check_in(groups.path(), own, 1001).unwrap_err().to_string();
        assert!(
            why.contains("system.slice") && why.contains("1000 are left"),
            "{why}"
        );
        group(&service, "4500\n", "4000\n");
        let why = check_in(groups.path(), own, 501).unwrap_err().to_string();
        assert!(
            why.contains("streamemd.service") && why.contains("500 are left"),
            "{why}"
        );
    }

    #[test]
    fn without_limits_there_is_no_end() {
        let groups = tempfile::tempdir().unwrap();
        check_in(groups.path(), "0::/nowhere\n", u64::MAX).unwrap();
        check_in(groups.path(), "4:memory:/old\n", u64::MAX).unwrap();
        check(1).unwrap();
    }
}
