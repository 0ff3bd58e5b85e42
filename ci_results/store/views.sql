-- The public views, version 1: docs/schema.md describes each column, tests hold it true.
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
select date(d.day * 86400, 'unixepoch') as day, d.day as day_number, s.name as source, o.word as outcome, d.n as results
from _daily_source d
left join _source s on s.id = d.source
left join _outcome o on o.id = d.outcome;

-- The same by testcase, with the seconds they took.
create view daily_testcase as
select date(d.day * 86400, 'unixepoch') as day, d.day as day_number, t.name as testcase, o.word as outcome,
    d.n as results, d.duration as duration_s
from _daily d
left join _testcase t on t.id = d.testcase
left join _outcome o on o.id = d.outcome;

create view source as
select
    s.id as id, s.name as name, s.collector as collector, s.url as url, s.owner as owner, s.contact as contact,
    strftime('%Y-%m-%dT%H:%M:%S', s.last_ok / 1000000, 'unixepoch') as last_ok,
    strftime('%Y-%m-%dT%H:%M:%S', s.last_try / 1000000, 'unixepoch') as last_try,
    s.last_error as last_error,
    (select count(*) from _quarantine q where q.source = s.id and q.resolved_at is null) as quarantined
from _source s;

-- Which jobs publish results of tests, and which are silent.
create view job as
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

create view quarantine as
select
    q.id as id, s.name as source, q.door as door, q.kind as kind, q.key as key, q.position as position,
    q.reason as reason, length(q.raw) as raw_bytes, q.seen as seen,
    strftime('%Y-%m-%dT%H:%M:%S', q.received_at / 1000000, 'unixepoch') as received_at,
    strftime('%Y-%m-%dT%H:%M:%S', q.resolved_at / 1000000, 'unixepoch') as resolved_at,
    q.resolution as resolution,
    q.told as told
from _quarantine q
join _source s on s.id = q.source;

-- Every step in the life of every waiver, attempts that were refused among them. Append-only, hash-chained.
create view waiver_event as
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

-- Results that are on their way: which event said so, since when, and when they are late. Append-only.
create view expectation as
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

-- Every decision that differed from the one before it. Append-only.
create view decision as
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

-- Which message of a bus a result came by, what read it, and which buses brought it.
create view provenance as
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

-- What left the store, a row for each transaction: who let it go, why, and by which criteria. Append-only.
create view prune as
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
