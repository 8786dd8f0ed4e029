//! What is wrong with a configuration, and where.
//!
//! Owns the way it is told to people; never decides what is wrong.

use super::CONFIG_VARIABLE;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// One thing that is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// In which file.
    pub file: PathBuf,
    /// In which line, the first is 1.
    pub line: usize,
    /// At which character of it, the first is 1.
    pub column: usize,
    /// The line.
    pub text: String,
    /// How many characters of it are wrong.
    pub length: usize,
    /// What is wrong, and what was meant.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line, column) = (self.file.display(), self.line, self.column);
        writeln!(out, "{file}:{line}:{column}: {}", self.message)?;
        let before = self.text.chars().take(column.saturating_sub(1));
        let indent: String = before.map(|c| if c == '\t' { c } else { ' ' }).collect();
        writeln!(out, "{line:>5} | {}", self.text)?;
        write!(out, "      | {indent}{}", "^".repeat(self.length.max(1)))
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was asked for does not exist.
    #[error("there is no configuration file {0}; write one there, or name another")]
    Missing(PathBuf),
    /// A file could not be read.
    #[error("the configuration {path} cannot be read: {why}; make it a readable text file")]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// Nor could the one that the environment asks for.
    #[error("{CONFIG_VARIABLE}: {0}")]
    OfVariable(Box<ConfigError>),
    /// Files were read and something is wrong in them.
    #[error("{}", .0.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))]
    Problems(Vec<Problem>),
}

impl ConfigError {
    /// Says that it was the variable that named the file; problems in one name it themselves.
    pub(super) fn of_variable(self) -> ConfigError {
        match self {
            ConfigError::Problems(_) => self,
            other => ConfigError::OfVariable(Box::new(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_points_at_what_is_wrong() {
        let problem = Problem {
            file: "a.toml".into(),
            line: 12,
            column: 3,
            text: "\tx = 3".into(),
            length: 1,
            message: "no x".into(),
        };
        assert_eq!(
            problem.to_string(),
            "a.toml:12:3: no x\n   12 | \tx = 3\n      | \t ^"
        );
    }
}
