//! One consumer process: waits, reads the head, notes how long that took.
//!
//! It never reads pixels: the experiment is about the wake alone.

use crate::board::{Board, Desk, SAMPLES_MAX, STAMPS};
use crate::strategy::Wait;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::thread::{futex, sched_getcpu};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Duration;
use streamem_bench::clock::{cpu_ns, now_ns, sleep};

const TIMEOUT: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// Runs until the board says stop.
pub fn run(board: &Board, index: usize, wait: Wait, eventfd: Option<&OwnedFd>) -> io::Result<()> {
    let desk = &board.desks[index];
    let mut seen = board.head.load(Acquire);
    let mut cpu_from = 0;
    board.ready.fetch_add(1, Release);
    while board.stop.load(Acquire) == 0 {
        // The word is read before the head: a publish in between makes the wait return at once.
        let shared = board.word.load(Acquire);
        let own = desk.word.load(Acquire);
        let head = board.head.load(Acquire);
        if head == seen {
            match wait {
                Wait::SharedWord => wait_on(&board.word, shared, Some(&TIMEOUT))?,
                Wait::SharedWordUntimed => wait_on(&board.word, shared, None)?,
                Wait::OwnWord => wait_on(&desk.word, own, Some(&TIMEOUT))?,
                Wait::OwnWordUntimed => wait_on(&desk.word, own, None)?,
                Wait::EventfdRead => drain(eventfd)?,
                Wait::EventfdPoll => poll_then_drain(eventfd)?,
                Wait::Sleep => sleep(Duration::from_micros(50)),
            }
            continue;
        }
        let latency_ns = now_ns() - board.stamps[head as usize % STAMPS].load(Relaxed);
        let measure_from = board.measure_from.load(Relaxed);
        if head > measure_from {
            if cpu_from == 0 {
                cpu_from = cpu_ns();
            }
            note(desk, latency_ns, head - seen - 1);
            let here = sched_getcpu() == board.producer_cpu.load(Relaxed) as usize;
            desk.beside.fetch_add(u32::from(here), Relaxed);
        }
        seen = head;
    }
    desk.cpu_ns.store(cpu_ns() - cpu_from, Release);
    Ok(())
}

fn note(desk: &Desk, latency_ns: u64, lost: u64) {
    let count = desk.count.load(Relaxed) as usize;
    if count < SAMPLES_MAX {
        desk.latency_ns[count].store(u32::try_from(latency_ns).unwrap_or(u32::MAX), Relaxed);
        desk.count.store(count as u32 + 1, Release);
    }
    desk.lost.fetch_add(lost, Relaxed);
}

fn wait_on(word: &AtomicU32, expected: u32, timeout: Option<&Timespec>) -> io::Result<()> {
    match futex::wait(word, futex::Flags::empty(), expected, timeout) {
        Ok(()) | Err(Errno::AGAIN | Errno::INTR | Errno::TIMEDOUT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn drain(eventfd: Option<&OwnedFd>) -> io::Result<()> {
    let eventfd = eventfd.ok_or_else(|| io::Error::other("this wait needs an eventfd"))?;
    match rustix::io::read(eventfd, &mut [0_u8; 8]) {
        Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn poll_then_drain(eventfd: Option<&OwnedFd>) -> io::Result<()> {
    let fd = eventfd.ok_or_else(|| io::Error::other("this wait needs an eventfd"))?;
    match poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&TIMEOUT)) {
        Ok(0) | Err(Errno::INTR) => Ok(()),
        Ok(_) => drain(eventfd),
        Err(error) => Err(error.into()),
    }
}
