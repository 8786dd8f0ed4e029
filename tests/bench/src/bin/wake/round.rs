//! One run of one strategy: start the consumers, publish at the rate, collect what all measured.
//!
//! It owns the processes of the run and never compares strategies.

use crate::board::{Board, STAMPS};
use crate::publisher::Publisher;
use crate::strategy::Strategy;
use rustix::thread::{futex, sched_getcpu};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Duration;
use streamem_bench::child::{Running, number};
use streamem_bench::clock::{Metronome, cpu_ns, now_ns, sleep, thread_cpu_ns};
use streamem_bench::quiet::Moment;
use streamem_bench::samples::Samples;
use streamem_bench::shared::Shared;

/// 1920 x 1080 rgb24.
const FRAME_BYTES: usize = 6_220_800;
const SLOTS: usize = 8;
const WARM_UP: u64 = 10;

/// What one round of one strategy measured.
#[derive(Debug, Default)]
pub struct Round {
    /// Duration of the publish call.
    pub publish: Samples,
    /// CPU time of the publish call: without what consumers did on the same CPU meanwhile.
    pub effort: Samples,
    /// From just before the publish call until a consumer has read the head.
    pub latency: Samples,
    /// Frames that some consumer never saw.
    pub lost: u64,
    /// How many frames were taken on the CPU that published them.
    pub beside: u64,
    /// What other programs used meanwhile, as a share of one CPU.
    pub strangers_percent: f64,
    cpu_ns: u64,
    wall_ns: u64,
}

impl Round {
    /// CPU time of all processes as a share of one core.
    pub fn cpu_percent(&self) -> f64 {
        self.cpu_ns as f64 * 100.0 / self.wall_ns.max(1) as f64
    }

    /// Share of the frames that were taken on the producer's CPU.
    pub fn beside_percent(&self) -> f64 {
        self.beside as f64 * 100.0 / self.latency.as_slice().len().max(1) as f64
    }
}

/// Runs `strategy` once.
pub fn measure(
    name: &str,
    strategy: Strategy,
    count: usize,
    rate: u32,
    seconds: u32,
) -> io::Result<Round> {
    let mut tally = Round::default();
    let area = Arc::new(Shared::create("wake-board", size_of::<Board>())?);
    let mut slots = Shared::create("wake-slots", FRAME_BYTES * SLOTS)?;
    slots.bytes_mut().fill(0);
    let board: &Board = area.view();
    board.measure_from.store(WARM_UP, Relaxed);
    let mut publisher = Publisher::new(Arc::clone(&area), strategy, count)?;
    let consumers = start(&area, &publisher, name, count)?;
    while (board.ready.load(Acquire) as usize) < count {
        sleep(Duration::from_millis(5));
    }

    let mut metronome = Metronome::new(rate);
    let frames = u64::from(rate * seconds);
    let (mut cpu_from, mut wall_from) = (0, 0);
    let mut moment = Moment::now()?;
    for sequence in 1..=WARM_UP + frames {
        metronome.tick();
        if sequence == WARM_UP + 1 {
            (cpu_from, wall_from) = (cpu_ns(), now_ns());
            moment = Moment::now()?;
        }
        let slot = sequence as usize % SLOTS * FRAME_BYTES;
        slots.bytes_mut()[slot..slot + FRAME_BYTES].fill(sequence as u8);
        board.producer_cpu.store(sched_getcpu() as u32, Relaxed);
        let effort = thread_cpu_ns();
        let before = now_ns();
        board.stamps[sequence as usize % STAMPS].store(before, Relaxed);
        publisher.publish(sequence)?;
        if sequence > WARM_UP {
            tally.publish.push(now_ns() - before);
            tally.effort.push(thread_cpu_ns() - effort);
        }
    }
    metronome.tick();
    tally.cpu_ns += cpu_ns() - cpu_from;
    tally.wall_ns += now_ns() - wall_from;
    stop(board, &publisher, consumers, count)?;
    collect(&mut tally, board, count);
    tally.strangers_percent = moment.strangers_percent(tally.cpu_ns)?;
    Ok(tally)
}

fn start(
    area: &Shared,
    publisher: &Publisher,
    name: &str,
    count: usize,
) -> io::Result<Vec<Running>> {
    (0..count)
        .map(|index| {
            let mut arguments = vec![
                "consumer".to_owned(),
                number(area.as_fd()),
                index.to_string(),
                name.to_owned(),
            ];
            let mut descriptors = vec![area.as_fd()];
            if let Some(eventfd) = publisher.eventfd(index) {
                arguments.push(number(eventfd.as_fd()));
                descriptors.push(eventfd.as_fd());
            }
            Running::again(&arguments, &descriptors)
        })
        .collect()
}

fn stop(
    board: &Board,
    publisher: &Publisher,
    consumers: Vec<Running>,
    count: usize,
) -> io::Result<()> {
    board.stop.store(1, Release);
    for word in
        std::iter::once(&board.word).chain(board.desks[..count].iter().map(|desk| &desk.word))
    {
        word.fetch_add(1, Release);
        futex::wake(word, futex::Flags::empty(), i32::MAX.cast_unsigned())?;
    }
    for eventfd in (0..count).filter_map(|index| publisher.eventfd(index)) {
        rustix::io::write(eventfd, &1_u64.to_ne_bytes())?;
    }
    consumers.into_iter().try_for_each(Running::finish)
}

fn collect(tally: &mut Round, board: &Board, count: usize) {
    for desk in &board.desks[..count] {
        let filled = desk.count.load(Acquire) as usize;
        tally.latency.extend(
            desk.latency_ns[..filled]
                .iter()
                .map(|latency| u64::from(latency.load(Relaxed))),
        );
        tally.beside += u64::from(desk.beside.load(Relaxed));
        tally.lost += desk.lost.load(Relaxed);
        tally.cpu_ns += desk.cpu_ns.load(Relaxed);
    }
}
