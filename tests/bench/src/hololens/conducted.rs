//! A process that waits for words: it says when it is ready, measures between `measure` and `stop`, and says what it
//! saw; each in one line.
//!
//! It owns both ends of that talk, and never waits for ever.

use serde::de::DeserializeOwned;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(90);

/// How long a process may take to end by itself, once it is told nothing any more.
const ENDING: Duration = Duration::from_secs(3);

/// The end that conducts. The process ends, or is killed, when this is dropped.
#[derive(Debug)]
pub struct Conducted {
    child: Child,
    lines: Receiver<String>,
}

impl Conducted {
    /// Starts a process.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("no pipe"))?;
        let (told, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// This program again, in one of the roles of a headset's run.
    pub fn role(arguments: &[&str]) -> io::Result<Self> {
        let mut command = Command::new("/proc/self/exe");
        Self::start(command.arg("hololens-role").args(arguments))
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next thing it says.
    pub fn hear<T: DeserializeOwned>(&self) -> io::Result<T> {
        let line = self.lines.recv_timeout(PATIENCE);
        let line =
            line.map_err(|why| io::Error::other(format!("a participant said nothing: {why}")))?;
        serde_json::from_str(&line).map_err(|why| io::Error::other(format!("{why}: {line}")))
    }

    /// Says a word to it.
    pub fn say(&mut self, word: &str) -> io::Result<()> {
        let pipe = self.child.stdin.as_mut();
        let pipe = pipe.ok_or_else(|| io::Error::other("no pipe"))?;
        writeln!(pipe, "{word}")
    }
}

impl Drop for Conducted {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let until = Instant::now() + ENDING;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Things run, and nothing is counted.
    Warm,
    /// What comes counts.
    Measure,
    /// It is over.
    Over,
}

/// The end that is conducted.
#[derive(Clone, Debug, Default)]
pub struct Conductor(Arc<AtomicU8>);

impl Conductor {
    /// Listens for words on the standard input; its end is the end of the run.
    #[must_use]
    pub fn listen() -> Self {
        let conductor = Self::default();
        let told = conductor.clone();
        std::thread::spawn(move || {
            for line in io::stdin().lock().lines().map_while(Result::ok) {
                told.0.store(
                    u8::from(line == "measure") + 2 * u8::from(line == "stop"),
                    SeqCst,
                );
            }
            told.0.store(2, SeqCst);
        });
        conductor
    }

    /// Where the run is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.0.load(SeqCst) {
            0 => Phase::Warm,
            1 => Phase::Measure,
            _ => Phase::Over,
        }
    }
}
