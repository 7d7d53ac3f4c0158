use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::grant::{KeyId, UserId};
use crate::scope::Scopes;
use crate::token::Lifespan;
use crate::url::{Endpoints, HttpUrl, IssuerUrl};

const NOW: UnixTime = UnixTime::from_secs(1_000_000);

fn grant(issuer: &str, key_id: &str, user_id: &str, scopes: &str) -> Grant {
    Grant {
        issuer: Some(IssuerUrl::parse(issuer).expect("an issuer")),
        key_id: KeyId::parse(key_id).expect("a key ID"),
        user_id: UserId::parse(user_id).expect("a user ID"),
        scopes: Scopes::new([scopes]).expect("scopes"),
    }
}

fn ours() -> Grant {
    grant("https://a.dev", "1", "2", "openid profile")
}

fn entry(token: &str) -> Entry {
    let lifespan = Lifespan {
        obtained_at: NOW,
        expires_at: NOW.plus(Duration::from_secs(3600)),
    };
    Entry {
        token: Token::new(token.into(), Some(lifespan)).expect("a b64token"),
        lifespan,
        endpoints: Some(Endpoints {
            token: HttpUrl::parse("https://a.dev/token").expect("a URL"),
            userinfo: HttpUrl::parse("https://a.dev/userinfo").expect("a URL"),
        }),
        is_doubted: false,
    }
}

/// Returns a temporary cache with the entry of `grant`.
fn filled(grant: &Grant) -> (tempfile::TempDir, Slot) {
    let dir = tempfile::tempdir().expect("a directory");
    let slot = Slot::new(&dir.path().join("cache"), grant.clone()).expect("a slot");
    slot.make_directories().expect("directories");
    slot.replace(&entry("token")).expect("an entry");
    (dir, slot)
}

#[test]
fn an_entry_is_read_back_as_it_was_written() {
    let grant = ours();
    let (_dir, slot) = filled(&grant);
    let read = slot.read().expect("an entry");
    assert_eq!(read.token.expose(), "token");
    assert_eq!(read.lifespan, entry("token").lifespan);
    assert_eq!(read.endpoints, entry("token").endpoints);
    let left: Vec<_> = fs::read_dir(&slot.dir).expect("a directory").collect();
    assert_eq!(left.len(), 1, "no temporary file is left");
}

#[test]
fn every_part_of_the_grant_changes_the_file_name() {
    let grants = [
        ours(),
        grant("https://b.dev", "1", "2", "openid profile"),
        grant("https://a.dev", "9", "2", "openid profile"),
        grant("https://a.dev", "1", "9", "openid profile"),
        grant("https://a.dev", "1", "2", "openid"),
        grant("https://a.dev", "1", "2", "openidprofile"),
    ];
    let digests: std::collections::BTreeSet<_> = grants.iter().map(digest_of).collect();
    assert_eq!(digests.len(), grants.len());
    assert!(digests.iter().all(|digest| digest.len() == 32));
}

#[test]
fn an_entry_of_another_grant_is_a_miss() {
    let grant_here = ours();
    let (_dir, slot) = filled(&grant_here);
    let path = slot.path("json");
    let text = fs::read_to_string(&path).expect("an entry");
    for (ours, theirs) in [
        ("https://a.dev\"", "https://b.dev\""),
        ("\"key_id\":\"1\"", "\"key_id\":\"3\""),
        ("\"user_id\":\"2\"", "\"user_id\":\"3\""),
        ("openid profile", "openid"),
        ("\"token\"", "\"to ken\""),
        ("1003600", "1000000"),
        ("https://a.dev/token", "ftp://a.dev/token"),
    ] {
        let foreign = text.replace(ours, theirs);
        assert_ne!(foreign, text, "{ours}");
        fs::write(&path, foreign).expect("written");
        assert!(slot.read().is_none(), "{theirs}");
    }
    fs::write(&path, text).expect("written");
    assert!(slot.read().is_some());
}

#[test]
fn a_broken_or_foreign_file_is_a_miss() {
    let grant = ours();
    let (_dir, slot) = filled(&grant);
    let path = slot.path("json");
    let whole = fs::read(&path).expect("an entry");
    let mut oversized = whole.clone();
    oversized.resize(LIMIT + 1, b' ');
    for bad in [&whole[..whole.len() / 2], b"", b"\0\xff random", &oversized] {
        fs::write(&path, bad).expect("written");
        assert!(slot.read().is_none());
    }
    fs::remove_file(&path).expect("removed");
    fs::create_dir(&path).expect("a directory");
    assert!(slot.read().is_none(), "a directory");
}

#[test]
fn only_the_given_token_is_removed() {
    let grant = ours();
    let (_dir, slot) = filled(&grant);
    let remove = |text: &str| slot.remove(&Secret::new(text.into())).expect("an answer");
    assert!(!remove("another"));
    assert!(slot.read().is_some());
    let lock = slot.try_lock().expect("a lock file").expect("free");
    assert!(!remove("token"), "another process is about to replace it");
    assert!(slot.read().is_some());
    drop(lock);
    assert!(remove("token"));
    assert!(slot.read().is_none());
    assert!(!remove("token"));
}

/// Windows has no modes, and few users may create a link there.
#[cfg(unix)]
mod unix {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn an_entry_and_its_directories_are_private() {
        let (_dir, slot) = filled(&ours());
        let mode = |path: &Path| Status::of_link(path).expect("a file").shown_mode();
        assert_eq!(mode(&slot.path("json")), "mode 0600");
        for dir in [&slot.root, &slot.root.join("v1"), &slot.dir] {
            assert_eq!(mode(dir), "mode 0700", "{}", dir.display());
        }
    }

    #[test]
    fn an_entry_that_others_can_read_or_a_link_is_a_miss() {
        let grant = ours();
        let (_dir, slot) = filled(&grant);
        let path = slot.path("json");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("a mode");
        assert!(slot.read().is_none(), "others can read it");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a mode");
        assert!(slot.read().is_some());
        let elsewhere = slot.dir.join("elsewhere");
        fs::rename(&path, &elsewhere).expect("moved");
        symlink(&elsewhere, &path).expect("a link");
        assert!(slot.read().is_none(), "a link");
    }

    #[test]
    fn a_directory_that_others_can_write_is_not_used() {
        let grant = ours();
        let (_dir, slot) = filled(&grant);
        for dir in [&slot.root, &slot.root.join("v1"), &slot.dir] {
            fs::set_permissions(dir, Permissions::from_mode(0o770)).expect("a mode");
            let refused = Slot::new(&slot.root, grant.clone()).expect_err("refused");
            assert!(refused.to_string().contains("can write"), "{refused}");
            fs::set_permissions(dir, Permissions::from_mode(0o700)).expect("a mode");
        }
        assert!(Slot::new(&slot.root, grant.clone()).is_ok());
    }

    #[test]
    fn a_link_in_place_of_a_directory_is_not_used() {
        let grant = ours();
        let (dir, slot) = filled(&grant);
        let elsewhere = dir.path().join("elsewhere");
        fs::rename(&slot.dir, &elsewhere).expect("moved");
        symlink(&elsewhere, &slot.dir).expect("a link");
        assert!(Slot::new(&slot.root, grant.clone()).is_err());
    }
}

proptest! {
    #[test]
    fn random_bytes_are_always_a_miss(bytes: Vec<u8>) {
        prop_assert!(record::read(&ours(), &bytes).is_none());
    }

    #[test]
    fn an_entry_reads_back_as_it_was_written(
        secret in "[A-Za-z0-9._~+/-]{1,60}={0,2}",
        obtained_at: u64,
        lifetime in 1_u64..1 << 32,
    ) {
        let obtained_at = UnixTime::from_secs(obtained_at / 2);
        let lifespan = Lifespan { obtained_at, expires_at: obtained_at.plus(Duration::from_secs(lifetime)) };
        let token = Token::new(secret.clone(), Some(lifespan)).expect("a b64token");
        let written = record::write(&ours(), &Entry { token, lifespan, ..entry("x") }).expect("text");
        let read = record::read(&ours(), written.expose().as_bytes()).expect("an entry");
        prop_assert_eq!(read.token.expose(), secret);
        prop_assert_eq!(read.lifespan, lifespan);
        prop_assert_eq!(read.endpoints, entry("x").endpoints);
        let other = grant("https://a.dev", "1", "3", "openid profile");
        prop_assert!(record::read(&other, written.expose().as_bytes()).is_none());
    }

    #[test]
    fn a_changed_byte_makes_a_miss_or_a_valid_entry(
        place in 0_usize..400,
        byte: u8,
    ) {
        let whole = record::write(&ours(), &entry("token")).expect("text");
        let mut bytes = whole.expose().as_bytes().to_vec();
        let place = place % bytes.len();
        bytes[place] = byte;
        if let Some(read) = record::read(&ours(), &bytes) {
            let token = read.token.expose();
            prop_assert!(token.bytes().all(|b| b.is_ascii_graphic()), "{token}");
            prop_assert!(read.lifespan.obtained_at < read.lifespan.expires_at);
        }
    }
}

#[test]
fn a_doubt_applies_to_its_token_and_a_new_entry_has_none() {
    let (_dir, slot) = filled(&ours());
    let set = |token: &str, is_doubted| {
        let done = slot.set_doubt(&Secret::new(token.to_owned()), is_doubted);
        done.expect("changed")
    };
    let is_doubted = || slot.read().expect("an entry").is_doubted;
    assert!(!set("another", true) && !is_doubted());
    assert!(set("token", true) && is_doubted());
    assert!(set("token", true) && is_doubted());
    assert_eq!(slot.read().expect("an entry").token.expose(), "token");
    assert!(set("token", false) && !is_doubted());
    assert!(set("token", true));
    slot.replace(&entry("new")).expect("replaced");
    assert!(!is_doubted());
    slot.clear().expect("cleared");
    assert!(!set("new", true) && slot.read().is_none());
}
