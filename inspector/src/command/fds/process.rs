//! What the kernel says of a process: its descriptors and its shared mappings.
//!
//! Owns reading /proc; never judges what it finds.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A descriptor of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its number there.
    pub number: i32,
    /// The file's inode.
    pub inode: u64,
    /// The file's size.
    pub bytes: u64,
    /// What /proc calls it, such as `/memfd:name (deleted)`.
    pub target: String,
    /// What can be done with it: `r`, `w` or `rw`.
    pub mode: Option<&'static str>,
    /// For eventfds: what tells one from another, since all share an inode.
    pub eventfd_id: Option<u64>,
    /// Seals of a memfd, where they could be read.
    pub seals: Option<Vec<String>>,
}

/// A shared mapping of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The mapped file's inode. Memfds and DMA-BUFs count theirs each for themselves.
    pub inode: u64,
    /// What /proc calls the file.
    pub target: String,
    /// Whether the process can write through it.
    pub writable: bool,
}

/// A process, as far as we may look into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Process {
    /// What it has.
    Seen {
        /// Its descriptors.
        open: Vec<Open>,
        /// Its shared mappings of files.
        mapped: Vec<Mapped>,
    },
    /// Not for this user.
    NotPermitted,
    /// There is no such process.
    Gone,
}

/// Processes looked into, each once.
#[derive(Debug, Default)]
pub struct Processes(HashMap<u32, Process>);

impl Processes {
    /// The process, as it was when it was first asked for.
    pub fn get(&mut self, pid: u32) -> &Process {
        self.0.entry(pid).or_insert_with(|| look(pid))
    }
}

fn look(pid: u32) -> Process {
    let folder = Path::new("/proc").join(pid.to_string());
    let seen = descriptors(&folder).and_then(|open| {
        let maps = fs::read_to_string(folder.join("maps"))?;
        let mapped = maps.lines().filter_map(mapping).collect();
        Ok(Process::Seen { open, mapped })
    });
    seen.unwrap_or_else(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => Process::NotPermitted,
        _ => Process::Gone,
    })
}

fn descriptors(folder: &Path) -> io::Result<Vec<Open>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder.join("fd"))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(number) = name.and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let (Ok(target), Ok(about)) = (fs::read_link(&path), fs::metadata(&path)) else {
            continue;
        };
        let target = target.to_string_lossy().into_owned();
        let info = fs::read_to_string(folder.join("fdinfo").join(number.to_string())).ok();
        let info = info.as_deref();
        let is_memfd = target.starts_with("/memfd:");
        found.push(Open {
            number,
            inode: about.ino(),
            bytes: about.len(),
            mode: info.and_then(mode),
            eventfd_id: info
                .filter(|_| target.contains("[eventfd]"))
                .and_then(eventfd_id),
            seals: is_memfd.then(|| seals(&path)).flatten(),
            target,
        });
    }
    Ok(found)
}

fn seals(path: &Path) -> Option<Vec<String>> {
    let file = fs::File::open(path).ok()?;
    streamem_sys::file::seals(file).ok()
}

/// How a descriptor was opened, by the two lowest bits of its flags.
fn mode(fdinfo: &str) -> Option<&'static str> {
    let line = fdinfo.lines().find_map(|line| line.strip_prefix("flags:"));
    match line?.trim().chars().last()? {
        '0' | '4' => Some("r"),
        '1' | '5' => Some("w"),
        '2' | '6' => Some("rw"),
        _ => None,
    }
}

fn eventfd_id(fdinfo: &str) -> Option<u64> {
    let line = fdinfo
        .lines()
        .find_map(|line| line.strip_prefix("eventfd-id:"));
    line?.trim().parse().ok()
}

/// A line of /proc/PID/maps, if it is a shared mapping of a file.
fn mapping(line: &str) -> Option<Mapped> {
    let mut words = line.split_ascii_whitespace();
    let rights = words.nth(1)?;
    let inode: u64 = words.nth(2)?.parse().ok()?;
    let target = words.next().unwrap_or_default().to_owned();
    (inode != 0 && rights.ends_with('s')).then_some(Mapped {
        inode,
        target,
        writable: rights.contains('w'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_mappings_are_told_from_private_ones() {
        let shared = "7f0-7f1 r--s 00000000 00:01 1043  /memfd:pool (deleted)";
        let writable = "7f0-7f1 rw-s 00000000 00:01 1044  /memfd:lease (deleted)";
        let private = "7f0-7f1 r-xp 00000000 fe:00 99  /usr/lib/libc.so.6";
        let anonymous = "7f0-7f1 rw-s 00000000 00:00 0 ";
        assert_eq!(
            mapping(shared),
            Some(Mapped {
                inode: 1043,
                target: "/memfd:pool".to_owned(),
                writable: false
            })
        );
        assert_eq!(
            mapping(writable),
            Some(Mapped {
                inode: 1044,
                target: "/memfd:lease".to_owned(),
                writable: true
            })
        );
        assert_eq!(mapping(private), None);
        assert_eq!(mapping(anonymous), None);
    }

    #[test]
    fn an_eventfd_is_known_by_its_id() {
        assert_eq!(
            eventfd_id("pos:\t0\nflags:\t02\neventfd-id: 12\n"),
            Some(12)
        );
        assert_eq!(eventfd_id("pos:\t0\n"), None);
    }

    #[test]
    fn how_a_descriptor_was_opened_is_known_by_its_flags() {
        assert_eq!(mode("pos:\t0\nflags:\t02000000\nino:\t9\n"), Some("r"));
        assert_eq!(mode("pos:\t0\nflags:\t02100002\n"), Some("rw"));
        assert_eq!(mode("pos:\t0\n"), None);
    }

    #[test]
    fn our_own_memfd_is_found_with_its_seals() {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
        let file = memfd_create("seen", MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&file, 4096).unwrap();
        fcntl_add_seals(&file, SealFlags::SHRINK).unwrap();
        let (_, inode) = streamem_sys::file::size_and_inode(&file).unwrap();
        let Process::Seen { open, .. } = look(std::process::id()) else {
            panic!("a process may look into itself");
        };
        let found = open
            .iter()
            .find(|open| open.inode == inode && open.bytes == 4096)
            .unwrap();
        assert!(found.target.starts_with("/memfd:seen"));
        assert_eq!(found.mode, Some("rw"));
        assert_eq!(
            found.seals.as_deref(),
            Some(["shrink".to_owned()].as_slice())
        );
    }

    #[test]
    fn a_process_that_is_not_there_is_gone() {
        assert_eq!(look(u32::MAX), Process::Gone);
    }
}
