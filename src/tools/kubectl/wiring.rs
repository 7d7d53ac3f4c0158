//! Wiring of kubectl: users in kubeconfigs whose exec plugin is this program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::args::Kubectl;
use super::protocol::Version;
use crate::call::Helper;
use crate::cli::options::{Options, read_call};
use crate::config::{Asker, Config, Directories};
use crate::error::{Error, Report};
use crate::findings::wiring::{Context, Machine, NAME, VisitJwt, Wiring, is_ours};
use crate::findings::{Check, Checks, failed, failed_with, in_a_line, ok, skipped, warning};
use crate::source::command::without_secrets;
use crate::sys::paths;
use crate::sys::{Environment, process};
use crate::text::clock::Deadline;
use crate::text::input::TOOL_FILE_LIMIT;
use crate::text::quote::quoted;
use crate::text::{input, quote};
use crate::url::Origin;

enum KubectlWiring {
    /// There is no kubeconfig.
    Nothing,
    /// The users that run this program, and the servers of their clusters.
    Users(Vec<User>, Vec<Origin>),
    /// Files whose text names this program, if there is no kubectl to parse them.
    Text(Vec<PathBuf>),
    Unread(Error),
}

/// A user that runs this program.
pub(crate) struct User {
    name: String,
    exec: Exec,
}

struct Exec {
    api_version: String,
    command: String,
    args: Vec<String>,
    /// Names and values.
    env: Vec<(String, String)>,
    interactive_mode: Option<String>,
    /// Another credential of the entry.
    other: Option<&'static str>,
}

/// The credentials that client-go uses before an exec plugin's.
const OTHERS: [&str; 3] = ["token", "tokenFile", "username"];

impl User {
    /// Reads a user; `None` if it does not run this program.
    fn read(user: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let exec = &user["user"]["exec"];
        let command = text(&exec["command"]).filter(|command| is_ours(command))?;
        let variable = |set: &Value| Some((text(&set["name"])?, text(&set["value"])?));
        Some(Self {
            name: text(&user["name"]).unwrap_or_default(),
            exec: Exec {
                api_version: text(&exec["apiVersion"]).unwrap_or_default(),
                command,
                args: list(&exec["args"]).iter().filter_map(text).collect(),
                env: list(&exec["env"]).iter().filter_map(variable).collect(),
                interactive_mode: text(&exec["interactiveMode"]),
                other: OTHERS.into_iter().find(|other| {
                    text(&user["user"][*other]).is_some_and(|value| !value.is_empty())
                }),
            },
        })
    }
}

/// Reads the tool's own files.
pub(super) fn read(machine: &Machine<'_>) -> Box<dyn Wiring> {
    Box::new(read_files(
        machine.environment,
        machine.directories,
        &machine.deadline,
    ))
}

fn read_files(
    environment: &Environment,
    directories: &Directories,
    deadline: &Deadline,
) -> KubectlWiring {
    let files = files(environment, directories);
    if files.is_empty() {
        return KubectlWiring::Nothing;
    }
    let Some(kubectl) = process::find("kubectl", environment) else {
        let names_us = |path: &PathBuf| {
            input::read_file(path, TOOL_FILE_LIMIT, deadline)
                .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(NAME))
        };
        return KubectlWiring::Text(files.into_iter().filter(names_us).collect());
    };
    let mut command = Command::new(&kubectl);
    without_secrets(&mut command)
        .args(["config", "view", "--raw", "--output", "json"])
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let unread = |what: String| {
        let report = Report::new(format!("{} config view: {what}", quote::path(&kubectl)));
        KubectlWiring::Unread(Error::Final(
            report.hint("run kubectl config view --raw to see the error"),
        ))
    };
    match process::run_limited(&mut command, deadline, TOOL_FILE_LIMIT) {
        Ok(ended) if ended.status.success() => {
            match serde_json::from_slice::<Value>(&ended.stdout) {
                Ok(view) => {
                    let users: Vec<_> = list(&view, "users").filter_map(User::read).collect();
                    let servers = servers(&view, &users);
                    KubectlWiring::Users(users, servers)
                }
                Err(_) => unread("the output is not JSON".to_owned()),
            }
        }
        Ok(ended) => unread(ended.status.to_string()),
        Err(error) => unread(error.to_string()),
    }
}

fn list<'v>(view: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    view[name].as_array().into_iter().flatten()
}

/// Returns the servers of the clusters that a context uses with one of these users.
fn servers(view: &Value, users: &[User]) -> Vec<Origin> {
    let contexts = list(view, "contexts").map(|context| &context["context"]);
    let is_ours = |context: &&Value| users.iter().any(|user| context["user"] == *user.name);
    let of = |context: &Value| {
        let name = &context["cluster"];
        let clusters = list(view, "clusters").filter(|cluster| cluster["name"] == *name);
        let urls = clusters.filter_map(|cluster| cluster["cluster"]["server"].as_str());
        urls.filter_map(Origin::parse_url)
            .map(|(origin, _)| origin)
            .collect::<Vec<_>>()
    };
    contexts.filter(is_ours).flat_map(of).collect()
}

/// Returns the kubeconfigs that exist.
fn files(environment: &Environment, directories: &Directories) -> Vec<PathBuf> {
    let listed = environment("KUBECONFIG").filter(|list| !list.is_empty());
    let mut files: Vec<_> = match (listed, &directories.home) {
        (Some(list), _) => std::env::split_paths(&list).collect(),
        (None, Some(home)) => vec![home.join(".kube/config")],
        (None, None) => Vec::new(),
    };
    files.retain(|file| file.exists());
    files
}

impl Wiring for KubectlWiring {
    fn visit_jwts(&self, context: &Context<'_>, visit: &mut VisitJwt<'_>) {
        let Self::Users(users, _) = self else { return };
        for user in users.iter().filter(|_| context.is_read) {
            user.visit(context, visit);
        }
    }

    fn may_need_jwt(&self) -> bool {
        matches!(self, Self::Text(files) if !files.is_empty())
    }

    fn needs_no_rule(&self, origin: &Origin) -> Option<&'static str> {
        let Self::Users(_, servers) = self else {
            return None;
        };
        let mut servers = servers.iter();
        let is_known = servers.any(|server| server.host == origin.host);
        is_known.then_some("a cluster's server")
    }

    fn check(&self, checks: &mut Checks, context: &Context<'_>) {
        match self {
            Self::Nothing => {}
            Self::Unread(error) => checks.push(failed_with("kubectl", error)),
            Self::Text(files) => {
                for file in files {
                    checks.push(ok(
                        "kubectl",
                        format!(
                            "{} names this program; not parsed, because kubectl is not on PATH",
                            quote::path(file)
                        ),
                    ));
                }
            }
            Self::Users(users, _) => {
                for user in users {
                    checks.push(user.check(context));
                }
            }
        }
    }
}

impl User {
    fn check(&self, context: &Context<'_>) -> Check {
        let exec = &self.exec;
        let user = format!("user {}", quote::path(&self.name));
        // Setup refuses a user that it did not write: each remedy changes the entry itself.
        let wrong =
            |what: String, remedy: &str| failed("kubectl", format!("{user}: {what}"), remedy);
        let shown = quote::path(&exec.command);
        let path = Path::new(&exec.command);
        let is_there = if paths::is_path(&exec.command) {
            process::is_program(path)
        } else {
            process::find(&exec.command, context.environment).is_some()
        };
        if !is_there {
            let place = if paths::is_path(&exec.command) {
                "is not an executable file"
            } else {
                "is not on PATH"
            };
            return wrong(
                format!("command {shown} {place}"),
                "set the entry's command to the whole path of zitadel-credential",
            );
        }
        let Some(version) = Version::parse(&exec.api_version) else {
            let version = quoted(&exec.api_version);
            return wrong(
                format!("unsupported apiVersion \"{version}\""),
                "set the entry's apiVersion to client.authentication.k8s.io/v1, and its interactiveMode to Never",
            );
        };
        if version == Version::V1 && exec.interactive_mode.is_none() {
            return wrong(
                "interactiveMode is missing, which v1 requires".to_owned(),
                "set the entry's interactiveMode to Never",
            );
        }
        let words = exec.args.iter().map(OsString::from);
        let args: Vec<_> = std::iter::once(OsString::from(NAME)).chain(words).collect();
        let Some((before, mut call)) = read_call::<Kubectl>("kubectl", &args) else {
            return wrong(
                "args do not run the command kubectl".to_owned(),
                "set the entry's args to [kubectl], with --profile NAME if it needs one",
            );
        };
        let answered = call.api_version;
        if answered.unwrap_or_default() != version {
            let (short, answered) = (version.short(), answered.unwrap_or_default().short());
            return warning(
                "kubectl",
                format!(
                    "{user}: clients that set no KUBERNETES_EXEC_INFO get {answered}, but the entry says {short}"
                ),
                format!("add --api-version {short} to the entry's args"),
            );
        }
        if exec.interactive_mode.as_deref() == Some("Always") {
            return warning(
                "kubectl",
                format!(
                    "{user}: interactiveMode Always prevents it from running without a terminal"
                ),
                "set the entry's interactiveMode to Never",
            );
        }
        if let Some(other) = self.exec.other {
            return warning(
                "kubectl",
                format!(
                    "{user}: the entry also has {other}, which kubectl uses instead of this program"
                ),
                format!(
                    "kubectl config unset users.{}.{other}",
                    quote::word(&self.name)
                ),
            );
        }
        let environment = self.environment(context);
        let options = std::mem::take(call.options()).over(before);
        self.check_profile(&options, &environment, context, version)
    }

    /// Returns the plugin's environment: the entry's own variables override others, and
    /// the last of equal ones counts (Go's `exec.Cmd.Env`).
    fn environment<'u>(&'u self, context: &'u Context<'_>) -> impl Fn(&str) -> Option<OsString> {
        move |name| {
            let mut variables = self.exec.env.iter().rev();
            let set = variables.find(|(set, _)| set == name);
            set.map(|(_, value)| value.into())
                .or_else(|| (context.environment)(name))
        }
    }

    /// Visits the user's token request, if it can be made.
    fn visit(&self, context: &Context<'_>, visit: &mut VisitJwt<'_>) {
        let words = self.exec.args.iter().map(OsString::from);
        let args: Vec<_> = std::iter::once(OsString::from(NAME)).chain(words).collect();
        let Some((before, mut call)) = read_call::<Kubectl>("kubectl", &args) else {
            return;
        };
        let environment = self.environment(context);
        let options = std::mem::take(call.options()).over(before);
        let Ok(config) = Config::load(&options, &environment, context.directories) else {
            return;
        };
        let profile = config.profile_for(&Asker::default());
        if let Ok(request) = config.request(Asker::default()) {
            let user = quote::path(&self.name);
            let place = match &profile {
                Some(name) => format!("user {user}, profile {}", quote::path(name)),
                None => format!("user {user}"),
            };
            visit("kubectl", &place, profile.as_deref(), &request);
        }
    }

    fn check_profile(
        &self,
        options: &Options,
        environment: &Environment,
        context: &Context<'_>,
        version: Version,
    ) -> Check {
        let user = format!("user {}", quote::path(&self.name));
        if !context.is_read {
            return skipped(
                "kubectl",
                format!("{user}: names this program; the configuration could not be loaded"),
            );
        }
        let short = version.short();
        let profile = Config::load(options, environment, context.directories).and_then(|config| {
            config.request(Asker::default())?;
            Ok(config.profile_for(&Asker::default()))
        });
        match profile {
            Ok(Some(name)) => ok(
                "kubectl",
                format!("{user}: profile {}, {short}", quote::path(&name)),
            ),
            Ok(None) => ok("kubectl", format!("{user}: flags and environment, {short}")),
            Err(error) => {
                let what = format!("{user}: {}", in_a_line(error.report()));
                failed("kubectl", what, error.report().advice().unwrap_or_default())
            }
        }
    }
}
