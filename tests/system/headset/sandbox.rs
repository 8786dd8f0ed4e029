//! The walls around the real worker, looked at from outside.

use crate::{becomes, broker, headset, worker_of};
use std::fs;
use std::path::Path;
use streamem_tests::proc;

fn status(pid: u32, field: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(name, _)| *name == field);
    found
        .unwrap_or_else(|| panic!("{field} is in it"))
        .1
        .trim()
        .to_owned()
}

fn link(pid: u32, what: &str) -> String {
    let place = format!("/proc/{pid}/{what}");
    fs::read_link(&place)
        .unwrap_or_else(|why| panic!("{place}: {why}"))
        .display()
        .to_string()
}

#[test]
fn a_worker_at_work_has_nothing_it_does_not_need() {
    assert!(
        rustix::process::geteuid().is_root(),
        "run `sudo make test`: only root may look"
    );
    let host = "127.80.71.1";
    let _device = headset(host);
    let streams = [
        ("pv", "pv?size=424x240"),
        ("mc", "microphone"),
        ("depth", "ahat-depth"),
        ("eyes", "eyes"),
    ];
    let broker = broker(host, &streams);
    for (name, _) in streams {
        becomes(&broker, name, "live", "");
    }
    let pid = worker_of(&broker, "eyes");
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status(pid, set), "0000000000000000", "{set}");
    }
    assert_eq!(status(pid, "NoNewPrivs"), "1");
    for task in fs::read_dir(format!("/proc/{pid}/task")).expect("its threads") {
        let task = task.expect("a thread").path();
        let text = fs::read_to_string(task.join("status")).expect("it lives");
        assert!(text.contains("Seccomp:\t2"), "{}: {text}", task.display());
        assert!(text.contains("CapEff:\t0000000000000000"));
    }
    let users = status(pid, "Uid");
    assert!(users.split_whitespace().all(|user| user != "0"), "{users}");
    let groups = status(pid, "Gid");
    assert!(
        groups.split_whitespace().all(|group| group != "0"),
        "{groups}"
    );
    for space in ["net", "mnt", "user", "ipc", "uts", "cgroup"] {
        let space = format!("ns/{space}");
        assert_ne!(link(pid, &space), link(broker.pid(), &space));
    }
    let root = Path::new("/proc").join(pid.to_string()).join("root");
    assert_eq!(
        fs::read_dir(root).expect("a root").count(),
        0,
        "its root is empty"
    );
    assert_eq!(link(pid, "cwd"), "/");
}

#[test]
fn every_descriptor_of_a_worker_is_one_it_was_given() {
    let host = "127.80.71.2";
    let _device = headset(host);
    let streams = [
        ("pv", "pv?size=424x240"),
        ("mc", "microphone"),
        ("eyes", "eyes"),
    ];
    let broker = broker(host, &streams);
    for (name, _) in streams {
        becomes(&broker, name, "live", "");
    }
    let pid = worker_of(&broker, "eyes");
    for (number, what) in proc::descriptors(pid) {
        let is_known = ["socket:", "anon_inode:[io_uring]", "/memfd:", "pipe:"]
            .iter()
            .any(|kind| what.starts_with(kind));
        let is_output = number <= 2;
        assert!(is_known || is_output, "{number} is {what}");
    }
}

#[test]
fn a_worker_has_limits() {
    let host = "127.80.71.3";
    let _device = headset(host);
    let broker = broker(host, &[("eyes", "eyes")]);
    becomes(&broker, "eyes", "live", "");
    let pid = worker_of(&broker, "eyes");
    let text = fs::read_to_string(format!("/proc/{pid}/limits")).expect("it lives");
    let hard = |what: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(what))
            .expect("a limit");
        let rest = line[what.len()..].split_whitespace();
        rest.take(2).map(str::to_owned).collect::<Vec<String>>()
    };
    assert_eq!(hard("Max core file size"), ["0", "0"]);
    for what in [
        "Max open files",
        "Max data size",
        "Max processes",
        "Max locked memory",
    ] {
        let limits = hard(what);
        assert!(
            limits[0] == limits[1] && limits[1] != "unlimited",
            "{what}: {limits:?}"
        );
    }
}
