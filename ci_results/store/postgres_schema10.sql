-- Schema 10 on PostgreSQL: the tables of schema10.sql.

-- A page of a prune: what left in one transaction. Append-only; nothing leaves without a row here.
create table _prune (
    id bigint primary key,
    seq bigint not null,              -- of a commit of its own
    begun bigint not null,            -- when the prune began of which this is a page
    time bigint not null,
    username text collate "C" not null,
    comment text collate "C" not null,
    criteria text collate "C" not null,  -- JSON: before, testcase, source, all_states
    results bigint not null,
    first bigint not null,            -- lowest and highest id of what left
    last bigint not null,
    digest text collate "C" not null  -- hex SHA-256 of what left: docs/operations.md says of which text
);
create index _prune_seq on _prune (seq);

-- One row for each result that left: the same record again is known by it, and its days stay counted.
create table _pruned (
    result bigint primary key,
    prune bigint not null references _prune (id),
    source integer not null,
    identity bigint not null,
    digest bigint not null,
    key bytea not null,               -- of the key's text, the first half of its SHA-256
    testcase integer not null,
    outcome integer not null,
    day integer not null,
    duration double precision,
    counted integer not null          -- 1 = it was current, so the roll-ups count it
);
create index _pruned_prune on _pruned (prune);
create index _pruned_identity on _pruned (identity);

create trigger _prune_no_update before update on _prune
for each row execute function _refuse('prunes are append-only');
create trigger _prune_no_delete before delete on _prune
for each row execute function _refuse('prunes are append-only');
create trigger _prune_no_truncate before truncate on _prune
for each statement execute function _refuse('prunes are append-only');
create trigger _pruned_no_update before update on _pruned
for each row execute function _refuse('prunes are append-only');
create trigger _pruned_no_delete before delete on _pruned
for each row execute function _refuse('prunes are append-only');
create trigger _pruned_no_truncate before truncate on _pruned
for each statement execute function _refuse('prunes are append-only');

-- The guards never leave: they let go what a row of _pruned names, and runs that have no results.
create function _refuse_result() returns trigger language plpgsql set search_path from current as $$
begin
    if exists (select 1 from _pruned p where p.result = old.id) then
        return old;
    end if;
    raise exception '%', tg_argv[0] using errcode = 'restrict_violation';
end $$;
create function _refuse_of_result() returns trigger language plpgsql set search_path from current as $$
begin
    if exists (select 1 from _pruned p where p.result = old.result) then
        return old;
    end if;
    raise exception '%', tg_argv[0] using errcode = 'restrict_violation';
end $$;
create function _refuse_run() returns trigger language plpgsql set search_path from current as $$
begin
    if not exists (select 1 from _result r where r.seq = old.seq and r.run = old.id) then
        return old;
    end if;
    raise exception '%', tg_argv[0] using errcode = 'restrict_violation';
end $$;
-- Identities leave with their results.
create function _leave_identity() returns trigger language plpgsql set search_path from current as $$
begin
    delete from _identity i
    where i.identity = old.identity and i.digest = old.digest and i.key = substr(_digest(old.key), 1, 16);
    return null;
end $$;
drop trigger _result_no_delete on _result;
create trigger _result_no_delete before delete on _result
for each row execute function _refuse_result('results are append-only');
create trigger _result_leaves after delete on _result
for each row execute function _leave_identity();
drop trigger _run_no_delete on _run;
create trigger _run_no_delete before delete on _run
for each row execute function _refuse_run('runs are append-only');
drop trigger _signature_no_delete on _signature;
create trigger _signature_no_delete before delete on _signature
for each row execute function _refuse_of_result('a signature never changes');
drop trigger _identity_no_delete on _identity;
create trigger _identity_no_delete before delete on _identity
for each row execute function _refuse_of_result('results are append-only');
