//! The words of a command.
//!
//! Owns finding them; never knows what they mean.

use super::failure::Failure;
use std::str::FromStr;
use std::time::Duration;

/// A line, in words.
#[derive(Debug)]
pub struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    /// Of this line.
    pub fn of(line: &'a str) -> Words<'a> {
        Words(line.split_whitespace().collect())
    }

    /// The word at this place.
    pub fn at(&self, place: usize) -> Result<&'a str, Failure> {
        let word = self.0.get(place).copied();
        word.ok_or_else(|| Failure::test(format!("{self:?} has too few words")))
    }

    /// The milliseconds at this place.
    pub fn milliseconds(&self, place: usize) -> Result<Duration, Failure> {
        number(self.at(place)?).map(Duration::from_millis)
    }

    /// What follows `name=`.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        let pairs = self.0.iter().filter_map(|word| word.split_once('='));
        let mut named = pairs.filter(|(key, _)| *key == name);
        named.next().map(|(_, value)| value)
    }

    /// The number that follows `name=`.
    pub fn number<N: FromStr>(&self, name: &str) -> Result<Option<N>, Failure> {
        self.text(name).map(number).transpose()
    }
}

/// A word that must be a number.
pub fn number<N: FromStr>(word: &str) -> Result<N, Failure> {
    let number = word.parse();
    number.map_err(|_| Failure::test(format!("{word:?} is no number that fits")))
}
