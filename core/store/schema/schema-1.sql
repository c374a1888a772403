-- Schema 1: MLflow's words (experiments, runs, params, metrics, tags, artifacts), and what this program adds: stages,
-- evaluated examples, lineage. Times are milliseconds since 1970 in UTC and information only: what came first is told by the
-- sequence numbers, how long it took by `seconds`, which comes from a clock that nobody sets. Paths are relative to the
-- workspace where they lie inside it. Numbered files only ever come to an end with a next one: this one is never changed.
CREATE TABLE experiments (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    config TEXT NOT NULL,
    config_sha256 TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE runs (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL UNIQUE,
    experiment_id TEXT NOT NULL REFERENCES experiments (experiment_id),
    name TEXT NOT NULL,
    method TEXT NOT NULL,
    seed INTEGER,
    point TEXT NOT NULL DEFAULT '',
    folder TEXT NOT NULL,
    imported INTEGER NOT NULL DEFAULT 0 CHECK (imported IN (0, 1)),
    status TEXT NOT NULL CHECK (status IN ('RUNNING', 'FINISHED', 'FAILED', 'KILLED')),
    error TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    start_ms INTEGER NOT NULL,
    end_ms INTEGER,
    utc_offset_minutes INTEGER NOT NULL,
    seconds REAL NOT NULL DEFAULT 0,
    starts INTEGER NOT NULL DEFAULT 1,
    program TEXT NOT NULL,
    sqlite TEXT NOT NULL,
    deleted_ms INTEGER,
    trash TEXT
) STRICT;
CREATE UNIQUE INDEX runs_identity ON runs (experiment_id, method, seed, point, folder) WHERE deleted_ms IS NULL;

CREATE TABLE params (
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;

-- A value of NULL is not a number (NaN).
CREATE TABLE metrics (
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    key TEXT NOT NULL,
    step INTEGER NOT NULL,
    value REAL,
    timestamp_ms INTEGER NOT NULL,
    PRIMARY KEY (run_id, key, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifacts (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    kind TEXT NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size >= 0),
    UNIQUE (run_id, path)
) STRICT;
CREATE INDEX artifacts_by_hash ON artifacts (sha256);

CREATE TABLE stages (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('RUNNING', 'FINISHED', 'SKIPPED')),
    input_sha256 TEXT NOT NULL,
    output_sha256 TEXT NOT NULL DEFAULT '',
    seconds REAL NOT NULL DEFAULT 0,
    start_ms INTEGER NOT NULL,
    UNIQUE (run_id, name)
) STRICT;

-- details: a JSON object. A score of NULL: the example could not be scored.
CREATE TABLE eval_examples (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    task TEXT NOT NULL,
    example_id TEXT NOT NULL,
    gold TEXT NOT NULL,
    answer TEXT NOT NULL,
    score REAL,
    details TEXT NOT NULL DEFAULT '{}',
    UNIQUE (run_id, task, example_id)
) STRICT;

-- What was made from what: subspace -> corpus -> adapter -> evaluation, by content.
CREATE TABLE lineage (
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    from_kind TEXT NOT NULL,
    from_sha256 TEXT NOT NULL,
    to_kind TEXT NOT NULL,
    to_sha256 TEXT NOT NULL,
    PRIMARY KEY (run_id, from_kind, from_sha256, to_kind, to_sha256)
) STRICT, WITHOUT ROWID;
