//! What a table makes of a headset.

use super::*;
use crate::config::Config;
use std::path::Path;

fn read(text: &str) -> Result<Config, String> {
    Config::from_text(Path::new("x.toml"), text).map_err(|why| why.to_string())
}

fn summaries(text: &str) -> Vec<(String, String)> {
    let config = read(text).unwrap();
    let streams = config.streams.iter().map(|(name, stream)| {
        let layout = source::awaited_layout(&stream.source).unwrap();
        (name.to_string(), layout.summary())
    });
    streams.collect()
}

fn shape(config: &Config, name: &str) -> (Vec<u64>, String) {
    let stream = &config.streams[&StreamName::new(name).unwrap()];
    let array = source::awaited_layout(&stream.source)
        .unwrap()
        .array
        .unwrap();
    (array.shape, array.dtype)
}

#[test]
fn every_stream_has_its_key() {
    let usual = USUAL.iter().map(|usual| usual.0);
    let keys: Vec<&str> = std::iter::once("host").chain(usual).collect();
    assert_eq!(keys, KEYS);
}

#[test]
fn a_host_alone_is_the_usual_streams_in_their_usual_shapes() {
    let config = read("[hololens]\nhost = \"192.168.1.80\"").unwrap();
    assert_eq!(config.streams.len(), 11);
    let grey = (vec![480, 640, 3], "|u1".to_owned());
    for (name, wanted) in [
        ("rgb", (vec![720, 1280, 3], "|u1".to_owned())),
        ("grayscale-0", grey.clone()),
        ("grayscale-3", grey),
        ("depth", (vec![288, 320, 1], "<u2".to_owned())),
        ("ab", (vec![288, 320, 1], "<u2".to_owned())),
        ("acc", (vec![28, 93, 1], "|u1".to_owned())),
        ("gyro", (vec![28, 315, 1], "|u1".to_owned())),
        ("mag", (vec![28, 11, 1], "|u1".to_owned())),
        ("audio", (vec![2, 1024], "<i2".to_owned())),
    ] {
        let (mut is, wanted) = (shape(&config, name), wanted);
        // Whether a picture of one channel says so is the layout's own affair.
        if is.0.len() == 2 && wanted.0.len() == 3 {
            is.0.push(1);
        }
        assert_eq!(is, wanted, "{name}");
    }
}

#[test]
fn streams_are_switched_off_on_and_changed() {
    let off = "rgb = false\ngrayscale-0 = false\ngrayscale-1 = false\ngrayscale-2 = false\ngrayscale-3 = false\n\
               depth = false\nab = false\nacc = false\ngyro = false\nmag = false\n";
    let text = format!(
        "[hololens]\nhost = \"h\"\n{off}eyes = true\nspatial = {{ name = \"hands\" }}\n\
         audio = {{ samples = 512, format = \"f32\" }}\n"
    );
    let names: Vec<String> = summaries(&text).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["audio", "eyes", "hands"]);
    let text = "[hololens]\nhost = \"h\"\nrgb = { size = \"1920x1080\", format = \"i420\", name = \"front\" }\n";
    let found = summaries(text);
    assert!(
        found.contains(&("front".into(), "1920x1080 i420 30/s".into())),
        "{found:?}"
    );
}

#[test]
fn what_is_wrong_is_said_where_it_is() {
    let refused = |text: &str| read(&format!("[hololens]\n{text}")).unwrap_err();
    assert!(refused("rgb = false").contains("x.toml:1:"));
    assert!(refused("host = \"a b\"").contains("x.toml:2:"));
    let why = refused("host = \"h\"\nrgb = { rate = 17 }");
    assert!(why.contains("x.toml:3:1") && why.contains("17/s"), "{why}");
    assert!(refused("host = \"h\"\nrbg = true").contains("did you mean \"rgb\"?"));
    assert!(refused("host = \"h\"\nrgb = 5").contains("true, false or a table"));
    assert!(refused("host = \"h\"\nrgb = { name = \"a b\" }").contains("x.toml:3:"));
    let why = refused("host = \"h\"\n[stream.rgb]\nsource = \"pattern://bars\"");
    assert!(
        why.contains("x.toml:3:9") && why.contains("rgb = false"),
        "{why}"
    );
    let why = refused("host = \"h\"\ndepth = { name = \"ab\" }");
    assert!(why.contains("ab"), "{why}");
}

#[test]
fn what_is_said_of_a_stream_without_a_source_is_for_the_headsets() {
    let text = "[hololens]\nhost = \"h\"\nspatial = { name = \"hands\" }\n\
                [stream.audio.access]\nread = [\"user:0\"]\n[stream.hands.access]\nread = [\"user:0\"]\n";
    let config = read(text).unwrap();
    for name in ["audio", "hands"] {
        let stream = &config.streams[&StreamName::new(name).unwrap()];
        assert!(stream.source.as_str().starts_with("hl2ss://h/"));
        assert!(stream.access.is_some(), "{name}");
    }
    let off = read(
        "[hololens]\nhost = \"h\"\naudio = false\n[stream.audio.access]\nread = [\"user:0\"]\n",
    );
    assert!(off.unwrap_err().contains("no source"));
}

#[test]
fn two_of_one_name_are_said_with_the_key_and_both_places() {
    let text = "[hololens]\nhost = \"h\"\nrgb = { name = \"front\" }\n\
                [stream.front]\nsource = \"pattern://bars\"\n";
    let why = read(text).unwrap_err();
    for words in ["x.toml:3:1", "x.toml:4:9", "`rgb = false`", "stream front"] {
        assert!(why.contains(words), "{why}");
    }
    let why = read("[hololens]\nhost = \"h\"\ndepth = { name = \"ab\" }\n").unwrap_err();
    assert!(why.contains("keys depth and ab"), "{why}");
}

#[test]
fn a_flag_is_one_and_what_is_wrong_is_pointed_at() {
    let config = read("[hololens]\nhost = \"h\"\nrgb = { poses = false }").unwrap();
    let rgb = &config.streams[&StreamName::new("rgb").unwrap()].source;
    assert!(rgb.as_str().contains("poses=no"), "{}", rgb.as_str());
    let why = read("[hololens]\nhost = \"h\"\nrgb = { rate = 30, posse = true }").unwrap_err();
    assert!(why.contains("x.toml:3:20"), "{why}");
}

#[test]
fn one_port_is_asked_for_one_thing() {
    let streams = "[stream.b]\nsource = \"hl2ss://h/ahat-depth\"\n\
                   [stream.a]\nsource = \"hl2ss://h/ahat-ab?depth=same\"\n";
    let why = read(streams).unwrap_err();
    assert!(why.contains("x.toml:3:9") && why.contains("\"b\""), "{why}");
    let headset = "[hololens]\nhost = \"h\"\ndepth = { divisor = 2 }\n";
    assert!(read(headset).unwrap_err().contains("depth of the room"));
}

#[test]
fn a_later_file_changes_what_it_names() {
    let files = [
        ("a.toml", "[hololens]\nhost = \"h\"\nrgb = { rate = 15 }\n"),
        ("b.toml", "[hololens]\nhost = \"i\"\nab = false\n"),
    ];
    let files = files.map(|(name, text)| (Path::new(name).to_owned(), text.to_owned()));
    let config = super::super::files::merge(&files).unwrap();
    assert_eq!(config.streams.len(), 10);
    let rgb = &config.streams[&StreamName::new("rgb").unwrap()].source;
    assert!(rgb.as_str().starts_with("hl2ss://i/pv") && rgb.as_str().contains("rate=15"));
}
