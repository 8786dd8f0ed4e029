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
        Ok(client) => Check::good(AREA, "socket", described(&client.socket())),
        Err(failure) => {
            let there = broker.socket.filter(|path| path.exists());
            let place = there.map(described);
            let found = failure.to_string();
            let (cause, remedy) = found
                .rsplit_once("; ")
                .unwrap_or((&found, "start one with 'streamemd'"));
            let found =
                place.map_or_else(|| cause.to_owned(), |place| format!("{cause} ({place})"));
            Check::wrong(AREA, "socket", found, remedy)
        }
    }
}

fn described(path: &Path) -> String {
    match fs::metadata(path) {
        Ok(about) => format!(
            "{}, mode {:o}, owner {}:{}",
            path.display(),
            about.permissions().mode() & 0o7777,
            about.uid(),
            about.gid()
        ),
        Err(error) => format!("{}: {error}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome;
    use super::*;

    #[test]
    fn an_absent_broker_is_wrong_and_says_how_to_start_one() {
        let place = Path::new("/nonexistent/streamem.sock");
        let broker = Broker {
            socket: Some(place),
        };
        let check = check(&broker, &broker.connect());
        assert_eq!(check.state, Outcome::Wrong);
        assert!(check.remedy.unwrap().contains("streamemd"));
    }
}
