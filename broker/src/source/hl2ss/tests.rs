//! What URIs of devices ask for.

use super::*;
use streamem_hl2ss::{Acquisition, Profile, VideoFormat};
use streamem_orders::Ask;

fn device(text: &str) -> Result<Device, String> {
    let uri: SourceUri = text.parse().map_err(|why: BadSource| why.to_string())?;
    Device::of(&uri).map_err(|why| why.to_string())
}

fn summary(stream: &str) -> String {
    let uri: SourceUri = format!("hl2ss://192.168.1.80/{stream}").parse().unwrap();
    layout(&uri).unwrap().summary()
}

fn refused(stream: &str) -> String {
    device(&format!("hl2ss://192.168.1.80/{stream}")).unwrap_err()
}

#[test]
fn every_stream_can_be_had_as_it_is() {
    for (name, _) in STREAMS {
        let found = device(&format!("hl2ss://headset.local/{name}")).unwrap();
        assert_eq!(found.host.as_str(), "headset.local", "{name}");
        let again = serde_json::to_string(&found.wish).unwrap();
        assert_eq!(serde_json::from_str::<Wish>(&again).unwrap(), found.wish);
    }
}

#[test]
fn the_colour_camera_is_asked_for_the_newest_picture() {
    let Ask::Video(video) = device("hl2ss://h/pv").unwrap().wish.ask else {
        panic!("pv is the colour camera");
    };
    assert_eq!(video.format, VideoFormat::new(1920, 1080, 30));
    assert_eq!(video.acquisition, Some(Acquisition::Realtime));
    assert_eq!(video.encoding.profile, Profile::Hevc);
    assert!(video.posed && video.open.is_none());
    let found = device(
        "hl2ss://h/pv?size=1280x720&rate=15&profile=h264-high&bitrate=5242880&gop=60&divisor=2&poses=no&\
         calibration=no&holograms=yes&shared=yes&buffered=yes&format=bgr24",
    );
    let found = found.unwrap().wish;
    assert!(!found.calibration && found.format == Format::Bgr24);
    let Ask::Video(video) = found.ask else {
        panic!("pv is the colour camera");
    };
    assert_eq!(
        (video.encoding.bitrate, video.divisor),
        (Some(5_242_880), 2)
    );
    assert_eq!(video.acquisition, Some(Acquisition::Buffered));
    let open = video.open.unwrap();
    assert!(open.enabled && open.shared && !video.posed);
}

#[test]
fn frames_lie_as_is_said() {
    assert_eq!(summary("pv"), "1920x1080 i420 30/s");
    assert_eq!(summary("pv?profile=raw"), "1920x1080 nv12 30/s");
    assert_eq!(summary("pv?format=h265"), "1920x1080 h265 30/s");
    assert_eq!(summary("vlc-left-left"), "640x480 gray8 30/s");
    assert_eq!(summary("ahat-depth"), "512x512 depth16 45/s");
    assert_eq!(
        summary("ahat-ab?profile=raw&depth=same"),
        "512x512 gray16 45/s"
    );
    assert_eq!(summary("longthrow-ab?divisor=5"), "320x288 gray16 1/s");
    assert_eq!(summary("extended-depth?size=320x240"), "320x240 depth16");
}

#[test]
fn what_a_device_would_not_take_is_refused_before_it_is_asked() {
    assert!(refused("pv?size=1000x1000").contains("no 1000x1000"));
    assert!(refused("pv?size=1920x1080&rate=60").contains("no 1920x1080 at 60/s"));
    assert!(refused("pv?size=70000x1").contains("1 to 65535"));
    assert!(refused("pv?format=h264").contains("packets are h265"));
    assert!(refused("vlc-left-left?profile=raw&format=h264").contains("another profile"));
    assert!(refused("pv?profile=hvec").contains("\"hevc\""));
    assert!(refused("pv?poses=maybe").contains("there is yes, no"));
    assert!(refused("pv?divisor=0").contains("from 1 to 255"));
    assert!(refused("eyes?rate=45").contains("30, 60, 90"));
    assert!(refused("microphone?samples=0").contains("1 to 16384"));
    assert!(refused("extended-video?size=3x3&format=nv12").contains("even sides"));
}

#[test]
fn a_stream_has_only_the_parameters_that_make_sense_for_it() {
    for (stream, parameter) in [
        ("vlc-left-left", "size=640x480"),
        ("longthrow-depth", "profile=raw"),
        ("magnetometer", "calibration=yes"),
        ("spatial", "rate=30"),
        ("microphone", "mixer=both"),
        ("extended-depth", "shared=yes"),
        ("extended-video", "calibration=yes"),
    ] {
        let why = refused(&format!("{stream}?{parameter}"));
        assert!(why.contains("has no parameter"), "{why}");
    }
}

#[test]
fn a_misspelt_stream_or_host_is_said() {
    assert!(refused("pvv").contains("did you mean \"pv\"?"));
    assert!(refused("").contains("HOST/STREAM"));
    assert!(device("hl2ss://pv").unwrap_err().contains("HOST/STREAM"));
    assert!(
        device("hl2ss://1.2.3.4:3810/pv")
            .unwrap_err()
            .contains("without a port")
    );
    assert!(device("hl2ss://1.2.3.4/pv/x").unwrap_err().contains("pv/x"));
}

#[test]
fn one_port_is_asked_for_one_thing() {
    let of = |text: &str| device(text).unwrap();
    let check = |one: &str, other: &str| of(one).check_beside(&of(other).wish, "other");
    for (one, other) in [
        ("hl2ss://a/pv", "hl2ss://A/pv?format=bgr24&calibration=no"),
        ("hl2ss://a/ahat-depth", "hl2ss://a/ahat-ab"),
        ("hl2ss://a/pv", "hl2ss://a/vlc-left-left"),
    ] {
        assert_eq!(check(one, other), Ok(()), "{one} {other}");
    }
    let why = check("hl2ss://a/ahat-depth", "hl2ss://a/ahat-ab?depth=same");
    let why = why.unwrap_err().to_string();
    assert!(
        why.contains("\"other\"") && why.contains("depth for hands"),
        "{why}"
    );
}
