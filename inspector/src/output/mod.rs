//! What the command says: lines, tables and JSON on standard output, complaints on standard error.
//!
//! Owns both streams and is the only place that writes to them; never panics because a reader went
//! away, which it reports as an ordinary I/O error instead.

mod colour;
mod table;
pub mod units;

pub use colour::Tint;
pub use table::{Align, Cell, Table};

use serde::Serialize;
use std::io::{self, BufWriter, IsTerminal, Write};

/// Where results go and in which form.
pub struct Output {
    sink: Box<dyn Write>,
    json: bool,
    colour: bool,
    terminal: bool,
}

impl Output {
    /// Standard output.
    pub fn standard(json: bool) -> Output {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        Output {
            sink: Box::new(BufWriter::with_capacity(64 * 1024, stdout)),
            json,
            colour: terminal && !json && colour::is_welcome(),
            terminal,
        }
    }

    /// Whether results are asked for as JSON.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Whether a person is looking.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Writes a line.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.sink, "{}", table::printable(text))?;
        self.sink.flush()
    }

    /// Writes a coloured line.
    pub fn tinted_line(&mut self, text: &str, tint: Tint) -> io::Result<()> {
        let text = table::printable(text);
        writeln!(self.sink, "{}", colour::paint(&text, tint, self.colour))?;
        self.sink.flush()
    }

    /// Writes a table.
    pub fn table(&mut self, table: &Table) -> io::Result<()> {
        self.sink.write_all(table.render(self.colour).as_bytes())?;
        self.sink.flush()
    }

    /// Writes the one JSON document of a command.
    pub fn document(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.sink, value)?;
        self.sink.write_all(b"\n")?;
        self.sink.flush()
    }

    /// Writes one of many JSON documents, each a line.
    pub fn json_line(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.sink, value)?;
        self.sink.write_all(b"\n")?;
        self.sink.flush()
    }

    /// Writes bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sink.write_all(bytes)?;
        self.sink.flush()
    }
}

/// Says on standard error what is wrong; when even that is gone there is nobody to tell.
pub fn complain(text: &str) {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let _ = writeln!(io::stderr(), "streamem: {}", table::printable(&line));
}

/// Writes to standard output what must go there whatever becomes of it, such as giving the terminal
/// back.
pub fn last_words(bytes: &[u8]) {
    let mut stdout = io::stdout();
    let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
}
