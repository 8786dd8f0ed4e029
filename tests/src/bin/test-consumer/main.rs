//! A consumer for the system tests, in a process of its own: `test-consumer SOCKET STREAM OPTION=…`.
//!
//! Owns nothing but what it was told to do; never decides whether what it saw was right.
//!
//! It prints a JSON object a line. Options: `mode=latest|every`, `depth=N`, `leases=N`, `hold=N`
//! (keep the last N frames and look at each again before it goes), `check=bars` (compare every
//! byte), `slow_ms=N`, `wait=1`, `history=N`; or instead `attack=1`, `scribble=1`, `call=JSON`,
//! or `publish=URI` (fill the stream with that pattern; `own=N` in memory it brings).
//! Commands on its standard input: `report`, `hold`, `release`, `clip N`, `quit`.

mod options;
mod publisher;
mod reader;
mod seen;
mod stranger;

use options::Options;
use serde_json::json;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match Options::from_arguments(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(complaint) => return fail(&complaint),
    };
    let outcome = if options.has("attack") {
        stranger::attack(&options)
    } else if options.has("scribble") {
        stranger::scribble(&options)
    } else if options.has("publish") {
        publisher::run(&options)
    } else if options.has("call") {
        stranger::call(&options)
    } else {
        reader::run(&options)
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => fail(&complaint),
    }
}

fn fail(complaint: &str) -> ExitCode {
    println!("{}", json!({"is": "error", "message": complaint}));
    ExitCode::FAILURE
}
