//! The Rust client, driven by lines: a command on standard input, an answer in JSON on standard output.
//!
//! Owns the names a test gives to subscriptions, frames and publishers; uses nothing of the client that a
//! program elsewhere could not use. `driver.c` and `driver.py` beside it speak the same lines.
//!
//! `conformance-driver SOCKET`, then:
//!
//! | command | answer |
//! |---|---|
//! | `streams` | `streams`, as the broker told |
//! | `open S STREAM [mode= depth= history= leases= eventfd= wait=MS]`, `close S` | `done` |
//! | `next S MS F`, `try S F`, `latest S F` | `sequence` and `missed` of the frame, from now on F; `null` |
//! | `clip S N F` | `clip`: the sequences of the frames, from now on F0, F1, … |
//! | `poll S MS` | `readable` |
//! | `state S`, `missed S`, `layout S` | `state`, `missed`, `layout` |
//! | `tell F` | all that is said of the frame |
//! | `dump F PATH` | `bytes`; they are in that file |
//! | `release F` | `done` |
//! | `publish P STREAM [like= format= width= height= rate= slots=]` | `layout` |
//! | `slot P MS` | `size`, or `null` |
//! | `fill P PATH` | `done`; the slot has the bytes of that file |
//! | `submit P [bytes= captured_ns= source_sequence= source_clock= clock= flags= side=1]` | `done` |
//! | `unpublish P` | `done` |
//! | `hammer STREAM seconds= seed= reference= [mode= depth= leases=]` | counts of what was seen |
//!
//! A failure is `error`, one word for each cause, and `says`, the client's sentence.

mod failure;
mod filling;
mod hammer;
mod picture;
mod reading;
mod words;

use failure::Failure;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::PathBuf;
use streamem::{Client, Frame, Publisher, Subscription};
use words::Words;

#[derive(Debug)]
struct Driver {
    socket: PathBuf,
    subscriptions: HashMap<String, Subscription>,
    /// A released frame is `None`: a program that uses one does not compile, so there is nothing to try.
    frames: HashMap<String, Option<Frame>>,
    publishers: HashMap<String, Publisher>,
}

fn main() {
    let mut driver = Driver {
        socket: std::env::args_os().nth(1).unwrap_or_default().into(),
        subscriptions: HashMap::new(),
        frames: HashMap::new(),
        publishers: HashMap::new(),
    };
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let answer = driver.obey(&Words::of(&line));
        println!("{}", answer.unwrap_or_else(|failure| failure.told()));
    }
}

fn done() -> Value {
    json!({"done": true})
}

impl Driver {
    fn obey(&mut self, words: &Words<'_>) -> Result<Value, Failure> {
        match words.at(0)? {
            "streams" => {
                let streams = Client::connect(Some(&self.socket))?.list()?;
                Ok(json!({ "streams": streams }))
            }
            "open" => self.open(words),
            "close" => {
                self.subscriptions.remove(words.at(1)?);
                Ok(done())
            }
            "next" | "try" | "latest" => self.take(words),
            "clip" => self.clip(words),
            "poll" => self.poll(words),
            "state" | "missed" | "layout" => self.ask(words),
            "tell" => Ok(reading::tell(self.frame(words.at(1)?)?)),
            "dump" => self.dump(words),
            "release" => {
                self.frame(words.at(1)?)?;
                self.frames.insert(words.at(1)?.to_owned(), None);
                Ok(done())
            }
            "publish" => self.publish(words),
            "slot" => self.slot(words),
            "fill" => self.fill(words),
            "submit" => self.submit(words),
            "unpublish" => self.unpublish(words),
            "hammer" => hammer::run(&self.socket, words),
            other => Err(Failure::test(format!("unknown command {other:?}"))),
        }
    }
}
