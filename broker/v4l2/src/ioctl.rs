//! The calls themselves: a number, a structure, and what the kernel answered.
//!
//! Owns the only pointers given to the kernel; never gives it one to memory that the call does not
//! borrow.
//!
//! # Safety
//!
//! The number of a call is made of the structure's own size, and the kernel's V4L2 core copies as many
//! bytes as the number says. Structures marked [`Plain`] have no pointer in them; the two kinds that
//! have one get it here, to memory borrowed for the call. Calls are made nowhere but in this file.
#![allow(unsafe_code)]

use crate::abi::{self, Buffer, ControlValue, ControlValues, Plane};
use crate::buffers::Memory;
use crate::device::Queue;
use rustix::io::Errno;
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, opcode};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};

/// Structures of numbers: any bytes are a value, and the kernel follows no pointer in them.
///
/// # Safety
///
/// That must be so.
pub(crate) unsafe trait Plain: Copy {
    /// All bytes zero, as the interface wants what is not used.
    fn zeroed() -> Self {
        // SAFETY: any bytes are a value, and so are zeros.
        unsafe { std::mem::zeroed() }
    }
}

macro_rules! plain {
    ($($name:ty)*) => {$(
        // SAFETY: it has numbers and arrays of them only, and the kernel takes none for an address.
        unsafe impl Plain for $name {}
    )*};
}

plain! {
    abi::Capability abi::Input abi::FormatEntry abi::SizeEntry abi::IntervalEntry abi::SingleFormat
    abi::MultiFormat abi::Parameters abi::Request abi::Plane abi::PlanePixels abi::Export abi::ControlEntry
    abi::MenuEntry abi::Happening abi::Interest abi::Signal u32
}

/// A call by number and name, and the structure it takes.
#[derive(Debug)]
pub(crate) struct Call<T> {
    opcode: Opcode,
    pub name: &'static str,
    takes: PhantomData<T>,
}

/// All calls of V4L2 have this letter.
const GROUP: u8 = b'V';

impl<T> Call<T> {
    const fn both(number: u8, name: &'static str) -> Call<T> {
        Call::new(opcode::read_write::<T>(GROUP, number), name)
    }

    const fn reads(number: u8, name: &'static str) -> Call<T> {
        Call::new(opcode::read::<T>(GROUP, number), name)
    }

    const fn writes(number: u8, name: &'static str) -> Call<T> {
        Call::new(opcode::write::<T>(GROUP, number), name)
    }

    const fn new(opcode: Opcode, name: &'static str) -> Call<T> {
        Call {
            opcode,
            name,
            takes: PhantomData,
        }
    }
}

pub(crate) mod calls {
    //! The calls there are, by number, direction and structure.

    use super::{Call, abi};

    macro_rules! calls {
        ($($name:ident $how:ident $number:literal $takes:ty;)*) => {$(
            pub(crate) const $name: Call<$takes> =
                Call::$how($number, concat!("VIDIOC_", stringify!($name)));
        )*};
    }

    calls! {
        QUERYCAP reads 0 abi::Capability;
        ENUM_FMT both 2 abi::FormatEntry;
        REQBUFS both 8 abi::Request;
        QUERYBUF both 9 abi::Buffer;
        QBUF both 15 abi::Buffer;
        EXPBUF both 16 abi::Export;
        DQBUF both 17 abi::Buffer;
        STREAMON writes 18 u32;
        STREAMOFF writes 19 u32;
        G_PARM both 21 abi::Parameters;
        S_PARM both 22 abi::Parameters;
        ENUMINPUT both 26 abi::Input;
        QUERYMENU both 37 abi::MenuEntry;
        G_INPUT reads 38 u32;
        S_INPUT both 39 u32;
        G_EXT_CTRLS both 71 abi::ControlValues;
        S_EXT_CTRLS both 72 abi::ControlValues;
        ENUM_FRAMESIZES both 74 abi::SizeEntry;
        ENUM_FRAMEINTERVALS both 75 abi::IntervalEntry;
        S_DV_TIMINGS both 87 abi::Signal;
        DQEVENT reads 89 abi::Happening;
        SUBSCRIBE_EVENT writes 90 abi::Interest;
        UNSUBSCRIBE_EVENT writes 91 abi::Interest;
        QUERY_DV_TIMINGS reads 99 abi::Signal;
        QUERY_EXT_CTRL both 103 abi::ControlEntry;
    }

    pub(crate) const G_FMT_SINGLE: Call<abi::SingleFormat> = Call::both(4, "VIDIOC_G_FMT");
    pub(crate) const G_FMT_MULTI: Call<abi::MultiFormat> = Call::both(4, "VIDIOC_G_FMT");
    pub(crate) const S_FMT_SINGLE: Call<abi::SingleFormat> = Call::both(5, "VIDIOC_S_FMT");
    pub(crate) const S_FMT_MULTI: Call<abi::MultiFormat> = Call::both(5, "VIDIOC_S_FMT");
    pub(crate) const TRY_FMT_SINGLE: Call<abi::SingleFormat> = Call::both(64, "VIDIOC_TRY_FMT");
    pub(crate) const TRY_FMT_MULTI: Call<abi::MultiFormat> = Call::both(64, "VIDIOC_TRY_FMT");
}

struct Update<'a, T> {
    opcode: Opcode,
    value: &'a mut T,
}

// SAFETY: the pointer is to a value borrowed for the call, as long as the number says, and nothing is
// read through the pointer afterwards.
unsafe impl<T> Ioctl for Update<'_, T> {
    type Output = ();
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        self.opcode
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::from_mut(self.value).cast()
    }

    unsafe fn output_from_ptr(_: IoctlOutput, _: *mut c_void) -> Result<(), Errno> {
        Ok(())
    }
}

/// # Safety
///
/// Every address in the value, as the kernel understands it, must be one to memory borrowed mutably
/// for the call, of the length that stands beside it.
unsafe fn send<T>(fd: BorrowedFd<'_>, opcode: Opcode, value: &mut T) -> Result<(), Errno> {
    rustix::io::retry_on_intr(|| {
        let update = Update {
            opcode,
            value: &mut *value,
        };
        // SAFETY: the number has the size of the value, and the caller vouches for what is in it.
        unsafe { rustix::ioctl::ioctl(fd, update) }
    })
}

/// A call with nothing but numbers.
pub(crate) fn call<T: Plain>(
    fd: BorrowedFd<'_>,
    call: &Call<T>,
    value: &mut T,
) -> Result<(), Errno> {
    // SAFETY: there is no address in it.
    unsafe { send(fd, call.opcode, value) }
}

/// A call about one buffer, whose planes are given and got. Where the interface has a single plane and
/// no array of them, the first plane stands for the buffer.
pub(crate) fn buffer(
    fd: BorrowedFd<'_>,
    call: &Call<Buffer>,
    (queue, memory): (Queue, Memory),
    index: u32,
    planes: &mut [Plane],
) -> Result<Buffer, Errno> {
    let [first, ..] = planes else {
        return Err(Errno::INVAL);
    };
    let mut alone = Buffer::new(index, queue.number(), memory.number(), first.place);
    if !queue.is_multi() {
        alone.used = first.used;
        alone.length = first.length;
        // SAFETY: the place is an offset or a descriptor, as no kind of memory here has addresses.
        unsafe { send(fd, call.opcode, &mut alone) }?;
        first.used = alone.used;
        first.length = alone.length;
        first.place = alone.place;
        return Ok(alone);
    }
    let mut array = alone.with_place(planes.as_mut_ptr());
    array.length = u32::try_from(planes.len()).map_err(|_| Errno::INVAL)?;
    // SAFETY: the address is that of planes borrowed here, as many as `length` says; in them there is
    // none.
    unsafe { send(fd, call.opcode, &mut array) }?;
    Ok(array.with_place([0; 2]))
}

/// A call about the value of one control that is a number.
pub(crate) fn control(
    fd: BorrowedFd<'_>,
    call: &Call<ControlValues>,
    id: u32,
    value: [u8; 8],
) -> Result<[u8; 8], Errno> {
    let mut one = ControlValue {
        id,
        bytes: 0,
        reserved: 0,
        value,
    };
    let mut all = ControlValues {
        which: 0,
        count: 1,
        wrong: 0,
        request: 0,
        reserved: 0,
        padding: 0,
        values: &raw mut one,
    };
    // SAFETY: the address is that of one value, as `count` says. Were the control a text after all, its
    // place would be 0 bytes long, for which the kernel refuses the call.
    unsafe { send(fd, call.opcode, &mut all) }?;
    Ok(one.value)
}

/// A descriptor of a buffer's plane.
pub(crate) fn export(fd: BorrowedFd<'_>, about: &mut abi::Export) -> Result<OwnedFd, Errno> {
    about.fd = -1;
    call(fd, &calls::EXPBUF, about)?;
    if about.fd < 0 {
        return Err(Errno::BADF);
    }
    // SAFETY: the kernel has just made it for this call, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(about.fd) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_interface() {
        let same = |ours: Opcode, theirs: u32| assert_eq!(u64::from(ours), u64::from(theirs));
        same(calls::QUERYCAP.opcode, 0x8068_5600);
        same(calls::ENUM_FMT.opcode, 0xc040_5602);
        same(calls::G_FMT_SINGLE.opcode, 0xc0d0_5604);
        same(calls::S_FMT_MULTI.opcode, 0xc0d0_5605);
        same(calls::TRY_FMT_SINGLE.opcode, 0xc0d0_5640);
        same(calls::REQBUFS.opcode, 0xc014_5608);
        same(calls::QUERYBUF.opcode, 0xc058_5609);
        same(calls::QBUF.opcode, 0xc058_560f);
        same(calls::EXPBUF.opcode, 0xc040_5610);
        same(calls::DQBUF.opcode, 0xc058_5611);
        same(calls::STREAMON.opcode, 0x4004_5612);
        same(calls::STREAMOFF.opcode, 0x4004_5613);
        same(calls::G_PARM.opcode, 0xc0cc_5615);
        same(calls::S_PARM.opcode, 0xc0cc_5616);
        same(calls::ENUMINPUT.opcode, 0xc050_561a);
        same(calls::QUERYMENU.opcode, 0xc02c_5625);
        same(calls::G_INPUT.opcode, 0x8004_5626);
        same(calls::S_INPUT.opcode, 0xc004_5627);
        same(calls::G_EXT_CTRLS.opcode, 0xc020_5647);
        same(calls::S_EXT_CTRLS.opcode, 0xc020_5648);
        same(calls::ENUM_FRAMESIZES.opcode, 0xc02c_564a);
        same(calls::ENUM_FRAMEINTERVALS.opcode, 0xc034_564b);
        same(calls::S_DV_TIMINGS.opcode, 0xc084_5657);
        same(calls::DQEVENT.opcode, 0x8088_5659);
        same(calls::SUBSCRIBE_EVENT.opcode, 0x4020_565a);
        same(calls::UNSUBSCRIBE_EVENT.opcode, 0x4020_565b);
        same(calls::QUERY_DV_TIMINGS.opcode, 0x8084_5663);
        same(calls::QUERY_EXT_CTRL.opcode, 0xc0e8_5667);
        assert_eq!(calls::DQBUF.name, "VIDIOC_DQBUF");
    }
}
