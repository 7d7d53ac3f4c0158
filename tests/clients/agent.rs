//! The agent's unit in systemd, and its pod in kubectl: neither has an unknown setting,
//! and their commands write the token.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::program::{client, output, stdout_of_success};
use crate::support::{Running, World, binary, until};

const NAME: &str = "zitadel-credential-agent@.service";
const UNIT: &str = include_str!("../../packaging/systemd/zitadel-credential-agent@.service");
const ROTATE_NAME: &str = "zitadel-credential-rotate@.service";
const ROTATE: &str = include_str!("../../packaging/systemd/zitadel-credential-rotate@.service");
const TIMER_NAME: &str = "zitadel-credential-rotate@.timer";
const TIMER: &str = include_str!("../../packaging/systemd/zitadel-credential-rotate@.timer");
const INSTALLED: &str = "/usr/bin/zitadel-credential";
const POD: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/packaging/kubernetes/sidecar.yaml"
);

#[test]
fn systemd_analyze_accepts_the_units_and_their_exposure() {
    let Some(analyze) = client("systemd-analyze") else {
        return;
    };
    let world = World::new();
    let units = [(NAME, UNIT), (ROTATE_NAME, ROTATE), (TIMER_NAME, TIMER)];
    let units = units.map(|(name, unit)| {
        let unit = unit.replace(INSTALLED, binary().to_str().unwrap());
        world.home.write(name, unit)
    });
    let analyze = |arguments: &[&str], unit: &Path| {
        let mut command = world.home.command(&analyze);
        command
            .args(arguments)
            .arg(unit)
            .env("SYSTEMD_LOG_COLOR", "0");
        output(command)
    };
    for unit in &units {
        let verified = analyze(&["verify", "--man=no"], unit);
        assert_eq!(String::from_utf8_lossy(&verified.stderr), "");
        assert!(verified.status.success());
    }
    // systemd's score in tenths: 1.4 and 1.8 with systemd 252; the rotation runs as root.
    for unit in &units[..2] {
        let words = ["security", "--offline=true", "--threshold=20", "--no-pager"];
        let exposed = analyze(&words, unit);
        assert!(exposed.status.success(), "{exposed:?}");
    }
}

#[test]
fn the_timers_unit_rotates_the_key() {
    let world = World::new();
    let in_three_days = crate::support::exchange::now() + 3 * 86_400;
    let key_id = &world.user.key_id;
    world.issuer.set_key_expiry(key_id, in_three_days);
    let place = "/etc/zitadel-credential/%i.json";
    let lines = ROTATE.lines();
    let mut call = lines.filter_map(|line| line.strip_prefix("ExecStart="));
    let call = call.next().unwrap();
    assert!(call.contains(place), "{call}");
    let call = call.replace(place, world.key_file.to_str().unwrap());
    let rotate = || {
        let mut command = world.home.command(binary());
        command
            .args(call.strip_prefix(INSTALLED).unwrap().split_whitespace())
            .env("ZITADEL_CREDENTIAL_CONFIG", "/dev/null")
            .env("ZITADEL_CREDENTIAL_ISSUER", world.issuer.url());
        stdout_of_success(command)
    };
    assert!(rotate().contains("removed at ZITADEL"));
    let new = world.issuer.key_ids(&world.user.user_id);
    assert!(new.len() == 1 && new[0] != *key_id);
    assert!(rotate().contains("nothing to do"));
    assert_eq!(world.issuer.key_ids(&world.user.user_id), new);
}

#[test]
fn the_units_command_writes_the_token_and_reports_ready() {
    let world = World::new();
    let call = UNIT
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="));
    let call = call
        .unwrap()
        .replace(
            "${CREDENTIALS_DIRECTORY}/key",
            world.key_file.to_str().unwrap(),
        )
        .replace("${RUNTIME_DIRECTORY}", "run");
    let arguments = call.strip_prefix(INSTALLED).unwrap().split_whitespace();
    world.home.write("run/nothing", "");
    world.home.write_config("");
    let socket = UnixDatagram::bind(world.home.path().join("notify")).unwrap();
    let mut command = world.home.command(binary());
    command
        .args(arguments)
        .env("NOTIFY_SOCKET", world.home.path().join("notify"))
        .env("ZITADEL_CREDENTIAL_ISSUER", world.issuer.url());
    let running = Running::start(command);
    let mut message = [0; 7];
    socket.recv(&mut message).unwrap();
    assert_eq!(&message, b"READY=1");
    assert!(world.issuer.accepts(&world.home.read("run/token")));
    running.signal(Signal::TERM);
    assert!(running.output().status.success());
}

/// Returns the pod from kubectl, changed by these arguments.
fn pod(kubectl: &Path, world: &World, arguments: &[&str]) -> Value {
    let mut command = world.home.command(kubectl);
    command.args(arguments);
    command.args(["--local", "-o", "json", "-f", POD]);
    serde_json::from_str(&stdout_of_success(command)).unwrap()
}

/// True if `whole` contains all of `part`, in the same place.
fn is_within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part.iter().all(|(key, value)| {
            whole.get(key).is_some_and(|whole| is_within(value, whole))
                // kubectl before 1.28 knows this for no container.
                || (key == "restartPolicy" && value == "Always")
        }),
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(p, w)| is_within(p, w))
        }
        _ => part == whole,
    }
}

#[test]
fn kubectl_knows_every_field_of_the_pod() {
    let Some(kubectl) = client("kubectl") else {
        return;
    };
    let world = World::new();
    let mut ours = pod(&kubectl, &world, &["label", "a=b"]);
    let metadata = ours["metadata"].as_object_mut().unwrap();
    metadata.remove("labels").unwrap();
    ours["spec"]["containers"][0]["image"] = "another".into();
    // The pod passes through kubectl's own types, which drop unknown fields.
    let known = pod(&kubectl, &world, &["set", "image", "app=another"]);
    assert!(is_within(&ours, &known), "{ours:#}\n{known:#}");
    assert!(ours["spec"]["initContainers"][0]["restartPolicy"] == "Always");
}

#[test]
fn the_pods_command_writes_the_token_and_its_probe_succeeds() {
    let Some(kubectl) = client("kubectl") else {
        return;
    };
    let world = World::new();
    // This replaces a volume that is an emptyDir.
    world.home.write("run/zitadel/nothing", "");
    let volume = world.home.path().join("run/zitadel");
    fs::set_permissions(&volume, Permissions::from_mode(0o2777)).unwrap();
    world
        .home
        .write("etc/zitadel/key.json", world.user.key_json());
    world.home.write_config("");
    let pod = pod(&kubectl, &world, &["label", "a=b"]);
    let sidecar = &pod["spec"]["initContainers"][0];
    let call = |words: &Value| {
        let words = words.as_array().unwrap().iter();
        let words: Vec<_> = words.map(|word| word.as_str().unwrap()).collect();
        assert_eq!(words[0], "zitadel-credential");
        let mut command: Command = world.home.command(binary());
        let here = |text: &str| text.replace("/run/", "run/").replace("/etc/", "etc/");
        command.args(words[1..].iter().map(|word| here(word)));
        for variable in sidecar["env"].as_array().unwrap() {
            let text = |name: &str| variable[name].as_str().unwrap();
            command.env(text("name"), here(text("value")));
        }
        command.env("ZITADEL_CREDENTIAL_ISSUER", world.issuer.url());
        Running::start(command)
    };
    let probe = call(&sidecar["startupProbe"]["exec"]["command"]);
    assert_eq!(probe.output().status.code(), Some(1), "before it runs");
    let running = call(&sidecar["command"]);
    let token = world.home.path().join("run/zitadel/own/token");
    until("it is written", || token.exists());
    for probe in ["startupProbe", "readinessProbe"] {
        let probe = call(&sidecar[probe]["exec"]["command"]);
        assert!(probe.output().status.success());
    }
    assert_eq!(world.issuer.token_requests(), 1);
    assert!(
        world
            .issuer
            .accepts(&world.home.read("run/zitadel/own/token"))
    );
    running.signal(Signal::TERM);
    assert!(running.output().status.success());
}
