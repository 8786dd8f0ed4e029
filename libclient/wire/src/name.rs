//! What a stream may be called.
//!
//! Owns the rule for names; never looks one up.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest name of a stream, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// The name a client asks for: 1 to 64 of `A-Z a-z 0-9 . _ -`, first a letter or a digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamName(String);

/// Why a text is no name for a stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot name a stream: use 1 to {NAME_BYTES_MAX} letters, digits, '.', '_' or '-', \
     beginning with a letter or a digit"
)]
pub struct BadName(pub String);

impl StreamName {
    /// Takes a text as a name, if it can be one.
    pub fn new(text: &str) -> Result<StreamName, BadName> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let first = text.bytes().next();
        if first.is_some_and(|byte| byte.is_ascii_alphanumeric())
            && text.len() <= NAME_BYTES_MAX
            && text.bytes().all(legal)
        {
            Ok(StreamName(text.to_owned()))
        } else {
            Err(BadName(text.chars().take(NAME_BYTES_MAX).collect()))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for StreamName {
    type Error = BadName;

    fn try_from(text: String) -> Result<StreamName, BadName> {
        StreamName::new(&text)
    }
}

impl From<StreamName> for String {
    fn from(name: StreamName) -> String {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_taken() {
        for text in ["randcam", "grayscale-0", "cam_1.left", "0"] {
            assert_eq!(StreamName::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn names_that_could_be_paths_or_options_are_refused() {
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        for text in [
            "", "-x", ".", "../etc", "a/b", "a b", "a:b", "ü", "a\n", &long,
        ] {
            assert!(StreamName::new(text).is_err(), "{text:?} was taken");
        }
    }
}
