"""What each broken rule teaches: why it exists, how to mend, where to read; the contracts raise these."""

from __future__ import annotations

from dataclasses import dataclass

COLLECTOR = "docs/write-a-collector.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Why a rule exists, how to keep it, and the heading that explains it (a link's anchor)."""

    why: str
    mend: str
    anchor: str

    @property
    def link(self) -> str:
        """Return the link to read on: "docs/write-a-collector.md#keys"."""
        return f"{COLLECTOR}#{self.anchor}"


class BrokenRuleError(AssertionError):
    """A plugin breaks a rule of its contract; the message says what, why, how to mend, where to read."""


def broken(rule: str, what: str) -> BrokenRuleError:
    """Return the failure of `rule` (a key of LESSONS), where `what` says what was seen."""
    lesson = LESSONS[rule]
    return BrokenRuleError(f"{what}\n  why   {lesson.why}\n  mend  {lesson.mend}\n  read  {lesson.link}")


LESSONS: dict[str, Lesson] = {
    "name": Lesson(
        why="configurations, tables and commands write the name, so it must need no quoting",
        mend='name = "widgetci": lower case letters, digits and underscores, a letter first',
        anchor="names",
    ),
    "options": Lesson(
        why="one instance serves all sources and threads; options that change change another's harvest",
        mend="@dataclass(frozen=True, kw_only=True) above the options; tuples, not lists",
        anchor="options",
    ),
    "hooks": Lesson(
        why="a function that no hook calls does nothing, silently",
        mend="put @hookimpl (from ci_results) above a function named as in docs/hooks.md",
        anchor="hooks",
    ),
    "offered": Lesson(
        why="a collector that no hook offers is never found",
        mend="in the entry point's module: @hookimpl, def register_collectors(): return [YourCollector()]",
        anchor="hooks",
    ),
    "yields": Lesson(
        why="the core stores observations, keeps garbled records, moves the cursor at checkpoints; no more",
        mend="yield Observation, Garbled or Checkpoint; raise only CollectErrors; let `http` do the asking",
        anchor="what-a-collector-yields",
    ),
    "http": Lesson(
        why="only `http` has the time-outs, the bounds and the error classes, and only it can be replayed",
        mend="ask with the `http` that harvest() is given; hand it to a client library as its session",
        anchor="requests",
    ),
    "keys": Lesson(
        why="(source, run, key) is what tells a repeat from news: another key each time stores all again",
        mend="take the key from the source (a build number, an id), never from a clock, a counter or uuid4()",
        anchor="keys",
    ),
    "unique": Lesson(
        why="two results of one key supersede each other, so one of them is lost to every reader",
        mend="put into the key what tells the two apart (suite, class, position), or give each run its Run",
        anchor="keys",
    ),
    "times": Lesson(
        why="without a zone a time is another one on each machine, and gates go by the newest result",
        mend='say it: datetime.fromtimestamp(ms / 1000, UTC), .replace(tzinfo=ZoneInfo("Europe/Prague"))',
        anchor="times",
    ),
    "namespace": Lesson(
        why="many teams share one store; without a namespace two `smoke` tests answer for each other",
        mend='testcase=f"yourteam.{name}": text on both sides of the first dot',
        anchor="testcases",
    ),
    "items": Lesson(
        why="policies and people ask by item; one that fits no grammar is found by nobody",
        mend="give all of it, bash-5.2-1.fc40 for a koji_build; item_type='ci_build' where nothing fits",
        anchor="items",
    ),
    "storable": Lesson(
        why="a record that breaks a rule of the store is quarantined, not stored",
        mend="http(s) links, seconds for durations, texts for data; leave out what the source does not say",
        anchor="what-a-collector-yields",
    ),
    "outcomes": Lesson(
        why="an unknown word is quarantined, never guessed: a guess could open a gate",
        mend='outcomes = {"success": "PASSED", ...}: each word of the source, lower case, to one of ours',
        anchor="outcomes",
    ),
    "vacuous": Lesson(
        why="a build that ran no test has shown nothing; as PASSED it would open a gate",
        mend='map such words to INFO or NEEDS_INSPECTION; a run of no tests carries data={"executed": "0"}',
        anchor="nothing-executed",
    ),
    "checkpoint": Lesson(
        why="the cursor moves only with a Checkpoint; without one each harvest begins from the start",
        mend="after each page: yield Checkpoint(the cursor to go on from); yield nothing after the last one",
        anchor="checkpoints-and-cursors",
    ),
    "cursor": Lesson(
        why="a harvest that ignores its cursor asks for everything, every time, on a master that others need",
        mend="begin at `cursor`: send it to the source, or skip what it covers",
        anchor="checkpoints-and-cursors",
    ),
    "resume": Lesson(
        why="a harvest may be killed after any page; what it had not stored must come next time",
        mend="let the cursor say exactly what was yielded before it; with times only, ask again inclusively",
        anchor="checkpoints-and-cursors",
    ),
    "lazy": Lesson(
        why="a list of everything fills memory, and a broken connection at the end loses all of it",
        mend="yield while reading: `for page in pages: yield from read_each(page, observation)`",
        anchor="what-a-collector-yields",
    ),
    "bounded": Lesson(
        why="a CI server has other work; its owner turns off a reader that asks too much",
        mend="ask for pages, and only for the fields you read; never twice for the same",
        anchor="requests",
    ),
    "state": Lesson(
        why="one instance serves all sources and threads at once; what it keeps leaks from one to the other",
        mend="keep everything in local variables of harvest(); what must last belongs in the cursor",
        anchor="options",
    ),
    "quarantine": Lesson(
        why="a record that vanishes is a test that nobody misses; in quarantine it waits with its reason",
        mend="`yield from read_each(records, observation)`, or yield Garbled(raw=..., reason=...)",
        anchor="bad-records",
    ),
    "crash": Lesson(
        why="one odd record would stop the harvest of all that follow it, every time",
        mend="`yield from read_each(records, observation)` for records, http.field(record, name) elsewhere",
        anchor="bad-records",
    ),
    "outage": Lesson(
        why='an outage taken for "no news" looks like a healthy, quiet master; nobody is called',
        mend="let the CollectErrors of `http` through; catch none of them to go on or to return",
        anchor="outages",
    ),
    "check": Lesson(
        why="`source check` prints these lines to an operator",
        mend="yield texts from check(); raise only CollectErrors",
        anchor="requests",
    ),
    "blank": Lesson(
        why="a recording is committed and published with the plugin",
        mend="record again with `ci-results plugin record`, which blanks; revoke what was published",
        anchor="record",
    ),
    "recording": Lesson(
        why="what the recording does not show, the contract cannot test",
        mend="record a source with two pages of results or more: ci-results plugin record",
        anchor="record",
    ),
    "format-name": Lesson(
        why="commands write the name, so it must need no quoting",
        mend='name = "junit": lower case letters, digits and underscores, a letter first',
        anchor="a-format",
    ),
    "recognises": Lesson(
        why="readers are asked in turn; one that claims too much takes the files of others",
        mend="look for the format's own mark in the first bytes; say False to anything else; never raise",
        anchor="a-format",
    ),
    "golden": Lesson(
        why="the golden files say what each sample means; a reader that says otherwise changes history",
        mend="mend the reader; or, if it is right now, run pytest --update-golden and read the difference",
        anchor="a-format",
    ),
    "any-bytes": Lesson(
        why="reports come broken; an exception loses the whole file, a Garbled keeps it with its reason",
        mend="catch what your parser raises; yield Garbled(raw=..., reason=..., position=..., kind='report')",
        anchor="a-format",
    ),
    "truncated": Lesson(
        why="a full disk cuts a report; what is missing must not look like tests that never were",
        mend="yield what was read, then Garbled that says where the file ended",
        anchor="a-format",
    ),
    "streamed": Lesson(
        why="reports of 500 MB exist; read at once they fill the memory of every harvest beside them",
        mend="read the stream in pieces (stream.read(65536)) and yield as you go; keep no list of cases",
        anchor="a-format",
    ),
    "hostile": Lesson(
        why="a report is written by whoever writes tests: entities can fill memory and read files",
        mend="refuse documents with a DTD: yield Garbled; never resolve entities or external references",
        anchor="a-format",
    ),
    "delivered": Lesson(
        why="the outbox takes a return for success and forgets the batch",
        mend="return when all of the batch has arrived; raise a DeliveryError otherwise",
        anchor="a-sink",
    ),
    "takes": Lesson(
        why="a sink that says what it takes is told of it, and results behind that wait until it is through",
        mend="name only what the core knows in `takes`, and implement announce(options, happenings)",
        anchor="a-sink",
    ),
    "checked": Lesson(
        why="an operator calls `sink check` before the first delivery, as often as it takes",
        mend="ask in check() only what changes nothing; yield a line of text for each thing you learn",
        anchor="a-sink",
    ),
    "undelivered": Lesson(
        why="only SinkUnavailableError is tried again and only SinkRefusedError is parked with its reason",
        mend="turn the client's exceptions into SinkUnavailableError (away) or SinkRefusedError (never)",
        anchor="a-sink",
    ),
    "tag": Lesson(
        why="policies write the name as a tag, !WeekdayRule, beside those of others",
        mend='name = "WeekdayRule": letters and digits, a capital first',
        anchor="a-type-of-rules",
    ),
    "asks": Lesson(
        why="what is asked is read from the store at one moment, before anything is judged",
        mend="yield what follows from the options and `asked` alone: no clock, no chance, no state on self",
        anchor="a-type-of-rules",
    ),
    "plain": Lesson(
        why="the questions of a plain rule are taken from testcases() when policies are read",
        mend="yield one LatestOf(asked.subject, name) for each of testcases(), or leave plain() away",
        anchor="a-type-of-rules",
    ),
    "judges": Lesson(
        why="a decision is proved by judging the same facts again; a rule that raises closes the gate",
        mend="use weighing.facts.now, not the clock; require what is absent with weighing.missing()",
        anchor="a-type-of-rules",
    ),
    "monotonic": Lesson(
        why="people wait for the tests that would open a gate, and must know where one more may close it",
        mend="judge so that a passed result never closes, or return False from monotonic()",
        anchor="a-type-of-rules",
    ),
    "mapping-version": Lesson(
        why="stored results of one version must mean the same, or a repeat of a message looks like news",
        mend="version = 1; raise it when the same message is to say something else",
        anchor="messages-of-a-bus",
    ),
    "message-options": Lesson(
        why="messages are read where nothing is configured for their kind",
        mend="give every field of the options a default; raise InvalidError in read() where one is needed",
        anchor="messages-of-a-bus",
    ),
    "recognises-message": Lesson(
        why="readers are asked in turn; one that claims too much takes the messages of others",
        mend="look at topic, headers and the shape of the body; say False to anything else; never raise",
        anchor="messages-of-a-bus",
    ),
    "golden-message": Lesson(
        why="results are stored under this version already; a reader that says otherwise changes history",
        mend="mend the reader; or raise `version`, run pytest --update-golden and read the difference",
        anchor="messages-of-a-bus",
    ),
    "any-message": Lesson(
        why="producers send what they like; an exception that says nothing stops the bus at this message",
        mend="raise InvalidError (KeyError, TypeError and ValueError count too) for what cannot be read",
        anchor="messages-of-a-bus",
    ),
    "message-alone": Lesson(
        why="a message is read within the transaction that stores it, and again years later",
        mend="say what the message says; what must be looked up elsewhere is added by another hook",
        anchor="messages-of-a-bus",
    ),
    "message-keys": Lesson(
        why="brokers deliver twice and bridges give new ids; by the id alone each would be another result",
        mend="take the key from what was run (a job, a build, a pipeline), or use envelope.key as it is",
        anchor="messages-of-a-bus",
    ),
    "message-gate": Lesson(
        why="a message that lost a member must not let a build through that did not pass",
        mend="require the members that decide the outcome; raise InvalidError where they disagree",
        anchor="messages-of-a-bus",
    ),
}
