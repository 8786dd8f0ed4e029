//! What the machine is told, and what it says: the file `/vm/plan` and the lines of `vm-init`.
//!
//! Owns both formats, for the side that writes and the side that reads.

/// Where the plan is in the machine.
pub const PLACE: &str = "/vm/plan";
/// Where it is said what the kernel lacks, a feature a line.
pub const LACKS: &str = "/vm/lacks";
/// Begins the line with the exit status of the program.
pub const EXIT: &str = "vm: exit ";
/// Begins each line in which the kernel complained.
pub const COMPLAINT: &str = "vm: the kernel complains: ";
/// Begins the line that says what `vm-init` could not do.
pub const UNABLE: &str = "vm: cannot ";
/// Begins the line with the times: seconds of uptime when it began, was ready, and had run the program.
pub const TIMES: &str = "vm: times ";
/// The port of QEMU's device that ends it.
pub const EXIT_PORT: u16 = 0xf4;

/// What the machine is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Whether udevd runs.
    pub udev: bool,
    /// Whether systemd is to be the first process, and to start all this.
    pub system: bool,
    /// Files of modules, in order, and their parameters.
    pub modules: Vec<(String, String)>,
    /// The user who runs the program.
    pub user: u32,
    /// The group of that user meanwhile.
    pub group: u32,
    /// The program and its arguments.
    pub command: Vec<String>,
}

impl Plan {
    /// As a file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("user {}\ngroup {}\n", self.user, self.group);
        if self.udev {
            text += "udev\n";
        }
        if self.system {
            text += "system\n";
        }
        for (file, parameters) in &self.modules {
            text += &format!("module {file} {parameters}\n");
        }
        for word in &self.command {
            text += &format!("word {word}\n");
        }
        text
    }

    /// Reads such a file.
    ///
    /// # Errors
    ///
    /// Which line means nothing.
    pub fn parse(text: &str) -> Result<Plan, String> {
        let mut plan = Plan::default();
        for line in text.lines() {
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            match key {
                "user" => plan.user = value.parse().map_err(|_| line.to_owned())?,
                "group" => plan.group = value.parse().map_err(|_| line.to_owned())?,
                "udev" => plan.udev = true,
                "system" => plan.system = true,
                "module" => {
                    let (file, parameters) = value.split_once(' ').unwrap_or((value, ""));
                    plan.modules.push((file.to_owned(), parameters.to_owned()));
                }
                "word" => plan.command.push(value.to_owned()),
                _ => return Err(line.to_owned()),
            }
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let plan = Plan {
            udev: true,
            system: true,
            modules: vec![
                ("/m/v.ko".into(), "a=1 b=2".into()),
                ("/m/w.ko".into(), String::new()),
            ],
            user: 65534,
            group: 110,
            command: vec!["/vm/bin/test".into(), "two words".into()],
        };
        assert_eq!(Plan::parse(&plan.text()), Ok(plan));
        assert_eq!(Plan::parse("what 1"), Err("what 1".to_owned()));
    }
}
