//! The body of an answer, read as far as it may go.

use super::fault;

/// Why a body did not come whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BodyFault {
    /// Not within the time given.
    Timeout,
    /// More than this many bytes, unpacked.
    TooLarge(usize),
    /// It ended too early or could not be unpacked; the cause, in words.
    Cut(String),
}

/// Reads a body chunk by chunk and stops where it gets larger than `bytes_max`: what a server sends,
/// and what a few packed bytes can grow to, has no other bound.
pub(super) async fn read(
    mut response: reqwest::Response,
    bytes_max: usize,
) -> Result<Vec<u8>, BodyFault> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if chunk.len() > bytes_max - body.len() => {
                return Err(BodyFault::TooLarge(bytes_max));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) if error.is_timeout() => return Err(BodyFault::Timeout),
            Err(error) => return Err(BodyFault::Cut(fault::cause(&error))),
        }
    }
}
