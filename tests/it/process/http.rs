//! One HTTP request over a socket of its own, with nothing between the test and the bytes.

use std::fmt::Display;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// No answer takes longer, on a machine that is busy.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Asks for `path`, in HTTP/1.0 so that the end of the connection is the end of the body.
pub(crate) fn get(address: impl ToSocketAddrs + Display, path: &str) -> Result<Answer, String> {
    send("GET", address, path, "Accept: */*")
}

/// The same with another method, and no body.
pub(crate) fn ask(
    method: &str,
    address: impl ToSocketAddrs + Display,
    path: &str,
) -> Result<Answer, String> {
    send(method, address, path, "Accept: */*")
}

/// The same with a line of the head.
pub(crate) fn ask_with(
    method: &str,
    address: impl ToSocketAddrs + Display,
    path: &str,
    line: &str,
) -> Result<Answer, String> {
    send(method, address, path, line)
}

/// The same in a format.
pub(crate) fn get_as(
    address: impl ToSocketAddrs + Display,
    path: &str,
    accept: &str,
) -> Result<Answer, String> {
    send("GET", address, path, &format!("Accept: {accept}"))
}

fn send(
    method: &str,
    address: impl ToSocketAddrs + Display,
    path: &str,
    line: &str,
) -> Result<Answer, String> {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let head = format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\n{line}\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    let text = ask().map_err(|error| format!("{address}{path}: {error}"))?;
    let answer = parse(&text).ok_or_else(|| format!("{address}{path}: the answer is cut: {text}"));
    answer.map(|(status, head, body)| Answer { status, head, body: body.to_owned() })
}

/// `None` for an answer that is not whole.
fn parse(text: &str) -> Option<(u16, String, &str)> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let head = head.to_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let is_whole = length.is_none_or(|length| length.trim().parse() == Ok(body.len()));
    is_whole.then_some((status, head, body))
}
