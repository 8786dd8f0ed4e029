//! What udev itself thinks of our rules, before any machine has them.
//!
//! Owns the asking; what the rules do is tried in a machine with cameras (`tests/vm/guest/devices.rs`).

use std::process::Command;
use streamem_tests::binaries::workspace;

fn verified(rules: &std::path::Path) -> (bool, String) {
    let run = workspace().join("target/trixie/run");
    assert!(
        run.exists(),
        "there is no udevadm that can verify rules: run scripts/setup.sh test, or scripts/trixie.sh"
    );
    let output = Command::new(run)
        // The users that the rules name are made when they are installed.
        .args(["udevadm", "verify", "--resolve-names=never"])
        .arg(rules)
        .output()
        .expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn the_rules_are_understood() {
    for rules in std::fs::read_dir(workspace().join("udev"))
        .expect("they are there")
        .flatten()
    {
        let (is_good, said) = verified(&rules.path());
        assert!(is_good, "{said}");
    }
}

#[test]
fn rules_that_are_wrong_would_be_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = folder.path().join("70-wrong.rules");
    std::fs::write(&wrong, "SUBSYSTEM==\"misc\", GOTO=\"nowhere\"\n").expect("a file");
    assert!(!verified(&wrong).0);
}
