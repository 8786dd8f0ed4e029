//! What the processes of a run cost: CPU time and proportional memory, read from /proc.
//!
//! It owns the reading and never the processes. Only descendants of this process are looked at.

use std::collections::HashMap;
use std::fs;
use std::io;

/// CPU time per thread at one moment.
#[derive(Clone, Debug, Default)]
pub struct CpuTimes(HashMap<u32, u64>);

impl CpuTimes {
    /// Reads the run time of every thread of every process in `pids`; what ends meanwhile is left out.
    #[must_use]
    pub fn of(pids: &[u32]) -> Self {
        let threads = pids.iter().flat_map(|pid| {
            numbers_in(&format!("/proc/{pid}/task"))
                .into_iter()
                .map(move |tid| (*pid, tid))
        });
        Self(
            threads
                .filter_map(|(pid, tid)| {
                    let text =
                        fs::read_to_string(format!("/proc/{pid}/task/{tid}/schedstat")).ok()?;
                    Some((tid, text.split_whitespace().next()?.parse().ok()?))
                })
                .collect(),
        )
    }

    /// CPU time used since `before`; threads that were not there before count in full.
    #[must_use]
    pub fn since(&self, before: &Self) -> u64 {
        self.0
            .iter()
            .map(|(tid, now)| now.saturating_sub(before.0.get(tid).copied().unwrap_or(0)))
            .sum()
    }
}

/// All descendants of process `root`, without itself.
pub fn descendants(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for pid in numbers_in("/proc") {
        if let Some(parent) = parent_of(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        let born = children.remove(&pid).unwrap_or_default();
        open.extend(&born);
        found.extend(born);
    }
    found
}

/// Proportional memory (PSS) of one process in bytes.
pub fn pss_bytes(pid: u32) -> io::Result<u64> {
    Ok(field_kib(
        &fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?,
        "Pss:",
    ) * 1024)
}

/// How many descriptors one process has open.
pub fn descriptor_count(pid: u32) -> usize {
    numbers_in(&format!("/proc/{pid}/fd")).len()
}

fn field_kib(text: &str, name: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, so fields are counted from its end.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

fn numbers_in(folder: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pss_is_read_from_the_rollup() {
        let rollup = "55-7f ---p 0 00:00 0 [rollup]\nRss:  900 kB\nPss:                 123 kB\nPss_Dirty: 5 kB\n";
        assert_eq!(field_kib(rollup, "Pss:"), 123);
    }

    #[test]
    fn a_child_is_a_descendant_and_costs_memory() {
        let mut child = std::process::Command::new("sleep")
            .arg("10")
            .spawn()
            .expect("sleep");
        let found = descendants(std::process::id());
        assert!(found.contains(&child.id()));
        assert!(pss_bytes(child.id()).expect("our own child") > 0);
        child.kill().expect("our own child");
        child.wait().expect("our own child");
    }
}
