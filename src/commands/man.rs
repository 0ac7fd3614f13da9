//! `man`: the manual page, or one for every command.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::Outcome;
use crate::cli::{Cli, ManArgs};
use crate::disk::write::write_atomic;

pub(super) fn run(args: &ManArgs) -> Result<Outcome> {
    // Building gives every command its full name and the global options.
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    match &args.out_dir {
        Some(folder) => write_pages(&command, folder)?,
        None => {
            let mut out = std::io::stdout().lock();
            out.write_all(&text(&command)?)?;
            out.flush()?;
        }
    }
    Ok(Outcome::Fine)
}

fn write_pages(command: &Command, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut commands = Vec::new();
    add_pages(command, &mut commands);
    let mut out = anstream::stdout().lock();
    for command in commands {
        let path = folder.join(page(command).get_filename());
        write_atomic(&path, &text(command)?)?;
        writeln!(out, "{}", path.display())?;
    }
    out.flush()?;
    Ok(())
}

fn add_pages<'c>(command: &'c Command, pages: &mut Vec<&'c Command>) {
    pages.push(command);
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        add_pages(command, pages);
    }
}

fn page(command: &Command) -> Man {
    Man::new(command.clone())
        .date(date())
        .source(concat!("shapeline ", env!("CARGO_PKG_VERSION")))
        .manual("Shapeline manual")
}

/// The day of the last change to what the pages say.
const REVISED: &str = "2026-11-22";

/// The day of the release if the build says so, as reproducible builds do.
fn date() -> String {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let day = epoch.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    day.map_or_else(|| REVISED.to_owned(), |moment| moment.strftime("%Y-%m-%d").to_string())
}

/// The page, in the order of man-pages(7).
fn text(command: &Command) -> Result<Vec<u8>> {
    let (page, mut text) = (page(command), Vec::new());
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    let is_main = !command.get_bin_name().unwrap_or_default().contains(' ');
    if command.has_subcommands() {
        page.render_subcommands_section(&mut text)?;
    }
    text.extend_from_slice(EXIT_STATUS.as_bytes());
    text.extend_from_slice(ENVIRONMENT.as_bytes());
    if is_main {
        text.extend_from_slice(FILES.as_bytes());
    }
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    if let Some(examples) = after.strip_prefix("Examples:\n") {
        text.extend_from_slice(format!(".SH EXAMPLES\n.nf\n{}\n.fi\n", verbatim(examples)).as_bytes());
    }
    text.extend_from_slice(see_also(command, is_main).as_bytes());
    Ok(tidy(&String::from_utf8_lossy(&text)).into_bytes())
}

/// How a quote is printed, which every section that is rendered on its own defines again.
const QUOTE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// The page without what mandoc warns of: definitions and breaks that repeat, spaces at the end of lines.
fn tidy(page: &str) -> String {
    let page = page.replace(QUOTE, "").replace("\n.br\n\n.br\n", "\n.sp\n");
    let lines = page.lines().map(|line| format!("{}\n", line.trim_end()));
    std::iter::once(QUOTE.to_owned()).chain(lines).collect()
}

const EXIT_STATUS: &str = "\
.SH \"EXIT STATUS\"
.TP
.B 0
Success.
.TP
.B 1
The data or the change is refused.
.TP
.B 2
Usage, I/O or internal failure.
.TP
.B 3
Differences exist, where asked for.
";

const ENVIRONMENT: &str = "\
.SH ENVIRONMENT
.TP
.B SHAPELINE_DIR
The data repository, unless \\fB\\-\\-directory\\fR names one.
.TP
.B SHAPELINE_ACTOR
The actor for the log, unless \\fB\\-\\-actor\\fR names one.
.TP
.BR SHAPELINE_NOTIFY_URL , \" SHAPELINE_NOTIFY_SECRET\" , \" SHAPELINE_NOTIFY_FORMAT\"
The webhook that is notified of refusals, failures and drift.
.TP
.BR SHAPELINE_OPENID_SECRET , \" SHAPELINE_GITHUB_SECRET\"
The secrets of \\fBserve\\fR at the providers by which people sign in to the portal.
.TP
.B NO_COLOR
If it is set, output has no colour, unless \\fB\\-\\-color\\fR says otherwise.
";

const FILES: &str = "\
.SH FILES
Within the data repository:
.TP
.I shapeline.yaml
Outputs, targets, safety limits, severities of rules.
.TP
.IR plans/ , \" domains/\" , \" subscribers/\"
The data.
.TP
.I templates/
The repository\\(aqs own outputs.
.PP
Beside each live file:
.TP
.RI . FILE .shapeline/
Versions, the log of actions, and the lock of a target.
";

/// Lines that are printed as they are.
fn verbatim(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    escaped.lines().map(|line| format!("\\&{line}")).collect::<Vec<_>>().join("\n")
}

/// The pages around this one.
fn see_also(command: &Command, is_main: bool) -> String {
    let name = command.get_bin_name().unwrap_or("shapeline").replace(' ', "-");
    let mut pages: Vec<String> = command.get_subcommands().map(|one| format!("{name}-{}", one.get_name())).collect();
    pages.extend(name.rsplit_once('-').map(|(above, _)| above.to_owned()));
    pages.sort();
    if is_main {
        pages.insert(0, "git".to_owned());
    }
    let last = pages.len().saturating_sub(1);
    let line = |(at, page): (usize, &String)| {
        let comma = if at < last { " ," } else { "" };
        format!(".BR {} (1){comma}\n", page.replace('-', "\\-"))
    };
    format!(".SH \"SEE ALSO\"\n{}", pages.iter().enumerate().map(line).collect::<String>())
}
