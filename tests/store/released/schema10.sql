BEGIN TRANSACTION;
CREATE TABLE _change (
    id integer primary key,
    seq integer not null,            -- of a commit of its own
    kind text not null,              -- of what: 'group', 'testcase', 'quarantine'
    subject integer not null,        -- its id there
    said text not null               -- JSON: all of it that may change, as it is from here on
);
CREATE TABLE _commit (
    seq integer primary key,
    received_at integer not null,
    source integer references _source (id),
    door text not null,
    last_result integer not null, -- the highest id given so far: ids are never given twice
    results integer not null,
    quarantined integer not null
);
INSERT INTO "_commit" VALUES(1,1795717251598274,1,'harvest',10,10,1);
INSERT INTO "_commit" VALUES(2,1795717251607749,1,'harvest',11,1,0);
INSERT INTO "_commit" VALUES(3,1795717251609976,NULL,'manual',11,0,0);
INSERT INTO "_commit" VALUES(4,1795717251616369,2,'harvest',12,1,0);
INSERT INTO "_commit" VALUES(5,1795717251620544,NULL,'waiver',12,0,0);
INSERT INTO "_commit" VALUES(6,1795717251636075,NULL,'event',12,0,0);
INSERT INTO "_commit" VALUES(7,1795717251641051,3,'harvest',14,0,0);
INSERT INTO "_commit" VALUES(8,1795717251648250,NULL,'prune',14,0,0);
INSERT INTO "_commit" VALUES(9,1795717251655690,NULL,'decision',14,0,0);
CREATE TABLE _daily (
    testcase integer not null,
    day integer not null,
    outcome integer not null,
    n integer not null,
    duration real not null,       -- seconds, summed
    primary key (day, testcase, outcome)
) without rowid;
INSERT INTO "_daily" VALUES(1,11382,1,1,0.0);
INSERT INTO "_daily" VALUES(1,11747,1,1,0.0);
INSERT INTO "_daily" VALUES(1,20513,1,8,0.0);
INSERT INTO "_daily" VALUES(1,20513,3,3,0.0);
CREATE TABLE _daily_source (
    day integer not null,
    source integer not null,
    outcome integer not null,
    n integer not null,
    primary key (day, source, outcome)
) without rowid;
INSERT INTO "_daily_source" VALUES(11382,3,1,1);
INSERT INTO "_daily_source" VALUES(11747,3,1,1);
INSERT INTO "_daily_source" VALUES(20513,1,1,7);
INSERT INTO "_daily_source" VALUES(20513,1,3,3);
INSERT INTO "_daily_source" VALUES(20513,2,1,1);
CREATE TABLE _decision (
    id integer primary key,
    seq integer not null,            -- of the commit that recorded it
    gate text not null,
    number integer not null,         -- counts the decisions at its gate from 1
    subject_type text not null,
    subject text not null,
    product_version text not null,
    context text not null,
    verdict text not null,           -- 'go', 'no-go', 'wait', 'error', 'no-policy'
    old_verdict text,                -- of the decision before it; null = the first
    satisfied integer not null,
    summary text not null,
    at integer not null,             -- the moment that was decided for
    as_of integer not null,          -- seq of the last commit that counted
    cause text not null,             -- JSON: what was new
    digest text not null,            -- of the policies
    answer text not null,            -- JSON, as Greenwave tells it
    proof text not null,             -- JSON, the whole of it
    unique (gate, number)
);
INSERT INTO "_decision" VALUES(1,9,'2a4a6976ab3cbfe04d632043cb839e081416c1a6b3c52c2790f949af39b16ef4',1,'koji_build','bash-5.2-1.fc40','fedora-40','push','wait',NULL,0,'Of 1 required test, 1 result missing',1735689600000000,3,'{"events":1}','sha256:1','{"summary":"ž"}','{"verdict":"wait"}');
CREATE TABLE _delivery (
    sink text primary key,
    seq integer not null,         -- results after (seq, result) wait for the sink
    result integer not null,
    sent integer not null default 0,
    last_try integer,
    last_ok integer,
    last_error text
) without rowid;
CREATE TABLE _event (
    id integer primary key,
    seq integer not null,            -- of the commit that brought it
    source text not null,            -- who tells it
    key text not null,               -- names it within its source
    kind text not null,              -- what happened: 'build.complete'
    time integer not null,
    received_at integer not null,
    subject_type text not null,
    subject text not null,
    product_versions text not null,  -- JSON list; empty where nothing tells them
    owner text,                      -- who answers for the subject
    actor text not null,             -- who sent it
    digest text not null,            -- of all that it said
    unique (source, key)
);
INSERT INTO "_event" VALUES(1,6,'koji','build-1','build.complete',1735689600000000,1735689600000000,'koji_build','bash-5.2-1.fc40','["fedora-40"]','jdoe','builder','ac6491bb6d82ef9ea7fbc264fe7044899adc44d16fddb5e6af2530f1df7644a1');
CREATE TABLE _expectation (
    id integer primary key,
    event integer not null,
    subject_type text not null,
    subject text not null,
    testcase text not null,
    since integer not null,
    due integer,                     -- null = never late
    owner text
);
INSERT INTO "_expectation" VALUES(1,1,'koji_build','bash-5.2-1.fc40','dist.rpmlint',1735689600000000,1735696800000000,'qe');
INSERT INTO "_expectation" VALUES(2,1,'koji_build','bash-5.2-1.fc40','dist.abi',1735689600000000,NULL,NULL);
CREATE TABLE _followed (
    gate text primary key,
    subject_type text not null,
    subject text not null,
    product_version text not null,
    context text not null,
    number integer not null,         -- of the newest decision; 0 = none yet
    verdict text,
    shape text not null,             -- hash of what makes two decisions different
    digest text not null,            -- of the policies that it was judged by
    wake integer                     -- when it is to be looked at again; null = when something new comes
) without rowid;
INSERT INTO "_followed" VALUES('2a4a6976ab3cbfe04d632043cb839e081416c1a6b3c52c2790f949af39b16ef4','koji_build','bash-5.2-1.fc40','fedora-40','push',1,'wait','','',NULL);
CREATE TABLE _follower (
    one integer primary key check (one = 1),
    turn integer not null,           -- counts its transactions: one that was overtaken changes nothing
    seq integer not null,
    result integer not null,
    digest text not null             -- of the policies that all open gates were judged by
);
INSERT INTO "_follower" VALUES(1,1,5,11,'sha256:1');
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
INSERT INTO "_item" VALUES(2,'koji_build','zlib-1-1','zlib-1-1','zlib',NULL);
CREATE TABLE _job (
    source integer not null references _source (id),
    name text not null,
    state text not null,          -- 'active', 'disabled', 'never built', 'gone'
    last_build integer,           -- end of its newest build
    last_report integer,          -- end of its newest build that published test results
    primary key (source, name)
) without rowid;
CREATE TABLE _listener (
    name text primary key,
    told text not null,              -- JSON
    told_at integer not null
) without rowid;
CREATE TABLE _message (
    id integer primary key,
    seq integer not null,            -- of the commit that brought its results; 0 = none of them was new
    source integer not null,
    key text not null,               -- names it within its source
    topic text not null,
    mapping text not null,           -- what read it: 'ci_metrics@1'
    received_at integer not null,
    digest text not null,            -- hex SHA-256 of its bytes as they came
    size integer not null,           -- of those
    raw blob,                        -- the same, packed by zlib; null = more than is kept
    told text not null               -- JSON: what came beside them
);
INSERT INTO "_message" VALUES(1,4,2,'id-1','org.example.ci.complete','ci_messages@1',1795717251616369,'89983d09213ead97b8cb94cfccaf06efbb320a0584009ebe37874d9bc3d937b3',26,X'789CAB56CA2B2B52B252504A4A2CCED035D533D235D44B4B363150AA0500673B074A','{"topic": "t"}');
CREATE TABLE _message_via (
    message integer not null,
    transport text not null,         -- name of the bus that brought it
    received_at integer not null,
    primary key (message, transport)
) without rowid;
INSERT INTO "_message_via" VALUES(1,'fedora',1795717251616369);
CREATE TABLE _meta (
    key text primary key,
    value text not null
) without rowid;
INSERT INTO "_meta" VALUES('schema','10');
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
    p.new as superseded_by,
    c.door as door,
    g.signature as signature
from _result r
left join _testcase t on t.id = r.testcase
left join _item i on i.id = r.item
left join _outcome o on o.id = r.outcome
left join _variant v on v.id = r.variant
left join _source s on s.id = r.source
left join _run u on u.id = r.run
left join _superseded p on p.old = r.id
left join _commit c on c.seq = r.seq
left join _signature g on g.result = r.id;

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
    q.resolution as resolution,
    q.told as told
from _quarantine q
join _source s on s.id = q.source;

-- Every step in the life of every waiver, attempts that were refused among them. Append-only, hash-chained.
create view waiver_event as
select
    e.id as id,
    strftime(''%Y-%m-%dT%H:%M:%S'', e.time / 1000000, ''unixepoch'') || printf(''.%06d'', e.time % 1000000) as time,
    e.waiver as waiver,
    e.step as step,
    e.turn as turn,
    e.refused as refused,
    e.username as username,
    e.proxied_by as proxied_by,
    e.via as via,
    e.comment as comment,
    w.subject_type as subject_type,
    w.subject as subject,
    w.testcase as testcase,
    w.product_version as product_version,
    w.scenario as scenario,
    w.arch as arch,
    w.purpose as purpose,
    e.seq as seq,
    e.hash as hash
from _waiver_event e
left join _waiver_event w on w.id = coalesce(e.waiver, e.id);

-- What is waived now: the waivers that were opened, not closed, and have not expired. CROSS pins the outer loop.
create view active_waiver as
select
    w.id as id,
    w.subject_type as subject_type,
    w.subject as subject,
    w.testcase as testcase,
    w.product_version as product_version,
    w.scenario as scenario,
    w.arch as arch,
    w.purpose as purpose,
    w.comment as comment,
    w.username as username,
    w.proxied_by as proxied_by,
    (select group_concat(a.username, '', '') from _waiver_event a
     where a.waiver = w.id and a.step = ''approve'' and a.refused is null) as approved_by,
    strftime(''%Y-%m-%dT%H:%M:%S'', o.time / 1000000, ''unixepoch'') || printf(''.%06d'', o.time % 1000000) as granted_at,
    strftime(''%Y-%m-%dT%H:%M:%S'', w.expires_at / 1000000, ''unixepoch'') || printf(''.%06d'', w.expires_at % 1000000) as expires_at,
    w.signatures as signatures,
    w.lenient as lenient,
    o.seq as seq
from _waiver_event w
cross join _waiver_event o on o.waiver = w.id and o.turn = ''opens''
where w.waiver = w.id and w.waived = 1
  and not exists (select 1 from _waiver_event c where c.waiver = w.id and c.turn = ''closes'')
  and (w.expires_at is null or w.expires_at > cast((julianday(''now'') - 2440587.5) * 86400000000 as integer));

-- Results that are on their way: which event said so, since when, and when they are late. Append-only.
create view expectation as
select
    x.id as id,
    strftime(''%Y-%m-%dT%H:%M:%S'', x.since / 1000000, ''unixepoch'') || printf(''.%06d'', x.since % 1000000) as since,
    strftime(''%Y-%m-%dT%H:%M:%S'', x.due / 1000000, ''unixepoch'') || printf(''.%06d'', x.due % 1000000) as due,
    x.subject_type as subject_type,
    x.subject as subject,
    x.testcase as testcase,
    e.product_versions as product_versions,
    x.owner as owner,
    e.kind as kind,
    e.source as source,
    e.key as key,
    e.actor as actor,
    strftime(''%Y-%m-%dT%H:%M:%S'', e.received_at / 1000000, ''unixepoch'') || printf(''.%06d'', e.received_at % 1000000) as received_at,
    e.seq as seq
from _expectation x
left join _event e on e.id = x.event;

-- Every decision that differed from the one before it. Append-only.
create view decision as
select
    d.id as id,
    strftime(''%Y-%m-%dT%H:%M:%S'', d.at / 1000000, ''unixepoch'') || printf(''.%06d'', d.at % 1000000) as time,
    d.subject_type as subject_type,
    d.subject as subject,
    d.product_version as product_version,
    d.context as decision_context,
    d.verdict as verdict,
    d.old_verdict as old_verdict,
    d.satisfied as satisfied,
    d.summary as summary,
    d.number as number,
    d.cause as cause,
    d.as_of as as_of,
    d.digest as policies_digest,
    d.seq as seq,
    d.proof as proof
from _decision d;

-- Which message of a bus a result came by, what read it, and which buses brought it.
create view provenance as
select
    p.result as result,
    m.id as message,
    s.name as source,
    m.key as key,
    m.topic as topic,
    coalesce(p.mapping, m.mapping) as mapping,
    (select group_concat(v.transport, '', '') from _message_via v where v.message = m.id) as transports,
    strftime(''%Y-%m-%dT%H:%M:%S'', m.received_at / 1000000, ''unixepoch'') || printf(''.%06d'', m.received_at % 1000000) as received_at,
    m.size as raw_bytes,
    m.digest as sha256,
    m.seq as seq
from _result_message p
left join _message m on m.id = p.message
left join _source s on s.id = m.source;

-- What left the store, a row for each transaction: who let it go, why, and by which criteria. Append-only.
create view prune as
select
    p.id as id,
    strftime(''%Y-%m-%dT%H:%M:%S'', p.time / 1000000, ''unixepoch'') || printf(''.%06d'', p.time % 1000000) as time,
    p.username as username,
    p.comment as comment,
    p.criteria as criteria,
    p.results as results,
    p.first as first_result,
    p.last as last_result,
    p.digest as digest,
    strftime(''%Y-%m-%dT%H:%M:%S'', p.begun / 1000000, ''unixepoch'') || printf(''.%06d'', p.begun % 1000000) as begun,
    p.seq as seq
from _prune p;
');
CREATE TABLE _outbox (
    seq integer not null,
    kind text not null,           -- 'results'
    primary key (seq, kind)
) without rowid;
INSERT INTO "_outbox" VALUES(1,'quarantine');
INSERT INTO "_outbox" VALUES(1,'results');
INSERT INTO "_outbox" VALUES(2,'results');
INSERT INTO "_outbox" VALUES(3,'plan');
INSERT INTO "_outbox" VALUES(4,'message');
INSERT INTO "_outbox" VALUES(4,'results');
INSERT INTO "_outbox" VALUES(5,'waiver');
INSERT INTO "_outbox" VALUES(6,'event');
INSERT INTO "_outbox" VALUES(7,'results');
INSERT INTO "_outbox" VALUES(8,'prune');
INSERT INTO "_outbox" VALUES(9,'decision');
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
INSERT INTO "_pair" VALUES(14,'item','zlib-1-1');
CREATE TABLE _parked (
    id integer primary key,
    sink text not null,
    result integer not null,
    reason text not null,
    parked_at integer not null,
    tries integer not null default 1,
    unique (sink, result)
);
CREATE TABLE _plan (
    id integer primary key,
    name text not null,
    version integer not null,     -- counts from 1 for each name
    seq integer not null,         -- of the commit that brought it
    item_type text not null,
    item text not null,           -- * stands for any run of characters
    actor text not null,          -- who imported it
    imported_at integer not null,
    cases text not null,          -- JSON list of objects: testcase, title, steps, ref_url, owner, contact
    unique (name, version)
);
INSERT INTO "_plan" VALUES(1,'beta',1,3,'compose','Fedora-44-*','jdoe',1795717251609976,'[{"testcase":"desktop.login","title":"Log in","steps":"","ref_url":null,"owner":null,"contact":null}]');
CREATE TABLE _prune (
    id integer primary key,
    seq integer not null,            -- of a commit of its own
    begun integer not null,          -- when the prune began of which this is a page
    time integer not null,
    username text not null,
    comment text not null,
    criteria text not null,          -- JSON: before, testcase, source, all_states
    results integer not null,
    first integer not null,          -- lowest and highest id of what left
    last integer not null,
    digest text not null             -- hex SHA-256 of what left: docs/operations.md says of which text
);
INSERT INTO "_prune" VALUES(1,8,1772366400000000,1795717251648250,'jdoe','old','{"before":"2020-03-01T12:00:00.000000","testcase":null,"source":"old","all_states":true}',2,13,14,'402d4e220bc10769165e188d315727337654f55f84a7ba2fad6c8289982b7fc8');
CREATE TABLE _pruned (
    result integer primary key,
    prune integer not null,
    source integer not null,
    identity integer not null,
    digest integer not null,
    key blob not null,               -- of the key's text, the first half of its SHA-256
    testcase integer not null,
    outcome integer not null,
    day integer not null,
    duration real,
    counted integer not null         -- 1 = it was current, so the roll-ups count it
);
INSERT INTO "_pruned" VALUES(13,1,3,-356392143022824019,-8996908127224125905,X'2352DA7280F1DECC3ACF1BA84EB945C9',1,1,11382,NULL,1);
INSERT INTO "_pruned" VALUES(14,1,3,-356392145287171049,795998259259303858,X'9250B9912EE91D6B46E23299459ECD6E',1,1,11747,NULL,1);
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
, told text);
INSERT INTO "_quarantine" VALUES(1,1,1,'harvest','record',NULL,NULL,'no XML',X'3C78',-2623094885656873173,1795717251598274,1,NULL,NULL,NULL);
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
INSERT INTO "_result" VALUES(1,1,1,1,1,1,0,3,1772366400000000,NULL,NULL,'made by schema 10',NULL,'{"n":["0"]}','k0',4830992296491716671,8954235866510028847,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(2,1,1,1,1,1,0,1,1772366400000000,NULL,NULL,'made by schema 10',NULL,'{"n":["1"]}','k1',4830992295233757353,8575345808236094074,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(3,1,1,1,1,1,0,1,1772366400000000,NULL,NULL,'made by schema 10',NULL,'{"n":["2"]}','k2',4830992292968395027,6253828090913720957,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(4,1,1,1,1,1,0,3,1772366400000000,NULL,NULL,'made by schema 10',NULL,'{"n":["3"]}','k3',4830992294729531781,2969868323805943687,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(5,1,1,1,1,1,0,1,1772366400000000,NULL,NULL,'made by schema 10',NULL,'{"n":["4"]}','k4',4830992296581551142,-1637139527754898964,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(6,1,1,1,1,1,0,1,1772366400000000,NULL,NULL,'made by schema 10',NULL,'{"n":["5"]}','k5',4830992295155426480,5567587693091309098,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(7,1,1,1,1,1,0,3,1772366400000000,NULL,NULL,'made by schema 10',NULL,'{"n":["6"]}','k6',4830992292857394442,8202733323428670581,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(8,1,1,1,1,1,0,1,1772366400000000,NULL,NULL,'made by schema 10',NULL,'{"n":["7"]}','k7',4830992294854067612,3600190446666967661,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(9,1,1,1,1,1,0,1,1772366400000000,NULL,NULL,'made by schema 10',NULL,'{"n":["8"]}','k8',4830992296739739661,3160194967077625962,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(10,1,1,1,1,1,0,3,1772366400000000,NULL,NULL,'made by schema 10',NULL,'{"n":["9"]}','k9',4830992295280322715,2610676699084518502,'2026-03-01T12:00:00.000000',NULL);
INSERT INTO "_result" VALUES(11,2,1,2,1,1,0,1,1772370000000000,NULL,NULL,'made by schema 10',NULL,NULL,'k0',4830992296491716671,5856516164565959566,'2026-03-01T13:00:00.000000',NULL);
INSERT INTO "_result" VALUES(12,4,2,3,1,1,0,1,1772366400000000,NULL,NULL,NULL,NULL,NULL,'m1',-3760584661486270673,-1516758942811833087,'2026-03-01T12:00:00.000000',NULL);
CREATE TABLE _result_group (
    grp integer not null,
    rank integer not null,
    result integer not null,
    primary key (grp, rank, result)
) without rowid;
CREATE TABLE _result_message (
    result integer not null,
    message integer not null, mapping text,
    primary key (result, message)
) without rowid;
INSERT INTO "_result_message" VALUES(12,1,'ci_messages@1');
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
INSERT INTO "_run" VALUES(3,4,2,'job#1',1772366400000000,NULL,'{"job":["job"],"item":["bash-5.2-1.fc40"],"type":["koji_build"]}');
CREATE TABLE _run_pair (
    pair integer not null,
    rank integer not null,
    run integer not null,
    primary key (pair, rank, run)
) without rowid;
INSERT INTO "_run_pair" VALUES(1,1772366400000000,1);
INSERT INTO "_run_pair" VALUES(1,1772366400000000,3);
INSERT INTO "_run_pair" VALUES(1,1772370000000000,2);
INSERT INTO "_run_pair" VALUES(2,1772366400000000,1);
INSERT INTO "_run_pair" VALUES(2,1772366400000000,3);
INSERT INTO "_run_pair" VALUES(2,1772370000000000,2);
INSERT INTO "_run_pair" VALUES(3,1772366400000000,1);
INSERT INTO "_run_pair" VALUES(3,1772366400000000,3);
INSERT INTO "_run_pair" VALUES(3,1772370000000000,2);
CREATE TABLE _signature (
    result integer primary key,
    signature text not null       -- "1-9f86d081884c7d": version of the algorithm, hash
);
INSERT INTO "_signature" VALUES(1,'1-7ba0a40ed1a139');
INSERT INTO "_signature" VALUES(4,'1-7ba0a40ed1a139');
INSERT INTO "_signature" VALUES(7,'1-7ba0a40ed1a139');
INSERT INTO "_signature" VALUES(10,'1-7ba0a40ed1a139');
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
INSERT INTO "_source" VALUES(2,'bus','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "_source" VALUES(3,'old','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
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
CREATE TABLE _waiver_event (
    id integer primary key,       -- its number in the chain: from 1, without gaps
    seq integer not null,
    time integer not null,        -- by the store's clock; never before that of the event before
    waiver integer,               -- id of its waiver's first event; null = refused before there was one
    step text not null,           -- 'request', 'approve', 'reject', 'grant', 'withdraw', 'expire'
    turn text,                    -- 'opens': from here on the waiver counts; 'closes': it has ended; or null
    refused text,                 -- why the attempt was not allowed; null = it was
    username text not null,
    proxied_by text,
    via text not null,            -- the door: 'cli', 'api', 'page'
    comment text not null,
    subject_type text,            -- from here on the terms, of requests and grants
    subject text,
    testcase text,
    product_version text,
    scenario text,
    arch text,
    purpose text,                 -- "kind:value"
    signatures text,              -- JSON list, of the failures that it is bound to
    lenient integer,
    waived integer,
    expires_at integer,
    hash text not null            -- hex SHA-256 of the event before and this one: docs/waivers.md
);
INSERT INTO "_waiver_event" VALUES(1,5,1795717251620544,1,'grant','opens',NULL,'dev1',NULL,'cli','infra','koji_build','bash-5.2-1.fc40','dist.rpmlint','fedora-40',NULL,NULL,NULL,NULL,0,1,NULL,'dc78bdd59aecca08698cab1c551c286d0b345866479cf6f90bbfcbda612d7e81');
INSERT INTO "_waiver_event" VALUES(2,5,1795717251620544,2,'request',NULL,NULL,'dev1',NULL,'cli','infra','koji_build','bash-5.2-1.fc40','dist.rpmlint','fedora-40',NULL,NULL,NULL,NULL,0,1,NULL,'960d5f0020d90a82579289bf876a361df1f9074b215b015c68ee6dfbdb5e4ab5');
CREATE TABLE _waiver_head (
    one integer primary key check (one = 1),
    id integer not null,
    hash text not null
);
INSERT INTO "_waiver_head" VALUES(1,2,'960d5f0020d90a82579289bf876a361df1f9074b215b015c68ee6dfbdb5e4ab5');
CREATE INDEX _item_nvr on _item (nvr) where nvr is not null;
CREATE INDEX _item_component on _item (component) where component is not null;
CREATE INDEX _run_key on _run (source, key);
CREATE INDEX _result_seq on _result (seq, run);
CREATE INDEX _result_item on _result (item, testcase, variant, rank, id);
CREATE INDEX _result_identity on _result (identity);
CREATE INDEX _superseded_new on _superseded (new);
CREATE UNIQUE INDEX _quarantine_digest on _quarantine (source, digest);
CREATE INDEX _quarantine_open on _quarantine (source, id) where resolved_at is null;
CREATE TRIGGER _result_no_replace before insert on _result
when exists (select 1 from _result where id = new.id)
  or exists (select 1 from _result where identity = new.identity and key = new.key and digest = new.digest)
begin select raise(fail, 'results are append-only'); end;
CREATE TRIGGER _run_no_update before update on _run
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
CREATE UNIQUE INDEX _waiver_turn on _waiver_event (waiver, turn) where turn is not null;
CREATE INDEX _waiver_first on _waiver_event (waiver) where waiver = id;
CREATE INDEX _waiver_steps on _waiver_event (waiver, id);
CREATE INDEX _waiver_seq on _waiver_event (seq);
CREATE INDEX _waiver_time on _waiver_event (time);
CREATE INDEX _waiver_subject on _waiver_event (subject, waiver) where waiver = id;
CREATE INDEX _waiver_testcase on _waiver_event (testcase, waiver) where waiver = id;
CREATE INDEX _waiver_username on _waiver_event (username, waiver) where waiver = id;
CREATE INDEX _waiver_expiry on _waiver_event (expires_at, id) where waiver = id and expires_at is not null;
CREATE INDEX _waiver_request on _waiver_event (id) where waiver = id and step = 'request';
CREATE INDEX _waiver_expired on _waiver_event (id) where step = 'expire';
CREATE TRIGGER _waiver_event_no_update before update on _waiver_event
begin select raise(abort, 'waiver events are append-only'); end;
CREATE TRIGGER _waiver_event_no_delete before delete on _waiver_event
begin select raise(abort, 'waiver events are append-only'); end;
CREATE TRIGGER _waiver_event_no_replace before insert on _waiver_event
when exists (select 1 from _waiver_event where id = new.id)
  or exists (select 1 from _waiver_event where waiver = new.waiver and turn = new.turn)
begin select raise(abort, 'waiver events are append-only'); end;
CREATE INDEX _signature_text on _signature (signature, result);
CREATE TRIGGER _signature_no_update before update on _signature
begin select raise(abort, 'a signature never changes'); end;
CREATE INDEX _plan_item on _plan (item_type, item);
CREATE TRIGGER _plan_no_update before update on _plan
begin select raise(abort, 'plans are append-only'); end;
CREATE TRIGGER _plan_no_delete before delete on _plan
begin select raise(abort, 'plans are append-only'); end;
CREATE TRIGGER _plan_no_replace before insert on _plan
when exists (select 1 from _plan where id = new.id or (name = new.name and version = new.version))
begin select raise(fail, 'plans are append-only'); end;
CREATE INDEX _event_seq on _event (seq);
CREATE INDEX _event_subject on _event (subject);
CREATE INDEX _expectation_event on _expectation (event);
CREATE INDEX _expectation_subject on _expectation (subject);
CREATE INDEX _expectation_since on _expectation (since);
CREATE INDEX _expectation_due on _expectation (due);
CREATE INDEX _decision_seq on _decision (seq);
CREATE INDEX _decision_subject on _decision (subject);
CREATE INDEX _followed_subject on _followed (subject);
CREATE INDEX _followed_wake on _followed (wake) where wake is not null;
CREATE INDEX _followed_open on _followed (digest) where verdict <> 'go';
CREATE TRIGGER _event_no_update before update on _event
begin select raise(abort, 'events are append-only'); end;
CREATE TRIGGER _event_no_delete before delete on _event
begin select raise(abort, 'events are append-only'); end;
CREATE TRIGGER _event_no_replace before insert on _event
when exists (select 1 from _event where id = new.id or (source = new.source and key = new.key))
begin select raise(fail, 'events are append-only'); end;
CREATE TRIGGER _expectation_no_update before update on _expectation
begin select raise(abort, 'expectations are append-only'); end;
CREATE TRIGGER _expectation_no_delete before delete on _expectation
begin select raise(abort, 'expectations are append-only'); end;
CREATE TRIGGER _expectation_no_replace before insert on _expectation
when exists (select 1 from _expectation where id = new.id)
begin select raise(fail, 'expectations are append-only'); end;
CREATE TRIGGER _decision_no_update before update on _decision
begin select raise(abort, 'decisions are append-only'); end;
CREATE TRIGGER _decision_no_delete before delete on _decision
begin select raise(abort, 'decisions are append-only'); end;
CREATE TRIGGER _decision_no_replace before insert on _decision
when exists (select 1 from _decision where id = new.id or (gate = new.gate and number = new.number))
begin select raise(fail, 'decisions are append-only'); end;
CREATE UNIQUE INDEX _message_key on _message (source, key);
CREATE INDEX _message_seq on _message (seq);
CREATE INDEX _result_message_message on _result_message (message);
CREATE TRIGGER _message_no_update before update of id, seq, source, key, digest on _message
begin select raise(abort, 'a message keeps its name'); end;
CREATE TRIGGER _message_no_delete before delete on _message
begin select raise(abort, 'messages are append-only'); end;
CREATE INDEX _change_subject on _change (kind, subject, id);
CREATE INDEX _change_seq on _change (seq);
CREATE TRIGGER _change_no_update before update on _change
begin select raise(abort, 'changes are append-only'); end;
CREATE TRIGGER _change_no_delete before delete on _change
begin select raise(abort, 'changes are append-only'); end;
CREATE TRIGGER _change_no_replace before insert on _change
when exists (select 1 from _change where id = new.id)
begin select raise(fail, 'changes are append-only'); end;
CREATE INDEX _prune_seq on _prune (seq);
CREATE INDEX _pruned_prune on _pruned (prune);
CREATE INDEX _pruned_identity on _pruned (identity);
CREATE TRIGGER _prune_no_update before update on _prune
begin select raise(abort, 'prunes are append-only'); end;
CREATE TRIGGER _prune_no_delete before delete on _prune
begin select raise(abort, 'prunes are append-only'); end;
CREATE TRIGGER _prune_no_replace before insert on _prune
when exists (select 1 from _prune where id = new.id)
begin select raise(fail, 'prunes are append-only'); end;
CREATE TRIGGER _pruned_no_update before update on _pruned
begin select raise(abort, 'prunes are append-only'); end;
CREATE TRIGGER _pruned_no_delete before delete on _pruned
begin select raise(abort, 'prunes are append-only'); end;
CREATE TRIGGER _pruned_no_replace before insert on _pruned
when exists (select 1 from _pruned where result = new.result)
  or not exists (select 1 from _prune where id = new.prune)
begin select raise(fail, 'prunes are append-only'); end;
CREATE TRIGGER _result_no_delete before delete on _result
when not exists (select 1 from _pruned p where p.result = old.id)
begin select raise(abort, 'results are append-only'); end;
CREATE TRIGGER _run_no_delete before delete on _run
when exists (select 1 from _result r where r.seq = old.seq and r.run = old.id)
begin select raise(abort, 'runs are append-only'); end;
CREATE TRIGGER _signature_no_delete before delete on _signature
when not exists (select 1 from _pruned p where p.result = old.result)
begin select raise(abort, 'a signature never changes'); end;
CREATE INDEX _decision_verdict on _decision (verdict);
CREATE INDEX _decision_context on _decision (context);
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
    p.new as superseded_by,
    c.door as door,
    g.signature as signature
from _result r
left join _testcase t on t.id = r.testcase
left join _item i on i.id = r.item
left join _outcome o on o.id = r.outcome
left join _variant v on v.id = r.variant
left join _source s on s.id = r.source
left join _run u on u.id = r.run
left join _superseded p on p.old = r.id
left join _commit c on c.seq = r.seq
left join _signature g on g.result = r.id;
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
    q.resolution as resolution,
    q.told as told
from _quarantine q
join _source s on s.id = q.source;
CREATE VIEW waiver_event as
select
    e.id as id,
    strftime('%Y-%m-%dT%H:%M:%S', e.time / 1000000, 'unixepoch') || printf('.%06d', e.time % 1000000) as time,
    e.waiver as waiver,
    e.step as step,
    e.turn as turn,
    e.refused as refused,
    e.username as username,
    e.proxied_by as proxied_by,
    e.via as via,
    e.comment as comment,
    w.subject_type as subject_type,
    w.subject as subject,
    w.testcase as testcase,
    w.product_version as product_version,
    w.scenario as scenario,
    w.arch as arch,
    w.purpose as purpose,
    e.seq as seq,
    e.hash as hash
from _waiver_event e
left join _waiver_event w on w.id = coalesce(e.waiver, e.id);
CREATE VIEW active_waiver as
select
    w.id as id,
    w.subject_type as subject_type,
    w.subject as subject,
    w.testcase as testcase,
    w.product_version as product_version,
    w.scenario as scenario,
    w.arch as arch,
    w.purpose as purpose,
    w.comment as comment,
    w.username as username,
    w.proxied_by as proxied_by,
    (select group_concat(a.username, ', ') from _waiver_event a
     where a.waiver = w.id and a.step = 'approve' and a.refused is null) as approved_by,
    strftime('%Y-%m-%dT%H:%M:%S', o.time / 1000000, 'unixepoch') || printf('.%06d', o.time % 1000000) as granted_at,
    strftime('%Y-%m-%dT%H:%M:%S', w.expires_at / 1000000, 'unixepoch') || printf('.%06d', w.expires_at % 1000000) as expires_at,
    w.signatures as signatures,
    w.lenient as lenient,
    o.seq as seq
from _waiver_event w
cross join _waiver_event o on o.waiver = w.id and o.turn = 'opens'
where w.waiver = w.id and w.waived = 1
  and not exists (select 1 from _waiver_event c where c.waiver = w.id and c.turn = 'closes')
  and (w.expires_at is null or w.expires_at > cast((julianday('now') - 2440587.5) * 86400000000 as integer));
CREATE VIEW expectation as
select
    x.id as id,
    strftime('%Y-%m-%dT%H:%M:%S', x.since / 1000000, 'unixepoch') || printf('.%06d', x.since % 1000000) as since,
    strftime('%Y-%m-%dT%H:%M:%S', x.due / 1000000, 'unixepoch') || printf('.%06d', x.due % 1000000) as due,
    x.subject_type as subject_type,
    x.subject as subject,
    x.testcase as testcase,
    e.product_versions as product_versions,
    x.owner as owner,
    e.kind as kind,
    e.source as source,
    e.key as key,
    e.actor as actor,
    strftime('%Y-%m-%dT%H:%M:%S', e.received_at / 1000000, 'unixepoch') || printf('.%06d', e.received_at % 1000000) as received_at,
    e.seq as seq
from _expectation x
left join _event e on e.id = x.event;
CREATE VIEW decision as
select
    d.id as id,
    strftime('%Y-%m-%dT%H:%M:%S', d.at / 1000000, 'unixepoch') || printf('.%06d', d.at % 1000000) as time,
    d.subject_type as subject_type,
    d.subject as subject,
    d.product_version as product_version,
    d.context as decision_context,
    d.verdict as verdict,
    d.old_verdict as old_verdict,
    d.satisfied as satisfied,
    d.summary as summary,
    d.number as number,
    d.cause as cause,
    d.as_of as as_of,
    d.digest as policies_digest,
    d.seq as seq,
    d.proof as proof
from _decision d;
CREATE VIEW provenance as
select
    p.result as result,
    m.id as message,
    s.name as source,
    m.key as key,
    m.topic as topic,
    coalesce(p.mapping, m.mapping) as mapping,
    (select group_concat(v.transport, ', ') from _message_via v where v.message = m.id) as transports,
    strftime('%Y-%m-%dT%H:%M:%S', m.received_at / 1000000, 'unixepoch') || printf('.%06d', m.received_at % 1000000) as received_at,
    m.size as raw_bytes,
    m.digest as sha256,
    m.seq as seq
from _result_message p
left join _message m on m.id = p.message
left join _source s on s.id = m.source;
CREATE VIEW prune as
select
    p.id as id,
    strftime('%Y-%m-%dT%H:%M:%S', p.time / 1000000, 'unixepoch') || printf('.%06d', p.time % 1000000) as time,
    p.username as username,
    p.comment as comment,
    p.criteria as criteria,
    p.results as results,
    p.first as first_result,
    p.last as last_result,
    p.digest as digest,
    strftime('%Y-%m-%dT%H:%M:%S', p.begun / 1000000, 'unixepoch') || printf('.%06d', p.begun % 1000000) as begun,
    p.seq as seq
from _prune p;
COMMIT;
