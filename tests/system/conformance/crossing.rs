//! What each client publishes is read by each: three by three.
//!
//! Owns the pairs; what is said of a frame besides its bytes is in `filling`.

use crate::cell::{Cell, Pictures};
use crate::client::{Client, Driver};
use crate::filling::{fill, submit};

fn crosses(from: Client, to: Client) {
    let cell = Cell::of(from);
    let mut writer = cell.driver();
    let mut reader = Driver::start(to, &cell.broker.socket());
    writer.ask("publish p made like=fed");
    reader.ask("open s made mode=every depth=8 leases=2");
    let mut pictures = Pictures::gray();
    for first in [1, 5, 9] {
        let sent: Vec<_> = (0..4)
            .map(|_| {
                let picture = pictures.next();
                fill(&cell, &mut writer, &picture);
                submit(&mut writer, &picture, "side=1 source_clock=7 clock=samples");
                picture
            })
            .collect();
        for (sequence, picture) in (first..).zip(&sent) {
            reader.takes("next s 25000 f", sequence, 0);
            let told = cell.whole(&mut reader, "f");
            assert_eq!(told["source_sequence"], picture.number, "{told}");
            assert_eq!(told["clock"], "samples", "{told}");
            assert!(cell.bytes(&mut reader, "f") == picture.bytes);
            reader.ask("release f");
        }
    }
    writer.ask("unpublish p");
}

macro_rules! pairs {
    ($($name:ident: $from:ident $to:ident;)*) => {
        $(#[test]
        fn $name() {
            crosses(Client::$from, Client::$to);
        })*
    };
}

pairs! {
    rust_to_rust: Rust Rust;
    rust_to_c: Rust C;
    rust_to_python: Rust Python;
    c_to_rust: C Rust;
    c_to_c: C C;
    c_to_python: C Python;
    python_to_rust: Python Rust;
    python_to_c: Python C;
    python_to_python: Python Python;
}
