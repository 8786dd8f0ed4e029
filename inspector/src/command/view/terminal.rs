//! The terminal while a picture is shown in it.
//!
//! Owns raw mode, the alternate screen and the cursor, and gives all of them back when dropped; never
//! draws anything itself.

use super::super::ending::Ending;
use super::canvas::Drawn;
use crate::failure::Failure;
use crate::output::last_words;
use crate::picture::kitty;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use ratatui::crossterm::terminal;
use std::env;
use std::io::{self, IsTerminal};
use std::time::Duration;

const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const LEAVE: &str = "\x1b[?2026l\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
const BEGIN_FRAME: &str = "\x1b[?2026h\x1b[H";
const END_FRAME: &str = "\x1b[?2026l";
/// The size taken where nothing says another.
const USUAL: (u32, u32) = (80, 24);
/// A character's usual size in pixels.
const USUAL_CELL: (u32, u32) = (8, 16);

/// The size of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Characters in a line.
    pub columns: u32,
    /// Lines.
    pub rows: u32,
    /// Pixels in a character's width.
    pub cell_width: u32,
    /// Pixels in its height.
    pub cell_height: u32,
}

/// The terminal, borrowed if there is one.
#[derive(Debug)]
pub struct Terminal {
    borrowed: bool,
    keys: bool,
    last_size: Option<Size>,
    ending: Ending,
}

impl Terminal {
    /// Takes the terminal, if output goes to one.
    pub fn borrow(is_terminal: bool) -> Result<Terminal, Failure> {
        let mut taken = Terminal {
            borrowed: false,
            keys: false,
            last_size: None,
            ending: Ending::default(),
        };
        if !is_terminal {
            return Ok(taken);
        }
        taken.ending = Ending::watch()?;
        taken.keys = io::stdin().is_terminal();
        taken.borrowed = true;
        if taken.keys {
            terminal::enable_raw_mode()?;
        }
        last_words(ENTER.as_bytes());
        Ok(taken)
    }

    /// Whether there is one.
    pub fn is_borrowed(&self) -> bool {
        self.borrowed
    }

    /// Whether keys can be read and questions answered.
    pub fn has_keys(&self) -> bool {
        self.keys
    }

    /// Whether a key or a signal said so.
    pub fn wants_to_end(&self) -> Result<bool, Failure> {
        if self.ending.is_near() {
            return Ok(true);
        }
        while self.keys && event::poll(Duration::ZERO)? {
            if is_end(&event::read()?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How large it is.
    pub fn size(&self) -> Size {
        let from_terminal = self
            .borrowed
            .then(terminal::window_size)
            .and_then(Result::ok);
        let Some(window) = from_terminal.filter(|window| window.columns > 0 && window.rows > 0)
        else {
            let number = |name: &str| env::var(name).ok()?.parse().ok();
            return Size {
                columns: number("COLUMNS").unwrap_or(USUAL.0).clamp(1, 1000),
                rows: number("LINES").unwrap_or(USUAL.1).clamp(2, 1000),
                cell_width: USUAL_CELL.0,
                cell_height: USUAL_CELL.1,
            };
        };
        let (columns, rows) = (u32::from(window.columns), u32::from(window.rows));
        let cell = |pixels: u16, cells: u32, usual: u32| match u32::from(pixels) / cells {
            0 => usual,
            pixels => pixels,
        };
        Size {
            columns,
            rows,
            cell_width: cell(window.width, columns, USUAL_CELL.0),
            cell_height: cell(window.height, rows, USUAL_CELL.1),
        }
    }

    /// A frame with its status line as it goes to the terminal, or as plain lines where there is none.
    pub fn framed(&mut self, drawn: &Drawn, status: &str, size: Size) -> Vec<u8> {
        let status: String = status.chars().take(size.columns as usize).collect();
        if !self.borrowed {
            let mut plain = match drawn {
                Drawn::Lines(lines) => lines
                    .iter()
                    .fold(String::new(), |all, line| all + line + "\n")
                    .into_bytes(),
                Drawn::Graphic(bytes) => [bytes, b"\n".as_slice()].concat(),
            };
            plain.extend(format!("{status}\n").into_bytes());
            return plain;
        }
        let mut out = BEGIN_FRAME.as_bytes().to_vec();
        if self.last_size.replace(size) != Some(size) {
            out.extend(b"\x1b[2J");
        }
        match drawn {
            Drawn::Graphic(bytes) => out.extend(bytes),
            Drawn::Lines(lines) => {
                for (row, line) in lines.iter().enumerate() {
                    out.extend(format!("\x1b[{};1H{line}\x1b[K", row + 1).into_bytes());
                }
            }
        }
        let last = format!("\x1b[{};1H\x1b[0m{status}\x1b[K{END_FRAME}", size.rows);
        out.extend(last.into_bytes());
        out
    }
}

fn is_end(event: &Event) -> bool {
    let Event::Key(key) = event else {
        return false;
    };
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => true,
        KeyCode::Char('c') => key.modifiers.contains(KeyModifiers::CONTROL),
        _ => false,
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if !self.borrowed {
            return;
        }
        last_words(format!("{}{LEAVE}", kitty::DELETE).as_bytes());
        if self.keys {
            let _ = terminal::disable_raw_mode();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unborrowed() -> Terminal {
        Terminal::borrow(false).unwrap()
    }

    #[test]
    fn without_a_terminal_a_frame_is_plain_lines() {
        let size = Size {
            columns: 6,
            rows: 3,
            cell_width: 8,
            cell_height: 16,
        };
        let out = unborrowed().framed(&Drawn::Lines(vec!["ab".to_owned()]), "status line", size);
        assert_eq!(out, b"ab\nstatus\n");
    }

    #[test]
    fn q_escape_and_control_c_end_and_nothing_else() {
        let key = |code, modifiers| Event::Key(event::KeyEvent::new(code, modifiers));
        assert!(is_end(&key(KeyCode::Char('q'), KeyModifiers::NONE)));
        assert!(is_end(&key(KeyCode::Char('c'), KeyModifiers::CONTROL)));
        assert!(!is_end(&key(KeyCode::Char('c'), KeyModifiers::NONE)));
        assert!(!is_end(&Event::Resize(1, 1)));
    }
}
