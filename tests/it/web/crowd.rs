//! Clients that mean no good, or do nothing, against the real binary. `tests/tools/load.py` does the
//! same at full size, and measures.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;

use crate::process::{Exporter, Folder, http, until_ok};

/// More than all places for scrapes.
const N_SLOW: usize = 60;
const N_IDLE: usize = 200;
const SCRAPE: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

/// So many metrics that they fit into no socket's buffers.
fn large(folder: &Folder) -> PathBuf {
    let mut text = String::from("state: { path: memory }\napps:\n");
    for app in 0..80 {
        let name = format!("{app:0>100}");
        text += &format!(
            "  - {{ name: '{name}', app_id: app{app}, base_url: 'http://127.0.0.1:1/v3', \
             api_key: k }}\n"
        );
    }
    folder.config("config.yaml", &text)
}

fn n_descriptors(exporter: &Exporter) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", exporter.program.id())).unwrap().count()
}

fn resident_kb(exporter: &Exporter) -> usize {
    let path = format!("/proc/{}/status", exporter.program.id());
    let status = std::fs::read_to_string(path).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// A connection on which `begun` was said, and nothing more will be.
fn begin(address: SocketAddr, begun: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(begun).unwrap();
    stream
}

#[test]
fn a_scrape_is_answered_whoever_else_holds_connections_and_answers() {
    let folder = Folder::new();
    let exporter = Exporter::start(&large(&folder));
    let scrape = || {
        let answer = http::get(exporter.address, "/metrics").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body.len()
    };
    let n_bytes = scrape();
    assert!(n_bytes > 6 << 20, "{n_bytes} bytes could fit into buffers");
    until_ok("the end of what the start opened", || {
        let n = n_descriptors(&exporter);
        if n < 40 { Ok(()) } else { Err(n.to_string()) }
    });
    let (n_before, kb_before) = (n_descriptors(&exporter), resident_kb(&exporter));

    let mut others = Vec::new();
    for begun in [&b""[..], b"GET /met", b"GET /metrics HTTP/1.1\r\nHost: "] {
        others.extend((0..N_IDLE / 3).map(|_| begin(exporter.address, begun)));
    }
    let mut slow: Vec<_> = (0..N_SLOW).map(|_| begin(exporter.address, SCRAPE)).collect();
    // Each has its answer begun before the next thing happens, but for those that wait in line.
    slow[0].read_exact(&mut [0; 12]).unwrap();
    for _ in 0..20 {
        scrape();
    }
    let grown = resident_kb(&exporter).saturating_sub(kb_before) * 1024;
    assert!(
        grown < N_SLOW * n_bytes / 2,
        "{N_SLOW} readers of {n_bytes} bytes share them, but it grew by {grown}"
    );

    drop((others, slow));
    until_ok("as many descriptors as before", || {
        let n = n_descriptors(&exporter);
        if n <= n_before { Ok(()) } else { Err(format!("{n} of {n_before}")) }
    });
    exporter.program.ends_on("TERM");
}

#[test]
fn a_head_of_64_kib_is_refused_and_the_next_request_is_answered() {
    let folder = Folder::new();
    let exporter = Exporter::start(&large(&folder));
    for _ in 0..20 {
        let mut stream = begin(exporter.address, b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nX-Long: ");
        // It may be refused before its end.
        let _ = stream.write_all(&vec![b'x'; 64 * 1024]);
        let _ = stream.write_all(b"\r\n\r\n");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 431");
        assert_eq!(http::get(exporter.address, "/-/healthy").unwrap().status, 200);
    }
    exporter.program.ends_on("TERM");
}
