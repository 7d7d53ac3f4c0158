//! Every command during outages and errors of ZITADEL, of 2025 and of 2026: the user's
//! view, the exit code, and the effect on a valid token.

use std::fs;
use std::process::Output;
use std::thread;

use crate::support::entry::files;
use crate::support::{Issuer, Running, TokenKind, Trouble, Version, World, binary, until};

const HOST: &str = "git.acme.dev";
const SETUP: [&str; 6] = [
    "setup",
    "profile",
    "p",
    "--key-file",
    "key.json",
    "--issuer",
];
const COMMANDS: [&[&str]; 9] = [
    &["token"],
    &["whoami"],
    &["git", "get"],
    &["kubectl"],
    &["docker", "get"],
    &["exec", "--", "true"],
    &["agent", "--once", "--write", "token"],
    &["doctor"],
    &SETUP,
];

/// A reason for a missing token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Trouble(Trouble),
    Deactivated,
    UnknownDomain,
}

impl Mood {
    fn all() -> Vec<Self> {
        let mut all: Vec<_> = Trouble::ALL.into_iter().map(Self::Trouble).collect();
        all.extend([Self::Deactivated, Self::UnknownDomain]);
        all
    }

    fn begin(self, world: &World) {
        match self {
            Self::Trouble(trouble) => world.issuer.set_trouble(trouble),
            Self::Deactivated => world.issuer.deactivate(&world.user.user_id),
            // The domain is set by the world.
            Self::UnknownDomain => {}
        }
    }

    /// True if the responses say so little about the key that the caller should retry.
    fn is_passing(self, version: Version) -> bool {
        match self {
            Self::Trouble(Trouble::DatabaseDownCached) => version == Version::V2025,
            Self::Trouble(Trouble::ReadOnly) | Self::Deactivated => false,
            Self::Trouble(_) | Self::UnknownDomain => true,
        }
    }

    /// Returns the causes that the error names.
    fn causes(self, version: Version) -> &'static [&'static str] {
        const NO_INSTANCE: [&str; 2] = [
            "not a domain of an instance",
            "same answer for an internal error",
        ];
        const KEY_OR_TROUBLE: [&str; 6] = [
            "active",
            "removed",
            "expired",
            "another instance",
            "clock",
            "same answer for an internal error",
        ];
        match (self, version) {
            (Self::UnknownDomain, _) | (Self::Trouble(Trouble::DatabaseDown), Version::V2025) => {
                &NO_INSTANCE
            }
            (Self::Trouble(Trouble::DatabaseDownCached), Version::V2026)
            | (Self::Trouble(Trouble::ReadOnly), _) => &KEY_OR_TROUBLE,
            (Self::Trouble(Trouble::DatabaseDown | Trouble::DatabaseDownCached), _) => {
                &["HTTP 500", "internal problem"]
            }
            (Self::Trouble(Trouble::QuotaUsed | Trouble::Blocked), _) => &[
                "HTTP 429: Your ZITADEL instance is blocked.",
                "instance is blocked",
            ],
            (Self::Deactivated, _) => &["Errors.User.NotActive", "active"],
        }
    }
}

fn world(mood: Mood, version: Version) -> World {
    let issuer = match mood {
        Mood::UnknownDomain => Issuer::builder().domains(&["acme.example"]).start(),
        _ => Issuer::start(),
    };
    issuer.set_version(version);
    let world = World::with(issuer);
    world.allow(HOST);
    world
}

fn run(world: &World, arguments: &[&str]) -> Output {
    let mut command = world.zitadel(arguments);
    if arguments == SETUP {
        command.arg(world.issuer.url());
    }
    command.write_stdin(match arguments[0] {
        "git" => format!("protocol=https\nhost={HOST}\n\n"),
        "docker" => HOST.to_owned(),
        _ => String::new(),
    });
    command.run()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// Returns all text for the user.
fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes))
        .concat()
}

/// Runs the test for all moods at once: most of the time is waiting.
fn in_each_mood(test: impl Fn(Mood, Version) + Sync) {
    thread::scope(|scope| {
        for mood in Mood::all() {
            for version in Version::RECORDED {
                let test = &test;
                scope.spawn(move || test(mood, version));
            }
        }
    });
}

#[test]
fn without_a_token_each_command_names_the_cause_and_if_it_is_temporary() {
    in_each_mood(|mood, version| {
        for command in COMMANDS {
            let world = world(mood, version);
            mood.begin(&world);
            let output = run(&world, command);
            let said = text(&output);
            let expected = match command[0] {
                // git and docker have only one exit code for failures.
                "git" | "docker" | "doctor" => 1,
                _ if mood.is_passing(version) => 75,
                _ => 1,
            };
            let about = format!("{version:?} {mood:?} {command:?}: {said}");
            assert_eq!(code(&output), expected, "{about}");
            for cause in mood.causes(version) {
                assert!(said.contains(cause), "{cause}: {about}");
            }
            assert!(!said.contains("revoked"), "{about}");
            assert!(files(&world.home, "json").is_empty(), "{about}");
            assert!(!world.home.path().join("token").exists(), "{about}");
            if let Mood::Trouble(_) = mood {
                world.issuer.set_trouble(None);
                let output = run(&world, &["token"]);
                assert_eq!(code(&output), 0, "{about}, then {}", text(&output));
            }
        }
    });
}

#[test]
fn a_cached_token_is_used_and_kept_unless_its_user_is_refused() {
    in_each_mood(|mood, version| {
        if mood == Mood::UnknownDomain {
            return;
        }
        let refuses_user = !mood.is_passing(version) && mood != Mood::Trouble(Trouble::ReadOnly);
        for command in COMMANDS {
            let world = world(mood, version);
            let given = run(&world, &["kubectl"]);
            assert_eq!(code(&given), 0, "{}", text(&given));
            mood.begin(&world);
            let output = run(&world, command);
            let said = text(&output);
            let is_at_userinfo = mood == Mood::Trouble(Trouble::ReadOnly);
            let expected = match command[0] {
                "token" | "git" | "docker" | "exec" | "agent" => 0,
                "doctor" => 1,
                "kubectl" if !refuses_user => 0,
                "whoami" | "setup" if is_at_userinfo => 0,
                // The 401 says so, for any reason.
                "whoami" if mood == Mood::Trouble(Trouble::DatabaseDownCached) => 1,
                _ if refuses_user => 1,
                _ => 75,
            };
            let about = format!("{version:?} {mood:?} {command:?}: {said}");
            assert_eq!(code(&output), expected, "{about}");
            if said.contains("revoked") {
                assert!(said.contains("ZITADEL has an internal error"), "{about}");
            }
            let is_taken_away = refuses_user && ["kubectl", "setup"].contains(&command[0]);
            let kept = files(&world.home, "json").len();
            assert_eq!(kept, usize::from(!is_taken_away), "{about}");
            assert_eq!(world.issuer.issued_tokens().len(), 1, "{about}");
        }
    });
}

#[test]
fn an_agent_survives_each_outage_and_keeps_its_file_while_the_token_is_valid() {
    in_each_mood(|mood, version| {
        if mood == Mood::UnknownDomain {
            return;
        }
        let world = world(mood, version);
        world.issuer.set_lifetime(12);
        let mut command = world.home.command(binary());
        command.args(["agent", "--write", "token"]);
        let mut agent = Running::start(command);
        let read = || fs::read_to_string(world.home.path().join("token")).unwrap_or_default();
        until("it is written", || !read().is_empty());
        let asked = world.issuer.total_requests();
        let held = read();
        mood.begin(&world);
        until("it asks in vain", || world.issuer.total_requests() > asked);
        assert_eq!(read(), held, "{version:?} {mood:?}");
        assert!(!agent.is_over(), "{version:?} {mood:?}");
        world.issuer.set_trouble(None);
        world.issuer.reactivate(&world.user.user_id);
        until("there is another", || !read().is_empty() && read() != held);
        assert!(!agent.is_over(), "{version:?} {mood:?}");
    });
}

/// A revoked token in the cache is not a reason to refuse the profile.
#[test]
fn setup_profile_asks_for_another_token_where_the_cached_one_is_refused() {
    for version in Version::RECORDED {
        let world = World::new();
        world.issuer.set_version(version);
        run(&world, &["token"]);
        world.issuer.revoke_all();
        let output = run(&world, &SETUP);
        assert_eq!(code(&output), 0, "{}", text(&output));
        assert_eq!(world.issuer.token_requests(), 2);
        assert_eq!(code(&run(&world, &["whoami"])), 0);
    }
}

#[test]
fn a_user_of_400_roles_gets_its_token_from_each_command() {
    for version in Version::RECORDED {
        let world = World::new();
        world.issuer.set_version(version);
        world.issuer.set_token_kind(TokenKind::Jwt);
        for role in 0..400 {
            let role = format!("deployer-of-the-service-number-{role}");
            world.issuer.add_role(&world.user.user_id, "42", &role);
        }
        world.home.write_config(&format!(
            "default-profile = \"test\"\n[profiles.test]\nissuer = \"{}\"\nkey-file = \"~/key.json\"\n\
             projects = [\"42\"]\nscopes = [\"openid\", \"urn:zitadel:iam:org:projects:roles\"]\n",
            world.issuer.url()
        ));
        world.allow(HOST);
        for command in [
            &["token"][..],
            &["git", "get"],
            &["kubectl"],
            &["docker", "get"],
        ] {
            let output = run(&world, command);
            let token = world.issuer.issued_tokens().remove(0);
            assert!(token.len() > 40_000, "{}", token.len());
            assert_eq!(code(&output), 0, "{}", text(&output));
            assert!(text(&output).contains(&token), "{command:?}");
        }
        // The claims are in userinfo's response as well.
        assert_eq!(code(&run(&world, &["whoami"])), 0);
        assert_eq!(world.issuer.token_requests(), 1, "it is cached");
        assert!(text(&run(&world, &["token", "-v"])).contains("8 KiB"));
        let examined = text(&run(&world, &["doctor"]));
        assert!(examined.contains("8 KiB"), "{examined}");
        assert!(examined.contains("fewer projects"), "{examined}");
        assert!(examined.contains("introspects"), "{examined}");
    }
}
