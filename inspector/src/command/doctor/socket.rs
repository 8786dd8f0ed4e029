//! Whether the broker can be reached.
//!
//! Owns the sentence on the socket's owner and rights; the client library does the looking.

use super::super::Broker;
use super::check::Check;
use crate::failure::Failure;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use streamem::Client;

const AREA: &str = "broker";

pub fn check(broker: &Broker<'_>, reached: &Result<Client, Failure>) -> Check {
    match reached {
        Ok(client) => {
            let place = client.socket();
            let shown = place.display();
            let found = rights(&place)
                .map_or_else(|| shown.to_string(), |rights| format!("{shown}, {rights}"));
            Check::good(AREA, "socket", found)
        }
        Err(failure) => {
            let said = failure.to_string();
            let (cause, remedy) = said
                .rsplit_once("; ")
                .unwrap_or((&said, "start one with 'streamemd'"));
            // The cause names the place already.
            let found = broker
                .socket
                .and_then(rights)
                .map_or_else(|| cause.to_owned(), |rights| format!("{cause} ({rights})"));
            Check::wrong(AREA, "socket", found, remedy)
        }
    }
}

fn rights(place: &Path) -> Option<String> {
    let about = fs::metadata(place).ok()?;
    let mode = about.permissions().mode() & 0o7777;
    Some(format!(
        "mode {mode:o}, owner {}:{}",
        about.uid(),
        about.gid()
    ))
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome;
    use super::*;

    #[test]
    fn an_absent_broker_is_wrong_and_says_how_to_start_one() {
        let check = told_of(Path::new("/nonexistent/streamem.sock"));
        assert_eq!(check.state, Outcome::Wrong);
        assert!(check.remedy.unwrap().contains("streamemd"));
    }

    fn told_of(place: &Path) -> Check {
        let broker = Broker {
            socket: Some(place),
        };
        check(&broker, &broker.connect())
    }

    #[test]
    fn place_and_cause_are_said_once() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("streamem.sock");
        let times = |check: &Check, what: &str| check.found.matches(what).count();
        let shown = place.to_str().unwrap();

        let absent = told_of(&place);
        assert_eq!(times(&absent, shown), 1, "{absent:?}");
        assert_eq!(times(&absent, "No such file"), 1, "{absent:?}");

        drop(std::os::unix::net::UnixListener::bind(&place).unwrap());
        let dead = told_of(&place);
        assert_eq!(times(&dead, shown), 1, "{dead:?}");
        assert_eq!(times(&dead, "refused"), 1, "{dead:?}");
        assert_eq!(times(&dead, "mode "), 1, "{dead:?}");
    }
}
