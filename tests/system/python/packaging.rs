//! The file that is copied, the wheel, and the stubs.
//!
//! Owns building the wheel without a network; what is in it is run as it would be after `pip install`.

use super::interpreters::interpreters;
use super::{folder, ok};
use std::fs;
use std::path::Path;
use streamem_tests::Broker;
use tempfile::TempDir;

const READ: &str = "import streamem\n\
    assert streamem.open('randmc').next().nbytes == 8192\n\
    print(streamem.__file__)";

#[test]
fn a_copied_file_needs_nothing_else() {
    let broker = Broker::start();
    let place = TempDir::new().expect("a folder");
    fs::copy(
        folder().join("streamem.py"),
        place.path().join("streamem.py"),
    )
    .expect("a copy");
    for python in interpreters() {
        let mut command = python.command();
        command
            .args(["-S", "-E", "-W", "error", "-c"])
            .arg(format!("import sys; sys.path.insert(0, '')\n{READ}"))
            .current_dir(place.path())
            .env("STREAMEM_SOCKET", broker.socket());
        ok(&command.output().expect("it runs"));
    }
}

const BUILD: &str = "import sys; sys.path.insert(0, sys.argv[1])\n\
    import build_wheel\n\
    print(build_wheel.build_wheel(sys.argv[2])); build_wheel.build_sdist(sys.argv[2])";

#[test]
fn the_wheel_has_types_and_the_stand_in() {
    let broker = Broker::start();
    let place = TempDir::new().expect("a folder");
    let found = interpreters();
    let python = found.last().expect("there is one");
    let mut build = python.command();
    build.args(["-c", BUILD]).arg(folder()).arg(place.path());
    let wheel = ok(&build.output().expect("it runs")).trim().to_owned();
    assert_eq!(wheel, "streamem-0.1.0-py3-none-any.whl");
    let unpacked = place.path().join("site");
    let mut unpack = python.command();
    unpack.args(["-m", "zipfile", "-e"]);
    unpack.arg(place.path().join(&wheel)).arg(&unpacked);
    ok(&unpack.output().expect("it runs"));
    for inside in [
        "__init__.py",
        "__init__.pyi",
        "compat.py",
        "compat.pyi",
        "py.typed",
    ] {
        assert!(unpacked.join("streamem").join(inside).exists(), "{inside}");
    }
    for python in found {
        let mut command = python.command();
        command
            .args(["-c", &format!("from streamem.compat import Client\n{READ}")])
            .env("PYTHONPATH", &unpacked)
            .env("STREAMEM_SOCKET", broker.socket());
        let said = ok(&command.output().expect("it runs"));
        assert!(Path::new(said.trim()).starts_with(&unpacked), "{said}");
    }
}

/// Prints what the module has and the stub has not, and the other way round.
const COMPARE: &str = "import ast, inspect, sys\n\
    sys.path.insert(0, sys.argv[1])\n\
    import streamem\n\
    stub = ast.parse(open(sys.argv[1] + '/streamem.pyi').read())\n\
    public = lambda names: set(n for n in names if not n.startswith('_'))\n\
    said = {}\n\
    for node in stub.body:\n\
    \x20   if isinstance(node, ast.ClassDef):\n\
    \x20       said[node.name] = [getattr(n, 'name', None) or n.target.id for n in node.body if not isinstance(n, ast.Expr)]\n\
    \x20   elif isinstance(node, ast.FunctionDef):\n\
    \x20       said[node.name] = [a.arg for a in node.args.args + node.args.kwonlyargs]\n\
    has = public(n for n in dir(streamem) if not inspect.ismodule(getattr(streamem, n)))\n\
    print('names', sorted((public(said) | {'open', 'BROKEN', 'GAP', 'KEY', 'CLOCKS'}) ^ has))\n\
    for name, members in sorted(said.items()):\n\
    \x20   it = getattr(streamem, name, None)\n\
    \x20   if inspect.isfunction(it):\n\
    \x20       print(name, sorted(set(members) ^ (set(inspect.signature(it).parameters) - {'options'})))\n\
    \x20   elif it in (streamem.Frame, streamem.Subscription):\n\
    \x20       print(name, sorted(public(members) - public(dir(it)) - {'timeout', 'missed'}), sorted(public(dir(it)) - public(members)))\n";

#[test]
fn the_stub_says_what_the_module_has() {
    let found = interpreters();
    let python = found.last().expect("there is one");
    let output = python
        .command()
        .args(["-c", COMPARE])
        .arg(folder())
        .output();
    let said = ok(&output.expect("it runs"));
    assert!(said.lines().count() > 5, "{said}");
    for line in said.lines() {
        let differences = line.replace("[]", "");
        assert!(!differences.contains('['), "{line}");
    }
}

#[test]
fn the_version_is_that_of_the_workspace() {
    let text = fs::read_to_string(folder().join("streamem.py")).expect("the module");
    let version = format!("__version__ = \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version));
}
