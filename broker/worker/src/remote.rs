//! What the device is asked beside its streams: its version, its time, and whether its camera is started.
//!
//! Owns the port for such questions, which serves one client at a time and is therefore left between them; never sets
//! anything on the device.

use crate::exchange::Exchange;
use crate::line::{Link, LinkError, Ring};
use crate::time::DeviceTime;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};
use streamem_hl2ss::clock::Exchange as Asked;
use streamem_hl2ss::remote::{Clock, Command, PORT, Reply};
use streamem_hl2ss::{Malformed, Refused, TooOld};
use streamem_sys::clock::monotonic_ns;

/// An answer takes a round trip.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Questions for the time in a row: the quickest counts.
const IN_A_ROW: u32 = 5;
/// At first the drift is not known, and so the time is asked for more often.
const OFTEN: Duration = Duration::from_secs(2);
const SELDOM: Duration = Duration::from_secs(10);
const OFTEN_COUNT: u32 = 10;
/// One that is not there is asked less and less often.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// There is no connection.
    #[error("{0}")]
    Unreachable(String),
    /// There was one.
    #[error("it did not answer on port {PORT}: {0}")]
    Link(#[from] LinkError),
    /// It answered something else.
    #[error("its answer on port {PORT} means nothing: {0}")]
    Malformed(#[from] Malformed),
    /// It cannot be asked that.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Its version is not one this program knows.
    #[error(transparent)]
    TooOld(#[from] TooOld),
}

/// What is known of the version.
#[derive(Clone, Debug, Default)]
pub enum Verdict {
    /// Not asked yet.
    #[default]
    Unknown,
    /// This one, and it will do.
    Fits(String),
    /// It cannot be asked now, which need not keep from streams: somebody else may be served on that port.
    Silent,
    /// It will not do.
    Wrong(String),
}

/// Asks the device, from any thread.
#[derive(Clone, Debug)]
pub struct Remote {
    exchange: Exchange,
    ring: Arc<Mutex<Ring>>,
    verdict: Arc<(Mutex<Verdict>, Condvar)>,
    /// How the device's clock runs.
    pub time: Arc<DeviceTime>,
}

impl Remote {
    /// Asks with this ring.
    pub fn new(exchange: Exchange, ring: Ring) -> Remote {
        Remote {
            exchange,
            ring: Arc::new(Mutex::new(ring)),
            verdict: Arc::default(),
            time: Arc::default(),
        }
    }

    /// Asks all of it on one connection.
    pub fn ask(&self, commands: &[Command]) -> Result<Vec<Reply>, RemoteError> {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = self.exchange.connect(PORT);
        let socket = socket.map_err(RemoteError::Unreachable)?;
        let mut link = Link::over(&mut ring, socket, ANSWER_MAX);
        commands
            .iter()
            .map(|command| answer(&mut link, command))
            .collect()
    }

    /// Whether the colour camera is started.
    pub fn video_is_started(&self) -> Result<bool, RemoteError> {
        let replies = self.ask(&[Command::VideoStatus])?;
        Ok(replies.contains(&Reply::VideoStatus(true)))
    }

    /// What is known of the version, which is waited for so long.
    pub fn verdict(&self, longest: Duration) -> Verdict {
        let (verdict, told) = &*self.verdict;
        let verdict = verdict.lock().unwrap_or_else(PoisonError::into_inner);
        let is_unknown = |verdict: &mut Verdict| matches!(verdict, Verdict::Unknown);
        let waited = told.wait_timeout_while(verdict, longest, is_unknown);
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    fn judge(&self, judged: Verdict) {
        let (verdict, told) = &*self.verdict;
        *verdict.lock().unwrap_or_else(PoisonError::into_inner) = judged;
        told.notify_all();
    }

    /// Asks for version and time again and again, as long as this process lives.
    pub fn run(&self) {
        let (mut asked, mut pause) = (0, OFTEN);
        loop {
            match self.look() {
                Ok(version) => {
                    self.judge(version);
                    asked += 1;
                    pause = if asked < OFTEN_COUNT { OFTEN } else { SELDOM };
                }
                Err(why) => {
                    self.judge(match why {
                        RemoteError::TooOld(why) => Verdict::Wrong(why.to_string()),
                        _ => Verdict::Silent,
                    });
                    asked = 0;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            sleep(pause);
        }
    }

    fn look(&self) -> Result<Verdict, RemoteError> {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = self.exchange.connect(PORT);
        let socket = socket.map_err(RemoteError::Unreachable)?;
        let mut link = Link::over(&mut ring, socket, ANSWER_MAX);
        let mut fits = Verdict::Unknown;
        if let Reply::Version(version) = answer(&mut link, &Command::Version)? {
            version.check()?;
            fits = Verdict::Fits(version.to_string());
        }
        let began = Instant::now();
        for _ in 0..IN_A_ROW {
            let sent_ns = monotonic_ns();
            let reply = answer(&mut link, &Command::Now(Clock::Ticks))?;
            let received_ns = monotonic_ns();
            if let Reply::Ticks(device) = reply {
                self.time.learn(Asked {
                    sent_ns,
                    device,
                    received_ns,
                });
            }
            if began.elapsed() > ANSWER_MAX {
                break;
            }
        }
        Ok(fits)
    }
}

fn answer(link: &mut Link<'_>, command: &Command) -> Result<Reply, RemoteError> {
    link.limit(Some(ANSWER_MAX));
    link.send(&command.bytes()?)?;
    let mut bytes = vec![0; command.reply_bytes()];
    link.receive(&mut bytes, &mut |_: Duration| true)?;
    Ok(command.reply(&bytes)?)
}
