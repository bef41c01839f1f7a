//! Certificates of clients.

use super::*;

fn with(name: &'static str) -> Client {
    tls().with_certificate(name)
}

/// `TestServerBehaviour`, client certificates.
#[tokio::test]
async fn certificates_of_clients_are_looked_at_as_the_file_says() {
    let (ca, own) = ("  client_ca_file: ca.pem\n", "  client_ca_file: selfsigned.crt\n");
    let world = World::new();
    let yaml = format!(
        "tls_server_config:\n  cert_file: server.crt\n  key: {}\n{ANY}",
        world.block("server.key")
    );
    check(
        &world,
        &case(
            "cert from file, key inline, RequireAnyClientCert",
            yaml,
            with("selfsigned"),
            Status(200),
        ),
    )
    .await;
    let cases = vec![
        case(
            "RequireAnyClientCert (present certificate)",
            server(ANY),
            with("selfsigned"),
            Status(200),
        ),
        case("RequireAnyClientCert, none", server(ANY), tls(), NoConnection("CertificateRequired")),
        case(
            "RequireAnyClientCert, its old word",
            server("  client_auth_type: RequireClientCert\n"),
            tls(),
            NoConnection("CertificateRequired"),
        ),
        case(
            "RequireAndVerifyClientCert (present certificate)",
            server(&format!("{VERIFY}{own}")),
            with("selfsigned"),
            Status(200),
        ),
        case(
            "RequireAndVerifyClientCert, by the CA",
            server(&format!("{VERIFY}{ca}")),
            with("client"),
            Status(200),
        ),
        case(
            "RequireAndVerifyClientCert, none",
            server(&format!("{VERIFY}{ca}")),
            tls(),
            NoConnection("CertificateRequired"),
        ),
        case(
            "RequireAndVerifyClientCert, of another",
            server(&format!("{VERIFY}{ca}")),
            with("selfsigned"),
            NoConnection("alert"),
        ),
    ];
    check_all(cases).await;
}

/// `TestServerBehaviour`, names of clients.
#[tokio::test]
async fn names_of_clients_are_those_of_the_file() {
    let named = format!("{VERIFY}  client_ca_file: named.crt\n");
    let sans = |sans: &str| server(&format!("{named}  client_allowed_sans: [{sans}]\n"));
    let cases = vec![
        case("present good SAN DNS entry", sans("one, test3, two"), with("named"), Status(200)),
        case(
            "present invalid SAN DNS entries",
            sans("one, two"),
            with("named"),
            NoConnection("BadCertificate"),
        ),
        case(
            "a name of a certificate that nobody signed",
            server(&format!("{ANY}  client_allowed_sans: [test1]\n")),
            with("named"),
            Status(200),
        ),
    ];
    check_all(cases).await;
}

/// The forms of `client_auth_type` that the toolkit does not try with a client.
#[tokio::test]
async fn certificates_that_are_not_needed_are_looked_at_all_the_same() {
    let ca = "  client_ca_file: ca.pem\n";
    let cases = vec![
        case(
            "VerifyClientCertIfGiven, none",
            server(&format!("{IF_GIVEN}{ca}")),
            tls(),
            Status(200),
        ),
        case(
            "VerifyClientCertIfGiven, by the CA",
            server(&format!("{IF_GIVEN}{ca}")),
            with("client"),
            Status(200),
        ),
        case(
            "VerifyClientCertIfGiven, of another",
            server(&format!("{IF_GIVEN}{ca}")),
            with("selfsigned"),
            NoConnection("alert"),
        ),
        case(
            "VerifyClientCertIfGiven without a CA",
            server(IF_GIVEN),
            with("client"),
            NoConnection("UnknownCA"),
        ),
        case(
            "RequestClientCert, none",
            server("  client_auth_type: RequestClientCert\n"),
            tls(),
            Status(200),
        ),
        case(
            "RequestClientCert, any",
            server("  client_auth_type: RequestClientCert\n"),
            with("selfsigned"),
            Status(200),
        ),
        case(
            "NoClientCert",
            server("  client_auth_type: NoClientCert\n"),
            with("selfsigned"),
            Status(200),
        ),
    ];
    check_all(cases).await;
}
