//! What cannot be decoded, and who may not look.
//!
//! Owns the mistakes; each is answered with a sentence that names the stream.

use super::{CONFIG, Camera, lost_by_ten, read, state_becomes, why};
use serde_json::json;
use std::path::Path;
use streamem_tests::consumer::NOBODY;
use streamem_tests::jpeg::{Sampling, wish};
use streamem_tests::{Broker, Consumer};
use streamemd::config::Config;

fn checked(text: &str) -> Result<Config, String> {
    Config::from_text(Path::new("mine.toml"), text).map_err(|why| why.to_string())
}

#[test]
fn a_configuration_that_cannot_be_is_refused() {
    let decoding = |parent: &str| format!("[stream.a]\nsource = \"decode://{parent}\"\n");
    assert!(checked(&decoding("later")).is_ok(), "it may come later");
    let itself = checked(&decoding("a")).expect_err("it is its own parent");
    assert!(
        itself.contains("mine.toml:1:") && itself.contains("itself"),
        "{itself}"
    );
    for (source, format) in [
        ("decode://a", "bgr24"),
        ("pattern://bars?format=nv12", "nv12"),
        ("publish://?format=h264", "h264"),
        ("v4l2:///dev/video0?format=yuyv", "yuyv"),
    ] {
        let text = format!("{}[stream.b]\nsource = \"{source}\"\n", decoding("b"));
        let refused = checked(&text).expect_err(source);
        assert!(
            refused.contains("\"b\"") && refused.contains(format),
            "{refused}"
        );
    }
    let auto = format!(
        "{}[stream.b]\nsource = \"v4l2:///dev/video0\"\n",
        decoding("b")
    );
    assert!(checked(&auto).is_ok(), "it may be one that only has JPEG");
}

#[test]
fn a_stream_that_cannot_be_is_not_added() {
    let broker = Broker::with_config("[stream.cam]\nsource = \"pattern://imu\"\n");
    for (source, part) in [
        ("decode://cam", "batch"),
        ("decode://new", "itself"),
        ("decode://other?format=nv12", "rgb24"),
    ] {
        let mut wire = broker.connect();
        let asked = json!({"stream": "new", "source": source});
        let answer = wire.call("AddStream", asked);
        assert_eq!(answer.refused(), "BadSource");
        let message = answer.parameters["message"].as_str().unwrap_or_default();
        assert!(message.contains(part), "{source}: {message}");
    }
}

#[test]
fn who_may_not_read_a_stream_has_none_decoded_from_it() {
    let broker = Broker::with_config(
        "[access]\nsee = [\"everyone\"]\nread = [\"everyone\"]\nadmin = [\"everyone\"]\n\
         [stream.open]\nsource = \"publish://?format=mjpeg\"\n\
         [stream.closed]\nsource = \"publish://?format=mjpeg\"\n[stream.closed.access]\nread = [\"user:root\"]\n\
         [stream.hidden]\nsource = \"pattern://imu?rate=7\"\n[stream.hidden.access]\nsee = []\nread = []\n",
    );
    let add = |name: &str, parent: &str| {
        let parameters = json!({"stream": name, "source": format!("decode://{parent}")});
        let call = json!({"method": "io.streamem.AddStream", "parameters": parameters});
        let option = format!("call={call}");
        let socket = broker.socket();
        let mut command = Consumer::command_as(NOBODY, &socket, "-", &[&option]);
        Consumer::spawn(&mut command).expect("answer")
    };
    for (parent, refusal) in [("closed", "NotPermitted"), ("hidden", "NoSuchStream")] {
        let answer = add("mine", parent);
        assert_eq!(
            answer["error"],
            format!("io.streamem.{refusal}"),
            "{answer}"
        );
        let message = answer["parameters"]["message"].as_str();
        let message = message.unwrap_or_default();
        assert!(
            message.contains(parent) && !message.contains("://"),
            "{message}"
        );
    }
    for (name, parent) in [("mine", "open"), ("yours", "later")] {
        let answer = add(name, parent);
        assert_eq!(answer["error"], serde_json::Value::Null, "{answer}");
    }
}

#[test]
fn a_parent_without_jpeg_is_named_with_what_it_has() {
    let broker = Broker::with_config("[stream.picture]\nsource = \"decode://cam\"\n");
    let bars = "publish=pattern://bars?size=320x240&rate=60&format=nv12";
    let _camera = Consumer::start(&broker.socket(), "cam", &[bars]);
    streamem_tests::eventually("it says so", || {
        let now = broker.stream("picture");
        let says = why(&now).contains("\"cam\"") && why(&now).contains("nv12");
        (now["state"] == "lost" && says).then_some(())
    });
}

#[test]
fn a_publisher_does_not_choose_how_much_memory_is_written() {
    let decoding = "[stream.picture]\nsource = \"decode://cam\"\n";
    let promise = "publish://?format=mjpeg&size=5000x5000&bytes_max=1048576";
    let broker = Broker::with_config(decoding);
    let _camera = Camera::of(&broker, "cam", 5000, 5000);
    streamem_tests::eventually("it says so", || {
        let now = broker.stream("picture");
        let says = ["\"cam\"", "64 MiB", "size=5000x5000"];
        let says = says.iter().all(|part| why(&now).contains(part));
        (now["state"] == "lost" && says && now["generation"] == 1).then_some(())
    });
    let promised = format!("{decoding}[stream.cam]\nsource = \"{promise}\"\n");
    let broker = Broker::with_config(&promised);
    let _camera = Camera::of(&broker, "cam", 5000, 5000);
    let now = state_becomes(&broker, "picture", "live");
    assert_eq!(now["layout"]["width"], 5000, "{now}");
}

#[test]
fn memory_that_was_brought_is_not_looked_into() {
    let broker = Broker::with_config(CONFIG);
    let file = rustix::fs::memfd_create("brought", rustix::fs::MemfdFlags::ALLOW_SEALING);
    let file = file.expect("a memfd");
    rustix::fs::ftruncate(&file, 1 << 20).expect("a size");
    let seals = rustix::fs::SealFlags::SHRINK | rustix::fs::SealFlags::FUTURE_WRITE;
    rustix::fs::fcntl_add_seals(&file, seals).expect("seals");
    let slots: Vec<_> = (0..4).map(|_| file.try_clone().expect("a copy")).collect();
    let publisher = streamem::publish("cam")
        .layout(wish(320, 240, 0.0))
        .bring(slots)
        .socket(broker.socket())
        .open();
    let _publisher = publisher.expect("it may");
    streamem_tests::eventually("it says so", || {
        let now = broker.stream("picture");
        (now["state"] == "lost" && why(&now).contains("brought")).then_some(())
    });
}

#[test]
fn colours_that_would_have_to_be_computed_are_named() {
    let broker = Broker::with_config(&CONFIG.replace("rgb24", "i420"));
    let mut camera = Camera::open(&broker);
    let mut sub = read(&broker, "picture");
    let mut of_parent = read(&broker, "cam");
    let jpeg = camera.encoded(Sampling::Half);
    let lost = lost_by_ten(&broker, &mut camera, &mut of_parent, &jpeg);
    assert!(
        why(&lost).contains("4:2:2") && why(&lost).contains("bgr24"),
        "{lost}"
    );
    assert!(sub.try_next().expect("no error").is_none());
}

#[test]
fn rights_are_those_of_the_decoded_stream() {
    let broker = Broker::with_config(&format!(
        "{CONFIG}[stream.cam.access]\nsee = []\nread = []\n[stream.hidden]\nsource = \"decode://cam\"\n\
         [stream.hidden.access]\nsee = []\nread = []\n"
    ));
    let mut camera = Camera::open(&broker);
    let socket = broker.socket();
    let mut reader = Consumer::spawn(&mut Consumer::command_as(NOBODY, &socket, "picture", &[]));
    reader.expect("opened");
    camera.shoot();
    streamem_tests::eventually("it is read", || (reader.count("frames") > 0).then_some(()));
    for stream in ["cam", "hidden"] {
        let mut command = Consumer::command_as(NOBODY, &socket, stream, &[]);
        let mut refused = Consumer::spawn(&mut command);
        let line = refused.line().expect("a line");
        assert_eq!(line["is"], "error", "{line}");
        assert!(
            line["message"]
                .as_str()
                .unwrap_or_default()
                .contains("NoSuchStream"),
            "{line}"
        );
    }
}
