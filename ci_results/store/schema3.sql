-- Schema 3: how far each sink has got in the outbox, and what it refused.

create table _delivery (
    sink text primary key,
    seq integer not null,         -- results after (seq, result) wait for the sink
    result integer not null,
    sent integer not null default 0,
    last_try integer,
    last_ok integer,
    last_error text
) without rowid;

create table _parked (
    id integer primary key,
    sink text not null,
    result integer not null,
    reason text not null,
    parked_at integer not null,
    tries integer not null default 1,
    unique (sink, result)
);
