{
    "scan": {
        "diff-base-project-name": "demo-1.1-1.el9",
        "exit-code": 0,
        "project-name": "demo-1.2-1.el9",
        "time-finished": "2026-11-23 10:05:30",
        "tool": "csmock"
    },
    "defects": []
}
