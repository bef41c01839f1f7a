//! Versions, suites and curves.

use super::*;

/// `TestServerBehaviour`, TLS.
#[tokio::test]
async fn certificates_and_suites_are_those_of_the_file() {
    let tls12 =
        |suites: &[rustls::SupportedCipherSuite]| Client { suites: suites.to_vec(), ..tls() };
    let inline = {
        let world = World::new();
        let yaml = format!(
            "tls_server_config:\n  cert: {}\n  key: {}\n",
            world.block("server.crt"),
            world.block("server.key")
        );
        check(&world, &case("cert and key inline", yaml, tls(), Status(200))).await;
        server("")
    };
    let cases = vec![
        case("valid tls config yml and default client", inline, plain(), Status(400)),
        case("valid tls config yml and tls client", server(""), tls(), Status(200)),
        case("all ciphers", server(&format!("{IF_GIVEN}{ALL_SUITES}")), tls(), Status(200)),
        case(
            "some ciphers",
            server(SOME_SUITES),
            tls12(&[suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]),
            Status(200),
        ),
        case(
            "no common cipher",
            server(SOME_SUITES),
            tls12(&[suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]),
            NoConnection("HandshakeFailure"),
        ),
    ];
    check_all(cases).await;
}

/// `TestServerBehaviour`, curves.
#[tokio::test]
async fn curves_are_those_of_the_file_as_far_as_they_exist() {
    let curve = |curve| Client { curves: vec![curve], ..tls() };
    let cases = vec![
        case(
            "all curves",
            server("  curve_preferences: [CurveP256, CurveP384, CurveP521, X25519]\n"),
            tls(),
            Status(200),
        ),
        case(
            "some curves",
            server("  min_version: TLS13\n  curve_preferences: [CurveP521]\n"),
            tls(),
            Otherwise {
                why: "ring has no P-521, so the only curve of the file is none here",
                says: "leaves no curve: CurveP521 does not exist here",
            },
        ),
        case(
            "some curves, as far as there are",
            server("  min_version: TLS13\n  curve_preferences: [CurveP521, CurveP256]\n"),
            curve(kx_group::SECP256R1),
            Status(200),
        ),
        case(
            "no common curves",
            server("  min_version: TLS13\n  curve_preferences: [CurveP521, CurveP256]\n"),
            curve(kx_group::SECP384R1),
            NoConnection("HandshakeFailure"),
        ),
    ];
    check_all(cases).await;
}

/// `TestServerBehaviour`, suites for HTTP/2; `TestConfigToTLSConfigVersionDefaults`.
#[tokio::test]
async fn http_2_has_its_suites_and_versions_are_those_of_the_file() {
    let no_http2 = "http_server_config: {http2: false}\n";
    let cases = vec![
        case(
            "non-http2 ciphers",
            server(&format!(
                "  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n{no_http2}"
            )),
            tls(),
            Status(200),
        ),
        case(
            "non-http2 ciphers but http2 enabled",
            server("  max_version: TLS12\n  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]\n"),
            tls(),
            NoStart("which HTTP/2 needs"),
        ),
        case(
            "versions by default, TLS 1.2",
            server(""),
            Client { versions: vec![&rustls::version::TLS12], ..tls() },
            Status(200),
        ),
        case(
            "versions by default, TLS 1.3",
            server(""),
            Client { versions: vec![&rustls::version::TLS13], ..tls() },
            Status(200),
        ),
        case(
            "explicit versions",
            server("  min_version: TLS13\n"),
            Client { versions: vec![&rustls::version::TLS12], ..tls() },
            NoConnection("ProtocolVersion"),
        ),
        case(
            "explicit versions, the other end",
            server("  max_version: TLS12\n"),
            Client { versions: vec![&rustls::version::TLS13], ..tls() },
            NoConnection("ProtocolVersion"),
        ),
    ];
    check_all(cases).await;
}

/// `TestServerBehaviour`: which of two common suites is taken.
#[tokio::test]
async fn the_order_of_suites_is_the_servers_unless_the_file_says_otherwise() {
    let world = World::new();
    let (small, large) = (
        suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    );
    let clients_order = "  prefer_server_cipher_suites: false\n";
    for (name, more, suites, taken) in [
        ("multiple client ciphers", "", [small, large], small),
        ("multiple client ciphers, the other way round", "", [large, small], small),
        ("client chooses cipher", clients_order, [small, large], small),
        ("client chooses cipher, the other way round", clients_order, [large, small], large),
    ] {
        let running = world.serve(&server(&format!("{SOME_SUITES}{more}"))).await.unwrap();
        let client = Client { suites: suites.to_vec(), ..tls() };
        let answer = client.get(&world, running.address, "/").await.unwrap();
        assert_eq!(answer.suite, Some(taken), "{name}");
    }
}

/// `TestServerBehaviour`: TLS 1.1 client. rustls cannot speak it, so the greeting is made by hand.
#[tokio::test]
async fn a_client_of_tls_1_1_is_told_that_its_version_is_too_old() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = World::new();
    let running = world.serve(&server("")).await.unwrap();
    let mut stream = tokio::net::TcpStream::connect(running.address).await.unwrap();
    let mut hello = vec![3, 2]; // TLS 1.1
    hello.extend([7; 32]); // random
    hello.extend([0]); // no session
    hello.extend([0, 2, 0xc0, 0x09]); // TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA
    hello.extend([1, 0]); // no compression
    hello.extend([0, 22, 0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0]); // P-256, points
    // Signature algorithms, of which rustls speaks before it speaks of versions.
    hello.extend([0, 13, 0, 4, 0, 2, 4, 3]);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![0x16, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.append(&mut hello);
    stream.write_all(&record).await.unwrap();
    let mut alert = Vec::new();
    stream.read_to_end(&mut alert).await.unwrap();
    let (fatal, protocol_version) = (2, 70);
    assert_eq!(alert, [0x15, 3, 3, 0, 2, fatal, protocol_version]);
}
