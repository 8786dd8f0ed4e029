//! The interface as it is described, and as it is.
//!
//! Owns the comparison of `io.streamem.varlink`, as served, with the replies that come.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use streamem_tests::Broker;

/// Names of parameters, and whether each may be absent.
type Struct = BTreeMap<String, bool>;

struct Specification {
    methods: BTreeMap<String, (Struct, Struct)>,
    types: BTreeMap<String, Struct>,
}

fn fields(text: &str) -> Struct {
    let mut depth = 0;
    let mut flat = String::new();
    for letter in text.chars() {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        if depth == 0 {
            flat.push(letter);
        }
    }
    let fields = flat.split(',').filter_map(|field| field.split_once(':'));
    fields
        .map(|(name, kind)| (name.trim().to_owned(), kind.trim().starts_with('?')))
        .collect()
}

/// The text between the parenthesis at the beginning and its partner, and what follows.
fn parenthesis(text: &str) -> (&str, &str) {
    let text = &text[text.find('(').expect("a parenthesis")..];
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        if depth == 0 {
            return (&text[1..at], &text[at + 1..]);
        }
    }
    panic!("unbalanced: {text}");
}

fn specification(description: &str) -> Specification {
    let text: Vec<&str> = description
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    let text = text.join("\n");
    let mut found = Specification {
        methods: BTreeMap::new(),
        types: BTreeMap::new(),
    };
    for (at, _) in text
        .match_indices("\nmethod ")
        .chain(text.match_indices("\ntype "))
    {
        let declaration = text[at..].trim_start();
        let (keyword, rest) = declaration.split_once(' ').expect("a name");
        let name = rest[..rest.find(['(', ' ']).expect("an end")].to_owned();
        let (first, rest) = parenthesis(rest);
        if keyword == "type" {
            found.types.insert(name, fields(first));
        } else {
            let (second, _) = parenthesis(rest);
            found.methods.insert(name, (fields(first), fields(second)));
        }
    }
    found
}

fn assert_has_shape(value: &Value, shape: &Struct, what: &str) {
    let object = value
        .as_object()
        .unwrap_or_else(|| panic!("{what} is no object: {value}"));
    for name in object.keys() {
        assert!(
            shape.contains_key(name),
            "{what} has an undocumented {name}: {value}"
        );
    }
    for (name, _) in shape.iter().filter(|(_, optional)| !**optional) {
        assert!(object.contains_key(name), "{what} lacks {name}: {value}");
    }
}

#[test]
fn every_method_answers_as_it_is_described() {
    let broker = Broker::start();
    let mut wire = broker.connect();
    let interface = json!({"interface": "io.streamem"});
    let served = wire
        .call("org.varlink.service.GetInterfaceDescription", interface)
        .ok();
    let specification = specification(served["description"].as_str().expect("a text"));
    let subscription = wire.subscribe("randcam", 2).parameters["subscription"].clone();
    let parameters = |method: &str| match method {
        "Ping" | "List" | "Inspect" | "Monitor" => json!({}),
        "Info" | "Subscribe" | "Controls" | "GetCalibration" => json!({"stream": "randcam"}),
        "AddStream" => json!({"stream": "extra", "source": "pattern://imu"}),
        "RemoveStream" => json!({"stream": "extra"}),
        "Renew" | "Unsubscribe" => json!({ "subscription": subscription }),
        "Publish" => json!({"stream": "filled", "like": "randcam", "own": false}),
        "Begin" | "Unpublish" => json!({"publication": 1}),
        "Bring" => json!({"publication": 1, "slots": []}),
        other => panic!("{other} is described and nothing here calls it"),
    };
    let mut methods: Vec<&String> = specification.methods.keys().collect();
    methods.sort_by_key(|name| match name.as_str() {
        "Publish" => 0,
        "Begin" => 1,
        name if name.starts_with("Un") => 3,
        _ => 2,
    });
    assert_eq!(methods.len(), 16, "{methods:?}");
    for method in methods {
        let (asks, answers) = &specification.methods[method];
        let parameters = parameters(method);
        assert_has_shape(&parameters, asks, method);
        let answer = if method == "Monitor" {
            let mut watcher = broker.connect();
            watcher.send(&json!({"method": "io.streamem.Monitor", "more": true}));
            let _another = broker.connect();
            watcher.receive().expect("an event")
        } else {
            wire.call(method, parameters)
        };
        if method == "Bring" {
            assert_eq!(answer.refused(), "NoSuchPublication", "it brings nothing");
            continue;
        }
        if method == "Controls" {
            assert_eq!(answer.refused(), "BadSource", "it has no camera");
            continue;
        }
        let reply = answer.ok();
        assert_has_shape(&reply, answers, method);
        for (name, shape) in &specification.types {
            let key = name.to_lowercase();
            let single = reply.get(&key).filter(|value| value.is_object());
            let several = reply.get(format!("{key}s")).and_then(Value::as_array);
            for value in single.into_iter().chain(several.into_iter().flatten()) {
                assert_has_shape(value, shape, name);
            }
        }
    }
}

#[test]
fn the_service_describes_itself() {
    let broker = Broker::start();
    let mut wire = broker.connect();
    let info = wire.call("org.varlink.service.GetInfo", json!({})).ok();
    assert_eq!(
        info["interfaces"],
        json!(["org.varlink.service", "io.streamem"])
    );
    for key in ["vendor", "product", "version", "url"] {
        assert!(info[key].is_string(), "{key} in {info}");
    }
    let method = "org.varlink.service.GetInterfaceDescription";
    for interface in ["io.streamem", "org.varlink.service"] {
        let described = wire.call(method, json!({ "interface": interface })).ok();
        let text = described["description"].as_str().expect("a text");
        assert!(text.contains(&format!("interface {interface}")), "{text}");
    }
    let unknown = wire.call(method, json!({"interface": "org.example"}));
    assert_eq!(unknown.refused(), "InterfaceNotFound");
}
