//! A ring that may do everything, made before the walls: the worst a worker could have kept.
//!
//! Owns asking one thing of it.
//!
//! # Safety
//! What a request points to is owned by whoever asks, who does not return before it is answered.
#![allow(unsafe_code)]

use io_uring::{IoUring, opcode, squeue, types};
use rustix::io::Errno;
use std::ffi::CString;
use std::net::SocketAddrV4;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

pub struct Ring(IoUring);

impl Ring {
    pub fn new() -> Result<Ring, Errno> {
        let ring = IoUring::new(4);
        ring.map(Ring)
            .map_err(|error| Errno::from_io_error(&error).expect("an errno"))
    }

    fn ask(&mut self, request: &squeue::Entry) -> Result<u32, Errno> {
        // SAFETY: the callers below keep what it points to until this returns.
        unsafe { self.0.submission().push(request) }.expect("an empty queue");
        let asked = self.0.submit_and_wait(1);
        asked.map_err(|error| Errno::from_io_error(&error).expect("an errno"))?;
        let answer = self.0.completion().next().expect("an answer").result();
        u32::try_from(answer).map_err(|_| Errno::from_raw_os_error(-answer))
    }

    pub fn open(&mut self, path: &str) -> Result<(), Errno> {
        let path = CString::new(path).expect("a path");
        let folder = types::Fd(libc::AT_FDCWD);
        let request = opcode::OpenAt::new(folder, path.as_ptr()).flags(libc::O_RDONLY);
        self.ask(&request.build()).map(|_| ())
    }

    pub fn connect(&mut self, socket: BorrowedFd<'_>, to: SocketAddrV4) -> Result<(), Errno> {
        let address = libc::sockaddr_in {
            sin_family: libc::sa_family_t::try_from(libc::AF_INET).expect("a small number"),
            sin_port: to.port().to_be(),
            sin_addr: libc::in_addr {
                s_addr: to.ip().to_bits().to_be(),
            },
            sin_zero: [0; 8],
        };
        let length = libc::socklen_t::try_from(size_of_val(&address)).expect("a few bytes");
        let socket = types::Fd(socket.as_raw_fd());
        let request = opcode::Connect::new(socket, (&raw const address).cast(), length);
        self.ask(&request.build()).map(|_| ())
    }

    pub fn read(&mut self, from: BorrowedFd<'_>, into: &mut [u8]) -> Result<u32, Errno> {
        let length = u32::try_from(into.len()).expect("a small buffer");
        let from = types::Fd(from.as_raw_fd());
        self.ask(&opcode::Read::new(from, into.as_mut_ptr(), length).build())
    }

    /// Asks for what a ring could do, which is a way of registering.
    pub fn register(&self) -> Result<(), Errno> {
        let asked = self
            .0
            .submitter()
            .register_probe(&mut io_uring::Probe::new());
        asked.map_err(|error| Errno::from_io_error(&error).expect("an errno"))
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the ring keeps it open as long as it lives itself.
        unsafe { BorrowedFd::borrow_raw(self.0.as_raw_fd()) }
    }
}
