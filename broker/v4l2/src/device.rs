//! A V4L2 device: opened once, asked what it is, and which of its inputs is looked at.
//!
//! Owns the descriptor; never keeps anything the driver could change.

use crate::abi;
use crate::error::Error;
use crate::ioctl::{self, Call, Plain, calls};
use rustix::fs::{FileType, Mode, OFlags, major, open, stat};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// All V4L2 devices have this major number.
const MAJOR: u32 = 81;
/// Drivers that go on listing for ever are cut off here.
const ENTRIES_MAX: u32 = 1024;

/// An open V4L2 device.
#[derive(Debug)]
pub struct Device {
    fd: OwnedFd,
    path: PathBuf,
    about: About,
}

/// What a device says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The driver's name.
    pub driver: String,
    /// The device's name, for people.
    pub card: String,
    /// Where it is plugged in.
    pub bus: String,
    /// The kernel's version.
    pub version: (u8, u8, u8),
    /// What this node can do.
    pub caps: Caps,
}

/// What a node can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// It gives frames.
    pub capture: bool,
    /// It gives frames whose planes lie in several pieces of memory.
    pub capture_multi: bool,
    /// It takes frames.
    pub output: bool,
    /// It takes frames whose planes lie in several pieces of memory.
    pub output_multi: bool,
    /// It takes frames and gives them back changed; then it has both queues.
    pub m2m: bool,
    /// It gives data about frames.
    pub meta_capture: bool,
    /// Buffers are queued and dequeued.
    pub streaming: bool,
    /// What it is connected to is chosen through the media controller.
    pub io_mc: bool,
}

impl Caps {
    fn of(bits: u32) -> Caps {
        let has = |mask: u32| bits & mask != 0;
        Caps {
            capture: has(abi::CAP_CAPTURE | abi::CAP_M2M),
            capture_multi: has(abi::CAP_CAPTURE_MULTI | abi::CAP_M2M_MULTI),
            output: has(abi::CAP_OUTPUT | abi::CAP_M2M),
            output_multi: has(abi::CAP_OUTPUT_MULTI | abi::CAP_M2M_MULTI),
            m2m: has(abi::CAP_M2M | abi::CAP_M2M_MULTI),
            meta_capture: has(abi::CAP_META_CAPTURE),
            streaming: has(abi::CAP_STREAMING),
            io_mc: has(abi::CAP_IO_MC),
        }
    }
}

/// One of a device's two directions, as it numbers the planes' memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Frames come out, each in one piece of memory.
    Capture,
    /// Frames come out, each plane in its own piece of memory.
    CaptureMulti,
    /// Frames go in, each in one piece of memory.
    Output,
    /// Frames go in, each plane in its own piece of memory.
    OutputMulti,
}

impl Queue {
    /// Whether buffers have an array of planes.
    #[must_use]
    pub fn is_multi(self) -> bool {
        matches!(self, Queue::CaptureMulti | Queue::OutputMulti)
    }

    pub(crate) fn is_output(self) -> bool {
        matches!(self, Queue::Output | Queue::OutputMulti)
    }

    pub(crate) fn number(self) -> u32 {
        match self {
            Queue::Capture => abi::TYPE_CAPTURE,
            Queue::CaptureMulti => abi::TYPE_CAPTURE_MULTI,
            Queue::Output => abi::TYPE_OUTPUT,
            Queue::OutputMulti => abi::TYPE_OUTPUT_MULTI,
        }
    }
}

/// One of the things a device can look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its number.
    pub index: u32,
    /// Its name, for people.
    pub name: String,
    /// What is connected has no power. This and the next two are known of the chosen input only.
    pub no_power: bool,
    /// Nothing is connected, or it is silent.
    pub no_signal: bool,
    /// There is a signal, and the device cannot follow it.
    pub no_lock: bool,
    /// Its signal has timings, as HDMI has.
    pub has_timings: bool,
}

impl Device {
    /// Opens a device and asks it what it is.
    ///
    /// # Errors
    ///
    /// When it is not there, no V4L2 device, or this process may not.
    pub fn open(path: &Path) -> Result<Device, Error> {
        let refused = |errno| {
            let errno = if errno == Errno::NOENT {
                Errno::NODEV
            } else {
                errno
            };
            Error::new(path, "open", errno)
        };
        let not_a_camera = |call| Error::NotACamera {
            path: path.to_owned(),
            call,
        };
        // Before it is opened, since some devices act on that alone.
        let found = stat(path).map_err(refused)?;
        let is_device = FileType::from_raw_mode(found.st_mode) == FileType::CharacterDevice;
        if !is_device || major(found.st_rdev) != MAJOR {
            return Err(not_a_camera("open"));
        }
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = open(path, flags, Mode::empty()).map_err(refused)?;
        let mut capability = abi::Capability::zeroed();
        let call = &calls::QUERYCAP;
        ioctl::call(fd.as_fd(), call, &mut capability).map_err(|errno| match errno {
            Errno::NOTTY | Errno::INVAL => not_a_camera(call.name),
            _ => Error::new(path, call.name, errno),
        })?;
        Ok(Device {
            fd,
            path: path.to_owned(),
            about: about(&capability),
        })
    }

    /// Where it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says of itself.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The queue frames come out of, if there is one.
    #[must_use]
    pub fn capture_queue(&self) -> Option<Queue> {
        let caps = self.about.caps;
        let multi = caps.capture_multi.then_some(Queue::CaptureMulti);
        multi.or(caps.capture.then_some(Queue::Capture))
    }

    /// The queue frames go into, if there is one.
    #[must_use]
    pub fn output_queue(&self) -> Option<Queue> {
        let caps = self.about.caps;
        let multi = caps.output_multi.then_some(Queue::OutputMulti);
        multi.or(caps.output.then_some(Queue::Output))
    }

    /// What it can look at; none where that is not the node's business.
    ///
    /// # Errors
    ///
    /// When the device is gone.
    pub fn inputs(&self) -> Result<Vec<Input>, Error> {
        let at = |index| abi::Input {
            index,
            ..Plain::zeroed()
        };
        let entries = self.list(&calls::ENUMINPUT, at)?;
        Ok(entries.iter().map(input).collect())
    }

    /// The number of the input it looks at.
    ///
    /// # Errors
    ///
    /// When it has none, or is gone.
    pub fn input(&self) -> Result<u32, Error> {
        let mut index = 0;
        self.call(&calls::G_INPUT, &mut index)?;
        Ok(index)
    }

    /// Looks at another input.
    ///
    /// # Errors
    ///
    /// When there is none of this number, or it is streaming.
    pub fn set_input(&self, mut index: u32) -> Result<(), Error> {
        self.call(&calls::S_INPUT, &mut index)
    }

    pub(crate) fn call<T: Plain>(&self, call: &Call<T>, value: &mut T) -> Result<(), Error> {
        let done = ioctl::call(self.as_fd(), call, value);
        done.map_err(|errno| self.error(call.name, errno))
    }

    /// The error for this number; an error of input and output can mean that the device has gone.
    pub(crate) fn error(&self, call: &'static str, errno: Errno) -> Error {
        let mut capability = abi::Capability::zeroed();
        let is_gone = errno == Errno::IO
            && ioctl::call(self.as_fd(), &calls::QUERYCAP, &mut capability) == Err(Errno::NODEV);
        let errno = if is_gone { Errno::NODEV } else { errno };
        Error::new(&self.path, call, errno)
    }

    pub(crate) fn lacks(&self, call: &'static str, what: &'static str) -> Error {
        Error::NotSupported {
            path: self.path.clone(),
            call,
            what,
        }
    }

    /// Asks for entries 0, 1, 2… until the driver has no more; a driver without such a list has none.
    pub(crate) fn list<T: Plain>(
        &self,
        call: &Call<T>,
        at: impl Fn(u32) -> T,
    ) -> Result<Vec<T>, Error> {
        let mut entries = Vec::new();
        for index in 0..ENTRIES_MAX {
            let mut entry = at(index);
            match ioctl::call(self.as_fd(), call, &mut entry) {
                Ok(()) => entries.push(entry),
                Err(Errno::INVAL | Errno::NOTTY | Errno::NODATA) => break,
                Err(errno) => return Err(self.error(call.name, errno)),
            }
        }
        Ok(entries)
    }
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn about(capability: &abi::Capability) -> About {
    let bits = match capability.capabilities & abi::CAP_DEVICE_CAPS {
        0 => capability.capabilities,
        _ => capability.device_caps,
    };
    let [_, major, minor, patch] = capability.version.to_be_bytes();
    About {
        driver: text(&capability.driver),
        card: text(&capability.card),
        bus: text(&capability.bus),
        version: (major, minor, patch),
        caps: Caps::of(bits),
    }
}

fn input(entry: &abi::Input) -> Input {
    let has = |mask: u32| entry.status & mask != 0;
    Input {
        index: entry.index,
        name: text(&entry.name),
        no_power: has(abi::INPUT_NO_POWER),
        no_signal: has(abi::INPUT_NO_SIGNAL),
        no_lock: has(abi::INPUT_NO_LOCK),
        has_timings: entry.capabilities & abi::INPUT_CAP_TIMINGS != 0,
    }
}

/// What stands before the first zero.
pub(crate) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_what_it_is_and_not_what_its_whole_device_is() {
        let mut capability = abi::Capability::zeroed();
        capability.card[..3].copy_from_slice(b"cam");
        capability.version = 0x0006_0c75;
        capability.capabilities = abi::CAP_CAPTURE | abi::CAP_OUTPUT;
        assert!(about(&capability).caps.output);
        capability.capabilities |= abi::CAP_DEVICE_CAPS;
        capability.device_caps = abi::CAP_CAPTURE | abi::CAP_STREAMING;
        let about = about(&capability);
        assert!(about.caps.capture && about.caps.streaming && !about.caps.output);
        assert_eq!((about.card.as_str(), about.version), ("cam", (6, 12, 117)));
    }

    #[test]
    fn converters_have_both_queues() {
        let caps = Caps::of(abi::CAP_M2M_MULTI);
        assert!(caps.m2m && caps.capture_multi && caps.output_multi && !caps.capture);
    }

    #[test]
    fn what_is_no_v4l2_device_is_not_opened() {
        let open = |path: &str| Device::open(Path::new(path)).unwrap_err();
        for path in ["/dev/null", "/", "/proc/self/exe"] {
            assert!(matches!(open(path), Error::NotACamera { .. }), "{path}");
        }
        assert!(open("/dev/nothing-of-this-name").is_gone());
    }
}
