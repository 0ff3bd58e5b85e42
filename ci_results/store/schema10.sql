-- Schema 10: results that were pruned: who let them go and why, and what must be known of each for good.

-- A page of a prune: what left in one transaction. Append-only; nothing leaves without a row here.
create table _prune (
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
create index _prune_seq on _prune (seq);

-- One row for each result that left: the same record again is known by it, and its days stay counted.
create table _pruned (
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
create index _pruned_prune on _pruned (prune);
create index _pruned_identity on _pruned (identity);

create trigger _prune_no_update before update on _prune
begin select raise(abort, 'prunes are append-only'); end;
create trigger _prune_no_delete before delete on _prune
begin select raise(abort, 'prunes are append-only'); end;
create trigger _prune_no_replace before insert on _prune
when exists (select 1 from _prune where id = new.id)
begin select raise(fail, 'prunes are append-only'); end;
create trigger _pruned_no_update before update on _pruned
begin select raise(abort, 'prunes are append-only'); end;
create trigger _pruned_no_delete before delete on _pruned
begin select raise(abort, 'prunes are append-only'); end;
create trigger _pruned_no_replace before insert on _pruned
when exists (select 1 from _pruned where result = new.result)
  or not exists (select 1 from _prune where id = new.prune)
begin select raise(fail, 'prunes are append-only'); end;

-- The guards never leave: they let go what a row of _pruned names, and runs that have no results.
drop trigger _result_no_delete;
create trigger _result_no_delete before delete on _result
when not exists (select 1 from _pruned p where p.result = old.id)
begin select raise(abort, 'results are append-only'); end;
drop trigger _run_no_delete;
create trigger _run_no_delete before delete on _run
when exists (select 1 from _result r where r.seq = old.seq and r.run = old.id)
begin select raise(abort, 'runs are append-only'); end;
drop trigger _signature_no_delete;
create trigger _signature_no_delete before delete on _signature
when not exists (select 1 from _pruned p where p.result = old.result)
begin select raise(abort, 'a signature never changes'); end;

-- What people count decisions by: a facet reads the index alone.
create index _decision_verdict on _decision (verdict);
create index _decision_context on _decision (context);
