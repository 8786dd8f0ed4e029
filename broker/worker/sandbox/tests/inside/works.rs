//! What a worker does, and must be able to do inside.
//!
//! Owns the deeds that succeed within all walls, and how the process ends.

use super::Deed;
use super::child::{self, End, Within, command, control, say, wait};
use super::ring::Ring;
use libtest_mimic::{Failed, Trial};
use rustix::fs::{
    MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, ftruncate, memfd_create,
};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::catch_unwind;
use std::process::{Stdio, abort};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;
use streamem_sandbox::{Keep, SandboxError, enter};
use streamem_sys::futex;
use streamem_sys::{Mapping, Writable};

const INSIDE: &[(Within, End)] = &[(Within::All, End::Done)];

pub const DEEDS: &[Deed] = &[
    deed("threads_wait_for_each_other", threads_wait_for_each_other),
    deed("memory_is_had", memory_is_had),
    deed("memory_is_made_and_sealed", memory_is_made_and_sealed),
    deed(
        "memory_is_received_and_mapped",
        memory_is_received_and_mapped,
    ),
    deed("a_ring_reads", a_ring_reads),
    deed("a_panic_is_told_and_survived", a_panic_is_told_and_survived),
    deed("nothing_is_missing", nothing_is_missing),
];

const fn deed(name: &'static str, deed: child::Deed) -> Deed {
    Deed {
        name,
        deed,
        ends: INSIDE,
    }
}

fn threads_wait_for_each_other(within: Within) -> Result<(), Errno> {
    within.build(&[]);
    let counted = Arc::new((Mutex::new(0), Condvar::new()));
    let mut threads = Vec::new();
    for number in 1..child::THREADS {
        let counted = Arc::clone(&counted);
        let counts = move || {
            thread::sleep(Duration::from_millis(number.into()));
            *counted.0.lock().expect("not poisoned") += number;
            counted.1.notify_all();
        };
        let named = thread::Builder::new().name(format!("port {number}"));
        threads.push(named.spawn(counts).expect("a thread"));
    }
    let wanted = (1..child::THREADS).sum::<u32>();
    let (count, changed) = &*counted;
    let lock = count.lock().expect("not poisoned");
    let lock = changed.wait_while(lock, |count| *count < wanted);
    drop(lock.expect("not poisoned"));
    for thread in threads {
        thread.join().expect("its end");
    }
    Ok(())
}

fn memory_is_had(within: Within) -> Result<(), Errno> {
    within.build(&[]);
    let mut bytes = vec![1_u8; 200_000_000];
    bytes.extend_from_slice(&[2; 4096]);
    let words: HashMap<usize, String> = (0..10_000).map(|n| (n, n.to_string())).collect();
    assert_eq!((bytes[bytes.len() - 1], words[&77].as_str()), (2, "77"));
    Ok(())
}

fn memory_is_made_and_sealed(within: Within) -> Result<(), Errno> {
    within.build(&[]);
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let memory = memfd_create("calibration", flags)?;
    ftruncate(&memory, 2 << 20)?;
    rustix::io::write(&memory, b"written")?;
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
    fcntl_add_seals(&memory, seals)?;
    assert_eq!(fcntl_get_seals(&memory)?, seals);
    Ok(())
}

/// As a publisher is granted its pool, and waits.
fn memory_is_received_and_mapped(within: Within) -> Result<(), Errno> {
    let (ours, theirs) = control();
    let memory = memfd_create("pool", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&memory, 4096)?;
    fcntl_add_seals(&memory, SealFlags::SHRINK | SealFlags::GROW)?;
    streamem_sys::socket::send(&theirs, b"a pool", &[memory.as_fd()])?;
    drop(memory);
    within.build(&[ours.as_fd(), theirs.as_fd()]);
    let mut words = [0; 64];
    let got = streamem_sys::socket::receive(&ours, &mut words, RecvFlags::DONTWAIT)?;
    let pool = got.fds.first().expect("a descriptor");
    let pool = Mapping::new(pool, 4096, Writable).expect("a mapping");
    let word = &pool.words()[0];
    word.store(7, Ordering::SeqCst);
    futex::wake(word, 1)?;
    assert_eq!(
        futex::wait(word, 7, Duration::from_millis(1))?,
        futex::Woken::TimedOut
    );
    streamem_sys::socket::send(&ours, b"an answer", &[])?;
    Ok(())
}

fn a_ring_reads(within: Within) -> Result<(), Errno> {
    let (ours, mut theirs) = UnixStream::pair().expect("a pair");
    let mut ring = Ring::new()?;
    within.build(&[ours.as_fd(), theirs.as_fd(), ring.as_fd()]);
    theirs.write_all(b"a payload").expect("room");
    let mut payload = [0; 9];
    assert_eq!(ring.read(ours.as_fd(), &mut payload)?, 9);
    assert_eq!(&payload, b"a payload");
    Ok(())
}

fn a_panic_is_told_and_survived(within: Within) -> Result<(), Errno> {
    within.build(&[]);
    assert!(catch_unwind(|| panic!("a packet is wrong")).is_err());
    let panics = thread::spawn(|| panic!("another one is wrong"));
    assert!(panics.join().is_err());
    Ok(())
}

/// On the machine that tests, every wall can be had.
fn nothing_is_missing(within: Within) -> Result<(), Errno> {
    let walls = within.build(&[]);
    assert!(walls.whole(), "{walls}; mend what it says, to test it all");
    Ok(())
}

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("aborting_ends_it", aborting_ends_it),
        Trial::test("it_dies_with_its_parent", it_dies_with_its_parent),
        Trial::test(
            "it_does_not_start_without_its_parent",
            it_does_not_start_orphaned,
        ),
        Trial::test(
            "it_does_not_start_beside_other_threads",
            it_does_not_start_beside_others,
        ),
    ]
}

/// Deeds that are not done twice, since they end otherwise.
pub const ENDINGS: &[Deed] = &[
    deed("abort", |within| {
        within.build(&[]);
        abort()
    }),
    deed("wait_for_ever", |within| {
        within.build(&[]);
        say("inside");
        loop {
            thread::sleep(Duration::from_secs(1));
        }
    }),
    deed("start_another_and_wait", start_another_and_wait),
    deed("enter_beside_another_thread", enter_beside_another_thread),
];

fn aborting_ends_it() -> Result<(), Failed> {
    super::expect("abort", Within::All, End::Killed(libc::SIGABRT))
}

/// Its own error output becomes that of the one it starts.
fn start_another_and_wait(_: Within) -> Result<(), Errno> {
    let (theirs, _ours) = control();
    let mut other = command("wait_for_ever", Within::All);
    let mut other = other
        .stdin(theirs)
        .stderr(Stdio::inherit())
        .spawn()
        .expect("a child");
    other.wait().expect("its end");
    Ok(())
}

/// The pipe ends only when both have.
fn it_dies_with_its_parent() -> Result<(), Failed> {
    let mut parent = command("start_another_and_wait", Within::Nothing);
    let mut parent = parent.stdin(Stdio::null()).spawn()?;
    let mut said = BufReader::new(parent.stderr.take().ok_or("no pipe")?);
    let mut line = String::new();
    while !line.contains("inside") {
        line.clear();
        if said.read_line(&mut line)? == 0 {
            return Err("it did not get inside".into());
        }
    }
    parent.kill()?;
    parent.wait()?;
    said.read_to_string(&mut line)?;
    if line.contains("inside\n") && !line.contains("errno") {
        Ok(())
    } else {
        Err(format!("it went on: {line}").into())
    }
}

fn it_does_not_start_orphaned() -> Result<(), Failed> {
    let (theirs, ours) = control();
    drop(ours);
    let child = command("memory_is_had", Within::All)
        .stdin(theirs)
        .spawn()?;
    let (end, said) = wait(child);
    if end == End::Failed && said.contains("the broker is gone") {
        Ok(())
    } else {
        Err(format!("{end:?}: {said}").into())
    }
}

fn enter_beside_another_thread(_: Within) -> Result<(), Errno> {
    thread::spawn(|| thread::sleep(Duration::from_secs(60)));
    let keep = Keep {
        descriptors: &[],
        threads: child::THREADS,
    };
    match enter(&keep) {
        Err(SandboxError::NotAlone(2)) => Ok(()),
        other => panic!("{other:?}"),
    }
}

fn it_does_not_start_beside_others() -> Result<(), Failed> {
    super::expect("enter_beside_another_thread", Within::All, End::Done)
}
