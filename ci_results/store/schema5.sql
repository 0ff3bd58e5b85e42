-- Schema 5: waivers, as a chain of events that nothing changes; signatures of failures.

-- A waiver is named by its first event, a request or grant, which has its terms. Texts are those of the wire:
-- one may waive what was never stored, so nothing here points into _item and _testcase.
create table _waiver_event (
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
create unique index _waiver_turn on _waiver_event (waiver, turn) where turn is not null;
create index _waiver_first on _waiver_event (waiver) where waiver = id;
create index _waiver_steps on _waiver_event (waiver, id);
create index _waiver_seq on _waiver_event (seq);
create index _waiver_time on _waiver_event (time);
create index _waiver_subject on _waiver_event (subject, waiver) where waiver = id;
create index _waiver_testcase on _waiver_event (testcase, waiver) where waiver = id;
create index _waiver_username on _waiver_event (username, waiver) where waiver = id;
create index _waiver_expiry on _waiver_event (expires_at, id) where waiver = id and expires_at is not null;
create index _waiver_request on _waiver_event (id) where waiver = id and step = 'request';
create index _waiver_expired on _waiver_event (id) where step = 'expire';

-- The end of the chain. Who appends takes this row first, so that it never forks.
create table _waiver_head (
    one integer primary key check (one = 1),
    id integer not null,
    hash text not null
);
insert into _waiver_head (one, id, hash)
values (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- INSERT OR REPLACE takes away whatever row is in the way, also by a unique index: hence the third trigger.
create trigger _waiver_event_no_update before update on _waiver_event
begin select raise(abort, 'waiver events are append-only'); end;
create trigger _waiver_event_no_delete before delete on _waiver_event
begin select raise(abort, 'waiver events are append-only'); end;
create trigger _waiver_event_no_replace before insert on _waiver_event
when exists (select 1 from _waiver_event where id = new.id)
  or exists (select 1 from _waiver_event where waiver = new.waiver and turn = new.turn)
begin select raise(abort, 'waiver events are append-only'); end;

-- What a failure looks like, blanked and hashed: docs/signatures.md. Only of failures that have a text.
create table _signature (
    result integer primary key,
    signature text not null       -- "1-9f86d081884c7d": version of the algorithm, hash
);
create index _signature_text on _signature (signature, result);
create trigger _signature_no_update before update on _signature
begin select raise(abort, 'a signature never changes'); end;
create trigger _signature_no_delete before delete on _signature
begin select raise(abort, 'a signature never changes'); end;
