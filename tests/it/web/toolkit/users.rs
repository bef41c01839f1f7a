//! Names and passwords.

use super::*;

/// `TestUsers`.
#[tokio::test]
async fn users_come_in_with_their_password_only() {
    let users =
        format!("basic_auth_users:\n  dave: {}\n  carol: {}\n", hash("dave123"), hash("carol123"));
    let over_tls = server("") + &users;
    let cases = vec![
        case("without basic auth", users.clone(), plain(), Status(401)),
        case("with correct basic auth", users, plain().login("dave", "dave123"), Status(200)),
        case("without basic auth and TLS", over_tls.clone(), tls(), Status(401)),
        case(
            "with correct basic auth and TLS",
            over_tls.clone(),
            tls().login("dave", "dave123"),
            Status(200),
        ),
        case(
            "with another correct basic auth and TLS",
            over_tls.clone(),
            tls().login("carol", "carol123"),
            Status(200),
        ),
        case(
            "with bad password and TLS",
            over_tls.clone(),
            tls().login("dave", "bad"),
            Status(401),
        ),
        case(
            "with bad username and TLS",
            over_tls,
            tls().login("nonexistent", "nonexistent"),
            Status(401),
        ),
    ];
    check_all(cases).await;
}

/// `TestBasicAuthCache`, `TestBasicAuthWithFakePassword`, `TestByPassBasicAuthVuln`.
#[tokio::test]
async fn remembered_logins_let_nobody_else_in() {
    let (world, hash) = (World::new(), hash("alice123"));
    let running = world.serve(&format!("basic_auth_users:\n  alice: {hash}\n")).await.unwrap();
    let status = async |name: &str, password: &str| {
        let client = plain().login(name, password);
        client.get(&world, running.address, "/").await.unwrap().status
    };
    assert_eq!(status("alice", "alice123").await, 200);
    assert_eq!(status("alice", "alice1234").await, 401);
    let many = (0..150)
        .map(|_| async { tokio::join!(status("alice", "alice123"), status("alice", "alice1234")) });
    for one in many {
        assert_eq!(one.await, (200, 401));
    }
    for _ in 0..2 {
        assert_eq!(status("fakeuser", "fakepassword").await, 401, "cold, then remembered");
    }
    assert_eq!(status(&format!("alice{hash}"), "alice123").await, 401);
    assert_eq!(status("alice", &format!("{hash}alice123")).await, 401);
}
