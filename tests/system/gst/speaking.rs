//! The socket itself, spoken to by hand: what an ill-behaved reader gets, and what it cannot do.
//!
//! Owns the bytes a reader may send; the well-behaved reader is GStreamer's own.

use super::{LEASES, Pipeline, Server, assert_complete, pictures, steady_broker};
use rustix::net::RecvFlags;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use streamem_sys::socket::receive;
use streamem_tests::{attack, eventually};
use streamemd::source::pattern::bars;

const BUFFER_BYTES: usize = 8 + 56 + 16;

/// A reader made by hand.
struct Hand {
    socket: UnixStream,
    bytes: Vec<u8>,
    fds: Vec<OwnedFd>,
}

impl Hand {
    fn connect(server: &Server) -> Hand {
        let socket = UnixStream::connect(&server.socket).expect("it listens");
        let wait = Some(Duration::from_secs(20));
        socket.set_read_timeout(wait).expect("a time");
        let (bytes, fds) = (Vec::new(), Vec::new());
        Hand { socket, bytes, fds }
    }

    /// Whatever comes next; false when the other side has hung up.
    fn hear(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let Ok(heard) = receive(&self.socket, &mut bytes, RecvFlags::empty()) else {
            return false;
        };
        self.bytes.extend(&bytes[..heard.bytes]);
        self.fds.extend(heard.fds);
        heard.bytes > 0
    }

    /// What the buffers are, without the header and the nul.
    fn caps(&mut self) -> String {
        while self.bytes.len() < 8 || self.bytes.len() < 8 + self.word(4) {
            assert!(self.hear(), "it hung up");
        }
        assert_eq!(self.word(0), 2, "caps come first");
        let rest = self.bytes.split_off(8 + self.word(4));
        let caps = std::mem::replace(&mut self.bytes, rest);
        String::from_utf8(caps[8..caps.len() - 1].to_vec()).expect("a text")
    }

    fn word(&self, at: usize) -> usize {
        let bytes = self.bytes[at..at + 4].try_into().expect("4 bytes");
        u32::from_ne_bytes(bytes) as usize
    }

    fn long(&self, at: usize) -> u64 {
        u64::from_ne_bytes(self.bytes[at..at + 8].try_into().expect("8 bytes"))
    }

    fn release(&mut self, id: u64) {
        let head = [1_u32, 8].map(u32::to_ne_bytes);
        let message = [head.as_flattened(), &id.to_ne_bytes()].concat();
        self.socket.write_all(&message).expect("it listens");
    }
}

#[test]
fn a_reader_that_gives_nothing_back_gets_as_many_frames_as_it_may_hold() {
    let broker = steady_broker();
    let server = Server::start(&broker, "cam");
    let other = Pipeline::plain(&server, "other");
    let mut hand = Hand::connect(&server);
    assert!(hand.caps().starts_with("video/x-raw, format=(string)RGB, "));
    while hand.bytes.len() < LEASES * BUFFER_BYTES {
        assert!(hand.hear(), "it hung up");
    }
    other.wait_for_pictures(other.pictures().len() + LEASES + 10);
    hand.socket.set_nonblocking(true).expect("a socket");
    assert!(!hand.hear(), "it got more than it may hold");
    assert_eq!(hand.fds.len(), LEASES, "one descriptor for each");

    let (bytes, start) = (hand.long(8 + 56), hand.long(8 + 64));
    let mut picture = vec![0; usize::try_from(bytes).expect("it fits")];
    rustix::io::pread(&hand.fds[0], &mut picture, start).expect("it can be read");
    bars::check(&pictures(), &picture).expect("the frame is held, so it is whole");
    for (way, errno) in attack::every_way_to_write(hand.fds[0].as_fd()) {
        // The mode of sealed memory does not matter, and is its owner's to change.
        let is_harmless = way == "fchmod";
        assert!(errno.is_some() || is_harmless, "a reader can write: {way}");
    }

    hand.socket.set_nonblocking(false).expect("a socket");
    hand.release(hand.long(8));
    assert!(hand.hear(), "it hung up");
    assert_eq!(hand.bytes.len(), (LEASES + 1) * BUFFER_BYTES);
    assert_complete(&other.pictures());
}

#[test]
fn who_says_what_no_reader_says_is_let_go() {
    let broker = steady_broker();
    let server = Server::start(&broker, "cam");
    let other = Pipeline::plain(&server, "other");
    for said in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0; 8],
        &[2, 0, 0, 0, 1, 0, 0, 0, 0],
        &[1, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0],
        &[1, 0, 0, 0, 8, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
    ] {
        let mut hand = Hand::connect(&server);
        hand.caps();
        hand.socket.write_all(said).expect("it listens");
        eventually("it hangs up", || (!hand.hear()).then_some(()));
    }
    other.wait_for_pictures(other.pictures().len() + 5);
    assert_complete(&other.pictures());
}

#[test]
fn sixty_four_are_served_at_a_time_and_the_next_when_one_has_left() {
    let broker = steady_broker();
    let server = Server::start_with(&broker, "cam", 4, "022");
    let mut hands: Vec<Hand> = (0..64).map(|_| Hand::connect(&server)).collect();
    for hand in &mut hands {
        assert!(hand.caps().contains("video/x-raw"));
    }
    let mut one_more = Hand::connect(&server);
    assert!(!one_more.hear(), "a 65th was served");
    hands.pop();
    eventually("there is room again", || {
        Hand::connect(&server).hear().then_some(())
    });
    assert!(hands.iter_mut().all(Hand::hear), "the others go on");
}

#[test]
fn who_may_read_follows_the_umask() {
    let broker = steady_broker();
    for (umask, mode) in [("022", 0o755), ("007", 0o770), ("077", 0o700)] {
        let server = Server::start_with(&broker, "cam", LEASES, umask);
        let found = std::fs::metadata(&server.socket)
            .expect("it listens")
            .mode()
            & 0o777;
        assert_eq!(found, mode, "umask {umask}: {found:o}");
    }
}
