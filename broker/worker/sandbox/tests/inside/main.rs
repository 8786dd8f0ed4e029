//! What a process can do inside, and what it cannot: real processes try it.
//!
//! Owns the tables. Each deed is done twice: without walls, where it must succeed, and within them. This program is
//! its own child, so that a deed is done by the first and only thread; therefore the usual harness cannot be used.

mod absent;
mod child;
mod misdeeds;
mod raw;
mod ring;
mod works;

use child::{End, Within, run};
use libtest_mimic::{Arguments, Failed, Trial};
use rustix::io::Errno;
use std::process::ExitCode;

/// What is tried, and what comes of it within walls.
struct Deed {
    name: &'static str,
    deed: child::Deed,
    ends: &'static [(Within, End)],
}

fn deeds() -> impl Iterator<Item = &'static Deed> {
    misdeeds::DEEDS.iter().chain(works::DEEDS)
}

fn main() -> ExitCode {
    if let Some(name) = child::named() {
        let mut listed = deeds().chain(works::ENDINGS);
        let listed = listed.find(|deed| deed.name == name).map(|deed| deed.deed);
        let deed = listed.or_else(|| absent::deed(&name));
        return child::act(deed.expect("a deed in the tables"));
    }
    let trials = deeds().flat_map(|deed| {
        let outside = std::iter::once(&(Within::Nothing, End::Done));
        outside.chain(deed.ends).map(move |&(within, end)| {
            Trial::test(format!("{}::{within:?}", deed.name), move || {
                expect(deed.name, within, end)
            })
        })
    });
    let trials = trials
        .chain(works::trials())
        .chain(absent::trials())
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn expect(name: &str, within: Within, wanted: End) -> Result<(), Failed> {
    let (end, said) = run(name, within);
    if end == wanted {
        Ok(())
    } else {
        Err(format!(
            "{name} within {within:?} ended with {end:?}, not with {wanted:?}; it said:\n{said}"
        )
        .into())
    }
}

/// A refusal.
const fn refused(errno: Errno) -> End {
    End::Refused(errno.raw_os_error())
}
