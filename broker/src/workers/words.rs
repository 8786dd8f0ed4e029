//! What a worker writes where programs complain: a pipe of its own, from which lines come into the log.
//!
//! Owns how much of that is taken, and in which form; never lets a worker near the broker's own output.

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd};

/// Longest sentence that is taken from one.
const WORDS_MAX: usize = 400;
/// Lines of one worker the log gets in a second.
const LINES_MAX: u32 = 10;
const READ_BYTES: usize = 4096;
/// What can still be in the pipe of one that has ended.
const LAST_READS: u32 = 16;

/// What people can be shown of a sentence that came from outside.
pub(super) fn plain(text: &str) -> String {
    let shown = text.chars().filter(|c| !is_invisible(*c));
    let plain = shown.map(|c| if is_break(c) { ' ' } else { c });
    plain.take(WORDS_MAX).collect()
}

fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Characters that change how others are shown, and are not seen themselves.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// What one writes.
#[derive(Debug)]
pub(super) struct Words {
    pipe: Option<PipeReader>,
    /// A line that has begun, as much as is shown of it.
    begun: Vec<u8>,
    /// Lines in this second, those that were left out too.
    lines: u32,
    is_watched: bool,
}

impl Words {
    /// What comes out of a pipe, and where it goes in.
    pub(super) fn pipe() -> io::Result<(Words, PipeWriter)> {
        let (reader, writer) = io::pipe()?;
        // The other end is another file to the kernel, so the worker waits there as usual.
        fcntl_setfl(&reader, OFlags::NONBLOCK)?;
        let words = Words {
            pipe: Some(reader),
            begun: Vec::new(),
            lines: 0,
            is_watched: false,
        };
        Ok((words, writer))
    }

    /// What is to be watched from now on, if something is: one that has said too much waits.
    pub(super) fn unwatched(&mut self) -> Option<BorrowedFd<'_>> {
        if self.is_watched || self.lines > LINES_MAX {
            return None;
        }
        let pipe = self.pipe.as_ref()?;
        self.is_watched = true;
        Some(pipe.as_fd())
    }

    /// What was watched is ready.
    pub(super) fn take(&mut self) -> Vec<String> {
        self.is_watched = false;
        let mut lines = Vec::new();
        self.read(&mut lines);
        lines
    }

    /// All that is left when the process has ended.
    pub(super) fn take_last(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        for _ in 0..LAST_READS {
            if !self.read(&mut lines) {
                break;
            }
        }
        self.pipe = None;
        self.end_line(&mut lines);
        lines
    }

    /// Whether one more line about this worker fits into this second.
    pub(super) fn may_log(&mut self) -> bool {
        self.lines = self.lines.saturating_add(1);
        self.lines <= LINES_MAX
    }

    /// A second has passed. Returns how many lines were left out.
    pub(super) fn pass(&mut self) -> u32 {
        std::mem::take(&mut self.lines).saturating_sub(LINES_MAX)
    }

    /// Reads once. Returns whether there may be more.
    fn read(&mut self, lines: &mut Vec<String>) -> bool {
        let Some(pipe) = &self.pipe else {
            return false;
        };
        let mut piece = [0; READ_BYTES];
        match rustix::io::read(pipe, &mut piece) {
            Ok(0) => {
                self.pipe = None;
                self.end_line(lines);
                false
            }
            Ok(bytes) => {
                for byte in &piece[..bytes] {
                    self.put(*byte, lines);
                }
                true
            }
            Err(Errno::INTR) => true,
            Err(Errno::AGAIN) => false,
            Err(_) => {
                self.pipe = None;
                false
            }
        }
    }

    fn put(&mut self, byte: u8, lines: &mut Vec<String>) {
        if byte == b'\n' {
            self.end_line(lines);
        } else if self.begun.len() < WORDS_MAX * 4 {
            self.begun.push(byte);
        }
    }

    fn end_line(&mut self, lines: &mut Vec<String>) {
        let bytes = std::mem::take(&mut self.begun);
        let line = plain(String::from_utf8_lossy(&bytes).trim());
        if !line.is_empty() && self.may_log() {
            lines.push(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_comes_from_outside_is_shown_as_one_short_line() {
        assert_eq!(plain("a\nb\u{1b}[31m"), "a b [31m");
        assert_eq!(plain("a\u{202e}b\u{2066}c\u{2028}d\u{200b}e"), "abc de");
        assert_eq!(plain(&"x".repeat(1000)).len(), WORDS_MAX);
    }

    #[test]
    fn lines_are_taken_whole_short_and_not_without_end() {
        let (mut words, mut end) = Words::pipe().unwrap();
        assert!(words.unwatched().is_some() && words.unwatched().is_none());
        end.write_all(b"one\n\ntwo \x1b[31m").unwrap();
        assert_eq!(words.take(), ["one"]);
        end.write_all(b"\n").unwrap();
        end.write_all(&[b'x'; 3000]).unwrap();
        end.write_all(b"\n").unwrap();
        assert_eq!(words.take(), ["two  [31m".to_owned(), "x".repeat(400)]);
        end.write_all(&b"more\n".repeat(50)).unwrap();
        assert_eq!(words.take().len(), 7);
        assert!(words.unwatched().is_none(), "it waits");
        assert_eq!(words.pass(), 43);
        assert!(words.unwatched().is_some());
        end.write_all(b"last").unwrap();
        drop(end);
        assert_eq!(words.take_last(), ["last"]);
        assert!(words.unwatched().is_none());
    }
}
