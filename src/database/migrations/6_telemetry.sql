-- Samples of what the network does. A moment is in milliseconds since 1970; `slot` and `minute` are minutes since
-- 1970, `hour` hours, `day` days. Rates are bit/s. `kind`: 0 traffic, 1 errors, 2 discards.

-- Numbers that are given out in the order of commits: a writer holds the row until its transaction ends.
CREATE TABLE IF NOT EXISTS counters (
    name TEXT PRIMARY KEY NOT NULL,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('batches', 0), ('outbox', 0), ('series', 0);

CREATE TABLE IF NOT EXISTS series (
    id BIGINT PRIMARY KEY NOT NULL,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    form TEXT NOT NULL,
    address TEXT,
    description TEXT,
    facts TEXT,
    status TEXT NOT NULL,
    active_from BIGINT NOT NULL,
    active_until BIGINT,
    traffic_until BIGINT,
    errors_until BIGINT,
    discards_until BIGINT,
    changed BIGINT NOT NULL,
    UNIQUE (source, name)
);
CREATE INDEX IF NOT EXISTS series_by_change ON series (changed);

CREATE TABLE IF NOT EXISTS series_events (
    series BIGINT NOT NULL,
    at BIGINT NOT NULL,
    what TEXT NOT NULL,
    PRIMARY KEY (series, at, what)
);

CREATE TABLE IF NOT EXISTS samples (
    slot BIGINT NOT NULL,
    series BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    at BIGINT NOT NULL,
    up DOUBLE PRECISION NOT NULL,
    down DOUBLE PRECISION NOT NULL,
    active BIGINT,
    PRIMARY KEY (slot, series, kind, at)
) /* SQLite: WITHOUT ROWID */;

CREATE TABLE IF NOT EXISTS minutes (
    hour BIGINT NOT NULL,
    series BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    minute BIGINT NOT NULL,
    samples BIGINT NOT NULL,
    up DOUBLE PRECISION NOT NULL,
    down DOUBLE PRECISION NOT NULL,
    up_max DOUBLE PRECISION NOT NULL,
    down_max DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (hour, series, kind, minute)
) /* SQLite: WITHOUT ROWID */;

CREATE TABLE IF NOT EXISTS hours (
    day BIGINT NOT NULL,
    series BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    samples BIGINT NOT NULL,
    up DOUBLE PRECISION NOT NULL,
    down DOUBLE PRECISION NOT NULL,
    up_max DOUBLE PRECISION NOT NULL,
    down_max DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (day, series, kind, hour)
) /* SQLite: WITHOUT ROWID */;

-- What is not rolled up yet. `stamp` is the number of the last transaction that added to it.
CREATE TABLE IF NOT EXISTS dirty (
    level BIGINT NOT NULL,
    slot BIGINT NOT NULL,
    stamp BIGINT NOT NULL,
    PRIMARY KEY (level, slot)
);

-- Up to where retention has deleted: all earlier slots, and in this one the series up to `series`.
CREATE TABLE IF NOT EXISTS purged (
    level BIGINT PRIMARY KEY NOT NULL,
    slot BIGINT NOT NULL,
    series BIGINT NOT NULL
);
INSERT INTO purged (level, slot, series) VALUES (0, 0, 0), (1, 0, 0);

CREATE TABLE IF NOT EXISTS checkpoints (
    source TEXT PRIMARY KEY NOT NULL,
    until BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS batches (
    id BIGINT PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    source TEXT NOT NULL,
    samples BIGINT NOT NULL,
    first_slot BIGINT NOT NULL,
    last_slot BIGINT NOT NULL,
    first_series BIGINT NOT NULL,
    last_series BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS outbox (
    id BIGINT PRIMARY KEY NOT NULL,
    messages BIGINT NOT NULL,
    body TEXT NOT NULL
);

-- The last row of the outbox that each sink has.
CREATE TABLE IF NOT EXISTS outbox_sent (
    sink TEXT PRIMARY KEY NOT NULL,
    id BIGINT NOT NULL
);
