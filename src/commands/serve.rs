//! `serve`: the web server.

use anyhow::{Result, bail};

use super::Outcome;
use crate::cli::{Cli, ServeArgs, ServeOnly};
use crate::web::data::source::{NothingCheckedOut, SourceRequest};
use crate::web::parts::Parts;
#[cfg(feature = "telemetry")]
use crate::web::request::LiveRequest;
use crate::web::request::ServeRequest;
use crate::web::serve::{CannotListen, serve, settings};

pub(super) fn run(cli: &Cli, args: &ServeArgs) -> Result<Outcome> {
    #[cfg(feature = "telemetry")]
    if args.demo {
        let demo = crate::web::demo::Demo::new(args.listen)?;
        serve(&demo.request).map_err(worded)?;
        return Ok(Outcome::Fine);
    }
    let mut settings = settings(args.state.settings.as_deref())?;
    settings.listen = args.listen.or(settings.listen);
    settings.interval = args.interval.or(settings.interval);
    settings.name = args.name.clone().or(settings.name);
    let fixed = args.rev.is_some();
    let source = SourceRequest {
        rev: args.rev.clone(),
        branch: args.branch.clone().or(settings.branch.take().filter(|_| !fixed)),
        remote: args.remote.clone().or(settings.remote.take().filter(|_| !fixed)),
        no_fetch: args.no_fetch,
    };
    let parts = match args.only {
        None => Parts::All,
        Some(ServeOnly::Portal) => Parts::Portal,
        Some(ServeOnly::Lookup) => Parts::Lookup,
    };
    if fixed && parts != Parts::Lookup {
        bail!("--rev serves one commit that never changes: add --only lookup, which the portal is not part of");
    }
    let root = super::clone_folder(cli)?;
    let state = super::state::location(Some(&root), args.state.state.as_deref(), settings.state.as_deref())?;
    #[cfg(feature = "telemetry")]
    let live = match &settings.telemetry {
        Some(telemetry) if parts != Parts::Lookup => {
            let (_, store) = super::samples::settings_and_place(Some(&root), &args.state)?;
            Some(LiveRequest { store, settings: telemetry.clone(), demo: false })
        }
        _ => None,
    };
    let request = ServeRequest {
        root,
        source,
        state,
        settings,
        parts,
        #[cfg(feature = "telemetry")]
        live,
    };
    serve(&request).map_err(worded)?;
    Ok(Outcome::Fine)
}

fn worded(error: anyhow::Error) -> anyhow::Error {
    if let Some(why) = error.downcast_ref::<CannotListen>() {
        return super::reworded(&error, format!("{why}: choose another with --listen"));
    }
    match error.downcast_ref::<NothingCheckedOut>() {
        Some(why) => super::reworded(&error, format!("{why}: name one with --branch, or a commit with --rev")),
        None => error,
    }
}
