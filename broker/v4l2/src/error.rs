//! What a camera's driver can say no with, sorted by what there is to do about it.
//!
//! Owns the sentences; never tries anything again.

use rustix::io::Errno;
use std::io;
use std::path::{Path, PathBuf};
use streamem_sys::remedy;

/// Why a call to a device failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another program uses it, or it is streaming and what was asked cannot be changed meanwhile.
    #[error(
        "{}: {call}: it is in use (`fuser -v {}` shows by whom; end that, or stop the stream first)",
        path.display(),
        path.display()
    )]
    Busy {
        /// The device.
        path: PathBuf,
        /// The call.
        call: &'static str,
    },
    /// This process may not.
    #[error(
        "{}: {call}: {cause} (who runs this must be in the file's group: `ls -l {}`; in a service, see DeviceAllow=)",
        path.display(),
        path.display()
    )]
    NotPermitted {
        /// The device.
        path: PathBuf,
        /// The call.
        call: &'static str,
        /// What the kernel said.
        cause: io::Error,
    },
    /// It was unplugged, its driver let it go, or it was never there.
    #[error("{}: {call}: the device is gone (plug it in again, then open it anew)", path.display())]
    Gone {
        /// The device.
        path: PathBuf,
        /// The call.
        call: &'static str,
    },
    /// This is not a V4L2 device.
    #[error("{}: {call}: this is no V4L2 device (`ls /dev/v4l/by-id` lists those there are)", path.display())]
    NotACamera {
        /// The device.
        path: PathBuf,
        /// The call.
        call: &'static str,
    },
    /// The device or its driver cannot do this at all.
    #[error("{}: {call}: it has no {what} (do without, or choose another device or input)", path.display())]
    NotSupported {
        /// The device.
        path: PathBuf,
        /// The call.
        call: &'static str,
        /// What is missing.
        what: &'static str,
    },
    /// The last frame was taken: nothing comes any more until the stream is started again.
    #[error("{}: {call}: the stream has ended (stop it, and start it again for more)", path.display())]
    Ended {
        /// The device.
        path: PathBuf,
        /// The call.
        call: &'static str,
    },
    /// Anything else the driver did not like.
    #[error("{}: {call}: {cause}{}", path.display(), step(cause))]
    Refused {
        /// The device.
        path: PathBuf,
        /// The call.
        call: &'static str,
        /// What the kernel said.
        cause: io::Error,
    },
}

impl Error {
    /// Whether the device is not there any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self, Error::Gone { .. })
    }

    pub(crate) fn new(path: &Path, call: &'static str, errno: Errno) -> Error {
        let path = path.to_owned();
        match errno {
            Errno::BUSY => Error::Busy { path, call },
            Errno::ACCESS | Errno::PERM => Error::NotPermitted {
                path,
                call,
                cause: errno.into(),
            },
            Errno::NODEV | Errno::NXIO => Error::Gone { path, call },
            Errno::NOTTY => Error::NotSupported {
                path,
                call,
                what: "such call",
            },
            Errno::NODATA => Error::NotSupported {
                path,
                call,
                what: "such thing at this input",
            },
            _ => Error::Refused {
                path,
                call,
                cause: errno.into(),
            },
        }
    }
}

fn step(cause: &io::Error) -> &'static str {
    match cause.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::INVAL) => {
            " (the driver cannot do it so; ask it for formats, sizes and controls, and look at `dmesg`)"
        }
        Some(Errno::FAULT) => {
            " (the driver cannot reach this memory; use the device's own buffers, or contiguous memory)"
        }
        Some(Errno::RANGE) => " (ask for a value within the limits of the control or input)",
        Some(Errno::PIPE | Errno::NOLINK) => {
            " (its parts are not linked, or set to different formats: `media-ctl -p` shows them, `media-ctl -V` sets them)"
        }
        Some(Errno::IO) => {
            " (plug the device in again, or feed it if it is a loop; `dmesg` has the driver's reason)"
        }
        Some(Errno::NOSPC) => {
            " (the bus is too slow for this: ask for a smaller picture or rate, or use another port)"
        }
        _ => match remedy(cause) {
            "" => " (`dmesg` has the driver's reason)",
            step => step,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sentence_names_device_call_and_next_step() {
        for errno in [
            Errno::BUSY,
            Errno::ACCESS,
            Errno::NODEV,
            Errno::NOTTY,
            Errno::PIPE,
            Errno::INVAL,
            Errno::FAULT,
            Errno::NOMEM,
            Errno::PROTO,
        ] {
            let error = Error::new(Path::new("/dev/video7"), "VIDIOC_S_FMT", errno);
            let text = error.to_string();
            assert!(text.starts_with("/dev/video7: VIDIOC_S_FMT: "), "{text}");
            assert!(text.ends_with(')'), "{text}");
        }
    }

    #[test]
    fn a_device_that_went_is_told_from_one_that_refuses() {
        let error = |errno| Error::new(Path::new("/dev/video7"), "VIDIOC_DQBUF", errno);
        assert!(error(Errno::NODEV).is_gone() && error(Errno::NXIO).is_gone());
        assert!(!error(Errno::IO).is_gone() && !error(Errno::INVAL).is_gone());
    }
}
