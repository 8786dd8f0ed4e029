//! A broker of another version: the real one's answers, with a ring that says it is newer.
//!
//! Owns the socket in between; changes nothing but the version.

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use streamem_sys::{Mapping, ReadOnly, Writable, file::size_and_inode, socket};
use streamem_tests::{Broker, Wire};
use streamem_wire::header;

/// Where it listens.
pub fn of_another_version(broker: &Broker) -> PathBuf {
    let place = broker.folder().join("stranger.sock");
    let listener = UnixListener::bind(&place).expect("a socket");
    let real = broker.socket();
    std::thread::spawn(move || {
        for session in listener.incoming().map_while(Result::ok) {
            pass_on(&session, &real);
        }
    });
    place
}

fn pass_on(session: &UnixStream, real: &Path) {
    let mut wire = Wire::connect(real);
    let mut calls = BufReader::new(session);
    let mut call = Vec::new();
    while calls.read_until(0, &mut call).is_ok_and(|count| count > 0) {
        let asked: Value = serde_json::from_slice(&call[..call.len() - 1]).expect("a call");
        let method = asked["method"].as_str().expect("a method");
        let mut answer = wire.call(method, asked["parameters"].clone());
        if let Some(place) = answer.parameters["ring"].as_u64() {
            let place = usize::try_from(place).expect("a place");
            answer.fds[place] = newer(answer.fds[place].as_fd());
        }
        let reply = json!({ "parameters": answer.parameters }).to_string() + "\0";
        let fds: Vec<BorrowedFd<'_>> = answer.fds.iter().map(AsFd::as_fd).collect();
        let sent = socket::send(session, reply.as_bytes(), &fds);
        assert_eq!(sent, Ok(reply.len()));
        call.clear();
    }
}

/// The same page, one version on.
fn newer(ring: BorrowedFd<'_>) -> OwnedFd {
    let (size, _) = size_and_inode(ring).expect("fstat");
    let length = usize::try_from(size).expect("a size");
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let copy = memfd_create("newer", flags).expect("a memfd");
    ftruncate(&copy, size).expect("its size");
    fcntl_add_seals(&copy, SealFlags::SHRINK | SealFlags::GROW).expect("seals");
    let from = Mapping::new(ring, length, ReadOnly).expect("the ring");
    let to = Mapping::new(&copy, length, Writable).expect("its copy");
    for (to, from) in to.words().iter().zip(from.words()) {
        to.store(from.load(Relaxed), Relaxed);
    }
    to.words()[header::VERSION].fetch_add(1, Relaxed);
    copy
}
