//! Devices as the real udevd makes them: who may open them, their links, and their going and coming.
//!
//! Owns what udev's own rules promise us.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use streamem_tests::eventually;

const DRIVER: &str = "/sys/bus/platform/drivers/vivid";
const DEVICE: &str = "vivid.0";

/// The name of the group a file belongs to; nothing if there is no such file.
fn group(path: &str) -> String {
    let Ok(meta) = fs::metadata(path) else {
        return String::new();
    };
    let groups = fs::read_to_string("/etc/group").expect("the harness puts it there");
    let is_it = |line: &&str| line.split(':').nth(2) == Some(&meta.gid().to_string());
    let line = groups.lines().find(is_it);
    let name = line.and_then(|line| line.split(':').next());
    name.unwrap_or("nobody knows whose").to_owned()
}

fn permissions(path: &str) -> u32 {
    fs::metadata(path).map_or(0, |meta| meta.mode()) & 0o777
}

/// The links udev has made to cameras. Both of vivid's claim the same one, and either may have it.
fn links() -> Vec<PathBuf> {
    let entries = fs::read_dir("/dev/v4l/by-path").into_iter().flatten();
    entries.flatten().map(|entry| entry.path()).collect()
}

fn attribute(camera: &str, name: &str) -> String {
    let path = format!("/sys/class/video4linux/{camera}/{name}");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.trim().to_owned()
}

#[test]
fn camera_nodes_belong_to_the_group_video() {
    for camera in ["video0", "video1"] {
        let node = format!("/dev/{camera}");
        eventually("udev has given it to its group", || {
            (group(&node) == "video" && permissions(&node) == 0o660).then_some(())
        });
        let kind = fs::metadata(&node).expect("it is there").file_type();
        assert!(kind.is_char_device());
        assert!(attribute(camera, "name").starts_with("vivid-00"));
    }
}

#[test]
fn camera_capabilities_are_in_udevs_database() {
    let database = format!("/run/udev/data/c{}", attribute("video0", "dev"));
    eventually("udev knows that it captures", || {
        let entry = fs::read_to_string(&database).unwrap_or_default();
        entry
            .contains("E:ID_V4L_CAPABILITIES=:capture:")
            .then_some(())
    });
}

#[test]
fn camera_goes_with_its_driver_and_comes_back_under_its_name() {
    let camera = Path::new("/dev/video0");
    for _ in 0..3 {
        fs::write(format!("{DRIVER}/unbind"), DEVICE).expect("the driver lets it go");
        eventually("the camera is gone", || (!camera.exists()).then_some(()));
        eventually("its links are gone", || links().is_empty().then_some(()));
        fs::write(format!("{DRIVER}/bind"), DEVICE).expect("the driver takes it");
        eventually("udev has given it to its group and made links", || {
            let is_done = camera.exists() && group("/dev/video0") == "video";
            let leads = links().iter().any(|link| link.exists());
            (is_done && leads).then_some(())
        });
    }
}

/// The user who owns a file.
fn owner(path: &str) -> u32 {
    fs::metadata(path).map_or(0, |meta| meta.uid())
}

/// The number the harness gives the broker's user.
const STREAMEM: u32 = 990;

#[test]
fn camera_nodes_want_the_broker() {
    let database = format!("/run/udev/data/c{}", attribute("video0", "dev"));
    eventually("udev knows what is wanted", || {
        let entry = fs::read_to_string(&database).unwrap_or_default();
        let has = |line: &str| entry.lines().any(|known| known == line);
        let is_wanted = has("E:SYSTEMD_WANTS=streamemd.service") && has("Q:systemd");
        (is_wanted && has("Q:streamem")).then_some(())
    });
}

#[test]
fn camera_that_is_to_be_the_brokers_alone_is() {
    let rule = "SUBSYSTEM==\"video4linux\", KERNEL==\"video1\", ENV{STREAMEM_EXCLUSIVE}=\"1\"\n";
    fs::create_dir_all("/run/udev/rules.d").expect("a folder");
    fs::write("/run/udev/rules.d/69-mine.rules", rule).expect("a rule");
    eventually("the camera is the broker's alone", || {
        // udevd looks for new rules only every few seconds.
        fs::write("/sys/class/video4linux/video1/uevent", "change").expect("it takes it");
        std::thread::sleep(std::time::Duration::from_millis(500));
        (owner("/dev/video1") == STREAMEM && permissions("/dev/video1") == 0o600).then_some(())
    });
    let database = format!("/run/udev/data/c{}", attribute("video1", "dev"));
    let entry = fs::read_to_string(database).expect("udev knows it");
    assert!(!entry.lines().any(|line| line == "Q:uaccess"), "{entry}");
    let other = (group("/dev/video0"), permissions("/dev/video0"));
    assert_eq!(other, ("video".to_owned(), 0o660));
}

#[test]
fn memory_devices_belong_to_the_broker_and_keep_their_groups() {
    for device in ["/dev/udmabuf", "/dev/dma_heap/system"] {
        eventually("udev has given it to the broker", || {
            (owner(device) == STREAMEM).then_some(())
        });
    }
    assert_eq!(group("/dev/udmabuf"), "kvm");
    assert_eq!(permissions("/dev/udmabuf"), 0o600);
    assert_eq!(group("/dev/dma_heap/system"), "root");
}
