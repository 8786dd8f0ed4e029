//! One port of the device: connected, asked, read, and connected again.
//!
//! Owns the order of these things and how long is waited between them; never touches another port.

mod calibrating;
mod link;
mod reading;

pub use link::{Link, LinkError, Ring};

use crate::exchange::Exchange;
use crate::fill::{self, FillError};
use crate::meter::Meter;
use crate::output::Output;
use crate::pulse::Pulse;
use crate::remote::{Remote, RemoteError, Verdict};
use crate::teller::Teller;
use reading::Reading;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::thread::sleep;
use std::time::{Duration, Instant};
use streamem_codec::CodecError;
use streamem_hl2ss::{Malformed, Refused, request};
use streamem_orders::{Ask, Calibration, Notice};
use streamem_wire::StreamName;

/// What is said before anything is known.
const REACHING: &str = "the device is being reached";
/// The device serves the next client of a port a moment after it has noticed that the last is gone.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A connection that gave frames for so long is forgiven what went before.
const STAYED_UP: Duration = Duration::from_secs(10);
/// The version is asked for at the same time; without an answer it is tried all the same.
const VERSION_TIME: Duration = Duration::from_secs(8);
/// Opening its camera takes the device up to three seconds.
const START_TIME: Duration = Duration::from_secs(10);
const START_PAUSE: Duration = Duration::from_millis(250);
/// Of what is wrong with packets people hear so often.
const COMPLAINT_PAUSE: Duration = Duration::from_secs(5);
/// Half-open connections end like this, at the latest.
const SILENT_MAX: Duration = Duration::from_secs(10);

/// What the thread of a port is told.
#[derive(Debug)]
pub enum Change {
    /// Another stream of this port.
    Add(Box<Output>),
    /// One stream less.
    Remove(StreamName),
}

/// Why there are no frames.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// There is no connection.
    #[error("{0}")]
    Unreachable(String),
    /// There was one.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// What came is not from such a device.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// What came is of no use here.
    #[error(transparent)]
    Fill(#[from] FillError),
    /// Nothing can decode it.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// It cannot be asked for.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The device could not be asked something first.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The camera does not start.
    #[error(
        "the device has not started its camera within {} s: does another program have it?",
        START_TIME.as_secs()
    )]
    NotStarted,
}

/// A port and its streams.
#[derive(Debug)]
pub struct Line {
    ask: Ask,
    outputs: Vec<Output>,
    changes: Receiver<Change>,
    exchange: Exchange,
    remote: Remote,
    teller: Teller,
    pulse: Arc<Pulse>,
    meter: Meter,
    is_calibrated: bool,
    calibration: Option<(Calibration, OwnedFd)>,
    number: u64,
    why_lost: String,
    complaint: String,
    device: Option<String>,
    decoder: Option<String>,
    clock_error_ns: Option<u64>,
    complained: Option<Instant>,
    has_started: bool,
    is_up: bool,
}

impl Line {
    /// A line without streams yet.
    pub fn new(
        ask: Ask,
        changes: Receiver<Change>,
        exchange: Exchange,
        remote: Remote,
        teller: Teller,
        pulse: Arc<Pulse>,
    ) -> Line {
        Line {
            ask,
            outputs: Vec::new(),
            changes,
            exchange,
            remote,
            teller,
            pulse,
            meter: Meter::default(),
            is_calibrated: false,
            calibration: None,
            number: 0,
            why_lost: REACHING.to_owned(),
            complaint: String::new(),
            device: None,
            decoder: None,
            clock_error_ns: None,
            complained: None,
            has_started: false,
            is_up: false,
        }
    }

    /// Fills the streams until there are none any more, and leaves the device as it was.
    pub fn run(mut self, ring: &mut Ring) {
        self.fill(ring);
        if self.has_started
            && let Ok(stop) = request::stop(self.ask.stream())
            && let Ok(mut link) = self.link(ring)
        {
            // The device also stops when it is told so by nobody: it goes to sleep.
            let _stopped = link.send(stop.bytes());
        }
    }

    fn fill(&mut self, ring: &mut Ring) {
        let mut pause = FIRST_PAUSE;
        while self.take_changes(Duration::MAX) {
            let began = Instant::now();
            self.is_up = false;
            let Err(why) = self.serve(ring) else {
                continue;
            };
            self.meter.disconnect();
            let was_up = std::mem::take(&mut self.is_up);
            if matches!(why, LineError::Link(LinkError::Stopped)) {
                continue;
            }
            if was_up && began.elapsed() > STAYED_UP {
                pause = FIRST_PAUSE;
            }
            self.lose(&format!("{why}; trying again in {} s", pause.as_secs()));
            if !self.rest(pause) {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Takes in what has changed, waiting for a first stream so long. Whether there is one.
    fn take_changes(&mut self, longest: Duration) -> bool {
        if self.outputs.is_empty() {
            match self.changes.recv_timeout(longest) {
                Ok(change) => self.change(change),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        loop {
            match self.changes.try_recv() {
                Ok(change) => self.change(change),
                Err(TryRecvError::Empty) => return !self.outputs.is_empty(),
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Add(mut output) => {
                output.lose(&self.why_lost);
                self.outputs.push(*output);
                self.tell_calibration();
            }
            Change::Remove(stream) => self.outputs.retain(|output| output.stream != stream),
        }
    }

    /// Waits, but no longer than there are streams.
    fn rest(&mut self, pause: Duration) -> bool {
        const SLICE: Duration = Duration::from_millis(100);
        let end = Instant::now() + pause;
        while Instant::now() < end {
            sleep(SLICE.min(end.saturating_duration_since(Instant::now())));
            if !self.take_changes(Duration::ZERO) {
                return !self.outputs.is_empty();
            }
            self.mention();
        }
        true
    }

    fn lose(&mut self, why: &str) {
        why.clone_into(&mut self.why_lost);
        for output in &mut self.outputs {
            output.lose(why);
        }
    }

    /// Connects, and reads until something goes wrong.
    fn serve(&mut self, ring: &mut Ring) -> Result<(), LineError> {
        match self.remote.verdict(VERSION_TIME) {
            Verdict::Fits(version) => self.device = Some(version),
            Verdict::Wrong(why) => return Err(LineError::Unreachable(why)),
            Verdict::Unknown | Verdict::Silent => {}
        }
        self.start(ring)?;
        self.calibrate(ring);
        REACHING.clone_into(&mut self.why_lost);
        let request = self.ask.request()?;
        let mut fill = fill::of(&self.ask)?;
        let mut link = self.link(ring)?;
        link.send(request.bytes())?;
        self.meter.connect();
        self.complaint.clear();
        let Some(mut reading) = Reading::of(&request) else {
            return Ok(());
        };
        self.decoder = fill.decoder();
        loop {
            let read = reading.packet(&mut link, self, &mut *fill);
            if read.is_err() {
                fill.leave(&mut self.outputs);
                return read;
            }
        }
    }

    fn link<'r>(&self, ring: &'r mut Ring) -> Result<Link<'r>, LineError> {
        let port = self.ask.stream().port();
        let socket = self.exchange.connect(port);
        let socket = socket.map_err(LineError::Unreachable)?;
        Ok(Link::over(ring, socket, SILENT_MAX))
    }

    /// Starts the camera, if it must be started and is not.
    fn start(&mut self, ring: &mut Ring) -> Result<(), LineError> {
        let Some(start) = self.ask.start() else {
            return Ok(());
        };
        // Of other cameras the device does not tell.
        let is_video = matches!(self.ask, Ask::Video(_));
        if is_video && self.remote.video_is_started()? {
            return Ok(());
        }
        self.link(ring)?.send(start.bytes())?;
        self.has_started = true;
        let end = Instant::now() + START_TIME;
        while is_video && !self.remote.video_is_started()? {
            if Instant::now() > end {
                return Err(LineError::NotStarted);
            }
            sleep(START_PAUSE);
        }
        Ok(())
    }

    /// Says what is wrong with packets, but not of each.
    fn complain(&mut self, what: &str) {
        if self
            .complained
            .is_some_and(|last| last.elapsed() < COMPLAINT_PAUSE)
        {
            return;
        }
        self.complained = Some(Instant::now());
        what.clone_into(&mut self.complaint);
        let stream = self.outputs.first().map(|output| &output.stream);
        self.teller.trouble(stream, what);
    }

    /// Packets come; a stream that has no frames all the same is lost.
    fn look_for_frames(&mut self) {
        for output in self.outputs.iter_mut().filter(|output| output.is_starved()) {
            let why = match &*self.complaint {
                "" => "no key frame is among them",
                complaint => complaint,
            };
            output.lose(&format!(
                "packets come, and no frame can be made of them: {why}; if it stays so, start the application on the \
                 device again"
            ));
        }
    }

    /// Says how the streams do, if it is time to.
    fn mention(&mut self) {
        let Some(mut figures) = self.meter.read() else {
            return;
        };
        figures.device.clone_from(&self.device);
        figures.decoder.clone_from(&self.decoder);
        figures.clock_error_ns = self.clock_error_ns;
        for output in &mut self.outputs {
            let (stream, mut figures) = (output.stream.clone(), Box::new(figures.clone()));
            figures.dropped = output.dropped;
            self.teller.mention(&Notice::Figures { stream, figures });
        }
    }
}
