//! Finds FFmpeg's libavcodec and compiles the few functions in C that know its structures.
//!
//! Owns which versions will do; never looks for the library but by pkg-config.

use std::process::exit;

/// FFmpeg 5, 6, 7 and 8.
const MAJORS: [&str; 4] = ["59", "60", "61", "62"];

fn give_up(why: &str) -> ! {
    eprintln!(
        "streamem-codec: {why}; install pkg-config and libavcodec-dev of FFmpeg 5, 6, 7 or 8 \
         (scripts/setup.sh worker does)"
    );
    exit(1)
}

fn find(name: &str) -> pkg_config::Library {
    let found = pkg_config::Config::new().probe(name);
    found.unwrap_or_else(|error| give_up(&format!("{name} was not found: {error}")))
}

fn main() {
    println!("cargo::rerun-if-changed=shim");
    let codec = find("libavcodec");
    let major = codec.version.split('.').next().unwrap_or_default();
    if !MAJORS.contains(&major) {
        let (found, known) = (&codec.version, MAJORS.join(", "));
        give_up(&format!(
            "libavcodec {found} is not one of the versions {known} this was written for"
        ));
    }
    let util = find("libavutil");
    cc::Build::new()
        .files(["shim/decoder.c", "shim/sound.c"])
        .includes(codec.include_paths.iter().chain(&util.include_paths))
        .std("c11")
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(false)
        .compile("streamem_codec_shim");
}
