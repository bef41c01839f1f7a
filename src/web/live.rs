//! The web configuration file while the exporter runs: read again, and put to use where it is right.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use tracing::{info, warn};

use super::auth::PasswordHash;
use super::policy::{Header, Policy, Rate};
use super::tls::{self, PemTexts};

/// What holds for a connection or a request.
#[derive(Clone, Debug)]
pub struct Active {
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) http2: bool,
    pub(super) headers: Vec<Header>,
    pub(super) users: BTreeMap<String, PasswordHash>,
    pub(super) rate: Option<Rate>,
}

impl Default for Active {
    /// Plain HTTP for everybody.
    fn default() -> Self {
        Self::new(&Policy::default(), None)
    }
}

impl Active {
    /// In a few words, for the log.
    pub fn describe(&self) -> String {
        let word = |is_on| if is_on { "on" } else { "off" };
        format!(
            "TLS is {}, HTTP/2 is {}, users: {}, rate limit is {}",
            word(self.tls.is_some()),
            word(self.http2),
            self.users.len(),
            word(self.rate.is_some())
        )
    }

    fn new(policy: &Policy, tls: Option<Arc<ServerConfig>>) -> Self {
        let Policy { http2, headers, users, rate, .. } = policy.clone();
        Self { tls, http2, headers, users, rate }
    }
}

/// Understands the text of the file; an error says all that is wrong with it.
pub type Parse = fn(&Path, &str) -> Result<Policy, String>;

/// The file, the certificates that it names, and what came of them.
///
/// They are read again for every connection and request and compared with what was read before: a
/// few small files, which the system has in memory. So a change holds at once, whatever happened to
/// the time and length of the file.
pub struct WebConfig {
    path: PathBuf,
    parse: Parse,
    state: Mutex<State>,
}

struct State {
    /// What the file held when it was read last, be it right or wrong.
    text: Result<String, String>,
    /// The newest policy that was right; it names the certificates.
    policy: Policy,
    /// What the certificates held when they were read last, be it right or wrong.
    pems: Option<Result<PemTexts, String>>,
    active: Arc<Active>,
}

impl WebConfig {
    /// Reads the file for the first time.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn open(path: PathBuf, parse: Parse) -> Result<Self, String> {
        let text = read(&path);
        let policy = parse(&path, text.as_ref().map_err(Clone::clone)?)?;
        let pems = read_pems(&policy);
        let active = Arc::new(activate(&policy, pems.as_ref())?);
        let state = Mutex::new(State { text, policy, pems, active });
        Ok(Self { path, parse, state })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What holds now. Reads files, so it is not for async threads.
    pub fn current(&self) -> Arc<Active> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let text = read(&self.path);
        let mut is_new = false;
        if text != state.text {
            state.text.clone_from(&text);
            match text.and_then(|text| self.parse_again(&text, &state.active)) {
                Ok(policy) => {
                    state.policy = policy;
                    is_new = true;
                }
                Err(why) => self.keep(&why),
            }
        }
        let pems = read_pems(&state.policy);
        if is_new || pems != state.pems {
            match activate(&state.policy, pems.as_ref()) {
                Ok(active) => {
                    info!("{} and its certificates were read again", self.path.display());
                    state.active = Arc::new(active);
                }
                Err(why) => self.keep(&why),
            }
            state.pems = pems;
        }
        Arc::clone(&state.active)
    }

    /// What held when the files were last looked at.
    pub(super) fn last(&self) -> Arc<Active> {
        Arc::clone(&self.state.lock().unwrap_or_else(PoisonError::into_inner).active)
    }

    fn parse_again(&self, text: &str, active: &Active) -> Result<Policy, String> {
        let policy = (self.parse)(&self.path, text)?;
        match (active.tls.is_some(), policy.tls.is_some()) {
            (false, true) => Err("TLS can be switched on only by a restart".into()),
            (true, false) => Err("TLS can be switched off only by a restart".into()),
            _ => Ok(policy),
        }
    }

    fn keep(&self, why: &str) {
        let (path, why) = (self.path.display(), why.replace('\n', "; "));
        warn!("{path} was changed and cannot be used, so what held before still holds: {why}");
    }
}

fn read(path: &Path) -> Result<String, String> {
    let failed = |error| format!("the web configuration file cannot be read: {error}");
    std::fs::read_to_string(path).map_err(failed)
}

fn read_pems(policy: &Policy) -> Option<Result<PemTexts, String>> {
    let tls = policy.tls.as_ref()?;
    Some(PemTexts::read(tls, |path| std::fs::read_to_string(path)).map_err(|why| why.to_string()))
}

fn activate(policy: &Policy, pems: Option<&Result<PemTexts, String>>) -> Result<Active, String> {
    let (Some(tls), Some(pems)) = (&policy.tls, pems) else {
        return Ok(Active::new(policy, None));
    };
    let pems = pems.as_ref().map_err(Clone::clone)?;
    let config = tls::build(tls, policy.http2, pems).map_err(|fault| fault.to_string())?;
    Ok(Active::new(policy, Some(config)))
}

impl fmt::Debug for WebConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebConfig of {}", self.path.display())
    }
}
