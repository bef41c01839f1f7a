//! A folder of certificates, and servers that use it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cometchat_exporter::call::Timestamp;
use cometchat_exporter::config::{Process, web_file};
use cometchat_exporter::metrics::{AppView, Breakdown, Lines, Moment, render_app};
use cometchat_exporter::web::{
    AppEntry, Guard, Limits, Listener, Publisher, Server, Site, WebConfig, bind, serve,
};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// The folder, with a CA (`ca.pem`) and certificates with their keys: `server` and `client` by the
/// CA, and `selfsigned` and `named` by themselves, which are marked as authorities, as openssl does.
pub(super) struct World {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = params(&["ca"]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let ca = params.self_signed(&key).unwrap();
        let world = Self { folder, issuer: Issuer::new(params, key) };
        world.write("ca.pem", &ca.pem());
        world.issue("server", &["localhost", "127.0.0.1"]);
        world.issue("client", &["client.example"]);
        world.sign_itself("selfsigned", &["localhost"]);
        world.sign_itself("named", &["test1", "test2", "test3"]);
        world
    }

    /// Makes a certificate that the CA signed.
    pub(super) fn issue(&self, name: &str, sans: &[&str]) {
        let key = KeyPair::generate().unwrap();
        let mut params = params(sans);
        let usages = [ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.extended_key_usages.extend(usages);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        self.write(&format!("{name}.crt"), &certificate.pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }

    fn sign_itself(&self, name: &str, sans: &[&str]) {
        let key = KeyPair::generate().unwrap();
        let mut params = params(sans);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        self.write(&format!("{name}.crt"), &params.self_signed(&key).unwrap().pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// A text of the folder, indented as a block of YAML.
    pub(super) fn block(&self, name: &str) -> String {
        self.read(name).lines().fold("|".into(), |block, line| format!("{block}\n    {line}"))
    }

    /// Writes the web configuration file and serves by it; an error is what a start would say.
    pub(super) async fn serve(&self, yaml: &str) -> Result<Running, String> {
        self.write("web.yaml", yaml);
        self.serve_file(&self.path("web.yaml"), Limits::default(), false).await
    }

    pub(super) async fn serve_file(
        &self,
        path: &Path,
        limits: Limits,
        health_is_open: bool,
    ) -> Result<Running, String> {
        // What `run` does: first with the whole configuration, then for use.
        web_file::load(path, &Process).map_err(|faults| faults.to_string())?;
        let config = WebConfig::open(path.into(), web_file::policy)?;
        Ok(Running::start(Guard::new(Some(config), health_is_open), limits).await)
    }
}

/// A hash of the least cost, so that the tests are quick.
pub(super) fn hash(password: &str) -> String {
    bcrypt::hash(password, 4).unwrap()
}

fn params(sans: &[&str]) -> CertificateParams {
    CertificateParams::new(sans.iter().map(|san| (*san).to_owned()).collect::<Vec<_>>()).unwrap()
}

/// A server on a port of its own, until it is dropped.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Running {
    /// Without any web configuration file, if the guard has none.
    pub(super) async fn start(guard: Guard, limits: Limits) -> Self {
        Self::publish(Vec::new(), guard, limits).await
    }

    /// With more metrics than fit into the buffers of a socket.
    pub(super) async fn start_large(guard: Guard, limits: Limits) -> Self {
        let view = AppView {
            name: &"n".repeat(1 << 20), // in every line
            app_id: "x",
            api_region: "us",
            totals: None,
            open: &Default::default(),
            recent: None,
            epoch: Timestamp(0),
            covered_until: None,
            skew_ms: None,
            tracked_calls: 0,
            health: &Default::default(),
            examples: None,
        };
        let entry =
            AppEntry { lines: render_app(&view, Breakdown::default()), ..AppEntry::default() };
        Self::publish(vec![entry], guard, limits).await
    }

    async fn publish(apps: Vec<AppEntry>, guard: Guard, limits: Limits) -> Self {
        let listener = bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let publisher = Publisher::new(Lines::default(), Moment(0));
        publisher.publish_apps(apps);
        let server = Server {
            site: Site::new("0.1.0", "/metrics".into()),
            publisher,
            now: Arc::new(|| Moment(0)),
            guard,
            limits,
            lifecycle: None,
        };
        let serving = serve(vec![Listener::Tcp(listener)], server, std::future::pending());
        Self { address, task: tokio::spawn(serving) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
