//! What the command line says.
//!
//! Owns the words; never acts on them.

use std::path::PathBuf;

/// The command line.
#[derive(Debug)]
pub struct Options {
    /// The broker's socket.
    pub socket: PathBuf,
    /// The stream.
    pub stream: String,
    words: Vec<(String, String)>,
}

impl Options {
    /// Reads it.
    pub fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let usage = "usage: test-consumer SOCKET STREAM [WORD=VALUE]…";
        let socket = arguments.next().ok_or(usage)?.into();
        let stream = arguments.next().ok_or(usage)?;
        let words = arguments.map(|word| match word.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(format!("{word:?} is no WORD=VALUE; {usage}")),
        });
        let words = words.collect::<Result<_, _>>()?;
        Ok(Options {
            socket,
            stream,
            words,
        })
    }

    /// Whether the word is there.
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The values of a word.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let with_name = self.words.iter().filter(move |(word, _)| word == name);
        with_name.map(|(_, value)| value.as_str())
    }

    /// The text of a word, or nothing.
    pub fn text<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).next().unwrap_or_default()
    }

    /// The number of a word.
    pub fn number<N: std::str::FromStr>(&self, name: &str, otherwise: N) -> Result<N, String> {
        match self.all(name).next() {
            None => Ok(otherwise),
            Some(text) => text
                .parse()
                .map_err(|_| format!("{name}={text} is no number that fits")),
        }
    }
}
