-- The public views, version 1, as in views.sql: same columns, same text; docs/schema.md describes them.

create or replace function _utc(moment bigint, format text default 'YYYY-MM-DD"T"HH24:MI:SS') returns text
language sql stable strict parallel safe
return to_char(timestamp '1970-01-01' + moment * interval '1 microsecond', format);

create or replace view result as
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
    _utc(coalesce(r.submit_time, r.rank), 'YYYY-MM-DD"T"HH24:MI:SS.US') as submit_time,
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
create or replace view latest_result as
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

create or replace view testcase as
select
    t.id as id,
    t.name as name,
    t.owner as owner,
    t.contact as contact,
    t.ref_url as ref_url,
    (select max(r.time) from _result r where r.testcase = t.id) as last_result
from _testcase t;

-- How many results of each outcome a source gave on a day (UTC).
create or replace view daily as
select to_char(date '1970-01-01' + d.day, 'YYYY-MM-DD') as day, d.day as day_number, s.name as source,
    o.word as outcome, d.n as results
from _daily_source d
left join _source s on s.id = d.source
left join _outcome o on o.id = d.outcome;

-- The same by testcase, with the seconds they took.
create or replace view daily_testcase as
select to_char(date '1970-01-01' + d.day, 'YYYY-MM-DD') as day, d.day as day_number, t.name as testcase,
    o.word as outcome, d.n as results, d.duration as duration_s
from _daily d
left join _testcase t on t.id = d.testcase
left join _outcome o on o.id = d.outcome;

create or replace view source as
select
    s.id as id, s.name as name, s.collector as collector, s.url as url, s.owner as owner, s.contact as contact,
    _utc(s.last_ok) as last_ok,
    _utc(s.last_try) as last_try,
    s.last_error as last_error,
    (select count(*) from _quarantine q where q.source = s.id and q.resolved_at is null) as quarantined
from _source s;

-- Which jobs publish results of tests, and which are silent.
create or replace view job as
select
    s.name as source, j.name as job, j.state as state,
    case
        when j.state in ('disabled', 'never built', 'gone') then j.state
        when j.last_report is not null then 'publishes'
        else 'silent'
    end as coverage,
    s.owner as owner, s.contact as contact,
    _utc(j.last_build) as last_build,
    _utc(j.last_report) as last_report
from _job j
join _source s on s.id = j.source;

create or replace view quarantine as
select
    q.id as id, s.name as source, q.door as door, q.kind as kind, q.key as key, q.position as position,
    q.reason as reason, length(q.raw) as raw_bytes, q.seen as seen,
    _utc(q.received_at) as received_at,
    _utc(q.resolved_at) as resolved_at,
    q.resolution as resolution,
    q.told as told
from _quarantine q
join _source s on s.id = q.source;

-- Every step in the life of every waiver, attempts that were refused among them. Append-only, hash-chained.
create or replace view waiver_event as
select
    e.id as id,
    _utc(e.time, 'YYYY-MM-DD"T"HH24:MI:SS.US') as time,
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

-- What is waived now: the waivers that were opened, not closed, and have not expired.
create or replace view active_waiver as
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
    (select string_agg(a.username, ', ' order by a.id) from _waiver_event a
     where a.waiver = w.id and a.step = 'approve' and a.refused is null) as approved_by,
    _utc(o.time, 'YYYY-MM-DD"T"HH24:MI:SS.US') as granted_at,
    _utc(w.expires_at, 'YYYY-MM-DD"T"HH24:MI:SS.US') as expires_at,
    w.signatures as signatures,
    w.lenient as lenient,
    o.seq as seq
from _waiver_event w
join _waiver_event o on o.waiver = w.id and o.turn = 'opens'
where w.waiver = w.id and w.waived = 1
  and not exists (select 1 from _waiver_event c where c.waiver = w.id and c.turn = 'closes')
  and (w.expires_at is null or w.expires_at > extract(epoch from clock_timestamp()) * 1000000);

-- Results that are on their way: which event said so, since when, and when they are late. Append-only.
create or replace view expectation as
select
    x.id as id,
    _utc(x.since, 'YYYY-MM-DD"T"HH24:MI:SS.US') as since,
    _utc(x.due, 'YYYY-MM-DD"T"HH24:MI:SS.US') as due,
    x.subject_type as subject_type,
    x.subject as subject,
    x.testcase as testcase,
    e.product_versions as product_versions,
    x.owner as owner,
    e.kind as kind,
    e.source as source,
    e.key as key,
    e.actor as actor,
    _utc(e.received_at, 'YYYY-MM-DD"T"HH24:MI:SS.US') as received_at,
    e.seq as seq
from _expectation x
left join _event e on e.id = x.event;

-- Every decision that differed from the one before it. Append-only.
create or replace view decision as
select
    d.id as id,
    _utc(d.at, 'YYYY-MM-DD"T"HH24:MI:SS.US') as time,
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
create or replace view provenance as
select
    p.result as result,
    m.id as message,
    s.name as source,
    m.key as key,
    m.topic as topic,
    coalesce(p.mapping, m.mapping) as mapping,
    (select string_agg(v.transport, ', ' order by v.transport) from _message_via v where v.message = m.id) as transports,
    _utc(m.received_at, 'YYYY-MM-DD"T"HH24:MI:SS.US') as received_at,
    m.size as raw_bytes,
    m.digest as sha256,
    m.seq as seq
from _result_message p
left join _message m on m.id = p.message
left join _source s on s.id = m.source;

-- What left the store, a row for each transaction: who let it go, why, and by which criteria. Append-only.
create or replace view prune as
select
    p.id as id,
    _utc(p.time, 'YYYY-MM-DD"T"HH24:MI:SS.US') as time,
    p.username as username,
    p.comment as comment,
    p.criteria as criteria,
    p.results as results,
    p.first as first_result,
    p.last as last_result,
    p.digest as digest,
    _utc(p.begun, 'YYYY-MM-DD"T"HH24:MI:SS.US') as begun,
    p.seq as seq
from _prune p;
