//! Series: what is measured, since when, and what is known about it.

use std::collections::HashMap;

use anyhow::Result;
use sqlx::Row as _;

use super::{PIECE, SampleStore, Writing, chunks};
use crate::telemetry::message::Message;
use crate::telemetry::sample::Kind;

/// The source of the totals: settings cannot name a source so.
pub(crate) const TOTALS: &str = "";

/// What kind of thing a series is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Interface,
    Device,
    Subscriber,
    /// All subscribers of a domain, or of all domains.
    Total,
}

impl Form {
    /// The name in the store and in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Form::Interface => "interface",
            Form::Device => "device",
            Form::Subscriber => "subscriber",
            Form::Total => "total",
        }
    }

    fn named(name: &str) -> Form {
        match name {
            "device" => Form::Device,
            "subscriber" => Form::Subscriber,
            "total" => Form::Total,
            _ => Form::Interface,
        }
    }
}

/// What is known about a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeriesFacts {
    /// Unique in the source; of a device the MAC address.
    pub(crate) name: String,
    pub(crate) form: Form,
    /// The address of the subscriber, if the source knows it.
    pub(crate) address: Option<String>,
    pub(crate) description: Option<String>,
    /// Further facts: a JSON object.
    pub(crate) facts: Option<String>,
}

/// A series in the store. Moments are in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Series {
    pub(crate) id: i64,
    pub(crate) source: String,
    pub(crate) facts: SeriesFacts,
    /// Whether the source lists it.
    pub(crate) active: bool,
    /// Since when it has been listed, or listed again.
    pub(crate) active_from: i64,
    /// Since when it has not been listed any more.
    pub(crate) active_until: Option<i64>,
    /// Up to when each [`Kind`] has been collected, by its number.
    pub(crate) until: [Option<i64>; 3],
    /// Whose it is, and since when; `None` if no server looked at it yet.
    pub(crate) tenure: Option<Tenure>,
}

/// The domain of a series by the data that a server serves, and since when it has been that one's, in milliseconds since
/// 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tenure {
    /// Empty while it is no subscriber's.
    pub(crate) domain: String,
    pub(crate) since: i64,
}

/// What became of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Appeared,
    Changed,
    Returned,
    Disappeared,
}

impl Event {
    pub(super) fn name(self) -> &'static str {
        match self {
            Event::Appeared => "appeared",
            Event::Changed => "changed",
            Event::Returned => "returned",
            Event::Disappeared => "disappeared",
        }
    }
}

const COLUMNS: &str = "id, source, name, form, address, description, facts, status, active_from, active_until, \
                       traffic_until, errors_until, discards_until, domain, since";

impl Series {
    /// The object of messages.
    pub(crate) fn json(&self) -> serde_json::Value {
        let facts = self.facts.facts.as_deref().and_then(|facts| serde_json::from_str(facts).ok());
        serde_json::json!({
            "name": self.facts.name,
            "type": self.facts.form.name(),
            "source": self.source,
            "address": self.facts.address,
            "description": self.facts.description,
            "facts": facts.unwrap_or(serde_json::Value::Null),
            "status": status(self.active),
            "active_from": self.active_from,
            "active_until": self.active_until,
            "traffic_until": self.until[0],
            "errors_until": self.until[1],
            "discards_until": self.until[2],
        })
    }

    /// Up to when a kind has been collected.
    pub(crate) fn until(&self, kind: Kind) -> Option<i64> {
        self.until.get(kind.number() as usize).copied().flatten()
    }
}

fn status(active: bool) -> &'static str {
    if active { "active" } else { "gone" }
}

fn read(row: &sqlx::any::AnyRow) -> Result<Series, sqlx::Error> {
    Ok(Series {
        id: row.try_get("id")?,
        source: row.try_get("source")?,
        facts: SeriesFacts {
            name: row.try_get("name")?,
            form: Form::named(row.try_get("form")?),
            address: row.try_get("address")?,
            description: row.try_get("description")?,
            facts: row.try_get("facts")?,
        },
        active: row.try_get::<&str, _>("status")? == "active",
        active_from: row.try_get("active_from")?,
        active_until: row.try_get("active_until")?,
        until: [row.try_get("traffic_until")?, row.try_get("errors_until")?, row.try_get("discards_until")?],
        tenure: match row.try_get("domain")? {
            Some(domain) => Some(Tenure { domain, since: row.try_get("since")? }),
            None => None,
        },
    })
}

impl SampleStore {
    /// All series but the totals, or those of a source, by their ids.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn series(&self, source: Option<&str>) -> Result<Vec<Series>> {
        let compare = if source.is_some() { "=" } else { "<>" };
        let sql = format!(
            "SELECT {COLUMNS} FROM series LEFT JOIN tenures ON series = id WHERE source {compare} $1 ORDER BY id"
        );
        self.gather(sqlx::query(&sql).bind(source.unwrap_or(TOTALS)), read).await
    }

    /// Brings the series of a source in line with what it lists at `at`. Returns those that it lists, in the order
    /// of the list. `messages`: whether there is a sink.
    ///
    /// # Errors
    /// If the store cannot be used. Then nothing is changed.
    pub(crate) async fn list_series(
        &self,
        source: &str,
        listed: &[SeriesFacts],
        at: i64,
        messages: bool,
    ) -> Result<Vec<Series>> {
        let stored = self.series(Some(source)).await?;
        let mut known: HashMap<String, Series> =
            stored.into_iter().map(|series| (series.facts.name.clone(), series)).collect();
        let mut current = Vec::with_capacity(listed.len());
        let mut events: Vec<(usize, Event)> = Vec::new();
        for facts in listed {
            let (series, event) = match known.remove(&facts.name) {
                Some(series) => met(series, facts, at),
                None => (appeared(source, facts, at), Some(Event::Appeared)),
            };
            events.extend(event.map(|event| (current.len(), event)));
            current.push(series);
        }
        let mut gone: Vec<Series> = known.into_values().filter(|series| series.active).collect();
        gone.sort_unstable_by_key(|series| series.id);
        if !events.is_empty() || !gone.is_empty() {
            self.write_events(source, &mut current, &events, &mut gone, at, messages).await?;
        }
        Ok(current)
    }

    /// Notes whose series are from now on, by their ids.
    ///
    /// # Errors
    /// If the store cannot be used. Then a part of it is noted.
    pub(crate) async fn hand_over(&self, tenures: &[(i64, Tenure)]) -> Result<()> {
        for mut piece in tenures.chunks(PIECE as usize) {
            let mut writing = self.begin().await?;
            for size in chunks(piece.len()) {
                let (rows, rest) = piece.split_at(size);
                piece = rest;
                let sql = format!(
                    "INSERT INTO tenures (series, domain, since) VALUES {} \
                     ON CONFLICT (series) DO UPDATE SET domain = excluded.domain, since = excluded.since",
                    self.db.placeholders(size, 3)
                );
                let mut upsert = sqlx::query(&sql);
                for (id, tenure) in rows {
                    upsert = upsert.bind(id).bind(tenure.domain.as_str()).bind(tenure.since);
                }
                self.db.run(upsert.execute(&mut *writing.tx).await)?;
            }
            self.commit(writing).await?;
        }
        Ok(())
    }

    async fn write_events(
        &self,
        source: &str,
        current: &mut [Series],
        events: &[(usize, Event)],
        gone: &mut [Series],
        at: i64,
        messages: bool,
    ) -> Result<()> {
        let mut writing = self.begin().await?;
        let new = events.iter().filter(|(_, event)| *event == Event::Appeared).count() as i64;
        let mut id = if new > 0 { self.take(&mut writing.tx, "series", new).await? - new } else { 0 };
        let mut inserted: Vec<&Series> = Vec::new();
        for (index, event) in events {
            if let (Some(series), Event::Appeared) = (current.get_mut(*index), *event) {
                id += 1;
                series.id = id;
            }
        }
        let mut log: Vec<(&Series, Event)> = Vec::new();
        for (index, event) in events {
            let Some(series) = current.get(*index) else { continue };
            match event {
                Event::Appeared => inserted.push(series),
                _ => self.update_series(&mut writing, series).await?,
            }
            log.push((series, *event));
        }
        for series in gone.iter_mut() {
            (series.active, series.active_until) = (false, Some(at));
        }
        for series in gone.iter() {
            self.update_series(&mut writing, series).await?;
            log.push((series, Event::Disappeared));
        }
        self.insert_series(&mut writing, &inserted).await?;
        self.insert_events(&mut writing, &log, at).await?;
        if messages {
            let message =
                |(series, _): &(&Series, Event)| Message::interface(source, &series.facts.name, at, series.json());
            self.put_out(&mut writing, &log.iter().map(message).collect::<Vec<Message>>()).await?;
        }
        self.commit(writing).await
    }

    async fn insert_series(&self, writing: &mut Writing<'_>, mut series: &[&Series]) -> Result<()> {
        for size in chunks(series.len()) {
            let (rows, rest) = series.split_at(size);
            series = rest;
            let values = self.db.placeholders(size, 10);
            let sql = format!(
                "INSERT INTO series (id, source, name, form, address, description, facts, status, active_from, \
                 changed) VALUES {values}"
            );
            let mut insert = sqlx::query(&sql);
            for row in rows {
                let facts = &row.facts;
                insert = insert.bind(row.id).bind(row.source.as_str()).bind(facts.name.as_str());
                insert = insert.bind(facts.form.name()).bind(facts.address.as_deref());
                insert = insert.bind(facts.description.as_deref()).bind(facts.facts.as_deref());
                insert = insert.bind(status(row.active)).bind(row.active_from).bind(writing.number);
            }
            self.db.run(insert.execute(&mut *writing.tx).await)?;
        }
        Ok(())
    }

    async fn update_series(&self, writing: &mut Writing<'_>, series: &Series) -> Result<()> {
        let update = "UPDATE series SET address = $1, description = $2, facts = $3, status = $4, active_from = $5, \
                      active_until = $6, changed = $7, form = $8 WHERE id = $9";
        let update = sqlx::query(update)
            .bind(series.facts.address.as_deref())
            .bind(series.facts.description.as_deref())
            .bind(series.facts.facts.as_deref())
            .bind(status(series.active))
            .bind(series.active_from)
            .bind(series.active_until)
            .bind(writing.number)
            .bind(series.facts.form.name())
            .bind(series.id);
        self.db.run(update.execute(&mut *writing.tx).await).map(drop)
    }

    async fn insert_events(&self, writing: &mut Writing<'_>, mut log: &[(&Series, Event)], at: i64) -> Result<()> {
        for size in chunks(log.len()) {
            let (rows, rest) = log.split_at(size);
            log = rest;
            let values = self.db.placeholders(size, 3);
            let sql = format!("INSERT INTO series_events (series, at, what) VALUES {values} ON CONFLICT DO NOTHING");
            let mut insert = sqlx::query(&sql);
            for (series, event) in rows {
                insert = insert.bind(series.id).bind(at).bind(event.name());
            }
            self.db.run(insert.execute(&mut *writing.tx).await)?;
        }
        Ok(())
    }
}

fn appeared(source: &str, facts: &SeriesFacts, at: i64) -> Series {
    Series {
        id: 0,
        source: source.to_owned(),
        facts: facts.clone(),
        active: true,
        active_from: at,
        active_until: None,
        until: [None; 3],
        tenure: None,
    }
}

/// A series that is listed again or still.
fn met(mut series: Series, facts: &SeriesFacts, at: i64) -> (Series, Option<Event>) {
    let changed = series.facts != *facts;
    series.facts = facts.clone();
    if !series.active {
        (series.active, series.active_from, series.active_until) = (true, at, None);
        return (series, Some(Event::Returned));
    }
    (series, changed.then_some(Event::Changed))
}
