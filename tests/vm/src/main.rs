//! `vm [KERNEL/][BOOT]…`: boots what the lists name, and says what came of it. Reads from its input what
//! `cargo test --no-run --message-format=json` says, to know where the test programs are.
//!
//! Owns the order and the report; a boot fails unless it ends as the list says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use streamem_vm::boots::{self, Boot};
use streamem_vm::kernels::{self, Kernel};
use streamem_vm::verdict::End;
use streamem_vm::{guest, kit, machine};
use streamem_vm_init::plan::TIMES;

const LINES_SHOWN: usize = 60;

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    match run(&wanted) {
        Ok(failed) if failed.is_empty() => ExitCode::SUCCESS,
        Ok(failed) => {
            println!("vm: failed: {}", failed.join(" "));
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("vm: {error}");
            ExitCode::from(2)
        }
    }
}

/// Boots all that is wanted; the names of what failed.
fn run(wanted: &[String]) -> Result<Vec<String>, String> {
    let programs = programs(std::io::stdin().lines())?;
    let began = Instant::now();
    let boots = boots::parse(boots::LIST)?;
    let mut failed = Vec::new();
    let mut booted = 0;
    let mut passed_over = 0;
    for kernel in kernels::parse(kernels::LIST)? {
        for boot in &boots {
            let name = format!("{}/{}", kernel.name, boot.name);
            let is = |word: &String| *word == name || *word == boot.name || *word == kernel.name;
            if !wanted.is_empty() && !wanted.iter().any(is) {
                continue;
            }
            if !boot.is_for(&kernel) {
                println!("{name:<20} skipped: it is not for this kernel");
                passed_over += 1;
                continue;
            }
            let misses = boot.misses(&kernel);
            if !misses.is_empty() {
                println!("{name:<20} skipped: no {} there", misses.join(", no "));
                passed_over += 1;
                continue;
            }
            booted += 1;
            let program = programs.get(&boot.program);
            let program = program.ok_or_else(|| format!("no test program {}", boot.program))?;
            if !is_as_it_should(&name, &kernel, boot, program)? {
                failed.push(name);
            }
        }
    }
    if booted + passed_over == 0 {
        return Err(format!(
            "no boot is called {}; see tests/vm/boots",
            wanted.join(" ")
        ));
    }
    let seconds = began.elapsed().as_secs();
    println!(
        "vm: {booted} booted, {passed_over} skipped, {} failed, in {seconds} s",
        failed.len()
    );
    Ok(failed)
}

fn is_as_it_should(
    name: &str,
    kernel: &Kernel,
    boot: &Boot,
    program: &Path,
) -> Result<bool, String> {
    let archive = guest::archive(kernel, boot, program)?;
    let log = kit::log(&kernel.name, &boot.name);
    let unable = |error: std::io::Error| format!("{name}: {error}");
    std::fs::create_dir_all(log.parent().unwrap_or(&log)).map_err(unable)?;
    let mut tries = 1;
    loop {
        let began = Instant::now();
        let qemu = machine::run(&kit::kernel(&kernel.name), &archive, &log, boot.limit);
        let qemu = qemu.map_err(unable)?;
        let text = std::fs::read(&log).map_err(unable)?;
        let text = String::from_utf8_lossy(&text).replace('\r', "");
        let end = End::of(&text, qemu);
        let seconds = began.elapsed().as_secs_f32();
        if end == End::Reset && tries == 1 {
            println!("{name:<20} {end}; once more ({})", kit::short(&log));
            tries += 1;
            continue;
        }
        let times = times(&text);
        if end == boot.end {
            println!("{name:<20} {} in {seconds:.1} s{times}", as_wanted(&end));
            return Ok(true);
        }
        let lines: Vec<&str> = text.lines().collect();
        for line in &lines[lines.len().saturating_sub(LINES_SHOWN)..] {
            println!("    {line}");
        }
        println!(
            "{name:<20} FAILED in {seconds:.1} s: {end} (the whole log: {})",
            kit::short(&log)
        );
        return Ok(false);
    }
}

fn as_wanted(end: &End) -> String {
    match end {
        End::Exit(0) => end.to_string(),
        other => format!("passed ({other}, as it should)"),
    }
}

/// When the machine was up, when ready, and how long the test took, if it said so.
fn times(log: &str) -> String {
    let said = log.lines().find_map(|line| line.strip_prefix(TIMES));
    let times: Vec<f32> = said
        .into_iter()
        .flat_map(|line| line.split_whitespace().flat_map(str::parse))
        .collect();
    let [up, ready, done] = times[..] else {
        return String::new();
    };
    let (test, ready) = (done - ready, ready - up);
    format!(" (kernel {up:.1}, preparing {ready:.1}, test {test:.1})")
}

/// The test programs cargo speaks of, by name.
fn programs(
    lines: impl Iterator<Item = std::io::Result<String>>,
) -> Result<BTreeMap<String, PathBuf>, String> {
    let mut programs = BTreeMap::new();
    for line in lines {
        let line = line.map_err(|error| error.to_string())?;
        let said: serde_json::Value =
            serde_json::from_str(&line).map_err(|error| format!("{line}: {error}"))?;
        let is_test = said["target"]["kind"][0] == "test";
        let name = said["target"]["name"].as_str();
        if let (true, Some(name), Some(path)) = (is_test, name, said["executable"].as_str()) {
            programs.insert(name.to_owned(), path.into());
        }
    }
    Ok(programs)
}
