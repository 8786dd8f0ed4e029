//! C programs against a real broker: as they are, under the sanitizers, and under valgrind.
//!
//! Owns which program is run how; what must hold is checked in the programs themselves.

use serde_json::json;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use streamem::{Format, Layout};
use streamem_tests::c_library::{Build, Library, succeeded};
use streamem_tests::{Broker, eventually};
use streamemd::source::pattern::bars;

/// Each program with the stream it reads.
const PROGRAMS: [(&str, &str); 5] = [
    ("faults", "cam"),
    ("structs", "cam"),
    ("publishing", "cam"),
    ("loop", "cam"),
    ("threads", "slow"),
];

/// Where a C program of these tests is.
fn own(name: &str) -> String {
    format!("tests/system/capi/c/{name}.c")
}

fn broker() -> Broker {
    Broker::with_config(
        "[stream.cam]\nsource = \"pattern://bars?size=320x240&rate=30\"\n\
         [stream.slow]\nsource = \"pattern://bars?size=320x240&rate=1\"\n",
    )
}

fn run(command: &mut Command, words: [&str; 2], broker: &Broker) -> Output {
    let socket = broker.socket();
    let command = command.arg(socket).args(words);
    command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}: scripts/setup.sh test"))
}

/// What the broker keeps for those who read.
fn nothing_is_left(broker: &Broker) {
    eventually("every subscription has gone", || {
        (broker.stream("cam")["subscriptions"] == 0).then_some(())
    });
}

#[test]
fn every_program_finds_what_it_should() {
    let broker = broker();
    for (name, stream) in PROGRAMS {
        let program = Library::built().compile(&[&own(name)], Build::C);
        let output = run(&mut Command::new(program), [stream, ""], &broker);
        succeeded(name, &output);
    }
    nothing_is_left(&broker);
}

#[test]
fn the_sanitizers_find_nothing() {
    let broker = broker();
    for (name, stream) in PROGRAMS {
        let program = Library::built().compile(&[&own(name)], Build::Sanitized);
        let output = run(&mut Command::new(program), [stream, ""], &broker);
        succeeded(name, &output);
    }
    nothing_is_left(&broker);
}

fn valgrind(program: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", "--error-exitcode=9", "--leak-check=full"])
        .args(["--show-leak-kinds=all", "--errors-for-leak-kinds=all"])
        .arg(program);
    command
}

#[test]
fn valgrind_finds_nothing_and_nothing_left() {
    let broker = broker();
    for (name, stream) in PROGRAMS {
        let program = Library::built().compile(&[&own(name)], Build::C);
        let output = run(&mut valgrind(&program), [stream, ""], &broker);
        succeeded(name, &output);
    }
    nothing_is_left(&broker);
}

/// That the tests above can fail.
#[test]
fn a_frame_that_is_kept_is_found_by_valgrind_and_one_used_too_late_by_the_kernel() {
    let broker = broker();
    let careless = own("careless");
    let program = Library::built().compile(&[&careless], Build::C);
    let kept = run(&mut valgrind(&program), ["cam", "keep"], &broker);
    assert_eq!(kept.status.code(), Some(9), "{kept:?}");
    let late = run(&mut Command::new(program), ["cam", "late"], &broker);
    let segmentation_fault = Some(rustix::process::Signal::SEGV.as_raw());
    assert_eq!(late.status.signal(), segmentation_fault, "{late:?}");
}

#[test]
fn a_reader_stays_while_the_broker_is_away_and_hears_of_the_streams_end() {
    let mut broker = broker();
    let program = Library::built().compile(&[&own("staying")], Build::C);
    let mut reader = Command::new(program)
        .arg(broker.socket())
        .arg("cam")
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut lines = BufReader::new(reader.stdout.take().expect("a pipe")).lines();
    // It ends by itself when nothing happens for long, and so does this.
    let mut hear = |what: &str| {
        let mut lines = lines.by_ref().map_while(Result::ok);
        assert!(lines.any(|line| line == what), "it never said {what:?}");
    };
    hear("frame");
    broker.kill9();
    hear("away");
    broker.restart();
    hear("frame");
    broker.ask("RemoveStream", json!({ "stream": "cam" }));
    hear("ended");
    assert!(reader.wait().expect("its end").success());
}

#[test]
fn each_pixel_is_what_the_source_made() {
    let broker = broker();
    let program = Library::built().compile(&[&own("frames")], Build::C);
    let output = run(&mut Command::new(program), ["cam", "10"], &broker);
    succeeded("frames", &output);
    let layout = Layout::video(Format::Bgr24, 320, 240, 30.0).expect("a layout");
    let mut rest = &output.stdout[..];
    let mut last = None;
    let mut seen = 0;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').expect("a line");
        let line = std::str::from_utf8(&rest[..end]).expect("a line");
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[4..], ["230400", "bgr24", "320", "240", "960", "1"]);
        let number = |at: usize| words[at].parse::<u64>().expect("a number");
        let (sequence, missed) = (number(0), number(1));
        assert!(
            number(2) <= number(3),
            "captured before it was published: {line}"
        );
        assert!(
            last.is_none_or(|last| sequence == last + missed + 1),
            "{line}"
        );
        let (pixels, after) = rest[end + 1..].split_at(230_400);
        bars::check(&layout, pixels).expect("each pixel");
        last = Some(sequence);
        seen += 1;
        rest = after;
    }
    assert_eq!(seen, 10);
}
