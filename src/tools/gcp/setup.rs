//! Google's clients: a credential configuration, whose executable is this program. The
//! file is the rule: no host rule is needed.
//!
//! Source: google-auth's `pluggable.py`, which splits the command at its spaces.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use clap::ValueHint;
use serde_json::{Value, json};

use crate::edit::entry::Edit;
use crate::edit::plan::Plan;
use crate::edit::setup::{Name, Setup, named};
use crate::edit::trial::Trial;
use crate::edit::whole::AT_FILE;
use crate::error::{Error, Report};
use crate::text::quote;
use crate::text::quote::{is_unprintable, printable, quoted};

/// The prefix of the audience of a workload identity pool.
const POOL: &str = "//iam.googleapis.com/";

/// The name of the setup in `setup.json`, before the file.
const NAME: &str = "credentials";

// The arguments of `setup gcp`.
#[derive(clap::Args, Debug)]
pub(super) struct SetupGcp {
    /// Full name of the pool's provider, as Google's
    /// console shows it, from //iam.googleapis.com/ on
    #[arg(
        long,
        value_name = "AUDIENCE",
        required_unless_present = "undo",
        verbatim_doc_comment
    )]
    audience: Option<OsString>,
    /// The credential configuration to write
    /// [default: gcp.json beside the config file]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, verbatim_doc_comment)]
    output: Option<PathBuf>,
}

impl Setup for SetupGcp {
    fn of_name(_: &str) -> Self {
        Self {
            audience: None,
            output: None,
        }
    }

    fn names(&self) -> Vec<Name<'_>> {
        named("--audience", &self.audience)
    }

    /// Writes the file.
    fn apply(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        plan.refuse_profiles_options()?;
        let profile = plan.profile()?;
        let audience = self.audience()?;
        let call = call(plan, profile.as_deref())?;
        let account = json!({
            "type": "external_account",
            "audience": audience,
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": {
                "executable": { "command": call.join(" "), "timeout_millis": 60_000 },
            },
        });
        let path = self.place(plan)?;
        let file = plan.open_file(&path)?.name();
        if let Some(edit) = plan.write_whole(&path, &format!("{account:#}\n"))? {
            plan.journal.record(&format!("gcp {NAME} {file}"), edit);
        }
        plan.try_out(trial(&call, file.clone()));
        let file = quote::word(&file);
        plan.say_next("next, where Google's client runs:");
        plan.say_next(format!(
            "export GOOGLE_APPLICATION_CREDENTIALS={}",
            printable(&file)
        ));
        plan.say_next("export GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1");
        Ok(())
    }

    /// Removes the file.
    fn undo(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let path = self.place(plan)?;
        let file = plan.open_file(&path)?;
        let edits = plan.journal.take(&format!("gcp {NAME} {}", file.name()));
        let Some(edits) = edits else {
            plan.say(format!("gcp was not set up in {}", quote::path(&path)));
            plan.add(file);
            return Ok(());
        };
        edits
            .iter()
            .try_for_each(|edit| plan.undo_whole(edit, None))
    }
}

impl SetupGcp {
    fn audience(&self) -> Result<&str, Error> {
        let given = self.audience.as_ref().and_then(|given| given.to_str());
        let is_pool = |text: &&str| {
            text.starts_with(POOL)
                && !text.contains(|c: char| c.is_whitespace() || is_unprintable(c))
        };
        given.filter(is_pool).ok_or_else(|| {
            Error::Usage(Report::new("invalid audience of a workload identity pool").hint(
                "use the provider's name, without https: //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER",
            ))
        })
    }

    fn place(&self, plan: &Plan<'_>) -> Result<PathBuf, Error> {
        match (&plan.tool_file, &self.output) {
            (Some(file), _) => Ok(file.clone()),
            (None, Some(file)) => plan.directories.located("--output", file),
            (None, None) => Ok(plan.config.path().with_file_name("gcp.json")),
        }
    }
}

/// True if this setup makes such an edit.
pub(super) fn owns(of: &str, edit: &Edit) -> bool {
    let account: Value = serde_json::from_str(&edit.ours).unwrap_or_default();
    edit.key() == AT_FILE
        && edit.is_in_file_of(of)
        && edit.former.is_none()
        && account["type"] == "external_account"
}

/// Returns the words of the executable's call.
///
/// # Errors
/// Google's clients would split a word.
fn call(plan: &Plan<'_>, profile: Option<&str>) -> Result<Vec<String>, Error> {
    let mut words = vec![
        plan.program.to_string_lossy().into_owned(),
        "gcp".to_owned(),
    ];
    if let Some(profile) = profile {
        words.extend(["--profile".to_owned(), profile.to_owned()]);
    }
    words.extend(plan.config_words());
    let is_split = |c: char| c.is_whitespace() || is_unprintable(c) || "\"'\\".contains(c);
    match words.iter().find(|word| word.contains(is_split)) {
        Some(word) => {
            let what = format!(
                "\"{}\": Google's clients split it at its spaces",
                quoted(word)
            );
            Err(Error::Usage(Report::new(what).hint(
                "use a profile's name and paths without spaces and quotes: link this program from a directory on PATH",
            )))
        }
        None => Ok(words),
    }
}

/// Returns the call that a client makes.
fn trial(call: &[String], file: String) -> Trial {
    let mut command = Command::new(&call[0]);
    command.args(&call[1..]).env(
        "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE",
        "urn:ietf:params:oauth:token-type:jwt",
    );
    Trial {
        tool: "gcp",
        undo: vec!["--output".to_owned(), file.clone()],
        host: file,
        call: "zitadel-credential gcp",
        command,
        input: String::new(),
        only_warns: false,
        read: |answer| {
            let answer: Value = serde_json::from_str(answer).unwrap_or_default();
            let why = answer["message"].as_str().map(ToOwned::to_owned);
            let token = answer["id_token"].as_str();
            token.map(|_| String::new()).ok_or(why)
        },
    }
}
