//! Every request is, byte by byte, what the device reads.
//!
//! Owns the table; each known request must be in it.

use crate::vectors::{names, vector};
use streamem_hl2ss::request::{
    self, Ahat, Answer, Capture, DepthProfile, ExtendedAudio, ExtendedDepth, ExtendedSound,
    ExtendedVideo, Eyes, Grey, Imu, LongThrow, Microphone, Mixer, PassThrough, PngFilter, Video,
};
use streamem_hl2ss::{
    Aac, Acquisition, Encoding, GreyCamera, Hardware, MixedReality, Profile, Request, Sensor,
    Setting, Stream, VideoFormat,
};

const FULL: VideoFormat = VideoFormat::new(1920, 1080, 30);

fn sensing() -> Vec<(&'static str, Request)> {
    let grey = Grey::new(GreyCamera::LeftFront);
    let raw = Grey {
        posed: false,
        encoding: Encoding::new(Profile::Raw),
        ..grey.clone()
    };
    let zdepth = Ahat {
        posed: false,
        ..Ahat::new(DepthProfile::Zdepth, Profile::Raw)
    };
    let long_throw = LongThrow {
        posed: true,
        divisor: 1,
        filter: PngFilter::Paeth,
    };
    let imu = |posed| Imu {
        sensor: Sensor::Gyroscope,
        posed,
    };
    let ahat = Ahat::new(DepthProfile::Same, Profile::Hevc);
    vec![
        ("req_vlc_m1_hevc", grey.stream().unwrap()),
        ("req_vlc_m0_raw", raw.stream().unwrap()),
        ("req_mode2_rm", request::calibration(Stream::Ahat).unwrap()),
        ("req_ahat_m1_same_hevc", ahat.stream().unwrap()),
        ("req_ahat_m0_zdepth_raw", zdepth.stream().unwrap()),
        ("req_lt_m1_paeth", long_throw.stream().unwrap()),
        ("req_imu_m0", imu(false).stream()),
        ("req_imu_m1", imu(true).stream()),
        ("req_eet_30", Eyes::Fps30.stream()),
        ("req_eet_90", Eyes::Fps90.stream()),
    ]
}

fn video() -> Vec<(&'static str, Request)> {
    let usual = MixedReality::default();
    let drawn = MixedReality {
        enabled: true,
        recording_indicator: true,
        ..usual
    };
    let of = |width, height, fps, profile| Video {
        posed: false,
        encoding: Encoding::new(profile),
        ..Video::new(VideoFormat::new(width, height, fps))
    };
    let at_once = Video {
        open: Some(usual),
        close: true,
        ..Video::new(VideoFormat::new(1280, 720, 30))
    };
    let small = of(640, 360, 15, Profile::H264Main);
    let raw = of(760, 428, 30, Profile::Raw);
    vec![
        ("req_pv_start", Video::start(&usual).unwrap()),
        ("req_pv_start_mrc", Video::start(&drawn).unwrap()),
        ("req_pv_stop", request::stop(Stream::Video).unwrap()),
        ("req_pv_m1_1080p30_hevc", Video::new(FULL).stream().unwrap()),
        ("req_pv_m0_640x360_15_h264", small.stream().unwrap()),
        ("req_pv_m0_raw_760x428", raw.stream().unwrap()),
        ("req_pv_m2_1080p30", Video::new(FULL).calibration().unwrap()),
        ("req_pv_oneshot", at_once.stream().unwrap()),
    ]
}

fn others() -> Vec<(&'static str, Request)> {
    let aac = ExtendedAudio::new(Mixer::Both, ExtendedSound::Aac(Aac::default()));
    let capture = Capture {
        pass_through: Some(PassThrough {
            source: 0,
            format: 2,
        }),
        category: 2,
        shared: true,
        unprocessed: false,
        no_effect: true,
    };
    let raw = ExtendedAudio {
        device: Some(1),
        ..ExtendedAudio::new(Mixer::Microphone, ExtendedSound::Raw(capture))
    };
    let hardware = |source| Hardware {
        group: 1,
        source,
        profile: 0,
        shared: false,
    };
    let depth = ExtendedDepth {
        open: None,
        close: false,
        posed: false,
        divisor: 1,
        depth: DepthProfile::Zdepth,
        media_index: 18,
        stride_mask: None,
    };
    let plain = Microphone::Aac(Aac::default());
    vec![
        ("req_mic_aac24000_l2", plain.stream()),
        ("req_mic_raw_stereo", Microphone::RawStereo.stream()),
        ("req_mic_raw_array5", Microphone::RawArray.stream()),
        ("req_ea_both_aac24000", aac.stream().unwrap()),
        ("req_ea_query", aac.devices().unwrap()),
        ("req_ea_raw_dev1_src0_fmt2", raw.stream().unwrap()),
        ("req_ev_start_g1_s0_p0", ExtendedVideo::start(hardware(0))),
        ("req_ev_query", ExtendedVideo::devices()),
        ("req_ez_start_g1_s1_p0", ExtendedDepth::start(hardware(1))),
        ("req_ez_m0_zdepth_idx18", depth.stream().unwrap()),
    ]
}

#[test]
fn every_known_request_is_made_as_it_is_known() {
    let made: Vec<_> = [sensing(), video(), others()].concat();
    for (name, request) in &made {
        assert_eq!(request.bytes(), vector(name), "{name}");
    }
    let known = names("req_").into_iter();
    for name in known.filter(|name| !name.starts_with("req_rc_")) {
        assert!(made.iter().any(|(made, _)| *made == name), "{name}");
    }
}

#[test]
fn a_request_says_what_answers_it() {
    let answer = |name| {
        let made: Vec<_> = [sensing(), video(), others()].concat();
        let found = made.into_iter().find(|(made, _)| *made == name);
        found.expect(name).1.answer()
    };
    assert_eq!(answer("req_pv_m2_1080p30"), Answer::Calibration(208));
    assert_eq!(answer("req_mode2_rm"), Answer::Calibration(4_194_392));
    assert_eq!(answer("req_pv_start"), Answer::Nothing);
    assert_eq!(answer("req_ev_query"), Answer::Devices);
    assert_eq!(answer("req_imu_m0"), Answer::Packets { posed: false });
    assert_eq!(answer("req_eet_30"), Answer::Packets { posed: true });
    let spatial = request::SpatialInput.stream();
    assert_eq!(spatial.answer(), Answer::Packets { posed: false });
    assert!(spatial.bytes().is_empty());
}

#[test]
fn what_is_chosen_stands_beside_the_usual() {
    let mut video = Video::new(FULL);
    video.acquisition = Some(Acquisition::Realtime);
    video.encoding.level = Some(120);
    video.encoding.bitrate = Some(1_000_000);
    video.encoding.settings = vec![Setting::Gop(60), Setting::LowLatency(true)];
    let request = video.stream().unwrap();
    let (enc, options) = request.bytes()[7..].split_at(6);
    assert_eq!(enc, [3, 120, 0x40, 0x42, 0x0f, 0]);
    assert_eq!(options[0], 3);
    let word = |at: usize| u64::from_le_bytes(options[at..at + 8].try_into().unwrap());
    let words: Vec<u64> = (1..options.len()).step_by(8).map(word).collect();
    assert_eq!(words, [10, 60, 16, 1, u64::MAX - 2, 0]);
}

#[test]
fn another_camera_is_asked_as_the_own_is() {
    let request = ExtendedVideo {
        open: None,
        close: false,
        posed: true,
        format: FULL,
        divisor: 1,
        encoding: Encoding::new(Profile::Hevc),
        acquisition: None,
        stride_mask: None,
    };
    let as_own = vector("req_pv_m1_1080p30_hevc");
    assert_eq!(request.stream().unwrap().bytes(), as_own);
    let at_once = ExtendedVideo {
        open: Some(Hardware {
            group: 1,
            source: 0,
            profile: 0,
            shared: false,
        }),
        close: true,
        ..request
    };
    let bytes = at_once.stream().unwrap();
    assert_eq!(bytes.bytes()[0], 0x0d);
    assert_eq!(bytes.bytes()[1..28], vector("req_ev_start_g1_s0_p0")[1..]);
    assert_eq!(bytes.bytes()[28..], as_own[1..]);
}
