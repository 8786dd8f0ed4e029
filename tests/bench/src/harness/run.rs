//! One run of one peer: start everybody, let frames flow, collect.
//!
//! It owns the order of phases and when CPU and memory are read. It never compares peers.

use crate::clock::{now_ns, sleep};
use crate::harness::company::{Company, Scene};
use crate::harness::ledger::{Desk, Phase};
use crate::harness::litter::Litter;
use crate::harness::processes::{CpuTimes, pss_bytes};
use crate::peer::Peer;
use crate::quiet::Moment;
use crate::samples::Samples;
use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

const WARM_UP: Duration = Duration::from_millis(700);

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many consumers.
    pub consumers: usize,
    /// Frames per second; 0 as fast as possible.
    pub rate: u32,
    /// How long frames are written down.
    pub seconds: f64,
    /// Whether consumers compare every byte, and the first one naps while it holds a frame.
    pub slow_consumer: bool,
}

impl Plan {
    /// Whether variants of a peer take part: 1 or 10 consumers at 30 frames a second.
    #[must_use]
    pub fn is_plain(self) -> bool {
        self.rate == 30 && [1, 10].contains(&self.consumers) && !self.slow_consumer
    }
}

/// What one run measured.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Duration of the publish call; empty where the producer is not ours to time.
    pub publish: Samples,
    /// From the end of the wait until the frame is held; empty where the peer cannot tell.
    pub obtain: Samples,
    /// From just before the publish call until a consumer holds the frame.
    pub latency: Samples,
    /// Frames published per second; counted by a consumer where the producer is not ours.
    pub published_per_second: Option<f64>,
    /// Frames that the producer could not publish.
    pub refused: u64,
    /// Frames a consumer received per second, of the slowest that was not told to nap.
    pub received_per_second: f64,
    /// Frames that consumers (without the napper) missed.
    pub lost: u64,
    /// Frames that were not whole.
    pub torn: u64,
    /// Frames that changed while they were held.
    pub changed: u64,
    /// How often the napper napped.
    pub naps: u64,
    /// Longest time between two frames of a consumer that was not told to nap.
    pub gap_ms: f64,
    /// CPU time of all processes as a share of one core.
    pub cpu_percent: f64,
    /// PSS of all processes.
    pub pss_mb: f64,
    /// What others used meanwhile.
    pub strangers_percent: f64,
    /// What was left in /dev/shm and /tmp after SIGKILL: files, bytes. Only of a slow-consumer run.
    pub left_behind: Option<(usize, u64)>,
    /// Sockets left in the folder of the run.
    pub sockets_left: usize,
    /// Files that were still there after the peer's next start.
    pub left_for_good: usize,
}

/// Runs `peer` as planned.
pub fn perform(peer: &dyn Peer, plan: Plan) -> io::Result<Outcome> {
    let before = Litter::of(peer.litter());
    let scene = Scene::set(plan.consumers, plan.rate)?;
    let ledger = scene.ledger();
    if plan.slow_consumer {
        ledger.verify.store(1, Relaxed);
        ledger.napper.store(1, Relaxed);
    }
    let company = peer.start(&scene)?;
    ledger.enter(Phase::Warm);
    sleep(WARM_UP);

    let pids = company.pids();
    let (cpu, moment, own, from_ns) = (
        CpuTimes::of(&pids),
        Moment::now()?,
        crate::clock::cpu_ns(),
        now_ns(),
    );
    ledger.enter(Phase::Measure);
    sleep(Duration::from_secs_f64(plan.seconds));
    ledger.enter(Phase::Look);
    let cpu_ns = CpuTimes::of(&pids).since(&cpu);
    let wall_ns = now_ns() - from_ns;
    let mut outcome = Outcome {
        cpu_percent: cpu_ns as f64 * 100.0 / wall_ns as f64,
        strangers_percent: moment.strangers_percent(cpu_ns + crate::clock::cpu_ns() - own)?,
        pss_mb: pids
            .iter()
            .filter_map(|pid| pss_bytes(*pid).ok())
            .sum::<u64>() as f64
            / 1e6,
        ..Outcome::default()
    };
    if plan.slow_consumer {
        company.kill();
        outcome.left_behind = Some(Litter::of(peer.litter()).beyond(&before));
        outcome.sockets_left = Litter::sockets_in(scene.folder());
        Company::next_start(&scene, peer.name())?;
        let after = Litter::of(peer.litter());
        outcome.left_for_good = after.beyond(&before).0;
        after.clear_beyond(&before);
    } else {
        ledger.enter(Phase::Stop);
        company.disband();
    }
    read_producer(&mut outcome, ledger.producer(), wall_ns);
    for (index, desk) in ledger.consumers().iter().enumerate() {
        read_consumer(
            &mut outcome,
            desk,
            plan.slow_consumer && index == 0,
            index == usize::from(plan.slow_consumer),
        );
    }
    Ok(outcome)
}

fn read_producer(outcome: &mut Outcome, desk: &Desk, wall_ns: u64) {
    outcome.publish = desk.first.iter().collect();
    outcome.refused = desk.lost.load(Relaxed);
    let frames = desk.frames.load(Relaxed);
    outcome.published_per_second = (frames > 0).then(|| frames as f64 * 1e9 / wall_ns as f64);
}

fn read_consumer(outcome: &mut Outcome, desk: &Desk, napper: bool, first: bool) {
    outcome.torn += desk.torn.load(Relaxed);
    outcome.changed += desk.changed.load(Relaxed);
    outcome.naps += desk.naps.load(Relaxed);
    if napper {
        return;
    }
    if first && outcome.published_per_second.is_none() {
        let span_ns = desk.span_ns.load(Relaxed).max(1);
        outcome.published_per_second =
            Some(desk.passed.load(Relaxed) as f64 * 1e9 / span_ns as f64);
    }
    outcome.latency.extend(desk.first.iter());
    outcome.obtain.extend(desk.second.iter());
    outcome.lost += desk.lost.load(Relaxed);
    outcome.gap_ms = outcome.gap_ms.max(desk.gap_ns.load(Relaxed) as f64 / 1e6);
    let intervals = desk.frames.load(Relaxed).saturating_sub(1) as f64;
    let rate = intervals * 1e9 / (desk.span_ns.load(Relaxed).max(1)) as f64;
    outcome.received_per_second = if first {
        rate
    } else {
        outcome.received_per_second.min(rate)
    };
}
