//! The list of kernels: `tests/vm/kernels`.
//!
//! Owns reading it; what a feature is the boot `features` knows.

use std::collections::BTreeSet;

/// The list.
pub const LIST: &str = include_str!("../kernels");

/// A kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// As it is called here, and where the kit has it.
    pub name: String,
    /// What it has not.
    pub lacks: BTreeSet<String>,
}

/// Lines without comments, by words.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let without_comment = |line| str::split(line, '#').next().unwrap_or_default();
    text.lines()
        .map(move |line| without_comment(line).split_whitespace().collect())
        .filter(|words: &Vec<&str>| !words.is_empty())
}

/// Reads the list.
///
/// # Errors
///
/// Which line is none.
pub fn parse(text: &str) -> Result<Vec<Kernel>, String> {
    lines(text)
        .map(|words| match words.as_slice() {
            [name, _suite, _package, lacks @ ..] => Ok(Kernel {
                name: (*name).to_owned(),
                lacks: lacks.iter().map(|feature| (*feature).to_owned()).collect(),
            }),
            short => Err(format!("{short:?} is no kernel: name, suite, package")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_kernel_and_what_it_lacks() {
        let kernels = parse("# kernels\n6.1 bookworm linux udmabuf heaps # old\n\n").unwrap();
        let lacks = BTreeSet::from(["heaps".to_owned(), "udmabuf".to_owned()]);
        let name = "6.1".to_owned();
        assert_eq!(kernels, [Kernel { name, lacks }]);
        assert!(parse("6.1 bookworm").is_err());
    }

    #[test]
    fn the_list_has_the_newer_kernel_and_one_that_lacks_things() {
        let kernels = parse(LIST).unwrap();
        assert!(kernels.iter().any(|kernel| kernel.lacks.is_empty()));
        assert!(kernels.iter().any(|kernel| !kernel.lacks.is_empty()));
    }
}
