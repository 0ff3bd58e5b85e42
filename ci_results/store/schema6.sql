-- Schema 6: plans of manual tests. An import that changes a plan is a new version; none is ever changed.

create table _plan (
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
create index _plan_item on _plan (item_type, item);

create trigger _plan_no_update before update on _plan
begin select raise(abort, 'plans are append-only'); end;
create trigger _plan_no_delete before delete on _plan
begin select raise(abort, 'plans are append-only'); end;
create trigger _plan_no_replace before insert on _plan
when exists (select 1 from _plan where id = new.id or (name = new.name and version = new.version))
begin select raise(fail, 'plans are append-only'); end;
