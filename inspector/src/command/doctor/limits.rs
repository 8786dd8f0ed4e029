//! What this process is allowed to have.
//!
//! Owns the thresholds; never changes a limit.

use super::check::Check;
use crate::output::units;
use rustix::process::{Resource, Rlimit, getrlimit};

const AREA: &str = "limits";
/// Descriptors of a modest client with a few subscriptions.
const FILES_MIN: u64 = 64;
/// The usual limit.
const FILES_USUAL: u64 = 1024;
/// Address space of a few pools of large frames.
const ADDRESS_SPACE_USUAL: u64 = 4 << 30;

pub fn checks() -> Vec<Check> {
    vec![
        open_files(getrlimit(Resource::Nofile)),
        locked_memory(getrlimit(Resource::Memlock)),
        address_space(getrlimit(Resource::As)),
    ]
}

fn amount(limit: Option<u64>, shown: impl Fn(u64) -> String) -> String {
    limit.map_or_else(|| "unlimited".to_owned(), shown)
}

fn open_files(limit: Rlimit) -> Check {
    let name = "open files (RLIMIT_NOFILE)";
    let found = amount(limit.current, |files| files.to_string());
    let raise = "a subscription takes up to 4 descriptors; raise it: ulimit -n 4096, or LimitNOFILE= of the unit";
    match limit.current {
        Some(files) if files < FILES_MIN => Check::wrong(AREA, name, found, raise),
        Some(files) if files < FILES_USUAL => Check::note(AREA, name, found, raise),
        _ => Check::good(AREA, name, found),
    }
}

fn locked_memory(limit: Rlimit) -> Check {
    let found = amount(limit.current, units::size);
    Check::good(AREA, "locked memory (RLIMIT_MEMLOCK)", found)
}

fn address_space(limit: Rlimit) -> Check {
    let name = "address space (RLIMIT_AS)";
    let found = amount(limit.current, units::size);
    match limit.current {
        Some(bytes) if bytes < ADDRESS_SPACE_USUAL => Check::note(
            AREA,
            name,
            found,
            "pools are mapped whole, including slots that are never used; raise it: ulimit -v unlimited",
        ),
        _ => Check::good(AREA, name, found),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome;
    use super::*;

    fn limit(current: Option<u64>) -> Rlimit {
        Rlimit {
            current,
            maximum: None,
        }
    }

    #[test]
    fn too_few_files_are_wrong_and_few_are_noted() {
        assert_eq!(open_files(limit(Some(16))).state, Outcome::Wrong);
        assert_eq!(open_files(limit(Some(256))).state, Outcome::Note);
        assert_eq!(open_files(limit(Some(1024))).state, Outcome::Good);
        assert_eq!(open_files(limit(None)).state, Outcome::Good);
    }

    #[test]
    fn a_narrow_address_space_is_noted() {
        assert_eq!(address_space(limit(Some(1 << 30))).state, Outcome::Note);
        assert_eq!(address_space(limit(None)).found, "unlimited");
    }
}
