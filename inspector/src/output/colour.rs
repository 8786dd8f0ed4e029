//! Colour for people, where they want it.
//!
//! Owns the few tints there are; never decides what is good or bad.

use std::env;

/// What a piece of text means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tint {
    /// Nothing special.
    #[default]
    Plain,
    /// A heading.
    Heading,
    /// As it should be.
    Good,
    /// Worth a look.
    Notable,
    /// Wrong.
    Bad,
}

impl Tint {
    fn code(self) -> &'static str {
        match self {
            Tint::Plain => "",
            Tint::Heading => "1",
            Tint::Good => "32",
            Tint::Notable => "33",
            Tint::Bad => "1;31",
        }
    }
}

/// Whether the surroundings allow colour.
pub fn is_welcome() -> bool {
    let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The text in its tint, or as it is.
pub fn paint(text: &str, tint: Tint, colour: bool) -> String {
    if !colour || tint == Tint::Plain {
        return text.to_owned();
    }
    format!("\x1b[{}m{text}\x1b[0m", tint.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tint_is_put_around_the_text_only_where_colour_is_wanted() {
        assert_eq!(paint("x", Tint::Good, true), "\x1b[32mx\x1b[0m");
        assert_eq!(paint("x", Tint::Good, false), "x");
        assert_eq!(paint("x", Tint::Plain, true), "x");
    }
}
