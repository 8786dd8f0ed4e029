//! What the device would refuse without a word is refused with one.
//!
//! Owns a wish of each kind; each sentence must say what to do instead.

use streamem_hl2ss::remote::{Exposure, Focus, FocusMode, FocusRange, Iso, Mapping};
use streamem_hl2ss::request::{
    self, Ahat, Capture, DepthProfile, ExtendedAudio, ExtendedDepth, ExtendedSound, Grey,
    LongThrow, Mixer, PngFilter, Video,
};
use streamem_hl2ss::{
    Command, GreyCamera, MixedReality, Profile, Refused, Sensor, Setting, Stream, Ticks,
    VideoFormat, remote,
};

fn sentence<T: std::fmt::Debug>(result: Result<T, Refused>) -> String {
    let sentence = result.expect_err("the device would refuse it").to_string();
    assert!(sentence.ends_with(')'), "{sentence}");
    sentence
}

#[test]
fn of_pictures() {
    let video = || Video::new(VideoFormat::new(1280, 720, 30));
    let mut odd = video();
    odd.format = VideoFormat::new(640, 480, 30);
    assert!(sentence(odd.stream()).contains("no 640x480 at 30/s"));
    assert!(sentence(odd.calibration()).contains("no 640x480"));
    let mut none = video();
    none.divisor = 0;
    assert!(sentence(none.stream()).contains("divisor is 0"));
    let mut dark = video();
    dark.encoding.bitrate = Some(0);
    assert!(sentence(dark.stream()).contains("bitrate is 0"));
    let mut level = video();
    level.encoding.level = Some(52);
    assert!(sentence(level.stream()).contains("none of HEVC"));
    level.encoding.profile = Profile::H264High;
    assert!(level.stream().is_ok());
    level.encoding.profile = Profile::Raw;
    assert!(sentence(level.stream()).contains("raw pictures"));
    let mut talkative = video();
    talkative.encoding.settings = vec![Setting::Quality(1); 256];
    assert!(sentence(talkative.stream()).contains("too many"));
    let opaque = MixedReality {
        opacity: f32::NAN,
        ..MixedReality::default()
    };
    assert!(sentence(Video::start(&opaque)).contains("opacity"));
}

#[test]
fn of_sensors() {
    let mut grey = Grey::new(GreyCamera::RightRight);
    grey.divisor = 0;
    assert!(sentence(grey.stream()).contains("divisor"));
    grey.divisor = 1;
    grey.offset.of_exposure = f64::INFINITY;
    assert!(sentence(grey.stream()).contains("finite"));
    let mut ahat = Ahat::new(DepthProfile::Same, Profile::Hevc);
    ahat.divisor = 0;
    assert!(sentence(ahat.stream()).contains("divisor"));
    let filter = PngFilter::Auto;
    let long_throw = LongThrow {
        posed: true,
        divisor: 0,
        filter,
    };
    assert!(sentence(long_throw.stream()).contains("divisor"));
    let depth = ExtendedDepth {
        open: None,
        close: false,
        posed: true,
        divisor: 1,
        depth: DepthProfile::Same,
        media_index: u32::MAX,
        stride_mask: None,
    };
    assert!(sentence(depth.stream()).contains("camera's format"));
}

#[test]
fn what_a_stream_does_not_have() {
    let magnetometer = Stream::Imu(Sensor::Magnetometer);
    assert!(
        sentence(request::calibration(magnetometer)).contains("magnetometer has no calibration")
    );
    assert!(sentence(request::calibration(Stream::Video)).contains("without a size"));
    assert!(sentence(request::stop(Stream::Ahat)).contains("no start and stop"));
    let points = Command::MapPoints(Stream::Video, Mapping::ToPixels, vec![[0.0; 2]]);
    assert!(sentence(points.bytes()).contains("mapped"));
}

#[test]
fn of_sound() {
    let raw = |capture| ExtendedAudio::new(Mixer::Both, ExtendedSound::Raw(capture));
    let category = Capture {
        category: 8,
        ..Capture::default()
    };
    assert!(sentence(raw(category).stream()).contains("category is 8"));
    let mut audio = raw(Capture::default());
    audio.device = Some(1023);
    assert!(sentence(audio.devices()).contains("device is 1023"));
    audio.device = None;
    audio.microphone_gain = f32::NAN;
    assert!(sentence(audio.stream()).contains("gain"));
    let far = |source, format| {
        raw(Capture {
            pass_through: Some(request::PassThrough { source, format }),
            ..Capture::default()
        })
    };
    assert!(sentence(far(1024, 0).stream()).contains("source is 1024"));
    assert!(sentence(far(0, 1024).stream()).contains("format is 1024"));
}

#[test]
fn of_commands() {
    let focus = |value| {
        Command::Focus(Focus {
            mode: FocusMode::Auto,
            range: FocusRange::Full,
            distance: remote::Distance::Nearest,
            value,
            no_fallback: false,
        })
    };
    let wishes = [
        (focus(169), "169"),
        (Command::WhiteBalanceKelvin(2299), "2299"),
        (Command::Exposure(Exposure::Micros(66_001)), "66001"),
        (Command::Iso(Iso::Speed(99)), "99"),
        (Command::Scene(1), "1"),
        (Command::Scene(13), "13"),
        (Command::Optimise(7), "7"),
        (Command::PrimaryUse(3), "3"),
        (Command::Hdr(3), "3"),
        (Command::Priority(Stream::Video, -3), "-3"),
        (Command::RigPoses(vec![Ticks(0); (1 << 16) + 1]), "65537"),
    ];
    for (wish, number) in wishes {
        assert!(sentence(wish.bytes()).contains(number));
    }
    assert!(Command::Scene(0).bytes().is_ok() && Command::Scene(12).bytes().is_ok());
}
