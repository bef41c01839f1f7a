//! Logins, right and wrong, and what is remembered of them.

use super::*;

/// The least cost that bcrypt has, so that the tests are quick.
fn hash(password: &str) -> PasswordHash {
    PasswordHash::new(&bcrypt::hash(password, 4).expect("a hash")).expect("a hash")
}

fn users(list: &[(&str, &str)]) -> BTreeMap<String, PasswordHash> {
    list.iter().map(|(name, password)| ((*name).to_owned(), hash(password))).collect()
}

fn login(name: &str, password: &str) -> Credentials {
    Credentials { name: name.into(), password: password.into() }
}

fn remembered(doorkeeper: &Doorkeeper) -> (usize, usize) {
    let outcomes = doorkeeper.0.outcomes.lock().expect("no panic");
    (outcomes.good.len(), outcomes.bad.len())
}

#[tokio::test]
async fn only_a_name_with_its_own_password_is_let_in() {
    let (doorkeeper, users) = (Doorkeeper::new(), users(&[("alice", "a1"), ("bob", "b1")]));
    // Twice: checked, and remembered.
    for _ in 0..2 {
        for (name, password, is_let_in) in [
            ("alice", "a1", true),
            ("bob", "b1", true),
            ("alice", "b1", false),
            ("alice", "", false),
            ("", "a1", false),
            ("carol", "a1", false),
            ("carol", "b1", false),
            ("Alice", "a1", false),
        ] {
            let admits = doorkeeper.admits(&users, &login(name, password)).await;
            assert_eq!(admits, is_let_in, "{name} {password}");
        }
    }
    assert_eq!(remembered(&doorkeeper), (2, 6));
}

#[tokio::test]
async fn a_name_that_is_not_there_costs_a_hash_like_one_that_is() {
    let (doorkeeper, users) = (Doorkeeper::new(), users(&[("alice", "a1"), ("bob", "b1")]));
    let mut taken = Vec::new();
    for name_idx in 0..64 {
        let name = format!("nobody-{name_idx}");
        let (hash, is_known) = doorkeeper.0.hash_of(&users, name.as_bytes()).expect("a hash");
        assert!(!is_known);
        assert_eq!(doorkeeper.0.hash_of(&users, name.as_bytes()), Some((hash, false)), "always it");
        taken.push(hash.clone());
    }
    assert!(users.values().all(|hash| taken.contains(hash)), "of any user's cost");
    doorkeeper.admits(&users, &login("nobody", "x")).await;
    assert_eq!(remembered(&doorkeeper), (0, 1), "it was checked like any other");
}

#[tokio::test]
async fn a_login_is_not_remembered_past_a_change_of_its_password() {
    let doorkeeper = Doorkeeper::new();
    let (before, after) = (users(&[("alice", "old")]), users(&[("alice", "new")]));
    assert!(doorkeeper.admits(&before, &login("alice", "old")).await);
    assert!(!doorkeeper.admits(&after, &login("alice", "old")).await);
    assert!(doorkeeper.admits(&after, &login("alice", "new")).await);
}

#[tokio::test]
async fn parts_of_a_login_cannot_be_shifted_into_each_other() {
    // CVE-2022-46146 of the exporter-toolkit: a remembered login let another one in.
    let (doorkeeper, users) = (Doorkeeper::new(), users(&[("alice", "a1")]));
    let hash = users["alice"].0.to_string();
    assert!(doorkeeper.admits(&users, &login("alice", "a1")).await);
    for (name, password) in [
        (format!("alice{hash}"), "a1".to_owned()),
        ("alice".to_owned(), format!("{hash}a1")),
        ("alic".to_owned(), "ea1".to_owned()),
        ("alice:".to_owned(), "a1".to_owned()),
    ] {
        assert!(!doorkeeper.admits(&users, &login(&name, &password)).await, "{name} {password}");
    }
}

#[tokio::test]
async fn the_same_login_many_times_at_once_is_checked_once() {
    let (doorkeeper, users) = (Doorkeeper::new(), Arc::new(users(&[("alice", "a1")])));
    let mut logins = tokio::task::JoinSet::new();
    for login_idx in 0..300 {
        let (doorkeeper, users) = (doorkeeper.clone(), Arc::clone(&users));
        let is_right = login_idx % 2 == 0;
        logins.spawn(async move {
            let login = login("alice", if is_right { "a1" } else { "a2" });
            doorkeeper.admits(&users, &login).await == is_right
        });
    }
    assert!(logins.join_all().await.into_iter().all(|is_as_expected| is_as_expected));
    assert_eq!(remembered(&doorkeeper), (1, 1));
}

#[test]
fn refusals_are_forgotten_before_they_fill_the_memory_and_good_logins_are_not() {
    let doorkeeper = Doorkeeper::new();
    doorkeeper.0.remember([1; 32], true);
    for refusal in 0..=REFUSALS_MAX as u64 {
        let mut login = Digest::default();
        login[..8].copy_from_slice(&refusal.to_be_bytes());
        doorkeeper.0.remember(login, false);
    }
    assert_eq!(remembered(&doorkeeper), (1, 1));
    assert_eq!(doorkeeper.0.outcome(&[1; 32]), Some(true));
}

#[test]
fn what_is_remembered_differs_from_process_to_process() {
    let digest = || Doorkeeper::new().0.digest(&[b"alice", b"hash", b"a1"]);
    assert_ne!(digest(), digest());
    let one = Doorkeeper::new().0;
    assert_ne!(one.digest(&[b"a", b"bc"]), one.digest(&[b"ab", b"c"]));
}

#[test]
fn credentials_are_read_from_their_header() {
    let read = |value: &str| {
        Credentials::from_header(value.as_bytes()).map(|it| {
            (String::from_utf8(it.name).unwrap(), String::from_utf8(it.password).unwrap())
        })
    };
    let pair = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
    assert_eq!(read("Basic YWxpY2U6YTE="), pair("alice", "a1"));
    assert_eq!(read("bAsIc  YWxpY2U6YTpiYw=="), pair("alice", "a:bc"));
    assert_eq!(read("Basic YTpi"), pair("a", "b"));
    assert_eq!(read("Basic Og=="), pair("", ""));
    assert_eq!(read("Basic w6Q6w7Y="), pair("ä", "ö"));
    for wrong in [
        "",
        "Basic",
        "Basic ",
        "Basic YWxpY2U=",
        "Bearer YWxpY2U6YTE=",
        "Basic YTpi=",
        "Basic YT!i",
        "Basic ====",
    ] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}

#[test]
fn what_is_no_hash_is_refused_and_never_shown() {
    for wrong in ["", "hush", "$2y$10$short", "$1$abc$def", &"$2y$99$".repeat(9)] {
        let error = PasswordHash::new(wrong).expect_err("it is none");
        assert!(wrong.is_empty() || !error.contains(wrong), "{error}");
    }
    // Costs 10, 12 and 18, by other programs.
    for right in [
        "$2y$10$2UXri9cIDdgeKjBo4Rlpx.U3ZLDV8X1IxKmsfOvhcM5oXQt/mLmXq",
        "$2b$12$1DpfPeqF9HzHJt.EWswy1exHluGfbhnn3yXhR7Xes6m3WJqFg0Wby",
        "$2a$18$4VeFDzXIoPHKnKTU3O3GH.N.vZu06CVqczYZ8WvfzrddFU6tGqjR.",
    ] {
        let hash = PasswordHash::new(right).expect("it is one");
        assert_eq!(format!("{hash:?}"), "…");
    }
}
