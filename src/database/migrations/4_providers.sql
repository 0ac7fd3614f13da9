ALTER TABLE users ADD COLUMN provider TEXT;
ALTER TABLE users ADD COLUMN subject TEXT;
-- Also of those removed: who was removed does not come back by signing in.
CREATE UNIQUE INDEX IF NOT EXISTS users_by_subject ON users (provider, subject);

CREATE TABLE IF NOT EXISTS pending_sign_ins (
    digest TEXT PRIMARY KEY NOT NULL,
    provider TEXT NOT NULL,
    browser TEXT NOT NULL,
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    next TEXT NOT NULL,
    address TEXT NOT NULL,
    began BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS pending_sign_ins_by_address ON pending_sign_ins (address);
