-- Schema 8 on PostgreSQL: the tables of schema8.sql.

create table _message (
    id bigint primary key,
    seq bigint not null,            -- of the commit that brought its results; 0 = none of them was new
    source bigint not null,
    key text collate "C" not null,               -- names it within its source
    topic text collate "C" not null,
    mapping text collate "C" not null,           -- what read it: 'ci_metrics@1'
    received_at bigint not null,
    digest text collate "C" not null,            -- hex SHA-256 of its bytes as they came
    size bigint not null,           -- of those
    raw bytea,                        -- the same, packed by zlib; null = more than is kept
    told text collate "C" not null               -- JSON: what came beside them
);
create unique index _message_key on _message (source, key);
create index _message_seq on _message (seq);

create table _message_via (
    message bigint not null,
    transport text collate "C" not null,         -- name of the bus that brought it
    received_at bigint not null,
    primary key (message, transport)
);

create table _result_message (
    result bigint not null,
    message bigint not null,
    primary key (result, message)
);
create index _result_message_message on _result_message (message);

-- No facts: how those fare who listen, as they tell it now and then.
create table _listener (
    name text collate "C" primary key,
    told text collate "C" not null,              -- JSON
    told_at bigint not null
);

create trigger _message_no_update before update of id, seq, source, key, digest on _message
for each row execute function _refuse('a message keeps its name');
create trigger _message_no_delete before delete on _message
for each row execute function _refuse('messages are append-only');
create trigger _message_no_truncate before truncate on _message
for each statement execute function _refuse('messages are append-only');
