//! What the dashboard and other readers ask, also in another process than the collector's.

use std::collections::HashMap;

use anyhow::Result;
use sqlx::Row as _;

use super::SampleStore;
use super::series::{Event, TOTALS};
use crate::telemetry::sample::{Kind, MINUTE, Sample};

/// The announcement of new samples: they are among those of these slots and series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announcement {
    /// Grows in the order of commits.
    pub(crate) id: i64,
    pub(crate) source: String,
    pub(crate) samples: i64,
    /// First and last minute since 1970.
    pub(crate) slots: (i64, i64),
    /// First and last number of a series.
    pub(crate) series: (i64, i64),
}

/// How far values are summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolution {
    Raw,
    Minutes,
    Hours,
}

/// A step of a history: a sample, or the mean and the maximum of some minutes or hours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) series: i64,
    /// Milliseconds since 1970: of the sample, or where the step begins.
    pub(crate) at: i64,
    pub(crate) up: f64,
    pub(crate) down: f64,
    pub(crate) up_max: f64,
    pub(crate) down_max: f64,
}

/// The mean of one series over a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mean {
    pub(crate) series: i64,
    pub(crate) samples: i64,
    pub(crate) up: f64,
    pub(crate) down: f64,
}

impl Resolution {
    /// Milliseconds of a unit: in raw samples, one.
    pub(crate) fn unit(self) -> i64 {
        self.table().4
    }

    /// Table, first column of its key, column of time, milliseconds of both, and the means and maxima of several rows.
    fn table(self) -> (&'static str, &'static str, &'static str, i64, i64, &'static str) {
        let stored = "SUM(t.up * t.samples) / CAST(SUM(t.samples) AS DOUBLE PRECISION) AS up, \
                      SUM(t.down * t.samples) / CAST(SUM(t.samples) AS DOUBLE PRECISION) AS down, \
                      MAX(t.up_max) AS up_max, MAX(t.down_max) AS down_max";
        let raw = "AVG(t.up) AS up, AVG(t.down) AS down, MAX(t.up) AS up_max, MAX(t.down) AS down_max";
        match self {
            Resolution::Raw => ("samples", "slot", "at", MINUTE, 1, raw),
            Resolution::Minutes => ("minutes", "hour", "minute", 60 * MINUTE, MINUTE, stored),
            Resolution::Hours => ("hours", "day", "hour", 1440 * MINUTE, 60 * MINUTE, stored),
        }
    }
}

impl SampleStore {
    /// The number of the last announcement, 0 if there is none.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn last_announcement(&self) -> Result<i64> {
        let select = sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) FROM batches");
        self.db.run(select.fetch_one(&self.db.pool).await)
    }

    /// What was written since `id`, at most `limit` of it, in order.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn announcements(&self, id: i64, limit: i64) -> Result<Vec<Announcement>> {
        let select = "SELECT id, source, samples, first_slot, last_slot, first_series, last_series FROM batches \
                      WHERE id > $1 ORDER BY id LIMIT $2";
        let rows = self.db.run(sqlx::query(select).bind(id).bind(limit).fetch_all(&self.db.pool).await)?;
        let read = |row: &sqlx::any::AnyRow| {
            Ok(Announcement {
                id: row.try_get("id")?,
                source: row.try_get("source")?,
                samples: row.try_get("samples")?,
                slots: (row.try_get("first_slot")?, row.try_get("last_slot")?),
                series: (row.try_get("first_series")?, row.try_get("last_series")?),
            })
        };
        self.db.run(rows.iter().map(read).collect())
    }

    /// Hands on the samples of traffic since a moment, of these slots and series, both ends included, by slot and
    /// series, without the totals. They are read as they come: a minute of many series is large.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn each_sample(
        &self,
        slots: (i64, i64),
        series: (i64, i64),
        since: i64,
        mut each: impl FnMut(Sample),
    ) -> Result<()> {
        use futures_util::TryStreamExt as _;
        let select = "SELECT series, kind, at, up, down, active FROM samples \
                      WHERE slot >= $1 AND slot <= $2 AND series >= $3 AND series <= $4 AND kind = 0 AND at >= $5 \
                      AND series NOT IN (SELECT id FROM series WHERE source = $6) ORDER BY slot, series, kind, at";
        let select =
            sqlx::query(select).bind(slots.0).bind(slots.1).bind(series.0).bind(series.1).bind(since).bind(TOTALS);
        let mut rows = select.fetch(&self.db.pool);
        while let Some(row) = self.db.run(rows.try_next().await)? {
            each(self.db.run(sample(&row))?);
        }
        Ok(())
    }

    /// The number of the transaction that last changed a series; 0 if there is none.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn last_series_change(&self) -> Result<i64> {
        let select = sqlx::query_scalar("SELECT COALESCE(MAX(changed), 0) FROM series");
        self.db.run(select.fetch_one(&self.db.pool).await)
    }

    /// Hands on what series have from `from` to before `until`, by steps of a number of units of the resolution, and
    /// by series. Each is looked at from a moment of its own on.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn each_point(
        &self,
        series: &[(i64, i64)],
        kind: Kind,
        (resolution, units): (Resolution, i64),
        (from, until): (i64, i64),
        mut each: impl FnMut(Point),
    ) -> Result<()> {
        use futures_util::TryStreamExt as _;
        if series.is_empty() {
            return Ok(());
        }
        let (table, group, time, length, unit, values) = resolution.table();
        let begin = |moment: i64| moment.div_euclid(unit) + i64::from(moment.rem_euclid(unit) > 0);
        let wanted: Vec<String> = series.iter().map(|(id, since)| format!("({id}, {})", begin(*since))).collect();
        // One seek for each series and value of the first column of the key, which neither database does by itself.
        let sql = format!(
            "WITH RECURSIVE groups(g) AS (SELECT $1 UNION ALL SELECT g + 1 FROM groups WHERE g < $2), \
             wanted(id, since) AS (VALUES {}) \
             SELECT t.{time} / {units} * {units} AS at, t.series AS series, {values} \
             FROM groups CROSS JOIN wanted CROSS JOIN {table} t \
             WHERE t.{group} = groups.g AND t.series = wanted.id AND t.kind = $3 AND t.{time} >= $4 AND t.{time} < $5 \
             AND t.{time} >= wanted.since GROUP BY 1, 2 ORDER BY 1, 2",
            wanted.join(", ")
        );
        let select = sqlx::query(&sql)
            .persistent(false)
            .bind(from.div_euclid(length))
            .bind((until - 1).div_euclid(length).max(from.div_euclid(length)))
            .bind(kind.number())
            .bind(begin(from))
            .bind(begin(until));
        let mut rows = select.fetch(&self.db.pool);
        while let Some(row) = self.db.run(rows.try_next().await)? {
            each(self.db.run(point(&row, unit))?);
        }
        Ok(())
    }

    /// The mean traffic of every series but the totals from `from` to before `until`, by series.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn means(&self, (from, until): (i64, i64)) -> Result<Vec<Mean>> {
        let select = "SELECT series, COUNT(*) AS samples, AVG(up) AS up, AVG(down) AS down FROM samples \
                      WHERE slot >= $1 AND slot <= $2 AND at >= $3 AND at < $4 AND kind = 0 \
                      AND series NOT IN (SELECT id FROM series WHERE source = $5) GROUP BY series ORDER BY series";
        let select = sqlx::query(select).bind(from.div_euclid(MINUTE)).bind(until.div_euclid(MINUTE));
        let mean = |row: &sqlx::any::AnyRow| {
            Ok(Mean {
                series: row.try_get("series")?,
                samples: row.try_get("samples")?,
                up: row.try_get("up")?,
                down: row.try_get("down")?,
            })
        };
        self.gather(select.bind(from).bind(until).bind(TOTALS), mean).await
    }

    /// When series began and ceased to be listed from `from` to before `until`: the moments of each, in order, and
    /// whether it was listed from then on.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn listings(&self, (from, until): (i64, i64)) -> Result<HashMap<i64, Vec<(i64, bool)>>> {
        let select = "SELECT series, at, what FROM series_events WHERE at >= $1 AND at < $2 ORDER BY series, at";
        let event = |row: &sqlx::any::AnyRow| {
            let what: String = row.try_get("what")?;
            Ok((row.try_get::<i64, _>("series")?, row.try_get::<i64, _>("at")?, what))
        };
        let mut listings: HashMap<i64, Vec<(i64, bool)>> = HashMap::new();
        for (series, at, what) in self.gather(sqlx::query(select).bind(from).bind(until), event).await? {
            if what != Event::Changed.name() {
                listings.entry(series).or_default().push((at, what != Event::Disappeared.name()));
            }
        }
        Ok(listings)
    }
}

fn sample(row: &sqlx::any::AnyRow) -> Result<Sample, sqlx::Error> {
    let kind: i64 = row.try_get("kind")?;
    Ok(Sample {
        series: row.try_get("series")?,
        kind: Kind::ALL.into_iter().find(|one| one.number() == kind).unwrap_or(Kind::Traffic),
        at: row.try_get("at")?,
        up: row.try_get("up")?,
        down: row.try_get("down")?,
        active: row.try_get::<Option<i64>, _>("active")?.map(|active| active != 0),
    })
}

fn point(row: &sqlx::any::AnyRow, unit: i64) -> Result<Point, sqlx::Error> {
    Ok(Point {
        series: row.try_get("series")?,
        at: row.try_get::<i64, _>("at")? * unit,
        up: row.try_get("up")?,
        down: row.try_get("down")?,
        up_max: row.try_get("up_max")?,
        down_max: row.try_get("down_max")?,
    })
}
