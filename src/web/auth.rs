//! Names and passwords: HTTP basic authentication against bcrypt hashes.
//!
//! Checking a hash takes 50 ms of a core and more, on purpose. So it happens off the async threads,
//! one at a time, and its outcome is remembered. What is remembered, and looked up, are digests
//! under a random key of this process: how long a look-up takes says nothing about a password.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::crypto::hash::Hash;
use rustls::crypto::ring;
use tokio::sync::Semaphore;
use tracing::error;

/// Refusals that are remembered; beyond that all are forgotten. Good logins are as few as users.
const REFUSALS_MAX: usize = 1_000;

/// A bcrypt hash. It never shows.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Box<str>);

impl PasswordHash {
    /// Checks that `text` is a bcrypt hash.
    ///
    /// # Errors
    /// A sentence without a subject. It shows nothing of the text, which might be a password.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        match bcrypt::HashParts::from_str(text) {
            Ok(parts) if (4..=31).contains(&parts.get_cost()) => Ok(Self(text.into())),
            _ => Err("must be a bcrypt hash of the password (not shown here), such as \
                      `htpasswd -nBC 10 NAME` prints behind the colon"),
        }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What a request says about who sent it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    name: Vec<u8>,
    password: Vec<u8>,
}

impl Credentials {
    /// Reads the value of an `Authorization` header.
    pub fn from_header(value: &[u8]) -> Option<Self> {
        let (scheme, rest) = value.split_at_checked(6)?;
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return None;
        }
        let text = base64(rest.trim_ascii_start())?;
        let colon = text.iter().position(|byte| *byte == b':')?;
        Some(Self { name: text[..colon].to_vec(), password: text[colon + 1..].to_vec() })
    }
}

/// Standard base64 with its padding.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for four in text[..text.len() - padding].chunks(4) {
        let mut bits = 0_u32;
        for byte in four {
            let digit = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(digit);
        }
        bits <<= 6 * (4 - four.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..four.len()]);
    }
    Some(bytes)
}

/// A digest under the random key of this process.
type Digest = [u8; 32];

/// Checks logins, and remembers how that went.
#[derive(Clone)]
pub struct Doorkeeper(Arc<Inner>);

struct Inner {
    key: Digest,
    outcomes: Mutex<Outcomes>,
    /// One hash at a time: a flood of logins may not take every core.
    turn: Arc<Semaphore>,
}

#[derive(Default)]
struct Outcomes {
    good: HashSet<Digest>,
    bad: HashSet<Digest>,
}

impl Doorkeeper {
    /// Remembers nothing yet.
    pub fn new() -> Self {
        let mut key = Digest::default();
        (ring::default_provider().secure_random.fill(&mut key))
            .expect("the system has random numbers");
        let outcomes = Mutex::default();
        Self(Arc::new(Inner { key, outcomes, turn: Arc::new(Semaphore::new(1)) }))
    }

    /// Whether `credentials` are those of one of `users`, of whom there is at least one.
    pub async fn admits(
        &self,
        users: &BTreeMap<String, PasswordHash>,
        credentials: &Credentials,
    ) -> bool {
        let Some((hash, is_known)) = self.0.hash_of(users, &credentials.name) else {
            return false;
        };
        let login = self.0.digest(&[&credentials.name, hash.0.as_bytes(), &credentials.password]);
        if let Some(is_good) = self.0.outcome(&login) {
            return is_good && is_known;
        }
        let turn = Arc::clone(&self.0.turn).acquire_owned().await;
        // Another request may have brought the same login meanwhile.
        if let Some(is_good) = self.0.outcome(&login) {
            return is_good && is_known;
        }
        let (inner, hash, password) =
            (Arc::clone(&self.0), hash.clone(), credentials.password.clone());
        let checked = tokio::task::spawn_blocking(move || {
            let is_right = bcrypt::verify(&password, &hash.0).unwrap_or(false);
            inner.remember(login, is_right && is_known);
            drop(turn); // here, for the request may be given up while this goes on
            is_right && is_known
        });
        checked.await.unwrap_or_else(|error| {
            error!(%error, "a password could not be checked; please report it");
            false
        })
    }
}

impl Inner {
    /// The hash to compare with, and whether it is the one of this name.
    ///
    /// A name that is not there is given the hash of another, always the same one, so that its login
    /// takes as long as one that might succeed. What comes out of the comparison does not matter.
    fn hash_of<'a>(
        &self,
        users: &'a BTreeMap<String, PasswordHash>,
        name: &[u8],
    ) -> Option<(&'a PasswordHash, bool)> {
        let place = usize::from(self.digest(&[name])[0]).checked_rem(users.len())?;
        let name = self.digest(&[name]);
        let mut found = (users.values().nth(place)?, false);
        for (user, hash) in users {
            if self.digest(&[user.as_bytes()]) == name {
                found = (hash, true);
            }
        }
        Some(found)
    }

    fn digest(&self, parts: &[&[u8]]) -> Digest {
        let mut context = sha256().start();
        context.update(&self.key);
        for part in parts {
            // The length first, so that no two lists of parts read the same.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let digest = context.finish();
        digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
    }

    fn outcome(&self, login: &Digest) -> Option<bool> {
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_good = outcomes.good.contains(login);
        (is_good || outcomes.bad.contains(login)).then_some(is_good)
    }

    fn remember(&self, login: Digest, is_good: bool) {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let list = if is_good { &mut outcomes.good } else { &mut outcomes.bad };
        if list.len() >= REFUSALS_MAX {
            list.clear();
        }
        list.insert(login);
    }
}

/// The hash, from where TLS has it.
pub(super) fn sha256() -> &'static dyn Hash {
    match ring::cipher_suite::TLS13_AES_128_GCM_SHA256 {
        rustls::SupportedCipherSuite::Tls13(suite) => suite.common.hash_provider,
        rustls::SupportedCipherSuite::Tls12(_) => unreachable!("a suite of TLS 1.3"),
    }
}

impl Default for Doorkeeper {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Doorkeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Doorkeeper")
    }
}

#[cfg(test)]
mod tests;
