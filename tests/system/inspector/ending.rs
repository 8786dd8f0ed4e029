//! Ending what fills the terminal: by a key, by Ctrl-C, by a signal. It is no failure, and the terminal
//! is as it was.
//!
//! Owns the terminal and the ways to end; never looks at what is drawn but for a name.

use super::broker;
use rustix::process::Signal;
use std::process::{Child, Command};
use streamem_tests::terminal::Terminal;
use streamem_tests::{Broker, binaries, eventually, proc};

const TOP: &[&str] = &["top"];
const VIEW: &[&str] = &["view", "cam", "--renderer", "blocks"];
const CONTROL_C: &str = "\u{3}";
const LEAVES_ITS_SCREEN: &str = "\u{1b}[?1049l";

fn ends_well(broker: &Broker, words: &[&str], shown: &str, end: impl Fn(&mut Terminal, &Child)) {
    let mut terminal = Terminal::open();
    let before = terminal.modes();
    let mut command = Command::new(binaries::program("streamem"));
    command.arg("--socket").arg(broker.socket()).args(words);
    let mut child = terminal.start(command.env("TERM", "xterm"));
    eventually("a stream is drawn", || {
        terminal.drawn().contains(shown).then_some(())
    });
    assert_ne!(terminal.modes(), before, "keys are not read as they come");
    end(&mut terminal, &child);
    let status = eventually("it ends", || child.try_wait().expect("our child"));
    let drawn = terminal.drawn();
    assert_eq!(status.code(), Some(0), "{words:?}: {status}: {drawn:?}");
    assert_eq!(
        terminal.modes(),
        before,
        "{words:?} leaves the terminal changed"
    );
    eventually("its screen is left", || {
        terminal.drawn().contains(LEAVES_ITS_SCREEN).then_some(())
    });
}

#[test]
fn q_and_control_c_end_top_and_view_without_complaint() {
    let broker = broker();
    for words in [TOP, VIEW] {
        for key in ["q", CONTROL_C] {
            ends_well(&broker, words, "cam", |terminal, _| terminal.type_in(key));
        }
    }
}

#[test]
fn view_of_a_stream_without_frames_says_why_and_how_it_ends() {
    let source = "publish://?format=gray8&size=64x48&rate=30";
    let broker = Broker::with_config(&format!("[stream.later]\nsource = \"{source}\"\n"));
    let why = eventually("it waits for a publisher", || {
        Some(broker.stream("later")["why"].as_str()?.to_owned())
    });
    let shown = format!("q ends; its source is lost: {}", &why[..8]);
    let words = ["view", "later", "--renderer", "blocks"];
    ends_well(&broker, &words, &shown, |terminal, _| terminal.type_in("q"));
}

#[test]
fn a_signal_ends_top_and_view_as_a_key_does() {
    let broker = broker();
    for words in [TOP, VIEW] {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            ends_well(&broker, words, "cam", |_, child| {
                proc::signal(child.id(), signal)
            });
        }
    }
}
