//! `streamem doctor`: is everything there that is needed, and if not, what to do.
//!
//! Owns the report; each area of checks is a file of its own, none changes anything for good.

mod check;
mod devices;
mod huge_pages;
mod io_uring;
mod kernel;
mod limits;
mod path;
mod reading;
mod sandbox;
mod socket;

use super::Broker;
use crate::failure::Failure;
use crate::output::{Align, Cell, Output, Table, Tint};
use check::{Check, Outcome};
use serde::Serialize;

#[derive(Debug, Serialize)]
struct Report {
    checks: Vec<Check>,
    wrong: usize,
}

pub fn run(broker: &Broker<'_>, output: &mut Output) -> Result<(), Failure> {
    let mut reached = broker.connect();
    let mut checks = kernel::checks();
    checks.push(huge_pages::check(reached.as_mut().ok()));
    checks.extend(io_uring::checks(reached.is_ok()));
    checks.extend(limits::checks());
    checks.extend(devices::checks());
    checks.extend(sandbox::checks());
    checks.push(socket::check(broker, &reached));
    if let Ok(client) = reached {
        checks.push(path::check(broker, client));
    }
    let wrong = checks
        .iter()
        .filter(|check| check.state == Outcome::Wrong)
        .count();
    let report = Report { checks, wrong };
    if output.json() {
        output.document(&report)?;
    } else {
        output.table(&table(&report))?;
    }
    match report.wrong {
        0 => Ok(()),
        1 => Err(Failure::Wrong(
            "1 thing is wrong; do what is said beside it".to_owned(),
        )),
        count => Err(Failure::Wrong(format!(
            "{count} things are wrong; do what is said beside them"
        ))),
    }
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(&[
        ("AREA", Align::Left),
        ("CHECK", Align::Left),
        ("STATE", Align::Left),
        ("FOUND", Align::Left),
    ]);
    for check in &report.checks {
        let tint = match check.state {
            Outcome::Good => Tint::Good,
            Outcome::Note => Tint::Notable,
            Outcome::Wrong => Tint::Bad,
        };
        table.row(vec![
            check.area.into(),
            (&check.name).into(),
            Cell::tinted(check.state, tint),
            (&check.found).into(),
        ]);
        if let Some(remedy) = &check.remedy {
            table.row(vec![
                "".into(),
                "".into(),
                "".into(),
                format!("-> {remedy}").into(),
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_stands_under_what_it_is_for() {
        let checks = vec![
            Check::good("kernel", "memfd", "there"),
            Check::wrong("limits", "open files", "64", "raise it: ulimit -n 4096"),
        ];
        let text = table(&Report { checks, wrong: 1 }).render(false);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[2].contains("WRONG"), "{text}");
        assert!(lines[3].trim_start().starts_with("-> raise it"), "{text}");
    }
}
