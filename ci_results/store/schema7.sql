-- Schema 7: events with the results that they let expect, and the decisions that were recorded.

create table _event (
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
create index _event_seq on _event (seq);
create index _event_subject on _event (subject);

create table _expectation (
    id integer primary key,
    event integer not null,
    subject_type text not null,
    subject text not null,
    testcase text not null,
    since integer not null,
    due integer,                     -- null = never late
    owner text
);
create index _expectation_event on _expectation (event);
create index _expectation_subject on _expectation (subject);
create index _expectation_since on _expectation (since);
create index _expectation_due on _expectation (due);

-- A row for each change, for good. A gate is a hash of the four that name what is decided.
create table _decision (
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
create index _decision_seq on _decision (seq);
create index _decision_subject on _decision (subject);

-- What the follower remembers: how each gate stands, and how far it has got. No facts: it can be made anew.
create table _followed (
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
create index _followed_subject on _followed (subject);
create index _followed_wake on _followed (wake) where wake is not null;
create index _followed_open on _followed (digest) where verdict <> 'go';

create table _follower (
    one integer primary key check (one = 1),
    turn integer not null,           -- counts its transactions: one that was overtaken changes nothing
    seq integer not null,
    result integer not null,
    digest text not null             -- of the policies that all open gates were judged by
);

create trigger _event_no_update before update on _event
begin select raise(abort, 'events are append-only'); end;
create trigger _event_no_delete before delete on _event
begin select raise(abort, 'events are append-only'); end;
create trigger _event_no_replace before insert on _event
when exists (select 1 from _event where id = new.id or (source = new.source and key = new.key))
begin select raise(fail, 'events are append-only'); end;

create trigger _expectation_no_update before update on _expectation
begin select raise(abort, 'expectations are append-only'); end;
create trigger _expectation_no_delete before delete on _expectation
begin select raise(abort, 'expectations are append-only'); end;
create trigger _expectation_no_replace before insert on _expectation
when exists (select 1 from _expectation where id = new.id)
begin select raise(fail, 'expectations are append-only'); end;

create trigger _decision_no_update before update on _decision
begin select raise(abort, 'decisions are append-only'); end;
create trigger _decision_no_delete before delete on _decision
begin select raise(abort, 'decisions are append-only'); end;
create trigger _decision_no_replace before insert on _decision
when exists (select 1 from _decision where id = new.id or (gate = new.gate and number = new.number))
begin select raise(fail, 'decisions are append-only'); end;
