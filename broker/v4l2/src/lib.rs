//! The kernel's V4L2 calls as safe Rust: a camera's formats, buffers, controls, events and timings.
//!
//! Owns the structures and numbers of that interface and the errors it gives; never chooses a format,
//! never starts a thread, never waits, and makes no memory a camera did not have.
//!
//! A frame's way, without memory of one's own:
//!
//! ```no_run
//! use streamem_v4l2::{Device, Format, Fourcc, Mapped, Memory, Size};
//!
//! let camera = Device::open("/dev/video0".as_ref())?;
//! let queue = camera.capture_queue().expect("it captures");
//! let wish = Format::wish(Fourcc::YUYV, Size::new(1920, 1080));
//! let format = camera.set_format(queue, &wish)?;
//! let planes = format.planes.len();
//! let mut memory = Vec::new();
//! for index in 0..camera.request(queue, Memory::Mmap, 4)? {
//!     let places = camera.query(queue, Memory::Mmap, index, planes)?;
//!     memory.push(Mapped::of(&camera, places[0])?);
//!     camera.queue_mmap(queue, index, planes)?;
//! }
//! camera.stream_on(queue)?;
//! loop {
//!     rustix::event::poll(&mut [rustix::event::PollFd::new(&camera, rustix::event::PollFlags::IN)], None)?;
//!     while let Some(frame) = camera.dequeue(queue, Memory::Mmap, planes)? {
//!         println!("{} at {} ns", frame.sequence, frame.timestamp_ns);
//!         camera.queue_mmap(queue, frame.index, planes)?;
//!     }
//! }
//! # #[allow(unreachable_code)]
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the structures here have the layout of 64-bit kernels");

mod abi;
mod buffers;
mod control;
mod device;
mod error;
mod event;
mod format;
mod fourcc;
mod frequency;
mod ioctl;
mod mapped;
mod size;
mod timings;

pub use buffers::{
    Dequeued, DmaPlane, Memory, PLANES_MAX, PlanePlace, Planes, TimestampKind, Used,
};
pub use control::{Control, Kind};
pub use device::{About, Caps, Device, Input, Queue};
pub use error::Error;
pub use event::Event;
pub use format::{Colour, Format, FormatAbout, PlaneFormat, Rows};
pub use fourcc::{Fourcc, NotAFourcc};
pub use frequency::{Fraction, Intervals};
pub use mapped::Mapped;
pub use size::{Size, Sizes};
pub use timings::{Found, Timings};
