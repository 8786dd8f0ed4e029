//! An ordinary reader, written with the client crate as anybody would.
//!
//! Owns the subscription and the commands; never judges the frames (see `seen`).

use crate::options::Options;
use crate::seen::{Looked, Seen};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;
use streamem::{Frame, Subscription};

const A_WHILE: Duration = Duration::from_millis(100);

struct Reader {
    subscription: Subscription,
    seen: Seen,
    last_frames: VecDeque<Looked>,
    kept: Vec<Looked>,
    keep: usize,
    slowness: Duration,
}

/// Reads until told to stop.
pub fn run(options: &Options) -> Result<(), String> {
    let subscription = open(options)?;
    let mut reader = Reader {
        seen: Seen::new(options.text("check") == "bars"),
        subscription,
        last_frames: VecDeque::new(),
        kept: Vec::new(),
        keep: options.number("hold", 0)?,
        slowness: Duration::from_millis(options.number("slow_ms", 0)?),
    };
    println!("{}", json!({"is": "opened", "pid": std::process::id()}));
    let commands = commands();
    loop {
        match commands.try_recv() {
            Ok(command) if command == "quit" => break,
            Ok(command) => reader.obey(&command)?,
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => break,
        }
        match reader.subscription.next(A_WHILE) {
            Ok(Some(frame)) => reader.take(frame),
            Ok(None) => {}
            Err(streamem::Error::LeasesExhausted { .. }) => std::thread::sleep(A_WHILE),
            Err(error) => return Err(format!("{error:?}: {error}")),
        }
    }
    reader.let_go();
    println!("{}", reader.report());
    Ok(())
}

fn open(options: &Options) -> Result<Subscription, String> {
    let mut builder = Subscription::builder(&options.stream)
        .socket(&options.socket)
        .leases(options.number("leases", 2)?)
        .wait(options.has("wait"));
    builder = match options.text("mode") {
        "every" => builder.every(options.number("depth", 8)?),
        _ => builder.latest(),
    };
    if options.has("history") {
        builder = builder.history(options.number("history", 1)?);
    }
    builder
        .open()
        .map_err(|error| format!("{error:?}: {error}"))
}

pub fn commands() -> Receiver<String> {
    let (sender, commands) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    commands
}

impl Reader {
    fn take(&mut self, frame: Frame) {
        let looked = self.seen.first_look(frame);
        self.last_frames.push_back(looked);
        while self.last_frames.len() > self.keep {
            if let Some(oldest) = self.last_frames.pop_front() {
                self.seen.second_look(&oldest);
            }
        }
        if !self.slowness.is_zero() {
            std::thread::sleep(self.slowness);
        }
    }

    fn obey(&mut self, command: &str) -> Result<(), String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["report"] => println!("{}", self.report()),
            ["hold"] => self.hold()?,
            ["release"] => self.release(),
            ["clip", count] => self.clip(count.parse().map_err(|_| "clip wants a number")?)?,
            _ => return Err(format!("unknown command {command:?}")),
        }
        Ok(())
    }

    fn hold(&mut self) -> Result<(), String> {
        let next = self.subscription.next(Duration::from_secs(10));
        let frame = next.map_err(|error| error.to_string())?;
        let frame = frame.ok_or("nothing came to hold")?;
        println!("{}", json!({"is": "holding", "sequence": frame.sequence()}));
        self.kept.push(self.seen.first_look(frame));
        Ok(())
    }

    fn release(&mut self) {
        let count = self.kept.len();
        self.kept
            .drain(..)
            .for_each(|looked| self.seen.second_look(&looked));
        println!(
            "{}",
            json!({"is": "released", "count": count, "changed": self.seen.changed()})
        );
    }

    fn clip(&mut self, count: usize) -> Result<(), String> {
        let frames = self
            .subscription
            .clip(count)
            .map_err(|error| error.to_string())?;
        let sequences: Vec<u64> = frames.iter().map(Frame::sequence).collect();
        println!("{}", json!({"is": "clip", "sequences": sequences}));
        Ok(())
    }

    fn let_go(&mut self) {
        let all = self.last_frames.drain(..).chain(self.kept.drain(..));
        for looked in all.collect::<Vec<_>>() {
            self.seen.second_look(&looked);
        }
    }

    fn report(&self) -> Value {
        let mut report = self.seen.report();
        report["is"] = json!("report");
        report["missed_in_all"] = json!(self.subscription.missed());
        report
    }
}
