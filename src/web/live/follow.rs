//! Follows the store of samples, and the data that is served: both into the picture.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::hub::Hub;
use super::places::Places;
use crate::database::location::StateLocation;
use crate::sync::journal::Journal;
use crate::telemetry::sample::{MINUTE, Sample, now};
use crate::telemetry::store::SampleStore;
use crate::telemetry::store::read::Announcement;
use crate::telemetry::store::series::TOTALS;
use crate::web::data::current::Current;

/// From one look at the store to the next; longer if a look takes long: at most a fifth of the time goes into it.
const LOOK: Duration = Duration::from_secs(1);
const SHARE: u32 = 4;

/// The longest pause after a failure.
const LONGEST: Duration = Duration::from_secs(30);

/// Announcements that are read at once.
const ANNOUNCEMENTS: i64 = 10_000;

/// Samples that are noted at once.
const NOTED: usize = 10_000;

/// A first and a last one.
type Span = (i64, i64);

struct Follower {
    hub: Arc<Hub>,
    current: Arc<Current>,
    store: SampleStore,
    /// The last announcement that was read.
    announced: i64,
    /// The commit and the day of the data, and the last change of a series.
    known: Option<(String, String, i64)>,
    strangers: bool,
}

/// Follows until the server ends. A store that is away is tried again and again.
pub(crate) async fn follow(hub: Arc<Hub>, current: Arc<Current>, place: StateLocation) {
    let (mut journal, mut failures) = (Journal::default(), 0_u32);
    let mut follower: Option<Follower> = None;
    loop {
        let began = Instant::now();
        let ended = round(&hub, &current, &place, &mut follower).await;
        hub.picture().reachable = ended.is_ok();
        failures = if ended.is_ok() { 0 } else { failures + 1 };
        match &ended {
            Ok(()) => journal.fine("live"),
            Err(error) => journal.trouble("live", &format!("{error:#}")),
        }
        let pause = match failures {
            0 => LOOK.max(began.elapsed() * SHARE),
            failures => (LOOK * 2_u32.pow(failures.min(6))).min(LONGEST),
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = hub.refresh.notified() => if let Some(follower) = &mut follower { follower.known = None; }
        }
    }
}

async fn round(
    hub: &Arc<Hub>,
    current: &Arc<Current>,
    place: &StateLocation,
    follower: &mut Option<Follower>,
) -> Result<()> {
    if let Some(last) = follower
        && last.is_of_another_store().await?
    {
        *follower = None;
    }
    let follower = match follower {
        Some(follower) => follower,
        None => {
            let store = SampleStore::open(place).await?;
            let (hub, current) = (hub.clone(), current.clone());
            let mut new = Follower { hub, current, store, announced: 0, known: None, strangers: false };
            new.begin().await?;
            *new.hub.store.lock().unwrap_or_else(PoisonError::into_inner) = Some(new.store.clone());
            follower.insert(new)
        }
    };
    follower.look().await
}

impl Follower {
    /// Whether the store was replaced, or went back to an earlier state.
    async fn is_of_another_store(&self) -> Result<bool> {
        Ok(self.store.check_file().is_err() || self.store.last_announcement().await? < self.announced)
    }

    /// What there is when the server starts.
    async fn begin(&mut self) -> Result<()> {
        // Before the samples are read: what comes in between is read twice, and counts once.
        self.announced = self.store.last_announcement().await?;
        self.hub.picture().forget();
        self.list().await?;
        let since = self.since();
        self.read((since.div_euclid(MINUTE), now().div_euclid(MINUTE)), (0, i64::MAX), since).await
    }

    /// From when on samples are worth reading.
    fn since(&self) -> i64 {
        now() - self.hub.settings.longest_patience()
    }

    async fn look(&mut self) -> Result<()> {
        let data = self.current.snapshot();
        let wanted = (data.commit.clone(), data.today.to_string(), self.store.last_series_change().await?);
        if self.strangers || self.known.as_ref() != Some(&wanted) {
            self.list().await?;
        }
        loop {
            let new = self.store.announcements(self.announced, ANNOUNCEMENTS).await?;
            self.read_announced(&new).await?;
            match new.last() {
                Some(last) => self.announced = last.id,
                None => return Ok(()),
            }
            if (new.len() as i64) < ANNOUNCEMENTS {
                return Ok(());
            }
        }
    }

    /// Reads who there is.
    async fn list(&mut self) -> Result<()> {
        let data = self.current.snapshot();
        let known = (data.commit.clone(), data.today.to_string(), self.store.last_series_change().await?);
        let (series, hub) = (self.store.series(None).await?, self.hub.clone());
        let work = move || Places::new(&data, series, &hub.settings, now());
        let (places, handed_over) = tokio::task::spawn_blocking(work).await.context("this is a fault of shapeline")?;
        // Before anyone is shown them.
        self.store.hand_over(&handed_over).await?;
        self.hub.picture().adopt(places, now());
        (self.known, self.strangers) = (Some(known), false);
        Ok(())
    }

    /// The samples of announcements, each minute once; what is old changes nothing of the picture.
    async fn read_announced(&mut self, new: &[Announcement]) -> Result<()> {
        let since = self.since();
        let mut sources: HashMap<&str, (Span, Span)> = HashMap::new();
        let counts =
            |one: &&Announcement| one.samples > 0 && one.slots.1 >= since.div_euclid(MINUTE) && one.source != TOTALS;
        for one in new.iter().filter(counts) {
            let wider = |a: Span, b: Span| (a.0.min(b.0), a.1.max(b.1));
            let known = sources.entry(one.source.as_str()).or_insert((one.slots, one.series));
            *known = (wider(known.0, one.slots), wider(known.1, one.series));
        }
        for (slots, series) in sources.into_values() {
            self.read((slots.0.max(since.div_euclid(MINUTE)), slots.1), series, since).await?;
        }
        Ok(())
    }

    /// Reads samples into the picture, a piece at a time.
    async fn read(&mut self, slots: Span, series: Span, since: i64) -> Result<()> {
        let hub = self.hub.clone();
        let mut piece: Vec<Sample> = Vec::with_capacity(NOTED);
        let mut known = true;
        let mut note = |piece: &mut Vec<Sample>| {
            known &= hub.picture().note(piece, now());
            piece.clear();
        };
        let each = |sample: Sample| {
            piece.push(sample);
            if piece.len() == NOTED {
                note(&mut piece);
            }
        };
        self.store.each_sample(slots, series, since, each).await?;
        note(&mut piece);
        self.strangers |= !known;
        Ok(())
    }
}
