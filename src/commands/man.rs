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
            out.write_all(&text(&page(&command))?)?;
            out.flush()?;
        }
    }
    Ok(Outcome::Fine)
}

fn write_pages(command: &Command, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut pages = Vec::new();
    add_pages(command, &mut pages);
    let mut out = anstream::stdout().lock();
    for page in pages {
        let path = folder.join(page.get_filename());
        write_atomic(&path, &text(&page)?)?;
        writeln!(out, "{}", path.display())?;
    }
    out.flush()?;
    Ok(())
}

fn add_pages(command: &Command, pages: &mut Vec<Man>) {
    pages.push(page(command));
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        add_pages(command, pages);
    }
}

fn page(command: &Command) -> Man {
    Man::new(command.clone()).source(concat!("shapeline ", env!("CARGO_PKG_VERSION"))).manual("Shapeline manual")
}

fn text(page: &Man) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    page.render(&mut text)?;
    Ok(text)
}
