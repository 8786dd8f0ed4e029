//! What was aimed at beside what this run measured.
//!
//! It owns the limits. Nothing fails because of them: a machine that is busy or different misses some.

use crate::report::figures::{Call, Cell, Figures, Report};
use crate::samples::Summary;

/// One aim.
#[derive(Clone, Debug)]
pub struct Aim {
    /// What is measured.
    pub what: &'static str,
    /// At most this.
    pub limit: f64,
    /// What it was; `None` when the run did not measure it.
    pub measured: Option<f64>,
}

const OURS: &str = "streamem";
const PARTS: &str = "streamem-ring";
const PYTHON: &str = "streamem-python";
const OLD: &str = "python-shm";
const UNIXFD: &str = "gstreamer-unixfd";
const FRAME_MB: f64 = 6.2208;
/// Two runs of the same peer differ by so much.
const NOISE: f64 = 1.1;
/// The least a pool has touched: one slot being filled, one newest.
const POOL_MB: f64 = 2.0 * FRAME_MB;
const RATE: u32 = 30;

/// All aims, in the order of the table.
#[must_use]
pub fn all(report: &Report) -> Vec<Aim> {
    let aim = |what, limit, measured| Aim {
        what,
        limit,
        measured,
    };
    let view = View(report);
    vec![
        aim(
            "publish, nobody waits, 10 readers (µs)",
            1.0,
            view.micro(Call::Publish { readers: 10 }),
        ),
        aim(
            "publish, 1 waits: x reference",
            1.2,
            view.over_reference(PARTS, 1, publish_p50),
        ),
        aim(
            "publish, 10 wait: x reference",
            1.2,
            view.over_reference(PARTS, 10, publish_p50),
        ),
        aim(
            "obtain and release, hot (µs)",
            0.25,
            view.micro(Call::Obtain {
                size: "1920x1080",
                subscriptions: 1,
            }),
        ),
        aim(
            "obtain, paced, 1 consumer: x reference",
            1.2,
            view.over_reference(PARTS, 1, obtain_p50),
        ),
        aim(
            "latency p50, 1 consumer: x reference",
            1.15,
            view.over_reference(OURS, 1, latency(|l| l.p50_us)),
        ),
        aim(
            "latency p50, 10 consumers: x reference",
            1.1,
            view.over_reference(OURS, 10, latency(|l| l.p50_us)),
        ),
        aim(
            "latency p99, 10 consumers: x reference",
            1.25,
            view.over_reference(OURS, 10, latency(|l| l.p99_us)),
        ),
        aim(
            "CPU, 10 consumers: x reference",
            1.1,
            view.over_reference(OURS, 10, cpu),
        ),
        aim(
            "CPU, 10 consumers: x iceoryx2",
            1.0,
            view.over(OURS, "iceoryx2", 10, cpu),
        ),
        aim(
            "PSS beyond two slots, 10 consumers (MB)",
            15.0,
            view.figure(OURS, 10, pss).map(|mb| mb - POOL_MB),
        ),
        aim(
            "PSS per further consumer (MB)",
            1.0,
            view.pss_per_consumer(),
        ),
        aim(
            "write + read cost, 1 consumer: x the original's method",
            0.01,
            view.over(PARTS, OLD, 1, both),
        ),
        aim(
            "latency p50, 1 consumer: x the original's method",
            0.02,
            view.over(OURS, OLD, 1, latency(|l| l.p50_us)),
        ),
        aim(
            "latency p50, 10 consumers: x the original's method",
            0.02,
            view.over(OURS, OLD, 10, latency(|l| l.p50_us)),
        ),
        aim(
            "PSS, 10 consumers: x the original's method",
            0.2,
            view.over(OURS, OLD, 10, pss),
        ),
        aim(
            "frames lost, 4K nv12 at 60/s, 4 consumers",
            0.0,
            view.lost("streamem-4k"),
        ),
        aim(
            "frames lost, 100 consumers at 30/s, by readers of the newest",
            0.0,
            view.cell(OURS, 100).map(|cell| cell.figures.lost as f64),
        ),
        aim(
            "Python, latency p50, 1 consumer: x iceoryx2's binding",
            0.6,
            view.over(PYTHON, "iceoryx2-python", 1, latency(|l| l.p50_us)),
        ),
        aim(
            "Python, latency p50, 10 consumers: x iceoryx2's binding",
            0.6,
            view.over(PYTHON, "iceoryx2-python", 10, latency(|l| l.p50_us)),
        ),
        aim(
            "Python, latency p50, 1 consumer: x the original's method",
            0.04,
            view.over(PYTHON, OLD, 1, latency(|l| l.p50_us)),
        ),
        aim(
            "Python, latency p50, 10 consumers: x the original's method",
            0.04,
            view.over(PYTHON, OLD, 10, latency(|l| l.p50_us)),
        ),
        aim(
            "Python, obtain, make an array and release, hot (µs)",
            25.0,
            view.micro(Call::ObtainInPython),
        ),
        aim(
            "Python, PSS per consumer beyond an idle one with numpy (frames)",
            1.0,
            view.python_frames(),
        ),
        aim(
            "C, latency p50, 1 consumer: x Rust",
            NOISE,
            view.over("streamem-c", OURS, 1, latency(|l| l.p50_us)),
        ),
        aim(
            "C, latency p50, 10 consumers: x Rust",
            NOISE,
            view.over("streamem-c", OURS, 10, latency(|l| l.p50_us)),
        ),
        aim(
            "published from outside, p50, 1 consumer: x (in-broker + 1.5 eventfd wakes)",
            1.0,
            view.over_published(1),
        ),
        aim(
            "published from outside, p50, 10 consumers: x (in-broker + 1.5 eventfd wakes)",
            1.0,
            view.over_published(10),
        ),
        aim(
            "unixfdsrc, latency p50, 1 reader: x unixfdsink's",
            1.0,
            view.over("streamem-gst", UNIXFD, 1, latency(|l| l.p50_us)),
        ),
        aim(
            "unixfdsrc, latency p50, 10 readers: x unixfdsink's",
            1.0,
            view.over("streamem-gst", UNIXFD, 10, latency(|l| l.p50_us)),
        ),
        aim(
            "longest gap beside a slow consumer (frame times)",
            1.5,
            view.slow_gap(),
        ),
        aim(
            "frames lost, torn or changed beside a slow consumer",
            0.0,
            view.slow_harm(),
        ),
    ]
}

struct View<'a>(&'a Report);

impl View<'_> {
    fn micro(&self, call: Call) -> Option<f64> {
        self.0
            .micro
            .iter()
            .find(|micro| micro.call == call)
            .map(|micro| micro.nanoseconds / 1000.0)
    }

    fn cell(&self, peer: &str, consumers: usize) -> Option<&Cell> {
        self.0
            .paced
            .iter()
            .find(|cell| (cell.consumers, cell.rate) == (consumers, RATE) && cell.peer == peer)
    }

    fn lost(&self, peer: &str) -> Option<f64> {
        let cell = self.0.paced.iter().find(|cell| cell.peer == peer)?;
        Some(cell.figures.lost as f64)
    }

    fn figure(
        &self,
        peer: &str,
        consumers: usize,
        figure: impl Fn(&Figures) -> Option<f64>,
    ) -> Option<f64> {
        figure(&self.cell(peer, consumers)?.figures)
    }

    fn over(
        &self,
        peer: &str,
        other: &str,
        consumers: usize,
        figure: impl Fn(&Figures) -> Option<f64>,
    ) -> Option<f64> {
        let other = self.figure(other, consumers, &figure)?;
        Some(self.figure(peer, consumers, &figure)? / other)
    }

    /// Divided by the reference with the better median latency in that cell.
    fn over_reference(
        &self,
        peer: &str,
        consumers: usize,
        figure: impl Fn(&Figures) -> Option<f64>,
    ) -> Option<f64> {
        let better = &self.0.reference(consumers, RATE)?.peer;
        self.over(peer, better, consumers, figure)
    }

    /// One wake by eventfd is what the reference with one consumer takes.
    fn over_published(&self, consumers: usize) -> Option<f64> {
        let p50 = |peer, consumers| self.figure(peer, consumers, latency(|l| l.p50_us));
        let allowed = p50(OURS, consumers)? + 1.5 * p50("eventfds", 1)?;
        Some(p50("streamem-published", consumers)? / allowed)
    }

    /// The broker and its pool are in both cells; ten Rust consumers are small.
    fn python_frames(&self) -> Option<f64> {
        let consumers = self.figure(PYTHON, 10, pss)? - self.figure(OURS, 10, pss)?;
        Some((consumers - self.0.ten_pythons_mb?) / 10.0 / FRAME_MB)
    }

    fn pss_per_consumer(&self) -> Option<f64> {
        Some((self.figure(OURS, 10, pss)? - self.figure(OURS, 1, pss)?) / 9.0)
    }

    fn slow_gap(&self) -> Option<f64> {
        let slow = self.0.slow.iter().find(|slow| slow.peer == OURS)?;
        Some(slow.gap_ms * f64::from(RATE) / 1000.0)
    }

    fn slow_harm(&self) -> Option<f64> {
        let slow = self.0.slow.iter().find(|slow| slow.peer == OURS)?;
        Some((slow.lost + slow.torn + slow.changed) as f64)
    }
}

fn latency(pick: fn(&Summary) -> f64) -> impl Fn(&Figures) -> Option<f64> {
    move |figures| Some(pick(&figures.latency))
}

fn both(figures: &Figures) -> Option<f64> {
    Some(publish_p50(figures)? + obtain_p50(figures)?)
}

fn publish_p50(figures: &Figures) -> Option<f64> {
    figures.publish.map(|publish| publish.p50_us)
}

fn obtain_p50(figures: &Figures) -> Option<f64> {
    figures.obtain.map(|obtain| obtain.p50_us)
}

fn cpu(figures: &Figures) -> Option<f64> {
    Some(figures.cpu_percent)
}

fn pss(figures: &Figures) -> Option<f64> {
    Some(figures.pss_mb)
}
