//! What must not be possible inside.
//!
//! Owns the deeds and what comes of each, with all walls and with those alone that should hold by themselves.

use super::child::{self, End, THREADS, Within};
use super::ring::Ring;
use super::{Deed, raw, refused};
use rustix::fs::{CWD, MemfdFlags, Mode, OFlags, memfd_create, openat, stat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};
use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketType, bind, connect, listen, sendto, socket,
};
use rustix::process::{Signal, getppid, getuid, kill_process};
use rustix::thread::set_thread_res_uid;
use std::env;
use std::mem::forget;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;
use std::time::Duration;

const SOME_FILE: &str = "/proc/self/status";
const KILLED: End = End::Killed(libc::SIGSYS);
const BOMB: usize = 3 << 29;

const fn deed(name: &'static str, deed: child::Deed, ends: &'static [(Within, End)]) -> Deed {
    Deed { name, deed, ends }
}

#[rustfmt::skip]
pub const DEEDS: &[Deed] = &[
    deed("open_a_file", open_a_file, &[
        (Within::All, refused(Errno::PERM)),
        (Within::Namespaces, refused(Errno::NOENT)),
        (Within::Files, refused(Errno::ACCESS)),
    ]),
    deed("open_a_file_by_ring", open_a_file_by_ring, &[
        (Within::All, refused(Errno::NOENT)),
        (Within::Namespaces, refused(Errno::NOENT)),
        (Within::Files, refused(Errno::ACCESS)),
    ]),
    deed("look_at_the_first_process", look_at_the_first_process, &[
        (Within::All, refused(Errno::PERM)),
        (Within::Namespaces, refused(Errno::NOENT)),
        (Within::Files, refused(Errno::ACCESS)),
    ]),
    deed("see_whether_a_file_is_there", see_whether_a_file_is_there, &[
        (Within::All, refused(Errno::PERM)),
        (Within::Namespaces, refused(Errno::NOENT)),
    ]),
    deed("open_a_descriptor_again", open_a_descriptor_again, &[
        (Within::All, refused(Errno::PERM)),
        (Within::Namespaces, refused(Errno::NOENT)),
    ]),
    deed("keep_a_descriptor", keep_a_descriptor, &[(Within::All, refused(Errno::BADF))]),
    deed("make_a_socket", make_a_socket, &[(Within::All, refused(Errno::PERM))]),
    deed("reach_this_machine", reach_this_machine, &[
        (Within::All, refused(Errno::PERM)),
        (Within::Namespaces, refused(Errno::NETUNREACH)),
    ]),
    deed("connect", connect_by_tcp, &[
        (Within::All, refused(Errno::PERM)),
        (Within::Files, refused(Errno::ACCESS)),
    ]),
    deed("connect_by_ring", connect_by_ring, &[
        (Within::All, refused(Errno::ACCESS)),
        (Within::Files, refused(Errno::ACCESS)),
    ]),
    deed("connect_to_an_abstract_name", connect_to_an_abstract_name, &[
        (Within::All, refused(Errno::PERM)),
        (Within::Files, refused(Errno::PERM)),
    ]),
    deed("take_a_port", take_a_port, &[
        (Within::All, refused(Errno::PERM)),
        (Within::Files, refused(Errno::ACCESS)),
    ]),
    deed("send_to_an_address", send_to_an_address, &[(Within::All, refused(Errno::PERM))]),
    deed("execute", execute, &[(Within::All, KILLED), (Within::Files, refused(Errno::ACCESS))]),
    deed("fork", |within| { within.build(&[]); raw::fork() }, &[(Within::All, refused(Errno::PERM))]),
    deed("be_traced", |within| { within.build(&[]); raw::be_traced() }, &[(Within::All, KILLED)]),
    deed("signal_the_parent", signal_the_parent, &[
        (Within::All, refused(Errno::PERM)),
        (Within::Files, refused(Errno::PERM)),
    ]),
    deed("map_code", |within| { within.build(&[]); raw::map_executable() }, &[(Within::All, refused(Errno::PERM))]),
    deed("make_code", |within| { within.build(&[]); raw::make_executable() }, &[(Within::All, refused(Errno::PERM))]),
    deed("change_user", change_user, &[(Within::All, refused(Errno::PERM))]),
    deed("mount", mount_something, &[(Within::All, KILLED), (Within::Identity, refused(Errno::PERM))]),
    deed("have_other_namespaces", have_other_namespaces, &[(Within::All, KILLED)]),
    deed("make_a_ring", make_a_ring, &[(Within::All, refused(Errno::PERM))]),
    deed("register_at_a_ring", register_at_a_ring, &[(Within::All, refused(Errno::PERM))]),
    deed("make_a_huge_file", make_a_huge_file, &[(Within::All, refused(Errno::PERM))]),
    deed("map_huge_pages", map_huge_pages, &[(Within::All, refused(Errno::PERM))]),
    deed("fill_memory", fill_memory, &[(Within::All, refused(Errno::NOMEM))]),
    deed("start_more_threads", start_more_threads, &[(Within::All, refused(Errno::AGAIN))]),
];

fn open(path: &str, flags: OFlags) -> Result<(), Errno> {
    openat(CWD, path, flags | OFlags::CLOEXEC, Mode::empty()).map(|_| ())
}

fn open_a_file(within: Within) -> Result<(), Errno> {
    within.build(&[]);
    open(SOME_FILE, OFlags::RDONLY)
}

fn open_a_file_by_ring(within: Within) -> Result<(), Errno> {
    let mut ring = Ring::new()?;
    within.build(&[ring.as_fd()]);
    ring.open(SOME_FILE)
}

fn look_at_the_first_process(within: Within) -> Result<(), Errno> {
    within.build(&[]);
    open("/proc/1/status", OFlags::RDONLY)
}

fn see_whether_a_file_is_there(within: Within) -> Result<(), Errno> {
    within.build(&[]);
    stat(SOME_FILE).map(|_| ())
}

fn open_a_descriptor_again(within: Within) -> Result<(), Errno> {
    let memory = memfd_create("memory", MemfdFlags::CLOEXEC)?;
    within.build(&[memory.as_fd()]);
    let path = format!("/proc/self/fd/{}", memory.as_fd().as_raw_fd());
    open(&path, OFlags::RDWR)
}

fn make_a_huge_file(within: Within) -> Result<(), Errno> {
    within.build(&[]);
    memfd_create("huge", MemfdFlags::CLOEXEC | MemfdFlags::HUGETLB).map(drop)
}

fn map_huge_pages(within: Within) -> Result<(), Errno> {
    within.build(&[]);
    raw::map_huge()
}

fn keep_a_descriptor(within: Within) -> Result<(), Errno> {
    let given = memfd_create("given", MemfdFlags::CLOEXEC)?;
    let (before, after) = (
        given.try_clone().expect("a copy"),
        given.try_clone().expect("a copy"),
    );
    within.build(&[given.as_fd()]);
    raw::is_open(&given).expect("what was given stays");
    let kept = [raw::is_open(&before), raw::is_open(&after)];
    forget((before, after));
    kept.into_iter().collect()
}

fn tcp() -> Result<OwnedFd, Errno> {
    socket(AddressFamily::INET, SocketType::STREAM, None)
}

fn listener() -> (TcpListener, SocketAddrV4) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    match listener.local_addr().expect("its address") {
        SocketAddr::V4(address) => (listener, address),
        SocketAddr::V6(address) => panic!("{address} is of the other family"),
    }
}

fn make_a_socket(within: Within) -> Result<(), Errno> {
    within.build(&[]);
    socket(AddressFamily::UNIX, SocketType::STREAM, None).map(|_| ())
}

fn reach_this_machine(within: Within) -> Result<(), Errno> {
    let (listener, address) = listener();
    within.build(&[listener.as_fd()]);
    connect(tcp()?, &address)
}

fn connect_by_tcp(within: Within) -> Result<(), Errno> {
    let ((listener, address), socket) = (listener(), tcp()?);
    within.build(&[listener.as_fd(), socket.as_fd()]);
    connect(socket, &address)
}

fn connect_by_ring(within: Within) -> Result<(), Errno> {
    let ((listener, address), socket) = (listener(), tcp()?);
    let mut ring = Ring::new()?;
    within.build(&[listener.as_fd(), socket.as_fd(), ring.as_fd()]);
    ring.connect(socket.as_fd(), address)
}

fn connect_to_an_abstract_name(within: Within) -> Result<(), Errno> {
    let unix = || socket(AddressFamily::UNIX, SocketType::STREAM, None);
    let (outside, inside) = (unix()?, unix()?);
    let name = format!("streamem-sandbox-{}", std::process::id());
    let name = SocketAddrUnix::new_abstract_name(name.as_bytes())?;
    bind(&outside, &name)?;
    listen(&outside, 1)?;
    within.build(&[outside.as_fd(), inside.as_fd()]);
    connect(inside, &name)
}

fn take_a_port(within: Within) -> Result<(), Errno> {
    let socket = tcp()?;
    within.build(&[socket.as_fd()]);
    bind(socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))
}

fn send_to_an_address(within: Within) -> Result<(), Errno> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    within.build(&[socket.as_fd()]);
    let discard = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9);
    sendto(socket, b"word", SendFlags::empty(), &discard).map(|_| ())
}

fn execute(within: Within) -> Result<(), Errno> {
    if env::var_os("STREAMEM_SANDBOX_EXECUTED").is_some() {
        return Ok(());
    }
    let mut again = Command::new(env::current_exe().expect("this program"));
    again.env("STREAMEM_SANDBOX_EXECUTED", "yes");
    within.build(&[]);
    Err(Errno::from_io_error(&again.exec()).expect("an errno"))
}

fn signal_the_parent(within: Within) -> Result<(), Errno> {
    let parent = getppid().expect("a parent");
    within.build(&[]);
    // One that is ignored by who does not ask for it.
    kill_process(parent, Signal::URG)
}

fn change_user(within: Within) -> Result<(), Errno> {
    let who = getuid();
    within.build(&[]);
    set_thread_res_uid(who, who, who)
}

fn mount_something(within: Within) -> Result<(), Errno> {
    raw::unshare_users_and_mounts()?;
    within.build(&[]);
    mount("tmpfs", "/proc", "tmpfs", MountFlags::empty(), None)
}

fn have_other_namespaces(within: Within) -> Result<(), Errno> {
    within.build(&[]);
    raw::unshare_users_and_mounts()
}

fn make_a_ring(within: Within) -> Result<(), Errno> {
    within.build(&[]);
    Ring::new().map(|_| ())
}

fn register_at_a_ring(within: Within) -> Result<(), Errno> {
    let ring = Ring::new()?;
    within.build(&[ring.as_fd()]);
    ring.register()
}

fn fill_memory(within: Within) -> Result<(), Errno> {
    within.build(&[]);
    let mut bomb = Vec::<u8>::new();
    bomb.try_reserve_exact(BOMB).map_err(|_| Errno::NOMEM)
}

fn start_more_threads(within: Within) -> Result<(), Errno> {
    within.build(&[] as &[BorrowedFd<'_>]);
    let waits = || thread::sleep(Duration::from_secs(600));
    for _ in 0..THREADS {
        let started = thread::Builder::new().spawn(waits);
        started.map_err(|error| Errno::from_io_error(&error).expect("an errno"))?;
    }
    Ok(())
}
