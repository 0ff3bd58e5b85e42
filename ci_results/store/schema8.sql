-- Schema 8: messages of buses that results came by, and how those who listen fare.

create table _message (
    id integer primary key,
    seq integer not null,            -- of the commit that brought its results; 0 = none of them was new
    source integer not null,
    key text not null,               -- names it within its source
    topic text not null,
    mapping text not null,           -- what read it: 'ci_metrics@1'
    received_at integer not null,
    digest text not null,            -- hex SHA-256 of its bytes as they came
    size integer not null,           -- of those
    raw blob,                        -- the same, packed by zlib; null = more than is kept
    told text not null               -- JSON: what came beside them
);
create unique index _message_key on _message (source, key);
create index _message_seq on _message (seq);

create table _message_via (
    message integer not null,
    transport text not null,         -- name of the bus that brought it
    received_at integer not null,
    primary key (message, transport)
) without rowid;

create table _result_message (
    result integer not null,
    message integer not null,
    primary key (result, message)
) without rowid;
create index _result_message_message on _result_message (message);

-- No facts: how those fare who listen, as they tell it now and then.
create table _listener (
    name text primary key,
    told text not null,              -- JSON
    told_at integer not null
) without rowid;

create trigger _message_no_update before update of id, seq, source, key, digest on _message
begin select raise(abort, 'a message keeps its name'); end;
create trigger _message_no_delete before delete on _message
begin select raise(abort, 'messages are append-only'); end;
