-- Schema 9 on PostgreSQL: the table of schema9.sql.

create table _change (
    id bigint primary key,
    seq bigint not null,             -- of a commit of its own
    kind text collate "C" not null,  -- of what: 'group', 'testcase', 'quarantine'
    subject bigint not null,         -- its id there
    said text collate "C" not null   -- JSON: all of it that may change, as it is from here on
);
create index _change_subject on _change (kind, subject, id);
create index _change_seq on _change (seq);

-- What read a message when it said this of it; null = what the message tells.
alter table _result_message add column mapping text collate "C";

-- What was described before there was this table, as one commit.
create temp table _described on commit drop as
select 'group' as kind, g.id::bigint as subject,
    json_build_object('description', g.description, 'ref_url', g.ref_url)::text as said
from _group g where g.results = 0 or g.description is not null or g.ref_url is not null
union all
select 'testcase', t.id, json_build_object('ref_url', t.ref_url)::text
from _testcase t
where t.ref_url is not null or not exists (select 1 from _result r where r.testcase = t.id)
union all
select 'quarantine', q.id, json_build_object('resolution', q.resolution, 'resolved_at', q.resolved_at)::text
from _quarantine q where q.resolved_at is not null;
insert into _commit (seq, received_at, source, door, last_result, results, quarantined)
select (select coalesce(max(seq), 0) + 1 from _commit), extract(epoch from date_trunc('second', now()))::bigint * 1000000,
    null, 'migration', (select coalesce(max(last_result), 0) from _commit), 0, 0
where exists (select 1 from _described);
insert into _change (id, seq, kind, subject, said)
select row_number() over (order by kind, subject), (select max(seq) from _commit), kind, subject, said
from _described;
insert into _outbox (seq, kind) select distinct seq, 'change' from _change;
insert into _outbox (seq, kind) select distinct seq, 'quarantine' from _quarantine where seq > 0;
insert into _outbox (seq, kind) select distinct seq, 'message' from _message where seq > 0;
drop table _described;

create trigger _change_no_update before update on _change
for each row execute function _refuse('changes are append-only');
create trigger _change_no_delete before delete on _change
for each row execute function _refuse('changes are append-only');
create trigger _change_no_truncate before truncate on _change
for each statement execute function _refuse('changes are append-only');
