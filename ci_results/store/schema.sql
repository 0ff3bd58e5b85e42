-- Schema 1. Tables (leading underscore) are ours and may change; views are public: docs/schema.md.
-- Times are integer microseconds since 1970 in UTC; an outcome is a number of _outcome.

create table _meta (
    key text primary key,
    value text not null
) without rowid;

create table _outcome (
    id integer primary key,
    word text not null unique
);

create table _source (
    id integer primary key,
    name text not null unique,
    collector text not null default '',
    url text,
    owner text,
    contact text,
    cursor text,
    lease text,                   -- token of the harvest that may write now
    last_try integer,
    last_ok integer,
    last_error text
);

-- What a source publishes and what it is silent about: one row per job (or its like).
create table _job (
    source integer not null references _source (id),
    name text not null,
    state text not null,          -- 'active', 'disabled', 'never built', 'gone'
    last_build integer,           -- end of its newest build
    last_report integer,          -- end of its newest build that published test results
    primary key (source, name)
) without rowid;

create table _testcase (
    id integer primary key,
    name text not null unique,
    ref_url text,
    owner text,
    contact text
);

create table _item (
    id integer primary key,
    type text not null,
    name text not null,           -- as given: "bash-0:5.2-1.fc40.x86_64"
    nvr text,                     -- without epoch and architecture: "bash-5.2-1.fc40"
    component text,
    arch text,
    unique (name, type)
);
create index _item_nvr on _item (nvr) where nvr is not null;
create index _item_component on _item (component) where component is not null;

create table _variant (
    id integer primary key,       -- 0 = neither scenario nor arch
    scenario text not null default '',
    arch text not null default '',
    unique (scenario, arch)
);

-- One commit: a page of results, in commit order.
create table _commit (
    seq integer primary key,
    received_at integer not null,
    source integer references _source (id),
    door text not null,
    last_result integer not null, -- the highest id given so far: ids are never given twice
    results integer not null,
    quarantined integer not null
);

create table _run (
    id integer primary key,
    seq integer not null,
    source integer not null references _source (id),
    key text not null,
    rank integer not null,        -- of all its results in this commit
    ref_url text,
    data text not null            -- JSON object, key -> [values]: what all its results share
);
create index _run_key on _run (source, key);

create table _result (
    id integer primary key,
    seq integer not null,
    source integer not null,
    run integer,
    testcase integer not null,
    item integer not null,
    variant integer not null,
    outcome integer not null,
    rank integer not null,        -- least(submit_time, received_at): "latest" goes by (rank, id)
    submit_time integer,          -- the claim, where it differs from rank
    duration real,                -- seconds
    note text,
    ref_url text,
    data text,                    -- JSON object, key -> [values]: its own; null = {}
    key text not null,
    identity integer not null,    -- hash of (source, run key, key): upper half of the run, lower of the key
    digest integer not null       -- hash of the content: a repeat has the same
);
create index _result_seq on _result (seq, run);
create index _result_testcase on _result (
    testcase, strftime('%Y-%m-%dT%H:%M:%S', rank / 1000000, 'unixepoch') || printf('.%06d', rank % 1000000), id);
create index _result_item on _result (item, testcase, variant, rank, id);
create index _result_time on _result (
    strftime('%Y-%m-%dT%H:%M:%S', rank / 1000000, 'unixepoch') || printf('.%06d', rank % 1000000), id);
create index _result_outcome on _result (
    outcome, strftime('%Y-%m-%dT%H:%M:%S', rank / 1000000, 'unixepoch') || printf('.%06d', rank % 1000000), id);
create index _result_identity on _result (identity);

create table _superseded (
    old integer primary key,      -- a result that is no longer current
    new integer not null
);
create index _superseded_new on _superseded (new);

-- key=value search: interned pairs, and a narrow index of who has them.
create table _pair (
    id integer primary key,
    key text not null,
    value text not null,
    unique (key, value)
);
create table _result_pair (
    pair integer not null,
    rank integer not null,
    result integer not null,
    primary key (pair, rank, result)
) without rowid;
create table _run_pair (
    pair integer not null,
    rank integer not null,
    run integer not null,
    primary key (pair, rank, run)
) without rowid;

-- Roll-ups that the writer maintains, so that trends never read _result. A day counts from 1970.
create table _daily (
    testcase integer not null,
    day integer not null,
    outcome integer not null,
    n integer not null,
    duration real not null,       -- seconds, summed
    primary key (day, testcase, outcome)
) without rowid;
create table _daily_source (
    day integer not null,
    source integer not null,
    outcome integer not null,
    n integer not null,
    primary key (day, source, outcome)
) without rowid;

create table _outbox (
    seq integer not null,
    kind text not null,           -- 'results'
    primary key (seq, kind)
) without rowid;

create table _quarantine (
    id integer primary key,
    seq integer not null,
    source integer not null references _source (id),
    door text not null,
    kind text not null,
    key text,
    position text,
    reason text not null,
    raw blob not null,
    digest integer not null,      -- of (source, kind, key, raw): the same record again is one row
    received_at integer not null,
    seen integer not null default 1,   -- how often it came
    resolved_at integer,
    resolution text
);
create unique index _quarantine_digest on _quarantine (source, digest);
create index _quarantine_open on _quarantine (source, id) where resolved_at is null;

-- Results are append-only: a correction is a new result. INSERT OR REPLACE walks past UPDATE and
-- DELETE triggers, hence the third. It says fail, not abort: a statement that may abort keeps a
-- journal of its own, which inside a savepoint made inserts twenty times slower; and a row that is
-- refused before it is written leaves nothing to undo.
create trigger _result_no_update before update on _result
begin select raise(abort, 'results are append-only'); end;
create trigger _result_no_delete before delete on _result
begin select raise(abort, 'results are append-only'); end;
create trigger _result_no_replace before insert on _result
when exists (select 1 from _result where id = new.id)
  or exists (select 1 from _result where identity = new.identity and key = new.key and digest = new.digest)
begin select raise(fail, 'results are append-only'); end;
create trigger _run_no_update before update on _run
begin select raise(abort, 'runs are append-only'); end;
create trigger _run_no_delete before delete on _run
begin select raise(abort, 'runs are append-only'); end;
create trigger _run_no_replace before insert on _run
when exists (select 1 from _run where id = new.id)
begin select raise(fail, 'runs are append-only'); end;
create trigger _testcase_keeps_name before update of id, name on _testcase
begin select raise(abort, 'a testcase keeps its name'); end;
create trigger _item_no_update before update on _item
begin select raise(abort, 'an item never changes'); end;
create trigger _pair_no_update before update on _pair
begin select raise(abort, 'a pair never changes'); end;
create trigger _variant_no_update before update on _variant
begin select raise(abort, 'a variant never changes'); end;
create trigger _outcome_no_update before update on _outcome
begin select raise(abort, 'an outcome never changes'); end;
