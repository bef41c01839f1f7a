//! Why no answer came, in words that say what to do.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::Code;

/// Sorts an error from before the status, and says what happened and what to do.
pub(super) fn no_answer(error: &reqwest::Error, timeout: Duration) -> (Code, String) {
    if error.is_timeout() {
        let what = if error.is_connect() {
            format!("no connection within {:?}: check the network and any proxy", timeout / 2)
        } else {
            format!("no answer within {timeout:?}: it is asked again; poll.timeout sets the limit")
        };
        return (Code::Timeout, what);
    }
    let cause = cause(error);
    let what = if error.is_dns() {
        format!("host not found ({cause}): check the app id, the region and the DNS")
    } else if let Some(tls) = find::<rustls::Error>(error) {
        let advice =
            "check the CA certificates (SSL_CERT_FILE), any proxy, the app id and the clock";
        format!("TLS failed ({tls}): {advice}")
    } else if find::<io::Error>(error).is_some_and(|e| e.kind() == io::ErrorKind::ConnectionRefused)
    {
        "connection refused: check base_url and any proxy".to_owned()
    } else if error.is_connect() {
        format!("no connection ({cause}): check the network and any proxy")
    } else {
        format!("the connection ended before an answer ({cause}): it is asked again")
    };
    (Code::Connect, what)
}

/// The innermost cause of an error: those around it only say that there is one.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = next(cause) {
        cause = source;
    }
    // An error without a source may still be reqwest's own, whose text would name the URL.
    if std::ptr::addr_eq(cause, error) { "unknown cause".to_owned() } else { cause.to_string() }
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut error = Some(error);
    while let Some(inner) = error {
        if let Some(found) = inner.downcast_ref::<T>() {
            return Some(found);
        }
        error = next(inner);
    }
    None
}

/// The next error inwards. An `io::Error` hides the one that it was made of from `source`.
fn next<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
