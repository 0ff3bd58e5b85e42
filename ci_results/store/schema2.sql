-- Schema 2: the text of a result's time is kept, not computed for each index; groups, as in ResultsDB.
-- alter table and create index only: a table that is made anew would lose its triggers.

drop trigger _result_no_update;
drop index _result_testcase;
drop index _result_time;
drop index _result_outcome;

-- rank as text: "2026-01-02T03:04:05.000000"
alter table _result add column time text not null default '';
-- JSON list of uuids, as served; null = none
alter table _result add column groups text;
update _result set time =
    strftime('%Y-%m-%dT%H:%M:%S', rank / 1000000, 'unixepoch') || printf('.%06d', rank % 1000000);

create index _result_testcase on _result (testcase, time, id);
create index _result_time on _result (time, id);
create index _result_outcome on _result (outcome, time, id);
create trigger _result_no_update before update on _result
begin select raise(abort, 'results are append-only'); end;

-- A group is the one thing besides a testcase whose description may change; its results are counted.
create table _group (
    id integer primary key,       -- in order of creation
    uuid text not null unique,    -- any text of its owner's choice
    description text,
    ref_url text,
    results integer not null default 0
);
create table _result_group (
    grp integer not null,
    rank integer not null,
    result integer not null,
    primary key (grp, rank, result)
) without rowid;
create trigger _group_keeps_uuid before update of id, uuid on _group
begin select raise(abort, 'a group keeps its uuid'); end;

-- Claims that lie after the receipt (clocks that run fast), for questions by claimed time.
create index _result_claim on _result (submit_time, rank) where submit_time is not null;
