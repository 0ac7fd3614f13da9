CREATE TABLE IF NOT EXISTS tokens (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    domains TEXT,
    created BIGINT NOT NULL,
    last_used BIGINT,
    revoked BIGINT
);
CREATE UNIQUE INDEX IF NOT EXISTS tokens_by_name ON tokens (name) WHERE revoked IS NULL;
