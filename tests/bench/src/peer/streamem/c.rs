//! Streamem with consumers written in C: `c/consumer.c`, which measures as the consumer's loop here does.
//!
//! It owns starting them; setup.sh compiles them.

use super::broker::{self, STREAM, Streamemd};
use super::full_hd;
use crate::child::Running;
use crate::harness::company::{Company, Scene};
use crate::peer::{Peer, target};
use std::io;
use std::path::PathBuf;
use std::process::Command;

/// Consumers in C.
#[derive(Debug)]
pub struct StreamemC;

impl Peer for StreamemC {
    fn name(&self) -> &'static str {
        "streamem-c"
    }

    fn about(&self) -> &'static str {
        "Streamem, C consumers"
    }

    fn missing(&self) -> Option<String> {
        broker::missing().or_else(|| {
            (!consumer().exists()).then(|| "not built: run tests/bench/setup.sh".to_owned())
        })
    }

    fn is_paced_only(&self) -> bool {
        true
    }

    fn start(&self, scene: &Scene) -> io::Result<Company> {
        let mut company = Company::default();
        company.add(Streamemd::start(scene.folder(), &full_hd(scene))?);
        let desks = 1..scene.consumers + 1;
        for desk in desks.clone() {
            let mut command = Command::new(consumer());
            command.arg(scene.ledger_path()).arg(desk.to_string());
            command.arg(broker::socket(scene.folder())).arg(STREAM);
            company.add(Running::start(&mut command)?);
        }
        company.await_ready(scene, desks)?;
        Ok(company)
    }
}

fn consumer() -> PathBuf {
    target().join("c-consumer")
}
