//! What to do about a system call that failed, where its error tells.
//!
//! Owns the next step alone; never says what failed.

use rustix::io::Errno;
use std::io;

/// The next step in brackets, to be put behind the error; empty where the error does not tell.
#[must_use]
pub fn remedy(cause: &io::Error) -> &'static str {
    match cause.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::MFILE) => " (raise RLIMIT_NOFILE: `ulimit -n`, or LimitNOFILE= of a service)",
        Some(Errno::NFILE) => " (raise fs.file-max)",
        Some(Errno::NOMEM) => " (raise RLIMIT_AS or vm.max_map_count, or free memory)",
        Some(Errno::PERM | Errno::ACCESS) => {
            " (see whether a seccomp filter or a rule of the system forbids it)"
        }
        Some(Errno::NOSYS) => " (the kernel lacks it, or a seccomp filter forbids it)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_was_met_is_named() {
        let step = |errno: Errno| remedy(&errno.into());
        assert!(step(Errno::MFILE).contains("RLIMIT_NOFILE"));
        assert!(step(Errno::NFILE).contains("fs.file-max"));
        assert!(step(Errno::NOMEM).contains("RLIMIT_AS"));
        assert!(step(Errno::NOSYS).contains("seccomp"));
        assert_eq!(step(Errno::IO), "");
    }
}
