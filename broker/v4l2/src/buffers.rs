//! Buffers: asked for, exported, given to the device and taken back.
//!
//! Owns what a buffer is told and tells; never remembers which ones are with the device, and makes
//! nothing on the heap for a frame.

use crate::abi::{self, Plane};
use crate::device::{Device, Queue};
use crate::error::Error;
use crate::ioctl::{self, Plain, calls};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// The most pieces of memory a buffer has.
pub const PLANES_MAX: usize = abi::PLANES_MAX;

/// Where the memory of buffers comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Memory {
    /// From the device; it can be mapped and exported.
    Mmap,
    /// From elsewhere, as DMA-BUFs.
    DmaBuf,
}

impl Memory {
    pub(crate) fn number(self) -> u32 {
        match self {
            Memory::Mmap => abi::MEMORY_MMAP,
            Memory::DmaBuf => abi::MEMORY_DMABUF,
        }
    }
}

/// Where a plane of the device's own memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanePlace {
    /// Its length in bytes.
    pub length: u32,
    /// What to map it by: [`crate::Mapped::of`].
    pub offset: u32,
}

/// A piece of memory for a plane, lent for as long as the device has the buffer.
#[derive(Clone, Copy, Debug)]
pub struct DmaPlane<'a> {
    /// The DMA-BUF.
    pub fd: BorrowedFd<'a>,
    /// How much of it may be used.
    pub length: u32,
    /// Where the picture begins, in buffers that go in through a multi queue; 0 in others.
    pub offset: u32,
    /// How much of it is filled, in buffers that go in.
    pub used: u32,
}

/// What the clock of a buffer's time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimestampKind {
    /// `CLOCK_MONOTONIC`.
    Monotonic,
    /// That of the buffer it was made from.
    Copy,
    /// The driver does not say.
    Unknown,
}

/// What is in a plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// How much of it is filled, counted from its beginning.
    pub bytes: u32,
    /// Where in it the picture begins.
    pub offset: u32,
}

/// The planes of one frame, at most [`PLANES_MAX`]; used as a slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Planes {
    all: [Used; PLANES_MAX],
    count: usize,
}

impl Deref for Planes {
    type Target = [Used];

    fn deref(&self) -> &[Used] {
        &self.all[..self.count]
    }
}

/// A buffer the device is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dequeued {
    /// Which one it is.
    pub index: u32,
    /// The frame's number; what is missing between two was lost in the device.
    pub sequence: u32,
    /// When it was taken; 0 if the driver gives no time.
    pub timestamp_ns: u64,
    /// By which clock.
    pub clock: TimestampKind,
    /// The time is that of the exposure's beginning, not of the frame's end.
    pub start_of_exposure: bool,
    /// Something is wrong with what is in it.
    pub broken: bool,
    /// It can be decoded without those before it.
    pub key: bool,
    /// None follows.
    pub last: bool,
    /// What is in it.
    pub planes: Planes,
}

impl Device {
    /// Makes the queue have this many buffers in place of those it has, and says how many it got; with 0
    /// it has none. What was mapped or exported stays with those who have it.
    ///
    /// # Errors
    ///
    /// When the queue cannot have such memory, is streaming, or belongs to another program.
    pub fn request(&self, queue: Queue, memory: Memory, count: u32) -> Result<u32, Error> {
        let mut request = abi::Request {
            count,
            kind: queue.number(),
            memory: memory.number(),
            ..Plain::zeroed()
        };
        self.call(&calls::REQBUFS, &mut request)?;
        Ok(request.count)
    }

    /// Where the planes of a buffer are, and how long they are.
    ///
    /// # Errors
    ///
    /// When there is no such buffer, or it has more planes than `planes`.
    pub fn query(
        &self,
        queue: Queue,
        memory: Memory,
        index: u32,
        planes: usize,
    ) -> Result<Vec<PlanePlace>, Error> {
        let call = &calls::QUERYBUF;
        let mut all = [Plane::zeroed(); PLANES_MAX];
        let planes = self.some(call.name, &mut all, planes)?;
        let asked = ioctl::buffer(self.as_fd(), call, (queue, memory), index, planes);
        asked.map_err(|errno| self.error(call.name, errno))?;
        let places = planes.iter().map(|plane| PlanePlace {
            length: plane.length,
            offset: plane.place[0],
        });
        Ok(places.collect())
    }

    /// A DMA-BUF of one plane of the device's own memory. One that is not writable cannot be mapped for
    /// writing by whom it is given to.
    ///
    /// # Errors
    ///
    /// When there is no such plane, or the driver exports none.
    pub fn export(
        &self,
        queue: Queue,
        index: u32,
        plane: u32,
        writable: bool,
    ) -> Result<OwnedFd, Error> {
        let access = if writable {
            OFlags::RDWR
        } else {
            OFlags::RDONLY
        };
        let mut export = abi::Export {
            kind: queue.number(),
            index,
            plane,
            flags: (access | OFlags::CLOEXEC).bits(),
            ..Plain::zeroed()
        };
        let exported = ioctl::export(self.as_fd(), &mut export);
        exported.map_err(|errno| self.error(calls::EXPBUF.name, errno))
    }

    /// Gives the device a buffer of its own memory, to be filled. One that goes in would be empty, and kernels
    /// warn of that; see [`Device::queue_dma_buf`] for those.
    ///
    /// # Errors
    ///
    /// When there is no such buffer, it has it already, or frames go into this queue.
    pub fn queue_mmap(&self, queue: Queue, index: u32, planes: usize) -> Result<(), Error> {
        if queue.is_output() {
            return Err(self.error(calls::QBUF.name, Errno::INVAL));
        }
        let mut all = [Plane::zeroed(); PLANES_MAX];
        let planes = self.some(calls::QBUF.name, &mut all, planes)?;
        self.give(queue, Memory::Mmap, index, planes)
    }

    /// Gives the device a buffer in this memory, which it keeps until the buffer is freed or queued
    /// with other memory.
    ///
    /// # Errors
    ///
    /// When there is no such buffer, it has it already, or it cannot reach the memory.
    pub fn queue_dma_buf(
        &self,
        queue: Queue,
        index: u32,
        planes: &[DmaPlane<'_>],
    ) -> Result<(), Error> {
        let mut all = [Plane::zeroed(); PLANES_MAX];
        let given = self.some(calls::QBUF.name, &mut all, planes.len())?;
        for (plane, from) in given.iter_mut().zip(planes) {
            if from.offset != 0 && !queue.is_multi() {
                return Err(self.error(calls::QBUF.name, Errno::INVAL));
            }
            plane.used = from.used;
            plane.length = from.length;
            plane.place = [from.fd.as_raw_fd().cast_unsigned(), 0];
            plane.offset = from.offset;
        }
        self.give(queue, Memory::DmaBuf, index, given)
    }

    /// Takes back a buffer the device is done with; nothing if there is none yet.
    ///
    /// # Errors
    ///
    /// When the device is gone, or the stream has ended or never began.
    pub fn dequeue(
        &self,
        queue: Queue,
        memory: Memory,
        planes: usize,
    ) -> Result<Option<Dequeued>, Error> {
        let call = &calls::DQBUF;
        let mut all = [Plane::zeroed(); PLANES_MAX];
        let planes = self.some(call.name, &mut all, planes)?;
        match ioctl::buffer(self.as_fd(), call, (queue, memory), 0, planes) {
            Ok(buffer) => Ok(Some(dequeued(&buffer, planes))),
            Err(Errno::AGAIN) => Ok(None),
            Err(Errno::PIPE) => Err(Error::Ended {
                path: self.path().to_owned(),
                call: call.name,
            }),
            Err(errno) => Err(self.error(call.name, errno)),
        }
    }

    /// Begins to fill, or to take, what is queued.
    ///
    /// # Errors
    ///
    /// When the device is gone, has too few buffers, or the bus is too slow for what was asked.
    pub fn stream_on(&self, queue: Queue) -> Result<(), Error> {
        self.call(&calls::STREAMON, &mut queue.number())
    }

    /// Ends that; all buffers are with us again.
    ///
    /// # Errors
    ///
    /// When the device is gone.
    pub fn stream_off(&self, queue: Queue) -> Result<(), Error> {
        self.call(&calls::STREAMOFF, &mut queue.number())
    }

    fn give(
        &self,
        queue: Queue,
        memory: Memory,
        index: u32,
        planes: &mut [Plane],
    ) -> Result<(), Error> {
        let call = &calls::QBUF;
        let given = ioctl::buffer(self.as_fd(), call, (queue, memory), index, planes);
        given.map_err(|errno| self.error(call.name, errno))?;
        Ok(())
    }

    fn some<'a>(
        &self,
        call: &'static str,
        all: &'a mut [Plane; PLANES_MAX],
        count: usize,
    ) -> Result<&'a mut [Plane], Error> {
        let some = all.get_mut(..count).filter(|planes| !planes.is_empty());
        some.ok_or_else(|| self.error(call, Errno::INVAL))
    }
}

fn dequeued(buffer: &abi::Buffer, planes: &[Plane]) -> Dequeued {
    let has = |flag: u32| buffer.flags & flag != 0;
    let mut used = Planes {
        count: planes.len(),
        ..Planes::default()
    };
    for (ours, theirs) in used.all.iter_mut().zip(planes) {
        ours.bytes = theirs.used;
        ours.offset = theirs.offset;
    }
    let nanoseconds = |seconds: i64, microseconds: i64| {
        let whole = u64::try_from(seconds).ok()?.checked_mul(1_000_000_000)?;
        whole.checked_add(u64::try_from(microseconds).ok()?.checked_mul(1000)?)
    };
    Dequeued {
        index: buffer.index,
        sequence: buffer.sequence,
        timestamp_ns: nanoseconds(buffer.seconds, buffer.microseconds).unwrap_or(0),
        clock: match buffer.flags & abi::BUFFER_CLOCK {
            abi::BUFFER_MONOTONIC => TimestampKind::Monotonic,
            abi::BUFFER_COPY => TimestampKind::Copy,
            _ => TimestampKind::Unknown,
        },
        start_of_exposure: buffer.flags & abi::BUFFER_SOURCE == abi::BUFFER_START_OF_EXPOSURE,
        broken: has(abi::BUFFER_ERROR),
        key: has(abi::BUFFER_KEY),
        last: has(abi::BUFFER_LAST),
        planes: used,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_told_in_our_words() {
        let mut buffer = abi::Buffer::new(3, abi::TYPE_CAPTURE, abi::MEMORY_MMAP, [0; 2]);
        buffer.flags = abi::BUFFER_MONOTONIC | abi::BUFFER_START_OF_EXPOSURE | abi::BUFFER_ERROR;
        (buffer.sequence, buffer.seconds, buffer.microseconds) = (17, 2, 5);
        let mut plane = Plane::zeroed();
        (plane.used, plane.offset) = (100, 4);
        let told = dequeued(&buffer, &[plane]);
        assert_eq!((told.index, told.sequence), (3, 17));
        assert_eq!(told.timestamp_ns, 2_000_005_000);
        assert_eq!(told.clock, TimestampKind::Monotonic);
        assert!(told.start_of_exposure && told.broken && !told.key && !told.last);
        let used = Used {
            bytes: 100,
            offset: 4,
        };
        assert_eq!(*told.planes, [used]);
    }

    #[test]
    fn a_time_that_makes_no_sense_is_none() {
        let mut buffer = abi::Buffer::new(0, abi::TYPE_CAPTURE, abi::MEMORY_MMAP, [0; 2]);
        buffer.seconds = i64::MAX;
        assert_eq!(dequeued(&buffer, &[]).timestamp_ns, 0);
        buffer.seconds = -1;
        assert_eq!(dequeued(&buffer, &[]).timestamp_ns, 0);
    }
}
