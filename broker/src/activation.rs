//! What the service manager starts the broker with: its listening socket, and kept descriptors.
//!
//! Owns taking them over, once, at the start; never opens anything itself.
//!
//! # Safety
//!
//! The service manager passes descriptors as numbers from 3 on and leaves them to us alone; they are
//! taken once, before anything else in this process could have opened one.
#![allow(unsafe_code)]

use std::ffi::OsString;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// Why what was passed cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum BadActivation {
    /// A variable of the service manager makes no sense.
    #[error(
        "{variable}={value:?} {fault}: correct what starts this program, or unset LISTEN_PID to start it by hand"
    )]
    Variable {
        /// Which.
        variable: &'static str,
        /// What it says.
        value: OsString,
        /// What is wrong with it.
        fault: String,
    },
    /// A descriptor is not there.
    #[error(
        "LISTEN_FDS={count}, but not all of these descriptors are there: {cause}; correct what starts this program"
    )]
    Descriptors {
        /// How many there should be.
        count: usize,
        /// What the kernel said.
        cause: io::Error,
    },
}

/// What was passed.
#[derive(Debug, Default)]
pub struct Passed {
    /// The socket to listen on.
    pub listener: Option<OwnedFd>,
    /// What a former broker had kept, by name.
    pub kept: Vec<(String, OwnedFd)>,
}

/// Takes over what was passed; nothing if this process was not started by a service manager.
pub fn take() -> Result<Passed, BadActivation> {
    let mut passed = Passed::default();
    let names = names(|variable| std::env::var_os(variable), std::process::id())?;
    if names.is_empty() {
        return Ok(passed);
    }
    let missing = |cause| BadActivation::Descriptors {
        count: names.len(),
        cause,
    };
    for (number, name) in sd_notify::listen_fds().map_err(missing)?.zip(&names) {
        // SAFETY: see the module's safety section.
        let fd = unsafe { OwnedFd::from_raw_fd(number) };
        let listens = rustix::net::sockopt::socket_acceptconn(&fd).unwrap_or(false);
        if listens {
            passed.listener = Some(fd);
        } else {
            passed.kept.push((name.clone(), fd));
        }
    }
    Ok(passed)
}

/// The names of the descriptors that are meant for the process `own`, in order.
fn names(
    variable: impl Fn(&str) -> Option<OsString>,
    own: u32,
) -> Result<Vec<String>, BadActivation> {
    let number = |name: &'static str| match variable(name) {
        None => Ok(None),
        Some(value) => match value.to_str().and_then(|text| text.parse::<u32>().ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(BadActivation::Variable {
                variable: name,
                value,
                fault: "is no number".to_owned(),
            }),
        },
    };
    if number("LISTEN_PID")? != Some(own) {
        return Ok(Vec::new());
    }
    let count = usize::try_from(number("LISTEN_FDS")?.unwrap_or(0)).unwrap_or(usize::MAX);
    let Some(value) = variable("LISTEN_FDNAMES").filter(|_| count > 0) else {
        return Ok(std::iter::repeat_n("unknown".to_owned(), count).collect());
    };
    let names = value.to_str().map(|text| text.split(':'));
    let names: Option<Vec<String>> = names.map(|names| names.map(str::to_owned).collect());
    match names {
        Some(names) if names.len() == count => Ok(names),
        names => Err(BadActivation::Variable {
            variable: "LISTEN_FDNAMES",
            fault: match names {
                Some(names) => format!("names {}, LISTEN_FDS says {count}", names.len()),
                None => "is no text".to_owned(),
            },
            value,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn names_of(set: &[(&str, &[u8])]) -> Result<Vec<String>, String> {
        let variable = |name: &str| {
            let found = set.iter().find(|(set, _)| *set == name);
            found.map(|(_, value)| OsString::from_vec(value.to_vec()))
        };
        names(variable, 7).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_for_us_is_left_alone() {
        assert_eq!(names_of(&[]), Ok(vec![]));
        assert_eq!(names_of(&[("LISTEN_FDS", b"x")]), Ok(vec![]));
        let others = names_of(&[("LISTEN_PID", b"8"), ("LISTEN_FDS", b"x")]);
        assert_eq!(others, Ok(vec![]));
    }

    #[test]
    fn names_may_be_missing() {
        let unnamed = names_of(&[("LISTEN_PID", b"7"), ("LISTEN_FDS", b"2")]);
        assert_eq!(unnamed, Ok(vec!["unknown".to_owned(); 2]));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let ours = |fds: &[u8], names: &[u8]| {
            let set = [
                ("LISTEN_PID", &b"7"[..]),
                ("LISTEN_FDS", fds),
                ("LISTEN_FDNAMES", names),
            ];
            names_of(&set)
        };
        assert_eq!(ours(b"2", b"a:b").map(|names| names.len()), Ok(2));
        for fds in [&b"x"[..], b"-1", b"", b"4294967296", b"\xff"] {
            let complaint = ours(fds, b"a").unwrap_err();
            assert!(complaint.starts_with("LISTEN_FDS="), "{complaint}");
        }
        for (fds, names) in [(&b"2"[..], &b"a"[..]), (b"1", b"a:b"), (b"1", b"\xff")] {
            let complaint = ours(fds, names).unwrap_err();
            assert!(complaint.starts_with("LISTEN_FDNAMES="), "{complaint}");
        }
        let bad_pid = names_of(&[("LISTEN_PID", b"me")]).unwrap_err();
        assert!(bad_pid.starts_with("LISTEN_PID="), "{bad_pid}");
    }
}
