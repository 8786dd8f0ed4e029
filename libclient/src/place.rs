//! Where the broker's socket is looked for.
//!
//! Owns the list of places and their order; never connects.

use rustix::process::getuid;
use std::env;
use std::fs::symlink_metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

const SYSTEM: &str = "/run/streamem/streamem.sock";

/// What the list depends on.
struct Surroundings {
    socket: Option<PathBuf>,
    runtime: Option<PathBuf>,
    own: PathBuf,
}

impl Surroundings {
    fn of_this_process() -> Surroundings {
        let path = |name| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Surroundings {
            socket: path("STREAMEM_SOCKET"),
            runtime: path("XDG_RUNTIME_DIR"),
            own: PathBuf::from(format!("/tmp/streamem-{}", getuid().as_raw())),
        }
    }

    fn places(&self) -> Vec<PathBuf> {
        if let Some(socket) = &self.socket {
            return vec![socket.clone()];
        }
        let socket_in = |directory: &PathBuf| {
            let place = directory.join("streamem.sock");
            is_socket(&place).then_some(place)
        };
        let own = Some(&self.own).filter(|own| belongs_to_this_user_alone(own));
        let mut places = Vec::new();
        places.extend(self.runtime.as_ref().and_then(socket_in));
        places.push(PathBuf::from(SYSTEM));
        places.extend(own.and_then(socket_in));
        places
    }
}

fn is_socket(place: &Path) -> bool {
    symlink_metadata(place).is_ok_and(|found| found.file_type().is_socket())
}

/// Anybody may make a directory in `/tmp`: one of another user could hide a false broker.
fn belongs_to_this_user_alone(directory: &Path) -> bool {
    symlink_metadata(directory).is_ok_and(|found| {
        found.is_dir() && found.uid() == getuid().as_raw() && found.mode() & 0o022 == 0
    })
}

/// The places to try, best first; never empty.
pub(crate) fn places(explicit: Option<&Path>) -> Vec<PathBuf> {
    match explicit {
        Some(place) => vec![place.to_owned()],
        None => Surroundings::of_this_process().places(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;

    fn surroundings(directory: &Path) -> Surroundings {
        let [runtime, own] = ["runtime", "own"].map(|name| directory.join(name));
        for made in [&runtime, &own] {
            std::fs::create_dir(made).unwrap();
            std::fs::set_permissions(made, PermissionsExt::from_mode(0o700)).unwrap();
        }
        Surroundings {
            socket: None,
            runtime: Some(runtime),
            own,
        }
    }

    #[test]
    fn a_place_that_was_named_is_the_only_one() {
        let directory = tempfile::tempdir().unwrap();
        let mut around = surroundings(directory.path());
        around.socket = Some("/elsewhere".into());
        assert_eq!(around.places(), [Path::new("/elsewhere")]);
        assert_eq!(places(Some(Path::new("/there"))), [Path::new("/there")]);
    }

    #[test]
    fn only_the_place_of_the_system_is_tried_where_nothing_is() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(surroundings(directory.path()).places(), [Path::new(SYSTEM)]);
    }

    #[test]
    fn the_users_own_sockets_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let around = surroundings(directory.path());
        let runtime = directory.path().join("runtime/streamem.sock");
        let own = around.own.join("streamem.sock");
        let _listening = [&runtime, &own].map(|place| UnixListener::bind(place).unwrap());
        assert_eq!(around.places(), [runtime, SYSTEM.into(), own]);
    }

    #[test]
    fn a_directory_others_can_write_to_is_not_believed() {
        let directory = tempfile::tempdir().unwrap();
        let around = surroundings(directory.path());
        let _listening = UnixListener::bind(around.own.join("streamem.sock")).unwrap();
        std::fs::set_permissions(&around.own, PermissionsExt::from_mode(0o777)).unwrap();
        assert_eq!(around.places(), [Path::new(SYSTEM)]);
    }
}
