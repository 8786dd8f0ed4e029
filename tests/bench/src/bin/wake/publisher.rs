//! The producer's half: the publish call of each strategy.
//!
//! It owns the io_uring instance, the eventfds and the waker thread of a run. It never waits for a consumer.
//!
//! # Safety
//!
//! Pushing to an io_uring is unsafe because the kernel follows the pointers of the entry; all of them point
//! into the board or into static memory, which outlive the ring.
#![allow(unsafe_code)]

use crate::board::Board;
use crate::strategy::{Setup, Strategy};
use io_uring::{IoUring, opcode, squeue, types};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::write;
use rustix::thread::futex;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::thread::JoinHandle;
use streamem_bench::shared::Shared;

const FUTEX2_SIZE_U32: u32 = 2;
const MATCH_ANY: u64 = u32::MAX as u64;
static ONE: u64 = 1;

/// Wakes `count` consumers by one strategy.
pub struct Publisher {
    area: Arc<Shared>,
    strategy: Strategy,
    count: usize,
    eventfds: Vec<OwnedFd>,
    ring: Option<IoUring>,
    waker: Option<Waker>,
    turn: usize,
}

struct Waker {
    word: Arc<AtomicU32>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Publisher {
    /// Prepares the strategy for `count` consumers.
    pub fn new(area: Arc<Shared>, strategy: Strategy, count: usize) -> io::Result<Self> {
        let flags = match strategy {
            Strategy::Eventfds => Some(EventfdFlags::CLOEXEC),
            Strategy::RingEventfds | Strategy::EventfdsPolled => {
                Some(EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            }
            _ => None,
        };
        let eventfds = flags
            .map(|flags| {
                (0..count)
                    .map(|_| eventfd(0, flags))
                    .collect::<Result<_, _>>()
            })
            .transpose()?
            .unwrap_or_default();
        let ring = match strategy {
            Strategy::RingWords(setup) => Some(ring(setup)?),
            Strategy::RingShared | Strategy::RingEventfds => Some(ring(Setup::Deferred)?),
            _ => None,
        };
        let waker = matches!(strategy, Strategy::WakerWords | Strategy::WakerBroadcast)
            .then(|| Waker::start(Arc::clone(&area), strategy, count));
        Ok(Self {
            area,
            strategy,
            count,
            eventfds,
            ring,
            waker,
            turn: 0,
        })
    }

    /// The eventfd of consumer `index`, where the strategy has them.
    pub fn eventfd(&self, index: usize) -> Option<&OwnedFd> {
        self.eventfds.get(index)
    }

    /// The publish call: stores the head, wakes everybody.
    pub fn publish(&mut self, sequence: u64) -> io::Result<()> {
        let area = Arc::clone(&self.area);
        let board: &Board = area.view();
        board.head.store(sequence, Release);
        self.wake(board)
    }

    fn wake(&mut self, board: &Board) -> io::Result<()> {
        match self.strategy {
            Strategy::Nobody => {}
            Strategy::Broadcast | Strategy::BroadcastUntimed => {
                wake_word(&board.word, i32::MAX.cast_unsigned())?
            }
            Strategy::Chunks(size) => {
                board.word.fetch_add(1, Release);
                for _ in 0..self.count.div_ceil(size as usize) {
                    futex::wake(&board.word, futex::Flags::empty(), size)?;
                }
            }
            Strategy::Words | Strategy::WordsUntimed => wake_words(board, self.count, 0)?,
            Strategy::WordsRotating => {
                self.turn = (self.turn + 1) % self.count;
                wake_words(board, self.count, self.turn)?;
            }
            Strategy::Eventfds | Strategy::EventfdsPolled => {
                for eventfd in &self.eventfds {
                    write(eventfd, &ONE.to_ne_bytes())?;
                }
            }
            Strategy::RingEventfds | Strategy::RingWords(_) | Strategy::RingShared => {
                self.submit(board)?
            }
            Strategy::WakerWords | Strategy::WakerBroadcast => {
                if let Some(waker) = &self.waker {
                    waker.word.fetch_add(1, Release);
                    futex::wake(&waker.word, futex::Flags::PRIVATE, 1)?;
                }
            }
        }
        Ok(())
    }

    fn submit(&mut self, board: &Board) -> io::Result<()> {
        let Some(ring) = &mut self.ring else {
            return Ok(());
        };
        if self.strategy == Strategy::RingShared {
            board.word.fetch_add(1, Release);
        }
        let mut queue = ring.submission();
        for index in 0..self.count {
            let entry = match self.strategy {
                Strategy::RingEventfds => {
                    let fd = types::Fd(self.eventfds[index].as_raw_fd());
                    opcode::Write::new(fd, (&raw const ONE).cast(), 8).build()
                }
                Strategy::RingShared => wake_entry(&board.word),
                _ => {
                    board.desks[index].word.fetch_add(1, Release);
                    wake_entry(&board.desks[index].word)
                }
            };
            // SAFETY: the entry points into the board (kept by `self.area`) or to a static; both outlive the ring.
            unsafe { queue.push(&entry.flags(squeue::Flags::SKIP_SUCCESS)) }
                .map_err(io::Error::other)?;
        }
        drop(queue);
        ring.submit()?;
        match ring.completion().next() {
            Some(failed) => Err(io::Error::from_raw_os_error(-failed.result())),
            None => Ok(()),
        }
    }
}

impl Waker {
    fn start(area: Arc<Shared>, strategy: Strategy, count: usize) -> Self {
        let word = Arc::new(AtomicU32::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let (my_word, my_over) = (Arc::clone(&word), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            let board: &Board = area.view();
            let mut done = 0;
            while !my_over.load(Acquire) {
                let turn = my_word.load(Acquire);
                if turn == done {
                    let _ = futex::wait(&my_word, futex::Flags::PRIVATE, turn, None);
                    continue;
                }
                done = turn;
                let woken = match strategy {
                    Strategy::WakerBroadcast => wake_word(&board.word, i32::MAX.cast_unsigned()),
                    _ => wake_words(board, count, 0),
                };
                woken.expect("waking a mapped word does not fail");
            }
        });
        Self {
            word,
            over,
            thread: Some(thread),
        }
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        self.over.store(true, Release);
        self.word.fetch_add(1, Release);
        let _ = futex::wake(&self.word, futex::Flags::PRIVATE, 1);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn ring(setup: Setup) -> io::Result<IoUring> {
    let mut builder = IoUring::builder();
    match setup {
        Setup::Plain => {}
        Setup::Cooperative => {
            builder.setup_coop_taskrun();
        }
        Setup::Deferred => {
            builder.setup_single_issuer().setup_defer_taskrun();
        }
    }
    builder.build(128)
}

fn wake_entry(word: &AtomicU32) -> squeue::Entry {
    opcode::FutexWake::new(word.as_ptr(), 1, MATCH_ANY, FUTEX2_SIZE_U32).build()
}

fn wake_word(word: &AtomicU32, count: u32) -> io::Result<()> {
    word.fetch_add(1, Release);
    futex::wake(word, futex::Flags::empty(), count)?;
    Ok(())
}

fn wake_words(board: &Board, count: usize, first: usize) -> io::Result<()> {
    (0..count).try_for_each(|step| wake_word(&board.desks[(first + step) % count].word, 1))
}
