//! `serve --demo`: a data repository that is made up, in a folder that is removed at the end, and a pretend network.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::data::source::SourceRequest;
use super::parts::Parts;
use super::portal::app::{DemoLink, Portal};
use super::request::{LiveRequest, ServeRequest};
use super::settings::ServerSettings;
use super::state::users::{NewUser, Role};
use crate::database::location::StateLocation;
use crate::database::random::random;
use crate::rules::sound_table;
use crate::sync::journal::Journal;
use crate::telemetry::collector::{CollectRequest, collect_here};
use crate::telemetry::demo::make_up;
use crate::telemetry::sample::{MINUTE, now};
use crate::telemetry::settings::{KindSettings, Marks, Retention, SimulateSettings, SourceSettings, TelemetrySettings};
use crate::telemetry::simulation::{Simulated, Simulation};
use crate::telemetry::store::SampleStore;
use crate::telemetry::subscribers::declared;
use crate::web::access::Scope;

/// The name of the account that the link signs in, and of the source.
const ACCOUNT: &str = "demo";

/// The share of subscribers that exceed their plans.
const EXCEED: f64 = 0.015;

/// Name, Mbps up and down.
const PLANS: [(&str, u32, u32); 5] = [
    ("10_MEG_UP_20_MEG_DOWN", 10, 20),
    ("30_MEG_UP_30_MEG_DOWN", 30, 30),
    ("50_MEG_UP_50_MEG_DOWN", 50, 50),
    ("20_MEG_UP_100_MEG_DOWN", 20, 100),
    ("200_MEG_UP_200_MEG_DOWN", 200, 200),
];

/// Name, third byte of the addresses, subscribers, contracted Gbps.
const DOMAINS: [(&str, u32, u32, u32); 4] = [
    ("ispcustomer.co.zw", 10, 140, 2),
    ("tier2.example", 20, 90, 2),
    ("campus.example", 30, 60, 1),
    ("village.example", 40, 30, 1),
];

/// What a demonstration needs while it runs.
pub(crate) struct Demo {
    /// Removed when dropped.
    _folder: tempfile::TempDir,
    pub(crate) request: ServeRequest,
}

/// What the server does beside serving.
pub(crate) struct DemoWork {
    collect: CollectRequest,
    network: Vec<Simulated>,
}

impl Demo {
    /// Makes up the data, in a folder of its own.
    ///
    /// # Errors
    /// If the address is not of this host alone, or the folder cannot be written.
    pub(crate) fn new(listen: Option<SocketAddr>) -> Result<Demo> {
        if let Some(address) = listen.filter(|address| !address.ip().is_loopback()) {
            bail!("a demonstration is for this host alone, and {address} is not: use 127.0.0.1");
        }
        let folder = tempfile::Builder::new().prefix("shapeline-demo-").tempdir().context("cannot make a folder")?;
        let root = folder.path().join("data");
        make_data(&root).context("cannot make up the data")?;
        let source = SourceSettings {
            name: ACCOUNT.to_owned(),
            interval: "2s".parse().map_err(anyhow::Error::msg)?,
            timeout: "10s".parse().map_err(anyhow::Error::msg)?,
            reverse: false,
            kind: KindSettings::Simulate(SimulateSettings { exceed: EXCEED, ..SimulateSettings::default() }),
        };
        let telemetry = TelemetrySettings {
            store: None,
            retention: Retention::default(),
            sources: vec![source],
            names: Default::default(),
            file: None,
            outbox: Marks::default(),
            bus: None,
            metrics: None,
        };
        let store = StateLocation::Sqlite(folder.path().join("samples.sqlite"));
        let request = ServeRequest {
            root,
            source: SourceRequest { no_fetch: true, ..SourceRequest::default() },
            state: StateLocation::Sqlite(folder.path().join("state.sqlite")),
            settings: ServerSettings {
                listen,
                name: Some(ACCOUNT.to_owned()),
                access_log: Some(false),
                telemetry: Some(telemetry.clone()),
                ..ServerSettings::default()
            },
            parts: Parts::All,
            live: Some(LiveRequest { store, settings: telemetry, demo: true }),
        };
        Ok(Demo { _folder: folder, request })
    }
}

impl DemoWork {
    /// The network of the data that is served; its last two hours are written.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub(crate) async fn begin(portal: &Portal, live: &LiveRequest) -> Result<DemoWork> {
        let data = portal.current.snapshot();
        let table = sound_table(&data.repo, data.today).map_err(|_| anyhow::anyhow!("the made-up data has errors"))?;
        let declared = declared(&table);
        let network = Simulation { seed: SimulateSettings::default().seed, exceed: EXCEED }.network(&declared);
        let store = SampleStore::open(&live.store).await?;
        let now = now();
        make_up(&store, ACCOUNT, (&network, &declared), now, (1..120).rev().map(|minute| now - minute * MINUTE))
            .await?;
        store.roll_up(now, true).await?;
        let (store, settings) = (live.store.clone(), live.settings.clone());
        Ok(DemoWork { collect: CollectRequest { store, settings, declared, sinks: Vec::new() }, network })
    }

    /// Writes what was before: a day by ten minutes, a week by the hour. Then collects until the server ends.
    pub(crate) async fn run(self) {
        let past = async {
            let store = SampleStore::open(&self.collect.store).await?;
            let now = now();
            let day = (12..144).map(|step| now - step * 10 * MINUTE);
            let week = (24..168).map(|hour| now - hour * 60 * MINUTE);
            make_up(&store, ACCOUNT, (&self.network, &self.collect.declared), now, day.chain(week)).await
        };
        let collecting = collect_here(&self.collect);
        let (past, collected) = tokio::join!(past, collecting);
        for error in [past.err(), collected.err()].into_iter().flatten() {
            Journal::default().event("demo", &format!("{error:#}"));
        }
    }
}

/// Makes the account of the demonstration. Returns the link that signs in.
///
/// # Errors
/// If the state cannot be written.
pub(crate) async fn account(portal: &Portal) -> Result<DemoLink> {
    let user = NewUser {
        name: ACCOUNT.to_owned(),
        full_name: "Demo".to_owned(),
        email: "demo@tier2.example".to_owned(),
        role: Role::Operator,
        scope: Scope::all(),
    };
    // No password has this as its hash: only the link signs in.
    portal.store.add_user(&user, "").await?;
    Ok(DemoLink { account: ACCOUNT, key: random::<32>()? })
}

fn make_data(root: &Path) -> Result<()> {
    let write = |path: String, text: String| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(root))?;
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    write("shapeline.yaml".to_owned(), "# Made up.\n".to_owned())?;
    for (name, up, down) in PLANS {
        write(format!("plans/{name}.yaml"), format!("name: {name}\nup: {up} Mbps\ndown: {down} Mbps\n"))?;
    }
    for (name, net, count, capacity) in DOMAINS {
        let domain = format!(
            "name: {name}\nprefixes: [10.20.{net}.0/24]\ncapacity: {{up: {capacity} Gbps, down: {capacity} Gbps, contention: 20}}\n"
        );
        write(format!("domains/{name}.yaml"), domain)?;
        let mut subscribers = String::new();
        for number in 0..count {
            let (plan, ..) = PLANS[(number * number + number / 3) as usize % PLANS.len()];
            writeln!(subscribers, "- {{ip: 10.20.{net}.{}, domain: {name}, plan: {plan}}}", number + 10)?;
        }
        write(format!("subscribers/{name}.yaml"), subscribers)?;
    }
    let mut options = git2::RepositoryInitOptions::new();
    let repository = git2::Repository::init_opts(root, options.initial_head("main"))?;
    let mut index = repository.index()?;
    index.add_all(["*"], git2::IndexAddOption::DEFAULT, None)?;
    index.write()?;
    let tree = repository.find_tree(index.write_tree()?)?;
    let author = git2::Signature::now("Demo", "demo@tier2.example")?;
    repository.commit(Some("HEAD"), &author, &author, "Made-up data", &tree, &[])?;
    Ok(())
}
