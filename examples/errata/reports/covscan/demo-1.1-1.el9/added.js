{
    "scan": {
        "diff-base-project-name": "demo-1.0-1.el9",
        "exit-code": 0,
        "mock-config": "rhel-9-x86_64",
        "project-name": "demo-1.1-1.el9",
        "time-created": "2026-11-22 10:00:00",
        "time-finished": "2026-11-22 10:05:30",
        "tool": "csmock",
        "tool-version": "csmock-3.5.0"
    },
    "defects": [
        {
            "checker": "RESOURCE_LEAK",
            "cwe": 772,
            "imp": 1,
            "key_event_idx": 1,
            "events": [
                {"file_name": "demo-1.1/src/a.c", "line": 40, "event": "alloc_fn", "message": "Storage is returned.", "verbosity_level": 1},
                {"file_name": "demo-1.1/src/a.c", "line": 42, "event": "leaked_storage", "message": "It leaks.", "verbosity_level": 0}
            ]
        },
        {
            "checker": "CPPCHECK_WARNING",
            "events": [
                {"file_name": "demo-1.1/src/b.c", "line": 0, "event": "error[nullPointer]", "message": "Null pointer.", "verbosity_level": 0}
            ]
        }
    ]
}
