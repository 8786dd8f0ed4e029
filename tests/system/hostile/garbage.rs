//! Messages that are none.
//!
//! Owns what is sent; the broker must close that session, say so once, and go on.

use super::Scene;
use serde_json::json;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

fn connect(scene: &Scene) -> UnixStream {
    let socket = UnixStream::connect(scene.broker.socket()).expect("the broker listens");
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout");
    socket
        .set_write_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout");
    socket
}

/// Sends, and waits until the broker hangs up.
fn is_closed_after(scene: &Scene, bytes: &[u8]) -> bool {
    let mut socket = connect(scene);
    let _ = socket.write_all(bytes);
    let mut rest = Vec::new();
    match socket.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn garbage_ends_the_session_that_sent_it() {
    let scene = Scene::open();
    let mut deep = vec![b'['; 60_000];
    deep.push(0);
    let messages: [&[u8]; 9] = [
        b"\0",
        b"hello\0",
        b"[]\0",
        b"{}\0",
        b"{\"method\":7}\0",
        b"{\"method\":\"io.streamem.Ping\",\"parameters\":[]}\0",
        b"{\"method\":\"io.streamem.Ping\",\"more\":\"yes\"}\0",
        b"\xff\xfe\xfd\0",
        &deep,
    ];
    for message in messages {
        let shown = String::from_utf8_lossy(&message[..message.len().min(40)]).into_owned();
        assert!(is_closed_after(&scene, message), "{shown:?} was borne");
    }
    scene.assert_nothing_happened();
}

#[test]
fn a_megabyte_without_an_end_ends_the_session() {
    let scene = Scene::open();
    assert!(is_closed_after(&scene, &vec![b'x'; 1 << 20]));
    let mut long_text = b"{\"method\":\"".to_vec();
    long_text.resize(1 << 20, b'a');
    assert!(is_closed_after(&scene, &long_text));
    scene.assert_nothing_happened();
}

#[test]
fn half_messages_wait_without_harm() {
    let scene = Scene::open();
    let mut halves: Vec<UnixStream> = (0..50).map(|_| connect(&scene)).collect();
    for half in &mut halves {
        half.write_all(b"{\"method\":\"io.str")
            .expect("room in the socket");
    }
    let mut slow = connect(&scene);
    for byte in b"{\"method\":\"io.streamem.Ping\"}\0" {
        slow.write_all(&[*byte]).expect("room in the socket");
    }
    let mut reply = [0; 512];
    assert!(slow.read(&mut reply).expect("a reply") > 0);
    for half in &halves {
        half.shutdown(Shutdown::Both).expect("a hang-up");
    }
    drop((halves, slow));
    scene.assert_nothing_happened();
}

#[test]
fn a_client_that_hangs_up_before_the_reply_harms_nobody() {
    let scene = Scene::open();
    for _ in 0..200 {
        let mut wire = scene.broker.connect();
        wire.send(&json!({
            "method": "io.streamem.Subscribe",
            "parameters": {"stream": "cam", "eventfd": true},
        }));
    }
    scene.assert_nothing_happened();
}
