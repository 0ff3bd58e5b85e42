BEGIN TRANSACTION;
CREATE TABLE _commit (
    seq integer primary key,
    received_at integer not null,
    source integer references _source (id),
    door text not null,
    last_result integer not null, -- the highest id given so far: ids are never given twice
    results integer not null,
    quarantined integer not null
);
INSERT INTO "_commit" VALUES(1,1795631509108713,1,'harvest',10,10,1);
INSERT INTO "_commit" VALUES(2,1795631509116283,1,'harvest',11,1,0);
CREATE TABLE _daily (
    testcase integer not null,
    day integer not null,
    outcome integer not null,
    n integer not null,
    duration real not null,       -- seconds, summed
    primary key (day, testcase, outcome)
) without rowid;
INSERT INTO "_daily" VALUES(1,20513,1,7,0.0);
INSERT INTO "_daily" VALUES(1,20513,3,3,0.0);
CREATE TABLE _daily_source (
    day integer not null,
    source integer not null,
    outcome integer not null,
    n integer not null,
    primary key (day, source, outcome)
) without rowid;
INSERT INTO "_daily_source" VALUES(20513,1,1,7);
INSERT INTO "_daily_source" VALUES(20513,1,3,3);
CREATE TABLE _delivery (
    sink text primary key,
    seq integer not null,         -- results after (seq, result) wait for the sink
    result integer not null,
    sent integer not null default 0,
    last_try integer,
    last_ok integer,
    last_error text
) without rowid;
CREATE TABLE _group (
    id integer primary key,       -- in order of creation
    uuid text not null unique,    -- any text of its owner's choice
    description text,
    ref_url text,
    results integer not null default 0
);
CREATE TABLE _item (
    id integer primary key,
    type text not null,
    name text not null,           -- as given: "bash-0:5.2-1.fc40.x86_64"
    nvr text,                     -- without epoch and architecture: "bash-5.2-1.fc40"
    component text,
    arch text,
    unique (name, type)
);
INSERT INTO "_item" VALUES(1,'koji_build','bash-5.2-1.fc40','bash-5.2-1.fc40','bash',NULL);
CREATE TABLE _job (
    source integer not null references _source (id),
    name text not null,
    state text not null,          -- 'active', 'disabled', 'never built', 'gone'
    last_build integer,           -- end of its newest build
    last_report integer,          -- end of its newest build that published test results
    primary key (source, name)
) without rowid;
CREATE TABLE _meta (
    key text primary key,
    value text not null
) without rowid;
INSERT INTO "_meta" VALUES('schema','3');
INSERT INTO "_meta" VALUES('views','-- The public views, version 1: docs/schema.md describes each column, tests hold it true.
-- They are dropped and made anew at each migration. Two rules keep them fast at 10 million rows:
-- a sortable column is the very column of an index of _result, and LEFT JOIN pins _result as
-- the outer loop until a filter on the other side lets the planner start there instead.

create view result as
select
    r.id as id,
    r.time as time,
    o.word as outcome,
    t.name as testcase,
    i.name as item,
    i.type as item_type,
    i.component as component,
    i.nvr as nvr,
    v.scenario as scenario,
    coalesce(nullif(v.arch, ''''), i.arch, '''') as arch,
    r.duration as duration_s,
    r.note as note,
    coalesce(r.ref_url, u.ref_url) as ref_url,
    s.name as source,
    u.key as run,
    u.ref_url as run_url,
    r.key as key,
    r.data as data,
    u.data as run_data,
    strftime(''%Y-%m-%dT%H:%M:%S'', coalesce(r.submit_time, r.rank) / 1000000, ''unixepoch'')
        || printf(''.%06d'', coalesce(r.submit_time, r.rank) % 1000000) as submit_time,
    r.seq as seq,
    p.new as superseded_by
from _result r
left join _testcase t on t.id = r.testcase
left join _item i on i.id = r.item
left join _outcome o on o.id = r.outcome
left join _variant v on v.id = r.variant
left join _source s on s.id = r.source
left join _run u on u.id = r.run
left join _superseded p on p.old = r.id;

-- The newest current result of each testcase, item, scenario and architecture.
create view latest_result as
select
    r.id as id,
    r.time as time,
    o.word as outcome,
    t.name as testcase,
    i.name as item,
    i.type as item_type,
    i.component as component,
    i.nvr as nvr,
    v.scenario as scenario,
    coalesce(nullif(v.arch, ''''), i.arch, '''') as arch,
    r.duration as duration_s,
    r.note as note,
    coalesce(r.ref_url, u.ref_url) as ref_url,
    s.name as source,
    u.key as run
from _result r
left join _testcase t on t.id = r.testcase
left join _item i on i.id = r.item
left join _outcome o on o.id = r.outcome
left join _variant v on v.id = r.variant
left join _source s on s.id = r.source
left join _run u on u.id = r.run
where not exists (select 1 from _superseded p where p.old = r.id)
  and not exists (
    select 1 from _result n
    where n.item = r.item and n.testcase = r.testcase and n.variant = r.variant
      and (n.rank, n.id) > (r.rank, r.id)
      and not exists (select 1 from _superseded q where q.old = n.id));

create view testcase as
select
    t.id as id,
    t.name as name,
    t.owner as owner,
    t.contact as contact,
    t.ref_url as ref_url,
    (select max(r.time) from _result r where r.testcase = t.id) as last_result
from _testcase t;

-- How many results of each outcome a source gave on a day (UTC).
create view daily as
select date(d.day * 86400, ''unixepoch'') as day, d.day as day_number, s.name as source, o.word as outcome, d.n as results
from _daily_source d
left join _source s on s.id = d.source
left join _outcome o on o.id = d.outcome;

-- The same by testcase, with the seconds they took.
create view daily_testcase as
select date(d.day * 86400, ''unixepoch'') as day, d.day as day_number, t.name as testcase, o.word as outcome,
    d.n as results, d.duration as duration_s
from _daily d
left join _testcase t on t.id = d.testcase
left join _outcome o on o.id = d.outcome;

create view source as
select
    s.id as id, s.name as name, s.collector as collector, s.url as url, s.owner as owner, s.contact as contact,
    strftime(''%Y-%m-%dT%H:%M:%S'', s.last_ok / 1000000, ''unixepoch'') as last_ok,
    strftime(''%Y-%m-%dT%H:%M:%S'', s.last_try / 1000000, ''unixepoch'') as last_try,
    s.last_error as last_error,
    (select count(*) from _quarantine q where q.source = s.id and q.resolved_at is null) as quarantined
from _source s;

-- Which jobs publish results of tests, and which are silent.
create view job as
select
    s.name as source, j.name as job, j.state as state,
    case
        when j.state in (''disabled'', ''never built'', ''gone'') then j.state
        when j.last_report is not null then ''publishes''
        else ''silent''
    end as coverage,
    s.owner as owner, s.contact as contact,
    strftime(''%Y-%m-%dT%H:%M:%S'', j.last_build / 1000000, ''unixepoch'') as last_build,
    strftime(''%Y-%m-%dT%H:%M:%S'', j.last_report / 1000000, ''unixepoch'') as last_report
from _job j
join _source s on s.id = j.source;

create view quarantine as
select
    q.id as id, s.name as source, q.door as door, q.kind as kind, q.key as key, q.position as position,
    q.reason as reason, length(q.raw) as raw_bytes, q.seen as seen,
    strftime(''%Y-%m-%dT%H:%M:%S'', q.received_at / 1000000, ''unixepoch'') as received_at,
    strftime(''%Y-%m-%dT%H:%M:%S'', q.resolved_at / 1000000, ''unixepoch'') as resolved_at,
    q.resolution as resolution
from _quarantine q
join _source s on s.id = q.source;
');
CREATE TABLE _outbox (
    seq integer not null,
    kind text not null,           -- 'results'
    primary key (seq, kind)
) without rowid;
INSERT INTO "_outbox" VALUES(1,'results');
INSERT INTO "_outbox" VALUES(2,'results');
CREATE TABLE _outcome (
    id integer primary key,
    word text not null unique
);
INSERT INTO "_outcome" VALUES(1,'PASSED');
INSERT INTO "_outcome" VALUES(2,'INFO');
INSERT INTO "_outcome" VALUES(3,'FAILED');
INSERT INTO "_outcome" VALUES(4,'NEEDS_INSPECTION');
INSERT INTO "_outcome" VALUES(5,'ERROR');
INSERT INTO "_outcome" VALUES(6,'QUEUED');
INSERT INTO "_outcome" VALUES(7,'RUNNING');
CREATE TABLE _pair (
    id integer primary key,
    key text not null,
    value text not null,
    unique (key, value)
);
INSERT INTO "_pair" VALUES(1,'item','bash-5.2-1.fc40');
INSERT INTO "_pair" VALUES(2,'job','job');
INSERT INTO "_pair" VALUES(3,'type','koji_build');
INSERT INTO "_pair" VALUES(4,'n','0');
INSERT INTO "_pair" VALUES(5,'n','1');
INSERT INTO "_pair" VALUES(6,'n','2');
INSERT INTO "_pair" VALUES(7,'n','3');
INSERT INTO "_pair" VALUES(8,'n','4');
INSERT INTO "_pair" VALUES(9,'n','5');
INSERT INTO "_pair" VALUES(10,'n','6');
INSERT INTO "_pair" VALUES(11,'n','7');
INSERT INTO "_pair" VALUES(12,'n','8');
INSERT INTO "_pair" VALUES(13,'n','9');
CREATE TABLE _parked (
    id integer primary key,
    sink text not null,
    result integer not null,
    reason text not null,
    parked_at integer not null,
    tries integer not null default 1,
    unique (sink, result)
);
CREATE TABLE _quarantine (
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
INSERT INTO "_quarantine" VALUES(1,1,1,'harvest','record',NULL,NULL,'no XML',X'3C78',-2623094885656873173,1795631509108713,1,NULL,NULL);
CREATE TABLE _result (
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
, time text not null default '', groups text);
INSERT INTO "_result" VALUES(1,1,1,1,1,1,0,3,1772366400000000,NULL,NULL,'made by schema 3',NULL,'{"n":["0"]}','k0',4830992296491716671,-6059796673472842618,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(2,1,1,1,1,1,0,1,1772366400000000,NULL,NULL,'made by schema 3',NULL,'{"n":["1"]}','k1',4830992295233757353,-7640480566871700903,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(3,1,1,1,1,1,0,1,1772366400000000,NULL,NULL,'made by schema 3',NULL,'{"n":["2"]}','k2',4830992292968395027,3113731903108776378,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(4,1,1,1,1,1,0,3,1772366400000000,NULL,NULL,'made by schema 3',NULL,'{"n":["3"]}','k3',4830992294729531781,8737308226060276904,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(5,1,1,1,1,1,0,1,1772366400000000,NULL,NULL,'made by schema 3',NULL,'{"n":["4"]}','k4',4830992296581551142,-2174641597235811737,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(6,1,1,1,1,1,0,1,1772366400000000,NULL,NULL,'made by schema 3',NULL,'{"n":["5"]}','k5',4830992295155426480,5568483384477598778,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(7,1,1,1,1,1,0,3,1772366400000000,NULL,NULL,'made by schema 3',NULL,'{"n":["6"]}','k6',4830992292857394442,-7706555832040163413,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(8,1,1,1,1,1,0,1,1772366400000000,NULL,NULL,'made by schema 3',NULL,'{"n":["7"]}','k7',4830992294854067612,919143074425662600,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(9,1,1,1,1,1,0,1,1772366400000000,NULL,NULL,'made by schema 3',NULL,'{"n":["8"]}','k8',4830992296739739661,-4378973856628921657,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(10,1,1,1,1,1,0,3,1772366400000000,NULL,NULL,'made by schema 3',NULL,'{"n":["9"]}','k9',4830992295280322715,8973521374698021526,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(11,2,1,2,1,1,0,1,1772370000000000,NULL,NULL,'made by schema 3',NULL,NULL,'k0',4830992296491716671,-4774056725636631372,'2026-03-01T13:00:00.000000',NULL);
CREATE TABLE _result_group (
    grp integer not null,
    rank integer not null,
    result integer not null,
    primary key (grp, rank, result)
) without rowid;
CREATE TABLE _result_pair (
    pair integer not null,
    rank integer not null,
    result integer not null,
    primary key (pair, rank, result)
) without rowid;
INSERT INTO "_result_pair" VALUES(4,1772366400000000,1);
INSERT INTO "_result_pair" VALUES(5,1772366400000000,2);
INSERT INTO "_result_pair" VALUES(6,1772366400000000,3);
INSERT INTO "_result_pair" VALUES(7,1772366400000000,4);
INSERT INTO "_result_pair" VALUES(8,1772366400000000,5);
INSERT INTO "_result_pair" VALUES(9,1772366400000000,6);
INSERT INTO "_result_pair" VALUES(10,1772366400000000,7);
INSERT INTO "_result_pair" VALUES(11,1772366400000000,8);
INSERT INTO "_result_pair" VALUES(12,1772366400000000,9);
INSERT INTO "_result_pair" VALUES(13,1772366400000000,10);
CREATE TABLE _run (
    id integer primary key,
    seq integer not null,
    source integer not null references _source (id),
    key text not null,
    rank integer not null,        -- of all its results in this commit
    ref_url text,
    data text not null            -- JSON object, key -> [values]: what all its results share
);
INSERT INTO "_run" VALUES(1,1,1,'job#1',1772366400000000,NULL,'{"job":["job"],"item":["bash-5.2-1.fc40"],"type":["koji_build"]}');
INSERT INTO "_run" VALUES(2,2,1,'job#1',1772370000000000,NULL,'{"job":["job"],"item":["bash-5.2-1.fc40"],"type":["koji_build"]}');
CREATE TABLE _run_pair (
    pair integer not null,
    rank integer not null,
    run integer not null,
    primary key (pair, rank, run)
) without rowid;
INSERT INTO "_run_pair" VALUES(1,1772366400000000,1);
INSERT INTO "_run_pair" VALUES(1,1772370000000000,2);
INSERT INTO "_run_pair" VALUES(2,1772366400000000,1);
INSERT INTO "_run_pair" VALUES(2,1772370000000000,2);
INSERT INTO "_run_pair" VALUES(3,1772366400000000,1);
INSERT INTO "_run_pair" VALUES(3,1772370000000000,2);
CREATE TABLE _source (
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
INSERT INTO "_source" VALUES(1,'ci','',NULL,NULL,NULL,'c1',NULL,NULL,NULL,NULL);
CREATE TABLE _superseded (
    old integer primary key,      -- a result that is no longer current
    new integer not null
);
INSERT INTO "_superseded" VALUES(1,11);
CREATE TABLE _testcase (
    id integer primary key,
    name text not null unique,
    ref_url text,
    owner text,
    contact text
);
INSERT INTO "_testcase" VALUES(1,'ns.case',NULL,NULL,NULL);
CREATE TABLE _variant (
    id integer primary key,       -- 0 = neither scenario nor arch
    scenario text not null default '',
    arch text not null default '',
    unique (scenario, arch)
);
INSERT INTO "_variant" VALUES(0,'','');
CREATE INDEX _item_nvr on _item (nvr) where nvr is not null;
CREATE INDEX _item_component on _item (component) where component is not null;
CREATE INDEX _run_key on _run (source, key);
CREATE INDEX _result_seq on _result (seq, run);
CREATE INDEX _result_item on _result (item, testcase, variant, rank, id);
CREATE INDEX _result_identity on _result (identity);
CREATE INDEX _superseded_new on _superseded (new);
CREATE UNIQUE INDEX _quarantine_digest on _quarantine (source, digest);
CREATE INDEX _quarantine_open on _quarantine (source, id) where resolved_at is null;
CREATE TRIGGER _result_no_delete before delete on _result
begin select raise(abort, 'results are append-only'); end;
CREATE TRIGGER _result_no_replace before insert on _result
when exists (select 1 from _result where id = new.id)
  or exists (select 1 from _result where identity = new.identity and key = new.key and digest = new.digest)
begin select raise(fail, 'results are append-only'); end;
CREATE TRIGGER _run_no_update before update on _run
begin select raise(abort, 'runs are append-only'); end;
CREATE TRIGGER _run_no_delete before delete on _run
begin select raise(abort, 'runs are append-only'); end;
CREATE TRIGGER _run_no_replace before insert on _run
when exists (select 1 from _run where id = new.id)
begin select raise(fail, 'runs are append-only'); end;
CREATE TRIGGER _testcase_keeps_name before update of id, name on _testcase
begin select raise(abort, 'a testcase keeps its name'); end;
CREATE TRIGGER _item_no_update before update on _item
begin select raise(abort, 'an item never changes'); end;
CREATE TRIGGER _pair_no_update before update on _pair
begin select raise(abort, 'a pair never changes'); end;
CREATE TRIGGER _variant_no_update before update on _variant
begin select raise(abort, 'a variant never changes'); end;
CREATE TRIGGER _outcome_no_update before update on _outcome
begin select raise(abort, 'an outcome never changes'); end;
CREATE INDEX _result_testcase on _result (testcase, time, id);
CREATE INDEX _result_time on _result (time, id);
CREATE INDEX _result_outcome on _result (outcome, time, id);
CREATE TRIGGER _result_no_update before update on _result
begin select raise(abort, 'results are append-only'); end;
CREATE TRIGGER _group_keeps_uuid before update of id, uuid on _group
begin select raise(abort, 'a group keeps its uuid'); end;
CREATE INDEX _result_claim on _result (submit_time, rank) where submit_time is not null;
CREATE VIEW result as
select
    r.id as id,
    r.time as time,
    o.word as outcome,
    t.name as testcase,
    i.name as item,
    i.type as item_type,
    i.component as component,
    i.nvr as nvr,
    v.scenario as scenario,
    coalesce(nullif(v.arch, ''), i.arch, '') as arch,
    r.duration as duration_s,
    r.note as note,
    coalesce(r.ref_url, u.ref_url) as ref_url,
    s.name as source,
    u.key as run,
    u.ref_url as run_url,
    r.key as key,
    r.data as data,
    u.data as run_data,
    strftime('%Y-%m-%dT%H:%M:%S', coalesce(r.submit_time, r.rank) / 1000000, 'unixepoch')
        || printf('.%06d', coalesce(r.submit_time, r.rank) % 1000000) as submit_time,
    r.seq as seq,
    p.new as superseded_by
from _result r
left join _testcase t on t.id = r.testcase
left join _item i on i.id = r.item
left join _outcome o on o.id = r.outcome
left join _variant v on v.id = r.variant
left join _source s on s.id = r.source
left join _run u on u.id = r.run
left join _superseded p on p.old = r.id;
CREATE VIEW latest_result as
select
    r.id as id,
    r.time as time,
    o.word as outcome,
    t.name as testcase,
    i.name as item,
    i.type as item_type,
    i.component as component,
    i.nvr as nvr,
    v.scenario as scenario,
    coalesce(nullif(v.arch, ''), i.arch, '') as arch,
    r.duration as duration_s,
    r.note as note,
    coalesce(r.ref_url, u.ref_url) as ref_url,
    s.name as source,
    u.key as run
from _result r
left join _testcase t on t.id = r.testcase
left join _item i on i.id = r.item
left join _outcome o on o.id = r.outcome
left join _variant v on v.id = r.variant
left join _source s on s.id = r.source
left join _run u on u.id = r.run
where not exists (select 1 from _superseded p where p.old = r.id)
  and not exists (
    select 1 from _result n
    where n.item = r.item and n.testcase = r.testcase and n.variant = r.variant
      and (n.rank, n.id) > (r.rank, r.id)
      and not exists (select 1 from _superseded q where q.old = n.id));
CREATE VIEW testcase as
select
    t.id as id,
    t.name as name,
    t.owner as owner,
    t.contact as contact,
    t.ref_url as ref_url,
    (select max(r.time) from _result r where r.testcase = t.id) as last_result
from _testcase t;
CREATE VIEW daily as
select date(d.day * 86400, 'unixepoch') as day, d.day as day_number, s.name as source, o.word as outcome, d.n as results
from _daily_source d
left join _source s on s.id = d.source
left join _outcome o on o.id = d.outcome;
CREATE VIEW daily_testcase as
select date(d.day * 86400, 'unixepoch') as day, d.day as day_number, t.name as testcase, o.word as outcome,
    d.n as results, d.duration as duration_s
from _daily d
left join _testcase t on t.id = d.testcase
left join _outcome o on o.id = d.outcome;
CREATE VIEW source as
select
    s.id as id, s.name as name, s.collector as collector, s.url as url, s.owner as owner, s.contact as contact,
    strftime('%Y-%m-%dT%H:%M:%S', s.last_ok / 1000000, 'unixepoch') as last_ok,
    strftime('%Y-%m-%dT%H:%M:%S', s.last_try / 1000000, 'unixepoch') as last_try,
    s.last_error as last_error,
    (select count(*) from _quarantine q where q.source = s.id and q.resolved_at is null) as quarantined
from _source s;
CREATE VIEW job as
select
    s.name as source, j.name as job, j.state as state,
    case
        when j.state in ('disabled', 'never built', 'gone') then j.state
        when j.last_report is not null then 'publishes'
        else 'silent'
    end as coverage,
    s.owner as owner, s.contact as contact,
    strftime('%Y-%m-%dT%H:%M:%S', j.last_build / 1000000, 'unixepoch') as last_build,
    strftime('%Y-%m-%dT%H:%M:%S', j.last_report / 1000000, 'unixepoch') as last_report
from _job j
join _source s on s.id = j.source;
CREATE VIEW quarantine as
select
    q.id as id, s.name as source, q.door as door, q.kind as kind, q.key as key, q.position as position,
    q.reason as reason, length(q.raw) as raw_bytes, q.seen as seen,
    strftime('%Y-%m-%dT%H:%M:%S', q.received_at / 1000000, 'unixepoch') as received_at,
    strftime('%Y-%m-%dT%H:%M:%S', q.resolved_at / 1000000, 'unixepoch') as resolved_at,
    q.resolution as resolution
from _quarantine q
join _source s on s.id = q.source;
COMMIT;
