//! FFmpeg's decoder by itself, on one thread: what pictures cost when nobody wants them.
//!
//! It owns the file of access units, the device's own, and reading the CPU time out of what FFmpeg says.

use super::report::{Outcome, Seen, View};
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use streamem_headset::encode::{Loop, Recipe};
use streamem_headset::expected::Scene;
use streamem_headset::request::{Profile, Size};

const RATE: u8 = 30;

/// Decodes so much of what the colour camera sends, as fast as it comes or as fast as can be.
pub fn run(duration: Duration, is_paced: bool) -> io::Result<Outcome> {
    let folder = std::env::temp_dir().join(format!("streamem-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = measure(&folder, duration, is_paced);
    fs::remove_dir_all(&folder)?;
    measured
}

fn measure(folder: &Path, duration: Duration, is_paced: bool) -> io::Result<Outcome> {
    let pictures = (duration.as_secs_f64() * f64::from(RATE)) as u64;
    let (one, all) = (folder.join("one.h265"), folder.join("all.h265"));
    write(&one, 1)?;
    write(&all, pictures + 1)?;
    // What starting costs is not what a picture costs.
    let start_ns = decode(&one, is_paced)?;
    let cpu_ns = decode(&all, is_paced)?.saturating_sub(start_ns);
    let seen = Seen {
        frames: pictures,
        ..Seen::default()
    };
    Ok(Outcome {
        cpu_ns,
        wall_ns: duration.as_nanos() as u64,
        views: vec![View::from([("pv".to_owned(), seen)])],
        ..Outcome::default()
    })
}

fn write(file: &Path, pictures: u64) -> io::Result<()> {
    let units = Loop::of(Recipe::Video {
        scene: Scene::Colour,
        size: Size {
            width: 1920,
            height: 1080,
            fps: RATE,
        },
        profile: Profile::Hevc,
        gop: RATE.into(),
    });
    let mut bytes = Vec::new();
    for number in 0..pictures {
        bytes.extend_from_slice(&units.unit(number, || false).map_err(io::Error::other)?);
    }
    fs::write(file, bytes)
}

/// User and system time, as `-benchmark` says them.
fn decode(file: &Path, is_paced: bool) -> io::Result<u64> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-nostats", "-benchmark", "-threads", "1"]);
    if is_paced {
        command.arg("-re");
    }
    command
        .args(["-framerate", &RATE.to_string(), "-f", "hevc", "-i"])
        .arg(file);
    command.args(["-fps_mode", "passthrough", "-f", "null", "-"]);
    let said = command.stdout(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    let times = said
        .lines()
        .find_map(|line| line.strip_prefix("bench: utime="));
    let seconds = times.and_then(|times| {
        let (user, rest) = times.split_once("s stime=")?;
        let (system, _) = rest.split_once('s')?;
        Some(user.parse::<f64>().ok()? + system.parse::<f64>().ok()?)
    });
    let seconds =
        seconds.ok_or_else(|| io::Error::other(format!("ffmpeg decodes nothing: {said}")))?;
    Ok((seconds * 1e9) as u64)
}
