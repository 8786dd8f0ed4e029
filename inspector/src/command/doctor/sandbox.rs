//! Which walls can be built around a worker, the process that decodes what comes from a network.
//!
//! Owns the trials: another program for namespaces, which a process leaves for good, and a thread for landlock. A
//! worker runs without either, behind fewer walls.

use super::check::Check;
use landlock::{ABI, Access, AccessFs, LandlockStatus, Ruleset, RulesetAttr, RulesetError};
use std::fs;
use std::process::{Command, Stdio};
use std::thread;

const AREA: &str = "sandbox";
/// A setting that forbids namespaces of users, the value with which it does, and what to do.
const SETTINGS: [(&str, &str, &str); 3] = [
    (
        "user/max_user_namespaces",
        "0",
        "sysctl user.max_user_namespaces=15000",
    ),
    (
        "kernel/unprivileged_userns_clone",
        "0",
        "sysctl kernel.unprivileged_userns_clone=1",
    ),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "give the broker an AppArmor profile with `userns,`, or sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
];
/// The interface with which ports are forbidden too, and signals.
const WHOLE: i32 = 6;

pub fn checks() -> Vec<Check> {
    let setting = |path: &str| fs::read_to_string(format!("/proc/sys/{path}")).ok();
    vec![namespaces(parted(), setting), landlock(restricted())]
}

/// What `unshare` says, if it is there: nothing where it works.
fn parted() -> Option<Result<(), String>> {
    let mut trial = Command::new("unshare");
    trial.args(["--user", "--net", "--mount", "--ipc", "--uts", "true"]);
    let said = trial.stdin(Stdio::null()).output().ok()?;
    if said.status.success() {
        return Some(Ok(()));
    }
    let words = String::from_utf8_lossy(&said.stderr);
    Some(Err(words.trim().to_owned()))
}

fn namespaces(
    tried: Option<Result<(), String>>,
    setting: impl Fn(&str) -> Option<String>,
) -> Check {
    let name = "user namespaces";
    let forbids = |path: &str, value: &str| setting(path).is_some_and(|is| is.trim() == value);
    let forbidding = SETTINGS
        .iter()
        .find(|(path, value, _)| forbids(path, value));
    match (tried, forbidding) {
        (Some(Ok(())), _) => Check::good(
            AREA,
            name,
            "allowed to this user: a worker sees no file and no network",
        ),
        (_, Some((path, value, remedy))) => {
            let found = format!("no: {} is {value}", path.replace('/', "."));
            Check::note(AREA, name, found, *remedy)
        }
        (Some(Err(said)), None) => Check::note(
            AREA,
            name,
            format!("no: {said}"),
            "a container's profile or a security module forbids them: let it allow unshare; workers run behind fewer walls until then",
        ),
        (None, None) => Check::note(
            AREA,
            name,
            "nothing forbids them; not tried, since the command unshare is not here",
            "apt install util-linux",
        ),
    }
}

/// In a thread, which ends, since what a thread gives up it never gets back.
fn restricted() -> Result<LandlockStatus, String> {
    let trial = || -> Result<LandlockStatus, RulesetError> {
        let rules = Ruleset::default().handle_access(AccessFs::from_all(ABI::V1))?;
        Ok(rules.create()?.restrict_self()?.landlock)
    };
    let tried = thread::spawn(trial).join();
    tried
        .map_err(|_| "the trial broke off".to_owned())?
        .map_err(|error| error.to_string())
}

fn landlock(tried: Result<LandlockStatus, String>) -> Check {
    let name = "landlock";
    let newer = "a worker runs behind fewer walls; use Linux 6.12 or newer, built with CONFIG_SECURITY_LANDLOCK";
    match tried {
        Ok(LandlockStatus::Available {
            effective_abi,
            kernel_abi,
        }) => {
            let abi = kernel_abi.unwrap_or(effective_abi as i32);
            if abi >= WHOLE {
                return Check::good(AREA, name, format!("works, interface {abi}"));
            }
            let found = format!("works, interface {abi}; {WHOLE} forbids ports and signals too");
            Check::note(AREA, name, found, newer)
        }
        Ok(LandlockStatus::NotEnabled) => Check::note(
            AREA,
            name,
            "built into this kernel, and not enabled",
            "add landlock to the list in the kernel's parameter lsm=",
        ),
        Ok(_) => Check::note(AREA, name, "not in this kernel", newer),
        Err(said) => Check::note(AREA, name, said, newer),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome;
    use super::*;

    #[test]
    fn what_forbids_namespaces_is_named_with_its_remedy() {
        let none = |_: &str| None;
        let refused = || Some(Err("unshare failed".to_owned()));
        assert_eq!(namespaces(Some(Ok(())), none).state, Outcome::Good);
        for (path, value, remedy) in SETTINGS {
            let check = namespaces(refused(), |asked| {
                (asked == path).then(|| format!("{value}\n"))
            });
            assert_eq!(check.state, Outcome::Note);
            assert_eq!(check.remedy.as_deref(), Some(remedy));
        }
        let container = namespaces(refused(), none);
        assert!(container.remedy.unwrap().contains("allow unshare"));
        assert!(namespaces(None, none).found.contains("not tried"));
    }

    #[test]
    fn an_older_landlock_is_noted() {
        let available = |abi| {
            Ok(LandlockStatus::Available {
                effective_abi: abi,
                kernel_abi: None,
            })
        };
        assert_eq!(landlock(available(ABI::V6)).state, Outcome::Good);
        assert_eq!(landlock(available(ABI::V4)).state, Outcome::Note);
        let off = landlock(Ok(LandlockStatus::NotEnabled));
        assert!(off.remedy.unwrap().contains("lsm="));
        assert_eq!(landlock(Err("no".to_owned())).state, Outcome::Note);
    }

    #[test]
    fn a_trial_leaves_this_process_as_it_is() {
        let _ = checks();
        assert!(fs::read("/proc/self/status").is_ok());
        assert!(!rustix::thread::no_new_privs().unwrap());
    }
}
