//! Every format GStreamer knows, as its own elements understand it; and those it does not.
//!
//! Owns the list; that a picture is what it should be is read off the picture.

use super::{HEIGHT, Pipeline, Server, WIDTH, config};
use streamem_tests::Broker;
use streamem_wire::stamp_strip::Strip;
use streamem_wire::{Format, Layout};
use streamemd::source::pattern::bars;

const EXACT: [Format; 4] = [Format::Rgb24, Format::Bgr24, Format::Rgba, Format::Bgra];
const CONVERTED: [Format; 7] = [
    Format::Gray8,
    Format::Gray16,
    Format::Yuyv,
    Format::Uyvy,
    Format::Nv12,
    Format::I420,
    Format::P010,
];

/// A picture in this format, turned into red, green and blue by GStreamer.
fn converted(format: Format) -> Vec<u8> {
    let broker = Broker::with_config(&config(&format!("size=320x240&rate=30&format={format}")));
    let server = Server::start(&broker, "cam");
    let elements = "! videoconvert ! video/x-raw,format=RGB";
    let mut reader = Pipeline::start(&server, "rgb", "num-buffers=1", elements);
    assert!(reader.wait_for_end().success(), "{format}");
    std::fs::read(&reader.file).expect("it was written")
}

#[test]
fn colours_are_understood_to_the_last_bit() {
    let layout = Layout::video(Format::Rgb24, WIDTH, HEIGHT, 30.0).expect("a layout");
    for format in EXACT {
        bars::check(&layout, &converted(format)).unwrap_or_else(|what| panic!("{format}: {what}"));
    }
}

#[test]
fn brightness_and_rows_are_understood() {
    for format in CONVERTED {
        let picture = converted(format);
        let is_bright = |column: u32, row: u32| {
            let pixel = (row * WIDTH + column) as usize;
            picture.get(pixel * 3 + 1).is_some_and(|green| *green > 127)
        };
        let strip = Strip::read(WIDTH, HEIGHT, is_bright);
        assert!(strip.is_some(), "{format}: the strip is damaged");
        // The bars: white first, black last.
        let colour = |column: u32| {
            let pixel = (120 * WIDTH + column) as usize;
            picture[pixel * 3..pixel * 3 + 3].to_vec()
        };
        assert!(colour(4).iter().all(|part| *part > 160), "{format}");
    }
}

#[test]
fn what_gstreamer_has_no_words_for_is_refused_at_once() {
    let broker = Broker::with_config(
        "[stream.depth]\nsource = \"pattern://bars?size=320x240&format=depth16\"\n\
         [stream.odd]\nsource = \"pattern://bars?size=322x240&format=rgb24\"\n\
         [stream.stereo]\nsource = \"pattern://sine\"\n\
         [stream.imu]\nsource = \"pattern://imu\"\n",
    );
    for (stream, cause) in [
        ("depth", "no format for depth16"),
        ("odd", "multiples of four bytes"),
        ("stereo", "2 channels"),
        ("imu", "no format for batch"),
        ("none", "no stream"),
    ] {
        let socket = broker.folder().join("refused.gst");
        let words = [stream, "--listen", socket.to_str().expect("plain letters")];
        let (code, said) = Server::refused(&broker, &words);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(cause) && said.lines().count() == 1, "{said}");
        assert!(!socket.exists());
    }
}
