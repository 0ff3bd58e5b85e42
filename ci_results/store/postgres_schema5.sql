-- Schema 5 on PostgreSQL: the tables of schema5.sql.

create table _waiver_event (
    id bigint primary key,        -- its number in the chain: from 1, without gaps
    seq bigint not null,
    time bigint not null,         -- by the clock of who wrote it; never before that of the event before
    waiver bigint,                -- id of its waiver's first event; null = refused before there was one
    step text collate "C" not null,  -- 'request', 'approve', 'reject', 'grant', 'withdraw', 'expire'
    turn text collate "C",        -- 'opens': from here on the waiver counts; 'closes': it has ended; or null
    refused text collate "C",     -- why the attempt was not allowed; null = it was
    username text collate "C" not null,
    proxied_by text collate "C",
    via text collate "C" not null,  -- the door: 'cli', 'api', 'page'
    comment text collate "C" not null,
    subject_type text collate "C",  -- from here on the terms, of requests and grants
    subject text collate "C",
    testcase text collate "C",
    product_version text collate "C",
    scenario text collate "C",
    arch text collate "C",
    purpose text collate "C",     -- "kind:value"
    signatures text collate "C",  -- JSON list, of the failures that it is bound to
    lenient integer,
    waived integer,
    expires_at bigint,
    hash text collate "C" not null  -- hex SHA-256 of the event before and this one: docs/waivers.md
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

-- The end of the chain. Who appends locks this row first, so that it never forks.
create table _waiver_head (
    one integer primary key check (one = 1),
    id bigint not null,
    hash text collate "C" not null
);
insert into _waiver_head (one, id, hash) values (1, 0, repeat('0', 64));

create trigger _waiver_event_no_update before update on _waiver_event
for each row execute function _refuse('waiver events are append-only');
create trigger _waiver_event_no_delete before delete on _waiver_event
for each row execute function _refuse('waiver events are append-only');
create trigger _waiver_event_no_truncate before truncate on _waiver_event
for each statement execute function _refuse('waiver events are append-only');

-- What a failure looks like, blanked and hashed: docs/signatures.md. Only of failures that have a text.
create table _signature (
    result bigint primary key,
    signature text collate "C" not null  -- "1-9f86d081884c7d": version of the algorithm, hash
);
create index _signature_text on _signature (signature, result);
create trigger _signature_no_update before update on _signature
for each row execute function _refuse('a signature never changes');
create trigger _signature_no_delete before delete on _signature
for each row execute function _refuse('a signature never changes');
create trigger _signature_no_truncate before truncate on _signature
for each statement execute function _refuse('a signature never changes');
