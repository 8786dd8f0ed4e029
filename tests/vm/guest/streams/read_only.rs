//! What a reader of a camera's frames can do to them: nothing.
//!
//! Owns the attempts of the README's table on memory that devices write.

use crate::scene::{CAMERA, broker_with, is_live, lacks, next, subscribed};
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::FileExt;
use streamem::Frame;
use streamem_sys::{Mapping, ReadOnly, Writable};

const PAGE: usize = 4096;

/// Tries whatever can be tried with the descriptor of a frame.
pub fn cannot_be_changed(frame: &Frame) {
    let (file, range) = frame.memory();
    let before = frame.bytes().to_vec();
    assert!(Mapping::new(file, PAGE, ReadOnly).is_ok(), "it can be read");
    assert!(Mapping::new(file, PAGE, Writable).is_err());
    let file = File::from(file.try_clone_to_owned().expect("a descriptor"));
    assert!(file.write_at(b"x", range.start).is_err());
    assert!(file.set_len(1).is_err() && file.set_len(1 << 40).is_err());
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    assert!(fallocate(&file, punch, range.start, PAGE as u64).is_err());
    let again = format!("/proc/self/fd/{}", file.as_raw_fd());
    if let Ok(again) = OpenOptions::new().read(true).write(true).open(again) {
        assert!(Mapping::new(again.as_fd(), PAGE, Writable).is_err());
        assert!(again.write_at(b"x", range.start).is_err());
        assert!(fallocate(&again, punch, range.start, PAGE as u64).is_err());
    }
    assert!(frame.bytes() == before);
}

/// A DMA-BUF has no place where it could be opened again; and it says when a device has written it.
pub fn cannot_be_opened_for_writing(frame: &Frame) {
    let again = format!("/proc/self/fd/{}", frame.memory().0.as_raw_fd());
    assert!(OpenOptions::new().write(true).open(again).is_err());
    let fence = frame.sync_file().expect("a device wrote it");
    assert!(fence.is_ok(), "{fence:?}");
}

#[test]
fn read_only_holds_for_slots_that_a_driver_writes() {
    if lacks("udmabuf") {
        return;
    }
    let broker = broker_with(&format!("{CAMERA}&fill=import"));
    is_live(&broker);
    cannot_be_changed(&next(&mut subscribed(&broker)));
}

#[test]
fn read_only_holds_for_a_drivers_own_buffers() {
    let broker = broker_with(&format!("{CAMERA}&fill=export"));
    is_live(&broker);
    let frame = next(&mut subscribed(&broker));
    cannot_be_changed(&frame);
    cannot_be_opened_for_writing(&frame);
}
