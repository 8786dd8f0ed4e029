//! The list of boots: `tests/vm/boots`.
//!
//! Owns reading it and which boots a kernel gets; never starts one.

use crate::kernels::{self, Kernel};
use crate::verdict::End;
use std::time::Duration;

/// The list.
pub const LIST: &str = include_str!("../boots");

const LIMIT: Duration = Duration::from_secs(300);

/// One start of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// As it is called here.
    pub name: String,
    /// The test target of cargo.
    pub program: String,
    /// What it is told.
    pub arguments: Vec<String>,
    /// Who runs it.
    pub user: String,
    /// In which group; the user's own if nothing is said.
    pub group: Option<String>,
    /// Whether udevd runs.
    pub udev: bool,
    /// Whether there is a Python, and our client for it.
    pub python: bool,
    /// Whether it is a whole Debian, with systemd, and our packages to install.
    pub system: Option<System>,
    /// Programs of this machine that are there as well.
    pub programs: Vec<String>,
    /// Modules and their parameters.
    pub modules: Vec<(String, String)>,
    /// Without these it makes no sense.
    pub needs: Vec<String>,
    /// The only kernel it is for.
    pub only: Option<String>,
    /// The longest it may take.
    pub limit: Duration,
    /// How it must end.
    pub end: End,
}

/// Which whole Debian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// The newest release.
    Newest,
    /// The release of the machine our packages were built on, with FFmpeg's libraries.
    Own,
}

impl Boot {
    /// Whether it is for this kernel at all.
    #[must_use]
    pub fn is_for(&self, kernel: &Kernel) -> bool {
        self.only.as_ref().is_none_or(|only| *only == kernel.name)
    }

    /// What it needs and the kernel lacks.
    #[must_use]
    pub fn misses(&self, kernel: &Kernel) -> Vec<&str> {
        let needs = self.needs.iter();
        needs
            .filter(|feature| kernel.lacks.contains(*feature))
            .map(String::as_str)
            .collect()
    }

    fn parse(words: &[&str]) -> Result<Boot, String> {
        let [name, program, words @ ..] = words else {
            return Err(format!("{words:?} is no boot: name, program"));
        };
        let mut boot = Boot {
            name: (*name).to_owned(),
            program: (*program).to_owned(),
            arguments: Vec::new(),
            user: "root".to_owned(),
            group: None,
            udev: false,
            python: false,
            system: None,
            programs: Vec::new(),
            modules: Vec::new(),
            needs: Vec::new(),
            only: None,
            limit: LIMIT,
            end: End::Exit(0),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.split_once('=') {
                None if *word == "udev" => boot.udev = true,
                None if *word == "python" => boot.python = true,
                None if *word == "system" => boot.system = Some(System::Newest),
                None if *word == "own-system" => boot.system = Some(System::Own),
                None if *word == "--" => {
                    boot.arguments = words.by_ref().map(|word| (*word).to_owned()).collect();
                }
                Some((key, value)) => boot.set(key, value)?,
                None => return Err(format!("{name}: nobody knows the word {word:?}")),
            }
        }
        Ok(boot)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let wrong = || format!("{}: nobody knows {key}={value}", self.name);
        match key {
            "as" => self.user = value.to_owned(),
            "group" => self.group = Some(value.to_owned()),
            "module" => {
                let (module, parameters) = value.split_once(':').unwrap_or((value, ""));
                let parameters = parameters.replace(';', " ");
                self.modules.push((module.to_owned(), parameters));
            }
            "program" => self.programs.push(value.to_owned()),
            "needs" => self.needs.push(value.to_owned()),
            "only" => self.only = Some(value.to_owned()),
            "limit" => self.limit = Duration::from_secs(value.parse().map_err(|_| wrong())?),
            "end" => self.end = End::parse(value).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        }
        Ok(())
    }
}

/// Reads the list.
///
/// # Errors
///
/// Which line is wrong.
pub fn parse(text: &str) -> Result<Vec<Boot>, String> {
    kernels::lines(text)
        .map(|words| Boot::parse(&words))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const LINE: &str = "cam devices as=nobody udev program=ls module=vivid:a=1,2;b=3 needs=x limit=9 end=hang -- one two";

    #[test]
    fn every_word_has_its_place() {
        let boot = &parse(LINE).unwrap()[0];
        assert_eq!(
            (boot.name.as_str(), boot.program.as_str()),
            ("cam", "devices")
        );
        assert_eq!((boot.user.as_str(), boot.udev), ("nobody", true));
        assert_eq!(boot.programs, ["ls"]);
        assert_eq!(boot.modules, [("vivid".to_owned(), "a=1,2 b=3".to_owned())]);
        assert_eq!(boot.limit, Duration::from_secs(9));
        assert_eq!(boot.end, End::Hang);
        assert_eq!(boot.arguments, ["one", "two"]);
    }

    #[test]
    fn a_kernel_that_lacks_what_is_needed_is_passed_over_by_name() {
        let boot = &parse(LINE).unwrap()[0];
        let lacking = |feature: &str| Kernel {
            name: "k".to_owned(),
            lacks: BTreeSet::from([feature.to_owned()]),
        };
        assert_eq!(boot.misses(&lacking("x")), ["x"]);
        assert!(boot.misses(&lacking("y")).is_empty());
        assert!(boot.is_for(&lacking("x")));
        let elsewhere = &parse("a b only=other").unwrap()[0];
        assert!(!elsewhere.is_for(&lacking("x")));
    }

    #[test]
    fn mistakes_are_named() {
        for line in [
            "alone",
            "a b c",
            "a b x=y",
            "a b limit=soon",
            "a b end=well",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_lists_fit_each_other() {
        let kernels = kernels::parse(kernels::LIST).unwrap();
        for boot in parse(LIST).unwrap() {
            let is_booted = |kernel: &Kernel| boot.is_for(kernel) && boot.misses(kernel).is_empty();
            assert!(
                kernels.iter().any(is_booted),
                "{} is never booted",
                boot.name
            );
        }
    }
}
