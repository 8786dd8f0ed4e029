//! What a configuration means, and what is said when it means nothing.

use super::*;
use crate::access::{Access, Principal, Right};
use crate::config::{PoolConfig, Problem};
use proptest::prelude::*;
use streamem_wire::StreamName;

fn merged(texts: &[&str]) -> Result<Config, ConfigError> {
    let name = |index: usize| PathBuf::from(format!("{index}.toml"));
    let files = texts.iter().enumerate();
    let files = files.map(|(index, text)| (name(index), (*text).to_owned()));
    merge(&files.collect::<Vec<_>>())
}

fn problems(text: &str) -> Vec<Problem> {
    match merged(&[text]) {
        Err(ConfigError::Problems(problems)) => problems,
        other => panic!("{other:?} is no list of problems"),
    }
}

fn problem(text: &str) -> (usize, usize, String) {
    let mut found = problems(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    let found = found.remove(0);
    (found.line, found.column, found.message)
}

fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

#[test]
fn every_setting_arrives() {
    let config = merged(&[r#"
        [broker]
        socket = "/run/x.sock"
        [pool]
        slots_max = 64
        device_slots = 16
        huge_pages = true
        pretouch = true
        [quota]
        sessions = 1
        subscriptions = 2
        leases = 3
        descriptors = 0x10
        bytes = "2 GiB"
        [access]
        admin = ["user:7", "group:8"]
        [stream.cam]
        source = "pattern://bars?size=640x480"
        [stream.cam.access]
        read = []
        see = ["user:9"]
    "#])
    .unwrap();
    assert_eq!(config.socket.as_deref(), Some(Path::new("/run/x.sock")));
    let pool = PoolConfig {
        slots_max: 64,
        device_slots: 16,
        huge_pages: true,
        pretouch: true,
    };
    assert_eq!(config.pool, pool);
    let quota = config.quota;
    let amounts = (
        quota.sessions,
        quota.subscriptions,
        quota.leases,
        quota.descriptors,
    );
    assert_eq!((amounts, quota.bytes), ((1, 2, 3, 16), 2 << 30));
    let admins = [Principal::User(7), Principal::Group(8)];
    assert_eq!(config.access.principals(Right::Admin), admins);
    let cam = &config.streams[&stream("cam")];
    assert_eq!(cam.source.to_string(), "pattern://bars?size=640x480");
    let access = cam.access.as_ref().unwrap();
    assert_eq!(access.principals(Right::See), [Principal::User(9)]);
    assert!(access.principals(Right::Read).is_empty());
    assert_eq!(access.principals(Right::Admin), admins);
}

#[test]
fn an_empty_file_has_the_defaults_and_no_streams() {
    assert_eq!(merged(&[""]).unwrap(), Config::without_streams());
    assert_eq!(merged(&[""]).unwrap().access, Access::default());
}

#[test]
fn a_later_file_overrides_and_adds() {
    let first = "[pool]\nslots_max = 64\n[stream.a]\nsource = \"pattern://rand\"\n";
    let second = "[pool]\npretouch = true\n[stream.a.access]\nread = [\"user:5\"]\n\
                  [stream.b]\nsource = \"pattern://imu\"\n";
    let third = "[stream.a]\nsource = \"pattern://bars\"\n";
    let config = merged(&[first, second, third]).unwrap();
    assert_eq!((config.pool.slots_max, config.pool.pretouch), (64, true));
    assert_eq!(
        config.streams[&stream("a")].source.to_string(),
        "pattern://bars"
    );
    assert!(config.streams[&stream("a")].access.is_some());
    assert!(config.streams.contains_key(&stream("b")));
}

#[test]
fn a_misspelt_key_is_found_with_the_nearest() {
    let (line, column, message) = problem("\n[broker]\nsokcet = \"/x\"\n");
    assert_eq!((line, column), (3, 1));
    assert_eq!(
        message,
        "there is no setting \"sokcet\" under [broker]: did you mean \"socket\"?"
    );
    assert!(problem("[brokre]").2.contains("did you mean \"broker\"?"));
    assert!(
        problem("[pool]\nsocket=1")
            .2
            .contains("belongs under [broker]")
    );
    assert!(problem("slots_max = 5").2.contains("belongs under [pool]"));
    assert!(
        problem("[stream.a]\nsource='pattern://imu'\nuri=1")
            .2
            .contains("source, access")
    );
    assert!(
        problem("[access]\nraed = []")
            .2
            .contains("did you mean \"read\"?")
    );
}

#[test]
fn a_bad_source_is_pointed_at_where_it_is_bad() {
    let text = "[stream.cam]\n  source = \"pattern://bars?rate=5&siez=1x1\"";
    let (line, column, message) = problem(text);
    assert_eq!((line, column), (2, 35));
    assert!(message.contains("did you mean \"size\"?"), "{message}");
    let (_, column, message) = problem("[stream.cam]\nsource = \"pattern://bars?rate=5000\"");
    assert_eq!(column, 26);
    assert!(message.contains("0.01 to 1000"), "{message}");
    assert!(problem("[stream.c]\nsource='bars'").2.contains("\"://\""));
    let odd = "[stream.c]\nsource='pattern://rand?format=nv12&size=5x5'";
    assert!(problem(odd).2.contains("even sides"));
}

#[test]
fn impossible_values_are_refused_with_what_is_possible() {
    for (text, possible) in [
        ("[pool]\nslots_max = 3", "from 4 to 4096"),
        ("[pool]\nslots_max = 4097", "from 4 to 4096"),
        ("[pool]\ndevice_slots = 7", "from 8 to 256"),
        ("[pool]\nslots_max = \"9\"", "a whole number"),
        ("[pool]\nhuge_pages = 1", "true or false"),
        ("[quota]\nbytes = \"2 GiBB\"", "2 GiB"),
        ("[quota]\nbytes = 0", "from 1"),
        ("[quota]\nsessions = -1", "from 1"),
        ("[quota]\nleases = 1.5", "a whole number"),
        ("[broker]\nsocket = \"x.sock\"", "a path from the root"),
        ("[broker]\nsocket = 7", "a text in quotes"),
        ("[access]\nread = \"everyone\"", "a list"),
        ("[access]\nread = [1]", "a text in quotes"),
        (
            "[stream.\"a/b\"]\nsource='pattern://imu'",
            "letters, digits",
        ),
        ("[stream.a]", "source ="),
        ("stream = 1", "must be a table"),
        ("[stream]\na = 1", "must be a table"),
    ] {
        let (_, _, message) = problem(text);
        assert!(message.contains(possible), "{text}: {message}");
    }
}

#[test]
fn users_and_groups_that_do_not_exist_are_found_where_they_are_named() {
    let (line, column, message) = problem("[access]\nread = [\"user:root\", \"group:none-such\"]");
    assert_eq!((line, column), (2, 22));
    assert!(message.contains("no group \"none-such\""), "{message}");
}

#[test]
fn hiding_what_everyone_may_read_is_a_mistake() {
    let source = "[stream.a]\nsource='pattern://imu'\n";
    let hidden = format!("{source}[stream.a.access]\nsee = [\"user:5\"]");
    assert!(problem(&hidden).2.contains("restrict read as well"));
    assert!(merged(&[&format!("{hidden}\nread = [\"user:5\"]")]).is_ok());
    let closed = "[access]\nread = [\"user:5\"]\n";
    assert!(merged(&[&format!("{closed}{hidden}")]).is_ok());
}

#[test]
fn a_stream_that_is_there_twice_in_a_file_is_refused() {
    let twice = "[stream.a]\nsource='pattern://imu'\n[stream.a]\nsource='pattern://bars'\n";
    let found = problems(twice);
    assert_eq!(found[0].line, 3, "{found:#?}");
    assert!(found[0].message.contains("duplicate"), "{found:#?}");
}

#[test]
fn all_problems_of_all_files_are_listed_in_order() {
    let first = "[pool]\nslots_max = 1\npretuch = true\n[quota\nbytes = 'x'\n[broker]\nsocket=1";
    let Err(ConfigError::Problems(found)) = merged(&[first, "[stream.b]\n", "x"]) else {
        panic!("a broken configuration was taken");
    };
    let places: Vec<_> = found
        .iter()
        .map(|one| (one.file.to_str().unwrap(), one.line))
        .collect();
    for place in [("0.toml", 2), ("0.toml", 3), ("0.toml", 4), ("0.toml", 7)] {
        assert!(places.contains(&place), "{place:?} is not in {found:#?}");
    }
    assert!(
        places.contains(&("1.toml", 1)) && places.contains(&("2.toml", 1)),
        "{places:?}"
    );
    assert!(places.is_sorted());
    let shown = ConfigError::Problems(found).to_string();
    assert!(
        shown.contains("0.toml:2:13: slots_max = 1 is not possible"),
        "{shown}"
    );
    assert!(shown.contains("    2 | slots_max = 1\n"), "{shown}");
}

#[test]
fn system_files_are_read_in_order_and_may_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        load_folder(folder.path()).unwrap(),
        Config::embedded_default()
    );
    let parts = folder.path().join("streamem.d");
    std::fs::create_dir(&parts).unwrap();
    assert_eq!(
        load_folder(folder.path()).unwrap(),
        Config::embedded_default()
    );
    std::fs::write(parts.join("20-b.toml"), "[pool]\nslots_max = 20").unwrap();
    std::fs::write(
        parts.join("10-a.toml"),
        "[pool]\nslots_max = 10\npretouch = true",
    )
    .unwrap();
    std::fs::write(parts.join("30-c.toml.bak"), "[pool]\nslots_max = 30").unwrap();
    std::fs::write(parts.join(".40-d.toml"), "[pool]\nslots_max = 40").unwrap();
    std::fs::write(
        folder.path().join("streamem.toml"),
        "[pool]\nhuge_pages = true",
    )
    .unwrap();
    let pool = PoolConfig {
        slots_max: 20,
        huge_pages: true,
        pretouch: true,
        ..PoolConfig::default()
    };
    assert_eq!(load_folder(folder.path()).unwrap().pool, pool);
}

#[test]
fn a_file_asked_for_must_be_there_and_be_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    assert!(matches!(
        Config::load(Some(&path)),
        Err(ConfigError::Missing(_))
    ));
    std::fs::write(&path, b"\xff\xfe").unwrap();
    let error = Config::load(Some(&path)).unwrap_err().to_string();
    assert!(error.contains("x.toml cannot be read"), "{error}");
    std::fs::write(&path, "[pool]\nslots_max = 5").unwrap();
    assert_eq!(Config::load(Some(&path)).unwrap().pool.slots_max, 5);
}

#[test]
fn deeply_nested_files_are_survived() {
    for (open, close) in [("[", "]"), ("{a=", "}")] {
        let nested = format!("a = {}{}", open.repeat(20_000), close.repeat(20_000));
        assert!(merged(&[&nested]).is_err());
    }
    assert!(merged(&[&format!("[stream{}]", ".a".repeat(20_000))]).is_err());
}

proptest! {
    #[test]
    fn any_text_is_survived(text in ".*") {
        let _ = merged(&[&text]);
    }

    #[test]
    fn any_mixture_of_words_is_survived(words in proptest::collection::vec(
        proptest::sample::select(vec![
            "[", "]", "[[", "]]", "broker", "pool", "quota", "access", "stream", ".", "a", "ü",
            "socket", "slots_max", "bytes", "source", "see", "=", "\"", "'", "'''", "\n", "\r\n",
            " ", "1", "-5", "1.5", "true", "{", "}", ",", "#", "\\", "\"pattern://bars?rate=x\"",
            "[\"user:root\"]", "\"2 GiB\"", "1979-05-27", "\0", "\u{feff}",
        ]),
        0..40,
    )) {
        if let Err(error) = merged(&[&words.concat()]) {
            prop_assert!(error.to_string().contains("0.toml:"));
        }
    }
}
