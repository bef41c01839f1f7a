//! One request to the CometChat Calls API, and what became of it: a page, or a refusal.
//!
//! Knows the wire format and nothing of counting. Says what happened and leaves it to the caller to
//! log, count and wait. Nothing of a body, a key or a password ever gets into what it says.

mod body;
pub mod client;
pub mod decode;
pub mod exchange;
mod fault;
pub mod key;
mod quota;
pub mod refusal;
pub mod survey;
mod target;
pub mod transport;

pub use client::{BODY_BYTES_MAX, Client, ClientError, Options};
pub use exchange::{Code, Endpoint, Exchange};
pub use key::{Key, KeyError};
pub use refusal::ErrorCode;
pub use survey::Survey;
pub use transport::{Proxies, Roots, Transport, TransportError, install_crypto};

/// The first second of 2015: no call is older, and a clock that stands before it is no clock.
const EARLIEST: crate::call::Timestamp = crate::call::Timestamp(1_420_070_400);
