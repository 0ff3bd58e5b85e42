-- Schema 9: what may change beside facts that never do, told in the order of commits, so that a feed has it too.

create table _change (
    id integer primary key,
    seq integer not null,            -- of a commit of its own
    kind text not null,              -- of what: 'group', 'testcase', 'quarantine'
    subject integer not null,        -- its id there
    said text not null               -- JSON: all of it that may change, as it is from here on
);
create index _change_subject on _change (kind, subject, id);
create index _change_seq on _change (seq);

-- What read a message when it said this of it; null = what the message tells.
alter table _result_message add column mapping text;

-- What was described before there was this table, as one commit.
create temp table _described as
select 'group' as kind, g.id as subject, json_object('description', g.description, 'ref_url', g.ref_url) as said
from _group g where g.results = 0 or g.description is not null or g.ref_url is not null
union all
select 'testcase', t.id, json_object('ref_url', t.ref_url)
from _testcase t
where t.ref_url is not null or not exists (select 1 from _result r where r.testcase = t.id)
union all
select 'quarantine', q.id, json_object('resolution', q.resolution, 'resolved_at', q.resolved_at)
from _quarantine q where q.resolved_at is not null;
insert into _commit (seq, received_at, source, door, last_result, results, quarantined)
select (select coalesce(max(seq), 0) + 1 from _commit), cast(strftime('%s', 'now') as integer) * 1000000,
    null, 'migration', (select coalesce(max(last_result), 0) from _commit), 0, 0
where exists (select 1 from _described);
insert into _change (seq, kind, subject, said)
select (select max(seq) from _commit), kind, subject, said from _described order by kind, subject;
insert into _outbox (seq, kind) select distinct seq, 'change' from _change;
insert into _outbox (seq, kind) select distinct seq, 'quarantine' from _quarantine where seq > 0;
insert into _outbox (seq, kind) select distinct seq, 'message' from _message where seq > 0;
drop table _described;

create trigger _change_no_update before update on _change
begin select raise(abort, 'changes are append-only'); end;
create trigger _change_no_delete before delete on _change
begin select raise(abort, 'changes are append-only'); end;
create trigger _change_no_replace before insert on _change
when exists (select 1 from _change where id = new.id)
begin select raise(fail, 'changes are append-only'); end;
