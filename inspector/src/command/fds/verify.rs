//! Whether a descriptor is what the broker says it is.
//!
//! Owns the comparison; never reads /proc itself.

use super::process::{Mapped, Open, Process};
use serde::Serialize;
use std::fmt;
use streamem_wire::message::{Descriptor, Holder};

/// What came of looking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// It is there and is that file.
    Verified {
        /// Under which numbers the process has it open.
        fds: Vec<i32>,
        /// How many times it is mapped.
        mappings: usize,
    },
    /// The process was handed it and has let go of it.
    Closed,
    /// This user may not look.
    NotPermitted,
    /// The process ended meanwhile.
    Gone,
    /// It is something else.
    Mismatch {
        /// What is different.
        difference: String,
    },
}

impl Verdict {
    /// Whether something is wrong.
    pub fn is_mismatch(&self) -> bool {
        matches!(self, Verdict::Mismatch { .. })
    }

    fn mismatch(difference: impl Into<String>) -> Verdict {
        let difference = difference.into();
        Verdict::Mismatch { difference }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Verified { fds, mappings } => {
                let mut how: Vec<String> = fds.iter().map(|fd| format!("fd {fd}")).collect();
                if *mappings > 0 {
                    how.push("mapped".to_owned());
                }
                write!(out, "verified ({})", how.join(", "))
            }
            Verdict::Closed => out.write_str("closed"),
            Verdict::NotPermitted => out.write_str("not permitted"),
            Verdict::Gone => out.write_str("gone"),
            Verdict::Mismatch { difference } => write!(out, "MISMATCH: {difference}"),
        }
    }
}

/// The broker's own descriptor, and what it was found to be.
pub fn own(said: &Descriptor, broker: &Process) -> (Verdict, Option<Open>) {
    let (open, mapped) = match broker {
        Process::Seen { open, mapped } => (open, mapped),
        Process::NotPermitted => return (Verdict::NotPermitted, None),
        Process::Gone => return (Verdict::Gone, None),
    };
    let Some(found) = open.iter().find(|open| open.number == said.number) else {
        return (
            Verdict::mismatch(format!("the broker has no fd {}", said.number)),
            None,
        );
    };
    if let Some(difference) = difference(said, found) {
        return (Verdict::mismatch(difference), None);
    }
    let is_memory = found.eventfd_id.is_none();
    let verdict = Verdict::Verified {
        fds: vec![found.number],
        mappings: mapped
            .iter()
            .filter(|map| is_memory && is_it(said, map))
            .count(),
    };
    (verdict, Some(found.clone()))
}

/// Whether a file is called in /proc as one of this kind is.
fn is_of_its_kind(said: &Descriptor, target: &str) -> bool {
    let prefix = match said.kind.as_str() {
        "memfd" | "udmabuf" => "/memfd:",
        "dma-buf" | "v4l2" | "dma_heap" | "drm" => "/dmabuf:",
        "eventfd" => "anon_inode:[eventfd]",
        _ => "",
    };
    target.starts_with(prefix)
}

fn is_it(said: &Descriptor, map: &Mapped) -> bool {
    map.inode == said.inode && is_of_its_kind(said, &map.target)
}

fn difference(said: &Descriptor, found: &Open) -> Option<String> {
    if !is_of_its_kind(said, &found.target) {
        return Some(format!("it is {}", found.target));
    }
    if found.inode != said.inode {
        return Some(format!("its inode is {}", found.inode));
    }
    if said.kind != "eventfd" && found.bytes != said.bytes {
        return Some(format!("it has {} bytes", found.bytes));
    }
    let sorted = |seals: &[String]| {
        let mut seals = seals.to_vec();
        seals.sort();
        seals
    };
    match &found.seals {
        Some(seals) if sorted(seals) != sorted(&said.seals) => {
            Some(format!("its seals are {}", seals.join(",")))
        }
        _ => None,
    }
}

/// The descriptor in a process it was handed to; `seen` is what the broker's own was found to be.
pub fn holder(
    said: &Descriptor,
    handed: &Holder,
    seen: Option<&Open>,
    process: &Process,
) -> Verdict {
    let (open, mapped) = match process {
        Process::Seen { open, mapped } => (open, mapped),
        Process::NotPermitted => return Verdict::NotPermitted,
        Process::Gone => return Verdict::Gone,
    };
    if said.kind == "eventfd" {
        let Some(id) = seen.and_then(|seen| seen.eventfd_id) else {
            return Verdict::NotPermitted;
        };
        return held(numbers(open, |open| open.eventfd_id == Some(id)), 0);
    }
    let mapped: Vec<_> = mapped.iter().filter(|map| is_it(said, map)).collect();
    if handed.access == "read" && mapped.iter().any(|map| map.writable) {
        return Verdict::mismatch("it is mapped for writing and was handed out for reading");
    }
    let is_open = |open: &Open| open.inode == said.inode && is_of_its_kind(said, &open.target);
    held(numbers(open, is_open), mapped.len())
}

fn numbers(open: &[Open], is_it: impl Fn(&Open) -> bool) -> Vec<i32> {
    let found = open.iter().filter(|open| is_it(open));
    found.map(|open| open.number).collect()
}

fn held(fds: Vec<i32>, mappings: usize) -> Verdict {
    if fds.is_empty() && mappings == 0 {
        Verdict::Closed
    } else {
        Verdict::Verified { fds, mappings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use streamem_wire::{SessionId, StreamName};

    fn said() -> Descriptor {
        Descriptor {
            role: "pool".to_owned(),
            stream: StreamName::new("cam").unwrap(),
            subscription: None,
            number: 9,
            kind: "memfd".to_owned(),
            bytes: 4096,
            seals: vec!["grow".to_owned(), "shrink".to_owned()],
            inode: 77,
            exporter: "streamemd".to_owned(),
            handed_to: Vec::new(),
        }
    }

    fn found() -> Open {
        Open {
            number: 9,
            inode: 77,
            bytes: 4096,
            target: "/memfd:pool (deleted)".to_owned(),
            eventfd_id: None,
            mode: Some("r"),
            seals: Some(vec!["shrink".to_owned(), "grow".to_owned()]),
        }
    }

    fn process(open: Vec<Open>, mapped: Vec<Mapped>) -> Process {
        Process::Seen { open, mapped }
    }

    fn reader() -> Holder {
        Holder {
            session: SessionId(1),
            pid: 5,
            access: "read".to_owned(),
        }
    }

    #[test]
    fn the_brokers_own_descriptor_is_verified() {
        let (verdict, seen) = own(&said(), &process(vec![found()], Vec::new()));
        assert_eq!(
            verdict,
            Verdict::Verified {
                fds: vec![9],
                mappings: 0
            }
        );
        assert_eq!(seen, Some(found()));
    }

    #[test]
    fn any_difference_is_a_mismatch() {
        let other = [
            Open {
                inode: 78,
                ..found()
            },
            Open {
                bytes: 1,
                ..found()
            },
            Open {
                target: "/etc/passwd".to_owned(),
                ..found()
            },
            Open {
                seals: Some(Vec::new()),
                ..found()
            },
            Open {
                number: 8,
                ..found()
            },
        ];
        for open in other {
            let (verdict, _) = own(&said(), &process(vec![open.clone()], Vec::new()));
            assert!(verdict.is_mismatch(), "{open:?}: {verdict}");
        }
    }

    #[test]
    fn a_reader_that_could_write_is_a_mismatch() {
        let map = |writable| {
            process(
                Vec::new(),
                vec![Mapped {
                    inode: 77,
                    target: "/memfd:pool".to_owned(),
                    writable,
                }],
            )
        };
        let verdict = |writable| holder(&said(), &reader(), Some(&found()), &map(writable));
        assert_eq!(
            verdict(false),
            Verdict::Verified {
                fds: vec![],
                mappings: 1
            }
        );
        assert!(verdict(true).is_mismatch());
    }

    #[test]
    fn memory_of_another_kind_with_the_same_number_is_not_it() {
        let lease = Mapped {
            inode: 77,
            target: "/memfd:lease".to_owned(),
            writable: true,
        };
        let slot = Descriptor {
            kind: "drm".to_owned(),
            ..said()
        };
        let verdict = holder(&slot, &reader(), None, &process(vec![], vec![lease]));
        assert_eq!(verdict, Verdict::Closed);
    }

    #[test]
    fn a_reader_that_let_go_of_it_is_no_mismatch() {
        let verdict = holder(&said(), &reader(), Some(&found()), &process(vec![], vec![]));
        assert_eq!(verdict, Verdict::Closed);
    }

    #[test]
    fn eventfds_are_told_apart_by_their_id() {
        let eventfd = |id, number| Open {
            number,
            target: "anon_inode:[eventfd]".to_owned(),
            eventfd_id: Some(id),
            seals: None,
            ..found()
        };
        let said = Descriptor {
            kind: "eventfd".to_owned(),
            ..said()
        };
        let process = process(vec![eventfd(3, 4), eventfd(5, 6)], Vec::new());
        let verdict = holder(&said, &reader(), Some(&eventfd(5, 9)), &process);
        assert_eq!(
            verdict,
            Verdict::Verified {
                fds: vec![6],
                mappings: 0
            }
        );
    }

    #[test]
    fn what_may_not_be_seen_is_said_so() {
        assert_eq!(
            own(&said(), &Process::NotPermitted).0,
            Verdict::NotPermitted
        );
        let verdict = holder(&said(), &reader(), None, &Process::Gone);
        assert_eq!(verdict, Verdict::Gone);
    }
}
