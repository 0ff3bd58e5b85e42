"""What SQL a rule may be, and how it is written for either kind of store."""

from __future__ import annotations

import pytest

from ci_results.decide.select_text import counting, faults, ordered, parameters

DEEP = f"select {'(' * 2000}1{')' * 2000}"


@pytest.mark.parametrize(
    "select",
    [
        "attach database '/tmp/x' as y",
        "pragma table_info(result)",
        "select 1; drop table _result",
        "select 1; select 2",
        "delete from _result",
        "insert into result select * from result",
        "with x as (delete from _result returning id) select * from x",
        "copy _result to '/tmp/x'",
        "copy (select 1) to program 'sh'",
        "vacuum into '/tmp/x'",
        "do $$ begin perform 1; end $$",
        "set role postgres",
        "select load_extension('x')",
        "select readfile('/etc/passwd')",
        "select writefile('/tmp/x', 'y')",
        "select pg_sleep(10)",
        "select pg_read_file('/etc/passwd')",
        "select lo_import('/etc/passwd')",
        "select dblink('host=x', 'select 1')",
        "select current_setting('x'), set_config('a', 'b', false)",
        "select random()",
        "select now()",
        "select current_timestamp",
        "select datetime('now')",
        "select strftime('%s', 'now')",
        "select julianday('now')",
        "select changes(), last_insert_rowid()",
        "select sqlite_version()",
        "select randomblob(1000000000)",
        "select zeroblob(1000000000)",
        "select hex(item) from result",
        "select replace(note, 'a', 'aaaaaaaaaaaaaaaaaaaaa') from result",
        "select printf('%1000000d', 1)",
        "select group_concat(note) from result",
        "select * from json_each('[1]')",
        "select * from generate_series(1, 1000000000)",
        "select * from pragma_table_info('result')",
        "select * from _result",
        "select * from sqlite_master",
        "select * from pg_catalog.pg_shadow",
        "select * from main.result",
        "select * from quarantine",
        "select * from waiver_event",
        'select * from "_result"',
        "select (select key from _pair) from result",
        "select 1 where exists (select 1 from _meta)",
        "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n",
        "with x as (select * from _result) select * from x",
        "with result as (select * from daily) select * from result",
        "with RESULT as (select * from daily) select * from daily",
        "select * from (with x as (select 1) select * from x)",
        "select item from result where item = ?",
        "select item from result where item = :password",
        "select item from result where item = @item",
        "select item from result where note glob '*x*'",
        "select item from result where note regexp 'x'",
        "select item from result limit 1",
        "select item from result order by id limit (select 1)",
        "select item from result order by id limit -1",
        "select item from result order by id limit :item",
        "select * from (select id from result limit 1) order by id",
        "select row_number() over (order by id) from result",
        "select item from result for update",
        "select cast('x' as regclass)",
        "values (1)",
        "",
        "select",
        "select 'a' from result where item = 'x",
        DEEP,
        f"select '{'x' * 9000}'",
    ],
)
def test_what_a_rule_may_not_say_is_told(select: str) -> None:
    assert faults(select)
    with pytest.raises(ValueError, match=r"^select: "):
        counting(select, "sqlite")
    with pytest.raises(ValueError, match=r"^select: "):
        ordered(select, "postgres", 1, 20)


@pytest.mark.parametrize(
    ("select", "sqlite", "postgres"),
    [
        (
            "select id from result where note like '%seg''f%' and item = :item",
            "SELECT id FROM result WHERE note LIKE '%seg''f%' AND item = :item ORDER BY 1 LIMIT 20",
            "SELECT id FROM result WHERE note ILIKE '%seg''f%' ESCAPE '' AND item = :item"
            " ORDER BY 1 NULLS FIRST LIMIT 20",
        ),
        (
            "select data ->> '$.tier[0]' from result order by time desc limit 3",
            "SELECT data ->> '$.tier[0]' FROM result ORDER BY time DESC, 1 LIMIT 3",
            "SELECT JSON_EXTRACT_PATH_TEXT(CAST(data AS JSON), 'tier', '0') FROM result"
            " ORDER BY time DESC NULLS LAST, 1 NULLS FIRST LIMIT 3",
        ),
        (
            "select json_extract(data, '$.a') from result order by 1 limit 50",
            "SELECT JSON_EXTRACT(data, '$.a') FROM result ORDER BY 1, 1 LIMIT 20",
            "SELECT JSON_EXTRACT_PATH_TEXT(CAST(data AS JSON), 'a') FROM result"
            " ORDER BY 1 NULLS FIRST, 1 NULLS FIRST LIMIT 20",
        ),
    ],
)
def test_what_is_run_is_written_from_its_parts(select: str, sqlite: str, postgres: str) -> None:
    assert faults(select) == []
    assert ordered(select, "sqlite", 1, 20) == sqlite
    assert ordered(select, "postgres", 1, 20) == postgres


def test_parameters_are_told() -> None:
    assert parameters("select id from result where item = :item or nvr = :package") == {"item", "package"}
