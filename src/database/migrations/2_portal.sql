CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    full_name TEXT NOT NULL,
    email TEXT NOT NULL,
    role TEXT NOT NULL,
    domains TEXT,
    password TEXT NOT NULL,
    created BIGINT NOT NULL,
    last_sign_in BIGINT,
    removed BIGINT
);
CREATE UNIQUE INDEX IF NOT EXISTS users_by_name ON users (name) WHERE removed IS NULL;

CREATE TABLE IF NOT EXISTS invitations (
    digest TEXT PRIMARY KEY NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS sessions (
    digest TEXT PRIMARY KEY NOT NULL,
    user_id TEXT NOT NULL,
    began BIGINT NOT NULL,
    seen BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (user_id);

CREATE TABLE IF NOT EXISTS attempts (
    subject TEXT PRIMARY KEY NOT NULL,
    failures BIGINT NOT NULL,
    last BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS drafts (
    user_id TEXT PRIMARY KEY NOT NULL,
    version BIGINT NOT NULL,
    changes TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS requests (
    id TEXT PRIMARY KEY NOT NULL,
    user_id TEXT NOT NULL,
    author TEXT NOT NULL,
    email TEXT NOT NULL,
    domains TEXT NOT NULL,
    title TEXT NOT NULL,
    message TEXT NOT NULL,
    changes TEXT NOT NULL,
    branch TEXT NOT NULL,
    stage TEXT NOT NULL,
    commit_id TEXT,
    link TEXT,
    trouble TEXT,
    created BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS requests_by_time ON requests (created);

CREATE TABLE IF NOT EXISTS audit (
    id TEXT PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    address TEXT NOT NULL,
    what TEXT NOT NULL
);
