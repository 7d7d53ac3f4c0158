//! Worlds with another failure.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::hunt::Hunt;
use crate::support::entry::only;
use crate::support::http::listen;
use crate::support::issuer::{Endpoint, Fault, Times};
use crate::support::machine::behind_mounts;
use crate::support::proxy::Proxy;
use crate::support::{Ca, Issuer, ServiceUser, World, side_by_side};

/// The assertion, which needs no issuer, is still shown.
const ASSERTION_ALONE: usize = 1;

#[test]
fn the_issuer_does_not_know_the_key() {
    let mut hunt = Hunt::new();
    hunt.world.issuer.remove_key(&hunt.world.user.key_id);
    assert_eq!(hunt.run_with_key(), ASSERTION_ALONE);
}

#[test]
fn the_issuer_hangs_or_hangs_up() {
    for fault in [Fault::Close, Fault::CutMidBody] {
        let mut hunt = Hunt::new();
        let issuer = &hunt.world.issuer;
        issuer.fault(Endpoint::Token, fault, Times::Forever);
        assert_eq!(hunt.run_only("docker get"), 0);
    }
}

#[test]
fn the_clock_is_off() {
    let mut hunt = Hunt::new();
    hunt.world.issuer.set_date_offset(-120);
    assert!(hunt.run_with_key() > ASSERTION_ALONE);
}

#[test]
fn every_token_is_revoked_at_once() {
    let mut hunt = Hunt::new();
    hunt.run_with_key();
    hunt.world.issuer.revoke_all();
    hunt.run_with_key();
}

#[test]
fn the_key_is_broken() {
    let user = ServiceUser::new();
    let (json, pem) = (user.key_json(), user.pkcs1_pem());
    let cut = &json[..json.len() - 300];
    let body = pem.lines().nth(5).unwrap();
    let broken = [
        cut.to_owned(),
        json.replace(&body[..8], "########"),
        json.replace(&body[..8], "AAAAAAAA"),
        json.replace("\"key\":", "\"key\":5,\"private\":"),
        json.replace("BEGIN RSA", "BEGIN EC")
            .replace("END RSA", "END EC"),
        json.replace("serviceaccount", body),
        json.replacen(&user.key_id, &format!("{body}/"), 1),
        json.replace('{', ""),
        pem.lines().skip(1).collect(),
        pem.replace('\n', ""),
    ];
    side_by_side(broken, |broken: String| {
        let mut hunt = Hunt::new();
        fs::write(&hunt.world.key_file, broken).unwrap();
        // Damage in a part that signatures do not need is not noticed.
        assert!(hunt.run_with_key() <= ASSERTION_ALONE);
    });
}

#[test]
fn the_key_command_fails_and_prints_the_key() {
    for script in [
        "cat key.json >&2; exit 1",
        "cat key.json; exit 1",
        "cat key.json key.json",
    ] {
        let mut hunt = Hunt::new();
        hunt.world.home.append_config(&format!(
            "[profiles.command]\nissuer = \"{}\"\nkey-command = [\"sh\", \"-c\", \"{script}\"]\n",
            hunt.world.issuer.url()
        ));
        hunt.environment = vec![("ZITADEL_CREDENTIAL_PROFILE", "command".into())];
        // The command's stderr is shown to the user, who may have to unlock something.
        hunt.let_through = script.contains(">&2").then(|| hunt.world.user.key_json());
        assert_eq!(hunt.run_with_key(), 0);
    }
}

#[test]
fn the_cache_is_broken() {
    let spoilt: [fn(&World); 4] = [
        |world| {
            let entry = only(&world.home);
            let half = fs::read(&entry).unwrap();
            fs::write(&entry, &half[..half.len() - 5]).unwrap();
        },
        |world| {
            let entry = only(&world.home);
            fs::set_permissions(entry, Permissions::from_mode(0o644)).unwrap();
        },
        |world| {
            let cache = world.home.path().join(".cache/zitadel-credential");
            fs::set_permissions(cache, Permissions::from_mode(0o777)).unwrap();
        },
        |world| {
            fs::remove_dir_all(world.home.path().join(".cache")).unwrap();
            world.home.write(".cache", "no directory");
        },
    ];
    side_by_side(spoilt, |spoil| {
        let mut hunt = Hunt::new();
        hunt.world.zitadel(["token"]).assert().success();
        spoil(&hunt.world);
        assert!(hunt.run() > ASSERTION_ALONE);
    });
}

#[test]
fn the_disk_is_full() {
    let script = r#"
        mkdir -p "$HOME/.cache"
        mount -t tmpfs -o size=4k,mode=700 tmpfs "$HOME/.cache"
        head -c 4096 /dev/zero > "$HOME/.cache/full" || :
        exec "$@""#;
    let mut hunt = Hunt::new();
    if behind_mounts(&hunt.world.home, script).is_none() {
        return;
    }
    let home = hunt.world.home.path().to_owned();
    let showing = hunt.run_by(|command: Command| {
        let mut behind = Command::new("unshare");
        behind.args(["-m", "sh", "-ec", script, "sh"]);
        behind.arg(command.get_program()).args(command.get_args());
        behind.env_clear().current_dir(&home);
        behind.envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        behind
    });
    assert!(showing > ASSERTION_ALONE);
}

/// If stdout fails, its text is written nowhere else.
#[test]
fn stdout_is_full_or_closed() {
    for redirect in [">/dev/full", ">&-"] {
        let mut hunt = Hunt::new();
        let home = hunt.world.home.path().to_owned();
        let showing = hunt.run_by(|command: Command| {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("exec \"$@\" {redirect}"), "sh"]);
            shell.arg(command.get_program()).args(command.get_args());
            shell.env_clear().current_dir(&home);
            shell.envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
            shell
        });
        assert_eq!(showing, 0, "{redirect}");
    }
}

#[test]
fn the_issuer_is_untrusted_or_down() {
    let world = World::with(Issuer::start_tls(&Ca::new()));
    assert_eq!(Hunt::in_world(world).run_with_key(), ASSERTION_ALONE);

    let world = World::new();
    let nobody = listen().local_addr().unwrap().port();
    world.home.write_config(&format!(
        "default-profile = \"test\"\n[profiles.test]\n\
         issuer = \"https://127.0.0.1:{nobody}\"\nkey-file = \"~/key.json\"\n"
    ));
    assert_eq!(Hunt::in_world(world).run_only("docker get"), 0);
}

#[test]
fn a_proxy_with_a_password() {
    const PASSWORD: &str = "cHJveHktcGFzc3dvcmQtdGhhdC1pcy1sb25n";
    let closed = listen().local_addr().unwrap().port();
    let proxy = Proxy::connect();
    for (host, showing) in [
        (format!("127.0.0.1:{}", proxy.port()), true),
        (format!("127.0.0.1:{closed}"), false),
        ("issuer.invalid:1".to_owned(), false),
        ("127.0.0.1:port".to_owned(), false),
    ] {
        let ca = Ca::new();
        let issuer = Issuer::builder().tls(&ca).host("issuer.test").start();
        let mut hunt = Hunt::in_world(World::with(issuer));
        let ca_file = hunt.world.home.write("ca.pem", ca.pem());
        let url = format!("http://me:{PASSWORD}@{host}");
        hunt.environment = vec![
            ("HTTPS_PROXY", url.into()),
            ("ZITADEL_CREDENTIAL_CA_FILE", ca_file.into()),
        ];
        hunt.hide(PASSWORD);
        // exec's command inherits the variable from the caller.
        hunt.inherited = Some(PASSWORD.to_owned());
        let shown = hunt.run_only("docker get") == 1;
        assert_eq!(shown, showing, "{host}");
    }
}
