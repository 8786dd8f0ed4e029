//! `streamem generate`: completions and man pages, made from the definition of the command line.
//!
//! Owns the names of the files and the look of a page; never installs them.

use crate::cli::Cli;
use crate::failure::Failure;
use crate::output::Output;
use clap::builder::Resettable;
use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate_to};
use clap_mangen::Man;
use std::fs::{create_dir_all, write};
use std::io;
use std::path::{Path, PathBuf};

/// Where commands are described.
const SECTION: &str = "1";
/// When the command line was last changed. Not the day of the build: two builds make the same pages.
const REVISED: &str = "2026-11-21";

pub fn run(folder: &Path, output: &mut Output) -> Result<(), Failure> {
    let made = made(folder).map_err(|cause| Failure::File {
        path: folder.to_owned(),
        cause,
    })?;
    if output.json() {
        return Ok(output.document(&made)?);
    }
    for path in made {
        output.line(&path.display().to_string())?;
    }
    Ok(())
}

fn made(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (completions, pages) = (folder.join("completions"), folder.join("man"));
    create_dir_all(&completions)?;
    create_dir_all(&pages)?;
    let mut made = Vec::new();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        made.push(generate_to(
            shell,
            &mut Cli::command(),
            "streamem",
            &completions,
        )?);
    }
    let mut command = Cli::command();
    command.build();
    let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
    for command in shown.chain([&command]) {
        let name = command.get_display_name().unwrap_or(command.get_name());
        let path = pages.join(format!("{name}.{SECTION}"));
        write(&path, page(command)?)?;
        made.push(path);
    }
    Ok(made)
}

/// The man page of a command: clap's, with the text below its help as sections of their own.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let below = command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let (notes, rest) = below.split_once("Examples:\n").unwrap_or((&below, ""));
    let (examples, more) = rest.split_once("\n\n").unwrap_or((rest, ""));
    let mut page = Vec::new();
    Man::new(command.clone().after_help(Resettable::Reset))
        .section(SECTION)
        .date(REVISED)
        .source(concat!("streamem ", env!("CARGO_PKG_VERSION")))
        .manual("Streamem")
        .render(&mut page)?;
    for (title, text) in [("NOTES", notes), ("EXAMPLES", examples), ("NOTES", more)] {
        if !text.trim().is_empty() {
            page.extend(section(title, text).into_bytes());
        }
    }
    Ok(page)
}

/// A section whose lines stay as they are.
fn section(title: &str, text: &str) -> String {
    let lines = text.trim_end().lines().map(|line| {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        let guard = if line.starts_with(['.', '\'']) {
            "\\&"
        } else {
            ""
        };
        format!("{guard}{line}\n")
    });
    format!(".SH {title}\n.nf\n{}.fi\n", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_visible_command_has_a_page_and_is_completed() {
        let folder = std::env::temp_dir().join(format!("streamem-generate-{}", std::process::id()));
        let made = made(&folder).unwrap();
        let completion = std::fs::read_to_string(folder.join("completions/streamem.bash")).unwrap();
        for command in Cli::command().get_subcommands() {
            let page = folder.join(format!("man/streamem-{}.1", command.get_name()));
            assert_eq!(made.contains(&page), !command.is_hide_set(), "{page:?}");
            assert!(completion.contains(command.get_name()));
        }
        assert!(made.iter().all(|path| path.exists()));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// The fields of a page's first request, with their quotes taken off.
    fn title_fields(page: &str) -> Vec<String> {
        let mut lines = page.lines();
        let title = lines.find_map(|line| line.strip_prefix(".TH "));
        let mut fields = vec![String::new()];
        let mut quoted = false;
        for letter in title.expect("a title").chars() {
            match letter {
                '"' => quoted = !quoted,
                ' ' if !quoted => fields.push(String::new()),
                letter => fields.last_mut().unwrap().push(letter),
            }
        }
        fields
    }

    #[test]
    fn every_page_says_its_title_section_date_and_source() {
        let mut command = Cli::command();
        command.build();
        for command in command.get_subcommands().chain([&command]) {
            let page = String::from_utf8(page(command).unwrap()).unwrap();
            let name = command.get_display_name().unwrap_or(command.get_name());
            let fields = title_fields(&page);
            let source = concat!("streamem ", env!("CARGO_PKG_VERSION"));
            assert_eq!(fields, [name, SECTION, REVISED, source, "Streamem"]);
            assert!(page.contains(&format!(".SH NAME\n{}", name.replace('-', "\\-"))));
        }
    }

    #[test]
    fn examples_are_a_section_with_its_lines_kept() {
        let mut command = Cli::command();
        command.build();
        let page = page(command.find_subcommand("grab").unwrap()).unwrap();
        let page = String::from_utf8(page).unwrap();
        let (_, examples) = page.split_once(".SH EXAMPLES\n.nf\n").unwrap();
        assert_eq!(
            examples.lines().next(),
            Some("  streamem grab randcam \\-o x.png")
        );
        assert!(!page.contains(".SH EXTRA"));
    }

    #[test]
    fn a_line_that_looks_like_a_request_is_guarded() {
        assert_eq!(section("X", ".png\n"), ".SH X\n.nf\n\\&.png\n.fi\n");
    }
}
