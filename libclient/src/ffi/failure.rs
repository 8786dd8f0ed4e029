//! Failures as C knows them: a negative number, and a sentence for who asks.
//!
//! Owns which number an error has, the last sentence of each thread, and the stop for panics; never
//! decides what is an error.
//!
//! # Safety
//!
//! Nothing here is done with memory of the caller's. The exported names all begin with `streamem_`,
//! and so collide with no other library's.
#![allow(unsafe_code)]

use crate::error::{Error, Fault};
use rustix::io::Errno;
use std::any::Any;
use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use streamem_wire::{BadPage, Reason};

/// Why a call did not do what it was called for.
#[derive(Debug)]
pub(super) struct Failure {
    errno: Errno,
    sentence: String,
}

impl Failure {
    pub(super) fn new(errno: Errno, sentence: impl Into<String>) -> Failure {
        let sentence = sentence.into();
        Failure { errno, sentence }
    }

    /// An argument that cannot be what was meant.
    pub(super) fn argument(sentence: impl Into<String>) -> Failure {
        Failure::new(Errno::INVAL, sentence)
    }

    fn of_panic(payload: &(dyn Any + Send)) -> Failure {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        let text = text.unwrap_or("no reason was given");
        Failure::new(
            Errno::IO,
            format!("libstreamem has a defect: {text}; please report it"),
        )
    }

    /// Leaves the sentence where this thread finds it.
    fn remember(self) -> Errno {
        let sentence = self.sentence.replace('\0', " ");
        let sentence = CString::new(sentence).unwrap_or_default();
        // Where the thread is just ending there is nobody left to ask.
        let _ = LAST.try_with(|last| last.replace(sentence));
        self.errno
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::new(errno(&error), error.to_string())
    }
}

fn errno(error: &Error) -> Errno {
    match error {
        Error::BadName(_) => Errno::INVAL,
        Error::NoBroker { cause, .. }
            if cause.raw_os_error() == Some(Errno::ACCESS.raw_os_error()) =>
        {
            Errno::ACCESS
        }
        Error::NoBroker { .. } => Errno::CONNREFUSED,
        Error::NoAnswer { .. } => Errno::TIMEDOUT,
        Error::HungUp { .. } => Errno::CONNRESET,
        Error::Refused(refusal) => errno_of_refusal(refusal.reason),
        Error::StreamEnded { .. } => Errno::NODEV,
        Error::StreamAbsent { .. } => Errno::TIME,
        Error::LeasesExhausted { .. } => Errno::NOBUFS,
        Error::Rejected(_) => Errno::BADMSG,
        Error::TooLong { .. } => Errno::INVAL,
        Error::SideData { .. } => Errno::MSGSIZE,
        Error::PublicationEnded { .. } => Errno::PIPE,
        Error::DescriptorsLost { .. } => Errno::MFILE,
        Error::Protocol(Fault::Page {
            cause: BadPage::Version(_),
            ..
        }) => Errno::PROTONOSUPPORT,
        Error::Protocol(_) => Errno::PROTO,
        Error::System { cause, .. } => {
            let number = cause.raw_os_error().filter(|number| *number > 0);
            number.map_or(Errno::IO, Errno::from_raw_os_error)
        }
    }
}

fn errno_of_refusal(reason: Reason) -> Errno {
    match reason {
        Reason::NoSuchStream => Errno::NOENT,
        Reason::StreamExists => Errno::EXIST,
        Reason::NoSuchSubscription | Reason::NoSuchPublication => Errno::SRCH,
        Reason::BadLayout => Errno::DOM,
        Reason::BadMemory => Errno::BADFD,
        Reason::NoDmaBuf => Errno::OPNOTSUPP,
        Reason::NotPermitted => Errno::PERM,
        Reason::QuotaExceeded => Errno::DQUOT,
        Reason::PoolFull => Errno::NOSPC,
        Reason::OutOfResources => Errno::NOMEM,
        Reason::BadSource | Reason::InvalidParameter => Errno::INVAL,
        Reason::MethodNotFound | Reason::MethodNotImplemented | Reason::InterfaceNotFound => {
            Errno::NOSYS
        }
        Reason::ExpectedMore | Reason::Unknown => Errno::PROTO,
    }
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::new(CString::default());
}

fn attempt<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Errno> {
    // What a panic leaves half done is behind a lock, and that is poisoned then.
    let done = catch_unwind(AssertUnwindSafe(work));
    let done = done.unwrap_or_else(|payload| Err(Failure::of_panic(&*payload)));
    done.map_err(Failure::remember)
}

/// Does it; a failure becomes its negative number.
pub(super) fn status(work: impl FnOnce() -> Result<c_int, Failure>) -> c_int {
    attempt(work).unwrap_or_else(|errno| -errno.raw_os_error())
}

/// Does it; a failure becomes this value, which means "there is none".
pub(super) fn value<T>(none: T, work: impl FnOnce() -> Result<T, Failure>) -> T {
    attempt(work).unwrap_or(none)
}

/// The sentence that belongs to the last failure in this thread: what is wrong and what to do about it.
///
/// Never NULL; empty as long as nothing failed. It belongs to the library and is valid until the
/// next call of this library in the same thread. A call that succeeds leaves it alone.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_last_error() -> *const c_char {
    let sentence = LAST.try_with(|last| last.borrow().as_ptr());
    sentence.unwrap_or(c"".as_ptr())
}

/// The version of this library, such as `0.1.0`. It belongs to the library and lives as long.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::ffi::CStr;

    fn last() -> String {
        let sentence = streamem_last_error();
        // SAFETY: it is a C string, and no other call is made before it is copied.
        let sentence = unsafe { CStr::from_ptr(sentence) };
        sentence.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_panic_stops_here() {
        let number = status(|| panic!("upside\0down"));
        assert_eq!(number, -Errno::IO.raw_os_error());
        assert!(last().contains("upside down"), "{}", last());
    }

    #[test]
    fn what_a_program_would_tell_apart_has_a_number_of_its_own() {
        let refused = |reason| Error::Refused(streamem_wire::Refusal::new(reason, "cam", "no"));
        let absent = |cause: Errno| Error::NoBroker {
            socket: "/nowhere".into(),
            cause: cause.into(),
        };
        let errors = [
            absent(Errno::NOENT),
            absent(Errno::ACCESS),
            Error::NoAnswer {
                socket: "/there".into(),
                seconds: 10,
            },
            refused(Reason::NoSuchStream),
            refused(Reason::NotPermitted),
            refused(Reason::QuotaExceeded),
            refused(Reason::PoolFull),
            refused(Reason::InvalidParameter),
            Error::StreamEnded {
                stream: "cam".to_owned(),
            },
            Error::StreamAbsent {
                stream: "cam".to_owned(),
                patience: std::time::Duration::from_secs(1),
            },
            Error::LeasesExhausted {
                held: 2,
                leases: 2,
                wanted: 1,
            },
            refused(Reason::BadLayout),
            Error::Protocol(Fault::NoSuchSlot),
            Error::page("ring")(BadPage::Version(2)),
        ];
        let numbers: BTreeSet<i32> = errors.iter().map(|e| errno(e).raw_os_error()).collect();
        assert_eq!(numbers.len(), errors.len());
    }

    #[test]
    fn each_thread_has_its_own_sentence() {
        let number = status(|| Err(Failure::argument("not this")));
        assert_eq!(number, -Errno::INVAL.raw_os_error());
        assert_eq!(std::thread::spawn(last).join().unwrap(), "");
        assert_eq!(status(|| Ok(3)), 3);
        assert_eq!(last(), "not this");
    }
}
