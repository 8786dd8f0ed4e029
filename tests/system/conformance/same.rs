//! Of the same frame all clients say the same: layout, stamps, clock, side-data, and every byte.
//!
//! Owns the formats that are tried; that what they say is right is in the other parts.

use crate::cell::Cell;
use crate::client::{CLIENTS, Client, Driver};
use serde_json::Value;
use streamem_tests::Broker;

fn agree_on(source: &str) {
    let cell = Cell {
        broker: Broker::with_config(&format!("[stream.one]\nsource = \"{source}\"\n")),
        client: Client::Rust,
    };
    let mut drivers = CLIENTS.map(|client| Driver::start(client, &cell.broker.socket()));
    for driver in &mut drivers {
        driver.ask("open s one mode=every depth=40 leases=2");
    }
    let mut said: Option<u64> = None;
    for _ in 0..3 {
        let mut at = drivers.each_mut().map(take);
        let newest = at.into_iter().max().expect("three");
        assert!(said.is_none_or(|said| newest > said));
        said = Some(newest);
        for (driver, at) in drivers.iter_mut().zip(&mut at) {
            while *at < newest {
                driver.ask("release f");
                *at = take(driver);
            }
            assert_eq!(*at, newest, "it was skipped");
        }
        let told: Vec<(Value, Value, Vec<u8>)> = drivers
            .iter_mut()
            .map(|driver| {
                let told = driver.ask("tell f");
                let layout = driver.ask("layout s");
                (told, layout, cell.bytes(driver, "f"))
            })
            .collect();
        for ((frame, layout, bytes), client) in told.iter().zip(CLIENTS).skip(1) {
            assert_eq!(frame, &told[0].0, "{client:?}");
            assert_eq!(layout, &told[0].1, "{client:?}");
            assert_eq!(frame["layout"], layout["layout"], "{client:?}");
            assert!(bytes == &told[0].2, "{client:?} sees other bytes");
        }
        for driver in &mut drivers {
            driver.ask("release f");
        }
    }
}

fn take(driver: &mut Driver) -> u64 {
    driver.sequence("next s 25000 f").expect("a frame")
}

macro_rules! formats {
    ($($name:ident: $source:literal;)*) => {
        $(#[test]
        fn $name() {
            agree_on($source);
        })*
    };
}

formats! {
    on_colour: "pattern://bars?size=162x122&rate=20&format=bgr24";
    on_nv12: "pattern://bars?size=160x120&rate=20&format=nv12";
    on_i420: "pattern://bars?size=322x242&rate=29.97&format=i420";
    on_p010: "pattern://bars?size=160x120&rate=20&format=p010";
    on_yuyv: "pattern://bars?size=160x120&rate=20&format=yuyv";
    on_depth: "pattern://rand?size=64x48&rate=20&format=depth16";
    on_sound: "pattern://randmic";
    on_samples: "pattern://sine?format=s16&channels=1&samples=2400";
    on_motion: "pattern://imu";
}
