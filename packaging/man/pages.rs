//! The man pages: clap's data about each command, and the handwritten parts beside this
//! file.

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use zitadel_credential::cli::Cli;
use zitadel_credential::tools::links;
use zitadel_credential::tools::row::Place;

const NAME: &str = "zitadel-credential";

/// Date of the last change that a reader would notice (man-pages(7)).
const DATE: &str = "2026-11-30";

/// Heading of the options that every command's help has, but only one of these pages.
const EVERY: &str = "Options of every command";

/// The text after the options in zitadel-credential(1).
const PROGRAM: &str = include_str!("zitadel-credential.roff");

/// zitadel-credential-config(5), below its head.
const CONFIG: &str = include_str!("zitadel-credential-config.roff");

/// Returns every page's file name and text.
pub fn pages() -> Vec<(String, String)> {
    let mut program = Cli::command();
    program.build();
    let mut pages = vec![
        (format!("{NAME}.1"), of_program(&program)),
        (format!("{NAME}-config.5"), of_config()),
    ];
    pages.extend(of_commands(&program, NAME));
    // A link has its page, unless the name is another program's.
    let ours = links().filter(|(link, _)| link.place != Place::Person);
    pages.extend(ours.map(|(link, command)| {
        let name = link.name;
        let text = format!(".so man1/{NAME}-{command}.1\n");
        (format!("{name}.1"), text)
    }));
    pages
}

fn of_program(program: &Command) -> String {
    let mut head = program.clone();
    for sub in commands(program) {
        let name = sub.get_name().to_owned();
        let page = format!("{NAME}-{name}");
        head = head.mut_subcommand(&name, |sub| sub.display_name(page));
    }
    let mut page = man(head, NAME);
    page.section("SYNOPSIS", &usage(program));
    page.text(|man, out| man.render_description_section(out));
    page.control("SH", &["COMMANDS"]);
    for sub in commands(program) {
        page.control("TP", &[]);
        page.line(&format!("{NAME}-{}(1)", sub.get_name()));
        page.line(&about(sub));
    }
    page.text(|man, out| man.render_options_section(out));
    page.end(PROGRAM)
}

/// Returns a page for each command, and for each of its subcommands.
fn of_commands(of: &Command, name: &str) -> Vec<(String, String)> {
    let pages = commands(of).map(|command| {
        let name = format!("{name}-{}", command.get_name());
        let mut pages = of_commands(command, &name);
        pages.push((format!("{name}.1"), of_command(command, &name)));
        pages
    });
    pages.flatten().collect()
}

fn of_command(command: &Command, name: &str) -> String {
    let own = command.clone().mut_args(|arg| {
        let is_own = arg.get_help_heading() != Some(EVERY);
        arg.hide(!is_own)
    });
    let mut page = man(own, name);
    page.section("SYNOPSIS", &usage(command));
    page.text(|man, out| man.render_description_section(out));
    page.text(|man, out| man.render_options_section(out));
    if command
        .get_arguments()
        .any(|arg| arg.get_help_heading() == Some(EVERY))
    {
        page.control("PP", &[]);
        page.line("The options of every command are in zitadel-credential(1).");
    }
    if commands(command).next().is_some() {
        page.control("SH", &["COMMANDS"]);
        for sub in commands(command) {
            page.control("TP", &[]);
            page.line(&format!("{name}-{}(1)", sub.get_name()));
            page.line(&about(sub));
        }
    }
    if let Some(example) = command.get_after_help() {
        page.control("SH", &["EXAMPLES"]);
        page.example(&example.to_string());
    }
    page.end(".SH SEE ALSO\n.BR zitadel\\-credential (1),\n.BR zitadel\\-credential\\-config (5)\n")
}

fn of_config() -> String {
    let title = format!("{NAME}-config").to_uppercase();
    let mut head = Roff::default();
    let version = format!("{NAME} {}", env!("CARGO_PKG_VERSION"));
    head.control("TH", [title.as_str(), "5", DATE, version.as_str()]);
    head.to_roff() + CONFIG
}

/// Returns the commands without clap's own `help`, which has no page.
fn commands(of: &Command) -> impl Iterator<Item = &Command> {
    let subs = of.get_subcommands();
    subs.filter(|sub| sub.get_name() != "help" && !sub.is_hide_set())
}

fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.replace("Usage: ", "")
}

fn about(command: &Command) -> String {
    command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// A page under construction, beginning with its head.
struct Page {
    man: Man,
    text: String,
}

fn man(command: Command, name: &str) -> Page {
    let man = Man::new(command.display_name(name))
        .title(name.to_uppercase())
        .date(DATE)
        .source(format!("{NAME} {}", env!("CARGO_PKG_VERSION")));
    let text = String::new();
    let mut page = Page { man, text };
    page.text(|man, out| man.render_title(out));
    page.text(|man, out| man.render_name_section(out));
    page
}

impl Page {
    fn text(&mut self, render: impl Fn(&Man, &mut dyn std::io::Write) -> std::io::Result<()>) {
        let mut out = Vec::new();
        render(&self.man, &mut out).expect("memory takes all");
        let text = String::from_utf8(out).expect("help is UTF-8");
        self.text += &without_preamble(&text);
    }

    fn control(&mut self, name: &str, arguments: &[&str]) {
        let mut roff = Roff::default();
        roff.control(name, arguments.iter().copied());
        self.text += &roff.to_roff();
    }

    fn line(&mut self, line: &str) {
        let mut roff = Roff::default();
        roff.text([roman(line)]);
        self.text += &roff.to_roff();
    }

    fn section(&mut self, name: &str, text: &str) {
        self.control("SH", &[name]);
        self.line(text);
    }

    /// A help's example: a line that says what it is, and lines as they are.
    fn example(&mut self, text: &str) {
        let (title, lines) = text.split_once('\n').unwrap_or(("", text));
        if !["Example:", "Examples:"].contains(&title) {
            self.line(title);
            self.control("PP", &[]);
        }
        self.control("nf", &[]);
        for line in lines.lines() {
            self.line(line.strip_prefix("  ").unwrap_or(line));
        }
        self.control("fi", &[]);
    }

    fn end(self, rest: &str) -> String {
        self.text + rest
    }
}

/// Every piece begins by defining an apostrophe for readers that have none.
fn without_preamble(text: &str) -> String {
    let is_preamble = |line: &&str| line.starts_with(".ie ") || line.starts_with(".el ");
    let lines = text.lines().filter(|line| !is_preamble(line));
    lines
        .map(|line| line.replace("\\*(Aq", "\\(aq") + "\n")
        .collect()
}
