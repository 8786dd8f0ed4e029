//! One thing the doctor looked at.
//!
//! Owns what can come of it; never looks itself.

use serde::Serialize;
use std::fmt;

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should be.
    Good,
    /// Something will not be possible, or be slower; nothing that must be mended.
    Note,
    /// Must be mended.
    Wrong,
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Outcome::Good => "good",
            Outcome::Note => "note",
            Outcome::Wrong => "WRONG",
        })
    }
}

/// A check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Of which area.
    pub area: &'static str,
    /// What was looked at.
    pub name: String,
    /// What came of it.
    pub state: Outcome,
    /// What was found.
    pub found: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Check {
    /// As it should be.
    pub fn good(area: &'static str, name: impl Into<String>, found: impl Into<String>) -> Check {
        Check {
            area,
            name: name.into(),
            state: Outcome::Good,
            found: found.into(),
            remedy: None,
        }
    }

    /// Something will not be possible.
    pub fn note(
        area: &'static str,
        name: impl Into<String>,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Check {
        Check {
            state: Outcome::Note,
            remedy: Some(remedy.into()),
            ..Check::good(area, name, found)
        }
    }

    /// Must be mended.
    pub fn wrong(
        area: &'static str,
        name: impl Into<String>,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Check {
        Check {
            state: Outcome::Wrong,
            ..Check::note(area, name, found, remedy)
        }
    }
}
