//! The command line of the experiment.
//!
//! It owns the defaults and never starts anything.

use crate::board::CONSUMERS_MAX;
use crate::strategy::{ALL, Strategy, named};
use std::io;
use std::str::FromStr;

/// What to run.
#[derive(Debug)]
pub struct Options {
    /// How often each strategy runs.
    pub rounds: usize,
    /// How long each run lasts.
    pub seconds: u32,
    /// Numbers of consumers.
    pub consumers: Vec<usize>,
    /// Frames per second.
    pub rates: Vec<u32>,
    /// Which strategies.
    pub strategies: Vec<(&'static str, Strategy)>,
}

impl Options {
    /// Reads the command line; unknown options and impossible values are errors.
    pub fn parse(arguments: &[String]) -> io::Result<Self> {
        let mut options = Self {
            rounds: 3,
            seconds: 2,
            consumers: vec![1, 10, 100],
            rates: vec![30, 60],
            strategies: ALL.to_vec(),
        };
        let mut rest = arguments.iter();
        while let Some(option) = rest.next() {
            let value = rest
                .next()
                .ok_or_else(|| io::Error::other(format!("{option} needs a value")))?;
            match option.as_str() {
                "--rounds" => options.rounds = one(value)?,
                "--seconds" => options.seconds = one(value)?,
                "--consumers" => options.consumers = list(value)?,
                "--rates" => options.rates = list(value)?,
                "--only" => options.strategies = only(value)?,
                _ => return Err(io::Error::other(format!("no such option: {option}"))),
            }
        }
        if options
            .consumers
            .iter()
            .any(|&count| count == 0 || count > CONSUMERS_MAX)
        {
            return Err(io::Error::other(format!(
                "between 1 and {CONSUMERS_MAX} consumers"
            )));
        }
        Ok(options)
    }
}

fn one<T: FromStr>(text: &str) -> io::Result<T> {
    text.parse()
        .map_err(|_| io::Error::other(format!("not a number: {text}")))
}

fn list<T: FromStr>(text: &str) -> io::Result<Vec<T>> {
    text.split(',').map(one).collect()
}

fn only(names: &str) -> io::Result<Vec<(&'static str, Strategy)>> {
    names
        .split(',')
        .map(|name| {
            named(name).ok_or_else(|| io::Error::other(format!("no such strategy: {name}")))?;
            Ok(*ALL
                .iter()
                .find(|(known, _)| *known == name)
                .expect("just found"))
        })
        .collect()
}
