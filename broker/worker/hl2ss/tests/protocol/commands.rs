//! Every command is, byte by byte, what the device reads; and its replies are understood.
//!
//! Owns the table; each known command must be in it.

use crate::vectors::{T, names, pose, vector};
use streamem_hl2ss::remote::{
    Clock, Distance, Exposure, Focus, FocusMode, FocusRange, Iso, Mapping, Region, Reply,
    WhiteBalance,
};
use streamem_hl2ss::{Command, GreyCamera, Stream, Ticks, UtcOffset, Version};

const LEFT: GreyCamera = GreyCamera::LeftFront;

fn points() -> Command {
    Command::MapPoints(
        Stream::Grey(LEFT),
        Mapping::ToUnitPlane,
        vec![[320.0, 240.0]],
    )
}

fn table() -> Vec<(&'static str, Command)> {
    let focus = Focus {
        mode: FocusMode::Manual,
        range: FocusRange::Full,
        distance: Distance::Infinity,
        value: 1000,
        no_fallback: false,
    };
    let region = Region {
        clear: true,
        set: true,
        for_exposure: true,
        for_focus: false,
        normalised: true,
        face: false,
        weight: 50,
        place: [0.25, 0.25, 0.5, 0.5],
    };
    vec![
        ("version", Command::Version),
        ("utc_offset", Command::UtcOffset),
        ("marker_on", Command::Marker(true)),
        ("pv_status", Command::VideoStatus),
        ("focus", Command::Focus(focus)),
        ("denoise_off", Command::Denoise(false)),
        ("wb_preset_auto", Command::WhiteBalance(WhiteBalance::Auto)),
        ("wb_value_4000K", Command::WhiteBalanceKelvin(4000)),
        (
            "exposure_manual_10000us",
            Command::Exposure(Exposure::Micros(10_000)),
        ),
        ("exposure_prio", Command::ExposurePriority(false)),
        ("iso_manual_400", Command::Iso(Iso::Speed(400))),
        ("backlight_on", Command::Backlight(true)),
        ("scene_auto", Command::Scene(0)),
        ("flat_mode_on", Command::Flat(true)),
        ("eye_selection_on", Command::EyeSelection(true)),
        ("optim_latency", Command::Optimise(2)),
        ("primary_use_video", Command::PrimaryUse(2)),
        ("ois_off", Command::Stabilise(false)),
        ("hdr_off", Command::Hdr(0)),
        ("roi", Command::Region(region)),
        ("prio_pv_highest", Command::Priority(Stream::Video, 2)),
        ("quiet_on", Command::Quiet(true)),
        ("map_points", points()),
        ("rig_pose", Command::RigPoses(vec![Ticks(T)])),
        ("now_qpc", Command::Now(Clock::Ticks)),
        ("now_utc", Command::Now(Clock::Utc)),
        ("si_delay", Command::SamplingDelay(500_000)),
        ("enc_buffering_on", Command::EncoderBuffering(true)),
        ("reader_buffering_on", Command::ReaderBuffering(true)),
        ("loop_control_vlc_lf", Command::LoopControl(LEFT, true)),
    ]
}

#[test]
fn every_known_command_is_made_as_it_is_known() {
    let table = table();
    for (name, command) in &table {
        let known = vector(&format!("req_rc_{name}"));
        assert_eq!(command.bytes().unwrap(), known, "{name}");
    }
    for name in names("req_rc_") {
        let name = &name["req_rc_".len()..];
        assert!(table.iter().any(|(made, _)| *made == name), "{name}");
    }
}

#[test]
fn what_the_camera_may_do_itself_is_said_with_a_value_it_takes() {
    let automatic = Command::Exposure(Exposure::Auto).bytes().unwrap();
    assert_eq!(automatic, [0x08, 1, 0, 0, 0, 100, 0, 0, 0]);
    let automatic = Command::Iso(Iso::Auto).bytes().unwrap();
    assert_eq!(automatic, [0x0a, 1, 0, 0, 0, 100, 0, 0, 0]);
}

#[test]
fn replies_are_understood() {
    let reply = |command: Command, name: &str| {
        let bytes = vector(&format!("rsp_rc_{name}"));
        assert_eq!(command.reply_bytes(), bytes.len(), "{name}");
        command.reply(&bytes).unwrap()
    };
    let version = Version {
        major: 1,
        minor: 0,
        build: 37,
        revision: 0,
    };
    assert_eq!(reply(Command::Version, "version"), Reply::Version(version));
    assert_eq!(
        reply(Command::UtcOffset, "utc_offset"),
        Reply::UtcOffset(UtcOffset(0x01db_9f40_fea9_aa0b))
    );
    assert_eq!(
        reply(Command::VideoStatus, "pv_status_on"),
        Reply::VideoStatus(true)
    );
    assert_eq!(
        reply(points(), "map_points"),
        Reply::Points(vec![[0.125, -0.25]])
    );
    assert_eq!(
        reply(Command::RigPoses(vec![Ticks(T)]), "rig_pose"),
        Reply::Poses(vec![pose()])
    );
    let now = Command::Now(Clock::Ticks);
    assert_eq!(reply(now, "now_qpc"), Reply::Ticks(Ticks(T)));
    assert_eq!(Command::Quiet(true).reply(&[]), Ok(Reply::Nothing));
    let odd = Command::VideoStatus.reply(&[2]).unwrap_err();
    assert!(odd.to_string().contains("says 2"), "{odd}");
    assert!(Command::Version.reply(&[0; 7]).is_err());
}

#[test]
fn an_old_device_is_told_apart() {
    let version = |build| Version {
        major: 1,
        minor: 0,
        build,
        revision: 0,
    };
    assert_eq!(version(35).check(), Ok(()));
    let sentence = version(34).check().unwrap_err().to_string();
    assert!(sentence.contains("1.0.34.0") && sentence.contains("1.0.35.0"));
}
