-- Whether messages stay until the sink has them, whoever sends: 1 for those of the collector's settings.
ALTER TABLE outbox_sent ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;
