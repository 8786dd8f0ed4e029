//! Which device node is meant: cameras by what stays when they are plugged in elsewhere, or again.
//!
//! Owns reading sysfs and what udev wrote down; never opens a device.

use super::wish::Which;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// A video node, and what is known of it without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its place under `/dev`.
    pub place: PathBuf,
    /// What its driver calls it.
    pub name: String,
    /// The serial number of what it is part of.
    pub serial: Option<String>,
    /// Where it is plugged in, in the words of udev and of sysfs.
    pub paths: Vec<String>,
    /// Whether it gives frames, as far as that is known without opening it.
    pub captures: bool,
    /// Its interface within a device of several, and its number within that.
    order: (String, u32),
}

/// Where to look.
#[derive(Clone, Debug)]
pub struct Places {
    /// `/sys/class/video4linux`.
    pub class: PathBuf,
    /// `/run/udev/data`.
    pub udev: PathBuf,
    /// `/dev`.
    pub dev: PathBuf,
}

impl Default for Places {
    fn default() -> Places {
        Places {
            class: PathBuf::from("/sys/class/video4linux"),
            udev: PathBuf::from("/run/udev/data"),
            dev: PathBuf::from("/dev"),
        }
    }
}

fn line(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// What the device this node is part of says of itself. Only USB devices say which serial number is
/// theirs; further up there are those of hubs and controllers.
fn serial_of(device: &Path) -> Option<String> {
    let usb = device
        .ancestors()
        .find(|above| above.join("idVendor").exists())?;
    line(&usb.join("serial"))
}

fn said_by_udev(places: &Places, number: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(places.udev.join(format!("c{number}"))).unwrap_or_default();
    let properties = text
        .lines()
        .filter_map(|line| line.strip_prefix("E:")?.split_once('='));
    properties
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn node(places: &Places, entry: &Path) -> Option<Node> {
    let file_name = entry.file_name()?.to_str()?.to_owned();
    let name = line(&entry.join("name"))?;
    let udev = said_by_udev(places, &line(&entry.join("dev"))?);
    let said = |key: &str| {
        udev.iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value.clone())
    };
    let device = fs::canonicalize(entry.join("device")).unwrap_or_default();
    let in_sysfs = device
        .to_str()
        .and_then(|path| path.split_once("/devices/"))
        .map(|(_, path)| path.to_owned());
    let index = line(&entry.join("index"))
        .and_then(|index| index.parse().ok())
        .unwrap_or(0);
    // Without udev: the first node of a camera is the one that gives frames.
    let captures = said("ID_V4L_CAPABILITIES").map_or(index == 0, |all| all.contains(":capture:"));
    let interface = line(&device.join("bInterfaceNumber")).unwrap_or_default();
    Some(Node {
        place: places.dev.join(file_name),
        name,
        serial: serial_of(&device).or_else(|| said("ID_SERIAL_SHORT")),
        paths: said("ID_PATH").into_iter().chain(in_sysfs).collect(),
        captures,
        order: (interface, index),
    })
}

/// All video nodes, those of one device in its own order.
#[must_use]
pub fn nodes(places: &Places) -> Vec<Node> {
    let entries = fs::read_dir(&places.class).into_iter().flatten().flatten();
    let mut nodes: Vec<Node> = entries
        .filter_map(|entry| node(places, &entry.path()))
        .collect();
    nodes.sort_by(|one, other| (&one.order, &one.place).cmp(&(&other.order, &other.place)));
    nodes
}

impl fmt::Display for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {:?}", self.place.display(), self.name)?;
        let serial = self.serial.iter().map(|serial| format!("serial:{serial}"));
        let paths = self.paths.iter().map(|path| format!("path:{path}"));
        let known: Vec<String> = serial.chain(paths).collect();
        write!(out, " ({})", known.join(", "))
    }
}

impl Node {
    /// One that no machine has, for tests.
    #[cfg(test)]
    pub fn made_up(number: u32, name: &str, serial: Option<&str>, path: &str) -> Node {
        Node {
            place: PathBuf::from(format!("/dev/video{number}")),
            name: name.to_owned(),
            serial: serial.map(str::to_owned),
            paths: vec![path.to_owned()],
            captures: true,
            order: (String::new(), 0),
        }
    }

    /// Whether it may be the one that is meant.
    #[must_use]
    pub fn is(&self, which: &Which) -> bool {
        match which {
            Which::Node(place) => self.place == *place,
            Which::Serial(serial) => self.serial.as_ref() == Some(serial),
            Which::Path(path) => self.paths.contains(path),
            Which::Name(name) => self.name == *name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    struct Machine {
        folder: tempfile::TempDir,
        places: Places,
    }

    impl Machine {
        fn new() -> Machine {
            let folder = tempfile::tempdir().unwrap();
            let places = Places {
                class: folder.path().join("class"),
                udev: folder.path().join("udev"),
                dev: PathBuf::from("/dev"),
            };
            for place in [&places.class, &places.udev] {
                fs::create_dir(place).unwrap();
            }
            Machine { folder, places }
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        /// A camera of two nodes on one interface, behind a hub with a serial number of its own.
        fn plug_in(&self, port: &str, serial: &str, first: u32) {
            let usb = format!("devices/usb1/{port}");
            self.write("devices/usb1/idVendor", "1d6b\n");
            self.write("devices/usb1/serial", "hub\n");
            self.write(&format!("{usb}/idVendor"), "046d\n");
            self.write(&format!("{usb}/serial"), &format!("{serial}\n"));
            self.write(&format!("{usb}/{port}:1.0/bInterfaceNumber"), "00\n");
            for index in 0..2 {
                let number = first + index;
                let video = format!("class/video{number}");
                self.write(&format!("{video}/name"), "Big Eye: Big Eye\n");
                self.write(&format!("{video}/index"), &format!("{index}\n"));
                self.write(&format!("{video}/dev"), &format!("81:{number}\n"));
                let device = self.folder.path().join(format!("{usb}/{port}:1.0"));
                symlink(device, self.folder.path().join(format!("{video}/device"))).unwrap();
                self.write(
                    &format!("udev/c81:{number}"),
                    &format!("I:1\nE:ID_PATH=pci-usb-{port}\nG:x\n"),
                );
            }
        }

        fn found(&self, which: &Which) -> Vec<String> {
            let nodes = nodes(&self.places)
                .into_iter()
                .filter(|node| node.is(which));
            nodes.map(|node| node.place.display().to_string()).collect()
        }
    }

    #[test]
    fn a_camera_is_found_by_everything_it_is_known_by() {
        let machine = Machine::new();
        machine.plug_in("1-2", "A1", 0);
        machine.plug_in("1-3", "B2", 2);
        assert_eq!(
            machine.found(&Which::Serial("B2".into())),
            ["/dev/video2", "/dev/video3"]
        );
        assert_eq!(
            machine.found(&Which::Path("pci-usb-1-2".into())),
            ["/dev/video0", "/dev/video1"]
        );
        assert_eq!(
            machine.found(&Which::Path("usb1/1-3/1-3:1.0".into())),
            ["/dev/video2", "/dev/video3"]
        );
        assert_eq!(
            machine.found(&Which::Node("/dev/video1".into())),
            ["/dev/video1"]
        );
        assert_eq!(
            machine.found(&Which::Name("Big Eye: Big Eye".into())).len(),
            4
        );
        assert!(machine.found(&Which::Serial("hub".into())).is_empty());
    }

    #[test]
    fn it_is_found_again_under_another_number() {
        let machine = Machine::new();
        machine.plug_in("1-2", "A1", 7);
        assert_eq!(machine.found(&Which::Serial("A1".into()))[0], "/dev/video7");
    }

    #[test]
    fn without_sysfs_there_are_no_cameras() {
        let nowhere = Places {
            class: "/nonexistent".into(),
            ..Places::default()
        };
        assert!(nodes(&nowhere).is_empty());
    }
}
