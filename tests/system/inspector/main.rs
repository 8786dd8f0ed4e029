//! The `streamem` command and the examples, run as a person runs them.
//!
//! Owns running programs and reading what they print; never calls their code.

mod asking;
mod changing;
mod ending;
mod examples;
mod files;
mod looking;

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use streamem_tests::{Broker, binaries};

/// What a command printed, and how it ended.
#[derive(Debug)]
struct Outcome {
    code: Option<i32>,
    out: String,
    complaint: String,
}

impl Outcome {
    fn of(output: &Output) -> Outcome {
        Outcome {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            complaint: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// What a command that went well printed.
    fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    fn json(self) -> Value {
        let out = self.ok();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    fn json_lines(self) -> Vec<Value> {
        let out = self.ok();
        let lines = out.lines().map(serde_json::from_str);
        lines
            .collect::<Result<_, _>>()
            .unwrap_or_else(|error| panic!("{error}: {out}"))
    }
}

/// `streamem` with words, against the broker on this socket.
fn streamem_at(socket: &Path, words: &[&str]) -> Outcome {
    let mut command = Command::new(binaries::program("streamem"));
    command
        .arg("--socket")
        .arg(socket)
        .args(words)
        .env("NO_COLOR", "1");
    Outcome::of(&command.output().expect("streamem runs"))
}

fn streamem(broker: &Broker, words: &[&str]) -> Outcome {
    streamem_at(&broker.socket(), words)
}

/// A broker with a picture, a sound and a batch.
fn broker() -> Broker {
    Broker::with_config(
        "[stream.cam]\nsource = \"pattern://bars?size=320x240&rate=30\"\n\
         [stream.mic]\nsource = \"pattern://sine\"\n\
         [stream.imu]\nsource = \"pattern://imu\"\n",
    )
}
