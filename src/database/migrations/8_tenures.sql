-- Whose a series is by the data that a server serves, empty for no subscriber's; and since when, in milliseconds since
-- 1970, 0 for what was there when a server first looked.
CREATE TABLE IF NOT EXISTS tenures (
    series BIGINT PRIMARY KEY NOT NULL,
    domain TEXT NOT NULL,
    since BIGINT NOT NULL
);

CREATE INDEX IF NOT EXISTS series_by_end ON series (active_until);
CREATE INDEX IF NOT EXISTS series_events_by_time ON series_events (at);
