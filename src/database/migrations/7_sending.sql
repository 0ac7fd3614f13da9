-- Who sends what is in the outbox. A moment is in milliseconds since 1970.
CREATE TABLE IF NOT EXISTS leases (
    name TEXT PRIMARY KEY NOT NULL,
    holder TEXT NOT NULL,
    until BIGINT NOT NULL
);

-- The version of each target up to which there are events of subscribers. `step` grows with each change.
CREATE TABLE IF NOT EXISTS covered (
    target TEXT PRIMARY KEY NOT NULL,
    step BIGINT NOT NULL,
    version BIGINT NOT NULL
);
