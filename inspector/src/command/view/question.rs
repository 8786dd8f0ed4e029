//! Asking the terminal which pictures it can show.
//!
//! Owns the question and reading the answer; never waits long for a terminal that says nothing.

use super::terminal::Terminal;
use crate::cli::Renderer;
use crate::failure::Failure;
use crate::output::last_words;
use crate::picture::kitty;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::env;
use std::time::{Duration, Instant};

/// Asks for the terminal's attributes; every terminal answers this, so the wait ends early.
const ATTRIBUTES: &str = "\x1b[c";
const PATIENCE: Duration = Duration::from_millis(300);

/// The best way to show pictures here.
pub fn best_renderer(terminal: &mut Terminal) -> Result<Renderer, Failure> {
    let multiplexed = env::var_os("TMUX").is_some() || env::var_os("STY").is_some();
    if !multiplexed && is_known_kitty(|name| env::var(name).ok()) {
        return Ok(Renderer::Kitty);
    }
    if !terminal.has_keys() {
        return Ok(Renderer::Blocks);
    }
    last_words(format!("{}{ATTRIBUTES}", kitty::QUERY).as_bytes());
    Ok(understood(&answer()))
}

fn is_known_kitty(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is = |name: &str, wanted: &[&str]| {
        variable(name).is_some_and(|value| wanted.contains(&value.as_str()))
    };
    variable("KITTY_WINDOW_ID").is_some()
        || is("TERM", &["xterm-kitty", "xterm-ghostty"])
        || is("TERM_PROGRAM", &["ghostty", "WezTerm"])
}

/// What the terminal says until it has told its attributes, or nothing more.
fn answer() -> Vec<u8> {
    let stdin = rustix::stdio::stdin();
    let deadline = Instant::now() + PATIENCE;
    let mut answer = Vec::new();
    while !is_whole(&answer) {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(left) = Timespec::try_from(left) else {
            break;
        };
        let mut waiting = [PollFd::new(&stdin, PollFlags::IN)];
        let mut bytes = [0; 256];
        match poll(&mut waiting, Some(&left)) {
            Ok(1..) => {}
            _ => break,
        }
        match rustix::io::read(stdin, &mut bytes) {
            Ok(count @ 1..) => answer.extend_from_slice(&bytes[..count]),
            _ => break,
        }
    }
    answer
}

fn attributes(answer: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(answer);
    let (_, after) = text.rsplit_once("\x1b[?")?;
    let (attributes, _) = after.split_once('c')?;
    Some(attributes.to_owned())
}

fn is_whole(answer: &[u8]) -> bool {
    attributes(answer).is_some()
}

fn understood(answer: &[u8]) -> Renderer {
    let text = String::from_utf8_lossy(answer);
    if text.contains("\x1b_Gi=31;OK") {
        return Renderer::Kitty;
    }
    let sixel = |attributes: String| attributes.split(';').any(|number| number == "4");
    match attributes(answer).is_some_and(sixel) {
        true => Renderer::Sixel,
        false => Renderer::Blocks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_says_what_the_terminal_can() {
        assert_eq!(
            understood(b"\x1b_Gi=31;OK\x1b\\\x1b[?62;c"),
            Renderer::Kitty
        );
        assert_eq!(understood(b"\x1b[?62;4;22c"), Renderer::Sixel);
        assert_eq!(understood(b"\x1b[?1;2c"), Renderer::Blocks);
        assert_eq!(
            understood(b"\x1b_Gi=31;ENOTSUPPORTED\x1b\\\x1b[?64;1c"),
            Renderer::Blocks
        );
        assert_eq!(understood(b""), Renderer::Blocks);
    }

    #[test]
    fn an_answer_is_whole_when_the_attributes_are_there() {
        assert!(!is_whole(b"\x1b_Gi=31;OK\x1b\\\x1b[?62"));
        assert!(is_whole(b"\x1b_Gi=31;OK\x1b\\\x1b[?62;c"));
    }

    #[test]
    fn kitty_is_known_by_its_surroundings() {
        let with = |name: &'static str, value: &'static str| {
            move |asked: &str| (asked == name).then(|| value.to_owned())
        };
        assert!(is_known_kitty(with("TERM", "xterm-kitty")));
        assert!(!is_known_kitty(with("TERM", "xterm-256color")));
    }
}
