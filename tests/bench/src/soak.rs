//! Hours of one broker and its consumers, looked at once a minute: is anything lost, does anything grow?
//!
//! It owns the verdict. It never restarts anything: what ends by itself has failed.

use crate::clock::{now_ns, sleep};
use crate::harness::company::{Company, Scene};
use crate::harness::ledger::Phase;
use crate::harness::processes::{descriptor_count, pss_bytes};
use crate::peer::streamem::broker::Streamemd;
use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// What to run.
#[derive(Clone, Debug)]
pub struct Soak {
    /// How long.
    pub duration: Duration,
    /// How often to look.
    pub every: Duration,
    /// How many consumers.
    pub consumers: usize,
    /// What the broker serves.
    pub source: String,
}

/// What was there at one look.
#[derive(Clone, Copy, Debug)]
struct Look {
    pss_mb: f64,
    descriptors: usize,
    frames: u64,
    lost: u64,
}

/// Memory may differ by this much between the first look and the last: page tables and allocators breathe.
const GROWTH_MB: f64 = 2.0;

/// Runs and prints a line per look; whether all was well.
pub fn run(soak: &Soak) -> io::Result<bool> {
    let scene = Scene::set(soak.consumers, 0)?;
    let mut company = Company::default();
    company.add(Streamemd::start(scene.folder(), &soak.source)?);
    company.add_consumers(&scene, "streamem-every")?;
    scene.ledger().enter(Phase::Warm);
    sleep(Duration::from_secs(2));
    scene.ledger().enter(Phase::Measure);
    sleep(Duration::from_secs(1));

    println!("{} consumers of {}", soak.consumers, soak.source);
    println!("seconds   PSS MB  descriptors      frames  lost");
    let (start_ns, first) = (now_ns(), look(&scene, &company));
    let mut last = first;
    print(0, last);
    let mut looks = 0;
    while now_ns() - start_ns < soak.duration.as_nanos() as u64 {
        looks += 1;
        let due_ns = start_ns + looks * soak.every.as_nanos() as u64;
        sleep(Duration::from_nanos(due_ns.saturating_sub(now_ns())));
        if let Some(status) = company.first_end() {
            println!("a participant ended: {status}");
            return Ok(false);
        }
        last = look(&scene, &company);
        print((now_ns() - start_ns) / 1_000_000_000, last);
    }
    scene.ledger().enter(Phase::Stop);
    company.disband();
    Ok(judge(first, last))
}

fn look(scene: &Scene, company: &Company) -> Look {
    let pids = company.pids();
    let sum = |field: fn(&crate::harness::ledger::Desk) -> u64| {
        scene.ledger().consumers().iter().map(field).sum()
    };
    Look {
        pss_mb: pids
            .iter()
            .filter_map(|pid| pss_bytes(*pid).ok())
            .sum::<u64>() as f64
            / 1e6,
        descriptors: pids.iter().map(|pid| descriptor_count(*pid)).sum(),
        frames: sum(|desk| desk.frames.load(Relaxed)),
        lost: sum(|desk| desk.lost.load(Relaxed)),
    }
}

fn print(second: u64, look: Look) {
    println!(
        "{second:7} {:8.1} {:12} {:11} {:5}",
        look.pss_mb, look.descriptors, look.frames, look.lost
    );
}

fn judge(first: Look, last: Look) -> bool {
    let grown = last.pss_mb - first.pss_mb;
    let verdicts = [
        (last.lost == 0, format!("{} frames lost", last.lost)),
        (
            last.frames > first.frames,
            format!("{} frames received", last.frames),
        ),
        (
            grown < GROWTH_MB,
            format!("memory changed by {grown:+.1} MB"),
        ),
        (
            last.descriptors <= first.descriptors,
            format!(
                "descriptors: {} at first, {} at last",
                first.descriptors, last.descriptors
            ),
        ),
    ];
    for (well, words) in &verdicts {
        println!("{}  {words}", if *well { "ok  " } else { "FAIL" });
    }
    verdicts.iter().all(|(well, _)| *well)
}
