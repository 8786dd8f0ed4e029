//! Which walls stand, and which could not be had.
//!
//! Owns the one line for the log; never judges whether it is enough.

use std::fmt;

/// A wall that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wall {
    /// The user is nobody, and was root.
    Nobody,
    /// Namespaces of its own, by name.
    Namespaces(Vec<&'static str>),
    /// The root folder is empty and cannot be written.
    EmptyRoot,
    /// Landlock's interface of this number is used to the full.
    Landlock(i32),
    /// No capability is left, and none can be had.
    NoPrivileges,
    /// The filter of system calls.
    Calls,
}

impl fmt::Display for Wall {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wall::Nobody => out.write_str("uid dropped to nobody"),
            Wall::Namespaces(names) => write!(out, "namespaces {}", names.join("+")),
            Wall::EmptyRoot => out.write_str("empty root"),
            Wall::Landlock(abi) => write!(out, "landlock ABI {abi}"),
            Wall::NoPrivileges => out.write_str("no capabilities"),
            Wall::Calls => out.write_str("seccomp"),
        }
    }
}

/// A wall that could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which.
    pub wall: String,
    /// What stood in the way, and what to do.
    pub why: String,
}

/// What came of entering.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walls {
    /// Which walls stand, in the order they were built.
    pub standing: Vec<Wall>,
    /// Which could not be had.
    pub missing: Vec<Missing>,
}

impl Walls {
    /// Whether all stand.
    pub fn whole(&self) -> bool {
        self.missing.is_empty()
    }

    pub(crate) fn stands(&mut self, wall: Wall) {
        self.standing.push(wall);
    }

    pub(crate) fn lacks(&mut self, wall: impl Into<String>, why: impl Into<String>) {
        self.missing.push(Missing {
            wall: wall.into(),
            why: why.into(),
        });
    }

    /// Whether this process is in a namespace of users of its own.
    pub(crate) fn has_own_users(&self) -> bool {
        let own = |wall: &Wall| matches!(wall, Wall::Namespaces(names) if names.contains(&"user"));
        self.standing.iter().any(own)
    }
}

impl fmt::Display for Walls {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let standing: Vec<String> = self.standing.iter().map(Wall::to_string).collect();
        write!(out, "walls: {}", standing.join(", "))?;
        for (place, Missing { wall, why }) in self.missing.iter().enumerate() {
            let before = if place == 0 { "; without" } else { "," };
            write!(out, "{before} {wall} ({why})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_says_what_stands_and_what_does_not() {
        let mut walls = Walls::default();
        walls.stands(Wall::Namespaces(vec!["user", "net"]));
        walls.stands(Wall::Calls);
        assert_eq!(walls.to_string(), "walls: namespaces user+net, seccomp");
        assert!(walls.whole());
        walls.lacks("landlock", "not in this kernel");
        walls.lacks("namespace uts", "EINVAL");
        assert_eq!(
            walls.to_string(),
            "walls: namespaces user+net, seccomp; without landlock (not in this kernel), namespace uts (EINVAL)"
        );
        assert!(!walls.whole());
    }
}
